//! Declared lengths whose bytes never come, more bytes than the mock may hold, large heads. Memory grows with the bytes that
//! have arrived.

use super::process::{status, threads};
use super::stalled::slow_reader;
use super::witness::Witness;
use super::{LARGE, WORKERS, client, hits, refusal, start};
use crate::harness::{Client, Mock, eventually};
use std::thread;
use std::time::{Duration, Instant};

/// The published engine ended the process at the largest lengths, and took 2 GB of address space for each body of 2 GB.
#[test]
fn huge_declared_bodies_are_refused_at_once() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    // After this the workers have run, and have allocated what they need.
    (0..50).for_each(|_| assert_eq!(mock.get("/ping").status, 200));
    let (threads_before, before) = (threads(&mock), memory(&mock));
    for length in ["9000000000000000000", "18446744073709551615", "2000000000", "8388609"] {
        let head = format!("POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
        for more in ["", "Expect: 100-continue\r\n", "X: y\r\n"] {
            let began = Instant::now();
            let request =
                head.replacen("Host", &format!("{more}Host"), 1) + if more.is_empty() { "some" } else { "" };
            let mut clients: Vec<Client> = (0..WORKERS).map(|_| client(&mock, request.as_bytes())).collect();
            for client in &mut clients {
                assert_eq!(refusal(client), 413, "{length} {more}");
            }
            assert!(began.elapsed() < Duration::from_secs(3), "{length}: {:?}", began.elapsed());
        }
    }
    witness.testify();
    let after = memory(&mock);
    assert!(after.0 < before.0 + 500_000 && after.1 < before.1 + 30_000, "{before:?} -> {after:?} kB");
    assert_eq!(threads(&mock), threads_before);
}

/// Returns the peaks of address space and memory of the mock, in kB.
fn memory(mock: &Mock) -> (u64, u64) {
    (status(mock, "VmPeak"), status(mock, "VmHWM"))
}

/// A length within the limit reserves no memory before its bytes come.
#[test]
fn memory_follows_the_bytes_that_arrived() {
    let mock = start(&["--max-body", "1G", "--max-buffered", "64M"]);
    let witness = Witness::of(&mock);
    (0..50).for_each(|_| assert_eq!(mock.get("/ping").status, 200));
    let before = memory(&mock);
    let head = b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\nsome";
    let clients: Vec<Client> = (0..WORKERS * 4).map(|_| client(&mock, head)).collect();
    witness.testify();
    let after = memory(&mock);
    assert!(after.0 < before.0 + 500_000 && after.1 < before.1 + 30_000, "{before:?} -> {after:?} kB");
    drop(clients);
}

const BODY: usize = 1_500_000;

/// The budget is enough for two bodies, not for three. The newest incomplete one must go; pausing all would never end.
#[test]
fn over_the_budget_the_newest_body_is_refused_and_the_oldest_completes() {
    let mock = start(&["--max-buffered", "4300K"]);
    let witness = Witness::of(&mock);
    // The mock must take no byte of a refused body for a request.
    let mut body = "GET /throw HTTP/1.1\r\nHost: x\r\n\r\n".repeat(BODY / 30);
    body.truncate(BODY);
    let (most, last) = body.as_bytes().split_at(BODY - 100);
    let mut older = [(); 2].map(|()| with_body(&mock, most));
    // Refusing one frees its bytes. Then the next one is the newest.
    let mut newest = [(); 4].map(|()| with_body(&mock, most));
    for client in &mut newest {
        assert_eq!(refusal(client), 503);
    }
    for client in &mut older {
        client.write(last);
        assert_eq!(client.read(false).text(), BODY.to_string());
    }
    assert_eq!(hits(&mock, "/throw"), 0);
    // The whole budget is free again.
    for _ in 0..3 {
        assert_eq!(mock.post("/length", "text/plain", &[b'x'; BODY]).text(), BODY.to_string());
    }
    witness.testify();
}

/// Returns a client that has sent `part` of a body of `BODY` bytes. The mock had the head before the client sent any of the
/// body. The next client comes some time later, so it is clear which body is newer.
fn with_body(mock: &Mock, part: &[u8]) -> Client {
    let head = "POST /length HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n";
    let mut client = client(mock, format!("{head}Content-Length: {BODY}\r\n\r\n").as_bytes());
    assert_eq!(client.read(true).status, 100);
    thread::sleep(Duration::from_millis(20));
    // The client may be refused while it sends.
    let _ = client.try_write(part);
    client
}

/// The mock has one answer more than fits into its memory, and the clients read none of them.
#[test]
fn a_large_answer_that_finds_no_memory_is_replaced() {
    let mock = start(&["--max-buffered", "1M", "--max-body", "64k"]);
    let witness = Witness::of(&mock);
    // The mock resets clients that have taken nothing for a second, so a slow machine may need several attempts.
    let reply = eventually(|| {
        let _reader = slow_reader(&mock);
        let reply = mock.get("/large");
        if reply.status == 503 { Ok(reply) } else { Err(format!("{} beside {LARGE} bytes", reply.status)) }
    });
    assert_eq!(reply.text().lines().last(), Some(NO_MEMORY));
    let entries = mock.admin("GET /app/v1/requests?path=/large&status=503", &[], b"").json();
    assert!(!entries["requests"].as_array().unwrap().is_empty(), "{entries}");
    witness.testify();
}

const NO_MEMORY: &str = "<p>too many bytes of answers wait here: over 1048576 (--max-buffered)</p>";

/// The published engine accepted them.
#[test]
fn large_heads_are_refused_while_they_come() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let one_large = format!("GET /ping HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(1 << 20));
    let many: String = (0..50_000).map(|number| format!("X-{number}: y\r\n")).collect();
    let many = format!("GET /ping HTTP/1.1\r\nHost: x\r\n{many}\r\n");
    let endless = "GET /ping HTTP/1.1\r\nHost: x\r\nX: ".to_owned() + &"x".repeat(100_000);
    let long_target = format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "x".repeat(100_000));
    for (request, code) in [(&one_large, 431), (&many, 431), (&endless, 431), (&long_target, 414)] {
        for _ in 0..WORKERS {
            let mut client = Client::new(&mock.traffic);
            // The client may be refused before it has sent everything.
            let _ = client.try_write(request.as_bytes());
            let reply = client.read(false);
            assert_eq!((reply.status, reply.header("connection")), (code, "close"));
        }
    }
    witness.testify();
}

#[test]
fn the_limits_of_heads_are_flags() {
    let mock = start(&["--max-head", "2K", "--max-headers", "10"]);
    let witness = Witness::of(&mock);
    let headers = |count: usize| "X: y\r\n".repeat(count);
    let value = |length: usize| format!("X: {}\r\n", "y".repeat(length));
    for (fields, code) in [(headers(9), 200), (headers(10), 431), (value(1900), 200), (value(2100), 431)] {
        let request = format!("GET /ping HTTP/1.1\r\nHost: x\r\n{fields}\r\n");
        let mut client = client(&mock, request.as_bytes());
        assert_eq!(client.read(false).status, code, "{} bytes", request.len());
    }
    witness.testify();
}

/// `--max-requests` limits the requests of a connection. The last answer closes it.
#[test]
fn the_requests_of_a_connection_can_be_limited() {
    let mock = start(&["--max-requests", "3"]);
    for _ in 0..3 {
        let mut client = Client::new(&mock.traffic);
        let closes = [(); 3].map(|()| client.send("GET", "/ping", &[], b"").header("connection") == "close");
        assert_eq!(closes, [false, false, true]);
        assert!(client.rest().unwrap().is_empty());
    }
    eventually(|| if mock.get("/ping").text() == "pong" { Ok(()) } else { Err("not served") });
}
