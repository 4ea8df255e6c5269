//! Clients that stop in the middle, and answers that wait for another answer. None of them occupies a worker.

use super::process::{descriptors, threads};
use super::witness::Witness;
use super::{LARGE, PING, WORKERS, client, refusal, start};
use crate::harness::{Client, Mock, eventually};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use std::thread;
use std::time::{Duration, Instant};

/// More bytes than the published engine read before a worker had the request.
const PART: usize = 5000;

fn half_a_body(mock: &Mock, number: usize) -> Client {
    let body = "x".repeat(PART);
    let head = "POST /length HTTP/1.1\r\nHost: x\r\n";
    let request = match number % 2 {
        0 => format!("{head}Content-Length: 100000\r\n\r\n{body}"),
        _ => format!("{head}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
    };
    client(mock, request.as_bytes())
}

#[test]
fn stalled_bodies_occupy_no_workers_and_end_at_their_deadline() {
    let mock = start(&["--body-timeout", "1s"]);
    let witness = Witness::of(&mock);
    let before = threads(&mock);
    let began = Instant::now();
    let mut stalled: Vec<Client> = (0..WORKERS * 4).map(|number| half_a_body(&mock, number)).collect();
    for client in &mut stalled {
        assert_eq!(refusal(client), 408);
        assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    }
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert_eq!(threads(&mock), before);
    witness.testify();
}

#[test]
fn stalled_bodies_can_go_on() {
    let mock = start(&[]);
    let mut stalled: Vec<Client> = (0..WORKERS * 4).map(|number| half_a_body(&mock, number)).collect();
    Witness::of(&mock).testify();
    for (number, client) in stalled.iter_mut().enumerate() {
        let (rest, length) = match number % 2 {
            0 => ("x".repeat(100_000 - PART), 100_000),
            _ => ("0\r\n\r\n".to_owned(), PART),
        };
        client.write(rest.as_bytes());
        assert_eq!(client.read(false).text(), length.to_string());
    }
}

#[test]
fn slow_readers_occupy_no_workers_and_are_cut_at_their_deadline() {
    let mock = start(&["--write-timeout", "1s", "--max-buffered", "1G"]);
    let open = descriptors(&mock);
    let witness = Witness::of(&mock);
    let mut readers: Vec<Client> = (0..WORKERS * 4).map(|_| slow_reader(&mock)).collect();
    // All connections are open; then only the one of the witness is.
    eventually(|| at_least(descriptors(&mock), open + WORKERS * 4));
    eventually(|| match descriptors(&mock) {
        now if now <= open + 1 => Ok(()),
        now => Err(format!("{now} descriptors, {open} before")),
    });
    witness.testify();
    for reader in &mut readers {
        // The client reads what had left before the reset or the end.
        let mut read = 0;
        let mut bytes = vec![0; 1 << 16];
        while let Ok(count @ 1..) = std::io::Read::read(&mut reader.stream(), &mut bytes) {
            read += count;
        }
        assert!(read < LARGE, "the whole answer left");
    }
}

#[test]
fn slow_readers_get_all_once_they_read() {
    let mock = start(&["--max-buffered", "1G"]);
    let mut readers: Vec<Client> = (0..WORKERS * 4).map(|_| slow_reader(&mock)).collect();
    Witness::of(&mock).testify();
    for reader in &mut readers {
        assert_eq!(reader.read(false).body.len(), LARGE);
        assert_eq!(reader.send("GET", "/ping", &[], b"").text(), "pong");
    }
}

/// Returns a client that has asked for a large answer and reads nothing.
pub(super) fn slow_reader(mock: &Mock) -> Client {
    let mut client = Client::new(&mock.traffic);
    set_socket_recv_buffer_size(client.stream(), 1 << 16).unwrap();
    client.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    client
}

/// The published engine gave all four requests to workers, and three of them waited for the first.
#[test]
fn a_pipeline_behind_a_slow_answer_occupies_no_workers_and_keeps_its_order() {
    let mock = start(&[]);
    let requests =
        ["slow", "ping", "second", "third"].map(|name| format!("GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n"));
    let mut pipelines: Vec<Client> =
        (0..WORKERS).map(|_| client(&mock, requests.concat().as_bytes())).collect();
    // The slow answers leave after 3 s, so this fails if all workers wait for them.
    let witness = Witness::of(&mock);
    let mut first = true;
    for pipeline in &mut pipelines {
        for body in ["slow", "pong", "second", "third"] {
            if std::mem::take(&mut first) {
                eventually(|| if super::has_news(pipeline) { Ok(()) } else { Err("no answer yet") });
            }
            assert_eq!(pipeline.read(false).text(), body);
        }
    }
    let slowest = witness.testify();
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
}

#[test]
fn dribbled_bodies_are_served_whole() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let body: String =
        (1..40).map(|size| format!("{size:x};note=\"a\"\r\n{}\r\n", "x".repeat(size))).collect();
    let body = format!("{body}0\r\nX-Trailer: t\r\n\r\n");
    let head = "POST /length HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut clients: Vec<Client> = (0..WORKERS * 4).map(|_| client(&mock, head.as_bytes())).collect();
    for byte in body.as_bytes() {
        for client in &mut clients {
            client.write(&[*byte]);
        }
        // The pause makes each byte a read of its own. The test waits for nothing here.
        thread::sleep(Duration::from_micros(500));
    }
    for client in &mut clients {
        assert_eq!(client.read(false).text(), (1..40).sum::<usize>().to_string());
    }
    witness.testify();
}

/// Views that throw. A panic in a handler, which ended a worker of the published engine, can't be caused from outside;
/// `src/serving/listeners.rs` tests it.
#[test]
fn failing_handlers_occupy_no_workers() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let before = threads(&mock);
    for _ in 0..WORKERS * 4 {
        assert_eq!(mock.get("/throw").status, 500);
    }
    assert_eq!(threads(&mock), before);
    witness.testify();
}

/// The mock ignores bytes after `Connection: close`, and the answer before them arrives.
#[test]
fn bytes_after_a_close_are_not_served() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let closing = b"GET /ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let mut clients: Vec<Client> =
        (0..WORKERS * 4).map(|_| client(&mock, &[&closing[..], PING, PING].concat())).collect();
    for client in &mut clients {
        assert_eq!(refusal(client), 200);
    }
    witness.testify();
}

fn at_least(count: usize, wanted: usize) -> Result<(), String> {
    if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted}")) }
}
