//! The ledger: a record of the last load of each file in the provision directory.

use crate::directory::{DirectoryError, Entry, ProvisionDir};
use crate::script::runtime::fault::{Fault, LoadError};
use crate::system::lock::lock;
use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};
use std::collections::{BTreeSet, HashMap};
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// The purpose of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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

/// One file of the ledger, as the administrative port lists it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LedgerRow {
    /// The name in the provision directory.
    pub name: String,
    pub kind: Kind,
    /// The size in bytes.
    pub size: u64,
    /// SHA-256 of the content, in hex; empty if the file can't be read.
    pub sha256: String,
    #[serde(serialize_with = "rfc3339")]
    pub modified: Option<SystemTime>,
    /// The target of a symbolic link.
    pub resolved: Option<String>,
    /// The generation of the last activation.
    pub generation: Option<u64>,
    /// The error of the last load, if it failed.
    pub error: Option<LoadError>,
    /// Why h1mock ignores the file.
    pub skipped: Option<String>,
    /// The first warnings of a provision that loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
    /// The number of further warnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_warnings: Option<usize>,
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

    /// Returns the record of `name`; an empty one if the file was never loaded.
    pub(crate) fn record(&self, name: &str) -> Record {
        lock(&self.0).get(name).cloned().unwrap_or_default()
    }

    pub(crate) fn forget(&self, name: &str) {
        lock(&self.0).remove(name);
    }

    /// Lists all files of the provision directory with their records, sorted by name. Of the folder of `h1mock serve FILE` it lists those
    /// that are `watched`.
    ///
    /// # Errors
    /// The directory can't be read.
    pub(crate) fn rows(
        &self,
        directory: &ProvisionDir,
        watched: &BTreeSet<String>,
    ) -> Result<Vec<LedgerRow>, DirectoryError> {
        let mut entries = directory.list()?;
        entries.extend(directory.saved_entries(watched));
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries.into_iter().map(|entry| self.row(directory, entry)).collect())
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
        let (listed, more) = listed(&record.warnings);
        LedgerRow {
            name: entry.name.as_str().to_owned(),
            kind,
            size: entry.size,
            sha256: content.map(|source| source.stamp.sha256).unwrap_or_default(),
            modified: entry.modified,
            resolved: entry.resolved,
            generation: record.generation,
            error: record.error,
            skipped: entry.skipped.map(|reason| reason.to_string()),
            warnings: listed.to_vec(),
            more_warnings: (more > 0).then_some(more),
        }
    }
}

/// Most warnings in a list. The others are only counted.
const MOST_LISTED: usize = 20;

/// Returns the warnings to list, and the number of the others.
pub(crate) fn listed(warnings: &[Fault]) -> (&[Fault], usize) {
    let count = warnings.len().min(MOST_LISTED);
    (&warnings[..count], warnings.len() - count)
}

/// Writes a time as RFC 3339 in UTC with milliseconds; `null` before 1970 and beyond the calendar's last year: a
/// damaged file system may have such a time.
fn rfc3339<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = || {
        let since = (*time)?.duration_since(UNIX_EPOCH).ok()?;
        let seconds = i64::try_from(since.as_secs()).ok()?;
        let utc = DateTime::from_timestamp(seconds, since.subsec_nanos())?;
        Some(utc.to_rfc3339_opts(SecondsFormat::Millis, true))
    };
    text().serialize(serializer)
}

/// Guesses the kind of a script that was never loaded.
pub(super) fn guess(source: &[u8]) -> Kind {
    let name = b"registerRules";
    if source.windows(name.len()).any(|part| part == name) { Kind::Provision } else { Kind::Library }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn times_are_rfc3339_in_utc_or_null() {
        let written = |time: SystemTime| rfc3339(&Some(time), serde_json::value::Serializer).unwrap();
        assert_eq!(written(UNIX_EPOCH), "1970-01-01T00:00:00.000Z");
        assert_eq!(
            written(UNIX_EPOCH + Duration::from_millis(1_700_000_000_250)),
            "2023-11-14T22:13:20.250Z"
        );
        assert!(written(UNIX_EPOCH - Duration::from_secs(1)).is_null());
        // Not all systems can hold such a time.
        let far = UNIX_EPOCH.checked_add(Duration::from_secs(1 << 60));
        assert!(rfc3339(&far, serde_json::value::Serializer).unwrap().is_null());
        assert!(rfc3339(&None, serde_json::value::Serializer).unwrap().is_null());
    }

    #[test]
    fn only_new_warnings_are_returned_and_new_content_drops_errors_and_warnings() {
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
