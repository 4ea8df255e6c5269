//! Callbacks: requests that a script sends after its answer, to a receiver of this process.

use crate::harness::{Client, DEADLINE, Mock, eventually};
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// A server that takes callbacks, one connection after the other.
struct Hooks {
    address: String,
    arrived: Receiver<Hook>,
}

/// A callback that has arrived.
struct Hook {
    at: Instant,
    head: String,
    body: String,
}

impl Hook {
    fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    fn field(&self, name: &str) -> &str {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or("", |(_, value)| value)
    }
}

impl Hooks {
    /// Answers the first requests with `answers`, status and further fields, and later ones with 204.
    fn answering(answers: &'static [&'static str]) -> Hooks {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (send, arrived) = mpsc::channel();
        let mut answers: VecDeque<&str> = answers.iter().copied().collect();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let Some(hook) = receive(&stream) else { continue };
                let answer = answers.pop_front().unwrap_or("204 No Content");
                let _ = (&stream).write_all(format!("HTTP/1.1 {answer}\r\n\r\n").as_bytes());
                if send.send(hook).is_err() {
                    return;
                }
            }
        });
        Hooks { address, arrived }
    }

    fn new() -> Hooks {
        Hooks::answering(&[])
    }

    #[track_caller]
    fn next(&self) -> Hook {
        self.arrived.recv_timeout(DEADLINE).unwrap()
    }

    /// Fails if a callback has arrived.
    #[track_caller]
    fn none(&self) {
        assert!(self.arrived.try_recv().is_err());
    }

    /// Starts a mock whose view `POST /pay` runs `script`, where `url` is that of this server.
    fn mock(&self, arguments: &[&str], script: &str) -> Mock {
        let source = format!(
            "fn registerRules() {{ app.post(\"/pay\", pay); app.get(\"/fast\", || \"fast\"); }}\n\
             fn pay() {{ let url = \"http://{}/hook?a=b\"; {script} }}",
            self.address
        );
        Mock::start_with(arguments, |folder| folder.write("provision/initial", &source))
    }
}

fn receive(stream: &TcpStream) -> Option<Hook> {
    stream.set_read_timeout(Some(DEADLINE)).ok()?;
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut hook = Hook { at: Instant::now(), head, body: String::new() };
    let length = hook.field("content-length").parse().unwrap_or(0);
    reader.take(length).read_to_string(&mut hook.body).ok()?;
    Some(hook)
}

const FROZEN: [&str; 2] = ["--clock", "2026-01-01T00:00:00Z"];

#[track_caller]
fn pay(mock: &Mock, status: u16) {
    let reply = mock.send("POST", "/pay", &[], b"");
    assert_eq!(reply.status, status, "{}", reply.text());
}

#[track_caller]
fn clock(mock: &Mock, query: &str, change: &str) {
    let reply = mock.admin(&format!("PUT /app/v1/clock{query}"), &[], change.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Returns the entries of the journal that `query` chooses, once there are `count`.
#[track_caller]
fn entries(mock: &Mock, query: &str, count: usize) -> Vec<Value> {
    eventually(|| {
        let reply = mock.admin(&format!("GET /app/v1/requests?{query}"), &[], b"");
        match reply.json()["requests"].as_array() {
            Some(entries) if entries.len() == count => Ok(entries.clone()),
            _ => Err(reply.text()),
        }
    })
}

/// Waits until the journal of `mock` has `count` entries: requests and attempts of callbacks.
#[track_caller]
fn until_entered(mock: &Mock, count: usize) {
    entries(mock, "kind=all", count);
}

#[test]
fn a_callback_leaves_after_the_answer_with_what_the_script_gave() {
    let hooks = Hooks::new();
    let mock = hooks.mock(
        &[],
        r#"callback(url, #{ json: #{ id: 7 }, headers: #{ "X-Signature": "abc" } }); time.sleep(0.2); ["paid", 202]"#,
    );
    let reply = mock.send("POST", "/pay", &[("Baggage", "test=17")], b"");
    let answered = Instant::now();
    assert_eq!((reply.status, reply.text().as_str()), (202, "paid"));
    let hook = hooks.next();
    // The client needs a moment to read the answer.
    assert!(hook.at + Duration::from_millis(150) > answered, "before the answer");
    assert_eq!((hook.line(), hook.body.as_str()), ("POST /hook?a=b HTTP/1.1", r#"{"id":7}"#));
    for (name, value) in [
        ("host", &*hooks.address),
        ("content-type", "application/json"),
        ("content-length", "8"),
        ("x-signature", "abc"),
        ("baggage", "test=17"),
    ] {
        assert_eq!(hook.field(name), value, "{name}");
    }
    assert!(hook.field("user-agent").starts_with("h1mock/"), "{}", hook.head);
}

#[test]
fn hooks_errors_faults_and_streams_send_callbacks() {
    let hooks = Hooks::new();
    let mock = Mock::serving(
        &r#"fn registerRules() {
            app.after_request(|response| { if request.path == "/after" { callback("URL", #{ body: "after" }); } });
            app.get("/after", || "x");
            app.get("/error", || { callback("URL", #{ body: "error" }); throw "broken" });
            app.get("/fault", || { callback("URL", #{ body: "fault" }); make_response("x").fault("reset") });
            app.get("/stream", || { callback("URL", #{ body: "stream" }); stream(|n| { if n > 0 { time.sleep(3600); } "x" }) });
            app.get("/wait", || { callback("URL", #{ body: "wait" }); wait_for("k", 0.05) });
        }"#
        .replace("URL", &format!("http://{}/", hooks.address)),
    );
    for (path, body) in [
        ("/after", "after"),
        ("/error", "error"),
        ("/fault", "fault"),
        ("/stream", "stream"),
        ("/wait", "wait"),
    ] {
        let mut client = Client::new(&mock.traffic);
        client.write(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
        assert_eq!(hooks.next().body, body);
    }
    hooks.none();
}

#[test]
fn the_clock_of_the_test_moves_callbacks() {
    let hooks = Hooks::new();
    let mock = hooks.mock(&FROZEN, "callback(url, #{ after: 86400, body: request.text }); \"\"");
    for number in ["1", "2", "3", "4", "5", "6", "7", "8"] {
        // The test may advance the clock as soon as it has the answer.
        assert_eq!(mock.send("POST", "/pay", &[], number.as_bytes()).status, 200);
        clock(&mock, "", r#"{"advance": "23h"}"#);
        hooks.none();
        clock(&mock, "", r#"{"advance": "1h"}"#);
        assert_eq!(hooks.next().body, number);
    }
    // A clock of its own: that of all requests does not move it.
    clock(&mock, "?baggage=test%3D17", r#"{"freeze": "2026-01-01T00:00:00Z"}"#);
    assert_eq!(mock.send("POST", "/pay", &[("Baggage", "test=17")], b"own").status, 200);
    assert_eq!(mock.send("POST", "/pay", &[], b"all").status, 200);
    clock(&mock, "", r#"{"advance": "25h"}"#);
    assert_eq!(hooks.next().body, "all");
    clock(&mock, "?baggage=test%3D17", r#"{"advance": "25h"}"#);
    assert_eq!(hooks.next().body, "own");
    // A fast clock.
    assert_eq!(mock.send("POST", "/pay", &[], b"fast").status, 200);
    clock(&mock, "", r#"{"speed": 1000000}"#);
    assert_eq!(hooks.next().body, "fast");
}

#[test]
fn a_clock_that_is_removed_leaves_callbacks_their_time() {
    let hooks = Hooks::new();
    let mock = hooks.mock(&[], "callback(url, #{ after: 0.3 }); \"\"");
    clock(&mock, "", r#"{"advance": "30d"}"#);
    pay(&mock, 200);
    assert_eq!(mock.admin("DELETE /app/v1/clock", &[], b"").status, 200);
    hooks.next();
}

#[test]
fn attempts_that_fail_are_made_again() {
    let hooks = Hooks::answering(&["503 Busy", "500 Broken", "200 OK\r\nContent-Length: 0"]);
    let mock = hooks.mock(&[], "callback(url, #{ retries: 5, backoff: 0.05, body: \"x\" }); \"\"");
    pay(&mock, 200);
    let times: Vec<Instant> = (0..3).map(|_| hooks.next().at).collect();
    // 50 ms, then 100 ms.
    assert!(times[1] - times[0] >= Duration::from_millis(45), "{:?}", times[1] - times[0]);
    assert!(times[2] - times[1] >= Duration::from_millis(90), "{:?}", times[2] - times[1]);
    until_entered(&mock, 4);
    hooks.none();
    assert!(!mock.log().contains("failed"), "{}", mock.log());
}

#[test]
fn each_attempt_is_an_entry_of_the_journal() {
    let hooks = Hooks::answering(&["503 Busy", "200 OK\r\nContent-Length: 2\r\n\r\nok"]);
    let script = "callback(url, #{ retries: 1, backoff: 0, json: #{ id: 7 } }); \"\"";
    let mock = hooks.mock(&[], script);
    assert_eq!(mock.send("POST", "/pay", &[("Baggage", "test=17")], b"").status, 200);
    let attempts = entries(&mock, "kind=callback&baggage=test%3D17", 2);
    let came = entries(&mock, "kind=request", 1);
    for (attempt, (number, status)) in attempts.iter().zip([(1, 503), (2, 200)]) {
        let shown =
            ["kind", "cause", "attempt", "status", "method", "path"].map(|name| attempt[name].clone());
        let expected = [
            json!("callback"),
            came[0]["number"].clone(),
            json!(number),
            json!(status),
            json!("POST"),
            json!("/hook"),
        ];
        assert_eq!(shown, expected, "{attempt}");
    }
    let verify = |query: &str| {
        mock.admin(&format!("GET /app/v1/verify?{query}"), &[], b"").json()["verdict"].as_str()
            == Some("pass")
    };
    assert!(verify("kind=callback&json=/id=7&status=200&count=1") && verify("path=/hook&count=0"));
    let page = mock.admin("GET /metrics", &[], b"").text();
    for line in [
        "h1mock_callbacks_total{result=\"ok\"} 1\n",
        "h1mock_callbacks_total{result=\"status\"} 1\n",
        "h1mock_callbacks_waiting 0\n",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
}

#[test]
fn a_receiver_says_when_it_wants_the_next_attempt() {
    let hooks = Hooks::answering(&[
        "429 Slow Down\r\nRetry-After: 60\r\nContent-Length: 0",
        "404 Gone\r\nContent-Length: 0",
    ]);
    let mock = hooks.mock(&FROZEN, "callback(url, #{ retries: 5, backoff: 1 }); \"\"");
    pay(&mock, 200);
    hooks.next();
    until_entered(&mock, 2);
    clock(&mock, "", r#"{"advance": 59}"#);
    hooks.none();
    clock(&mock, "", r#"{"advance": 1}"#);
    hooks.next();
    // 404 stays 404.
    mock.wait_for_log(&format!(
        "WARN  callback POST http://{}/hook?a=b failed after 2 attempts: it was answered 404 Gone\n",
        hooks.address
    ));
    clock(&mock, "", r#"{"advance": "1d"}"#);
    hooks.none();
}

#[test]
fn a_receiver_that_is_not_there_is_an_error_of_the_attempt() {
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let hooks = Hooks { address: gone.clone(), ..Hooks::new() };
    let mock = hooks.mock(&[], "callback(url, #{ retries: 1, backoff: 0 }); \"\"");
    pay(&mock, 200);
    mock.wait_for_log(&format!(
        "WARN  callback POST http://{gone}/hook?a=b failed after 2 attempts: failed to connect to `{gone}`: connection refused\n"
    ));
    // It takes the connection, and does not answer.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hooks = Hooks { address: silent.local_addr().unwrap().to_string(), ..Hooks::new() };
    let mock = hooks.mock(&[], "callback(url, #{ timeout: 0.1 }); \"\"");
    pay(&mock, 200);
    mock.wait_for_log("failed: failed to get an answer from");
    mock.wait_for_log("none within 100ms\n");
}

#[test]
fn callbacks_of_many_requests_share_few_threads() {
    let hooks = Hooks::new();
    let mock = hooks.mock(
        &["--callback-workers", "1"],
        "for n in 0..50 { callback(url, #{ body: `${request.text} ${n}` }) } \"\"",
    );
    for number in 0..10 {
        assert_eq!(mock.send("POST", "/pay", &[], number.to_string().as_bytes()).status, 200);
    }
    let mut bodies: Vec<String> = (0..500).map(|_| hooks.next().body).collect();
    bodies.sort_unstable();
    bodies.dedup();
    assert_eq!(bodies.len(), 500);
    assert_eq!(mock.get("/fast").text(), "fast");
}

#[test]
fn callbacks_without_room_are_an_error_of_the_view() {
    let hooks = Hooks::new();
    let mock = hooks.mock(
        &["--max-buffered", "1000000", "--max-body", "100000", FROZEN[0], FROZEN[1]],
        "callback(url, #{ after: 1, body: \"x\" * 400000 }); \"\"",
    );
    pay(&mock, 200);
    pay(&mock, 200);
    let refused = mock.send("POST", "/pay", &[], b"");
    let error = "callback: too many bytes of answers and callbacks wait: over 1000000 (--max-buffered)";
    assert!(refused.status == 500 && refused.text().contains(error), "{}", refused.text());
    clock(&mock, "", r#"{"advance": 1}"#);
    assert_eq!([hooks.next().body.len(), hooks.next().body.len()], [400_000; 2]);
    eventually(|| match mock.send("POST", "/pay", &[], b"") {
        reply if reply.status == 200 => Ok(()),
        reply => Err(reply.text()),
    });
}

#[test]
fn a_reset_cancels_those_that_wait() {
    let hooks = Hooks::new();
    let mock = hooks.mock(&FROZEN, "callback(url, #{ after: 1, body: request.text }); \"\"");
    assert_eq!(mock.send("POST", "/pay", &[], b"old").status, 200);
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert_eq!(mock.send("POST", "/pay", &[], b"new").status, 200);
    clock(&mock, "", r#"{"advance": 1}"#);
    assert_eq!(hooks.next().body, "new");
    hooks.none();
}

#[test]
fn a_stop_waits_for_those_that_are_due_within_grace() {
    let hooks = Hooks::new();
    let script = "callback(url, #{ after: 0.3, body: \"soon\" }); callback(url, #{ after: 3000 }); \"\"";
    let mut mock = hooks.mock(&["--grace", "60s"], script);
    pay(&mock, 200);
    mock.signal("TERM");
    assert_eq!(hooks.next().body, "soon");
    assert_eq!(mock.wait().code(), Some(143));
    mock.wait_for_log("1 callback is cancelled: it is not due within the grace\n");
    mock.wait_for_log("stopped\n");
    assert_eq!(hooks.arrived.recv_timeout(Duration::ZERO).err(), Some(RecvTimeoutError::Timeout));

    // A receiver that does not answer takes the grace.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let hooks = Hooks { address: silent.local_addr().unwrap().to_string(), ..Hooks::new() };
    let mut mock = hooks.mock(&["--grace", "200ms"], "callback(url, #{ timeout: 600 }); \"\"");
    pay(&mock, 200);
    let _connection = silent.accept().unwrap();
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    mock.wait_for_log("stopped with 1 callback unfinished after 200 ms\n");
}
