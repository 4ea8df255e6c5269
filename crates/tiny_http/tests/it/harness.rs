//! The server under test: two workers and a handler that answers a description of what it received.

use std::fmt::Write as _;
use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use crate::client::Client;
use tiny_http::extension::{Step, Then};
use tiny_http::{Header, Request, Response, StatusCode};

const WORKERS: usize = 2;
/// Deadline for the meeting of the workers. A worker waits so long only if another one hangs.
const MEETING: Duration = Duration::from_secs(3);
/// Longer bodies are described by length and checksum.
const SHOWN: usize = 1024;
/// Bytes of the answer of `/big`.
pub(crate) const BIG: usize = 200_000;
/// The answer of `/stream`.
pub(crate) const STREAMED: &[u8] = &[b's'; 5000];
/// Fields that a description shows. Others are only counted, since the name of a field has no portable text form.
const NAMES: [&str; 13] = [
    "host",
    "x-a",
    "x-b",
    "x-trailer",
    "a",
    "b",
    "!#$%&'*+-.^_`|~09azAZ",
    "connection",
    "content-length",
    "expect",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// A server on a free port; its workers end with it.
pub(crate) struct Server {
    engine: Arc<tiny_http::Server>,
    pub address: SocketAddr,
    program: Arc<Program>,
}

/// State that the workers share.
#[derive(Default)]
struct Program {
    /// Method and target of each request that came out of `recv`.
    reached: Mutex<Vec<String>>,
    /// Number of times that a worker came to `/meet`.
    arrived: Mutex<usize>,
    met: Condvar,
    /// A worker has panicked.
    lost: AtomicBool,
}

/// A worker's part in the program.
struct Worker(Arc<Program>);

impl Drop for Worker {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.lost.store(true, Ordering::Release);
            self.0.met.notify_all();
        }
    }
}

impl Server {
    pub(crate) fn start() -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let engine = Arc::new(tiny_http::Server::from_listener(listener, None).unwrap());
        let program = Arc::new(Program::default());
        for _ in 0..WORKERS {
            let (engine, worker) = (engine.clone(), Worker(program.clone()));
            thread::spawn(move || {
                while let Ok(request) = engine.recv() {
                    worker.0.serve(request);
                }
            });
        }
        Server { engine, address, program }
    }

    /// Method and target of each request that came out of `recv` so far, except those of `check_workers`.
    pub(crate) fn reached(&self) -> Vec<String> {
        let reached = self.program.reached.lock().unwrap();
        reached.iter().filter(|request| *request != "GET /meet").cloned().collect()
    }

    /// Checks that all workers serve at the same time: none hangs, and none has ended.
    pub(crate) fn check_workers(&self) -> Result<(), String> {
        let mut clients: Vec<Client> = (0..WORKERS).map(|_| Client::connect(self.address)).collect();
        for client in &mut clients {
            client.send(b"GET /meet HTTP/1.1\r\nHost: meet\r\n\r\n");
        }
        for client in &mut clients {
            let got = client.answer(false).map_err(|wrong| format!("other clients, afterwards: {wrong}"))?;
            if got.body != b"met" {
                return Err(format!("a worker is lost: {}", got.body.escape_ascii()));
            }
        }
        Ok(())
    }
}

impl Drop for Server {
    // Joins no worker: one that a case has blocked must not block the suite.
    fn drop(&mut self) {
        for _ in 0..WORKERS {
            self.engine.unblock();
        }
    }
}

impl Program {
    /// Serves one request. Errors of `respond` are ignored, since clients may leave.
    fn serve(&self, mut request: Request) {
        self.reached.lock().unwrap().push(format!("{} {}", request.method(), request.url()));
        let url = request.url().to_owned();
        let path = url.split('?').next().unwrap_or_default();
        if path == "/unread" {
            let _ = request.respond(Response::from_string("unread"));
            return;
        }
        let description = describe(&mut request);
        let _ = match path {
            "/big" => request.respond(Response::from_data(vec![b'b'; BIG])),
            "/empty" => request.respond(Response::empty(200)),
            "/stream" => {
                let stream = Cursor::new(STREAMED);
                request.respond(Response::new(StatusCode(200), Vec::new(), stream, None, None))
            }
            "/slow" => {
                // A handler that takes its time.
                thread::sleep(Duration::from_millis(50));
                request.respond(Response::from_string(description))
            }
            "/meet" => {
                let text = if self.meet() { "met" } else { "alone" };
                request.respond(Response::from_string(text))
            }
            "/raw" => raw(request),
            "/drop" => {
                drop(request);
                Ok(())
            }
            _ => match path.strip_prefix("/status/").and_then(|code| code.parse::<u16>().ok()) {
                Some(code) => request.respond(Response::from_string("a body").with_status_code(code)),
                None => {
                    let mut response = Response::from_string(description);
                    for header in fields(path) {
                        response.add_header(header);
                    }
                    request.respond(response)
                }
            },
        };
    }

    /// Waits for the other workers; false if they don't come.
    fn meet(&self) -> bool {
        let mut arrived = self.arrived.lock().unwrap();
        *arrived += 1;
        self.met.notify_all();
        let all = arrived.next_multiple_of(WORKERS);
        let alone = |arrived: &mut usize| *arrived < all && !self.lost.load(Ordering::Acquire);
        let (arrived, _) = self.met.wait_timeout_while(arrived, MEETING, alone).unwrap();
        *arrived >= all
    }
}

/// An answer that the program frames itself.
fn raw(request: Request) -> std::io::Result<()> {
    let answer = b"HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 3\r\n\r\nraw";
    request.perform(vec![Step::Bytes(answer.to_vec())], Then::Next)
}

/// The fields that a path asks to be in its answer.
fn fields(path: &str) -> Vec<Header> {
    let wanted: &[(&str, &str)] = match path {
        "/connection" => &[
            ("Connection", "close"),
            ("Transfer-Encoding", "gzip"),
            ("Trailer", "X-A"),
            ("Upgrade", "h2c"),
            ("Keep-Alive", "timeout=1"),
            ("X-A", "kept"),
        ],
        "/dated" => &[("Date", "Sun, 06 Nov 1994 08:49:37 GMT")],
        "/cookies" => &[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")],
        "/inject/crlf" => &[("X-A", "1\r\nX-Injected: 1"), ("X-B", "kept")],
        "/inject/lf" => &[("X-A", "1\nX-Injected: 1"), ("X-B", "kept")],
        "/inject/nul" => &[("X-A", "1\0"), ("X-B", "kept")],
        "/inject/name" => &[("X-Injected: 1\r\nX-A", "1"), ("X-B", "kept")],
        "/utf8" => &[("X-A", "é")],
        _ => &[],
    };
    wanted.iter().filter_map(|(name, value)| Header::from_bytes(*name, *value).ok()).collect()
}

/// Describes a request: one line for each property that a case can check.
fn describe(request: &mut Request) -> String {
    let mut text = format!("{} {}\n", request.method(), request.url());
    let version = request.http_version();
    let _ = writeln!(text, "version {}.{}", version.0, version.1);
    let _ = writeln!(text, "fields {}", request.headers().len());
    for header in request.headers() {
        if let Some(name) = NAMES.iter().find(|name| header.field.equiv(name)) {
            let _ = writeln!(text, "{name}: {}", header.value.as_str());
        }
    }
    let _ = writeln!(text, "length {:?}", request.body_length());
    let mut body = Vec::new();
    match request.as_reader().read_to_end(&mut body) {
        Err(error) => text += &format!("broken body: {error}\n"),
        Ok(_) => text += &format!("{}\n", body_line(&body)),
    }
    text
}

/// Returns the line that describes a body.
pub(crate) fn body_line(body: &[u8]) -> String {
    if body.len() <= SHOWN {
        return format!("body {}", body.escape_ascii());
    }
    let sum = body.iter().fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("body of {} bytes, {sum:x}", body.len())
}
