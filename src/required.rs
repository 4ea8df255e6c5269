//! `--require-provision`: whether the provision that readiness waits for is active, and why it is not. Knows no probe.

use crate::activation::ActivationError;
use crate::initial;
use crate::provision::{Provision, no_register_rules};
use crate::record::{Kind, Records};
use crate::store::{Name, Store};

/// The provision that readiness waits for.
pub struct Required(Name);

impl Required {
    /// The provision `name`.
    pub fn new(name: Name) -> Required {
        Required(name)
    }

    /// Its name as it was asked for.
    pub fn name(&self) -> &str {
        self.0.as_str()
    }

    /// Whether `active` is that provision. The built-in one stands for no file, so it never is.
    pub fn is(&self, active: &Provision, store: &Store) -> bool {
        !active.built_in && (active.name == self.name() || active.name == self.file(store).as_str())
    }

    /// The built-in provision must not become a file that would be taken for `initial` at the next start.
    pub fn is_initial(&self) -> bool {
        initial::NAMES.contains(&self.name())
    }

    /// Why `active` is another provision, as /readyz answers it.
    pub fn reason(&self, active: &Provision, store: &Store, records: &Records) -> String {
        let not = format!(
            "provision `{}` is required (`--require-provision`), but `{}` is active",
            self.name(),
            active.name
        );
        match self.cause(store, records) {
            Some(cause) => format!("{not}: {cause}"),
            None => not,
        }
    }

    /// What keeps its file from being active, in one line; `None` where another one has taken its place.
    fn cause(&self, store: &Store, records: &Records) -> Option<String> {
        let file = self.file(store);
        let record = records.of(file.as_str());
        let text = match (record.error, record.kind, record.generation) {
            _ if !store.exists(&file) => ActivationError::Unknown(self.name().to_owned()).to_string(),
            (Some(error), ..) => error.to_string(),
            (None, Some(Kind::Library), _) => no_register_rules(file.as_str()).to_string(),
            (None, _, None) => format!("`{file}` is there, but nothing has activated it"),
            (None, _, Some(_)) => return None,
        };
        text.lines().next().map(str::to_owned)
    }

    /// Its file: the name, or the same with or without `.rhai` where only that is there, as in `import`.
    fn file(&self, store: &Store) -> Name {
        let name = self.name();
        let other = name.strip_suffix(".rhai").map_or_else(|| format!("{name}.rhai"), str::to_owned);
        let other = Name::parse(&other).ok().filter(|other| store.exists(other) && !store.exists(&self.0));
        other.unwrap_or_else(|| self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::fault::Fault;
    use crate::store::fixture::Folder;

    fn required(name: &str) -> Required {
        Required::new(Name::parse(name).unwrap())
    }

    #[test]
    fn a_file_is_meant_by_its_name_with_and_without_the_extension() {
        for (files, name, file) in [
            (&[][..], "initial", "initial"),
            (&["initial"], "initial", "initial"),
            (&["initial.rhai"], "initial", "initial.rhai"),
            (&["initial"], "initial.rhai", "initial"),
            (&["a", "a.rhai"], "a", "a"),
            (&["a", "a.rhai"], "a.rhai", "a.rhai"),
            (&["v2/a.rhai"], "v2/a", "v2/a.rhai"),
        ] {
            let folder = Folder::new();
            let store = folder.store();
            files.iter().for_each(|file| drop(store.write(&Name::parse(file).unwrap(), b"").unwrap()));
            assert_eq!(required(name).file(&store).as_str(), file, "{files:?} {name}");
        }
    }

    #[test]
    fn the_cause_is_what_keeps_the_file_from_being_active() {
        let folder = Folder::new();
        let (store, records) = (folder.store(), Records::default());
        let cause = || required("a").cause(&store, &records);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(cause(), text("there is no file `a` in the provision directory"));
        store.write(&Name::parse("a").unwrap(), b"").unwrap();
        assert_eq!(cause(), text("`a` is there, but nothing has activated it"));
        records.library("a");
        assert_eq!(cause(), text("failed to load provision `a`: function registerRules() is missing"));
        records.failed("a", &Fault { line: Some(3), column: Some(7), ..Fault::of_file("a", "one\ntwo") });
        assert_eq!(cause(), text("failed to load provision `a`: line 3, column 7: one"));
        records.activated("a", 2);
        assert_eq!(cause(), None);
    }
}
