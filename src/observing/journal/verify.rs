//! How many requests came, against how many should have: pass, fail, or unknown where what is not known decides.

use super::filter::{Filter, Fit, Subject};
use super::near::{Near, Nearest};
use super::{Age, Journal};
use std::fmt;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How long one question may look through the journal.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);
/// So many of the latest entries are looked at for near ones.
pub(crate) const RECENT: u64 = 256;
/// How long one question may look for near ones.
const NEAR: Duration = Duration::from_millis(100);
/// So many numbers of those that are meant are told.
const NUMBERS: usize = 10;

/// One step of a walk.
pub(crate) enum Step<'w> {
    Entry(&'w Subject<'w>),
    /// So many entries that were evicted.
    Lost(u64),
    /// The journal was cleared: what was shown before counts no more.
    Reset,
}

/// The time for the walk was over.
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

/// Walks the entries after `since` that are there now; gives the number of the last one. What it shows is of one age: `age`, or the
/// one that followed it.
///
/// # Errors
/// It takes longer than `patience`.
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
        let last = journal.last();
        let (mut next, mut late, mut stopped) = (since.max(journal.cleared()) + 1, false, false);
        journal.read(since, &mut |entry| {
            late = Instant::now() > end;
            if entry.number > last || late || journal.age() != now {
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

/// How many should have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Expected {
    /// So many at least.
    pub min: u64,
    /// So many at most.
    pub max: Option<u64>,
}

impl Expected {
    /// At least so many.
    pub(crate) fn at_least(min: u64) -> Expected {
        Expected { min, max: None }
    }

    /// From `count`, or `min` and `max`; one at least without any.
    ///
    /// # Errors
    /// They contradict one another.
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

    /// The verdict where `tally` is what is known.
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

/// What a verification comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It is as expected, whatever was in the entries that are not known.
    Pass,
    /// It is not, whatever was in them.
    Fail,
    /// Cannot be decided: entries of which too little is known might change the result.
    Unknown,
}

impl Verdict {
    /// As it is written.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::Unknown => "unknown",
        }
    }
}

/// What is known of a number of requests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// So many are meant.
    pub count: u64,
    /// So many may be: what is not known of them decides.
    pub open: u64,
    /// So many were evicted and may have been.
    pub lost: u64,
    /// Numbers of the first ones that are meant.
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

    /// Why more may have come, in words; empty where nothing is missing.
    pub(crate) fn doubts(&self) -> String {
        let doubt = |count: u64, what: &str| match count {
            0 => String::new(),
            1 => format!(", 1 {what}"),
            _ => format!(", {count} {what}"),
        };
        [doubt(self.lost, "of which nothing is known"), doubt(self.open, "of which too little is known")]
            .concat()
    }
}

/// What came of a verification.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Whether it is as expected.
    pub verdict: Verdict,
    pub tally: Tally,
    /// Where too few came, those that come nearest.
    pub near: Vec<Near>,
    /// Number of the last entry that was looked at.
    pub last: u64,
}

/// Counts what `filter` means after `since`.
///
/// # Errors
/// It takes too long.
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

/// The nearest of the `recent` latest entries up to `last` that `filter` does not mean.
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

/// The nearest of the entries after `since` up to `last`, as `look` takes them in: as many as there is time for.
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
mod tests {
    use super::*;
    use crate::observing::journal::filter::parse::{VERIFY, query};
    use crate::observing::journal::tests::{enter_body, lose, small};

    /// `+` is a request that is meant, `-` one that is not, `?` one whose body is cut, `.` one that is not kept, `x` a deleted one.
    fn journal(pattern: &str) -> Journal {
        let journal = small();
        for what in pattern.chars() {
            match what {
                '+' => enter_body(&journal, "POST /orders", "abc"),
                '-' => enter_body(&journal, "POST /orders", "xyz"),
                '?' => enter_body(&journal, "POST /orders", "xyz and more"),
                '.' => lose(&journal),
                _ => {
                    enter_body(&journal, "POST /orders", "abc");
                    journal.clear();
                }
            }
        }
        journal
    }

    #[test]
    fn the_verdict_is_unknown_exactly_where_what_is_missing_decides() {
        let table = [
            ("", "", "fail 0"),
            ("+", "", "pass 1"),
            ("-", "", "fail 0"),
            ("?", "", "unknown 0"),
            (".", "", "unknown 0"),
            (".+", "", "pass 1"),
            (".-", "", "unknown 0"),
            ("x-", "", "fail 0"),
            ("x.-", "", "unknown 0"),
            (".-", "since=1", "fail 0"),
            ("..-", "since=1", "unknown 0"),
            ("x.-", "since=2", "fail 0"),
            ("++", "count=2", "pass 2"),
            ("++", "count=1", "fail 2"),
            ("++", "count=3", "fail 2"),
            (".++", "count=2", "unknown 2"),
            (".++", "count=1", "fail 2"),
            (".++", "count=3", "unknown 2"),
            (".++", "count=4", "fail 2"),
            ("?++", "count=4", "fail 2"),
            (".?++", "count=4", "unknown 2"),
            ("?++", "count=2", "unknown 2"),
            ("-", "count=0", "pass 0"),
            ("+", "count=0", "fail 1"),
            (".", "count=0", "unknown 0"),
            (".+", "count=0", "fail 1"),
            ("x", "count=0", "pass 0"),
            ("++", "min=2", "pass 2"),
            ("++", "min=3", "fail 2"),
            (".++", "min=3", "unknown 2"),
            (".++", "min=2", "pass 2"),
            (".++", "min=4", "fail 2"),
            ("++", "max=2", "pass 2"),
            ("+++", "max=2", "fail 3"),
            (".++", "max=2", "unknown 2"),
            (".++", "max=3", "pass 2"),
            (".+++", "max=2", "fail 3"),
            ("..?+", "min=2&max=3", "unknown 1"),
            ("..?+", "min=1&max=4", "pass 1"),
            ("..?+", "min=5&max=6", "fail 1"),
            ("-+.+-", "count=2", "unknown 2"),
        ];
        for (pattern, query, expected) in table {
            let asked =
                crate::observing::journal::filter::parse::query(&format!("body~=abc&{query}"), VERIFY)
                    .unwrap();
            let expectation = Expected::new(asked.count, asked.min, asked.max).unwrap();
            let outcome =
                verify(&journal(pattern), &asked.filter, asked.since.unwrap_or(0), expectation).unwrap();
            let found = format!("{} {}", outcome.verdict.word(), outcome.tally.count);
            assert_eq!(found, expected, "{pattern} {query}");
            assert_eq!(outcome.last, pattern.len() as u64);
        }
    }

    #[test]
    fn a_walk_without_patience_is_too_long() {
        let steps = |patience| {
            walk(&journal("++"), &mut Age::default(), 0, patience, &mut |_| ControlFlow::Continue(()))
        };
        assert_eq!(steps(Duration::ZERO), Err(TooLong));
        assert_eq!(steps(PATIENCE), Ok(2));
        assert_eq!(
            TooLong.to_string(),
            "failed to look through the journal within 10s: narrow it with `since`, or simplify the pattern"
        );
    }

    #[test]
    fn numbers_that_contradict_one_another_are_refused() {
        let of = |count, min, max| Expected::new(count, min, max).map(|expected| expected.to_string());
        assert_eq!(of(None, None, None), Ok("at least 1".into()));
        assert_eq!(of(Some(2), None, None), Ok("2".into()));
        assert_eq!(of(None, Some(2), Some(3)), Ok("2 to 3".into()));
        assert_eq!(of(None, None, Some(0)), Ok("0".into()));
        assert_eq!(of(None, None, Some(3)), Ok("at most 3".into()));
        assert_eq!(of(Some(1), Some(1), None), Err("`count` stands alone, without `min` and `max`".into()));
        assert_eq!(of(None, Some(3), Some(2)), Err("`min` is 3, more than `max`, which is 2".into()));
    }

    #[test]
    fn near_ones_are_told_where_too_few_came() {
        let asked = query("body~=abc&method=POST&count=3", VERIFY).unwrap();
        let outcome = verify(&journal("-+?."), &asked.filter, 0, Expected::at_least(3)).unwrap();
        let numbers: Vec<u64> = outcome.near.iter().map(|near| near.number).collect();
        assert_eq!(
            (outcome.verdict, outcome.tally.numbers, numbers),
            // Of the last one it is known that it is no POST.
            (Verdict::Fail, vec![2], vec![3, 1, 4])
        );
        let outcome = verify(&journal("-++"), &asked.filter, 0, Expected::at_least(1)).unwrap();
        assert_eq!(outcome.near, []);
    }
}
