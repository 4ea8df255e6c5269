//! `/app/v1/chaos`: entries of chaos for rules.

use super::{End, Raw, get, serves, split};
use crate::harness::{Client, Mock, Reply, eventually};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/ping", || "pong");
    app.add_url_rule("/orders/<int:id>", "order", |id| `order ${id}, ${store.incr("calls")}`, ["GET", "POST"]);
    app.get("/calls", || `${store.get("calls", 0)}`);
    app.get("/own", || make_response("own").fault("reset"));
}
"#;

#[track_caller]
fn set(mock: &Mock, verb: &str, chaos: Value) -> Reply {
    let reply = mock.admin(&format!("{verb} /app/v1/chaos"), &[], chaos.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply
}

/// Returns of each entry its number, its hits, and whether it has ended.
fn shown(mock: &Mock) -> Vec<(u64, u64, bool)> {
    let all = mock.admin("GET /app/v1/chaos", &[], b"").json();
    let number = |entry: &Value, key: &str| entry[key].as_u64().unwrap();
    let show =
        |entry: &Value| (number(entry, "id"), number(entry, "hits"), entry["ended"].as_bool().unwrap());
    all["chaos"].as_array().unwrap().iter().map(show).collect()
}

#[test]
fn rules_misbehave_until_their_entries_are_deleted() {
    let mock = Mock::serving(PROVISION);
    let ids = set(
        &mock,
        "PUT",
        json!([
            { "rule": "/orders/<int:id>", "method": "POST", "fault": "reset" },
            { "rule": "/orders/*", "method": "GET", "delay": 60 },
        ]),
    );
    assert_eq!(ids.text(), r#"{"result":"success: 2 entries of chaos are set","ids":[1,2]}"#);
    let post = get("/orders/7").replace("GET", "POST").replace("Host", "Content-Length: 0\r\nHost");
    assert_eq!(Raw::sent(&mock.traffic, &post).rest(), (Vec::new(), End::Reset));
    let (mut client, began) = (Client::new(&mock.traffic), Instant::now());
    assert_eq!(client.send("GET", "/orders/7", &[], b"").text(), "order 7, 2");
    assert!(began.elapsed() >= Duration::from_millis(60));
    serves(&mut client);
    assert_eq!(shown(&mock), [(1, 1, false), (2, 1, false)]);
    // The entry survives an activation.
    mock.activate("again", PROVISION);
    assert_eq!(Raw::sent(&mock.traffic, &post).rest(), (Vec::new(), End::Reset));
    assert_eq!(shown(&mock), [(1, 2, false), (2, 1, false)]);
    let removed = mock.admin("DELETE /app/v1/chaos?id=1", &[], b"");
    assert_eq!(removed.text(), r#"{"result":"success: 1 entry of chaos has been removed"}"#);
    assert_eq!(mock.post("/orders/7", "text/plain", b"").status, 200);
    let added = set(&mock, "POST", json!({ "path": "/orders/8", "dribble": { "chunks": 2, "ms": 50 } }));
    assert_eq!(added.text(), r#"{"result":"success: 1 entry of chaos is set","ids":[3]}"#);
    let entries = mock.admin("GET /app/v1/chaos", &[], b"").text();
    assert_eq!(
        entries,
        r#"{"chaos":[{"delay":60,"ended":false,"hits":1,"id":2,"method":"GET","rule":"/orders/*"},{"dribble":{"chunks":2,"ms":50},"ended":false,"hits":0,"id":3,"path":"/orders/8"}]}"#
    );
    let removed = mock.admin("DELETE /app/v1/chaos", &[], b"");
    assert_eq!(removed.text(), r#"{"result":"success: 2 entries of chaos have been removed"}"#);
    assert_eq!(shown(&mock), []);
}

#[test]
fn an_answer_in_place_of_the_scripts_runs_no_script() {
    let mock = Mock::serving(PROVISION);
    let busy = json!({
        "endpoint": "order", "status": 503, "headers": { "Retry-After": 1 }, "body": { "error": "busy" }, "times": 2
    });
    set(&mock, "PUT", busy);
    for _ in 0..2 {
        let reply = mock.get("/orders/7");
        assert_eq!((reply.status, reply.reason.as_str()), (503, "Service Unavailable"));
        assert_eq!((reply.header("retry-after"), reply.header("content-type")), ("1", "application/json"));
        assert_eq!(reply.text(), r#"{"error":"busy"}"#);
    }
    assert_eq!(mock.get("/calls").text(), "0");
    assert_eq!(mock.get("/orders/7").text(), "order 7, 1");
    assert_eq!(shown(&mock), [(1, 2, true)]);
    // Fault and delay apply to the entry's own answer: it is held, and ends after half.
    let cut =
        json!({ "status": 500, "body": "0123456789", "fault": "partial", "delay": { "uniform": [20, 30] } });
    set(&mock, "PUT", cut);
    let (received, end) = Raw::sent(&mock.traffic, &get("/ping")).rest();
    let (head, body) = split(&received);
    assert!(head.starts_with("HTTP/1.1 500 ") && head.ends_with("Content-Length: 10"), "{head}");
    assert_eq!((body.as_str(), end), ("01234", End::Closed));
}

#[test]
fn paths_count_where_no_rule_serves() {
    let mock = Mock::serving(PROVISION);
    set(
        &mock,
        "PUT",
        json!([{ "rule": "/none/<int:n>", "fault": "close" }, { "rule": "/nowhere*", "status": 200 }]),
    );
    assert_eq!(Raw::sent(&mock.traffic, &get("/none/7")).rest(), (Vec::new(), End::Closed));
    assert_eq!((mock.get("/none/x").status, mock.get("/nowhere/else").status), (404, 200));
    // An entry replaces the script's own fault.
    set(&mock, "PUT", json!({ "rule": "/own", "fault": "close" }));
    assert_eq!(Raw::sent(&mock.traffic, &get("/own")).rest(), (Vec::new(), End::Closed));
    set(&mock, "PUT", json!([]));
    assert_eq!(Raw::sent(&mock.traffic, &get("/own")).rest(), (Vec::new(), End::Reset));
}

#[test]
fn an_entry_ends_at_its_deadline() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "PUT", json!({ "rule": "/ping", "status": 503, "for": "200ms" }));
    let began = Instant::now();
    assert_eq!(mock.get("/ping").status, 503);
    eventually(|| match mock.get("/ping").status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    let (id, hits, ended) = shown(&mock)[0];
    assert!(id == 1 && hits >= 1 && ended);
}

#[test]
fn a_seed_hits_the_same_requests_again() {
    let mock = Mock::serving(PROVISION);
    let pattern = |seed: u64| -> Vec<u16> {
        set(&mock, "PUT", json!({ "rule": "/ping", "status": 503, "probability": 0.5, "seed": seed }));
        let mut client = Client::new(&mock.traffic);
        (0..50).map(|_| client.send("GET", "/ping", &[], b"").status).collect()
    };
    let first = pattern(7);
    assert_eq!(pattern(7), first);
    assert_ne!(pattern(8), first);
    assert!(first.contains(&200) && first.contains(&503), "{first:?}");
}

#[test]
fn an_invalid_entry_is_refused_and_changes_nothing() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "PUT", json!({ "delay": 1 }));
    for (line, body, status, result) in [
        ("PUT", "x", 400, "failed: the body is not JSON: expected value at line 1 column 1"),
        (
            "POST",
            r#"[{"delay":1},{"delay":-1}]"#,
            400,
            "failed: entry 2: field `delay`: -1 is no time from 0 to 3600000 ms",
        ),
        ("DELETE ?id=9", "", 404, "failed: chaos has no entry 9"),
        ("DELETE ?id=x", "", 400, "failed: query parameter `id` is `x`: not a whole number"),
        ("DELETE ?ids=1", "", 400, "failed: query parameter `ids` is unknown: there is id"),
        (
            "PATCH",
            "{}",
            405,
            "failed: `PATCH` is not served at `/app/v1/chaos`: send DELETE, GET, HEAD, OPTIONS, POST, PUT",
        ),
    ] {
        let (verb, query) = line.split_once(' ').unwrap_or((line, ""));
        let reply = mock.admin(&format!("{verb} /app/v1/chaos{query}"), &[], body.as_bytes());
        assert_eq!((reply.status, reply.json()["result"].as_str().unwrap()), (status, result), "{line}");
    }
    assert_eq!(shown(&mock), [(1, 0, false)]);
}
