//! Tells when the ConfigMap mount was updated. Looks at it from outside; copying is the provision directory's matter.

use std::path::PathBuf;

use crate::directory::{Mark, ProvisionDir};

/// The mount, and how far its updates were reported.
pub(super) struct ConfigMount {
    dir: PathBuf,
    reported: Mark,
    candidate: Option<Mark>,
}

/// What a look at the mount shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Same,
    /// It changed, and whoever writes it may not be done: look again.
    Settling,
    Changed,
}

impl ConfigMount {
    /// The mount of the provision directory, if it has one; goes on from the state that was copied last.
    pub(super) fn new(directory: &ProvisionDir) -> Option<ConfigMount> {
        let dir = directory.config_dir()?.to_path_buf();
        let reported = directory.config_mark().unwrap_or_else(|| Mark::read(&dir));
        Some(ConfigMount { dir, reported, candidate: None })
    }

    /// Compares the mount with what was reported. A swap of `..data` is complete at once, other changes are when
    /// two looks in a row are equal.
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
