//! Loads that file events cause. The watcher compiles without the lock of the loads and takes it only to swap. So a file that takes
//! long to load delays other files, but no request of the administrative port.

use super::{Activation, Order, refresh};
use crate::directory::Name;
use crate::provisioning::provision::Loaded;
use crate::provisioning::turns::Turn;
use crate::provisioning::watcher::Changes;
use crate::script::runtime::fault::LoadError;
use crate::system::lock::lock;
use std::collections::BTreeSet;
use std::sync::MutexGuard;

impl Activation {
    /// Handles one batch of file events: activates the last written provision that loads. If there is none, reloads the active
    /// provision if it has read one of the files.
    pub(crate) fn changed(&self, changes: &Changes) {
        let turn = self.turn();
        log::debug!("file events: {changes:?}");
        let touched = self.note_changes(changes);
        let activated = changes.written.iter().rev().any(|name| self.activate_written(&turn, name));
        if !activated {
            self.reload_beside(&turn, &touched);
        }
    }

    /// Records the changes in the ledger and returns the names of the files.
    fn note_changes(&self, changes: &Changes) -> BTreeSet<String> {
        let _order = lock(&self.order);
        // A removed file may have been stored again while this thread waited for the lock.
        let removed: Vec<&Name> =
            changes.removed.iter().filter(|name| !self.directory.exists(name)).collect();
        let mut touched: BTreeSet<String> = removed.iter().map(|name| name.as_str().to_owned()).collect();
        touched.extend(changes.written.iter().map(|name| name.as_str().to_owned()));
        if changes.config {
            let refreshed = refresh(&self.directory).unwrap_or_default();
            refreshed.iter().for_each(|name| self.ledger.rewritten(name));
            touched.extend(refreshed);
        }
        removed.iter().for_each(|name| self.ledger.forget(name.as_str()));
        touched
    }

    /// Activates a written or touched file if it is a provision. Returns whether it is active now.
    fn activate_written(&self, turn: &Turn, name: &Name) -> bool {
        if !name.is_provision() || name.in_subfolder() {
            return false;
        }
        let (mut order, loaded) = self.load_beside(turn, name.as_str());
        let current = self.current();
        match loaded {
            Ok(Loaded::Provision(provision)) => {
                self.swap(&mut order, turn, *provision);
                return true;
            }
            Ok(Loaded::Library(_)) => {}
            // The reload of the active provision logs the error of its files.
            Err(_)
                if name.as_str() == self.wanted(&current)
                    || current.files.dependencies().contains(name.as_str()) => {}
            // The file was removed while it was loaded.
            Err(_) if !self.directory.exists(name) => {}
            Err(error) => self.failed(&mut order, turn, error),
        }
        false
    }

    /// Reloads the active provision if it has read one of the `touched` files.
    pub(super) fn reload_beside(&self, turn: &Turn, touched: &BTreeSet<String>) {
        let current = self.current();
        let Some(name) = self.to_reload(&current, touched) else { return };
        let (mut order, loaded) = self.load_beside(turn, &name);
        if self.current().generation == current.generation {
            self.reloaded(&mut order, turn, &name, loaded);
        } else if order.admits(turn) {
            // Another provision serves now. It was asked for before the change, so it may have read the old files.
            self.reload_if_read(&mut order, turn, touched);
        }
    }

    /// Compiles `name` without the lock, then waits for all earlier turns and takes the lock. If a file that was read has been stored
    /// or removed meanwhile, compiles once more, with the lock.
    pub(super) fn load_beside(
        &self,
        turn: &Turn,
        name: &str,
    ) -> (MutexGuard<'_, Order>, Result<Loaded, LoadError>) {
        *lock(&self.rewritten) = Some(BTreeSet::new());
        let mut loaded = self.compile(name, None);
        turn.wait();
        let order = lock(&self.order);
        let rewritten = lock(&self.rewritten).take().unwrap_or_default();
        let has_read = match &loaded {
            Ok(Loaded::Provision(provision)) => !provision.files.dependencies().is_disjoint(&rewritten),
            _ => rewritten.contains(name),
        };
        if has_read {
            loaded = self.compile(name, None);
        }
        self.record(name, false, &loaded);
        (order, loaded)
    }
}
