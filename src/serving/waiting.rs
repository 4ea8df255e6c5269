//! Requests that wait for a key of `store`: their view returned `wait_for(...)`.
//!
//! No thread waits. Four events end a wait: another request sets the key, the time is over, the client leaves, or all waits are
//! ended (a reset, a stop). The first of them submits a job to the engine's queue, in which a worker goes on with the request.

use crate::message::epoch::Epoch;
use crate::script::runtime::key_value_store::{Awaited, Value, Watch, Watched, nothing};
use crate::serving::http::Client;
use crate::serving::streaming::Streaming;
use crate::serving::timer::{Key, Timer};
use crate::system::lock::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The requests that wait.
pub(crate) struct Waits {
    timer: Timer,
    /// Submits the jobs.
    streaming: Arc<Streaming>,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    waits: HashMap<u64, Arc<Waiting>>,
    next: u64,
    /// A stop has begun: nobody waits any more.
    closed: bool,
}

/// The condition that a request waits for.
pub(crate) struct Goal {
    pub awaited: Awaited,
    /// The present epoch.
    pub epoch: Arc<Epoch>,
    /// The longest time.
    pub time: Duration,
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
    waits: Arc<Waits>,
    awaited: Awaited,
    state: Mutex<State>,
}

struct State {
    /// `None` once the wait has ended.
    then: Option<Then>,
    /// The number in [`Live`].
    number: Option<u64>,
    timer: Option<Key>,
    watch: Option<Watch>,
}

impl Waits {
    /// Starts without waits.
    pub(crate) fn new(timer: Timer, streaming: Arc<Streaming>) -> Arc<Waits> {
        Arc::new(Waits { timer, streaming, live: Mutex::default() })
    }

    /// Returns the number of requests that wait.
    pub(crate) fn open(&self) -> usize {
        lock(&self.live).waits.len()
    }

    /// Ends all waits with `()`.
    pub(crate) fn end_all(&self) {
        let waits: Vec<Arc<Waiting>> = lock(&self.live).waits.values().cloned().collect();
        waits.iter().for_each(|waiting| waiting.end(End::Value(nothing())));
    }

    /// Ends all waits, and each later one at once.
    pub(crate) fn close(&self) {
        lock(&self.live).closed = true;
        self.end_all();
    }

    /// Calls `then` on a worker when the wait for `goal` ends. Returns at once.
    pub(crate) fn wait(self: &Arc<Self>, goal: Goal, client: Option<Client>, then: Then) {
        let Goal { awaited, epoch, time } = goal;
        let state = State { then: Some(then), number: None, timer: None, watch: None };
        let waiting = Arc::new(Waiting { waits: self.clone(), awaited, state: Mutex::new(state) });
        if let Some(client) = client {
            let weak = Arc::downgrade(&waiting);
            // Before any other event: the answer may set a closure of its own.
            client.on_gone(move || weak.upgrade().into_iter().for_each(|waiting| waiting.end(End::Gone)));
        }
        waiting.begin(&epoch, time);
    }

    /// Adds a wait and returns its number; `None` once a stop has begun.
    fn add(&self, waiting: &Arc<Waiting>) -> Option<u64> {
        let mut live = lock(&self.live);
        if live.closed {
            return None;
        }
        let number = live.next;
        live.next += 1;
        live.waits.insert(number, waiting.clone());
        Some(number)
    }

    fn remove(&self, number: u64) {
        let removed = lock(&self.live).waits.remove(&number);
        drop(removed);
    }
}

impl Waiting {
    /// Listens for the events that end the wait.
    fn begin(self: &Arc<Self>, epoch: &Epoch, time: Duration) {
        let over = || self.end(End::Value(nothing()));
        let Some(number) = self.waits.add(self) else { return over() };
        self.keep(|state| state.number = Some(number), || self.waits.remove(number));
        // A reset that came before the wait was added has not ended it.
        if epoch.now() != self.awaited.epoch {
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
        let (then, number, timer, watch) = {
            let mut state = lock(&self.state);
            (state.then.take(), state.number.take(), state.timer.take(), state.watch.take())
        };
        let Some(then) = then else { return };
        number.into_iter().for_each(|number| self.waits.remove(number));
        timer.into_iter().for_each(|timer| drop(self.waits.timer.take(timer)));
        watch.into_iter().for_each(|watch| self.awaited.forget(&watch));
        self.waits.streaming.submit(Box::new(move || then(end)));
    }
}
