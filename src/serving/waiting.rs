//! Requests that wait for a key of `store`: their view returned `wait_for(...)`.
//!
//! No thread waits. Four events end a wait: another request sets the key, the time is over, the client leaves, or all waits are
//! ended (a reset, a stop). The first of them submits a job to the engine's queue, in which a worker goes on with the request.

use crate::script::runtime::key_value_store::{Awaited, Value, Watch, Watched, nothing};
use crate::serving::http::Client;
use crate::serving::streaming::Streaming;
use crate::serving::timer::{Key, Timer};
use crate::system::lock::lock;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The requests that wait.
pub(crate) struct Waits {
    timer: Timer,
    /// Submits the jobs.
    streaming: Arc<Streaming>,
    live: Mutex<HashMap<u64, Arc<Waiting>>>,
    next: AtomicU64,
    /// A stop has begun: nobody waits any more.
    closed: AtomicBool,
}

/// The end of a wait.
pub(crate) enum End {
    /// With the value of the key, or with `()`.
    Value(Value),
    /// The client left.
    Gone,
}

/// Goes on with a request, on a worker. It holds values of a script, so only a worker may drop it.
pub(crate) type Then = Box<dyn FnOnce(End) + Send>;

/// A request that waits.
struct Waiting {
    number: u64,
    waits: Arc<Waits>,
    awaited: Awaited,
    state: Mutex<State>,
}

struct State {
    /// `None` once the wait has ended.
    then: Option<Then>,
    timer: Option<Key>,
    watch: Option<Watch>,
}

impl Waits {
    /// Starts without waits.
    pub(crate) fn new(timer: Timer, streaming: Arc<Streaming>) -> Arc<Waits> {
        let (live, next, closed) = Default::default();
        Arc::new(Waits { timer, streaming, live, next, closed })
    }

    /// Returns the number of requests that wait.
    pub(crate) fn open(&self) -> usize {
        lock(&self.live).len()
    }

    /// Ends the waits of earlier epochs with `()`; all once a stop has begun.
    pub(crate) fn end_all(&self) {
        let waits: Vec<Arc<Waiting>> = lock(&self.live).values().cloned().collect();
        waits
            .iter()
            .filter(|waiting| waiting.is_over())
            .for_each(|waiting| waiting.end(End::Value(nothing())));
    }

    /// Ends all waits, and each later one at once.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        self.end_all();
    }

    /// Calls `then` on a worker when the key is set, or after `time`. Returns at once.
    pub(crate) fn wait(
        self: &Arc<Self>,
        awaited: Awaited,
        time: Duration,
        client: Option<Client>,
        then: Then,
    ) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let state = Mutex::new(State { then: Some(then), timer: None, watch: None });
        let waiting = Arc::new(Waiting { number, waits: self.clone(), awaited, state });
        if let Some(client) = client {
            let weak = Arc::downgrade(&waiting);
            // Before any other event: the answer may set a closure of its own.
            client.on_gone(move || weak.upgrade().into_iter().for_each(|waiting| waiting.end(End::Gone)));
        }
        waiting.begin(time);
    }

    fn remove(&self, number: u64) {
        let removed = lock(&self.live).remove(&number);
        drop(removed);
    }
}

impl Waiting {
    /// Listens for the events that end the wait.
    fn begin(self: &Arc<Self>, time: Duration) {
        let over = || self.end(End::Value(nothing()));
        lock(&self.waits.live).insert(self.number, self.clone());
        self.keep(|_| (), || self.waits.remove(self.number));
        // A reset or a stop that came before the insertion has not ended the wait.
        if self.is_over() {
            return over();
        }
        let woken = self.clone();
        let wake = Box::new(move |value| woken.end(End::Value(value)));
        match self.awaited.watch(wake) {
            Watched::Set(value) => return self.end(End::Value(value)),
            Watched::Reset => return over(),
            Watched::Waits(watch) => {
                self.keep(|state| state.watch = Some(watch.clone()), || self.awaited.forget(&watch));
            }
        }
        let late = self.clone();
        let timer = self.waits.timer.after(time, Box::new(move || late.end(End::Value(nothing()))));
        self.keep(|state| state.timer = Some(timer), || drop(self.waits.timer.take(timer)));
    }

    /// Whether the epoch of the request has ended, or a stop has begun.
    fn is_over(&self) -> bool {
        let Waits { closed, streaming, .. } = &*self.waits;
        closed.load(Ordering::SeqCst) || streaming.over(self.awaited.epoch).is_some()
    }

    /// Notes something that has to be undone at the end of the wait. If the wait has ended meanwhile, undoes it now.
    fn keep(&self, note: impl FnOnce(&mut State), undo: impl FnOnce()) {
        let mut state = lock(&self.state);
        if state.then.is_some() {
            return note(&mut state);
        }
        drop(state);
        undo();
    }

    /// Ends the wait, unless it has ended already: a worker goes on with the request.
    fn end(&self, end: End) {
        let (then, timer, watch) = {
            let mut state = lock(&self.state);
            (state.then.take(), state.timer.take(), state.watch.take())
        };
        let Some(then) = then else { return };
        self.waits.remove(self.number);
        timer.into_iter().for_each(|timer| drop(self.waits.timer.take(timer)));
        watch.into_iter().for_each(|watch| self.awaited.forget(&watch));
        self.waits.streaming.submit(Box::new(move || then(end)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::epoch::Epoch;
    use crate::script::runtime::key_value_store::KeyValueStore;
    use crate::serving::http::Reactor;
    use std::sync::Weak;

    #[test]
    fn a_reset_ends_waits_of_earlier_epochs_and_a_stop_ends_all() {
        let (timer, epoch) = (Timer::start(Reactor::new().unwrap()).unwrap(), Arc::new(Epoch::default()));
        let streaming = Streaming::new(timer.clone(), Weak::new(), epoch.clone());
        let waits = Waits::new(timer, streaming);
        let wait = |epoch: u64| {
            // A store that a later epoch uses ends the waits of earlier ones by itself, so each wait has its own.
            let store = Arc::new(KeyValueStore::default());
            let awaited = Awaited { store, key: "k".into(), epoch };
            waits.wait(awaited, Duration::from_secs(3600), None, Box::new(|_| ()));
            waits.open()
        };
        assert_eq!([wait(0), wait(0)], [1, 2]);
        epoch.next();
        assert_eq!([wait(1), wait(0)], [3, 3], "a wait that comes late ends at once");
        waits.end_all();
        assert_eq!(waits.open(), 1);
        waits.close();
        assert_eq!((waits.open(), wait(1)), (0, 0));
    }
}
