//! Requests that arrive while the only worker is busy, and clients that try to keep it busy.

use super::{Attended, eventually};
use crate::client::{Client, End};
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};
use tiny_http::extension::{Limits, Page, Pages, Reactor};
use tiny_http::{Response, Server};

const LARGE: usize = 1 << 20;

/// Sleeps for the milliseconds in the path, then answers `LARGE` bytes.
fn slow(limits: Limits) -> Attended {
    Attended::start(limits, |request| {
        thread::sleep(Duration::from_millis(request.url()[1..].parse().unwrap()));
        let _ = request.respond(Response::from_data(vec![b'z'; LARGE]));
    })
}

/// A server that answers `LARGE` bytes. `/held` waits until the test lets it go on.
struct Gate {
    server: Attended,
    held: Receiver<()>,
    go_on: Sender<()>,
    answered: Arc<AtomicUsize>,
}

/// Deadline for each wait: far longer than it takes.
const DEADLINE: Duration = Duration::from_secs(10);

impl Gate {
    fn start() -> Gate {
        Gate::start_with(Limits::default())
    }

    fn start_with(limits: Limits) -> Gate {
        let ((at_work, held), (go_on, gate)) = (channel(), channel());
        let answered = Arc::new(AtomicUsize::new(0));
        let count = answered.clone();
        let server = Attended::start(limits, move |request| {
            if request.url() == "/held" {
                at_work.send(()).unwrap();
                gate.recv_timeout(DEADLINE).unwrap();
            }
            let _ = request.respond(Response::from_data(vec![b'z'; LARGE]));
            count.fetch_add(1, Ordering::Release);
        });
        Gate { server, held, go_on, answered }
    }

    /// Waits until the worker has a request of `/held`.
    #[track_caller]
    fn until_held(&self) {
        self.held.recv_timeout(DEADLINE).unwrap();
    }
}

/// RFC 9112, section 9.6: unread bytes must not turn the end of a connection into a reset.
#[test]
fn an_answer_arrives_in_full_whatever_follows_its_request() {
    let gate = Gate::start();
    let server = &gate.server;
    for (version, close) in [("1.1", "Connection: close\r\n"), ("1.0", "")] {
        let mut client =
            server.send(format!("GET /held HTTP/{version}\r\nHost: x\r\n{close}\r\n").as_bytes());
        gate.until_held();
        // The server has not read this when the answer leaves.
        client.send(b"\r\n");
        gate.go_on.send(()).unwrap();
        eventually(|| server.server.num_busy() == 0);
        assert_eq!(client.answer(false).unwrap().body.len(), LARGE);
        assert_eq!(client.end(), End::Closed);
    }
}

/// The server discards the bytes that a client sends after its last request, for two seconds. Then it closes the connection,
/// and the client may lose its answer. So a round that took longer on a busy machine proves nothing.
#[test]
fn a_client_that_ends_its_side_while_its_surplus_is_discarded_gets_its_whole_answer() {
    let gate = Gate::start();
    let server = &gate.server;
    let round = |number| {
        let mut client = server.send(b"GET / HTTP/1.0\r\nHost: x\r\n\r\nrest");
        let began = Instant::now();
        // All of the answer is in the socket: the connection lingers.
        eventually(|| gate.answered.load(Ordering::Acquire) == number && server.server.num_busy() == 0);
        let mut other = server.get("/held");
        gate.until_held();
        // Unread bytes and the end arrive together, and find the worker busy.
        client.send(&[b'x'; 20_000]);
        client.half_close();
        gate.go_on.send(()).unwrap();
        assert_eq!(other.answer(false).unwrap().body.len(), LARGE);
        let body = client.answer(false).map(|answer| answer.body.len());
        (began.elapsed() < Duration::from_secs(1)).then_some(body)
    };
    // `/held` counts as an answer too.
    let body = (0..20).find_map(|rounds| round(2 * rounds + 1)).expect("no round took less than a second");
    assert_eq!(body, Ok(LARGE));
}

/// The deadlines of heads and bodies have unit tests in the engine's core.
#[test]
fn a_request_that_waits_for_a_busy_worker_is_served_after_the_idle_time() {
    let gate = Gate::start_with(Limits { idle_time: Duration::from_secs(2), ..Limits::default() });
    let server = &gate.server;
    let (mut idle, mut silent) = (Client::connect(server.address), Client::connect(server.address));
    server.until_open(2);
    let mut busy = server.get("/held");
    gate.until_held();
    idle.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    // The idle time is over for both of them.
    assert_eq!(silent.end(), End::Closed);
    gate.go_on.send(()).unwrap();
    for client in [&mut busy, &mut idle] {
        assert_eq!(client.answer(false).unwrap().body.len(), LARGE);
    }
}

#[test]
fn heads_count_as_memory() {
    let limits = Limits { buffered: 1 << 20, ..Limits::default() };
    let server = slow(limits);
    let head =
        format!("POST / HTTP/1.1\r\nHost: x\r\nX: {}\r\nContent-Length: 2\r\n\r\n", "b".repeat(60_000));
    let clients: Vec<_> = (0..100).map(|_| server.send(head.as_bytes())).collect();
    // The limit admits seventeen. The other clients are refused. Once all requests have arrived, each client is one of the two.
    let refused = || clients.iter().filter(|client| client.has_news()).count();
    eventually(|| refused() + server.server.num_busy() == clients.len());
    let kept = server.server.num_busy();
    assert!((10..20).contains(&kept), "{kept}");
    drop(clients);
    server.until_open(0);
}

#[test]
fn a_flood_without_a_complete_request_delays_no_other_client() {
    let server = slow(Limits { body_time: Duration::from_millis(500), ..Limits::default() });
    let extensions = [b"1;".as_slice(), &[b'a'; 4000], b"\r\nx\r\n"].concat().repeat(256);
    let cases = [
        (Vec::new(), b"\r\n".repeat(1 << 19)),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(), extensions),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec(),
            b"1\r\nx\r\n".repeat(1 << 18),
        ),
    ];
    for (start, flood) in cases {
        // The flood goes on until other clients were answered for longer than `body_time`. A flood whose connection is closed
        // begins anew. Each answer has a deadline.
        let done = AtomicBool::new(false);
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut client = server.send(&start);
                while !done.load(Ordering::Acquire) {
                    if client.try_send(&flood).is_err() {
                        client = server.send(&start);
                    }
                }
            });
            let end = Instant::now() + Duration::from_millis(700);
            let served = catch_unwind(AssertUnwindSafe(|| {
                while Instant::now() < end {
                    server.pings();
                }
            }));
            done.store(true, Ordering::Release);
            served.unwrap();
        });
    }
}

#[test]
fn a_panicking_page_is_replaced_by_a_plain_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let reactor = Reactor::new().unwrap();
    let limits = Limits { head_time: Duration::from_millis(100), ..Limits::default() };
    let asked = AtomicUsize::new(0);
    let pages: Pages = Arc::new(move |_| {
        assert!(asked.fetch_add(1, Ordering::Relaxed) > 0, "a closure may panic");
        Page {
            reason: None,
            fields: vec![("Content-Type".to_owned(), "a/b".to_owned())],
            body: b"own".to_vec(),
        }
    });
    let server = Arc::new(Server::with_limits(listener, limits, pages, &reactor).unwrap());
    thread::spawn(move || {
        loop {
            reactor.turn(None);
        }
    });
    let serving = server.clone();
    thread::spawn(move || while serving.recv().is_ok() {});
    let address = server.server_addr().to_ip().unwrap();
    for body in ["the head of the request took too long\n", "own"] {
        let mut client = Client::connect(address);
        client.send(b"GET");
        let answer = client.answer(false).unwrap();
        assert_eq!((answer.status, String::from_utf8(answer.body).unwrap().as_str()), (408, body));
    }
    server.unblock();
}
