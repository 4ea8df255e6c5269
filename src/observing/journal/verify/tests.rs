//! Verdicts on journals of which some entries are missing.

use super::*;
use crate::observing::journal::filter::parse::{VERIFY, query};
use crate::observing::journal::tests::{enter_body, lose, small};

/// `+` is a request that fits, `-` a request that doesn't, `?` has a truncated body, `.` is evicted at once, `x` is deleted.
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
fn the_verdict_is_unknown_only_where_missing_entries_could_change_it() {
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
            crate::observing::journal::filter::parse::query(&format!("body~=abc&{query}"), VERIFY).unwrap();
        let expectation = Expected::new(asked.count, asked.min, asked.max).unwrap();
        let outcome =
            verify(&journal(pattern), &asked.filter, asked.since.unwrap_or(0), expectation).unwrap();
        let found = format!("{} {}", outcome.verdict.word(), outcome.tally.count);
        assert_eq!(found, expected, "{pattern} {query}");
        assert_eq!(outcome.last, pattern.len() as u64);
    }
}

#[test]
fn each_missing_entry_might_have_been_a_request_that_counts() {
    // Entries that count, that are undecided and that are lost; the bounds; the verdict.
    let table = [
        ((1, 0, 0), (1, None), "pass"),
        ((0, 0, 1), (1, None), "unknown"),
        ((0, 1, 1), (3, None), "fail"),
        ((1, 0, 1), (0, Some(1)), "unknown"),
        ((1, 0, 1), (0, Some(2)), "pass"),
        ((1, 1, 1), (1, Some(2)), "unknown"),
        ((3, 0, 1), (0, Some(2)), "fail"),
    ];
    for ((count, open, lost), (min, max), verdict) in table {
        let tally = Tally { count, open, lost, ..Tally::default() };
        assert_eq!(Expected { min, max }.verdict(&tally).word(), verdict, "{tally:?} {min} {max:?}");
    }
}

#[test]
fn the_first_ten_numbers_are_listed() {
    let asked = query("body~=abc", VERIFY).unwrap();
    let outcome = verify(&journal("-+++++++++++"), &asked.filter, 0, Expected::at_least(1)).unwrap();
    assert_eq!((outcome.tally.count, outcome.tally.numbers), (11, (2..=11).collect()));
}

#[test]
fn a_walk_without_patience_fails_with_too_long() {
    let steps =
        |patience| walk(&journal("++"), &mut Age::default(), 0, patience, &mut |_| ControlFlow::Continue(()));
    assert_eq!(steps(Duration::ZERO), Err(TooLong));
    assert_eq!(steps(PATIENCE), Ok(2));
    assert_eq!(
        TooLong.to_string(),
        "failed to look through the journal within 10s: narrow it with `since`, or simplify the pattern"
    );
}

#[test]
fn a_walk_ends_where_its_caller_ends_it_and_begins_anew_after_a_deletion() {
    let (journal, mut steps) = (journal("++"), Vec::new());
    let walked = walk(&journal, &mut journal.age(), 0, PATIENCE, &mut |step| {
        steps.push(matches!(step, Step::Entry(_)));
        ControlFlow::Break(())
    });
    assert_eq!((walked, steps), (Ok(2), vec![true]));
    let mut steps = Vec::new();
    let walked = walk(&journal, &mut journal.age(), 0, PATIENCE, &mut |step| {
        if steps.is_empty() {
            journal.clear();
            enter_body(&journal, "POST /orders", "abc");
        }
        steps.push(match step {
            Step::Entry(subject) => subject.entry.number,
            Step::Lost(_) => u64::MAX,
            Step::Reset => 0,
        });
        ControlFlow::Continue(())
    });
    assert_eq!((walked, steps), (Ok(3), vec![1, 0, 3]));
}

#[test]
fn near_misses_are_among_the_latest_entries() {
    let journal = journal("-");
    (0..3).for_each(|_| enter_body(&journal, "GET /other", ""));
    let asked = query("path=/orders&method=PUT", VERIFY).unwrap();
    let near = |recent| near_misses(&journal, &asked.filter, 0, 4, recent)[0].number;
    assert_eq!((near(3), near(4)), (4, 1));
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
fn near_misses_are_listed_where_too_few_requests_came() {
    let asked = query("body~=abc&method=POST&count=3", VERIFY).unwrap();
    let outcome = verify(&journal("-+?."), &asked.filter, 0, Expected::at_least(3)).unwrap();
    let numbers: Vec<u64> = outcome.near.iter().map(|near| near.number).collect();
    assert_eq!(
        (outcome.verdict, outcome.tally.numbers, numbers),
        // The line of the last entry is kept, so it is known that its method is not POST.
        (Verdict::Fail, vec![2], vec![3, 1, 4])
    );
    let outcome = verify(&journal("-++"), &asked.filter, 0, Expected::at_least(2)).unwrap();
    assert_eq!(outcome.near, []);
}
