//! The parts of entries that are kept, seen through the journal.

use super::*;
use crate::message::answer::Answer;
use crate::observing::journal::filter::parse::{SEQUENCE, VERIFY, query};
use crate::observing::journal::tests::{enter, numbers};
use crate::observing::journal::verify::{Expected, verify};
use crate::observing::journal::{Journal, Missing, Span, har, sequence};
use serde_json::json;

/// The first letters of the parts of an entry that were evicted.
fn gone(journal: &Journal, number: u64) -> String {
    let value = journal.get(number).unwrap().to_json();
    value["gone"].as_array().unwrap().iter().map(|name| &name.as_str().unwrap()[..1]).collect()
}

#[test]
fn bodies_are_evicted_first_and_headers_before_lines() {
    let budget = 256 << 10;
    let journal = Journal::new(budget, budget).unwrap();
    let answer = Answer::text(200, vec![b'a'; 4000]);
    let last = 20_000_u64;
    for number in 1..=last {
        enter(&journal, &format!("POST /{}", number % 100), &[b'b'; 4000], &answer);
        assert!(journal.stats().bytes <= budget as u64);
    }
    let stats = journal.stats();
    // A twentieth of the budget is the number of lines.
    assert!(stats.entries > 12_500 && stats.first + stats.entries == last + 1, "{stats:?}");
    let mut stages: Vec<String> = (stats.first..=last).map(|number| gone(&journal, number)).collect();
    stages.dedup();
    assert_eq!(stages, ["abh", "ab", "a", ""]);
    assert_eq!(journal.get(stats.first - 1), Err(Missing::Evicted));
    assert_eq!((journal.get(last + 1), journal.get(0)), (Err(Missing::Never), Err(Missing::Never)));
    let whole = journal.get(last).unwrap();
    assert_eq!((whole.body.len(), whole.answer_body.len()), (4000, 4000));
    let line = journal.get(stats.first).unwrap();
    assert_eq!((&*line.method, line.status, line.generation), ("POST", 200, 300));
    assert_eq!((line.path, line.rule.as_deref()), (format!("/{}", stats.first % 100), Some("/a/<int:id>")));
    assert_eq!(har::from_entry(&journal.get(stats.first).unwrap()), None);
    let value = journal.get(stats.first).unwrap().to_json();
    for name in ["time", "headers", "answer_headers", "target", "body", "body_length", "body_cut", "peer"] {
        assert_eq!(value[name], json!(null), "{name}");
    }
    let (kept, span) = numbers(&journal, 0);
    assert_eq!(kept, (stats.first..=last).collect::<Vec<u64>>());
    assert_eq!(span, Span { last, evicted: stats.evicted });
    assert_eq!(numbers(&journal, last - 1), (vec![last], Span { last, ..Span::default() }));
    assert_eq!(journal.evicted(10), stats.first - 11);
}

#[test]
fn an_entry_without_its_body_keeps_the_length_of_it() {
    let journal = Journal::new(64 << 10, 64 << 10).unwrap();
    for _ in 0..50 {
        enter(&journal, "POST /", &[b'b'; 2000], &Answer::text(200, "short"));
    }
    let value = journal.get(1).unwrap().to_json();
    let expected = [
        ("gone", json!(["body"])),
        ("body", json!(null)),
        ("body_length", json!(2000)),
        ("body_cut", json!(true)),
        ("answer_body", json!("short")),
    ];
    expected.into_iter().for_each(|(name, expected)| assert_eq!(value[name], expected, "{name}"));
    let archived = har::from_entry(&journal.get(1).unwrap()).unwrap();
    let data = json!({ "mimeType": "", "params": [], "comment": "all 2000 bytes have given way" });
    assert_eq!(archived["request"]["postData"], data);
}

#[test]
fn a_head_that_does_not_fit_is_kept_as_a_line() {
    let journal = Journal::new(64 << 10, 1 << 10).unwrap();
    let answer = Answer::default();
    enter(&journal, "GET /1", b"", &answer);
    enter(&journal, &format!("GET /2?{}", "x".repeat(40 << 10)), b"body", &answer);
    enter(&journal, "GET /3", b"", &answer);
    enter(&journal, &format!("GET /{}", "x".repeat(40 << 10)), b"body", &answer);
    // The longest head that fits, beside a byte for each of its lengths, and one that does not.
    enter(&journal, &format!("GET /{}", "x".repeat(journal.head - 200)), b"", &answer);
    enter(&journal, &format!("GET /{}", "x".repeat(journal.head)), b"", &answer);
    let stages: Vec<String> = (1..=6).map(|number| gone(&journal, number)).collect();
    assert_eq!(stages, ["", "abh", "", "abhp", "", "abhp"]);
    assert_eq!(journal.get(2).unwrap().path, "/2");
    let line = journal.get(4).unwrap().to_json();
    assert_eq!((&line["path"], &line["method"]), (&json!(null), &json!("GET")));
}

#[test]
fn bodies_whose_heads_were_evicted_leave_their_room_to_heads() {
    let journal = Journal::new(64 << 10, 1 << 10).unwrap();
    (0..100).for_each(|_| enter(&journal, "POST /", &[b'b'; 500], &Answer::text(200, vec![b'a'; 500])));
    (0..1000).for_each(|_| enter(&journal, "GET /", b"", &Answer::default()));
    let pool = &journal.lock().store.pool;
    for lane in [BODIES, ANSWERS] {
        assert!(pool.head(lane) - pool.tail(lane) < 2 << 10, "{lane}");
    }
}

/// Verifies 100,000 requests on 1,000 paths, with bodies and heads of any size, by each part of a line.
#[test]
fn counts_of_100_000_requests_of_any_size_are_exact() {
    let journal = Journal::new(2 << 20, 64 << 10).unwrap();
    let bytes = vec![b'x'; 64 << 10];
    for number in 1..=120_000_usize {
        let (method, status) = if number % 2 == 0 { ("GET", 200) } else { ("POST", 503) };
        // Every hundredth has a large body, or a head that is too large.
        let length = if number % 100 == 0 { 64 << 10 } else { number % 50 };
        let query = if number % 1000 == 1 { "?".repeat(200_000) } else { String::new() };
        let answer = Answer::text(status, &bytes[..length / 3]);
        enter(&journal, &format!("{method} /orders/{}{query}", number % 1000), &bytes[..length], &answer);
    }
    let stats = journal.stats();
    assert!(stats.entries >= 100_000 && stats.bytes <= 2 << 20, "{stats:?}");
    let verdict = |text: &str, count| {
        let asked = query(&format!("{text}&since=20000"), VERIFY).unwrap();
        let expected = Expected::new(Some(count), None, None).unwrap();
        verify(&journal, &asked.filter, 20_000, expected).unwrap().verdict.word()
    };
    for (filter, count, expected) in [
        ("method=POST", 50_000, "pass"),
        ("method=POST", 49_999, "fail"),
        ("path=/orders/7", 100, "pass"),
        ("path=/orders/<int:id>", 100_000, "pass"),
        ("path~=^/orders/7$&status=5xx", 100, "pass"),
        ("rule=/a/<int:id>&status=200", 50_000, "pass"),
        ("path=/orders/1000", 0, "pass"),
        ("header=X-Empty", 100_000, "unknown"),
        ("body~=xx&method=PUT", 0, "pass"),
        ("body~=xx", 0, "fail"),
    ] {
        assert_eq!(verdict(filter, count), expected, "{filter} {count}");
    }
    let steps = |texts: &[&str]| {
        let steps: Vec<_> = texts.iter().map(|text| query(text, SEQUENCE).unwrap().filter).collect();
        sequence::verify(&journal, &steps, 118_500).unwrap().verdict.word()
    };
    assert_eq!(steps(&["path=/orders/501", "path=/orders/999", "path=/orders/0"]), "pass");
    assert_eq!(steps(&["path=/orders/500", "path=/orders/500"]), "fail");
}
