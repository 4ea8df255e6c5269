//! The closest rules in entries: for whom they are looked up, and how often.

use super::*;
use crate::observing::journal::Exchange;
use std::sync::atomic::Ordering;

/// Enters a request that no rule of generation 2 served, or that one did.
fn enter(admin: &Admin<Fake>, line: &str, served: bool) {
    let request = request(line, "", b"");
    admin.journal.record(&Exchange {
        begun: admin.journal.begin().unwrap(),
        took: 0,
        generation: 2,
        request: &request,
        rule: served.then_some(("/a", "a")),
        unmatched: (!served).then_some("no rule matches the path"),
        status: 200,
        answer_headers: &Vec::new(),
        answer_body: b"",
        answer_length: 0,
        error: None,
        fault: None,
    });
}

#[track_caller]
fn list(admin: &Admin<Fake>, query: &str) -> Vec<Value> {
    let answer = answer(admin, &format!("GET /app/v1/requests{query}"), "", b"");
    let mut value: Value = serde_json::from_slice(answer.body.bytes()).unwrap();
    value["requests"].as_array_mut().unwrap().drain(..).collect()
}

fn compared(admin: &Admin<Fake>) -> usize {
    admin.activation.compared.swap(0, Ordering::Relaxed)
}

#[test]
fn each_different_request_that_is_shown_is_compared_once() {
    let (admin, _) = started();
    for _ in 0..30 {
        enter(&admin, "GET /x?a", false);
        enter(&admin, "GET /x", false);
        enter(&admin, "PUT /x", false);
        enter(&admin, "GET /a", true);
    }
    let entries = list(&admin, "");
    assert_eq!((entries.len(), compared(&admin)), (100, 2));
    for entry in &entries {
        let method = entry["method"].as_str().unwrap();
        let expected = match entry["path"].as_str() {
            Some("/x") => Some(serde_json::json!([format!("`/near` for {method} /x")])),
            _ => None,
        };
        assert_eq!(entry.get("closest"), expected.as_ref(), "{entry}");
    }
    // None for what is looked through and not shown.
    assert_eq!((list(&admin, "?path=/a&limit=5").len(), compared(&admin)), (5, 0));
    assert_eq!((list(&admin, "?path=/x&limit=1").len(), compared(&admin)), (1, 1));
    // Nor for an archive.
    answer(&admin, "GET /app/v1/requests.har", "", b"");
    assert_eq!(compared(&admin), 0);
}

#[test]
fn of_many_different_ones_the_last_are_compared() {
    let (admin, _) = started();
    (1..=50).for_each(|number| enter(&admin, &format!("GET /{number}"), false));
    for query in ["", "?since=0"] {
        let entries = list(&admin, query);
        let told = |entry: &Value| !entry["closest"].is_null();
        assert_eq!(entries.iter().position(told), Some(30), "{query}");
        assert!(entries[30..].iter().all(told) && entries[0].get("closest") == Some(&Value::Null));
        assert_eq!(compared(&admin), 20);
    }
    let one: Value =
        serde_json::from_slice(answer(&admin, "GET /app/v1/requests/1", "", b"").body.bytes()).unwrap();
    assert_eq!(one["closest"], serde_json::json!(["`/near` for GET /1"]));
}
