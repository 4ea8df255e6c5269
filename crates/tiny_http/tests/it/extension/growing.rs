//! Answers that the program adds to after they have begun. No thread waits for the rest.

use super::{Attended, DEADLINE, eventually};
use crate::client::{Client, End, Framing};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError, channel};
use std::time::Duration;
use tiny_http::Request;
use tiny_http::extension::{Answer, Body, Length, Limits, Open};

/// An answer that has begun, and a receiver that gets a message once its client has left.
pub(super) struct Begun {
    pub open: Open,
    pub gone: Receiver<()>,
}

/// Starts a server whose answers begin with `be` and go on. `/close` ends its connection.
pub(super) fn server(limits: Limits) -> (Attended, Receiver<Begun>) {
    let (send, receive) = channel();
    let begin = move |request: Request| {
        let fields = std::iter::once((&b"A"[..], &b"b"[..]));
        let answer = Answer {
            status: request.url().strip_prefix("/status/").map_or(200, |code| code.parse().unwrap()),
            reason: None,
            fields,
            body: Body::Bytes(b"be".to_vec()),
            close: request.url() == "/close",
            dribble: None,
            length: Length::Open,
            halve: false,
        };
        let client = request.client().unwrap();
        if let Ok(open) = request.begin(answer) {
            let (tell, gone) = channel();
            client.on_gone(move || tell.send(()).unwrap());
            let _ = send.send(Begun { open, gone });
        }
    };
    (Attended::start(limits, begin), receive)
}

pub(super) fn begun(receiver: &Receiver<Begun>) -> Begun {
    receiver.recv_timeout(DEADLINE).unwrap()
}

const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
/// More bytes than a socket takes at once.
pub(super) const LARGE: usize = 20 << 20;

#[test]
fn added_bytes_arrive_until_the_end() {
    // Version and fields of the request, target, requests of a connection, framing, whether the connection goes on.
    for (version, fields, target, most, framing, goes_on) in [
        ("1.1", "", "/", 0, Framing::Chunked, true),
        ("1.1", "", "/", 2, Framing::Chunked, true),
        ("1.1", "", "/", 1, Framing::Chunked, false),
        ("1.1", "Connection: close\r\n", "/", 0, Framing::Chunked, false),
        ("1.1", "", "/close", 0, Framing::Chunked, false),
        ("1.0", "", "/", 0, Framing::UntilClose, false),
        ("1.0", "Connection: keep-alive\r\n", "/", 0, Framing::UntilClose, false),
    ] {
        let (server, opened) = server(Limits { requests: most, ..Limits::default() });
        let head = format!("GET {target} HTTP/{version}\r\nHost: x\r\n{fields}\r\n");
        let mut client = server.send(head.as_bytes());
        let Begun { open, gone } = begun(&opened);
        // The worker is free; the answer has no deadline while it waits.
        server.pings();
        assert_eq!(open.waiting(), Some(0));
        assert!(open.add(b"gun".to_vec()) && open.add(Vec::new()) && open.add(b", ended".to_vec()));
        open.end();
        let answer = client.answer(false).unwrap();
        assert_eq!((answer.status, &*answer.body), (200, &b"begun, ended"[..]), "{head}");
        assert_eq!((answer.values("a"), answer.values("content-length")), (vec!["b"], vec![]));
        assert_eq!((answer.framing, answer.lists("connection", "close")), (framing, !goes_on), "{head}");
        if goes_on {
            client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(client.answer(false).unwrap().body, b"pong");
        } else {
            assert_eq!(client.end(), End::Closed);
        }
        assert_eq!(
            gone.recv_timeout(DEADLINE),
            Err(RecvTimeoutError::Disconnected),
            "the client did not leave"
        );
    }
}

/// Each piece is one chunk, so a client may take it for one event.
#[test]
fn each_piece_is_a_chunk() {
    let (server, opened) = server(Limits::default());
    let mut client = server.get("/");
    let Begun { open, .. } = begun(&opened);
    client.until_received(b"\r\n\r\n2\r\nbe\r\n");
    for (piece, chunk) in
        [("x".repeat(10), "a\r\nxxxxxxxxxx\r\n"), (String::new(), ""), ("y".into(), "1\r\ny\r\n")]
    {
        assert!(open.add(piece.into_bytes()));
        client.until_received(chunk.as_bytes());
    }
    open.end();
    client.until_received(b"1\r\ny\r\n0\r\n\r\n");
}

#[test]
fn an_answer_without_a_body_is_not_begun() {
    let (server, _opened) = server(Limits::default());
    for (method, status) in [("HEAD", 200), ("GET", 204), ("GET", 205), ("GET", 304), ("GET", 100)] {
        let head = format!("{method} /status/{status} HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(server.send(head.as_bytes()).answer(method == "HEAD").unwrap().status, 500, "{head}");
    }
}

#[test]
fn bytes_that_the_client_does_not_take_wait_and_can_be_dropped() {
    let (server, opened) = server(Limits::default());
    for end in [true, false] {
        let mut client = server.get("/");
        let Begun { open, .. } = begun(&opened);
        assert!(open.add(vec![b'x'; LARGE]));
        assert!(open.waiting().unwrap() > 0);
        // The bytes are added behind those that wait.
        assert!(open.add(b"la".to_vec()) && open.add(b"st".to_vec()));
        if end {
            open.end();
            // Later calls change nothing, though bytes wait still.
            assert!(!open.add(b"later".to_vec()) && open.waiting().is_some());
            open.break_off();
            open.reset();
            let answer = client.answer(false).unwrap();
            assert!(answer.body.len() == LARGE + 6 && answer.body.ends_with(b"xlast"));
        } else {
            open.reset();
            assert!(client.answer(false).unwrap_err().ends_with("Reset"));
        }
    }
    server.until_open(0);
}

#[test]
fn an_answer_that_has_ended_does_not_touch_the_next_one() {
    let (server, opened) = server(Limits::default());
    let mut client = server.send(&GET.repeat(2));
    let first = begun(&opened).open;
    first.end();
    assert_eq!(client.answer(false).unwrap().body, b"be");
    let second = begun(&opened);
    let (tell, told) = channel();
    first.when_taken(move || tell.send(()).unwrap());
    assert!(!first.add(b"not".to_vec()) && first.waiting().is_none());
    first.end();
    first.reset();
    drop(first);
    assert_eq!(told.try_recv(), Err(TryRecvError::Disconnected), "dropped, and not called");
    assert!(second.open.add(b"gun".to_vec()));
    second.open.end();
    assert_eq!(client.answer(false).unwrap().body, b"begun");
}

#[test]
fn requests_behind_a_growing_answer_are_served_after_it() {
    let (server, opened) = server(Limits::default());
    let ping = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";
    for (early, later, ends) in
        [(true, false, false), (false, true, false), (true, true, false), (true, true, true)]
    {
        let behind = if early { &ping[..] } else { b"" };
        let mut client = server.send(&[GET, behind].concat());
        let Begun { open, .. } = begun(&opened);
        if later {
            client.send(ping);
        }
        if ends {
            client.half_close();
        }
        assert!(open.add(b"gun".to_vec()));
        open.end();
        assert_eq!(client.answer(false).unwrap().body, b"begun");
        for _ in 0..usize::from(early) + usize::from(later) {
            assert_eq!(client.answer(false).unwrap().body, b"pong");
        }
        if ends {
            assert_eq!(client.end(), End::Closed);
        }
    }
}

/// The client must not take such an answer for a whole one.
#[test]
fn an_answer_that_breaks_off_lacks_its_end() {
    type Break = fn(Open);
    let breaks: [(&str, Break); 2] = [("break_off", |open| open.break_off()), ("drop", drop)];
    let (server, opened) = server(Limits::default());
    for (how, break_off) in breaks {
        for (version, waits, end) in
            [("1.1", 0, "Closed"), ("1.1", LARGE, "Closed"), ("1.0", 0, "Reset"), ("1.0", LARGE, "Reset")]
        {
            let mut client = server.send(format!("GET / HTTP/{version}\r\nHost: x\r\n\r\n").as_bytes());
            let Begun { open, gone } = begun(&opened);
            client.until_received(if version == "1.1" { b"be\r\n" } else { b"be" });
            assert!(open.add(vec![b'x'; waits]));
            break_off(open);
            let error = client.answer(false).unwrap_err();
            assert!(error.ends_with(end), "{how}, {version}, {waits} bytes: {error}");
            if version == "1.1" {
                assert!(client.received.len() > waits, "{how}: the bytes that waited are lost");
                assert!(client.received.ends_with(if waits == 0 { b"be\r\n" } else { b"xx\r\n" }));
            }
            assert!(gone.recv_timeout(DEADLINE).is_err(), "{how}: the client has not left by itself");
        }
    }
    server.until_open(0);
}

#[test]
fn a_closure_is_called_once_the_kernel_has_all_bytes() {
    let (server, opened) = server(Limits::default());
    let mut client = server.get("/");
    let Begun { open, .. } = begun(&opened);
    let open = Arc::new(open);
    let (tell, told) = channel();
    let telling = |number| {
        let tell = tell.clone();
        move || tell.send(number).unwrap()
    };
    open.when_taken(telling(1));
    assert_eq!(told.try_recv(), Ok(1), "all bytes are with the kernel");
    open.when_taken(|| panic!("a closure may panic"));
    assert!(open.add(vec![b'x'; LARGE]));
    // The second closure takes the place of the first. That one owns the answer too, and is dropped.
    let owner = open.clone();
    open.when_taken(move || drop(owner));
    open.when_taken(telling(2));
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    // More bytes delay the closure.
    assert!(open.add(b"last\r\n".to_vec()));
    client.until_received(b"last\r\n\r\n");
    assert_eq!(told.recv_timeout(DEADLINE), Ok(2));
    // A closure that panics on the thread of the reactor ends nothing.
    assert!(open.add(vec![b'x'; LARGE]));
    open.when_taken(|| panic!("a closure may panic"));
    client.until_received(b"xx\r\n");
    // One that is left when the answer ends, or when the client leaves, is dropped.
    for ends in [true, false] {
        let mut client = server.get("/");
        let Begun { open, gone } = begun(&opened);
        let open = Arc::new(open);
        assert!(open.add(vec![b'x'; LARGE]));
        let (owner, telling) = (open.clone(), telling(3));
        open.when_taken(move || {
            drop(owner);
            telling();
        });
        if ends {
            open.end();
            assert_eq!(client.answer(false).unwrap().body.len(), LARGE + 2);
        } else {
            client.reset();
            gone.recv_timeout(DEADLINE).unwrap();
        }
        eventually(|| Arc::strong_count(&open) == 1);
    }
    assert_eq!(told.try_recv(), Err(TryRecvError::Empty));
    server.pings();
}

/// Each closure adds the next piece.
#[test]
fn pieces_follow_one_another_at_the_pace_of_the_client() {
    const PIECES: usize = 200;
    fn go_on(open: Arc<Open>, left: usize) {
        if left == 0 {
            return open.end();
        }
        assert!(open.add(vec![b'x'; 100_000]));
        assert!(open.waiting().unwrap() < 200_000, "only one piece waits");
        let next = open.clone();
        open.when_taken(move || go_on(next, left - 1));
    }
    let (server, opened) = server(Limits::default());
    let mut client = server.get("/");
    go_on(Arc::new(begun(&opened).open), PIECES);
    assert_eq!(client.answer(false).unwrap().body.len(), 2 + PIECES * 100_000);
}

#[test]
fn a_client_that_stalls_is_reset() {
    let (server, opened) = server(Limits { write_time: Duration::from_millis(100), ..Limits::default() });
    let _client = server.get("/");
    let Begun { open, gone } = begun(&opened);
    // Time does not count while nothing waits.
    server.pings();
    assert!(open.add(vec![b'x'; LARGE]));
    gone.recv_timeout(DEADLINE).unwrap();
    assert_eq!((open.waiting(), open.add(b"x".to_vec())), (None, false));
    server.until_open(0);
}

#[test]
fn added_bytes_count_as_memory_until_they_are_taken() {
    let (server, opened) = server(Limits { buffered: 1 << 20, ..Limits::default() });
    let stalled = server.get("/");
    let Begun { open, gone } = begun(&opened);
    assert!(open.add(vec![b'x'; LARGE]));
    let body = vec![b'b'; 100_000];
    let post = [
        format!("POST /ping HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes(),
        &body,
    ]
    .concat();
    let mut refused = Client::connect(server.address);
    refused.try_send(&post).ok();
    assert_eq!(refused.answer(false).unwrap().status, 503);
    // A client that takes no byte for a second makes room for others.
    eventually(|| {
        let mut client = Client::connect(server.address);
        client.try_send(&post).ok();
        client.answer(false).unwrap().status == 200
    });
    gone.recv_timeout(DEADLINE).unwrap();
    drop(stalled);
    server.until_open(0);
}

/// Numbers that look random, the same in each run.
fn numbers(mut seed: u64) -> impl FnMut(u64) -> usize {
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((seed >> 33) % below) as usize
    }
}

/// Pieces of any length, several at once or one by one, before and after the client has ended its side.
#[test]
fn any_pieces_arrive_whole_and_in_order() {
    let (server, opened) = server(Limits::default());
    let mut client = server.get("/");
    let mut number = numbers(19);
    for round in 0..60 {
        let Begun { open, .. } = begun(&opened);
        let (mut expected, pieces) = (b"be".to_vec(), number(12));
        let ends = (round % 3 == 0).then(|| number(1 + pieces as u64));
        let (tell, told) = channel();
        for piece in 0..pieces {
            if ends == Some(piece) {
                client.half_close();
            }
            let most = [3, 70_000, 1_000_000][number(3)];
            let bytes = vec![b'a' + piece as u8; number(most)];
            expected.extend_from_slice(&bytes);
            assert!(open.add(bytes));
            if number(2) == 0 {
                let tell = tell.clone();
                open.when_taken(move || _ = tell.send(()));
            }
        }
        open.end();
        let answer = client.answer(false).unwrap_or_else(|wrong| panic!("round {round}: {wrong}"));
        assert!(answer.body == expected, "round {round}");
        drop((open, tell));
        while told.recv_timeout(DEADLINE) == Ok(()) {}
        match ends {
            Some(at) if at < pieces => client = server.get("/"),
            _ => client.send(GET),
        }
    }
}
