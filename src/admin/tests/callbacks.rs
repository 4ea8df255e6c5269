//! Callbacks among the entries: lists, verifications and waits leave them out unless a filter names them, and a replay always does.

use super::*;
use crate::observing::journal::{Exchange, Kind};

/// Records a request, or with a cause the first attempt of a callback.
fn enter(admin: &Arc<Admin>, line: &str, cause: Option<u64>) {
    let request = request(line, "", b"");
    admin.journal.record(&Exchange {
        begun: admin.journal.begin().unwrap(),
        took: 0,
        generation: 1,
        overlay: None,
        request: &request,
        rule: None,
        unmatched: None,
        status: 200,
        answer_headers: &Vec::new(),
        answer_body: b"",
        answer_length: 0,
        error: None,
        fault: None,
        stream: None,
        forwarded: None,
        kind: cause.map_or(Kind::Request, |cause| Kind::Callback { cause, attempt: 1 }),
    });
}

/// Three requests, with three callbacks after the first and one at the end.
fn entered() -> (Arc<Admin>, Jobs) {
    let (admin, jobs) = started();
    enter(&admin, "GET /a/1", None);
    (0..3).for_each(|_| enter(&admin, "POST /hook", Some(1)));
    enter(&admin, "GET /a/2", None);
    enter(&admin, "GET /a/x", None);
    enter(&admin, "POST /hook", Some(5));
    (admin, jobs)
}

#[track_caller]
fn get(admin: &Arc<Admin>, path: &str) -> Value {
    let answer = answer(admin, &format!("GET /app/v1/{path}"), "", b"");
    serde_json::from_slice(answer.body.bytes()).unwrap()
}

#[test]
fn lists_have_requests_unless_other_kinds_are_named() {
    let (admin, _jobs) = entered();
    // The numbers of the list, and whether there are more.
    let table: [(&str, &[u64], bool); 11] = [
        ("", &[1, 5, 6], false),
        ("?limit=3", &[1, 5, 6], false),
        ("?limit=2", &[5, 6], true),
        ("?limit=1", &[6], true),
        ("?limit=0", &[], true),
        ("?since=1&limit=1", &[5], true),
        ("?since=6", &[], false),
        ("?kind=all&limit=2", &[6, 7], true),
        ("?kind=callback", &[2, 3, 4, 7], false),
        ("?kind=callback&limit=2", &[4, 7], true),
        ("?cause=5", &[7], false),
    ];
    for (query, numbers, more) in table {
        let list = get(&admin, &format!("requests{query}"));
        let found: Vec<u64> = list["requests"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["number"].as_u64().unwrap())
            .collect();
        assert_eq!((&*found, list["more"].as_bool(), list["last"].as_u64()), (numbers, Some(more), Some(7)));
        let archive = get(&admin, &format!("requests.har{query}"));
        assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), numbers.len(), "{query}");
    }
    assert_eq!(get(&admin, "requests/7")["cause"], 5);
}

#[test]
fn verifications_and_waits_count_one_kind() {
    let (admin, _jobs) = entered();
    for (query, result) in [
        ("count=3", "success: 3 requests came"),
        ("path=/hook&count=0", "success: 0 requests came"),
        ("kind=callback&count=4", "success: 4 callback attempts were made"),
        ("kind=all&count=7", "success: 7 entries came"),
        (
            "kind=callback&path=/hok",
            "failed: 0 callback attempts were made, not at least 1; nearest: number 7 `POST /hook`: path is `/hook`, not `/hok`",
        ),
        ("cause=1&count=3", "success: 3 callback attempts were made"),
    ] {
        assert_eq!(get(&admin, &format!("verify?{query}"))["result"], result, "{query}");
    }
    for (query, result) in [
        ("count=3", "success: 3 requests came"),
        ("count=4", "failed: 3 of 4 requests came so far"),
        ("cause=5", "success: 1 callback attempt was made"),
        ("kind=callback&count=5", "failed: 4 of 5 callback attempts were made so far"),
    ] {
        let found = get(&admin, &format!("requests/wait?timeout=0&{query}"));
        let found = found["result"].as_str().unwrap();
        assert!(found.starts_with(result), "{query}: {found}");
    }
}

#[test]
fn a_sequence_has_steps_of_both_kinds() {
    let (admin, _jobs) = entered();
    for (body, result) in [
        (r#"[{"path": "/a/1"}, {"path": "/a/2"}]"#, "success: 2 steps in order"),
        (
            r#"[{"path": "/a/1"}, {"kind": "callback", "path": "/hook"}, {"path": "/a/2"}, {"cause": 5}]"#,
            "success: 4 steps in order",
        ),
        (
            r#"{"kind": "all", "sequence": [{"path": "/hook"}, {"path": "/a/2"}]}"#,
            "success: 2 steps in order",
        ),
        (
            r#"{"kind": "request", "sequence": [{"path": "/a/1"}, {"cause": 1}]}"#,
            "failed: failed to parse step 2 of `sequence`: contradicts another condition: kind is `request`, and only callbacks have `cause`",
        ),
    ] {
        let answer = answer(&admin, "POST /app/v1/verify", "", body.as_bytes());
        let found: Value = serde_json::from_slice(answer.body.bytes()).unwrap();
        assert_eq!(found["result"], result, "{body}");
    }
}

#[test]
fn a_replay_has_the_last_requests_and_no_callbacks() {
    let (admin, _jobs) = entered();
    for (count, entries) in [(1, 1), (2, 2), (3, 3), (100, 3)] {
        let answer = answer(&admin, &format!("POST /app/v1/check?replay={count}"), PLAIN, INITIAL);
        let found: Value = serde_json::from_slice(answer.body.bytes()).unwrap();
        assert_eq!(found["replay"]["entries"], entries, "{found}");
    }
}
