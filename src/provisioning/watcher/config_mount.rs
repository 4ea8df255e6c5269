//! Detects updates of the ConfigMap mount. `ProvisionDir` copies the files.

use std::path::PathBuf;

use crate::directory::{Mark, ProvisionDir};

/// The mount, and the state of it that was reported last.
pub(super) struct ConfigMount {
    dir: PathBuf,
    reported: Mark,
    candidate: Option<Mark>,
}

/// The result of a look at the mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    /// The mount has changed and may still be changing: look again soon.
    Settling,
    Changed,
}

impl ConfigMount {
    /// Returns the mount of the provision directory, if it has one. Starts from the state that was copied last.
    pub(super) fn new(directory: &ProvisionDir) -> Option<ConfigMount> {
        let dir = directory.config_dir()?.to_path_buf();
        let reported = directory.config_mark().unwrap_or_else(|| Mark::read(&dir));
        Some(ConfigMount { dir, reported, candidate: None })
    }

    /// Compares the mount with the reported state. A swap of `..data` is complete at once; other changes are complete when two looks
    /// in a row are equal.
    pub(super) fn look(&mut self) -> Verdict {
        let mark = Mark::read(&self.dir);
        if mark == self.reported {
            self.candidate = None;
            return Verdict::Same;
        }
        if matches!(mark, Mark::Linked(..)) || self.candidate.as_ref() == Some(&mark) {
            self.candidate = None;
            self.reported = mark;
            return Verdict::Changed;
        }
        self.candidate = Some(mark);
        Verdict::Settling
    }
}
