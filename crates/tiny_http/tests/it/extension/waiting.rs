//! Workers that wait, answers that are held back, clients that leave meanwhile, an orderly end.

use super::{Attended, eventually};
use crate::client::End;
use std::net::TcpListener;
use std::sync::mpsc;
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant};
use tiny_http::extension::{Limits, Reactor, Step, Then, plain_pages};
use tiny_http::{Request, Response, Server};

#[test]
fn a_client_that_leaves_frees_its_place_while_its_answer_is_held_back() {
    let (held, requests) = mpsc::channel::<Request>();
    let server = Attended::start(Limits::default(), move |request| held.send(request).unwrap());
    let gone = server.get("/held");
    let request = requests.recv_timeout(Duration::from_secs(5)).unwrap();
    // Longer than the 100 ms in which a client may end its side and still wait for its answer.
    thread::sleep(Duration::from_millis(150));
    drop(gone);
    server.until_open(0);
    assert!(request.respond(Response::from_string("late")).is_err());
    server.pings();
}

#[test]
fn a_client_that_ends_its_side_at_once_gets_its_answer() {
    let (held, requests) = mpsc::channel::<Request>();
    let server = Attended::start(Limits::default(), move |request| held.send(request).unwrap());
    let mut client = server.get("/held");
    client.half_close();
    let request = requests.recv_timeout(Duration::from_secs(5)).unwrap();
    // Time itself is the subject: for 100 ms the engine doesn't decide whether the client has left.
    thread::sleep(Duration::from_millis(150));
    request.respond(Response::from_string("late")).unwrap();
    assert_eq!(client.answer(false).unwrap().body, b"late");
    assert_eq!(client.end(), End::Closed);
}

#[test]
fn held_back_answers_keep_the_order_of_their_connection() {
    let (held, requests) = mpsc::channel::<Request>();
    let server = Attended::start(Limits::default(), move |request| held.send(request).unwrap());
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut client = server.send((get("/held") + &get("/ping") + &get("/ping")).as_bytes());
    let request = requests.recv_timeout(Duration::from_secs(5)).unwrap();
    // The worker is free, and has not read the requests behind the first.
    server.pings();
    request.respond(Response::from_string("first")).unwrap();
    for body in ["first", "pong", "pong"] {
        assert_eq!(client.answer(false).unwrap().body, body.as_bytes());
    }
}

#[test]
fn large_answers_are_finished_while_all_workers_are_busy() {
    let (at_work, go_on) = (Arc::new(Barrier::new(2)), Arc::new(Barrier::new(2)));
    let barriers = (at_work.clone(), go_on.clone());
    let server = Attended::start(Limits::default(), move |request| match request.url() {
        "/busy" => {
            barriers.0.wait();
            barriers.1.wait();
            let _ = request.respond(Response::from_string("done"));
        }
        "/framed" => {
            let head = b"HTTP/1.1 200 OK\r\nContent-Length: 20000000\r\n\r\n".to_vec();
            let steps = vec![Step::Bytes(head), Step::Bytes(vec![b'w'; 20_000_000])];
            request.perform(steps, Then::Next).unwrap();
        }
        "/unknown" => {
            let reader = std::io::Cursor::new(vec![b'c'; 20_000_000]);
            let response = Response::new(200.into(), Vec::new(), reader, None, None);
            let _ = request.respond(response);
        }
        _ => drop(request.respond(Response::from_data(vec![b'd'; 20_000_000]))),
    });
    let mut clients = ["/data", "/framed", "/unknown"].map(|path| server.get(path));
    eventually(|| server.server.num_busy() == 3);
    let mut busy = server.get("/busy");
    at_work.wait();
    for client in &mut clients {
        assert_eq!(client.answer(false).unwrap().body.len(), 20_000_000);
    }
    go_on.wait();
    assert_eq!(busy.answer(false).unwrap().body, b"done");
}

/// A server whose reactor has a thread of its own.
#[test]
fn each_request_finds_a_worker_while_others_are_busy() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = Arc::new(Server::from_listener(listener, None).unwrap());
    let address = server.server_addr().to_ip().unwrap();
    let all = Arc::new(Barrier::new(4));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let (server, all) = (server.clone(), all.clone());
            thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    // Each worker goes on only once all four are here.
                    all.wait();
                    let _ = request.respond(Response::from_string("met"));
                }
            })
        })
        .collect();
    for _ in 0..20 {
        let mut clients: Vec<_> = (0..4)
            .map(|_| {
                let mut client = crate::client::Client::connect(address);
                client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
                client
            })
            .collect();
        let began = Instant::now();
        for client in &mut clients {
            assert_eq!(client.answer(false).unwrap().body, b"met");
        }
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    }
    for _ in 0..4 {
        server.unblock();
    }
    workers.into_iter().for_each(|worker| worker.join().unwrap());
}

/// No thread turns the reactor here, so only the handler can have the second worker called.
#[test]
fn a_handler_that_takes_long_has_another_worker_called() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reactor = Reactor::new().unwrap();
    let server = Server::with_limits(listener, Limits::default(), plain_pages(), &reactor).unwrap();
    let server = Arc::new(server);
    let address = server.server_addr().to_ip().unwrap();
    let both = Arc::new(Barrier::new(2));
    for _ in 0..2 {
        let (server, both) = (server.clone(), both.clone());
        thread::spawn(move || {
            while let Ok(request) = server.recv() {
                server.call_another();
                both.wait();
                let _ = request.respond(Response::from_string("met"));
            }
        });
    }
    for _ in 0..20 {
        let mut clients = [(); 2].map(|()| crate::client::Client::connect(address));
        clients.iter_mut().for_each(|client| client.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        for client in &mut clients {
            assert_eq!(client.answer(false).unwrap().body, b"met");
        }
    }
    server.unblock();
    server.unblock();
}

#[test]
fn waits_end_when_they_should() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reactor = Reactor::new().unwrap();
    let server = Server::with_limits(listener, Limits::default(), plain_pages(), &reactor).unwrap();
    assert!(server.recv_timeout(Duration::ZERO).unwrap().is_none());
    let began = Instant::now();
    assert!(server.recv_timeout(Duration::from_millis(50)).unwrap().is_none());
    assert!(began.elapsed() >= Duration::from_millis(50));
    server.unblock();
    assert_eq!(server.recv().unwrap_err().to_string(), "thread unblocked");
    let address = server.server_addr().to_ip().unwrap();
    let mut client = crate::client::Client::connect(address);
    client.send(b"GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
    let request = server.recv_timeout(Duration::from_secs(5)).unwrap().unwrap();
    assert_eq!(request.url(), "/a");
    // A request that is dropped unanswered gets 500.
    drop(request);
    assert_eq!(client.answer(false).unwrap().status, 500);
}

#[test]
fn a_stop_serves_open_connections_and_admits_no_others() {
    let server = Attended::start(Limits::default(), drop);
    let mut idle = server.get("/ping");
    idle.answer(false).unwrap();
    eventually(|| server.server.num_busy() == 0);
    let mut begun = server.send(b"GET /ping HTTP/1.1\r\n");
    eventually(|| server.server.num_busy() == 1);
    server.server.close_listener();
    assert!(std::net::TcpStream::connect(server.address).is_err());
    assert_eq!(server.server.close_idle(Duration::from_secs(60)), 1);
    assert_eq!(server.server.close_idle(Duration::ZERO), 0);
    assert_eq!(idle.end(), End::Closed);
    begun.send(b"Host: x\r\n\r\n");
    assert_eq!(begun.answer(false).unwrap().body, b"pong");
}
