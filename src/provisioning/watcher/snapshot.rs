//! What the files were like when they were last looked at, and which of them changed since: the part of watching
//! that is the same with and without events.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::mem;
use std::sync::Arc;

use crate::directory::{Look, Name, ProvisionDir};
use crate::system::io_error::describe_io;

/// The known files, and the changes that are not reported yet.
pub(super) struct Snapshot {
    directory: Arc<ProvisionDir>,
    seen: HashMap<Name, Look>,
    /// Files that a scan found changed, as it found them: complete when the next scan finds the same.
    candidates: HashMap<Name, Look>,
    /// Files that were written to and not closed yet.
    open: HashSet<Name>,
    /// Completed files that are to be reported, newest last.
    written: Vec<Name>,
    /// Those among them that did not exist at the last report: nobody has to know if they go away before the next,
    /// as the temporary files of `ln -sf` and `sed -i` do.
    unknown: HashSet<Name>,
    removed: BTreeSet<Name>,
}

impl Snapshot {
    /// Begins with the files as they were when the provision directory was opened.
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

    /// `name` was closed by somebody who could have written to it. If he did, it counts even if the file looks as
    /// before: two writes can fall into one tick of the file system's clock. If not, a touch was reported already.
    pub(super) fn closed(&mut self, name: &Name) {
        let look = self.look(name);
        if self.open.contains(name) || look.is_none() || self.seen.get(name) != look.as_ref() {
            self.completed(name);
        }
    }

    /// `name` is complete: it was moved in, linked, or written and closed.
    pub(super) fn completed(&mut self, name: &Name) {
        match self.look(name) {
            Some(look) => self.accept(name, look),
            None => self.gone(name),
        }
    }

    /// `name` was created: as a link, which is complete, or as a file that will be closed. One with content that
    /// no write is told of got its name when it was finished (`O_TMPFILE`, link and unlink); it will not be closed.
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

    /// Attributes of `name` changed: a touch if that was its time, nothing if it was its mode or owner. Of a file
    /// that is being written the time changes with every write; that is not the end of it.
    pub(super) fn touched(&mut self, name: &Name) {
        let Some(before) = self.seen.get(name).filter(|_| !self.open.contains(name)) else { return };
        match self.look(name) {
            Some(look) if look.is_touch_of(before) => self.accept(name, look),
            _ => {}
        }
    }

    /// `name` was written to and is not closed yet: its report waits, if there is to be one.
    pub(super) fn modified(&mut self, name: Name) {
        self.candidates.remove(&name);
        self.open.insert(name);
    }

    /// `name` was removed or moved away.
    pub(super) fn gone(&mut self, name: &Name) {
        // An event may be older than the file that has the name now.
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

    /// Events were lost: what is being written is no longer known, so a scan has to find out by itself.
    pub(super) fn lost_events(&mut self) {
        self.open.clear();
    }

    /// Looks at all files. Those that differ from before are complete if the last scan found them the same way.
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

    /// Whether the next scan may find files complete.
    pub(super) fn is_settling(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// Whether there is something to report.
    pub(super) fn has_news(&self) -> bool {
        !self.removed.is_empty() || self.written.iter().any(|name| !self.open.contains(name))
    }

    /// Takes what is to be reported: files written, newest last, and files removed. What the provision directory wrote itself is
    /// left out, so are links without a target; a file that is being written again waits for its end.
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
