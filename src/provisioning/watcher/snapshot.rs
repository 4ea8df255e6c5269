//! The state of the files at the last look, and the changes since then. Watching and polling share this part.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::mem;
use std::sync::Arc;

use crate::directory::{Look, Name, ProvisionDir};
use crate::system::io_error::describe_io;

/// The known files, and the changes without a report.
pub(super) struct Snapshot {
    directory: Arc<ProvisionDir>,
    seen: HashMap<Name, Look>,
    /// Files that a scan found changed, in the state that it found. A file is complete if the next scan finds the same state.
    candidates: HashMap<Name, Look>,
    /// Files that were written to and are still open.
    open: HashSet<Name>,
    /// Completed files without a report, newest last.
    written: Vec<Name>,
    /// Files of `written` that did not exist at the last report. If they are removed before the next one, neither is reported: the
    /// temporary files of `ln -sf` and `sed -i` come and go like this.
    unknown: HashSet<Name>,
    removed: BTreeSet<Name>,
}

impl Snapshot {
    /// Starts from the state of the files when the provision directory was opened.
    pub(super) fn new(directory: Arc<ProvisionDir>) -> Snapshot {
        let seen = directory.take_opened().or_else(|| Look::all(directory.root()).ok()).unwrap_or_default();
        Snapshot {
            directory,
            seen,
            candidates: HashMap::new(),
            open: HashSet::new(),
            written: Vec::new(),
            unknown: HashSet::new(),
            removed: BTreeSet::new(),
        }
    }

    /// Handles the close of a file that was open for writing.
    ///
    /// If it was written to, the file is complete even if it looks the same: two writes can fall into one tick of the file system's
    /// clock. If it was not written to, a touch has an event of its own.
    pub(super) fn closed(&mut self, name: &Name) {
        let look = self.look(name);
        if self.open.contains(name) || look.is_none() || self.seen.get(name) != look.as_ref() {
            self.completed(name);
        }
    }

    /// Handles a complete file: it was moved in, linked, or written and closed.
    pub(super) fn completed(&mut self, name: &Name) {
        match self.look(name) {
            Some(look) => self.accept(name, look),
            None => self.gone(name),
        }
    }

    /// Handles a new entry of the directory. A link is complete, and an empty file will be closed after it is written.
    ///
    /// A file that has content already may have got its name when it was finished (`O_TMPFILE`, link and unlink). As no close may
    /// come, a scan decides.
    pub(super) fn created(&mut self, name: &Name) {
        if Look::is_born_complete(self.directory.root(), name) {
            return self.completed(name);
        }
        match self.look(name) {
            Some(look) if look.stat.size == 0 => drop(self.open.insert(name.clone())),
            Some(look) => drop(self.candidates.insert(name.clone(), look)),
            None => {}
        }
    }

    /// Handles a change of attributes. A new time is a touch; a new mode or owner is no change. In a file that is still open, a new time
    /// comes from a write.
    pub(super) fn touched(&mut self, name: &Name) {
        let Some(before) = self.seen.get(name).filter(|_| !self.open.contains(name)) else { return };
        match self.look(name) {
            Some(look) if look.is_touch_of(before) => self.accept(name, look),
            _ => {}
        }
    }

    /// Handles a write to a file. Its report waits until the file is closed.
    pub(super) fn modified(&mut self, name: Name) {
        self.candidates.remove(&name);
        self.open.insert(name);
    }

    /// Handles the removal of a file.
    pub(super) fn gone(&mut self, name: &Name) {
        // The event may be old, and a new file may have the name now.
        if self.look(name).is_some() {
            return;
        }
        self.candidates.remove(name);
        self.open.remove(name);
        self.written.retain(|other| other != name);
        if self.seen.remove(name).is_some() && !self.unknown.remove(name) {
            self.removed.insert(name.clone());
        }
    }

    /// Handles lost events. A close may be among them, so from now on scans decide which files are complete.
    pub(super) fn lost_events(&mut self) {
        self.open.clear();
    }

    /// Looks at all files. A changed file is complete if the last scan found the same state.
    pub(super) fn scan(&mut self) {
        let found = match Look::all(self.directory.root()) {
            Ok(found) => found,
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                HashMap::new()
            }
            Err(error) => {
                return log::warn!(
                    "failed to look through `{}`: {}",
                    self.directory.root().display(),
                    describe_io(&error)
                );
            }
        };
        let missing: Vec<Name> =
            self.seen.keys().filter(|name| !found.contains_key(*name)).cloned().collect();
        missing.iter().for_each(|name| self.gone(name));
        self.open.retain(|name| found.contains_key(name));
        let before = mem::take(&mut self.candidates);
        let mut complete = Vec::new();
        for (name, look) in found {
            if self.seen.get(&name) == Some(&look) || self.open.contains(&name) {
                continue;
            }
            match before.get(&name) == Some(&look) {
                true => complete.push((look.stat.modified_ns, name, look)),
                false => drop(self.candidates.insert(name, look)),
            }
        }
        complete.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        complete.into_iter().for_each(|(_, name, look)| self.accept(&name, look));
    }

    /// Whether a file waits for the next scan to be complete.
    pub(super) fn is_settling(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Whether there are changes to report.
    pub(super) fn has_news(&self) -> bool {
        !self.removed.is_empty() || self.written.iter().any(|name| !self.open.contains(name))
    }

    /// Takes the changes to report: written files, newest last, and removed files.
    ///
    /// Leaves out the provision directory's own writes and links without a target. A file that is being written again stays for a later
    /// report.
    pub(super) fn take(&mut self) -> (Vec<Name>, Vec<Name>) {
        let (waiting, written): (Vec<_>, _) =
            mem::take(&mut self.written).into_iter().partition(|name| self.open.contains(name));
        self.written = waiting;
        self.unknown.retain(|name| self.written.contains(name));
        let foreign = |name: &Name| {
            self.look(name).is_some() && self.directory.exists(name) && !self.directory.wrote(name)
        };
        let written = written.into_iter().filter(foreign).collect();
        let removed =
            mem::take(&mut self.removed).into_iter().filter(|name| self.look(name).is_none()).collect();
        (written, removed)
    }

    fn accept(&mut self, name: &Name, look: Look) {
        self.candidates.remove(name);
        self.open.remove(name);
        let known = self.removed.remove(name);
        if self.seen.insert(name.clone(), look).is_none() && !known {
            self.unknown.insert(name.clone());
        }
        self.written.retain(|other| other != name);
        self.written.push(name.clone());
    }

    fn look(&self, name: &Name) -> Option<Look> {
        Look::new(self.directory.root(), name)
    }
}
