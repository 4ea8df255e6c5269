//! Copies of the ConfigMap mount in the provision directory: made at start, refreshed after each update. An overwritten copy
//! stays as it is, until its key changes.

#[cfg(test)]
mod tests;

use std::path::Path;

use super::ProvisionDir;
use super::config_map::{Mark, keys};
use super::error::DirectoryError;
use super::name::Name;
use super::source::{read_settled, sha256};
use crate::system::lock::lock;

/// Most rounds for a mount that changes all the time. The next event starts another refresh.
const ROUNDS: usize = 3;

/// The state of the copies.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Checksum of each key's content when it was copied, sorted.
    sha256: Vec<(Name, String)>,
    /// The mark of the mount at the last copy.
    mark: Option<Mark>,
}

/// The changes of a refresh in the provision directory.
#[derive(Debug, Default)]
pub struct ConfigChange {
    /// Files that have new content, sorted.
    pub changed: Vec<Name>,
    /// Files that were removed with their key, sorted.
    pub removed: Vec<Name>,
    /// Errors of keys that could not be copied. All other keys were.
    pub problems: Vec<DirectoryError>,
}

impl ProvisionDir {
    /// Copies new and changed keys of the ConfigMap mount into the provision directory, unless the file has that content
    /// already. Removes copies whose key is gone, unless they were overwritten since. The watcher does not report these
    /// writes. A missing mount changes nothing.
    ///
    /// # Errors
    /// The mount can't be read, or the directory refuses every change.
    pub fn refresh_config(&self) -> Result<ConfigChange, DirectoryError> {
        let Some(dir) = self.config_dir().filter(|dir| dir.exists()) else {
            return Ok(ConfigChange::default());
        };
        let mut copies = lock(&self.copies);
        let mut change = ConfigChange::default();
        for _ in 0..ROUNDS {
            let mark = Mark::read(dir);
            let found =
                keys(dir).map_err(|error| DirectoryError::new("read", dir.to_string_lossy(), error))?;
            change.problems.clear();
            for (name, path) in &found {
                match self.refresh_copy(&mut copies, name, path) {
                    Ok(true) => change.changed.push(name.clone()),
                    Ok(false) => {}
                    // All other keys would fail in the same way, so one message is enough.
                    Err(error) if error.refuses_all() => return Err(error),
                    Err(error) => change.problems.push(error),
                }
            }
            let settled = mark == Mark::read(dir);
            copies.mark = Some(mark);
            // During a swap, keys that exist may seem to be gone.
            if settled {
                let is_key = |name: &Name| found.binary_search_by_key(&name, |(key, _)| key).is_ok();
                change.removed = self.remove_copies(&mut copies, is_key, &mut change.problems);
                break;
            }
        }
        change.changed.sort_unstable();
        change.changed.dedup();
        change.changed.retain(|name| !change.removed.contains(name));
        Ok(change)
    }

    /// Returns the names of the files in the ConfigMap mount, sorted.
    pub(crate) fn config_names(&self) -> Vec<Name> {
        let found = self.config_dir().and_then(|dir| keys(dir).ok()).unwrap_or_default();
        found.into_iter().map(|(name, _)| name).collect()
    }

    /// Returns the mark of the mount at the last copy, with which the watcher starts.
    pub(crate) fn config_mark(&self) -> Option<Mark> {
        lock(&self.copies).mark.clone()
    }

    /// Copies one key. Returns whether the file was written.
    fn refresh_copy(&self, copies: &mut Copies, name: &Name, path: &Path) -> Result<bool, DirectoryError> {
        let (bytes, _) =
            read_settled(path).map_err(|cause| DirectoryError::new("copy", name.as_str(), cause))?;
        let sha256 = sha256(&bytes);
        let place = copies.sha256.binary_search_by_key(&name, |(key, _)| key);
        if place.is_ok_and(|place| copies.sha256[place].1 == sha256) {
            return Ok(false);
        }
        let differs = !self.has_content(name, &sha256);
        if differs {
            self.write(name, &bytes)?;
        }
        match place {
            Ok(place) => copies.sha256[place].1 = sha256,
            Err(place) => copies.sha256.insert(place, (name.clone(), sha256)),
        }
        Ok(differs)
    }

    fn remove_copies(
        &self,
        copies: &mut Copies,
        is_key: impl Fn(&Name) -> bool,
        problems: &mut Vec<DirectoryError>,
    ) -> Vec<Name> {
        let (kept, gone): (Vec<_>, Vec<_>) =
            std::mem::take(&mut copies.sha256).into_iter().partition(|(name, _)| is_key(name));
        copies.sha256 = kept;
        let mut removed = Vec::new();
        for (name, sha256) in gone {
            if !self.has_content(&name, &sha256) {
                continue;
            }
            match self.remove(&name) {
                Ok(()) => removed.push(name),
                Err(error) => problems.push(error),
            }
        }
        removed
    }

    fn has_content(&self, name: &Name, sha256: &str) -> bool {
        self.read(name).is_ok_and(|source| source.stamp.sha256 == sha256)
    }
}
