//! The ledger: what is known of each file in the provision directory beyond what the disk tells.

use crate::directory::{DirectoryError, Entry, ProvisionDir};
use crate::script::runtime::fault::{Fault, LoadError};
use crate::system::lock::lock;
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::SystemTime;

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Has `registerRules()`.
    Provision,
    /// Is imported by others.
    Library,
    /// Is read by scripts.
    Auxiliary,
    /// Is not looked at.
    Skipped,
}

impl Kind {
    /// The word for it in the ledger.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Provision => "provision",
            Kind::Library => "library",
            Kind::Auxiliary => "auxiliary",
            Kind::Skipped => "skipped",
        }
    }
}

/// One file of the ledger.
#[derive(Debug, Clone)]
pub(crate) struct LedgerRow {
    /// Name in the provision directory.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, in hex; empty where it can't be read.
    pub sha256: String,
    pub modified: Option<SystemTime>,
    /// What a symbolic link points to.
    pub resolved: Option<String>,
    pub kind: Kind,
    /// Its last activation.
    pub generation: Option<u64>,
    /// Why it did not load the last time.
    pub error: Option<LoadError>,
    /// Warnings of a provision that loaded.
    pub warnings: Vec<Fault>,
    /// Why it is not looked at.
    pub skipped: Option<String>,
}

/// What was learned of one file by loading it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Record {
    /// What it turned out to be.
    pub kind: Option<Kind>,
    /// Its last activation.
    pub generation: Option<u64>,
    /// Why it did not load the last time.
    pub error: Option<LoadError>,
    /// Warnings of its last load.
    pub warnings: Vec<Fault>,
}

/// What was learned by loading, by name.
#[derive(Default)]
pub(crate) struct Ledger(Mutex<HashMap<String, Record>>);

impl Ledger {
    /// `name` serves as `generation`.
    pub(crate) fn activated(&self, name: &str, generation: u64) {
        let mut ledger = lock(&self.0);
        let record = ledger.entry(name.to_owned()).or_default();
        (record.kind, record.generation, record.error) = (Some(Kind::Provision), Some(generation), None);
    }

    pub(crate) fn failed(&self, name: &str, error: &LoadError) {
        lock(&self.0).entry(name.to_owned()).or_default().error = Some(error.clone());
    }

    /// `name` loaded and has no `registerRules()`.
    pub(crate) fn library(&self, name: &str) {
        let mut ledger = lock(&self.0);
        let record = ledger.entry(name.to_owned()).or_default();
        (record.kind, record.error) = (Some(Kind::Library), None);
    }

    /// `name` loaded with these warnings; gives those that it did not have when it last loaded.
    pub(crate) fn warned(&self, name: &str, warnings: &[Fault]) -> Vec<Fault> {
        let mut ledger = lock(&self.0);
        let record = ledger.entry(name.to_owned()).or_default();
        let before = std::mem::replace(&mut record.warnings, warnings.to_vec());
        warnings.iter().filter(|warning| !before.contains(warning)).cloned().collect()
    }

    /// `name` has other content, which nobody has loaded yet: an error of before says nothing of it.
    pub(crate) fn rewritten(&self, name: &str) {
        if let Some(record) = lock(&self.0).get_mut(name) {
            record.error = None;
            record.warnings.clear();
        }
    }

    /// What is known of `name`.
    pub(crate) fn record(&self, name: &str) -> Record {
        lock(&self.0).get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn forget(&self, name: &str) {
        lock(&self.0).remove(name);
    }

    /// All files of the provision directory with what is known of them, by name.
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

/// What a file is that was never loaded.
fn guess(source: &[u8]) -> Kind {
    let name = b"registerRules";
    if source.windows(name.len()).any(|part| part == name) { Kind::Provision } else { Kind::Library }
}
