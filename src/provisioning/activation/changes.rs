//! What file events mean. The watcher compiles beside loads of the administrative port, which never wait for it but where it swaps; so
//! files that take long to load hold up other files alone.

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
    /// Does what a batch of file events asks for: the last completed provision that loads is activated; else, if a file changed
    /// that the active one has read, that one is loaded again.
    pub(crate) fn changed(&self, changes: &Changes) {
        let turn = self.turn();
        log::debug!("file events: {changes:?}");
        let touched = self.note_changes(changes);
        let activated = changes.written.iter().rev().any(|name| self.activate_written(&turn, name));
        if !activated {
            self.reload_beside(&turn, &touched);
        }
    }

    /// Enters the changes into the ledger; gives the names of the files.
    fn note_changes(&self, changes: &Changes) -> BTreeSet<String> {
        let _order = lock(&self.order);
        // What was removed may have been stored again while this waited for another load.
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

    /// Activates a file that was written or touched, if it is a provision; tells whether that is done.
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
            // A file of the active provision is told of when that one is loaded again.
            Err(_)
                if name.as_str() == self.wanted(&current)
                    || current.files.dependencies().contains(name.as_str()) => {}
            // It was removed meanwhile.
            Err(_) if !self.directory.exists(name) => {}
            Err(error) => self.failed(&mut order, turn, error),
        }
        false
    }

    /// Loads the active provision again, if it has read one of these files.
    fn reload_beside(&self, turn: &Turn, touched: &BTreeSet<String>) {
        let current = self.current();
        let Some(name) = self.to_reload(&current, touched) else { return };
        let (mut order, loaded) = self.load_beside(turn, name);
        if self.generation() == current.generation {
            self.reloaded(&mut order, turn, name, loaded);
        } else if order.lets(turn) {
            // Asked for before the change, and perhaps loaded before it.
            self.reload_if_read(&mut order, turn, touched);
        }
    }

    /// Compiles `name` beside other loads; then waits until those are done that were asked for before, and has their lock. Only where
    /// somebody stored or removed what was read it compiles once more, with the lock.
    fn load_beside(&self, turn: &Turn, name: &str) -> (MutexGuard<'_, Order>, Result<Loaded, LoadError>) {
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
        self.enter(name, false, &loaded);
        (order, loaded)
    }
}
