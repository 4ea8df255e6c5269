//! The ledger: a record of the last load of each file in the provision directory.

use crate::directory::{DirectoryError, Entry, ProvisionDir};
use crate::script::runtime::fault::{Fault, LoadError};
use crate::system::lock::lock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::SystemTime;

/// The purpose of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A script with `registerRules()`.
    Provision,
    /// A script for imports.
    Library,
    /// A file that scripts read.
    Auxiliary,
    /// A file that h1mock ignores.
    Skipped,
}

impl Kind {
    /// The word in the answer of `GET /app/v1/provision`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Provision => "provision",
            Kind::Library => "library",
            Kind::Auxiliary => "auxiliary",
            Kind::Skipped => "skipped",
        }
    }
}

/// One file, as the administrative port lists it.
#[derive(Debug, Clone)]
pub(crate) struct LedgerRow {
    /// The name in the provision directory.
    pub name: String,
    /// The size in bytes.
    pub size: u64,
    /// SHA-256 of the content, in hex; empty if the file can't be read.
    pub sha256: String,
    pub modified: Option<SystemTime>,
    /// The target of a symbolic link.
    pub resolved: Option<String>,
    pub kind: Kind,
    /// The generation of the last activation.
    pub generation: Option<u64>,
    /// The error of the last load, if it failed.
    pub error: Option<LoadError>,
    /// Warnings of the last load.
    pub warnings: Vec<Fault>,
    /// Why h1mock ignores the file.
    pub skipped: Option<String>,
}

/// The result of loading one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// `None` before the first load that succeeds.
    pub kind: Option<Kind>,
    /// The generation of the last activation.
    pub generation: Option<u64>,
    /// The error of the last load, if it failed.
    pub error: Option<LoadError>,
    /// Warnings of the last load.
    pub warnings: Vec<Fault>,
}

/// The records of all files, by name.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<HashMap<String, Record>>);

impl Ledger {
    fn update<T>(&self, name: &str, change: impl FnOnce(&mut Record) -> T) -> T {
        change(lock(&self.0).entry(name.to_owned()).or_default())
    }

    /// Records that `name` serves as `generation`.
    pub(crate) fn activated(&self, name: &str, generation: u64) {
        self.update(name, |record| {
            (record.kind, record.generation, record.error) = (Some(Kind::Provision), Some(generation), None);
        });
    }

    /// Records that `name` did not load.
    pub(crate) fn failed(&self, name: &str, error: &LoadError) {
        self.update(name, |record| record.error = Some(error.clone()));
    }

    /// Records that `name` loaded and has no `registerRules()`.
    pub(crate) fn library(&self, name: &str) {
        self.update(name, |record| (record.kind, record.error) = (Some(Kind::Library), None));
    }

    /// Records the warnings of a load of `name`, and returns those that its load before did not have.
    pub(crate) fn warned(&self, name: &str, warnings: &[Fault]) -> Vec<Fault> {
        let before = self.update(name, |record| std::mem::replace(&mut record.warnings, warnings.to_vec()));
        warnings.iter().filter(|warning| !before.contains(warning)).cloned().collect()
    }

    /// Drops the error and the warnings of `name`, whose new content is not loaded yet.
    pub(crate) fn rewritten(&self, name: &str) {
        if let Some(record) = lock(&self.0).get_mut(name) {
            record.error = None;
            record.warnings.clear();
        }
    }

    /// The record of `name`; an empty one if the file was never loaded.
    pub(crate) fn record(&self, name: &str) -> Record {
        lock(&self.0).get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn forget(&self, name: &str) {
        lock(&self.0).remove(name);
    }

    /// Lists all files of the provision directory with their records, sorted by name.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn rows(&self, directory: &ProvisionDir) -> Result<Vec<LedgerRow>, DirectoryError> {
        Ok(directory.list()?.into_iter().map(|entry| self.row(directory, entry)).collect())
    }

    fn row(&self, directory: &ProvisionDir, entry: Entry) -> LedgerRow {
        let record = self.record(entry.name.as_str());
        let content = if entry.skipped.is_none() { directory.read(&entry.name).ok() } else { None };
        let kind = match (&entry.skipped, record.kind) {
            (Some(_), _) => Kind::Skipped,
            _ if !entry.name.is_provision() => Kind::Auxiliary,
            (None, Some(kind)) => kind,
            (None, None) => guess(content.as_ref().map_or(&[], |source| &source.bytes)),
        };
        LedgerRow {
            name: entry.name.as_str().to_owned(),
            size: entry.size,
            sha256: content.map(|source| source.stamp.sha256).unwrap_or_default(),
            modified: entry.modified,
            resolved: entry.resolved,
            kind,
            generation: record.generation,
            error: record.error,
            warnings: record.warnings,
            skipped: entry.skipped.map(|reason| reason.to_string()),
        }
    }
}

/// Guesses the kind of a script that was never loaded.
fn guess(source: &[u8]) -> Kind {
    let name = b"registerRules";
    if source.windows(name.len()).any(|part| part == name) { Kind::Provision } else { Kind::Library }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_warnings_are_returned_and_new_content_drops_what_is_recorded_of_the_old() {
        let ledger = Ledger::default();
        let both = ["one", "two"].map(|message| Fault::of_file("a", message));
        let (first, second) = both.split_at(1);
        assert_eq!(ledger.warned("a", first), first);
        assert_eq!(ledger.warned("a", &both), second);
        ledger.failed("a", &both[0]);
        ledger.activated("a", 7);
        assert_eq!(ledger.record("a").error, None);
        ledger.failed("a", &both[1]);
        ledger.rewritten("a");
        let record = ledger.record("a");
        assert_eq!((record.error, record.warnings, record.generation), (None, vec![], Some(7)));
        assert_eq!(ledger.warned("a", first), first);
        ledger.forget("a");
        assert_eq!(ledger.record("a").kind, None);
    }
}
