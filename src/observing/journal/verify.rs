//! Verification: compares how many requests came with how many should have come.
//!
//! The verdict is pass, fail, or unknown where evicted or truncated entries might change the result.

use super::filter::{Filter, Fit, Subject};
use super::near::{Near, Nearest};
use super::{Age, Journal, Span};
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// Longest time that a verification may take to look through the journal.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// A verification looks for near misses among so many of the latest entries.
pub(crate) const RECENT: u64 = 256;
/// Longest time that the search for near misses may take.
const NEAR: Duration = Duration::from_millis(100);
/// A tally lists the numbers of so many of the entries that it counted.
const NUMBERS: usize = 10;

/// One step of [`walk`].
pub(crate) enum Step<'w> {
    Entry(&'w Subject<'w>),
    /// So many entries in a row were evicted.
    Lost(u64),
    /// The journal was cleared: forget all earlier steps.
    Reset,
}

/// The error of a walk that took too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "failed to look through the journal within {PATIENCE:?}: narrow it with `since`, or simplify the pattern"
        )
    }
}

/// Calls `each` for the entries after `since` that are there now, and returns the number of the last one.
///
/// All steps after the last [`Step::Reset`] belong to one age. `age` is the age that the caller has counted for so far; it becomes the
/// age of those steps.
///
/// # Errors
/// The walk takes longer than `patience`.
pub(crate) fn walk(
    journal: &Journal,
    age: &mut Age,
    since: u64,
    patience: Duration,
    each: &mut dyn FnMut(Step) -> ControlFlow<()>,
) -> Result<u64, TooLong> {
    let end = Instant::now() + patience;
    loop {
        let now = journal.age();
        if std::mem::replace(age, now) != now {
            let _ = each(Step::Reset);
        }
        let (mut next, mut late, mut stopped) = (since.max(journal.cleared()) + 1, false, false);
        let Span { last, .. } = journal.read(since, &mut |entry| {
            late = Instant::now() > end;
            if late || journal.age() != now {
                return ControlFlow::Break(());
            }
            let lost = entry.number.saturating_sub(next);
            next = entry.number + 1;
            let flow = if lost > 0 { each(Step::Lost(lost)) } else { ControlFlow::Continue(()) };
            let flow = if flow.is_continue() { each(Step::Entry(&Subject::new(entry))) } else { flow };
            stopped = flow.is_break();
            flow
        });
        if late {
            return Err(TooLong);
        }
        if !stopped && journal.age() != now {
            continue;
        }
        let lost = (last + 1).saturating_sub(next);
        if lost > 0 && !stopped {
            let _ = each(Step::Lost(lost));
        }
        return Ok(last);
    }
}

/// How many requests should have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    pub min: u64,
    pub max: Option<u64>,
}

impl Expected {
    pub(crate) fn at_least(min: u64) -> Expected {
        Expected { min, max: None }
    }

    /// Takes either `count`, or `min` and `max`; without any of them, at least one request is expected.
    ///
    /// # Errors
    /// The numbers contradict one another.
    pub(crate) fn new(count: Option<u64>, min: Option<u64>, max: Option<u64>) -> Result<Expected, String> {
        match (count, min, max) {
            (Some(count), None, None) => Ok(Expected { min: count, max: Some(count) }),
            (Some(_), ..) => Err("`count` stands alone, without `min` and `max`".into()),
            (None, None, None) => Ok(Expected::at_least(1)),
            (None, Some(min), Some(max)) if min > max => {
                Err(format!("`min` is {min}, more than `max`, which is {max}"))
            }
            (None, min, max) => Ok(Expected { min: min.unwrap_or(0), max }),
        }
    }

    /// Returns the verdict on `tally`.
    pub(crate) fn verdict(self, tally: &Tally) -> Verdict {
        let (least, most) = (tally.count, tally.count + tally.open + tally.lost);
        let max = self.max.unwrap_or(u64::MAX);
        if least >= self.min && most <= max {
            Verdict::Pass
        } else if most < self.min || least > max {
            Verdict::Fail
        } else {
            Verdict::Unknown
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (min, Some(max)) if min == max => write!(f, "{min}"),
            (0, Some(max)) => write!(f, "at most {max}"),
            (min, Some(max)) => write!(f, "{min} to {max}"),
            (min, None) => write!(f, "at least {min}"),
        }
    }
}

/// The verdict of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The requests came as expected, whatever the evicted and truncated entries contained.
    Pass,
    /// The requests did not come as expected, whatever those entries contained.
    Fail,
    /// Cannot be decided: evicted or truncated entries might change the result.
    Unknown,
}

impl Verdict {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
        }
    }
}

/// Numbers of requests that fit a filter, certainly or perhaps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// Entries that fit the filter.
    pub count: u64,
    /// Entries that may fit: the missing part of them decides.
    pub open: u64,
    /// Evicted entries: each of them may have fitted.
    pub lost: u64,
    /// Numbers of the first entries that fit.
    pub numbers: Vec<u64>,
}

impl Tally {
    pub(crate) fn take(&mut self, filter: &Filter, step: &Step) {
        match step {
            Step::Lost(lost) => self.lost += lost,
            Step::Reset => *self = Tally::default(),
            Step::Entry(subject) => self.take_entry(filter, subject),
        }
    }

    pub(crate) fn take_entry(&mut self, filter: &Filter, subject: &Subject) {
        match filter.fits(subject) {
            Fit::No => {}
            Fit::Open => self.open += 1,
            Fit::Yes => {
                self.count += 1;
                if self.numbers.len() < NUMBERS {
                    self.numbers.push(subject.entry.number);
                }
            }
        }
    }

    /// Adds numbers of entries that fit, and keeps the smallest.
    pub(crate) fn add_numbers(&mut self, numbers: impl Iterator<Item = u64>) {
        self.numbers.extend(numbers);
        self.numbers.sort_unstable();
        self.numbers.truncate(NUMBERS);
    }

    /// Says why more requests may have come; empty where the count is certain.
    pub(crate) fn doubts(&self) -> String {
        let doubt = |count: u64, what: &str| match count {
            0 => String::new(),
            _ => format!(", {count} {what}"),
        };
        [doubt(self.lost, "of which nothing is known"), doubt(self.open, "of which too little is known")]
            .concat()
    }
}

/// The result of a verification, of a count or of a sequence.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub verdict: Verdict,
    pub tally: Tally,
    /// Where too few requests came: the requests that come nearest to the filter.
    pub near: Vec<Near>,
    /// Number of the last entry that was read.
    pub last: u64,
}

/// Counts the entries after `since` that fit `filter`.
///
/// # Errors
/// The walk takes too long.
pub(crate) fn verify(
    journal: &Journal,
    filter: &Filter,
    since: u64,
    expected: Expected,
) -> Result<Outcome, TooLong> {
    let mut tally = Tally::default();
    let last = walk(journal, &mut journal.age(), since, PATIENCE, &mut |step| {
        tally.take(filter, &step);
        ControlFlow::Continue(())
    })?;
    let verdict = expected.verdict(&tally);
    let near = if tally.count < expected.min {
        near_misses(journal, filter, since, last, RECENT)
    } else {
        Vec::new()
    };
    Ok(Outcome { verdict, tally, near, last })
}

/// Returns the near misses of `filter` among the `recent` latest entries up to `last`.
pub(crate) fn near_misses(
    journal: &Journal,
    filter: &Filter,
    since: u64,
    last: u64,
    recent: u64,
) -> Vec<Near> {
    nearest_of(journal, since.max(last.saturating_sub(recent)), last, &mut |nearest, subject| {
        if filter.fits(subject) != Fit::Yes {
            nearest.look(filter, subject);
        }
    })
}

/// Calls `look` for the entries after `since` up to `last`, for [`NEAR`] at most, and returns the nearest.
pub(super) fn nearest_of(
    journal: &Journal,
    since: u64,
    last: u64,
    look: &mut dyn FnMut(&mut Nearest, &Subject),
) -> Vec<Near> {
    let (mut nearest, end) = (Nearest::default(), Instant::now() + NEAR);
    journal.read(since, &mut |entry| {
        look(&mut nearest, &Subject::new(entry));
        let done = entry.number >= last || Instant::now() > end;
        if done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    nearest.into_list()
}

#[cfg(test)]
mod tests;
