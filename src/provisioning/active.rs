//! The provision that serves: one swap of an `RwLock<Arc<Provision>>`, and who waits for a generation.

use crate::provisioning::provision::Provision;
use crate::system::lock::lock;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// Called with the generation that serves, once it is the wanted one or a later one; with an earlier one when the process stops.
pub(crate) type Then = Box<dyn FnOnce(u64) + Send>;

/// Names one wait, to give it up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitId(u64);

pub(crate) struct Active {
    current: RwLock<Arc<Provision>>,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    next: u64,
    /// In the order of their names, with the generation that each waits for.
    waiting: Vec<(WaitId, u64, Then)>,
}

impl Active {
    /// Makes `provision` the first one, generation 1.
    pub(crate) fn new(mut provision: Provision) -> Active {
        provision.generation = 1;
        Active { current: RwLock::new(Arc::new(provision)), waits: Mutex::default() }
    }

    /// The provision for one request, from its start to its end.
    pub(crate) fn current(&self) -> Arc<Provision> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets `provision` serve from now on; the requests that run finish on the old one. Gives its generation.
    pub(crate) fn swap(&self, mut provision: Provision) -> u64 {
        let (generation, old) = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            provision.generation = current.generation + 1;
            let old = std::mem::replace(&mut *current, Arc::new(provision));
            (current.generation, old)
        };
        // Freed outside of the lock: a large table takes milliseconds.
        drop(old);
        self.reached(generation);
        generation
    }

    /// Calls `then` once `wanted` or a later generation serves; at once if it does already.
    pub(crate) fn on_generation(&self, wanted: u64, then: Then) -> WaitId {
        let mut waits = lock(&self.waits);
        waits.next += 1;
        let id = WaitId(waits.next);
        waits.waiting.push((id, wanted, then));
        drop(waits);
        // Looked up after it was entered: a swap in between has called it, or will.
        self.reached(self.current().generation);
        id
    }

    /// Gives up a wait; tells whether it was still waiting.
    pub(crate) fn forget(&self, wait: WaitId) -> bool {
        let found = {
            let waiting = &mut lock(&self.waits).waiting;
            waiting.binary_search_by_key(&wait, |(id, ..)| *id).map(|at| waiting.remove(at))
        };
        // Dropped without the lock: it has the request of a client.
        found.is_ok()
    }

    #[cfg(test)]
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.waits).waiting.len()
    }

    /// Calls every wait with the generation that serves, reached or not.
    pub(crate) fn release(&self) {
        let generation = self.current().generation;
        let waiting = std::mem::take(&mut lock(&self.waits).waiting);
        waiting.into_iter().for_each(|(.., then)| then(generation));
    }

    fn reached(&self, generation: u64) {
        let due: Vec<_> =
            lock(&self.waits).waiting.extract_if(.., |(_, wanted, _)| *wanted <= generation).collect();
        // Outside of the lock: each one answers a client.
        due.into_iter().for_each(|(.., then)| then(generation));
    }
}
