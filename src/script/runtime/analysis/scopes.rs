//! The variables and imports that are visible at a place of a script.

use rhai::ImmutableString;

#[derive(Default, Clone)]
pub(super) struct Scopes {
    variables: Vec<ImmutableString>,
    /// The name of an import, and its file where it is known.
    imports: Vec<(String, Option<String>)>,
}

impl Scopes {
    pub(super) fn new(imports: &[(String, Option<String>)]) -> Scopes {
        Scopes { variables: Vec::new(), imports: imports.to_vec() }
    }

    /// Returns the numbers of visible variables and imports.
    pub(super) fn mark(&self) -> (usize, usize) {
        (self.variables.len(), self.imports.len())
    }

    /// Removes the variables and imports that were added since [`Scopes::mark`].
    pub(super) fn rewind(&mut self, (variables, imports): (usize, usize)) {
        self.variables.truncate(variables);
        self.imports.truncate(imports);
    }

    pub(super) fn add(&mut self, variable: ImmutableString) {
        self.variables.push(variable);
    }

    pub(super) fn add_import(&mut self, name: &str, file: Option<String>) {
        self.imports.push((name.to_owned(), file));
    }

    pub(super) fn has(&self, variable: &str) -> bool {
        self.variables.iter().any(|known| known == variable)
    }

    /// Whether the nearest variable called `variable` is one of the first `count`.
    pub(super) fn is_among(&self, variable: &str, count: usize) -> bool {
        self.variables.iter().rposition(|known| known == variable).is_some_and(|place| place < count)
    }

    /// Returns the file of import `name`. The outer `None` means that no import has this name, the inner one that its file is
    /// unknown.
    pub(super) fn import(&self, name: &str) -> Option<Option<&str>> {
        let (_, file) = self.imports.iter().rfind(|(known, _)| known == name)?;
        Some(file.as_deref())
    }

    pub(super) fn imports(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.imports.iter().rev().map(|(name, file)| (name.as_str(), file.as_deref()))
    }

    /// Returns the variables, the last one first: the nearest one is the likeliest to be meant.
    pub(super) fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().rev().map(ImmutableString::as_str)
    }
}
