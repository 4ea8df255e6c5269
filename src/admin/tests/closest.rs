//! The closest rules in entries: which entries have them, and how often they are computed.

use super::*;
use crate::admin::closest::Closest;
use crate::admin::requests::Page;
use crate::observing::journal::filter::parse::{self, LIST};
use crate::observing::journal::{Exchange, Kind};

/// Starts the same interface, with the rules of generation 2.
fn started() -> (Arc<Admin>, Jobs) {
    let (admin, jobs) = super::started();
    answer(&admin, "POST /app/v1/provision/x", PLAIN, GOOD);
    (admin, jobs)
}

/// Records a request that a rule of generation 2 served, or no rule.
fn enter(admin: &Arc<Admin>, line: &str, served: bool) {
    let request = request(line, "", b"");
    admin.journal.record(&Exchange {
        begun: admin.journal.begin().unwrap(),
        took: 0,
        generation: 2,
        overlay: None,
        request: &request,
        rule: served.then_some(("/a", "a")),
        unmatched: (!served).then_some("no rule matches the path"),
        status: 200,
        answer_headers: &Vec::new(),
        answer_body: b"",
        answer_length: 0,
        error: None,
        fault: None,
        stream: None,
        forwarded: None,
        kind: Kind::Request,
    });
}

#[track_caller]
fn list(admin: &Arc<Admin>, query: &str) -> Vec<Value> {
    let answer = answer(admin, &format!("GET /app/v1/requests{query}"), "", b"");
    let mut value: Value = serde_json::from_slice(answer.body.bytes()).unwrap();
    value["requests"].as_array_mut().unwrap().drain(..).collect()
}

/// Returns how many requests are compared with the rules for a list.
fn compared(admin: &Arc<Admin>, query: &str) -> usize {
    let asked = parse::query(query.trim_start_matches('?'), LIST).unwrap();
    let mut closest = Closest::default();
    Page::read(&admin.journal, &asked, 100, &|entry| Some(entry.to_json()))
        .unwrap()
        .explain(&admin.activation, &mut closest);
    closest.compared()
}

#[test]
fn each_different_request_that_is_shown_is_compared_once() {
    let (admin, _) = started();
    for _ in 0..30 {
        enter(&admin, "GET /naer?a", false);
        enter(&admin, "GET /naer", false);
        enter(&admin, "PUT /naer", false);
        enter(&admin, "GET /a", true);
    }
    let entries = list(&admin, "");
    assert_eq!((entries.len(), compared(&admin, "")), (100, 2));
    for entry in &entries {
        let method = entry["method"].as_str().unwrap();
        let expected = match entry["path"].as_str() {
            Some("/naer") => {
                let method = if method == "GET" { "" } else { "; the method is PUT, the rule takes GET" };
                Some(serde_json::json!([format!("`GET /near`: `naer` is nearly `near`{method}")]))
            }
            _ => None,
        };
        assert_eq!(entry.get("closest"), expected.as_ref(), "{entry}");
    }
    // Entries that are searched but not shown are not compared.
    for (query, shown, expected) in [("?path=/a&limit=5", 5, 0), ("?path=/naer&limit=1", 1, 1)] {
        assert_eq!((list(&admin, query).len(), compared(&admin, query)), (shown, expected), "{query}");
    }
    // An archive has no closest rules.
    assert!(!text(&answer(&admin, "GET /app/v1/requests.har", "", b"")).contains("closest"));
}

#[test]
fn of_many_different_requests_the_last_are_compared() {
    let (admin, _) = started();
    (1..=50).for_each(|number| enter(&admin, &format!("GET /{number}"), false));
    for query in ["", "?since=0"] {
        let entries = list(&admin, query);
        let has_closest = |entry: &Value| !entry["closest"].is_null();
        assert_eq!(entries.iter().position(has_closest), Some(30), "{query}");
        assert!(entries[30..].iter().all(has_closest) && entries[0].get("closest") == Some(&Value::Null));
        assert_eq!(compared(&admin, query), 20);
    }
    let one: Value =
        serde_json::from_slice(answer(&admin, "GET /app/v1/requests/1", "", b"").body.bytes()).unwrap();
    assert_eq!(one["closest"], serde_json::json!([]));
}
