//! The callbacks of scripts: requests that leave after an answer, on the threads of [`Pool`](crate::outgoing::pool::Pool).
//!
//! 1. The view reserves a place ([`Places`](crate::outgoing::callback::Places)), and the worker plans the callback before the answer
//!    leaves: from then on, its time runs ([`queue`]).
//! 2. The answer has left, and the time is over: a thread of the pool makes an attempt ([`attempt`]).
//! 3. The journal has the attempt. If it failed, the next one is planned.
//!
//! One job of the timer wakes all: that for the earliest callback.

mod attempt;
mod queue;

use crate::message::epoch::Epoch;
use crate::observing::journal::Journal;
use crate::observing::metrics::{Called, metrics};

use crate::outgoing::pool::Job;
use crate::outgoing::{Callback, Caller, Outgoing};
use crate::serving::timer::{Key, Timer};
use crate::simulation::Simulation;
use crate::system::lock::lock;
use queue::{Item, Moment, Queue};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The callbacks that wait, or are under way.
pub(crate) struct Callbacks {
    outgoing: &'static Outgoing,
    journal: Arc<Journal>,
    simulation: Arc<Simulation>,
    epoch: Arc<Epoch>,
    timer: Timer,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queue: Queue,
    /// The job of the timer, and the time for which it was asked.
    alarm: Option<(Instant, Key)>,
    /// Number of attempts that are under way.
    running: usize,
    /// The end of a stop's grace: what is due later is cancelled.
    end: Option<Instant>,
}

/// Pause before the pool is asked again, whose threads or queue the system has refused.
const REFUSED: Duration = Duration::from_millis(100);

impl Callbacks {
    /// Starts without callbacks. A change of the simulation's clocks moves those that wait.
    pub(crate) fn start(
        outgoing: &'static Outgoing,
        journal: Arc<Journal>,
        (simulation, epoch): (Arc<Simulation>, Arc<Epoch>),
        timer: Timer,
    ) -> Arc<Callbacks> {
        let state = Mutex::default();
        let callbacks =
            Arc::new(Callbacks { outgoing, journal, simulation: simulation.clone(), epoch, timer, state });
        let changed = Arc::downgrade(&callbacks);
        simulation.on_change(move || changed.upgrade().iter().for_each(Callbacks::change_clocks));
        callbacks
    }

    /// Plans the callbacks of a request, whose answer is about to leave. Their time runs, but they leave only when the returned value
    /// is dropped.
    fn plan(self: &Arc<Self>, callbacks: Vec<Callback>, caller: &Arc<Caller>) -> Planned {
        let planned = callbacks.into_iter().map(|callback| (callback.after, (callback, 1)));
        self.hold(planned, caller)
    }

    fn hold(
        self: &Arc<Self>,
        callbacks: impl Iterator<Item = (Duration, (Callback, u32))>,
        caller: &Arc<Caller>,
    ) -> Planned {
        // Under the lock: a change of the clock that comes after this look finds the items.
        let mut state = lock(&self.state);
        let (clock, now) = (self.simulation.clock_for(&caller.members), Moment::now());
        let hold =
            |(pause, callback)| state.queue.hold(Item::new(callback, caller, clock.clone(), pause, now));
        let numbers = callbacks.map(hold).collect();
        Planned { callbacks: self.clone(), numbers }
    }

    /// Begins the attempts that are due, as many as there are threads, and sets the alarm for the next one.
    fn look(self: &Arc<Self>) {
        let (mut begun, mut cancelled) = (Vec::new(), Vec::new());
        let mut locked = lock(&self.state);
        let state = &mut *locked;
        let now = Instant::now();
        if let Some(end) = state.end {
            cancelled = state.queue.remove(|_, due| due.is_none_or(|due| due > end));
        }
        let (epoch, most) = (self.epoch.now(), self.outgoing.pool.most());
        while state.running < most {
            match state.queue.take(now) {
                Some(item) if item.caller.epoch < epoch => cancelled.push(item),
                Some(item) => {
                    state.running += 1;
                    begun.push(item);
                }
                None => break,
            }
        }
        self.set_alarm(state);
        drop(locked);
        count_cancelled(&cancelled);
        for item in begun {
            let callbacks = self.clone();
            self.submit(Box::new(move || callbacks.attempt(item)));
        }
    }

    fn set_alarm(self: &Arc<Self>, state: &mut State) {
        // Without a free thread, the end of an attempt looks again.
        let next = state.queue.next_due().filter(|_| state.running < self.outgoing.pool.most());
        if state.alarm.map(|(at, _)| at) == next {
            return;
        }
        state.alarm.take().into_iter().for_each(|(_, key)| drop(self.timer.take(key)));
        state.alarm = next.map(|at| {
            let callbacks = self.clone();
            let wait = at.saturating_duration_since(Instant::now());
            (at, self.timer.after(wait, Box::new(move || callbacks.look())))
        });
    }

    fn submit(self: &Arc<Self>, job: Job) {
        if let Err(job) = self.outgoing.pool.submit(job) {
            let callbacks = self.clone();
            self.timer.after(REFUSED, Box::new(move || callbacks.submit(job)));
        }
    }

    fn change_clocks(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        state.queue.change_clocks(Moment::now(), |members| self.simulation.clock_for(members));
        drop(state);
        self.look();
    }

    /// Cancels the callbacks of earlier epochs. An attempt that is under way goes on, and is the last one.
    pub(crate) fn cancel_earlier(&self) {
        let epoch = self.epoch.now();
        let cancelled = lock(&self.state).queue.remove(|item, _| item.caller.epoch < epoch);
        count_cancelled(&cancelled);
    }

    /// Cancels the callbacks that are not due before `end`, also those that are planned from now on.
    pub(crate) fn stop(self: &Arc<Self>, end: Instant) {
        let mut state = lock(&self.state);
        state.end = Some(end);
        let cancelled = state.queue.remove(|_, due| due.is_none_or(|due| due > end));
        drop(state);
        count_cancelled(&cancelled);
        match cancelled.len() {
            0 => {}
            1 => log::info!("1 callback is cancelled: it is not due within the grace"),
            count => log::info!("{count} callbacks are cancelled: they are not due within the grace"),
        }
        self.look();
    }

    /// Returns the number of callbacks that wait for their time or for a thread.
    pub(crate) fn waiting(&self) -> usize {
        lock(&self.state).queue.len()
    }

    /// Returns the number of callbacks that wait or are under way.
    pub(crate) fn unfinished(&self) -> usize {
        let state = lock(&self.state);
        state.queue.len() + state.running
    }
}

fn count_cancelled(cancelled: &[Item]) {
    for item in cancelled {
        metrics().called(Called::Cancelled, false, true);
        log::debug!("callback {} {} is cancelled", item.callback.method, item.callback.url);
    }
}

/// The callbacks of a request whose answer has not left.
pub(crate) struct Unplanned {
    pub callbacks: Arc<Callbacks>,
    pub list: Vec<Callback>,
    pub caller: Caller,
}

impl Unplanned {
    /// Calls `answer`, and lets the callbacks leave after it.
    pub(crate) fn after(self, answer: impl FnOnce()) {
        let Unplanned { callbacks, list, caller } = self;
        let planned = callbacks.plan(list, &Arc::new(caller));
        answer();
        drop(planned);
    }
}

/// Callbacks that leave when this is dropped.
struct Planned {
    callbacks: Arc<Callbacks>,
    numbers: Vec<u64>,
}

impl Drop for Planned {
    fn drop(&mut self) {
        let (mut state, now) = (lock(&self.callbacks.state), Moment::now());
        self.numbers.iter().for_each(|number| state.queue.release(*number, now));
        drop(state);
        self.callbacks.look();
    }
}
