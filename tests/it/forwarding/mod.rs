//! Requests that are forwarded to a server that behaves badly: what the client and the journal see, and what goes on.

mod process;
mod uploads;

use crate::harness::{Client, DEADLINE, Mock, eventually};
use process::Upstream;
use serde_json::{Value, json};
use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

/// Starts a mock that forwards every request to `address`.
fn mock(address: &str) -> Mock {
    mock_with(&[], address)
}

fn mock_with(arguments: &[&str], address: &str) -> Mock {
    let source = format!(
        r#"fn registerRules() {{
            app.get("/free", || "free");
            app.forward("/<path:rest>", "http://{address}", #{{ timeout: 0.5 }});
        }}"#
    );
    Mock::start_with(arguments, |folder| folder.write("provision/initial", &source))
}

/// Returns the last entry of the journal.
fn last(mock: &Mock) -> Value {
    let number = &mock.admin("GET /app/v1/requests?limit=1", &[], b"").json()["last"];
    mock.admin(&format!("GET /app/v1/requests/{number}"), &[], b"").json()
}

/// Sends a GET, whose answer may break off. Returns its status, the body as far as it came, and whether it is whole.
fn get(mock: &Mock, path: &str) -> (u16, usize, bool) {
    let mut client = Client::new(&mock.traffic);
    client.write(format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").as_bytes());
    let bytes = client.rest().unwrap();
    let at = bytes.windows(4).position(|four| four == b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    let head = String::from_utf8_lossy(&bytes[..at]).to_ascii_lowercase();
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
    let body = &bytes[at..];
    let length = head.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.parse().ok());
    let whole = length.map_or(body.ends_with(b"0\r\n\r\n"), |length: usize| length == body.len());
    (status, body.len(), whole)
}

#[test]
fn each_fault_of_the_server_has_its_status_and_its_reason() {
    let upstream = Upstream::start(0);
    let address = format!("127.0.0.1:{}", upstream.port);
    let mock = mock(&address);
    for (path, status, reason) in [
        ("/slow-head", 504, "no answer within 0.5 s"),
        ("/cut-early", 502, "the connection closed early"),
        ("/closes", 502, "the connection closed early"),
        ("/two-lengths", 502, "it has two lengths"),
        ("/no-length", 502, "its length is no number"),
        ("/bad-chunk", 502, "a chunk has no size"),
        ("/garbage", 502, "it is no HTTP"),
        ("/too-long-head", 502, "its head is over 64 KiB"),
        ("/reset", 502, "connection reset"),
    ] {
        let answer = Client::new(&mock.traffic).try_send("GET", path, &[], b"");
        let reply = answer.unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(reply.status, status, "{path}");
        let error = format!("failed to forward to `{address}`: {reason}");
        assert!(reply.text().contains(&error), "{path}: {}", reply.text());
        let entry = last(&mock);
        assert_eq!((&entry["target"], &entry["status"]), (&json!(path), &json!(status)), "{entry}");
        assert!(entry["error"].as_str().is_some_and(|text| text.starts_with(&error)), "{entry}");
    }
    // The mock goes on, and so do new connections to the server.
    assert_eq!(mock.get("/long-head").header("a").len(), 60_000);
    assert_eq!(mock.get("/ok").text(), "ok");
}

#[test]
fn an_answer_that_breaks_off_breaks_off_at_the_client() {
    let upstream = Upstream::start(0);
    let address = format!("127.0.0.1:{}", upstream.port);
    let mock = mock(&address);
    for (path, most, reason) in [
        ("/slow-body", 20, "no more of its answer within 0.5 s"),
        ("/cut-late", 600_000, "the connection closed early"),
        ("/cut-chunks", 70_000, "the connection closed early"),
    ] {
        let (status, length, whole) = get(&mock, path);
        assert_eq!((status, whole), (200, false), "{path}");
        assert!((1..=most).contains(&length), "{path}: {length}");
        let error = format!("failed to forward to `{address}`: {reason}");
        eventually(|| {
            let entry = last(&mock);
            let is_there = entry["stream"]["ended"] == "error" && entry["error"] == error.as_str();
            if is_there { Ok(()) } else { Err(entry) }
        });
    }
}

#[test]
fn bytes_behind_an_answer_are_dropped_with_their_connection() {
    let upstream = Upstream::start(0);
    let mock = mock(&format!("127.0.0.1:{}", upstream.port));
    for _ in 0..3 {
        assert_eq!(mock.get("/too-long").text(), "he");
        assert_eq!(mock.get("/ok").text(), "ok");
    }
}

#[test]
fn an_endless_answer_takes_bounded_memory_and_ends_with_its_client() {
    let upstream = Upstream::start(0);
    let mock = mock(&format!("127.0.0.1:{}", upstream.port));
    let clients: Vec<Client> = (0..8)
        .map(|_| {
            let mut client = Client::new(&mock.traffic);
            client.write(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
            client.reader().take(1 << 20).read_to_end(&mut Vec::new()).unwrap();
            client
        })
        .collect();
    let status = fs::read_to_string(format!("/proc/{}/status", mock.pid())).unwrap();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kilobytes: usize = resident.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(kilobytes < 100_000, "{kilobytes} kB for 8 answers without end");
    let before = upstream.ended();
    drop(clients);
    // Each look has a connection of its own, which ends too.
    let mut looks = 1;
    eventually(|| {
        looks += 1;
        let ended = upstream.ended() - before;
        if ended >= 8 + looks - 1 { Ok(()) } else { Err(format!("{ended} ended")) }
    });
}

#[test]
fn a_server_that_is_not_there_is_a_502_with_the_reason() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (address, list, reason) in [
        (free.to_string(), "default", "connection refused".to_owned()),
        ("no-such-host.invalid".to_owned(), "default", "failed to resolve `no-such-host.invalid`: ".to_owned()),
        (
            "93.184.216.34".to_owned(),
            "default",
            "requests to `93.184.216.34` are not allowed: it is outside of the cluster; `--allow-outgoing default,93.184.216.34` allows it".to_owned(),
        ),
    ] {
        let mock = mock_with(&["--allow-outgoing", list], &address);
        let reply = mock.get("/x");
        let port = if address.contains(':') { "" } else { ":80" };
        let error = format!("failed to forward to `{address}{port}`: {reason}");
        assert_eq!(reply.status, 502, "{address}: {}", reply.text());
        assert!(reply.text().contains(&error), "{address}: {}", reply.text());
        assert!(last(&mock)["error"].as_str().is_some_and(|text| text.starts_with(&error)));
    }
}

/// A network may drop packets for such an address, or refuse them.
#[test]
fn a_server_that_nobody_reaches_costs_no_worker() {
    let mock = mock_with(&["--allow-outgoing", "*", "--workers", "1"], "192.0.2.1:9");
    let mut waiting: Vec<Client> = (0..20)
        .map(|_| {
            let mut client = Client::new(&mock.traffic);
            client.write(b"GET /x HTTP/1.1\r\nHost: x\r\n\r\n");
            client
        })
        .collect();
    assert_eq!(mock.get("/free").text(), "free");
    for client in &mut waiting {
        let reply = client.read(false);
        assert!(matches!(reply.status, 502 | 504), "{}", reply.text());
        assert!(reply.text().contains("failed to forward to `192.0.2.1:9`: "), "{}", reply.text());
    }
}

#[test]
fn a_server_that_restarts_under_load_costs_no_connection_of_a_client() {
    let upstream = Upstream::start(0);
    let port = upstream.port;
    let mock = mock(&format!("127.0.0.1:{port}"));
    let (stop, answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = || {
        let mut client = Client::connect(&mock.traffic, DEADLINE).unwrap();
        let mut seen = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let reply = client.send("GET", "/ok", &[], b"");
            assert!(matches!(reply.status, 200 | 502), "{}: {}", reply.status, reply.text());
            assert!(reply.status == 502 || reply.text() == "ok");
            seen.push(reply.status);
            answered.fetch_add(usize::from(reply.status == 200), Ordering::Relaxed);
        }
        seen
    };
    let until = |count: usize| {
        let goal = answered.load(Ordering::Relaxed) + count;
        eventually(|| (answered.load(Ordering::Relaxed) >= goal).then_some(()).ok_or("too few answers"));
    };
    let seen: Vec<Vec<u16>> = thread::scope(|scope| {
        let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
        let stop = crate::harness::Stop(&stop);
        let mut upstream = upstream;
        for _ in 0..3 {
            until(100);
            drop(upstream);
            upstream = Upstream::start(port);
            until(100);
        }
        drop(stop);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    // Once the server is there again, so are its answers.
    assert!(seen.iter().all(|seen| seen.last() == Some(&200)), "{seen:?}");
}
