//! Verification of a sequence: requests that should have come one after another, perhaps with others in between.

use super::Journal;
use super::filter::{Filter, Fit};
use super::near::{Difference, Near};
use super::verify::{Outcome, PATIENCE, RECENT, Step, Tally, TooLong, Verdict, nearest_of, walk};
use std::ops::ControlFlow;

/// Score of a request that fits a step but came too early, from 0 to 100.
const EARLY: u64 = 95;

/// Assigns the entries after `since` to `steps` in order: each step takes the earliest entry that fits it.
///
/// The tally has the numbers of the entries that were taken. Its doubts are about the first step that no entry took.
///
/// # Errors
/// The walk takes too long.
pub(crate) fn verify(journal: &Journal, steps: &[Filter], since: u64) -> Result<Outcome, TooLong> {
    // Steps that were certainly taken, and steps that may have been. A further request never undoes a step, so taking the earliest
    // entry is right for both.
    let (mut tally, mut possible) = (Tally::default(), 0_usize);
    let last = walk(journal, &mut journal.age(), since, PATIENCE, &mut |step| {
        match step {
            Step::Reset => (tally, possible) = (Tally::default(), 0),
            Step::Lost(count) => {
                tally.lost += count;
                possible =
                    steps.len().min(possible.saturating_add(usize::try_from(count).unwrap_or(usize::MAX)));
            }
            Step::Entry(subject) => {
                let fits = |at: usize| steps.get(at).map_or(Fit::No, |filter| filter.fits(subject));
                match fits(tally.numbers.len()) {
                    Fit::Yes => {
                        tally.numbers.push(subject.entry.number);
                        tally.open = 0;
                    }
                    Fit::Open => tally.open += 1,
                    Fit::No => {}
                }
                possible += usize::from(fits(possible) != Fit::No);
            }
        }
        ControlFlow::Continue(())
    })?;
    tally.count = tally.numbers.len() as u64;
    let (verdict, near) = match steps.get(tally.numbers.len()) {
        None => (Verdict::Pass, Vec::new()),
        Some(missing) => {
            let verdict = if possible < steps.len() { Verdict::Fail } else { Verdict::Unknown };
            (verdict, near_misses(journal, missing, since, last, &tally.numbers))
        }
    };
    Ok(Outcome { verdict, tally, near, last })
}

/// Returns the near misses of `missing`, the first step that no entry took. An entry that fits it came too early.
fn near_misses(journal: &Journal, missing: &Filter, since: u64, last: u64, numbers: &[u64]) -> Vec<Near> {
    let after = numbers.last().copied().unwrap_or(since);
    nearest_of(journal, since.max(last.saturating_sub(RECENT)), last, &mut |nearest, subject| {
        if missing.fits(subject) != Fit::Yes {
            return nearest.look(missing, subject);
        }
        let number = subject.entry.number;
        let order = Difference {
            part: "order".into(),
            expected: format!("after number {after}"),
            found: Some(format!("number {number}")),
            is_excluded: false,
        };
        nearest.add(subject.entry, EARLY, vec![order]);
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observing::journal::filter::parse::{SEQUENCE, query};
    use crate::observing::journal::tests::{enter_body, lose, small};

    /// A letter is a body, a capital letter a truncated body, `.` an entry that is evicted at once.
    fn journal(pattern: &str) -> Journal {
        let journal = small();
        for what in pattern.chars() {
            match what {
                '.' => lose(&journal),
                'A'..='Z' => enter_body(&journal, "GET /", "--- and more"),
                _ => enter_body(&journal, "GET /", &what.to_string().repeat(2)),
            }
        }
        journal
    }

    /// A filter for each letter: the body contains the letter twice (`~=`), or is exactly that (`=`).
    fn steps(operator: &str, bodies: &str) -> Vec<Filter> {
        let step = |body: char| query(&format!("body{operator}{body}{body}"), SEQUENCE).unwrap().filter;
        bodies.chars().map(step).collect()
    }

    #[test]
    fn steps_are_taken_in_order_with_others_in_between() {
        let table = [
            ("", "", "pass []"),
            ("abc", "", "pass []"),
            ("abc", "abc", "pass [1, 2, 3]"),
            ("axbxc", "abc", "pass [1, 3, 5]"),
            ("ba", "ab", "fail [2]"),
            ("a", "aa", "fail [1]"),
            ("aba", "aa", "pass [1, 3]"),
            ("", "a", "fail []"),
            ("ab.", "ab", "pass [1, 2]"),
            (".b", "ab", "unknown []"),
            (".b", "abc", "fail []"),
            (".b", "ba", "fail [2]"),
            ("..", "ab", "unknown []"),
            ("..", "abc", "fail []"),
            ("Ab", "ab", "unknown []"),
            ("bA", "ab", "fail []"),
            ("Aab", "ab", "pass [2, 3]"),
            ("a.b", "axb", "unknown [1]"),
        ];
        for (pattern, bodies, expected) in table {
            let outcome = verify(&journal(pattern), &steps("~=", bodies), 0).unwrap();
            let found = format!("{} {:?}", outcome.verdict.word(), outcome.tally.numbers);
            assert_eq!(found, expected, "{pattern} {bodies}");
        }
        let outcome = verify(&journal("ab"), &steps("=", "ab"), 1).unwrap();
        assert_eq!((outcome.verdict, outcome.last), (Verdict::Fail, 2));
    }

    #[test]
    fn doubts_are_about_the_first_step_that_no_entry_took() {
        for (pattern, open, lost) in [("A", 1, 0), ("AA", 2, 0), ("Aa", 0, 0), (".Aa", 0, 0), ("aA.", 2, 0)] {
            let tally = verify(&journal(pattern), &steps("~=", "ab"), 0).unwrap().tally;
            assert_eq!((tally.open, tally.lost), (open, lost), "{pattern}");
        }
    }

    #[test]
    fn near_misses_come_after_since() {
        let outcome = verify(&journal("bbxa"), &steps("=", "ab"), 2).unwrap();
        let numbers: Vec<u64> = outcome.near.iter().map(|near| near.number).collect();
        assert_eq!(numbers, [4, 3]);
    }

    #[test]
    fn a_request_that_came_too_early_is_a_near_miss() {
        let outcome = verify(&journal("bxa"), &steps("=", "ab"), 0).unwrap();
        let near: Vec<String> = outcome.near.iter().map(ToString::to_string).collect();
        assert_eq!(near[0], "number 1 `GET /`: order is `number 1`, not `after number 3`");
        assert_eq!(near[1], "number 3 `GET /`: body is `aa`, not `bb`");
    }
}
