//! The provision that the server needs to be ready: that of `--require-provision`. Without the flag the server is ready, unless the
//! built-in provision stands in for an `initial` that did not load.

use crate::directory::{Name, ProvisionDir};
use crate::provisioning::error::ActivationError;
use crate::provisioning::initial;
use crate::provisioning::ledger::{Kind, Ledger};
use crate::provisioning::provision::{Provision, no_register_rules};
use crate::script::runtime::analysis::near::nearest;

/// The name that `--require-provision` gives.
#[derive(Default)]
pub(crate) struct Required(pub Option<Name>);

impl Required {
    /// Returns the end of the log line ``not ready until provision `initial` is active``.
    pub(crate) fn goal(&self) -> String {
        match &self.0 {
            Some(name) => format!("provision `{name}` is active"),
            None => "a provision is active".to_owned(),
        }
    }

    /// Whether the server is ready with `active`. The built-in provision is never a named one, since it stands for no file. Without a
    /// name it is enough, unless `initial` exists and did not load.
    pub(crate) fn is(&self, active: &Provision, directory: &ProvisionDir) -> bool {
        match &self.0 {
            Some(name) => {
                !active.built_in
                    && (active.name == name.as_str() || active.name == file(name, directory).as_str())
            }
            None => !active.built_in || active.name != initial::BUILT_IN || self.awaited(directory).is_none(),
        }
    }

    /// Whether `--require-provision` names `initial`. Then the built-in provision must not be stored under that name, since the next
    /// start would take it for the required one.
    pub(crate) fn is_initial(&self) -> bool {
        self.0.as_ref().is_some_and(|name| initial::NAMES.contains(&name.as_str()))
    }

    /// Returns the reason in the answer of `/readyz` why `active` is not enough.
    pub(crate) fn reason(&self, active: &Provision, directory: &ProvisionDir, ledger: &Ledger) -> String {
        let active = &active.name;
        let not = match &self.0 {
            Some(name) => {
                format!("provision `{name}` is required (`--require-provision`), but `{active}` is active")
            }
            None => format!("`{active}` is active in place of `{}`", initial::name(directory)),
        };
        match self.awaited(directory).and_then(|name| cause(&name, directory, ledger)) {
            Some(cause) => format!("{not}: {cause}"),
            None => not,
        }
    }

    /// Returns the provision that should be active: the named one, or else `initial` if it exists.
    fn awaited(&self, directory: &ProvisionDir) -> Option<Name> {
        let initial =
            || Name::parse(&initial::name(directory)).ok().filter(|initial| directory.exists(initial));
        self.0.clone().or_else(initial)
    }
}

/// Returns why the file of `name` is not active, in one line. `None` if it was active and another provision replaced it.
fn cause(name: &Name, directory: &ProvisionDir, ledger: &Ledger) -> Option<String> {
    let file = file(name, directory);
    let record = ledger.record(file.as_str());
    let text = match (record.error, record.kind, record.generation) {
        // Probes ask often, so no list of the directory is made for a similar name.
        _ if !directory.exists(&file) => {
            ActivationError::Unknown { name: name.as_str().to_owned(), meant: None }.to_string()
        }
        (Some(error), ..) => error.to_string(),
        (None, Some(Kind::Library), _) => no_register_rules(file.as_str(), &record.warnings).to_string(),
        (None, _, None) => format!("`{file}` is there, but nothing has activated it"),
        (None, _, Some(_)) => return None,
    };
    text.lines().next().map(str::to_owned)
}

/// Returns the file of provision `name`, found as `import` finds it. If only `name.rhai` exists, or only the name without `.rhai`, it is
/// that file.
fn file(name: &Name, directory: &ProvisionDir) -> Name {
    let other = match name.as_str().strip_suffix(".rhai") {
        Some(stem) => stem.to_owned(),
        None => format!("{name}.rhai"),
    };
    let other = Name::parse(&other).ok().filter(|other| directory.exists(other) && !directory.exists(name));
    other.unwrap_or_else(|| name.clone())
}

/// Returns the error for file `name`, which `directory` does not have. It names `name.rhai`, or the file with the most similar name.
pub(super) fn unknown(name: &Name, directory: &ProvisionDir) -> ActivationError {
    let other = file(name, directory);
    let meant = if other == *name {
        let files = directory.list().unwrap_or_default();
        let names = files.iter().filter(|file| file.skipped.is_none()).map(|file| file.name.as_str());
        nearest(name.as_str(), names).map(str::to_owned)
    } else {
        Some(other.as_str().to_owned())
    };
    ActivationError::Unknown { name: name.as_str().to_owned(), meant }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::fixture::Folder;
    use crate::script::runtime::fault::Fault;

    #[test]
    fn a_file_is_found_with_and_without_its_extension() {
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
            let directory = folder.directory();
            files.iter().for_each(|file| drop(directory.write(&Name::parse(file).unwrap(), b"").unwrap()));
            assert_eq!(
                super::file(&Name::parse(name).unwrap(), &directory).as_str(),
                file,
                "{files:?} {name}"
            );
        }
    }

    #[test]
    fn an_unknown_name_has_the_similar_file() {
        let folder = Folder::new();
        let directory = folder.directory();
        for file in ["users.rhai", "orders", "v2/items.rhai", "data.json"] {
            directory.write(&Name::parse(file).unwrap(), b"").unwrap();
        }
        for (name, meant) in [
            ("users", Some("users.rhai")),
            ("orders.rhai", Some("orders")),
            ("v2/items", Some("v2/items.rhai")),
            ("user.rhai", Some("users.rhai")),
            ("order", Some("orders")),
            ("data.jsn", Some("data.json")),
            ("payments", None),
        ] {
            let hint = meant.map(|meant| format!(": did you mean `{meant}`?")).unwrap_or_default();
            let expected = format!("there is no file `{name}` in the provision directory{hint}");
            assert_eq!(unknown(&Name::parse(name).unwrap(), &directory).to_string(), expected);
        }
    }

    #[test]
    fn the_cause_says_why_the_file_is_not_active() {
        let folder = Folder::new();
        let (directory, ledger) = (folder.directory(), Ledger::default());
        let cause = || cause(&Name::parse("a").unwrap(), &directory, &ledger);
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(cause(), text("there is no file `a` in the provision directory"));
        directory.write(&Name::parse("a").unwrap(), b"").unwrap();
        assert_eq!(cause(), text("`a` is there, but nothing has activated it"));
        ledger.library("a");
        assert_eq!(cause(), text("failed to load provision `a`: function registerRules() is missing"));
        ledger.failed("a", &Fault { line: Some(3), column: Some(7), ..Fault::of_file("a", "one\ntwo") });
        assert_eq!(cause(), text("failed to load provision `a`: line 3, column 7: one"));
        ledger.activated("a", 2);
        assert_eq!(cause(), None);
    }
}
