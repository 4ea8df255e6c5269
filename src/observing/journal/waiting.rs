//! Who waits for requests. Each remembers up to which entry it has looked, so that a new entry is decoded once and shown once to
//! each. All of it runs on the timer thread, in short slices; nobody's thread waits.

use super::filter::parse::Asked;
use super::filter::{Filter, Subject};
use super::near::Near;
use super::verify::{PATIENCE, Step, Tally, TooLong, near_misses, walk};
use super::{Journal, WatchId};
use crate::system::lock::lock;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long the timer thread looks at entries.
#[derive(Clone, Copy)]
struct Times {
    /// Until others have their turn.
    slice: Duration,
    /// Most time that a wait whose time is over looks at entries that it has not seen yet. The rest counts as evicted.
    last_look: Duration,
}

const TIMES: Times = Times { slice: Duration::from_millis(1), last_look: Duration::from_millis(20) };
/// So many of the latest entries are looked at for near ones when a wait is over.
const RECENT: u64 = 64;

/// What became of a wait.
#[derive(Debug)]
pub(crate) enum Waited {
    /// So many came as were waited for.
    Holds(Tally),
    /// The time is over; with the requests that come nearest.
    Late(Tally, Vec<Near>),
    Stopping,
    /// What is there took too long to look through.
    TooLong(TooLong),
}

/// Takes the outcome, with the number of the last entry that was looked at, once, from any thread.
pub(crate) type Then = Box<dyn FnOnce(Waited, u64) + Send>;

/// All waits for requests of one journal.
pub(crate) struct Waiters {
    journal: Arc<Journal>,
    times: Times,
    state: Mutex<State>,
}

struct State {
    next: u64,
    /// In the order of their numbers. In boxes: of thousands one in the middle goes when its time is over.
    waiting: Vec<(u64, Box<Waiter>)>,
    watch: Option<WatchId>,
    /// A slice is to come that nobody has to ask for.
    sliced: bool,
}

struct Waiter {
    filter: Filter,
    wanted: u64,
    since: u64,
    /// Number of the last entry that it was shown.
    seen: u64,
    tally: Tally,
    then: Then,
}

impl Waiters {
    /// Nobody waits yet.
    pub(crate) fn new(journal: &Arc<Journal>) -> Arc<Waiters> {
        Self::with_times(journal, TIMES)
    }

    fn with_times(journal: &Arc<Journal>, times: Times) -> Arc<Waiters> {
        let state = State { next: 0, waiting: Vec::new(), watch: None, sliced: false };
        Arc::new(Waiters { journal: journal.clone(), times, state: Mutex::new(state) })
    }

    /// Calls `then` once `wanted` requests came, or when `timeout` is over: at once, where it already holds or there is no time.
    pub(crate) fn wait(self: &Arc<Self>, asked: Asked, wanted: u64, timeout: Duration, then: Then) {
        let (filter, since) = (asked.filter, asked.since.unwrap_or(0));
        let mut waiter = Waiter { filter, wanted, since, seen: since, tally: Tally::default(), then };
        if let Err(error) = waiter.catch_up(&self.journal, PATIENCE) {
            return waiter.end(Waited::TooLong(error));
        }
        if waiter.holds() {
            return waiter.hold();
        }
        if timeout.is_zero() {
            return waiter.late(&self.journal);
        }
        let id = self.enter(waiter);
        let (looking, expiring) = (self.clone(), self.clone());
        // What came before the listener was there.
        self.journal.after(Duration::ZERO, Box::new(move || looking.look()));
        self.journal.after(timeout, Box::new(move || expiring.expire(id)));
    }

    fn enter(self: &Arc<Self>, waiter: Waiter) -> u64 {
        let mut state = lock(&self.state);
        state.next += 1;
        let id = state.next;
        state.waiting.push((id, Box::new(waiter)));
        if state.watch.is_none() {
            let looking = self.clone();
            state.watch = Some(self.journal.on_record(Box::new(move || looking.look())));
        }
        id
    }

    /// Shows new entries to those who have not seen them, for the time of a slice.
    fn look(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        let (done, more) = if self.journal.is_closed() {
            (std::mem::take(&mut state.waiting), false)
        } else {
            self.show(&mut state.waiting)
        };
        if more && !state.sliced {
            state.sliced = true;
            let looking = self.clone();
            self.journal.after(Duration::ZERO, Box::new(move || looking.look_again()));
        }
        self.stop_listening(&mut state);
        drop(state);
        // Outside of the lock: each one answers a client.
        for (_, waiter) in done {
            if waiter.holds() { waiter.hold() } else { waiter.end(Waited::Stopping) }
        }
    }

    fn look_again(self: &Arc<Self>) {
        lock(&self.state).sliced = false;
        self.look();
    }

    /// Takes out those who have what they wait for; tells whether there is more to look at.
    fn show(&self, waiting: &mut Vec<(u64, Box<Waiter>)>) -> (Vec<(u64, Box<Waiter>)>, bool) {
        let Some(since) = waiting.iter().map(|(_, waiter)| waiter.seen).min() else {
            return (Vec::new(), false);
        };
        let (end, last, cleared) =
            (Instant::now() + self.times.slice, self.journal.last(), self.journal.cleared());
        let (mut done, mut more) = (Vec::new(), false);
        self.journal.read(since, &mut |entry| {
            let subject = Subject::new(entry);
            let due = waiting.iter_mut().filter(|(_, waiter)| waiter.seen < entry.number);
            let mut holding = false;
            for (_, waiter) in due {
                if Instant::now() > end {
                    more = true;
                    break;
                }
                waiter.miss(entry.number - 1, cleared);
                waiter.seen = entry.number;
                waiter.tally.take_entry(&waiter.filter, &subject);
                holding = holding || waiter.holds();
            }
            if holding {
                done.extend(waiting.extract_if(.., |(_, waiter)| waiter.holds()));
            }
            if more || waiting.is_empty() || entry.number >= last {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        if !more {
            waiting.iter_mut().for_each(|(_, waiter)| waiter.miss(last, cleared));
        }
        (done, more)
    }

    /// The time of a wait is over.
    fn expire(&self, id: u64) {
        let mut state = lock(&self.state);
        let found = state.waiting.binary_search_by_key(&id, |(id, _)| *id);
        let waiter = found.ok().map(|at| state.waiting.remove(at).1);
        self.stop_listening(&mut state);
        drop(state);
        let Some(mut waiter) = waiter else { return };
        if waiter.catch_up(&self.journal, self.times.last_look).is_err() {
            waiter.miss(self.journal.last(), self.journal.cleared());
        }
        if waiter.holds() { waiter.hold() } else { waiter.late(&self.journal) }
    }

    /// Stops listening when no waiter is left.
    fn stop_listening(&self, state: &mut State) {
        if state.waiting.is_empty()
            && let Some(watch) = state.watch.take()
        {
            self.journal.forget(watch);
        }
    }
}

impl Waiter {
    fn holds(&self) -> bool {
        self.tally.count >= self.wanted
    }

    /// Looks at all that it has not seen, until it holds.
    fn catch_up(&mut self, journal: &Journal, patience: Duration) -> Result<(), TooLong> {
        if self.holds() {
            return Ok(());
        }
        let (mut seen, mut tally) = (self.seen, std::mem::take(&mut self.tally));
        let walked = walk(journal, self.seen, patience, &mut |step| {
            tally.take(&self.filter, &step);
            if let Step::Entry(subject) = step {
                seen = subject.entry.number;
            }
            if tally.count >= self.wanted { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        (self.tally, self.seen) = (tally, seen);
        let last = walked?;
        if !self.holds() {
            self.seen = last.max(seen);
        }
        Ok(())
    }

    /// Counts those up to `number` that it was never shown.
    fn miss(&mut self, number: u64, cleared: u64) {
        self.tally.lost += number.saturating_sub(self.seen.max(cleared));
        self.seen = self.seen.max(number);
    }

    fn hold(mut self) {
        let tally = std::mem::take(&mut self.tally);
        self.end(Waited::Holds(tally));
    }

    fn late(mut self, journal: &Journal) {
        let near = near_misses(journal, &self.filter, self.since, self.seen, RECENT);
        let tally = std::mem::take(&mut self.tally);
        self.end(Waited::Late(tally, near));
    }

    fn end(self, waited: Waited) {
        (self.then)(waited, self.seen);
    }
}

#[cfg(test)]
mod tests;
