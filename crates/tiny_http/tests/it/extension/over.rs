//! Clients over each limit.

use super::{Attended, eventually};
use crate::client::{Client, End};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};
use tiny_http::extension::{Answer, Body, Limits};
use tiny_http::{Request, Response};

/// Answers the length of the body.
fn length(mut request: Request) {
    let body = request.take_body();
    let _ = request.respond(Response::from_string(body.len().to_string()));
}

/// Answers `body`, which waits in memory for the client to take it.
fn answer(request: Request, status: u16, body: Vec<u8>) {
    let (fields, body) = (std::iter::empty::<(&[u8], &[u8])>(), Body::Bytes(body));
    let _ = request.answer(Answer {
        status,
        reason: None,
        fields,
        body,
        close: false,
        dribble: None,
        chunked: false,
        halve: false,
    });
}

fn start(limits: Limits) -> Attended {
    Attended::start(limits, length)
}

#[track_caller]
fn refused(client: &mut Client, status: u16) {
    let answer = client.answer(false).unwrap();
    assert_eq!(answer.status, status, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.lists("connection", "close"));
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn a_connection_ends_after_its_limit_of_requests() {
    let server = start(Limits { requests: 3, ..Limits::default() });
    let mut client = server.get("/ping");
    for last in [false, false, true] {
        let answer = client.answer(false).unwrap();
        assert_eq!(answer.lists("connection", "close"), last);
        client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn a_deadline_covers_the_whole_head_or_body() {
    let times = Duration::from_millis(200);
    let server = start(Limits { head_time: times, body_time: times, ..Limits::default() });
    let cases: [&[u8]; 2] =
        [b"GET / HTTP/1.1\r\nX: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"];
    for start in cases {
        let mut client = server.send(start);
        let began = Instant::now();
        // A byte now and then does not extend the deadline.
        while client.received.is_empty() && began.elapsed() < Duration::from_secs(5) {
            if client.try_send(b"a").is_err() {
                break;
            }
            thread::sleep(Duration::from_millis(20));
            if began.elapsed() > Duration::from_millis(600) {
                break;
            }
        }
        refused(&mut client, 408);
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    }
    server.until_open(0);
}

#[test]
fn idle_connections_are_closed_and_handlers_have_no_deadline() {
    let times = Duration::from_millis(100);
    let limits = Limits { idle_time: times, head_time: times, body_time: times, ..Limits::default() };
    let server = Attended::start(limits, |request| {
        // The handler takes longer than each of the times.
        thread::sleep(Duration::from_millis(400));
        length(request);
    });
    let mut slow = server.get("/slow");
    assert_eq!(slow.answer(false).unwrap().body, b"0");
    assert_eq!(slow.end(), End::Closed);
    let mut fresh = Client::connect(server.address);
    assert_eq!(fresh.end(), End::Closed);
    server.until_open(0);
}

#[test]
fn a_client_that_does_not_take_its_answer_is_reset() {
    let limits = Limits { write_time: Duration::from_millis(200), ..Limits::default() };
    let server = Attended::start(limits, |request| {
        let _ = request.respond(Response::from_data(vec![0; 64 << 20]));
    });
    let client = server.get("/large");
    eventually(|| server.server.num_busy() == 1);
    server.pings();
    eventually(|| server.server.num_busy() == 0);
    drop(client);
}

#[test]
fn the_connection_that_is_idle_for_longest_makes_room() {
    let server = start(Limits { connections: 3, ..Limits::default() });
    let mut clients: Vec<_> = (0..3)
        .map(|_| {
            let mut client = server.get("/ping");
            client.answer(false).unwrap();
            // Coarse clocks tell times apart only if some milliseconds lie between them.
            thread::sleep(Duration::from_millis(20));
            client
        })
        .collect();
    // The first client is no longer the one that was idle for longest.
    clients[0].send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    clients[0].answer(false).unwrap();
    server.pings();
    assert_eq!(clients[1].end(), End::Closed);
    for kept in [0, 2] {
        clients[kept].send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(clients[kept].answer(false).unwrap().body, b"pong", "{kept}");
    }
}

#[test]
fn a_new_connection_gets_503_if_none_is_idle() {
    let server = start(Limits { connections: 3, ..Limits::default() });
    let begun: Vec<_> = (0..3).map(|_| server.send(b"GET / HT")).collect();
    eventually(|| server.server.num_busy() == 3);
    for _ in 0..20 {
        refused(&mut server.get("/ping"), 503);
    }
    drop(begun);
    server.until_open(0);
    server.pings();
}

#[test]
fn the_newest_body_is_refused_when_memory_is_short() {
    let server = start(Limits { buffered: 536 << 10, ..Limits::default() });
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 400000\r\n\r\n";
    let mut older = server.send(&[head.as_slice(), &[b'a'; 200_000]].concat());
    eventually(|| server.server.num_busy() == 1);
    // Coarse clocks must tell the times of the bodies apart.
    thread::sleep(Duration::from_millis(30));
    let mut newer = server.send(&[head.as_slice(), &[b'b'; 300_000]].concat());
    refused(&mut newer, 503);
    older.send(&[b'a'; 200_000]);
    assert_eq!(older.answer(false).unwrap().body, b"400000");
}

/// The newest bodies are small, so refusing one of them does not free enough for the older ones.
#[test]
fn bodies_are_refused_until_the_rest_fits_into_memory() {
    let limits = Limits { buffered: 600 << 10, head: 4 << 10, ..Limits::default() };
    let server = start(limits);
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n";
    let mut older = server.send(&[head.as_slice(), &[b'a'; 200_000]].concat());
    eventually(|| server.server.num_busy() == 1);
    // The clock of a body is coarse: the pause keeps the times of two bodies apart.
    thread::sleep(Duration::from_millis(30));
    // Each takes 64 KiB.
    let mut newer: Vec<_> = (0..4)
        .map(|number| {
            let client = server.send(&[head.as_slice(), &[b'b'; 10_000]].concat());
            eventually(|| server.server.num_busy() == 2 + number);
            thread::sleep(Duration::from_millis(30));
            client
        })
        .collect();
    older.send(&[b'a'; 299_999]);
    // One of them fits beside the older one.
    for client in &mut newer[1..] {
        refused(client, 503);
    }
    older.send(b"a");
    assert_eq!(older.answer(false).unwrap().body, b"500000");
}

#[test]
fn a_body_may_take_all_of_the_memory_beside_its_head() {
    let server = start(Limits { buffered: 1 << 20, body: 1 << 20, ..Limits::default() });
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", 1 << 20);
    for _ in 0..3 {
        let mut client = server.send(&[head.as_bytes(), &vec![b'a'; 1 << 20]].concat());
        assert_eq!(client.answer(false).unwrap().body, (1 << 20).to_string().as_bytes());
    }
}

#[test]
fn large_answers_are_refused_when_memory_is_short() {
    let (keep, kept) = mpsc::channel();
    let server = Attended::start(Limits { buffered: 8 << 20, ..Limits::default() }, move |request| {
        match (request.reserve(16 << 20), request.url()) {
            (true, "/keep") => drop(keep.send(request)),
            (room, _) => answer(request, if room { 200 } else { 503 }, Vec::new()),
        }
    });
    let _client = server.get("/keep");
    let request = kept.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(server.get("/").answer(false).unwrap().status, 503);
    server.pings();
    drop(request);
    assert_eq!(server.get("/").answer(false).unwrap().status, 200);
}

/// An answer may leave an hour later. The memory of its request is free by then.
#[test]
fn memory_of_a_body_is_free_once_it_is_given_back() {
    let (keep, kept) = mpsc::channel();
    let server = Attended::start(Limits { buffered: 1 << 20, ..Limits::default() }, move |mut request| {
        let body = request.take_body();
        request.give_back(body);
        drop(keep.send(request));
    });
    let body = vec![b'a'; 900_000];
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n";
    let _waiting = [(); 3].map(|()| {
        let client = server.send(&[head.as_slice(), &body].concat());
        (client, kept.recv_timeout(Duration::from_secs(10)).unwrap())
    });
}

#[test]
fn a_client_that_does_not_take_its_answer_is_reset_first_when_memory_is_short() {
    let server = Attended::start(Limits { buffered: 8 << 20, ..Limits::default() }, |mut request| {
        let body = if request.url() == "/large" { vec![0; 16 << 20] } else { request.take_body() };
        answer(request, 200, body);
    });
    let stalled: Vec<_> = (0..5).map(|_| server.get("/large")).collect();
    eventually(|| server.server.num_busy() == 5);
    // Longer than the second that a client has to take an answer while memory is short.
    thread::sleep(Duration::from_millis(1200));
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n";
    let mut client = server.send(&[head.as_slice(), &[b'a'; 100_000]].concat());
    eventually(|| server.server.num_busy() == 1);
    client.send(&[b'a'; 100_000]);
    assert_eq!(client.answer(false).unwrap().body.len(), 200_000);
    drop(stalled);
}

#[test]
fn declared_bytes_take_no_memory() {
    let server = start(Limits { body: 1 << 40, buffered: 8 << 20, ..Limits::default() });
    let head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000000\r\n\r\nabc";
    let clients: Vec<_> = (0..100).map(|_| server.send(head)).collect();
    eventually(|| server.server.num_busy() == 100);
    server.pings();
    drop(clients);
    server.until_open(0);
}
