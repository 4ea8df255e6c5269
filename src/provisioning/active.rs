//! The layers that serve, in an `RwLock<Arc<Layers>>`, and the waits for a generation.

use crate::provisioning::layers::{Layers, Overlay, OverlayId};
use crate::provisioning::provision::Provision;
use crate::system::lock::lock;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

/// A callback that gets the generation that serves: the wanted one or a later one. When the process stops, it may be an earlier one.
pub(crate) type Then = Box<dyn FnOnce(u64) + Send>;

/// Identifies a wait, for [`Active::forget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WaitId(u64);

pub(crate) struct Active {
    current: RwLock<Arc<Layers>>,
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
        let layers = Layers { generation: 1, base: Arc::new(provision), overlays: Vec::new() };
        Active { current: RwLock::new(Arc::new(layers)), waits: Mutex::default() }
    }

    /// Returns the layers that serve. A request keeps them until its answer is made.
    pub(crate) fn layers(&self) -> Arc<Layers> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Lets `provision` serve as the base from now on and returns its generation. Requests in progress finish with the old one.
    pub(crate) fn swap(&self, mut provision: Provision) -> u64 {
        self.change(|layers| {
            provision.generation = layers.generation;
            layers.base = Arc::new(provision);
            true
        })
    }

    /// Lets `provision` serve as overlay `id`, in place of one with this identity, or else before all others. Returns its generation.
    pub(crate) fn add(&self, id: OverlayId, mut provision: Provision, until: Option<Instant>) -> u64 {
        let now = Instant::now();
        self.change(|layers| {
            provision.generation = layers.generation;
            let overlays = &mut layers.overlays;
            overlays.retain(|overlay| !overlay.has_ended(now));
            let place = overlays.iter().position(|overlay| overlay.id == id);
            let overlay = Overlay { id, provision: Arc::new(provision), until };
            match place {
                Some(place) => overlays[place] = overlay,
                None => overlays.insert(0, overlay),
            }
            true
        })
    }

    /// Removes the overlays that `leaves` names, at the time that it is given. Returns the generation that serves then: a new one if any
    /// overlay was removed.
    pub(crate) fn remove(&self, leaves: impl Fn(&Overlay, Instant) -> bool) -> u64 {
        let now = Instant::now();
        self.change(|layers| {
            let before = layers.overlays.len();
            layers.overlays.retain(|overlay| !leaves(overlay, now));
            layers.overlays.len() < before
        })
    }

    /// Removes all overlays, and calls `then` in the same step. Returns the generation that serves then.
    pub(crate) fn remove_all(&self, then: impl FnOnce()) -> u64 {
        self.change(|layers| {
            then();
            !std::mem::take(&mut layers.overlays).is_empty()
        })
    }

    /// Changes the layers in one step. `step` gets them with the next generation, and returns whether it changed them. Returns the
    /// generation that serves then.
    fn change(&self, step: impl FnOnce(&mut Layers) -> bool) -> u64 {
        let (generation, old) = {
            let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
            let mut next = Layers::clone(&current);
            next.generation += 1;
            if !step(&mut next) {
                return current.generation;
            }
            let old = std::mem::replace(&mut *current, Arc::new(next));
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
        self.reached(self.layers().generation);
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
        let generation = self.layers().generation;
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
