//! Answers that the program adds to after they have begun. No thread waits for the rest.

use super::{Attended, eventually};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;
use tiny_http::Request;
use tiny_http::extension::{Answer, Body, Limits, Open};

/// A server whose answers go on, and the `Open` of each.
fn server(limits: Limits) -> (Attended, Receiver<Open>) {
    let (send, receive) = channel();
    let begin = move |request: Request| {
        let fields = std::iter::once((&b"A"[..], &b"b"[..]));
        let answer = Answer {
            status: 200,
            reason: None,
            fields,
            body: Body::Bytes(b"be".to_vec()),
            close: false,
            dribble: None,
            chunked: false,
            halve: false,
        };
        let _ = send.send(request.begin(answer).unwrap());
    };
    (Attended::start(limits, begin), receive)
}

#[test]
fn added_bytes_arrive_until_the_end() {
    let (server, opened) = server(Limits::default());
    let mut client = server.get("/");
    let open = opened.recv().unwrap();
    // The worker is free; the answer has no deadline while it waits.
    server.pings();
    assert_eq!(open.waiting(), Some(0));
    assert!(open.add(b"gun".to_vec()) && open.add(b", ended".to_vec()));
    open.end();
    let answer = client.answer(false).unwrap();
    assert_eq!((answer.status, &*answer.body), (200, &b"begun, ended"[..]));
    assert_eq!((answer.values("a"), answer.values("content-length")), (vec!["b"], vec![]));
    // The connection serves the next request.
    server.until_open(1);
}

#[test]
fn bytes_that_the_client_does_not_take_wait_and_can_be_dropped() {
    let (server, opened) = server(Limits::default());
    for end in [true, false] {
        let mut client = server.get("/");
        let open = opened.recv().unwrap();
        assert!(open.add(vec![b'x'; 20 << 20]));
        assert!(open.waiting().unwrap() > 0);
        // The bytes are added behind those that wait.
        assert!(open.add(b"last".to_vec()));
        if end {
            open.end();
            let answer = client.answer(false).unwrap();
            assert!(answer.body.len() == (20 << 20) + 6 && answer.body.ends_with(b"xlast"));
        } else {
            open.reset();
            assert!(client.answer(false).unwrap_err().ends_with("Reset"));
        }
    }
    server.until_open(0);
}

#[test]
fn a_client_that_leaves_or_stalls_is_gone() {
    let (server, opened) = server(Limits { write_time: Duration::from_millis(100), ..Limits::default() });
    let client = server.get("/");
    let open = opened.recv().unwrap();
    drop(client);
    eventually(|| !open.add(b"x".to_vec()));
    assert_eq!(open.waiting(), None);
    let _client = server.get("/");
    let open = opened.recv().unwrap();
    assert!(open.add(vec![b'x'; 20 << 20]));
    eventually(|| open.waiting().is_none());
    server.until_open(0);
}

/// The time within which a client may end its side and still wait begins with its request. In chunks, a probe finds a client that
/// has left sooner.
#[test]
fn a_client_that_ends_its_side_soon_after_a_later_piece_is_gone() {
    let (server, opened) = server(Limits::default());
    let mut client = server.send(b"GET / HTTP/1.0\r\n\r\n");
    let open = opened.recv().unwrap();
    thread::sleep(Duration::from_millis(150));
    assert!(open.add(b"gun".to_vec()));
    client.half_close();
    eventually(|| open.waiting().is_none());
    server.until_open(0);
}
