//! Requests that the program takes before their body has arrived, and sockets of its own that the workers watch.

use super::{Attended, DEADLINE, eventually};
use crate::client::Client;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use tiny_http::extension::{Answer, Body, Length, Limits, Rest, Rested};
use tiny_http::{Request, Response};

/// Takes the rest of a body, and answers with its length once it is complete.
fn take(request: Request, rest: Arc<Rest>, mut body: Vec<u8>) {
    let (tell, told) = channel();
    loop {
        let tell = tell.clone();
        match rest.take(&mut body, move || tell.send(()).unwrap()) {
            Rested::More => {}
            Rested::Later => {
                // The program would return here. The worker of this test has nothing else to do, but another thread has.
                std::thread::spawn(move || {
                    told.recv_timeout(DEADLINE).unwrap();
                    take(request, rest, body);
                });
                return;
            }
            Rested::Whole => {
                let _ = request.respond(Response::from_string(format!("{} bytes", body.len())));
                return;
            }
            end => {
                let _ = request.respond(Response::from_string(format!("{end:?}")));
                return;
            }
        }
    }
}

/// A server that takes requests for `/early` early, within a limit of 10 bytes for others. `/gather` gives them back.
fn server() -> Attended {
    let handle = move |mut request: Request| match request.rest() {
        Some(rest) if request.url() == "/early" => {
            let beginning = request.take_body();
            take(request, Arc::new(rest), beginning);
        }
        Some(_) => request.gather(),
        None => {
            let length = request.take_body().len();
            let _ = request.respond(Response::from_string(format!("{length} whole")));
        }
    };
    let server = Attended::start(Limits { body: 10, ..Limits::default() }, handle);
    server.server.set_early(|head| {
        assert_eq!((head.method(), head.field("HOST").as_deref()), ("POST", Some("x")));
        head.length() != Some(1) && matches!(head.target(), "/early" | "/gather")
    });
    server
}

fn head(path: &str, fields: &str) -> Vec<u8> {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
}

fn text(client: &mut Client) -> (u16, String) {
    let answer = client.answer(false).unwrap();
    (answer.status, String::from_utf8_lossy(&answer.body).into_owned())
}

#[test]
fn a_body_may_be_taken_while_it_arrives() {
    let server = server();
    // Path, fields, the parts of the body, the answer.
    let long = "x".repeat(300_000);
    for (path, fields, parts, expected) in [
        ("/early", "Content-Length: 300000\r\n", vec!["", &long], "300000 bytes"),
        ("/early", "Content-Length: 20\r\n", vec!["0123456789", "0123456789"], "20 bytes"),
        ("/early", "Content-Length: 20\r\n", vec!["01234567890123456789"], "20 bytes"),
        ("/early", "Content-Length: 1\r\n", vec!["", "x"], "1 whole"),
        (
            "/early",
            "Transfer-Encoding: chunked\r\n",
            vec!["5\r\nabcde\r\n", "5\r\nabcde\r\n0\r", "\n\r\n"],
            "10 bytes",
        ),
        ("/gather", "Content-Length: 10\r\n", vec!["01234", "56789"], "10 whole"),
        ("/gather", "Transfer-Encoding: chunked\r\n", vec!["5\r\nabcde", "\r\n", "0\r\n\r\n"], "5 whole"),
        ("/other", "Content-Length: 3\r\n", vec!["ab", "c"], "3 whole"),
    ] {
        let mut client = server.send(&head(path, fields));
        for part in &parts {
            server.pings();
            client.send(part.as_bytes());
        }
        let answer = text(&mut client);
        assert_eq!((answer.0, answer.1.trim_end_matches("whole bytes")), (200, expected), "{path} {fields}");
        // The connection goes on.
        client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.answer(false).unwrap().body, b"pong");
    }
}

#[test]
fn a_client_that_waits_is_asked_once_the_body_is_wanted() {
    let server = server();
    for (path, expected) in [("/early", "5 bytes"), ("/gather", "5 whole")] {
        let mut client = server.send(&head(path, "Content-Length: 5\r\nExpect: 100-continue\r\n"));
        assert_eq!(client.answer(true).unwrap().status, 100);
        client.send(b"hello");
        assert_eq!(text(&mut client), (200, expected.to_owned()));
    }
}

#[test]
fn a_body_that_ends_early_or_is_none_says_so() {
    let server = server();
    let mut client = server.send(&head("/early", "Transfer-Encoding: chunked\r\n"));
    server.pings();
    client.send(b"no size\r\n");
    assert_eq!(text(&mut client), (200, "Malformed".to_owned()));
    // A body that is given back keeps to the limit.
    let mut client = server.send(&head("/gather", "Content-Length: 11\r\n"));
    assert_eq!(client.answer(false).unwrap().status, 413);
    let client = server.send(&head("/early", "Content-Length: 11\r\n"));
    drop(client);
    server.until_open(0);
}

#[test]
fn workers_watch_a_socket_of_the_program() {
    let server = Attended::start(Limits::default(), |_| ());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    far.set_nonblocking(true).unwrap();
    let mut reads = far.try_clone().unwrap();
    let events = Arc::new(AtomicUsize::new(0));
    let counted = events.clone();
    let watched = server
        .server
        .watch(OwnedFd::from(far), Arc::new(move || _ = counted.fetch_add(1, Ordering::Relaxed)));
    // Room to write is the first event.
    eventually(|| events.load(Ordering::Relaxed) >= 1);
    for round in 0..3 {
        let before = events.load(Ordering::Relaxed);
        near.write_all(b"x").unwrap();
        eventually(|| events.load(Ordering::Relaxed) > before);
        assert_eq!(reads.read(&mut [0; 8]).unwrap(), 1, "{round}");
    }
    drop((watched, reads));
    assert_eq!(near.read(&mut [0; 1]).unwrap(), 0, "the socket is closed");
}

#[test]
fn an_answer_of_known_length_ends_with_it_or_visibly_before() {
    for (added, whole) in [("ginning", true), ("gin", false)] {
        let (send, receive): (Sender<_>, _) = channel();
        let begin = move |request: Request| {
            let fields = std::iter::empty::<(&[u8], &[u8])>();
            let (body, length) = (Body::Bytes(b"be".to_vec()), Length::Known(9));
            let answer = Answer {
                status: 200,
                reason: None,
                fields,
                body,
                length,
                close: false,
                dribble: None,
                halve: false,
            };
            send.send(request.begin(answer).unwrap()).unwrap();
        };
        let server = Attended::start(Limits::default(), begin);
        let mut client = server.get("/");
        let open = receive.recv_timeout(DEADLINE).unwrap();
        assert!(open.add(added.as_bytes().to_vec()));
        if whole {
            open.end()
        } else {
            open.break_off()
        }
        let answer = client.answer(false);
        assert_eq!(answer.is_ok_and(|answer| answer.body == b"beginning"), whole, "{added}");
    }
}
