//! Requests that wait for a key of `store`: their view returned `wait_for(...)`.
//!
//! No thread waits. Four events end a wait: another request sets the key, the time is over, the client leaves, or all waits are
//! ended (a reset, a stop). The first of them takes the request out of its [`Waiting`] and submits a job to the engine's queue, in
//! which a mock worker goes on with it.

use crate::chaos::{LONGEST, Reply};
use crate::handling::{Outcome, Wait, resume_layers};
use crate::message::answer::Answer;
use crate::script::runtime::key_value_store::{KeyValueStore, Watch, Watched};
use crate::serving::listeners::Shared;
use crate::serving::pending::Permit;
use crate::serving::refusal;
use crate::serving::timer::Key;
use crate::serving::workers::{MockWork, Received, panicked};
use crate::system::lock::lock;
use rhai::{Dynamic, ImmutableString};
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The requests that wait.
#[derive(Default)]
pub(crate) struct Waits(Mutex<Live>);

#[derive(Default)]
struct Live {
    waits: HashMap<u64, Arc<Waiting>>,
    next: u64,
    /// A stop has begun: nobody waits any more.
    closed: bool,
}

/// A request that waits, until it is taken out.
struct Waiting {
    shared: Arc<Shared>,
    store: Arc<KeyValueStore>,
    state: Mutex<State>,
}

struct State {
    /// `None` once the wait has ended.
    parked: Option<Box<Parked>>,
    /// The number in [`Live`].
    number: Option<u64>,
    timer: Option<Key>,
    watch: Option<Watch>,
}

/// A request whose answer is not made yet.
struct Parked {
    work: MockWork,
    received: Received,
    overlay: Option<usize>,
    wait: Box<Wait>,
    permit: Permit,
}

/// How a wait ended.
enum End {
    /// With the value of the key, or with `()`.
    Value(Arc<Dynamic>),
    /// The client left.
    Gone,
}

impl Waits {
    /// Returns the number of requests that wait.
    pub(crate) fn open(&self) -> usize {
        lock(&self.0).waits.len()
    }

    /// Ends all waits with `()`.
    pub(crate) fn end_all(&self) {
        let waits: Vec<Arc<Waiting>> = lock(&self.0).waits.values().cloned().collect();
        waits.iter().for_each(|waiting| waiting.end(nothing()));
    }

    /// Ends all waits, and each later one at once.
    pub(crate) fn close(&self) {
        lock(&self.0).closed = true;
        self.end_all();
    }

    /// Adds a wait and returns its number; `None` once a stop has begun.
    fn add(&self, waiting: &Arc<Waiting>) -> Option<u64> {
        let mut live = lock(&self.0);
        let number = live.next;
        live.next += 1;
        (!live.closed).then(|| live.waits.insert(number, waiting.clone()))?;
        Some(number)
    }
}

fn nothing() -> End {
    End::Value(Arc::new(Dynamic::UNIT))
}

impl MockWork {
    /// Keeps a request until the key is set for which it waits, or goes on with it at once if there is nothing to wait for.
    pub(super) fn park(&self, received: Received, mut outcome: Outcome) {
        while let Some(wait) = outcome.wait.take() {
            let value = wait.look(received.request.epoch);
            let left = wait.time().min(LONGEST.saturating_sub(received.waited));
            if value.is_unit() && !left.is_zero() {
                return self.wait(received, wait, outcome.overlay, left);
            }
            outcome = received.resume(*wait, outcome.overlay, value);
        }
        self.finish(received, outcome);
    }

    fn wait(&self, mut received: Received, wait: Box<Wait>, overlay: Option<usize>, left: Duration) {
        let (Some(permit), Some(store)) = (self.pending.take_bytes(space(&received, &wait)), wait.store().cloned())
        else {
            let mut outcome = Outcome { overlay, rule: received.request.rule, ..Outcome::default() };
            outcome.reply = refusal::no_room(self.pending.most).into();
            received.layers.add_cors(overlay, &received.request, &mut outcome.reply.answer);
            return self.finish(received, outcome);
        };
        // The permit counts the body from now on.
        received.incoming.release(received.request.body.capacity());
        received.worked += received.since.elapsed();
        received.since = Instant::now();
        let (key, epoch, client) = (wait.key().clone(), received.request.epoch, received.incoming.client());
        let parked = Box::new(Parked { work: self.clone(), received, overlay, wait, permit });
        let state = State { parked: Some(parked), number: None, timer: None, watch: None };
        let waiting = Arc::new(Waiting { shared: self.shared.clone(), store, state: Mutex::new(state) });
        let weak = Arc::downgrade(&waiting);
        if let Some(client) = client {
            // Before any other event: the answer may set a closure of its own.
            client.on_gone(move || weak.upgrade().into_iter().for_each(|waiting| waiting.end(End::Gone)));
        }
        waiting.begin(self, (key, epoch, left));
    }
}

/// Returns the memory of a request that waits, in bytes.
fn space(received: &Received, wait: &Wait) -> usize {
    let request = &received.request;
    let head: usize = request.headers().map(|(name, value)| name.len() + value.len()).sum();
    size_of::<Parked>() + head + request.target().len() + request.body.capacity() + wait.space()
}

impl Waiting {
    /// Listens for the events that end the wait.
    fn begin(self: &Arc<Self>, work: &MockWork, (key, epoch, left): (ImmutableString, u64, Duration)) {
        let Some(number) = self.shared.waits.add(self) else { return self.end(nothing()) };
        self.keep(|state| state.number = Some(number), || self.shared.waits.remove(number));
        // A reset that came before the wait was added has not ended it.
        if work.activation.epoch.now() != epoch {
            return self.end(nothing());
        }
        let woken = self.clone();
        match self.store.watch(epoch, &key, Box::new(move |value| woken.end(End::Value(value)))) {
            Watched::Set(value) => return self.end(End::Value(Arc::new(value))),
            Watched::Reset => return self.end(nothing()),
            Watched::Waits(watch) => {
                self.keep(|state| state.watch = Some(watch.clone()), || self.store.forget(&watch))
            }
        }
        let late = self.clone();
        let timer = self.shared.timer.after(left, Box::new(move || late.end(nothing())));
        self.keep(|state| state.timer = Some(timer), || drop(self.shared.timer.take(timer)));
    }

    /// Notes something that has to be undone at the end of the wait. If the wait has ended meanwhile, undoes it now.
    fn keep(&self, note: impl FnOnce(&mut State), undo: impl FnOnce()) {
        let mut state = lock(&self.state);
        if state.parked.is_some() {
            return note(&mut state);
        }
        drop(state);
        undo();
    }

    /// Ends the wait, unless it has ended already: a worker goes on with the request.
    fn end(&self, end: End) {
        let (parked, number, timer, watch) = {
            let mut state = lock(&self.state);
            (state.parked.take(), state.number.take(), state.timer.take(), state.watch.take())
        };
        let Some(parked) = parked else { return };
        number.into_iter().for_each(|number| self.shared.waits.remove(number));
        timer.into_iter().for_each(|timer| drop(self.shared.timer.take(timer)));
        watch.into_iter().for_each(|watch| self.store.forget(&watch));
        self.shared.streaming.submit(Box::new(move || parked.go_on(end)));
    }
}

impl Waits {
    fn remove(&self, number: u64) {
        let removed = lock(&self.0).waits.remove(&number);
        drop(removed);
    }
}

impl Parked {
    /// Goes on with the request, on a worker.
    fn go_on(self: Box<Self>, end: End) {
        let Parked { work, mut received, overlay, wait, permit } = *self;
        received.waited += received.since.elapsed();
        received.since = Instant::now();
        let outcome = match end {
            End::Value(value) => received.resume(*wait, overlay, Arc::unwrap_or_clone(value)),
            End::Gone => {
                // Nobody gets an answer. The request did come, so the journal has it, with status 0.
                let reply = Reply::from(Answer { status: 0, ..Answer::default() });
                Outcome { reply, overlay, rule: received.request.rule, ..Outcome::default() }
            }
        };
        drop(permit);
        work.park(received, outcome);
    }
}

impl Received {
    /// Calls the function of `wait_for` with `value`.
    fn resume(&self, wait: Wait, overlay: Option<usize>, value: Dynamic) -> Outcome {
        let resume = || resume_layers(&self.layers, overlay, &self.request, wait, value);
        let outcome = catch_unwind(AssertUnwindSafe(resume));
        outcome.unwrap_or_else(|_| panicked(&self.layers, overlay, &self.request))
    }
}
