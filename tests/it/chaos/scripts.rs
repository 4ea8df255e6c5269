//! Delays and faults that responses of scripts ask for.

use super::{End, Raw, get, serves, split};
use crate::harness::{Client, Mock};
use std::time::{Duration, Instant};

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/ping", || "pong");
    app.get("/fault/<kind>", |kind| make_response("0123456789").fault(kind));
    app.get("/short", || make_response("x").fault("partial"));
    app.get("/none", || make_response("", 204).fault("partial"));
    app.get("/late/<kind>", |kind| make_response("0123456789").delay(60).fault(kind));
    app.get("/slow-fault", || make_response("0123456789").dribble(2, 60).fault("partial"));
    app.get("/delay/<int:ms>", |ms| make_response("late").delay(ms));
    app.get("/sum", || { time.sleep(0.04); Response("late").delay(30).delay(30.5) });
    app.get("/uniform", || make_response("u").delay_uniform(20, 40));
    app.get("/lognormal", || make_response("l").delay_lognormal(20, 0.1));
    app.get("/dribble/<int:chunks>/<int:ms>", |chunks, ms| make_response("0123456789").dribble(chunks, ms));
    app.get("/some", || make_response("x").fault("close", #{ probability: 0.5, seed: 7 }));
    app.get("/never", || make_response("x").fault("reset", #{ probability: 0 }).delay(3000, #{ probability: 0.0 }));
    app.get("/throws", || abort(418));
    app.get("/marked", || "marked");
    app.register_error_handler(418, |e| [make_response("tea").delay(50).fault("partial"), 418]);
    app.after_request(|response| {
        if request.path == "/marked" { response.delay(50).dribble(3, 60); }
        response
    });
}
"#;

fn mock() -> Mock {
    Mock::serving(PROVISION)
}

const GARBAGE: &[u8] = b"\x00\xff\xfegarbage\xfe\xff\x00\r\n\r\n";

#[test]
fn each_fault_breaks_the_connection_in_its_way() {
    let mock = mock();
    for (kind, bytes, end) in
        [("reset", &b""[..], End::Reset), ("close", b"", End::Closed), ("garbage", GARBAGE, End::Closed)]
    {
        for line in [get(&format!("/fault/{kind}")), get(&format!("/fault/{kind}")).replace("GET", "HEAD")] {
            let mut raw = Raw::sent(&mock.traffic, &line);
            assert_eq!(raw.rest(), (bytes.to_vec(), end), "{line}");
        }
        // The same after a delay, and with a second request sent ahead, which is lost.
        let ahead = get(&format!("/late/{kind}")) + &get("/ping");
        let (mut raw, began) = (Raw::sent(&mock.traffic, &ahead), Instant::now());
        assert_eq!(raw.rest(), (bytes.to_vec(), end), "{kind}");
        assert!(began.elapsed() >= Duration::from_millis(60), "{kind}");
        // On a connection that has had an answer before.
        let mut raw = Raw::sent(&mock.traffic, &(get("/ping") + &get(&format!("/fault/{kind}"))));
        let (received, ended) = raw.rest();
        let (head, rest) = split(&received);
        assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && rest.starts_with("pong"), "{head}");
        assert_eq!(ended, end, "{kind}");
        if end == End::Closed {
            assert!(received.ends_with(&[b"pong", bytes].concat()), "{kind}");
        }
    }
}

#[test]
fn a_partial_answer_declares_the_whole_and_sends_half() {
    let mock = mock();
    let (received, end) = Raw::sent(&mock.traffic, &get("/fault/partial")).rest();
    let (head, body) = split(&received);
    assert!(head.ends_with("\r\nContent-Length: 10"), "{head}");
    assert_eq!((body.as_str(), end), ("01234", End::Closed));
    // Half of a body of one byte is empty, but the head is whole.
    let (received, end) = Raw::sent(&mock.traffic, &get("/short")).rest();
    let (head, body) = split(&received);
    assert!(received.ends_with(b"\r\n\r\n") && head.ends_with("\r\nContent-Length: 1"), "{head}");
    assert_eq!((body.as_str(), end), ("", End::Closed));
    // Where no body is sent, the head is truncated.
    for line in [get("/none"), get("/fault/partial").replace("GET", "HEAD")] {
        let (received, end) = Raw::sent(&mock.traffic, &line).rest();
        let (head, _) = split(&received);
        assert!(head.starts_with("HTTP/1.1 20") && !received.ends_with(b"\r\n\r\n"), "{head}");
        assert_eq!(end, End::Closed);
    }
    // An HTTP client sees that a part is missing.
    assert!(Client::new(&mock.traffic).try_send("GET", "/fault/partial", &[], b"").is_err());
    let began = Instant::now();
    let (received, end) = Raw::sent(&mock.traffic, &get("/slow-fault")).rest();
    assert_eq!((split(&received).1.as_str(), end), ("01234", End::Closed));
    assert!(began.elapsed() >= Duration::from_millis(60));
}

#[test]
fn delays_add_up_with_sleeps_and_keep_the_connection() {
    let mock = mock();
    let mut client = Client::new(&mock.traffic);
    for (path, least) in [
        ("/delay/0", 0),
        ("/delay/80", 80),
        ("/sum", 100),
        ("/uniform", 20),
        ("/lognormal", 10),
        ("/marked", 110),
    ] {
        let began = Instant::now();
        let reply = client.send("GET", path, &[], b"");
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        assert!(began.elapsed() >= Duration::from_millis(least), "{path}: {:?}", began.elapsed());
        assert!(began.elapsed() < Duration::from_millis(least + 5000), "{path}: {:?}", began.elapsed());
    }
    let began = Instant::now();
    assert_eq!(client.send("HEAD", "/delay/80", &[], b"").header("content-length"), "4");
    assert!(began.elapsed() >= Duration::from_millis(80));
    serves(&mut client);
    // Requests that are sent ahead are answered in order.
    client.write((get("/delay/60") + &get("/ping")).as_bytes());
    assert_eq!((client.read(false).text(), client.read(false).text()), ("late".into(), "pong".into()));
}

#[test]
fn a_body_dribbles_over_the_time_in_all() {
    let mock = mock();
    let mut raw = Raw::sent(&mock.traffic, &get("/dribble/5/200"));
    let (head, body) = split(&raw.next());
    let began = Instant::now();
    assert!(head.ends_with("\r\nContent-Length: 10") && body.is_empty(), "{head} {body}");
    let mut pieces: Vec<Vec<u8>> = Vec::new();
    while pieces.concat().len() < 10 {
        pieces.push(raw.next());
    }
    assert_eq!(pieces.concat(), b"0123456789");
    assert!(pieces.len() <= 5 && pieces.len() > 1, "{pieces:?}");
    // A slow reader may get two pieces at once, and the first of them late.
    assert!(began.elapsed() >= Duration::from_millis(150), "{:?}", began.elapsed());
    // More pieces than bytes; one piece; at once for HEAD; the connection stays open.
    let mut client = Client::new(&mock.traffic);
    for (path, least) in [("/dribble/10000/100", 100), ("/dribble/1/100", 100), ("/dribble/3/0", 0)] {
        let began = Instant::now();
        assert_eq!(client.send("GET", path, &[], b"").text(), "0123456789");
        assert!(began.elapsed() >= Duration::from_millis(least), "{path}");
    }
    let began = Instant::now();
    assert_eq!(client.send("HEAD", "/dribble/5/10000", &[], b"").header("content-length"), "10");
    assert!(began.elapsed() < Duration::from_secs(5));
    serves(&mut client);
}

#[test]
fn a_seed_decides_and_begins_anew_with_each_activation() {
    let mock = mock();
    let pattern = || -> Vec<bool> {
        let ask = |_| Client::new(&mock.traffic).try_send("GET", "/some", &[], b"").is_ok();
        (0..40).map(ask).collect()
    };
    let first = pattern();
    assert!(first.contains(&true) && first.contains(&false), "{first:?}");
    assert_ne!(pattern(), first, "the sequence goes on");
    mock.activate("again", PROVISION);
    assert_eq!(pattern(), first);
    for _ in 0..20 {
        assert_eq!(mock.get("/never").text(), "x");
    }
}

#[test]
fn error_handlers_can_delay_and_break() {
    let mock = mock();
    let began = Instant::now();
    let (received, end) = Raw::sent(&mock.traffic, &get("/throws")).rest();
    let (head, body) = split(&received);
    assert!(head.starts_with("HTTP/1.1 418 "), "{head}");
    assert_eq!((body.as_str(), end), ("t", End::Closed));
    assert!(began.elapsed() >= Duration::from_millis(50));
}

#[test]
fn an_invalid_delay_or_fault_is_an_error_with_its_place() {
    let cases = [
        ("delay(-5)", "delay: -5 is no time from 0 to 3600000 ms"),
        ("delay(0.0 / 0.0)", "delay: NaN is no time from 0 to 3600000 ms"),
        ("delay(\"1s\")", "delay takes numbers, not string"),
        ("delay(3600000).delay(1)", "an answer can be held back for 3600 s at most"),
        ("delay_uniform(9, 5)", "delay_uniform: 9 is above 5"),
        ("delay_lognormal(100, -1)", "delay_lognormal: -1 is no sigma from 0 to 10"),
        ("dribble(0, 100)", "dribble: 0 is no number of chunks from 1 to 10000"),
        ("dribble(5, -1.5)", "dribble: -1.5 is no time from 0 to 3600000 ms"),
        ("fault(\"boom\")", "fault: `boom` is none of reset, close, garbage and partial"),
        ("fault(\"reset\", #{ probability: 20 })", "fault: 20 is no probability from 0 to 1"),
        ("fault(\"reset\", #{ seed: \"x\" })", "fault: `seed` is an integer, not string"),
        ("delay(1, #{ chance: 0.5 })", "delay: option `chance` is unknown: there are probability and seed"),
    ];
    let rules: String = (0..)
        .zip(cases)
        .map(|(n, (call, _))| format!("app.get(\"/{n}\", || make_response(\"x\")\n.{call});\n"))
        .collect();
    let mock = Mock::serving(&format!("fn registerRules() {{\n{rules}}}\n"));
    for (n, (call, error)) in (0..).zip(cases) {
        let reply = mock.get(&format!("/{n}"));
        let text = reply.text();
        let (first, column) =
            (text.lines().next().unwrap_or_default(), if call.contains(").delay") { 17 } else { 2 });
        let line = 3 + 2 * n;
        let expected = format!("script error in provision `initial`: line {line}, column {column}: {error}");
        assert_eq!((reply.status, first), (500, expected.as_str()), "{call}");
    }
}
