//! The ledger: what is known of each file in the provision directory beyond what the disk tells.

use crate::directory::{DirectoryError, Entry, ProvisionDir};
use crate::script::runtime::fault::{Fault, LoadError};
use crate::system::lock::lock;
use chrono::{DateTime, SecondsFormat};
use serde::{Serialize, Serializer};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
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

/// One file of the ledger, as the admin interface lists it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LedgerRow {
    /// Name in the provision directory.
    pub name: String,
    pub kind: Kind,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of the content, in hex; empty where it can't be read.
    pub sha256: String,
    #[serde(serialize_with = "rfc3339")]
    pub modified: Option<SystemTime>,
    /// The target of a symbolic link.
    pub resolved: Option<String>,
    /// Its last activation.
    pub generation: Option<u64>,
    /// Why it did not load the last time.
    pub error: Option<LoadError>,
    /// Why it is not looked at.
    pub skipped: Option<String>,
    /// The first warnings of a provision that loaded.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Fault>,
    /// The number of further warnings.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub more_warnings: Option<usize>,
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

/// Maximum of warnings in a list; of the others only the number is shown.
const MOST_LISTED: usize = 20;

/// Returns the warnings to list, and the number of the others.
pub(crate) fn listed(warnings: &[Fault]) -> (&[Fault], usize) {
    let count = warnings.len().min(MOST_LISTED);
    (&warnings[..count], warnings.len() - count)
}

/// Writes a time as RFC 3339 in UTC with milliseconds; `null` before 1970 and beyond the calendar's last year, where a file
/// system may well put a damaged time.
fn rfc3339<S: Serializer>(time: &Option<SystemTime>, serializer: S) -> Result<S::Ok, S::Error> {
    let text = || {
        let since = (*time)?.duration_since(UNIX_EPOCH).ok()?;
        let seconds = i64::try_from(since.as_secs()).ok()?;
        let utc = DateTime::from_timestamp(seconds, since.subsec_nanos())?;
        Some(utc.to_rfc3339_opts(SecondsFormat::Millis, true))
    };
    text().serialize(serializer)
}

/// What a file is that was never loaded.
fn guess(source: &[u8]) -> Kind {
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
}
