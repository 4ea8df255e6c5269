//! Clients that leave before they have their answer: the program is told, their memory is freed, and a stop is quick.

use super::{Attended, eventually};
use crate::client::{Client, End};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use tiny_http::extension::Limits;
use tiny_http::{Request, Response};

const SOON: Duration = Duration::from_secs(5);
/// A client that closes its side later than this has left; one that closes earlier may still read.
const LATE: Duration = Duration::from_millis(150);

/// A server that hands its requests to the test.
fn handing(limits: Limits) -> (Attended, Receiver<Request>) {
    let (held, requests) = channel();
    (Attended::start(limits, move |request| held.send(request).unwrap()), requests)
}

/// Returns a receiver that gets a message once the client of `request` has left.
fn told(request: &Request) -> Receiver<()> {
    let (tell, told) = channel();
    request.client().unwrap().on_gone(move || tell.send(()).unwrap());
    told
}

fn post(length: usize) -> Vec<u8> {
    let head = format!("POST /held HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n");
    [head.as_bytes(), &vec![b'b'; length]].concat()
}

#[test]
fn a_program_that_holds_an_answer_is_told_that_its_client_has_left() {
    let (server, requests) = handing(Limits::default());
    for resets in [true, false] {
        let client = server.get("/held");
        let request = requests.recv_timeout(SOON).unwrap();
        let gone = told(&request);
        if resets {
            client.reset();
        } else {
            thread::sleep(LATE);
            drop(client);
        }
        gone.recv_timeout(SOON).unwrap();
        server.until_open(0);
        // A hook that is set later runs at once.
        assert_eq!(told(&request).try_recv(), Ok(()));
        assert!(request.respond(Response::from_string("late")).is_err());
    }
    server.pings();
}

#[test]
fn a_hook_does_not_run_once_the_client_has_its_answer() {
    let (server, requests) = handing(Limits::default());
    let mut client = server.send(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\n\r\n");
    let first = requests.recv_timeout(SOON).unwrap();
    let (told_of_first, of_first) = (told(&first), first.client().unwrap());
    first.respond(Response::from_string("first")).unwrap();
    assert_eq!(client.answer(false).unwrap().body, b"first");
    let second = requests.recv_timeout(SOON).unwrap();
    let told_of_second = told(&second);
    // The hook comes too late for the first request, and does not concern the second.
    let (tell, late) = channel();
    of_first.on_gone(move || tell.send(()).unwrap());
    assert_eq!(late.try_recv(), Ok(()));
    assert_eq!(told_of_second.try_recv().unwrap_err(), std::sync::mpsc::TryRecvError::Empty);
    client.reset();
    told_of_second.recv_timeout(SOON).unwrap();
    assert_eq!(told_of_first.recv_timeout(SOON), Err(RecvTimeoutError::Disconnected));
}

#[test]
fn a_panicking_hook_harms_no_other_request() {
    let (server, requests) = handing(Limits::default());
    let client = server.get("/held");
    let request = requests.recv_timeout(SOON).unwrap();
    request.client().unwrap().on_gone(|| panic!("a hook may panic"));
    client.reset();
    server.until_open(0);
    server.pings();
}

/// The engine closes clients that send no more only if their answers are held back. For the others the program is at work.
#[test]
fn a_stop_does_not_wait_for_clients_that_ended_their_side_and_whose_answer_is_held_back() {
    let (server, requests) = handing(Limits::default());
    let mut clients = ["/held", "/running", "/there"].map(|path| {
        let mut client = server.get(path);
        if path != "/there" {
            client.half_close();
        }
        let request = requests.recv_timeout(SOON).unwrap();
        (client, (path != "/running").then(|| told(&request)), request)
    });
    // A client may end its side together with its request, or later.
    eventually(|| {
        server.server.close_absent();
        server.server.num_connections() == 2
    });
    clients[0].1.as_ref().unwrap().recv_timeout(SOON).unwrap();
    assert_eq!(clients[0].0.end(), End::Closed);
    for (mut client, _, request) in clients.into_iter().skip(1) {
        request.respond(Response::from_string("there")).unwrap();
        assert_eq!(client.answer(false).unwrap().body, b"there");
    }
}

#[test]
fn an_incomplete_request_that_makes_no_progress_is_refused_at_a_stop() {
    let (server, _requests) = handing(Limits::default());
    let body = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf";
    let mut silent = [server.send(b"GET / HT"), server.send(body)];
    let mut going_on = server.send(b"GET /ping HTTP/1.1\r\nHost: x\r\nX-A: ");
    eventually(|| server.server.num_busy() == 3);
    eventually(|| {
        going_on.send(b"a");
        server.server.end_silent(Duration::from_millis(200));
        server.server.num_busy() == 1
    });
    going_on.send(b"\r\n\r\n");
    assert_eq!(going_on.answer(false).unwrap().body, b"pong");
    for client in &mut silent {
        assert_eq!(client.answer(false).unwrap().status, 408);
        assert_eq!(client.end(), End::Closed);
    }
}

/// The memory of a body counts as long as the program has it, even after its client has left.
#[test]
fn a_body_counts_until_the_program_drops_it() {
    const LARGE: usize = 1 << 20;
    let limits = Limits { buffered: LARGE + LARGE / 2, ..Limits::default() };
    let (server, requests) = handing(limits);
    for gives_back in [true, false] {
        let client = server.send(&post(LARGE));
        let mut request = requests.recv_timeout(SOON).unwrap();
        client.reset();
        server.until_open(0);
        let mut second = Client::connect(server.address);
        second.try_send(&post(LARGE)).ok();
        assert_eq!(second.answer(false).unwrap().status, 503);
        drop(second);
        if gives_back {
            let body = request.take_body();
            request.give_back(body);
        } else {
            drop(request);
        }
        let third = server.send(&post(LARGE));
        let request = requests.recv_timeout(SOON).unwrap();
        drop((third, request));
        server.until_open(0);
    }
}
