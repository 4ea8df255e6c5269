//! Streams that a wait looks at again: whether they fit may change as long as they go on.

use super::Waiter;
use crate::observing::journal::filter::{Filter, Fit, Subject};
use crate::observing::journal::verify::Tally;
use crate::observing::journal::{Journal, Missing};
use std::time::{Duration, Instant};

/// Rounds of thousands of streams take a fifth of the thread's time at most: a pause of four times its own time follows each.
const PAUSES: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_millis(100);
/// A round that took less is followed by no pause.
const SHORT: Duration = Duration::from_millis(1);

/// The entries that a wait looks at again, in the order of their numbers, and whether they fitted at the last look.
#[derive(Debug, Clone, Default)]
pub(super) struct Moving(Vec<(u64, Fit)>);

impl Moving {
    /// Counts an entry: in `tally`, or here if it may change.
    pub(super) fn take(&mut self, filter: &Filter, subject: &Subject, tally: &mut Tally) {
        match filter.may_change(subject) {
            true => self.0.push((subject.entry.number, filter.fits(subject))),
            false => tally.take_entry(filter, subject),
        }
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Returns how many of the entries fit now.
    pub(super) fn count(&self) -> u64 {
        self.0.iter().filter(|(_, fit)| *fit == Fit::Yes).count() as u64
    }

    /// Adds the entries to `tally`.
    pub(super) fn add_to(&self, mut tally: Tally) -> Tally {
        tally.open += self.0.iter().filter(|(_, fit)| *fit == Fit::Open).count() as u64;
        tally.count += self.count();
        tally.add_numbers(self.0.iter().filter(|(_, fit)| *fit == Fit::Yes).map(|(number, _)| *number));
        tally
    }

    /// Returns the first number from `number` on.
    fn next(&self, number: u64) -> Option<u64> {
        let at = self.0.partition_point(|(known, _)| *known < number);
        self.0.get(at).map(|(number, _)| *number)
    }

    fn at(&self, number: u64) -> Option<usize> {
        self.0.binary_search_by_key(&number, |(number, _)| *number).ok()
    }
}

/// A round through the streams that waits look at again.
#[derive(Clone, Copy, Default)]
pub(super) struct Round {
    /// The result of [`Journal::moves`] when it began.
    moves: u64,
    /// The next number; 0 between two rounds.
    next: u64,
    spent: Duration,
    /// The next round must not begin before.
    not_before: Option<Instant>,
    /// A look at that time is scheduled.
    pub is_scheduled: bool,
}

/// The work that is left after a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    /// The round goes on.
    More,
    /// The next round can begin after this time.
    Later(Duration),
}

impl Round {
    /// Shows the streams that may have moved to the waits that asked for them, until `end`.
    pub(super) fn look(
        &mut self,
        journal: &Journal,
        waiting: &mut [(u64, Box<Waiter>)],
        end: Instant,
    ) -> Left {
        let began = Instant::now();
        if self.next == 0 {
            let moves = journal.moves();
            if moves == self.moves {
                return Left::Nothing;
            }
            if let Some(wait) = self.not_before.and_then(|due| due.checked_duration_since(began))
                && !wait.is_zero()
            {
                return Left::Later(wait);
            }
            *self = Round { moves, next: 1, ..Round::default() };
        }
        loop {
            let next = waiting.iter().filter_map(|(_, waiter)| waiter.moving.next(self.next)).min();
            let Some(number) = next else { break };
            let found = journal.get(number);
            let subject = found.as_ref().map(Subject::new);
            let shown = || subject.as_ref().map_err(|missing| **missing);
            waiting.iter_mut().for_each(|(_, waiter)| waiter.look_again(number, shown()));
            self.next = number + 1;
            if Instant::now() > end {
                self.spent += began.elapsed();
                return Left::More;
            }
        }
        let spent = self.spent + began.elapsed();
        self.next = 0;
        self.not_before = (spent >= SHORT).then(|| Instant::now() + (spent * PAUSES).min(LONGEST_PAUSE));
        Left::Nothing
    }
}

impl Waiter {
    /// Looks again at an entry that may have changed.
    fn look_again(&mut self, number: u64, found: Result<&Subject, Missing>) {
        let Some(at) = self.moving.at(number) else { return };
        match found {
            Ok(subject) if subject.entry.is_moving() => {
                self.moving.0[at].1 = self.filter.fits(subject);
                return;
            }
            Ok(subject) => self.tally.take_entry(&self.filter, subject),
            Err(Missing::Evicted) => self.tally.lost += 1,
            Err(_) => {}
        }
        self.moving.0.remove(at);
    }
}
