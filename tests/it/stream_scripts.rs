//! `stream` and `sse` in scripts, as clients see them. The driver has its own tests.

use crate::harness::{Folder, Mock, binary};
use serde_json::{Value, json};
use std::process::Output;

const SOURCE: &str = r##"
fn registerRules() {
    store["base"] = "of the base";
    app.after_request(|r| { r.headers["X-Streamed"] = r.is_streamed; r });
    app.register_error_handler(404, |e| stream(["not ", "here"], #{ status: 404 }));
    app.get("/text", || stream(["one ", "two"], #{ mimetype: "text/plain" }));
    app.get("/events", || sse(|n| if n < 2 { #{ id: n, data: "a\nb" } }));
    app.get("/store", || stream(|n| { if n < 3 { `${store.incr("n")} ` } }));
    app.get("/abort", || stream(|n| abort(418, "tea")));
    app.get("/fails", || stream(|n| if n == 0 { "a" } else { throw "bad" }));
    app.get("/forever", || stream(|n| "a", #{ every: 3600 }));
    app.get("/chunks", || ["whole", 200, #{ "Transfer-Encoding": "chunked" }]);
}"##;

#[test]
fn streams_arrive_whole_with_the_headers_of_the_script() {
    let mock = Mock::serving(SOURCE);
    for (target, status, media_type, body) in [
        ("/text", 200, "text/plain; charset=utf-8", "one two"),
        (
            "/events",
            200,
            "text/event-stream; charset=utf-8",
            "id: 0\ndata: a\ndata: b\n\nid: 1\ndata: a\ndata: b\n\n",
        ),
        ("/store", 200, "text/html; charset=utf-8", "1 2 3 "),
        ("/chunks", 200, "text/html; charset=utf-8", "whole"),
        ("/unknown", 404, "text/html; charset=utf-8", "not here"),
    ] {
        let reply = mock.get(target);
        assert_eq!((reply.status, reply.text()), (status, body.to_owned()), "{target}");
        let headers = ["Content-Type", "Transfer-Encoding", "Content-Length"].map(|name| reply.header(name));
        assert_eq!(headers, [media_type, "chunked", ""], "{target}");
    }
    assert_eq!((mock.get("/abort").status, mock.get("/text").header("X-Streamed")), (418, "true"));
    let head = mock.send("HEAD", "/text", &[], b"");
    assert_eq!((head.status, head.header("Content-Length"), head.text()), (200, "", String::new()));
    let overlay =
        "fn registerRules() { app.get(\"/over\", || stream(|n| if n < 2 { `${n} ${store[\"base\"]};` })); }";
    let posted = mock.admin(
        "POST /app/v1/provision/over?overlay",
        &[("Content-Type", "text/plain")],
        overlay.as_bytes(),
    );
    assert_eq!(posted.status, 201, "{}", posted.text());
    assert_eq!(mock.get("/over").text(), "0 of the base;1 of the base;");
}

#[test]
fn a_stream_is_tried_without_waiting() {
    let folder = Folder::new();
    folder.write("s", SOURCE);
    let attempt = |method: &str, target: &str| -> Output {
        binary().args(["try", "s", method, target]).current_dir(&folder.0).output().unwrap()
    };
    let head = |rest: &str| format!("HTTP/1.1 200 OK\r\n{rest}X-Streamed: true\r\n\r\n");
    let html = "Content-Type: text/html; charset=utf-8\r\n";
    let plain = "Content-Type: text/plain; charset=utf-8\r\n";
    let fails =
        "ERROR GET /fails: script error in provision `s`: line 10, column 62: bad (piece 1 of a stream)\n";
    for (method, target, code, out, error) in [
        ("GET", "/text", 0, head(plain) + "one two", "stream: 2 pieces in 0 ms\n".to_owned()),
        (
            "GET",
            "/fails",
            1,
            head(html) + "a",
            "stream: 1 piece in 0 ms, then the connection breaks\n".to_owned(),
        ),
        (
            "GET",
            "/forever",
            0,
            head(html) + &"a".repeat(1000),
            "stream: 1000 pieces in 3596400000 ms, and it goes on: `h1mock try` makes no more\n".to_owned(),
        ),
    ] {
        let output = attempt(method, target);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(code), out), "{target}");
        let found = text(&output.stderr);
        assert!(found.ends_with(&error), "{found}");
        assert_eq!(found.starts_with(fails), target == "/fails", "{found}");
    }
}

#[test]
fn a_replay_compares_the_pieces_and_leaves_no_trace() {
    let mock = Mock::serving(SOURCE);
    for target in ["/text", "/store", "/events"] {
        mock.get(target);
    }
    drop(mock.send("HEAD", "/forever", &[], b""));
    let replay = |source: &str| -> Value {
        let reply =
            mock.admin("POST /app/v1/check?replay=9", &[("Content-Type", "text/plain")], source.as_bytes());
        assert_eq!(reply.status, 200, "{}", reply.text());
        reply.json()["replay"].clone()
    };
    let same = replay(SOURCE);
    assert_eq!((&same["same"], &same["unknown"]), (&json!(4), &json!(0)), "{same}");
    let next = replay(&SOURCE.replace("\"two\"", "\"three\"").replace("\"a\\nb\"", "n"));
    assert_eq!((&next["same"], &next["different"]), (&json!(2), &json!(2)), "{next}");
    assert_eq!(next["differences"][0]["body"], json!({ "position": 5, "before": "wo", "after": "hree" }));
    assert_eq!(mock.get("/store").text(), "4 5 6 ");
    assert_eq!(
        mock.admin("GET /app/v1/requests", &[], b"").json()["requests"].as_array().map(Vec::len),
        Some(5)
    );
}
