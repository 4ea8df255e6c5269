//! The interface that the published crate lacks. Servers here have one worker, a thread that turns the reactor, and limits of
//! the test's choice.

mod absent;
mod breaking;
mod busy;
mod early;
mod file;
mod gone;
mod growing;
mod jobs;
mod lengths;
mod over;
mod waiting;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};
use tiny_http::extension::{Limits, Reactor, plain_pages};
use tiny_http::{Request, Response, Server};

use crate::client::Client;

/// A server that ends with the test.
struct Attended {
    server: Arc<Server>,
    address: SocketAddr,
}

impl Attended {
    /// Starts a server. Its worker answers `/ping` itself, and calls `handle` for other requests.
    fn start(limits: Limits, handle: impl Fn(Request) + Send + 'static) -> Attended {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reactor = Reactor::new().unwrap();
        let server = Arc::new(Server::with_limits(listener, limits, plain_pages(), &reactor).unwrap());
        // Both threads end with the process.
        thread::spawn(move || {
            loop {
                reactor.turn(None);
            }
        });
        let address = server.server_addr().to_ip().unwrap();
        let serving = server.clone();
        thread::spawn(move || {
            while let Ok(request) = serving.recv() {
                if request.url() == "/ping" {
                    let _ = request.respond(Response::from_string("pong"));
                } else {
                    handle(request);
                }
            }
        });
        Attended { server, address }
    }

    /// Returns a client that has sent `GET` of `path`.
    fn get(&self, path: &str) -> Client {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes())
    }

    fn send(&self, bytes: &[u8]) -> Client {
        let mut client = Client::connect(self.address);
        client.send(bytes);
        client
    }

    /// Checks that the worker is free and answers.
    #[track_caller]
    fn pings(&self) {
        let answer = self.get("/ping").answer(false).unwrap();
        assert_eq!(answer.body, b"pong");
    }

    /// Waits until `count` connections are open.
    #[track_caller]
    fn until_open(&self, count: usize) {
        eventually(|| self.server.num_connections() == count);
    }
}

impl Drop for Attended {
    fn drop(&mut self) {
        self.server.unblock();
    }
}

/// Deadline for each wait: far longer than it takes.
const DEADLINE: Duration = Duration::from_secs(10);

/// Waits until `holds` returns true.
#[track_caller]
fn eventually(mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + DEADLINE;
    while !holds() {
        assert!(Instant::now() < end, "not within ten seconds");
        thread::sleep(Duration::from_millis(2));
    }
}
