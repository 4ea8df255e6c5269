//! The provision that serves, in an `RwLock<Arc<Provision>>`, and the waits for a generation.

use crate::provisioning::provision::Provision;
use crate::system::lock::lock;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// A callback that gets the generation that serves: the wanted one or a later one. When the process stops, it may be an earlier one.
pub(crate) type Then = Box<dyn FnOnce(u64) + Send>;

/// Identifies a wait, for [`Active::forget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitId(u64);

pub(crate) struct Active {
    current: RwLock<Arc<Provision>>,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next: u64,
    /// Sorted by id, each with the generation that it waits for.
    waiting: Vec<(WaitId, u64, Then)>,
}

impl Active {
    /// Makes `provision` the first one, generation 1.
    pub(crate) fn new(mut provision: Provision) -> Active {
        provision.generation = 1;
        Active { current: RwLock::new(Arc::new(provision)), waits: Mutex::default() }
    }

    /// Returns the provision that serves. A request keeps it until its answer is made.
    pub(crate) fn current(&self) -> Arc<Provision> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets `provision` serve from now on and returns its generation. Requests in progress finish with the old provision.
    pub(crate) fn swap(&self, mut provision: Provision) -> u64 {
        let (generation, old) = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            provision.generation = current.generation + 1;
            let old = std::mem::replace(&mut *current, Arc::new(provision));
            (current.generation, old)
        };
        // Dropped outside of the lock: a large table takes milliseconds.
        drop(old);
        self.reached(generation);
        generation
    }

    /// Calls `then` once generation `wanted` or a later one serves, which may be at once.
    pub(crate) fn on_generation(&self, wanted: u64, then: Then) -> WaitId {
        let mut waits = lock(&self.waits);
        waits.next += 1;
        let id = WaitId(waits.next);
        waits.waiting.push((id, wanted, then));
        drop(waits);
        // Read after the wait was entered: a swap in between sees the wait.
        self.reached(self.current().generation);
        id
    }

    /// Removes a wait. Returns false if its callback was called before.
    pub(crate) fn forget(&self, wait: WaitId) -> bool {
        let found = {
            let waiting = &mut lock(&self.waits).waiting;
            waiting.binary_search_by_key(&wait, |(id, ..)| *id).map(|at| waiting.remove(at))
        };
        // Dropped outside of the lock: the callback owns the request of a client.
        found.is_ok()
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.waits).waiting.len()
    }

    /// Ends every wait with the generation that serves now, because the process stops.
    pub(crate) fn release(&self) {
        let generation = self.current().generation;
        let waiting = std::mem::take(&mut lock(&self.waits).waiting);
        waiting.into_iter().for_each(|(.., then)| then(generation));
    }

    fn reached(&self, generation: u64) {
        let due: Vec<_> =
            lock(&self.waits).waiting.extract_if(.., |(_, wanted, _)| *wanted <= generation).collect();
        // Called outside of the lock: each callback answers a client.
        due.into_iter().for_each(|(.., then)| then(generation));
    }
}
