//! Who waits for requests. Each remembers up to which entry it has looked, so that a new entry is decoded once and shown once to
//! each. All of it runs on the journal's thread, in short slices; nobody's thread waits.

use super::filter::parse::Asked;
use super::filter::{Filter, Subject};
use super::near::Near;
use super::verify::{PATIENCE, Step, Tally, TooLong, near_misses, walk};
use super::{Age, Journal, WatchId};
use crate::system::lock::lock;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long the journal's thread looks at entries.
#[derive(Clone, Copy)]
struct Times {
    /// Until others have their turn.
    slice: Duration,
    /// Most time that a wait whose time is over looks at entries that it has not seen yet. The rest counts as missed.
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

/// Takes the outcome, with the number of the last entry that was looked at, once, from the journal's thread.
pub(crate) type Then = Box<dyn FnOnce(Waited, u64) + Send>;

/// Names a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaiterId(u64);

/// All waits for requests of one journal.
pub(crate) struct Waiters {
    journal: Arc<Journal>,
    times: Times,
    state: Mutex<State>,
}

/// Locked for moments only, never while an entry is looked at.
#[derive(Default)]
struct State {
    next: u64,
    /// Who takes the outcome of a wait. A wait without is forgotten.
    thens: BTreeMap<u64, Then>,
    /// In the order of their numbers; elsewhere while they are shown entries. In boxes: of thousands one in the middle goes when its
    /// time is over.
    waiting: Vec<(u64, Box<Waiter>)>,
    watch: Option<WatchId>,
    /// A look is to come that nobody has to ask for.
    due: bool,
}

struct Waiter {
    filter: Filter,
    wanted: u64,
    since: u64,
    /// It looks once and does not wait.
    once: bool,
    /// Of the entries that it counted.
    age: Age,
    /// Number of the last entry that it was shown.
    seen: u64,
    tally: Tally,
}

impl Waiters {
    /// Nobody waits yet.
    pub(crate) fn new(journal: &Arc<Journal>) -> Arc<Waiters> {
        Self::with_times(journal, TIMES)
    }

    fn with_times(journal: &Arc<Journal>, times: Times) -> Arc<Waiters> {
        Arc::new(Waiters { journal: journal.clone(), times, state: Mutex::default() })
    }

    /// Calls `then` once `wanted` requests came, or when `timeout` is over. The time for the first look is part of it; without any,
    /// `then` learns what there is.
    pub(crate) fn wait(
        self: &Arc<Self>,
        asked: Asked,
        wanted: u64,
        timeout: Duration,
        then: Then,
    ) -> WaiterId {
        let (filter, since, once) = (asked.filter, asked.since.unwrap_or(0), timeout.is_zero());
        let age = self.journal.age();
        let waiter = Waiter { filter, wanted, since, once, age, seen: since, tally: Tally::default() };
        let id = {
            let mut state = lock(&self.state);
            state.next += 1;
            let id = state.next;
            state.thens.insert(id, then);
            state.waiting.push((id, Box::new(waiter)));
            if state.watch.is_none() {
                let looking = self.clone();
                state.watch = Some(self.journal.watch.add(Box::new(move || looking.look())));
            }
            id
        };
        let expiring = self.clone();
        self.look_soon();
        self.journal
            .watch
            .after(if once { PATIENCE } else { timeout }, Box::new(move || expiring.expire(id)));
        WaiterId(id)
    }

    /// Gives up a wait: its outcome is of no use any more. Frees what would have taken it at once.
    pub(crate) fn forget(&self, wait: WaiterId) {
        let mut state = lock(&self.state);
        let then = state.thens.remove(&wait.0);
        let found = state.waiting.binary_search_by_key(&wait.0, |(id, _)| *id);
        found.ok().map(|at| state.waiting.remove(at));
        self.stop_listening(&mut state);
        drop(state);
        // Outside of the lock: it may hold a connection.
        drop(then);
    }

    /// Has new entries looked at, once for all who ask meanwhile.
    fn look_soon(self: &Arc<Self>) {
        if !std::mem::replace(&mut lock(&self.state).due, true) {
            let looking = self.clone();
            let look = move || {
                lock(&looking.state).due = false;
                looking.look();
            };
            self.journal.watch.after(Duration::ZERO, Box::new(look));
        }
    }

    /// Shows new entries to those who have not seen them, for the time of a slice.
    fn look(self: &Arc<Self>) {
        let mut waiting = std::mem::take(&mut lock(&self.state).waiting);
        let (done, more) = if self.journal.is_closed() {
            (std::mem::take(&mut waiting), false)
        } else {
            self.show(&mut waiting)
        };
        let mut state = lock(&self.state);
        waiting.retain(|(id, _)| state.thens.contains_key(id));
        waiting.append(&mut state.waiting);
        state.waiting = waiting;
        drop(state);
        if more {
            self.look_soon();
        }
        for (id, waiter) in done {
            let outcome = match waiter.holds() {
                true => Waited::Holds(waiter.tally),
                false if self.journal.is_closed() => Waited::Stopping,
                false => waiter.late(&self.journal),
            };
            self.end(id, outcome, waiter.seen);
        }
    }

    /// Takes out those who have what they wait for, and those who don't wait and have seen all; tells whether there is more to look
    /// at.
    fn show(&self, waiting: &mut Vec<(u64, Box<Waiter>)>) -> (Vec<(u64, Box<Waiter>)>, bool) {
        let age = self.journal.age();
        let (last, cleared) = (self.journal.last(), self.journal.cleared());
        for (_, waiter) in waiting.iter_mut() {
            waiter.renew(age);
            if waiter.wanted == 0 {
                waiter.seen = last;
            }
        }
        let holds = |(_, waiter): &mut (u64, Box<Waiter>)| waiter.holds();
        let mut done: Vec<_> = waiting.extract_if(.., holds).collect();
        let Some(since) = waiting.iter().map(|(_, waiter)| waiter.seen).min() else {
            return (done, false);
        };
        let (end, mut more) = (Instant::now() + self.times.slice, false);
        self.journal.read(since, &mut |entry| {
            // What is of another age is no part of the same count.
            more = self.journal.age() != age;
            if more {
                return ControlFlow::Break(());
            }
            let (subject, mut holding) = (Subject::new(entry), false);
            for (_, waiter) in waiting.iter_mut().filter(|(_, waiter)| waiter.seen < entry.number) {
                waiter.miss(entry.number - 1, cleared);
                waiter.seen = entry.number;
                waiter.tally.take_entry(&waiter.filter, &subject);
                holding = holding || waiter.holds();
                more = Instant::now() > end;
                if more {
                    break;
                }
            }
            if holding {
                done.extend(waiting.extract_if(.., holds));
            }
            if more || waiting.is_empty() || entry.number >= last {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        // A reset in between: who counted begins again, and nothing was missed.
        more = more || self.journal.age() != age;
        if !more {
            waiting.iter_mut().for_each(|(_, waiter)| waiter.miss(last, cleared));
            done.extend(waiting.extract_if(.., |(_, waiter)| waiter.once));
        }
        (done, more)
    }

    /// The time of a wait is over.
    fn expire(&self, id: u64) {
        let mut state = lock(&self.state);
        let found = state.waiting.binary_search_by_key(&id, |(id, _)| *id);
        let waiter = found.ok().map(|at| state.waiting.remove(at).1);
        drop(state);
        // None: it has its outcome, or a look at it panicked.
        let Some(mut waiter) = waiter.filter(|waiter| !waiter.once) else {
            return self.end(id, Waited::TooLong(TooLong), 0);
        };
        if waiter.catch_up(&self.journal, self.times.last_look).is_err() {
            waiter.miss(self.journal.last(), self.journal.cleared());
        }
        let outcome = match waiter.holds() {
            true => Waited::Holds(std::mem::take(&mut waiter.tally)),
            false => waiter.late(&self.journal),
        };
        self.end(id, outcome, waiter.seen);
    }

    fn end(&self, id: u64, outcome: Waited, seen: u64) {
        let mut state = lock(&self.state);
        let then = state.thens.remove(&id);
        self.stop_listening(&mut state);
        drop(state);
        // Outside of the lock: it answers a client.
        if let Some(then) = then {
            then(outcome, seen);
        }
    }

    /// Stops listening when no waiter is left.
    fn stop_listening(&self, state: &mut State) {
        if state.thens.is_empty()
            && let Some(watch) = state.watch.take()
        {
            self.journal.watch.remove(watch);
        }
    }
}

impl Waiter {
    fn holds(&self) -> bool {
        self.tally.count >= self.wanted
    }

    /// Counts from the reset on, where there was one.
    fn renew(&mut self, age: Age) {
        if self.age != age {
            (self.age, self.tally) = (age, Tally::default());
        }
    }

    /// Looks at all that it has not seen, until it holds.
    fn catch_up(&mut self, journal: &Journal, patience: Duration) -> Result<(), TooLong> {
        if self.holds() {
            return Ok(());
        }
        let (mut seen, mut tally) = (self.seen, std::mem::take(&mut self.tally));
        let walked = walk(journal, &mut self.age, self.seen, patience, &mut |step| {
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

    fn late(&self, journal: &Journal) -> Waited {
        let near = near_misses(journal, &self.filter, self.since, self.seen, RECENT);
        Waited::Late(self.tally.clone(), near)
    }
}

#[cfg(test)]
mod tests;
