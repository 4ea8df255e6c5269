//! Waits for requests (`/app/v1/requests/wait`).
//!
//! Each wait remembers the last entry that it has seen, so a new entry is decoded once and shown once to each wait. All looks run on
//! the journal's thread, in short slices. No thread is blocked by a wait.
//!
//! A wait that asks how a stream goes on sees its entry again when the stream has moved ([`moving`]).

mod moving;

use super::filter::parse::Asked;
use super::filter::{Filter, Subject};
use super::near::Near;
use super::verify::{PATIENCE, Step, Tally, TooLong, near_misses, walk};
use super::watch::Asking;
use super::{Age, Journal, WatchId};
use crate::system::lock::lock;
use moving::{Left, Moving, Round};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Limits for the time in which the journal's thread looks at entries.
#[derive(Clone, Copy)]
struct Times {
    /// Time of one look, until other jobs have their turn.
    slice: Duration,
    /// Longest last look of a wait that has timed out. The entries that it has no time for count as lost.
    last_look: Duration,
}

const TIMES: Times = Times { slice: Duration::from_millis(1), last_look: Duration::from_millis(20) };
/// A wait that has timed out looks for near misses among so many of the latest entries.
const RECENT: u64 = 64;

/// The outcome of a wait.
#[derive(Debug)]
pub(crate) enum Waited {
    /// Enough requests came.
    Holds(Tally),
    /// The wait has timed out; with the requests that come nearest to its filter.
    Late(Tally, Vec<Near>),
    /// The process stops.
    Stopping,
    /// A wait with a timeout of 0 took too long to look through the journal.
    TooLong(TooLong),
}

/// Takes the outcome and the number of the last entry that was read. It is called once, on the journal's thread.
pub(crate) type Then = Box<dyn FnOnce(Waited, u64) + Send>;

/// Names a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaiterId(u64);

/// The waits for requests of one journal.
pub(crate) struct Waiters {
    journal: Arc<Journal>,
    times: Times,
    state: Mutex<State>,
}

/// Locked for moments only, never while entries are read.
#[derive(Default)]
struct State {
    next: u64,
    /// The callbacks by number of the wait. A wait that has none was given up.
    thens: BTreeMap<u64, Then>,
    /// The waits in the order of their numbers. The list is empty during a look, which owns them. They are boxed, since a wait that times
    /// out leaves the middle of a list of thousands.
    waiting: Vec<(u64, Box<Waiter>)>,
    watch: Option<WatchId>,
    /// The next look is scheduled already.
    due: bool,
    round: Round,
}

struct Waiter {
    filter: Filter,
    wanted: u64,
    since: u64,
    /// Its timeout is 0: it sees the entries that are there, and ends.
    once: bool,
    /// Age of the entries that it has counted.
    age: Age,
    /// Number of the last entry that it has seen.
    seen: u64,
    tally: Tally,
    /// Entries that the tally lacks, since they may change.
    moving: Moving,
    _asking: Option<Asking>,
}

impl Waiters {
    pub(crate) fn new(journal: &Arc<Journal>) -> Arc<Waiters> {
        Self::with_times(journal, TIMES)
    }

    fn with_times(journal: &Arc<Journal>, times: Times) -> Arc<Waiters> {
        Arc::new(Waiters { journal: journal.clone(), times, state: Mutex::default() })
    }

    /// Calls `then` once `wanted` requests came, or after `timeout`, which includes the first look. With a timeout of 0 it calls `then`
    /// after that look.
    pub(crate) fn wait(
        self: &Arc<Self>,
        asked: Asked,
        wanted: u64,
        timeout: Duration,
        then: Then,
    ) -> WaiterId {
        let (filter, since, once) = (asked.filter, asked.since.unwrap_or(0), timeout.is_zero());
        let age = self.journal.age();
        let asking = filter.asks_for_pieces().then(|| self.journal.watch.ask_for_pieces());
        let waiter = Waiter {
            filter,
            wanted,
            since,
            once,
            age,
            seen: since,
            tally: Tally::default(),
            moving: Moving::default(),
            _asking: asking,
        };
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

    /// Gives up a wait, whose client has left. Drops its callback at once.
    pub(crate) fn forget(&self, wait: WaiterId) {
        let then = self.take_then(wait.0);
        lock(&self.state).take_out(wait.0);
        // Outside of the lock: the callback may own a connection.
        drop(then);
    }

    /// Schedules a look, unless one is scheduled already.
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

    /// Shows new entries to the waits that have not seen them, for one slice of time.
    fn look(self: &Arc<Self>) {
        let mut waiting = std::mem::take(&mut lock(&self.state).waiting);
        let mut round = lock(&self.state).round;
        let (done, left) = if self.journal.is_closed() {
            (std::mem::take(&mut waiting), Left::Nothing)
        } else {
            self.show(&mut waiting, &mut round)
        };
        if let Left::Later(time) = left
            && !std::mem::replace(&mut round.is_scheduled, true)
        {
            let journal = self.journal.clone();
            self.journal.watch.after(time, Box::new(move || journal.watch.wake()));
        }
        let mut state = lock(&self.state);
        state.round = round;
        waiting.retain(|(id, _)| state.thens.contains_key(id));
        waiting.append(&mut state.waiting);
        state.waiting = waiting;
        drop(state);
        if left == Left::More {
            self.look_soon();
        }
        for (id, waiter) in done {
            let outcome = match waiter.holds() {
                true => Waited::Holds(waiter.whole()),
                false if self.journal.is_closed() => Waited::Stopping,
                false => waiter.late(&self.journal),
            };
            self.end(id, outcome, waiter.seen);
        }
    }

    /// Shows entries to `waiting` for one slice. Removes and returns the waits that are done; also returns what is left.
    fn show(
        &self,
        waiting: &mut Vec<(u64, Box<Waiter>)>,
        round: &mut Round,
    ) -> (Vec<(u64, Box<Waiter>)>, Left) {
        let age = self.journal.age();
        let (last, cleared) = (self.journal.last(), self.journal.cleared());
        for (_, waiter) in waiting.iter_mut() {
            waiter.renew(age);
            if waiter.wanted == 0 {
                waiter.seen = last;
            }
        }
        let end = Instant::now() + self.times.slice;
        let left = round.look(&self.journal, waiting, end);
        let holds = |(_, waiter): &mut (u64, Box<Waiter>)| waiter.holds();
        let mut done: Vec<_> = waiting.extract_if(.., holds).collect();
        let Some(since) = waiting.iter().map(|(_, waiter)| waiter.seen).min() else {
            return (done, left);
        };
        let mut more = false;
        self.journal.read(since, &mut |entry| {
            // The journal was cleared: later entries belong to another count.
            more = self.journal.age() != age;
            if more {
                return ControlFlow::Break(());
            }
            let (subject, mut holding) = (Subject::new(entry), false);
            for (_, waiter) in waiting.iter_mut().filter(|(_, waiter)| waiter.seen < entry.number) {
                waiter.miss(entry.number - 1, cleared);
                waiter.seen = entry.number;
                waiter.moving.take(&waiter.filter, &subject, &mut waiter.tally);
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
        // If the journal was cleared meanwhile, all counts begin anew, and no entry was lost.
        more = more || self.journal.age() != age;
        if !more {
            waiting.iter_mut().for_each(|(_, waiter)| waiter.miss(last, cleared));
            done.extend(waiting.extract_if(.., |(_, waiter)| waiter.once));
        }
        (done, if more { Left::More } else { left })
    }

    /// Ends a wait that has timed out, after a last look.
    fn expire(&self, id: u64) {
        let waiter = lock(&self.state).take_out(id);
        // A wait that is not in the list has its outcome already, or a look at it panicked.
        let Some(waiter) = waiter.filter(|waiter| !waiter.once) else {
            return self.end(id, Waited::TooLong(TooLong), 0);
        };
        let mut alone = [(id, waiter)];
        Round::default().look(&self.journal, &mut alone, Instant::now() + self.times.last_look);
        let [(_, mut waiter)] = alone;
        if waiter.catch_up(&self.journal, self.times.last_look).is_err() {
            waiter.miss(self.journal.last(), self.journal.cleared());
        }
        let outcome = match waiter.holds() {
            true => Waited::Holds(waiter.whole()),
            false => waiter.late(&self.journal),
        };
        self.end(id, outcome, waiter.seen);
    }

    fn end(&self, id: u64, outcome: Waited, seen: u64) {
        // Called without the lock, since it answers a client.
        if let Some(then) = self.take_then(id) {
            then(outcome, seen);
        }
    }

    /// Removes and returns the callback of a wait. Stops listening when no callback is left.
    fn take_then(&self, id: u64) -> Option<Then> {
        let mut state = lock(&self.state);
        let then = state.thens.remove(&id);
        if state.thens.is_empty()
            && let Some(watch) = state.watch.take()
        {
            self.journal.watch.remove(watch);
        }
        then
    }
}

impl State {
    /// Removes a wait from the list, unless a look has it.
    fn take_out(&mut self, id: u64) -> Option<Box<Waiter>> {
        let found = self.waiting.binary_search_by_key(&id, |(id, _)| *id);
        found.ok().map(|at| self.waiting.remove(at).1)
    }
}

impl Waiter {
    fn holds(&self) -> bool {
        self.tally.count + self.moving.count() >= self.wanted
    }

    /// Returns the tally with the entries that may change.
    fn whole(&self) -> Tally {
        self.moving.add_to(self.tally.clone())
    }

    /// Counts from zero if the journal was cleared since the last look.
    fn renew(&mut self, age: Age) {
        if self.age != age {
            (self.age, self.tally, self.moving) = (age, Tally::default(), Moving::default());
        }
    }

    /// Counts the entries that it has not seen, until enough came.
    fn catch_up(&mut self, journal: &Journal, patience: Duration) -> Result<(), TooLong> {
        if self.holds() {
            return Ok(());
        }
        let (mut seen, mut tally) = (self.seen, std::mem::take(&mut self.tally));
        let moving = &mut self.moving;
        let walked = walk(journal, &mut self.age, self.seen, patience, &mut |step| {
            match step {
                Step::Entry(subject) => {
                    moving.take(&self.filter, subject, &mut tally);
                    seen = subject.entry.number;
                }
                Step::Lost(lost) => tally.lost += lost,
                Step::Reset => {
                    tally = Tally::default();
                    moving.clear();
                }
            }
            match tally.count + moving.count() >= self.wanted {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        (self.tally, self.seen) = (tally, seen);
        let last = walked?;
        if !self.holds() {
            self.seen = last.max(seen);
        }
        Ok(())
    }

    /// Counts the entries up to `number` that it has not seen as lost. Deleted entries, up to `cleared`, don't count.
    fn miss(&mut self, number: u64, cleared: u64) {
        self.tally.lost += number.saturating_sub(self.seen.max(cleared));
        self.seen = self.seen.max(number);
    }

    fn late(&self, journal: &Journal) -> Waited {
        let near = near_misses(journal, &self.filter, self.since, self.seen, RECENT);
        Waited::Late(self.whole(), near)
    }
}

#[cfg(test)]
mod tests;
