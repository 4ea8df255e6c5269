//! Forwarded requests and callbacks.

use super::*;
use crate::observing::journal::filter::parse::{VERIFY, query};
use crate::observing::journal::verify::{Expected, verify};
use serde_json::Value;

/// Enters a callback for entry `cause`, with a status of the receiver.
pub(crate) fn enter_callback(
    journal: &Journal,
    line: &str,
    (cause, attempt): (u64, u32),
    status: u16,
) -> u64 {
    let (answer, request) = (Answer { status, ..Answer::default() }, request(line, b"{}"));
    let exchange = Exchange {
        rule: None,
        kind: Kind::Callback { cause, attempt },
        ..exchange(journal.begin().unwrap(), &request, &answer)
    };
    journal.record(&exchange).unwrap()
}

/// Enters a forwarded request, perhaps with the reason why there was no answer.
fn enter_forwarded(journal: &Journal, line: &str, error: Option<&str>) -> u64 {
    let (answer, request) = (Answer::default(), request(line, b""));
    let forwarded = Some(("http://real:8080/a?b", error));
    let exchange = Exchange { forwarded, ..exchange(journal.begin().unwrap(), &request, &answer) };
    journal.record(&exchange).unwrap()
}

/// Returns the members of an entry that tell of its kind and of other servers.
fn told(journal: &Journal, number: u64) -> Value {
    let mut value = journal.get(number).unwrap().to_json();
    let members = value.as_object_mut().unwrap();
    members.retain(|name, _| matches!(name.as_str(), "kind" | "cause" | "attempt" | "forwarded"));
    value
}

#[test]
fn json_and_archive_tell_of_callbacks_and_other_servers() {
    let journal = Journal::new(1 << 20, 1000).unwrap();
    enter_body(&journal, "GET /a", "");
    enter_forwarded(&journal, "GET /a?b", None);
    enter_forwarded(&journal, "GET /a?b", Some("failed to forward to `real:8080`: connection refused"));
    enter_callback(&journal, "POST /hook", (3, 2), 500);
    enter_callback(&journal, "POST /hook", (0, 1), 200);
    let error = "failed to forward to `real:8080`: connection refused";
    let expected = [
        json!({ "kind": "request" }),
        json!({ "kind": "request", "forwarded": { "url": "http://real:8080/a?b", "error": null } }),
        json!({ "kind": "request", "forwarded": { "url": "http://real:8080/a?b", "error": error } }),
        json!({ "kind": "callback", "cause": 3, "attempt": 2 }),
        json!({ "kind": "callback", "cause": null, "attempt": 1 }),
    ];
    for (number, expected) in (1..).zip(expected) {
        assert_eq!(told(&journal, number), expected);
        let entry = journal.get(number).unwrap();
        let archived = har::from_entry(&entry).unwrap();
        let member = |name: &str| archived.get(format!("_{name}")).cloned();
        for name in ["kind", "cause", "attempt", "forwarded"] {
            assert_eq!(member(name), expected.get(name).cloned(), "{number} {name}");
        }
    }
    let entry = journal.get(4).unwrap();
    assert_eq!((entry.method.as_str(), entry.path.as_str(), entry.status), ("POST", "/hook", 500));
    assert_eq!((entry.rule, entry.unmatched, entry.body), (None, None, b"{}".to_vec()));
}

#[test]
fn a_relay_that_breaks_off_has_its_error() {
    let journal = Journal::new(1 << 20, 1000).unwrap();
    let (answer, request, progress) = (Answer::default(), request("GET /a?b", b""), Arc::default());
    let exchange = Exchange {
        forwarded: Some(("http://real/a?b", None)),
        stream: Some(&progress),
        ..exchange(journal.begin().unwrap(), &request, &answer)
    };
    let number = journal.record(&exchange).unwrap();
    progress.piece(70_000);
    assert!(progress.end(crate::message::progress::Ending::Error, Some("connection reset by peer".into())));
    journal.stream_moved(number, Some(&progress.now()));
    let value = journal.get(number).unwrap().to_json();
    assert_eq!(value["forwarded"], json!({ "url": "http://real/a?b", "error": "connection reset by peer" }));
    assert_eq!((&value["stream"]["ended"], &value["stream"]["bytes"]), (&json!("error"), &json!(70_000)));
    assert_eq!(value["error"], "connection reset by peer");
}

#[test]
fn plain_entries_take_no_byte_more() {
    let (journal, answer, request) = (small(), Answer::text(200, ""), request("GET /", b""));
    let used = |forwarded, kind| {
        let exchange = Exchange { forwarded, kind, ..exchange(journal.begin().unwrap(), &request, &answer) };
        codec::encode(&mut Vec::new(), &exchange, 0, 1000).0
    };
    let plain = used(None, Kind::Request);
    assert_eq!(used(None, Kind::Callback { cause: 7, attempt: 1 }), plain + 2);
    // The length of the URL, and of no error.
    assert_eq!(used(Some(("http://a/", None)), Kind::Request), plain + 1 + 9 + 1);
}

#[test]
fn a_line_keeps_the_kind_and_that_the_request_was_forwarded() {
    let journal = small();
    enter_callback(&journal, "POST /hook", (300, 2), 200);
    enter_forwarded(&journal, "GET /a?b", None);
    for _ in 0..100 {
        enter_body(&journal, "GET /x", "");
    }
    let gone = |number| journal.get(number).unwrap().gone;
    assert!(gone(1).headers && !gone(1).method && gone(2).headers && !gone(2).method);
    assert_eq!(told(&journal, 1), json!({ "kind": "callback", "cause": null, "attempt": null }));
    assert_eq!(told(&journal, 2), json!({ "kind": "request", "forwarded": { "url": null, "error": null } }));
    let count = |filter| {
        let filter = query(filter, VERIFY).unwrap().filter;
        let tally = verify(&journal, &filter, 0, Expected::at_least(0)).unwrap().tally;
        (tally.count, tally.open)
    };
    for (filter, expected) in [
        ("", (101, 0)),
        ("kind=all", (102, 0)),
        ("kind=callback", (1, 0)),
        ("kind=callback&status=200&path=/hook", (1, 0)),
        ("cause=300", (0, 1)),
        ("forwarded=true", (1, 0)),
        ("forwarded=false", (100, 0)),
    ] {
        assert_eq!(count(filter), expected, "{filter}");
    }
}

#[test]
fn near_misses_are_of_the_same_kind() {
    let journal = Journal::new(1 << 20, 1000).unwrap();
    enter_body(&journal, "POST /hooks", "");
    enter_callback(&journal, "POST /hok", (1, 1), 200);
    for (filter, expected) in [
        ("path=/hook", vec!["number 1 `POST /hooks`: path is `/hooks`, not `/hook`"]),
        ("path=/hook&kind=callback", vec!["number 2 `POST /hok`: path is `/hok`, not `/hook`"]),
        ("cause=2", vec!["number 2 `POST /hok`: cause is `1`, not `2`"]),
        ("attempt=2-", vec!["number 2 `POST /hok`: attempt is `1`, not `2-`"]),
        ("forwarded=true", vec!["number 1 `POST /hooks`: forwarded is `false`, not `true`"]),
    ] {
        let filter = query(filter, VERIFY).unwrap().filter;
        let outcome = verify(&journal, &filter, 0, Expected::at_least(1)).unwrap();
        assert_eq!(outcome.near.iter().map(|near| near.to_string()).collect::<Vec<_>>(), expected);
    }
}

#[test]
fn callbacks_are_counted_until_the_journal_is_cleared() {
    let journal = small();
    enter_callback(&journal, "POST /", (1, 1), 200);
    enter_body(&journal, "GET /", "");
    assert_eq!(journal.callbacks(), 1);
    assert_eq!(journal.clear(), 2);
    assert_eq!(journal.callbacks(), 0);
}
