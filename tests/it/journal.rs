//! The journal through the admin port: lists, entries, archives and streams.

use crate::harness::{Client, DEADLINE, Mock, eventually};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

const SOURCE: &str = r#"
fn registerRules() {
    app.post("/orders/<int:id>", order);
    app.get("/bad", bad);
    app.get("/large", large);
    app.get("/slow", slow);
}
fn order(id) { [#{ id: id }, 201, #{ "X-Order": "a" }] }
fn bad() { let x = (); x.y.z }
fn large() { "x" * 100000 }
fn slow() { time.sleep(3600); "late" }
"#;

fn serving(arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| folder.write("provision/initial", SOURCE))
}

/// Returns the entries, and the rest of the answer.
#[track_caller]
fn list(mock: &Mock, query: &str) -> (Vec<Value>, Value) {
    let reply = mock.admin(&format!("GET /app/v1/requests{query}"), &[], b"");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let mut answer = reply.json();
    let entries = answer["requests"].take();
    (entries.as_array().unwrap().clone(), answer)
}

fn numbers(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["number"].as_u64().unwrap()).collect()
}

#[test]
fn every_request_has_an_entry_with_its_answer() {
    let mock = serving(&[]);
    assert_eq!(mock.send("POST", "/orders/7?a=b", &[("X-A", "1")], b"{\"n\": 1}").status, 201);
    mock.activate("other", SOURCE);
    for (method, target) in [("GET", "/bad"), ("GET", "/nowhere"), ("GET", "/orders/7"), ("HEAD", "/large")] {
        mock.send(method, target, &[], b"");
    }
    let (entries, rest) = list(&mock, "");
    assert_eq!(rest, json!({ "requests": null, "first": 1, "last": 5, "evicted": 0, "more": false }));
    let first = &entries[0];
    for (key, value) in [
        ("number", json!(1)),
        ("generation", json!(1)),
        ("method", json!("POST")),
        ("target", json!("/orders/7?a=b")),
        ("path", json!("/orders/7")),
        ("headers", json!([["Host", "mock.test"], ["X-A", "1"], ["Content-Length", "8"]])),
        ("body", json!("{\"n\": 1}")),
        ("rule", json!("/orders/<int:id>")),
        ("endpoint", json!("order")),
        ("unmatched", json!(null)),
        ("status", json!(201)),
        ("answer_headers", json!([["Content-Type", "application/json"], ["X-Order", "a"]])),
        ("answer_body", json!("{\"id\":7}\n")),
        ("error", json!(null)),
    ] {
        assert_eq!(first[key], value, "{key}: {first}");
    }
    assert!(first["peer"].as_str().unwrap().starts_with("127.0.0.1:"));
    let error = "script error in provision `other`: line 9, column 26: ";
    assert!(
        entries[1]["error"].as_str().unwrap().starts_with("script error in provision `other`: line 9"),
        "{error}"
    );
    assert_eq!((&entries[1]["status"], &entries[1]["generation"]), (&json!(500), &json!(2)));
    assert_eq!(entries[2]["unmatched"], "no rule matches the path");
    assert_eq!(entries[3]["unmatched"], "no rule for the path serves the method");
    let large = &entries[4];
    assert_eq!((&large["answer_body_length"], &large["answer_body_cut"]), (&json!(100_000), &json!(true)));
    assert_eq!(large["answer_body"].as_str().unwrap().len(), 64 << 10);
    let mut one = mock.admin("GET /app/v1/requests/3", &[], b"").json();
    assert_eq!(one["last"].take(), 5);
    assert_eq!(one["path"], "/nowhere");
}

#[test]
fn an_entry_is_there_before_its_answer() {
    let mock = serving(&[]);
    let (mut client, mut admin) = (Client::new(&mock.traffic), Client::new(&mock.admin));
    for count in 1..=200 {
        client.send("GET", "/nowhere", &[], b"");
        let last = admin.send("GET", "/app/v1/requests?limit=0", &[], b"").json()["last"].as_u64();
        assert_eq!(last, Some(count));
    }
    // The entry of a held answer is there while the answer is held.
    client.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    let entry = eventually(|| match mock.admin("GET /app/v1/requests/201", &[], b"") {
        reply if reply.status == 200 => Ok(reply.json()),
        reply => Err(reply.text()),
    });
    assert_eq!((&entry["path"], &entry["answer_body"]), (&json!("/slow"), &json!("late")));
    assert!(entry["microseconds"].as_u64().unwrap() < 20_000_000);
}

#[test]
fn a_request_that_the_engine_refuses_has_an_entry_too() {
    let mock = serving(&["--max-body", "10", "--max-head", "1k", "--head-timeout", "200ms"]);
    let cases: [(&[u8], u16, &str, &str); 4] = [
        (b"GET /a HTTP/1.1\r\n\r\n", 400, "/a", "the request has no Host field"),
        (
            b"PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n",
            413,
            "/b",
            "the body of the request is longer than 10 bytes (--max-body)",
        ),
        (
            b"GET /c HTTP/1.1\r\nHost: x\r\n",
            408,
            "/c",
            "the head of the request took too long: 200 ms (--head-timeout)",
        ),
        (
            &[b"GET /d HTTP/1.1\r\nA: ", [b'a'; 1024].as_slice()].concat(),
            431,
            "/d",
            "the head of the request is too long: over 1024 bytes (--max-head)",
        ),
    ];
    for (number, (bytes, status, target, why)) in (1..).zip(cases) {
        let mut client = Client::new(&mock.traffic);
        client.write(bytes);
        assert_eq!(client.read(false).status, status);
        let entry = mock.admin(&format!("GET /app/v1/requests/{number}"), &[], b"").json();
        let seen = (&entry["status"], &entry["target"], &entry["unmatched"], &entry["generation"]);
        assert_eq!(seen, (&json!(status), &json!(target), &json!(why), &json!(0)));
        assert!(entry["answer_body"].as_str().unwrap().contains("<h1>"), "{entry}");
    }
}

#[test]
fn lists_have_a_beginning_and_an_end() {
    let mock = serving(&[]);
    let mut client = Client::new(&mock.traffic);
    (0..7).for_each(|_| drop(client.send("GET", "/x", &[], b"")));
    for (query, expected, more) in [
        ("", vec![1, 2, 3, 4, 5, 6, 7], false),
        ("?limit=3", vec![5, 6, 7], true),
        ("?limit=7", vec![1, 2, 3, 4, 5, 6, 7], false),
        ("?since=0&limit=3", vec![1, 2, 3], true),
        ("?since=4&limit=3", vec![5, 6, 7], false),
        ("?since=7", vec![], false),
        ("?since=100", vec![], false),
        ("?limit=0", vec![], true),
    ] {
        let (entries, rest) = list(&mock, query);
        assert_eq!(
            (numbers(&entries), &rest["more"], &rest["last"]),
            (expected, &json!(more), &json!(7)),
            "{query}"
        );
    }
    for (line, status, text) in [
        (
            "GET /app/v1/requests?since=x",
            400,
            "failed: failed to parse filter `since=x`: character 7: `x` is not a whole number from 0 to 9223372036854775807",
        ),
        (
            "GET /app/v1/requests?sinec=1",
            400,
            "failed: failed to parse filter `sinec=1`: character 1: unknown parameter `sinec`: did you mean `since`, or `query=sinec=1` for a parameter of the request's query?",
        ),
        (
            "GET /app/v1/requests/stream?limt=1",
            400,
            "failed: failed to parse filter `limt=1`: character 1: unknown parameter `limt`: for a parameter of the request's query write `query=limt=1`; known are method, path, target, rule, endpoint, overlay, status, header, body, json, query, form, part, cookie, baggage, generation, stream, pieces, forwarded, kind, cause, attempt, since",
        ),
        ("GET /app/v1/requests/8", 404, "failed: request 8 has not been received: the last one is 7"),
        (
            "GET /app/v1/requests/99999999999999999999",
            404,
            "failed: request 99999999999999999999 has not been received: the last one is 7",
        ),
        ("GET /app/v1/requests/x", 404, "failed: `x` is not the number of a request"),
        ("DELETE /app/v1/requests", 200, "success: 7 requests have been deleted"),
        ("GET /app/v1/requests/7", 404, "failed: request 7 has been deleted"),
    ] {
        let reply = mock.admin(line, &[], b"");
        assert_eq!((reply.status, &reply.json()["result"]), (status, &json!(text)), "{line}");
        assert_eq!(reply.json()["last"], 7, "{line}");
    }
    client.send("GET", "/y", &[], b"");
    let (entries, rest) = list(&mock, "");
    assert_eq!((numbers(&entries), &rest["first"], &rest["evicted"]), (vec![8], &json!(8), &json!(0)));
}

#[test]
fn the_memory_of_the_journal_stays_within_its_budget() {
    // One worker, since the allocator keeps the memory of one large body for each worker.
    let mock = serving(&["--journal-bytes", "64k", "--max-body", "2M", "--workers", "1"]);
    let resident = || resident(mock.pid());
    let mut client = Client::new(&mock.traffic);
    let body = vec![b'b'; 1_000_000];
    let send = |client: &mut Client, count| {
        (0..count).for_each(|_| assert_eq!(client.send("POST", "/orders/1", &[], &body).status, 201))
    };
    send(&mut client, 50);
    let before = resident();
    send(&mut client, 200);
    let grown = resident().saturating_sub(before);
    assert!(grown < 4 << 20, "{grown} bytes more after 200 requests");
    let (entries, rest) = list(&mock, "?since=0&limit=1000");
    assert_eq!((&rest["last"], &rest["evicted"], entries.len()), (&json!(250), &json!(0), 250));
    let gone: Vec<&Value> = entries.iter().map(|entry| &entry["gone"]).collect();
    assert!(gone[0] != &json!([]) && gone[249] == &json!([]), "{gone:?}");
    assert_eq!((&entries[249]["body_length"], &entries[0]["body"]), (&json!(1_000_000), &json!(null)));
    (0..5000).for_each(|_| _ = client.send("GET", "/orders/1", &[], b""));
    let (_, rest) = list(&mock, "");
    let reply = mock.admin("GET /app/v1/requests/1", &[], b"").json();
    let first = &rest["first"];
    let expected = format!(
        "failed: request 1 has been evicted: the first one that is kept is {first} (--journal-bytes)"
    );
    assert_eq!(reply["result"], expected);
}

fn resident(pid: u32) -> usize {
    let text = std::fs::read_to_string(format!("/proc/{pid}/statm")).unwrap();
    text.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn without_a_journal_all_its_resources_are_404() {
    let mock = serving(&["--journal-bytes", "0"]);
    mock.get("/nowhere");
    for line in [
        "GET /app/v1/requests",
        "DELETE /app/v1/requests",
        "GET /app/v1/requests/1",
        "GET /app/v1/requests.har",
        "GET /app/v1/requests/stream",
    ] {
        let reply = mock.admin(line, &[], b"");
        let expected = json!({ "result": "failed: the journal is off (--journal-bytes 0)", "last": 0 });
        assert_eq!((reply.status, reply.json()), (404, expected), "{line}");
    }
}

#[test]
fn an_archive_is_har() {
    let mock = serving(&[]);
    mock.post("/orders/7", "application/json", b"{}");
    let log = mock.admin("GET /app/v1/requests.har", &[], b"").json()["log"].take();
    assert_eq!(
        (&log["version"], &log["creator"]["name"], &log["_last"]),
        (&json!("1.2"), &json!("h1mock"), &json!(1))
    );
    let entry = &log["entries"][0];
    assert_eq!(entry["request"]["url"], "http://mock.test/orders/7");
    assert_eq!(entry["request"]["postData"]["mimeType"], "application/json");
    assert_eq!(
        (&entry["response"]["status"], &entry["response"]["content"]["text"]),
        (&json!(201), &json!("{\"id\":7}\n"))
    );
}

/// A client of the stream.
struct Events(BufReader<TcpStream>);

impl Events {
    #[track_caller]
    fn follow(mock: &Mock, query: &str, header: &str) -> Events {
        let mut stream = TcpStream::connect(&mock.admin).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        write!(stream, "GET /app/v1/requests/stream{query} HTTP/1.0\r\nHost: x\r\n{header}\r\n").unwrap();
        let mut events = Events(BufReader::new(stream));
        let head: Vec<String> =
            std::iter::from_fn(|| Some(events.line()).filter(|line| !line.is_empty())).collect();
        assert_eq!(head[0], "HTTP/1.1 200 OK");
        assert!(head.contains(&"Content-Type: text/event-stream".to_owned()), "{head:?}");
        events
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The lines of the next event.
    fn event(&mut self) -> Vec<String> {
        std::iter::from_fn(|| Some(self.line()).filter(|line| !line.is_empty())).collect()
    }

    /// The number of the next entry, which its data must have, too.
    #[track_caller]
    fn number(&mut self) -> u64 {
        let event = self.event();
        let data: Value = serde_json::from_str(event[1].strip_prefix("data: ").unwrap()).unwrap();
        assert_eq!(event[0], format!("id: {}", data["number"]));
        data["number"].as_u64().unwrap()
    }
}

#[test]
fn a_stream_has_entries_as_they_come_and_goes_on_where_it_ended() {
    let mock = serving(&[]);
    mock.get("/a");
    let mut events = Events::follow(&mock, "", "");
    assert_eq!(events.event(), ["id: 1"]);
    let mut client = Client::new(&mock.traffic);
    for number in 2..=50 {
        client.send("GET", "/b", &[], b"");
        assert_eq!(events.number(), number);
    }
    (51..=500).for_each(|_| drop(client.send("GET", "/b", &[], b"")));
    (51..=500).for_each(|number| assert_eq!(events.number(), number));
    drop(events);
    let mut events = Events::follow(&mock, "?since=3", "Last-Event-ID: 498\r\n");
    assert_eq!(events.event(), ["id: 498"]);
    assert_eq!((events.number(), events.number()), (499, 500));
    let mut events = Events::follow(&mock, "?since=0", "");
    assert_eq!(events.event(), ["id: 0"]);
    (1..=500).for_each(|number| assert_eq!(events.number(), number));
    let reply = mock.admin("GET /app/v1/requests/stream", &[("Last-Event-ID", "x")], b"");
    let expected = "failed: failed to parse header `Last-Event-ID`: `x` is not a whole number from 0 to 9223372036854775807";
    assert_eq!((reply.status, &reply.json()["result"]), (400, &json!(expected)));
    assert_eq!(
        mock.admin("HEAD /app/v1/requests/stream", &[], b"").header("content-type"),
        "text/event-stream"
    );
}

#[test]
fn streams_hold_no_worker_and_end_with_the_process() {
    let mut mock = Mock::start_with(&["--admin-workers", "1"], |_| ());
    let mut all: Vec<Events> = (0..64).map(|_| Events::follow(&mock, "", "")).collect();
    let reply = mock.admin("GET /app/v1/requests/stream", &[], b"");
    assert_eq!(
        (reply.status, &reply.json()["result"]),
        (503, &json!("failed: 64 clients follow the journal already"))
    );
    mock.get("/a");
    for events in &mut all {
        assert_eq!(events.event(), ["id: 0"]);
        assert_eq!(events.number(), 1);
    }
    let began = Instant::now();
    mock.signal("TERM");
    mock.wait_for_log("INFO  stopped\n");
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    mock.wait();
    all.iter_mut().for_each(|events| assert_eq!(events.0.read(&mut [0]).unwrap(), 0));
}

#[test]
fn a_reader_that_is_too_slow_is_dropped() {
    let mock = serving(&["--journal-bytes", "256k", "--journal-body", "32k"]);
    let mut events = Events::follow(&mock, "", "");
    assert_eq!(events.event(), ["id: 0"]);
    let mut client = Client::new(&mock.traffic);
    // More than the buffers of sockets hold, which is 10 MB at most. A second client shows which entries both were sent.
    let mut other = Events::follow(&mock, "", "");
    assert_eq!(other.event(), ["id: 0"]);
    for number in 1..=1000 {
        client.send("GET", "/large", &[], b"");
        assert_eq!(other.number(), number);
    }
    drop(other);
    // More entries than the journal has lines.
    for _ in 0..13_500 {
        client.send("GET", "/orders/1", &[], b"");
    }
    mock.wait_for_log("cut a client of the journal: entries that it did not take in time are gone");
    let mut taken = Vec::new();
    let end = events.0.read_to_end(&mut taken);
    assert!(end.is_err(), "{} bytes and a plain end", taken.len());
    // A client that comes back learns how many entries it has missed.
    let mut events = Events::follow(&mock, "", "Last-Event-ID: 1\r\n");
    assert_eq!(events.event(), ["id: 1"]);
    assert_eq!(events.event()[0], "event: missed");
    assert!(events.number() > 2);
}

#[test]
fn settings_of_the_journal_have_their_limits() {
    for (argument, error) in [
        ("--journal-bytes=1k", "h1mock: failed to parse `--journal-bytes`: `1k` is too small (at least 64k)"),
        ("--journal-bytes=x", "h1mock: failed to parse `--journal-bytes`: `x` is no size (try 8M)"),
        ("--journal-body=-1", "h1mock: failed to parse `--journal-body`: `-1` is no size (try 8M)"),
    ] {
        let output = crate::harness::binary().arg(argument).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(text.lines().next(), Some(error), "{text}");
    }
}
