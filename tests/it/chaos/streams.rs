//! Faults of streams: delays between pieces, breaks and garbage after some of them.

use super::{End, Raw, get, serves, split};
use crate::harness::{Client, Mock};
use serde_json::{Value, json};
use std::io::Read;
use std::time::{Duration, Instant};

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/ping", || "pong");
    app.get("/list", || stream(["one", "two", "three"]));
    app.get("/made", || stream(|n| { store.incr("made"); if n < 3 { `piece${n}` } }));
    app.get("/made/count", || `${store.get("made", 0)}`);
    app.get("/empty", || stream([]));
    app.get("/late", || stream(["one", "two", "three"]).stream_delay(40));
    app.get("/both", || stream(["one", "two", "three"]).stream_delay_uniform(20, 30).stream_delay_lognormal(20, 0).break_after(2));
    app.get("/break/<int:n>", |n| stream(["one", "two", "three"]).break_after(n));
    app.get("/garbage/<int:n>", |n| stream(["one", "two", "three"]).garbage_after(n));
    app.get("/fault/<kind>", |kind| stream(["one", "two", "three"]).fault(kind));
    app.get("/late-fault/<kind>", |kind| stream(["one", "two", "three"]).delay(30).fault(kind));
    app.get("/half", || stream(["one", "two", "three"]).break_after(1, #{ probability: 0.5, seed: 7 }));
    app.get("/never", || stream(["one", "two"]).break_after(0, #{ probability: 0 }).stream_delay(3000, #{ probability: 0.0 }));
    app.get("/replaced", || stream(["one", "two"]).break_after(0).stream_delay(3000));
    app.get("/fails", || stream(|n| if n < 1 { "one" } else { throw "no more" }).break_after(1));
    app.get("/fails-first", || stream(|n| { throw "none" }));
    app.after_request(|response| if request.path == "/replaced" { "whole" } else { response });
}
"#;

const GARBAGE: &[u8] = b"\x00\xff\xfegarbage\xfe\xff\x00\r\n\r\n";

#[track_caller]
fn set(mock: &Mock, chaos: Value) {
    let reply = mock.admin("PUT /app/v1/chaos", &[], chaos.to_string().as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Returns the hits of each entry.
fn hits(mock: &Mock) -> Vec<u64> {
    let all = mock.admin("GET /app/v1/chaos", &[], b"").json();
    all["chaos"].as_array().unwrap().iter().map(|entry| entry["hits"].as_u64().unwrap()).collect()
}

/// The last entry of the journal.
fn entry(mock: &Mock) -> Value {
    mock.admin("GET /app/v1/requests?limit=1", &[], b"").json()["requests"][0].clone()
}

/// Returns status and fault of the last entry of the journal.
fn last_entry(mock: &Mock) -> (u64, Value) {
    let last = entry(mock);
    (last["status"].as_u64().unwrap(), last["fault"].clone())
}

/// Returns how the stream of the last entry ended, and its pieces; null where the answer is no stream.
fn ending(mock: &Mock) -> Value {
    let stream = &entry(mock)["stream"];
    json!([stream["ended"], stream["pieces"]])
}

/// The pieces of a chunked body, and whether its last chunk came.
fn chunks(mut body: &[u8]) -> (Vec<String>, bool, Vec<u8>) {
    let mut pieces = Vec::new();
    loop {
        let line = body.windows(2).position(|two| two == b"\r\n");
        let size =
            line.and_then(|end| usize::from_str_radix(std::str::from_utf8(&body[..end]).ok()?, 16).ok());
        let (Some(line), Some(size)) = (line, size) else { return (pieces, false, body.to_vec()) };
        let (content, rest) = body[line + 2..].split_at(size);
        let rest = rest.strip_prefix(b"\r\n").unwrap();
        if size == 0 {
            return (pieces, true, rest.to_vec());
        }
        pieces.push(String::from_utf8(content.to_vec()).unwrap());
        body = rest;
    }
}

/// Asks for `path` over HTTP/1.1, and reads to the end of the connection.
#[track_caller]
fn broken(mock: &Mock, path: &str) -> (Vec<String>, bool, Vec<u8>) {
    let (received, end) = Raw::sent(&mock.traffic, &get(path)).rest();
    assert_eq!(end, End::Closed, "{path}");
    let head = split(&received).0;
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.contains("Transfer-Encoding: chunked"), "{head}");
    chunks(&received[head.len() + 4..])
}

fn whole(mock: &Mock, path: &str) -> String {
    mock.get(path).text()
}

#[test]
fn a_stream_breaks_after_so_many_pieces() {
    let mock = Mock::serving(PROVISION);
    let all = ["one", "two", "three"];
    for count in 0..=3 {
        assert_eq!(
            broken(&mock, &format!("/break/{count}")),
            (all[..count].to_vec().iter().map(|piece| piece.to_string()).collect(), false, vec![])
        );
        assert_eq!(last_entry(&mock), (200, json!(format!("stream break after {count}"))));
        assert_eq!(ending(&mock), json!(["chaos", count]));
        // A strict client takes it for broken.
        assert!(Client::new(&mock.traffic).try_send("GET", &format!("/break/{count}"), &[], b"").is_err());
    }
    // A stream with fewer pieces ends whole, and its connection goes on.
    let mut client = Client::new(&mock.traffic);
    assert_eq!(client.send("GET", "/break/4", &[], b"").text(), "onetwothree");
    assert_eq!(ending(&mock), json!(["complete", 3]));
    serves(&mut client);
    let head = client.send("HEAD", "/break/0", &[], b"");
    assert_eq!((head.status, head.header("transfer-encoding")), (200, "chunked"));
    assert_eq!((last_entry(&mock), ending(&mock)), ((200, Value::Null), json!([null, null])));
    serves(&mut client);
    // Before its script would fail.
    assert_eq!(broken(&mock, "/fails"), (vec!["one".to_owned()], false, vec![]));
    assert_eq!((ending(&mock), &entry(&mock)["error"]), (json!(["chaos", 1]), &Value::Null));
    assert_eq!(whole(&mock, "/never"), "onetwo");
    assert_eq!(whole(&mock, "/replaced"), "whole");
    assert_eq!(last_entry(&mock), (200, Value::Null));
}

#[test]
fn a_stream_is_spoilt_after_so_many_pieces() {
    let mock = Mock::serving(PROVISION);
    for (count, pieces) in [(0, vec![]), (2, vec!["one".to_owned(), "two".to_owned()])] {
        let path = format!("/garbage/{count}");
        assert_eq!(broken(&mock, &path), (pieces, false, GARBAGE.to_vec()));
        assert_eq!(last_entry(&mock).1, json!(format!("stream garbage after {count}")));
        assert_eq!(ending(&mock), json!(["chaos", count]));
        assert!(Client::new(&mock.traffic).try_send("GET", &path, &[], b"").is_err());
    }
}

#[test]
fn a_stream_of_http_1_0_ends_with_a_reset() {
    let mock = Mock::serving(PROVISION);
    for (path, body) in [
        ("/break/0", &b""[..]),
        ("/break/2", b"onetwo"),
        ("/garbage/1", &[b"one", GARBAGE].concat()),
        ("/fault/partial", b"one"),
    ] {
        let (received, end) = Raw::sent(&mock.traffic, &format!("GET {path} HTTP/1.0\r\n\r\n")).rest();
        let head = split(&received).0;
        assert!(head.starts_with("HTTP/1.0 200 OK\r\n") || head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
        assert_eq!((&received[head.len() + 4..], end), (body, End::Reset), "{path}");
        assert_eq!(ending(&mock)[0], "chaos", "{path}");
    }
}

#[test]
fn pieces_are_delayed_and_the_first_is_not() {
    let mock = Mock::serving(PROVISION);
    set(&mock, json!([]));
    for (path, chaos, least) in [
        ("/late", json!([]), 80),
        ("/both", json!([]), 40),
        ("/list", json!({ "stream": { "delay": 40 } }), 80),
        ("/made", json!({ "stream": { "delay": { "uniform": [30, 40] } } }), 60),
        ("/late", json!([{ "stream": { "delay": 10 } }, { "stream": { "delay": 10 } }]), 120),
    ] {
        set(&mock, chaos);
        let began = Instant::now();
        let mut raw = Raw::sent(&mock.traffic, &get(path));
        let mut received = raw.next();
        let first = began.elapsed();
        let mut rest = [0; 4096];
        while !received.ends_with(b"0\r\n\r\n") {
            match raw.0.read(&mut rest).unwrap() {
                0 => break,
                count => received.extend_from_slice(&rest[..count]),
            }
        }
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(least), "{path}: {took:?}");
        assert!(took - first >= Duration::from_millis(least / 2), "{path}: {first:?} of {took:?}");
    }
    let words = "stream delay 40 ms, stream delay 10 ms (chaos 3), stream delay 10 ms (chaos 4)";
    assert_eq!(last_entry(&mock), (200, json!(words)));
    // The delay before the answer comes before the first piece.
    set(&mock, json!({ "delay": 50, "stream": { "break_after": 1 } }));
    let began = Instant::now();
    assert_eq!(broken(&mock, "/list").0, ["one"]);
    assert!(began.elapsed() >= Duration::from_millis(50));
    assert_eq!(last_entry(&mock), (200, json!("delay 50 ms (chaos 5), stream break after 1 (chaos 5)")));
}

#[test]
fn faults_before_the_answer_leave_no_stream() {
    let mock = Mock::serving(PROVISION);
    for (kind, bytes, end) in
        [("reset", &b""[..], End::Reset), ("close", b"", End::Closed), ("garbage", GARBAGE, End::Closed)]
    {
        for path in [format!("/fault/{kind}"), format!("/late-fault/{kind}")] {
            assert_eq!(Raw::sent(&mock.traffic, &get(&path)).rest(), (bytes.to_vec(), end), "{path}");
        }
        assert_eq!(last_entry(&mock), (0, json!(format!("delay 30 ms, fault {kind}"))));
        assert_eq!(ending(&mock), json!([null, null]));
        set(&mock, json!([{ "fault": kind }, { "stream": { "delay": 1 } }]));
        assert_eq!(Raw::sent(&mock.traffic, &get("/list")).rest(), (bytes.to_vec(), end), "{kind}");
        assert_eq!(hits(&mock), [1, 0]);
        set(&mock, json!([]));
    }
    // A partial answer has one piece.
    assert_eq!(broken(&mock, "/fault/partial"), (vec!["one".to_owned()], false, vec![]));
    assert_eq!((last_entry(&mock), ending(&mock)), ((200, json!("fault partial")), json!(["chaos", 1])));
    // Chaos applies to the page of a stream that fails at once.
    set(&mock, json!([{ "path": "/fails-first", "fault": "close" }, { "stream": { "break_after": 0 } }]));
    assert_eq!(Raw::sent(&mock.traffic, &get("/fails-first")).rest(), (vec![], End::Closed));
    assert_eq!(hits(&mock), [1, 0]);
}

#[test]
fn an_entry_counts_streams_alone_and_ends_by_times() {
    let mock = Mock::serving(PROVISION);
    set(&mock, json!({ "stream": { "break_after": 1 }, "times": 2 }));
    let mut client = Client::new(&mock.traffic);
    serves(&mut client);
    assert_eq!(client.send("HEAD", "/list", &[], b"").status, 200);
    assert_eq!((hits(&mock), last_entry(&mock).1), (vec![0], Value::Null));
    for _ in 0..2 {
        assert_eq!(broken(&mock, "/made").0, ["piece0"]);
    }
    assert_eq!(last_entry(&mock).1, json!("stream break after 1 (chaos 1)"));
    assert_eq!(whole(&mock, "/list"), "onetwothree");
    assert_eq!(
        mock.admin("GET /app/v1/chaos", &[], b"").text(),
        r#"{"chaos":[{"ended":true,"hits":2,"id":1,"stream":{"break_after":1},"times":2}]}"#
    );
    // No piece is made beyond the break: one for each of the two streams.
    assert_eq!(whole(&mock, "/made/count"), "2");
    // A stream without pieces, and one for another layer.
    set(
        &mock,
        json!([{ "stream": { "break_after": 1 }, "path": "/empty" }, { "stream": { "break_after": 1 }, "overlay": "busy" }]),
    );
    assert_eq!((whole(&mock, "/empty"), whole(&mock, "/list")), (String::new(), "onetwothree".to_owned()));
    let overlay = "fn registerRules() { app.get(\"/list\", || stream([\"own\", \"end\"])); }";
    let reply = mock.admin(
        "POST /app/v1/provision/busy?overlay",
        &[("Content-Type", "text/plain")],
        overlay.as_bytes(),
    );
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(broken(&mock, "/list").0, ["own"]);
    assert_eq!(hits(&mock), [1, 1]);
    // A dribble has no effect, and the journal says so.
    set(&mock, json!({ "dribble": { "chunks": 2, "ms": 3000 } }));
    assert_eq!(whole(&mock, "/made"), "piece0piece1piece2");
    assert_eq!(last_entry(&mock).1, json!("dribble 2 chunks in 3000 ms (chaos 4), no dribble of a stream"));
}

#[test]
fn a_running_stream_keeps_its_faults() {
    let mock = Mock::serving(PROVISION);
    set(&mock, json!({ "stream": { "delay": 100, "break_after": 2 } }));
    let mut raw = Raw::sent(&mock.traffic, &get("/list"));
    let mut received = raw.next();
    assert_eq!(mock.admin("DELETE /app/v1/chaos", &[], b"").status, 200);
    let (rest, end) = raw.rest();
    received.extend_from_slice(&rest);
    let head = split(&received).0;
    assert_eq!(
        (chunks(&received[head.len() + 4..]).0, end),
        (vec!["one".to_owned(), "two".to_owned()], End::Closed)
    );
    assert_eq!(ending(&mock), json!(["chaos", 2]));
    assert_eq!(whole(&mock, "/list"), "onetwothree");
}

#[test]
fn a_seed_breaks_the_same_streams_again() {
    let mock = Mock::serving(PROVISION);
    let pattern = |path: &str| -> Vec<bool> {
        let ask = |_| Client::new(&mock.traffic).try_send("GET", path, &[], b"").is_ok();
        (0..30).map(ask).collect()
    };
    let by_entry = |seed: u64| {
        set(&mock, json!({ "stream": { "break_after": 1 }, "probability": 0.5, "seed": seed }));
        // Other answers take no step of the sequence.
        mock.get("/ping");
        pattern("/list")
    };
    let first = by_entry(7);
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    assert_eq!(by_entry(7), first);
    assert_ne!(by_entry(8), first);
    set(&mock, json!([{ "stream": { "break_after": 1 }, "probability": 0 }]));
    assert!(pattern("/list").iter().all(|whole| *whole));
    set(&mock, json!([]));
    let first = pattern("/half");
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    mock.activate("again", PROVISION);
    assert_eq!(pattern("/half"), first);
}

#[test]
fn an_invalid_fault_of_a_stream_is_an_error_with_its_place() {
    let no_stream = "the response is no stream: stream(...) and sse(...) make one";
    let cases = [
        ("make_response(\"x\").stream_delay(5)", format!("stream_delay: {no_stream}")),
        ("make_response(\"x\").break_after(1)", format!("break_after: {no_stream}")),
        ("make_response(\"x\").garbage_after(1)", format!("garbage_after: {no_stream}")),
        ("stream([]).stream_delay(-5)", "stream_delay: -5 is no time from 0 to 3600000 ms".into()),
        ("stream([]).stream_delay(\"1s\")", "stream_delay takes numbers, not string".into()),
        ("stream([]).stream_delay_uniform(9, 5)", "stream_delay_uniform: 9 is above 5".into()),
        (
            "stream([]).stream_delay_lognormal(5, 11)",
            "stream_delay_lognormal: 11 is no sigma from 0 to 10".into(),
        ),
        ("stream([]).break_after(-1)", "break_after: -1 is no number of pieces from 0 to 1000000000".into()),
        (
            "stream([]).garbage_after(1, #{ chance: 1 })",
            "garbage_after: option `chance` is unknown: there are probability and seed".into(),
        ),
        (
            "stream([]).dribble(2, 5)",
            "dribble: a stream leaves in its pieces: stream_delay(ms) makes it slow".into(),
        ),
        (
            "{ let r = stream([]); for n in 0..101 { r.stream_delay(1) } r }",
            "stream_delay: a stream has at most 100 delays".into(),
        ),
    ];
    let rules: String =
        (0..).zip(&cases).map(|(n, (call, _))| format!("app.get(\"/{n}\", || {call});\n")).collect();
    let mock = Mock::serving(&format!("fn registerRules() {{\n{rules}}}\n"));
    for (n, (call, error)) in (0..).zip(&cases) {
        let reply = mock.get(&format!("/{n}"));
        let text = reply.text();
        let first = text.lines().next().unwrap_or_default();
        assert!(reply.status == 500 && first.ends_with(&format!(": {error}")), "{call}: {text}");
    }
}
