//! The subcommands against canned servers: each connection gets the next answer, byte for byte.

use super::*;
use crate::cli::Token;
use crate::http_client::Request;
use rustix::net;
use std::io::Read;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

const SHORT: Duration = Duration::from_secs(5);

/// A listener that answers one connection per canned text, and gives back the requests it saw.
struct Canned {
    address: SocketAddr,
    thread: JoinHandle<Vec<String>>,
}

impl Canned {
    fn start(answers: &[&str]) -> Canned {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answers: Vec<String> = answers.iter().map(|answer| answer.to_string()).collect();
        let thread =
            thread::spawn(move || answers.iter().map(|answer| answer_one(&listener, answer)).collect());
        Canned { address, thread }
    }

    fn server(&self) -> Server {
        Server { traffic: self.address, admin: self.address, token: None }
    }

    fn requests(self) -> Vec<String> {
        self.thread.join().unwrap()
    }
}

fn answer_one(listener: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().unwrap();
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    while !request.ends_with(b"\r\n\r\n") {
        let read = stream.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "the client closed before its request was complete");
        request.extend_from_slice(&buffer[..read]);
    }
    stream.write_all(answer.as_bytes()).unwrap();
    String::from_utf8(request).unwrap()
}

/// A port that no other test can get, and where nothing listens yet.
struct Closed {
    socket: OwnedFd,
    address: SocketAddr,
}

impl Closed {
    fn bind() -> Closed {
        let socket = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None).unwrap();
        net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = net::getsockname(&socket).unwrap().try_into().unwrap();
        Closed { socket, address }
    }

    fn server(&self) -> Server {
        server_at(self.address)
    }

    fn listen(self) -> TcpListener {
        net::listen(&self.socket, 8).unwrap();
        TcpListener::from(self.socket)
    }
}

fn server_at(address: SocketAddr) -> Server {
    Server { traffic: address, admin: address, token: None }
}

fn got(url: &str, server: &Server, timeout: Duration) -> (Result<(), String>, String) {
    let mut out = Vec::new();
    let result = get(url, false, server, timeout, &mut out);
    (result, String::from_utf8(out).unwrap())
}

fn waited(
    server: &Server,
    generation: Option<u64>,
    provision: Option<&str>,
    timeout: Duration,
) -> Result<(), String> {
    let provision = provision.map(str::to_owned);
    wait(&WaitGoal { generation, provision, requests: None }, timeout, None, server)
}

#[test]
fn get_prints_the_body() {
    let canned = Canned::start(&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"]);
    let address = canned.address;
    assert_eq!(got("/a?b=c", &canned.server(), SHORT), (Ok(()), "hello".to_string()));
    let version = env!("CARGO_PKG_VERSION");
    let expected = format!(
        "GET /a?b=c HTTP/1.1\r\nHost: {address}\r\nUser-Agent: h1mock/{version}\r\nAccept: */*\r\n\
         Connection: close\r\n\r\n"
    );
    assert_eq!(canned.requests(), [expected]);
}

#[test]
fn get_prints_the_body_of_an_error_and_fails() {
    let canned = Canned::start(&["HTTP/1.1 404 NOT FOUND\r\n\r\ngone"]);
    let expected = format!("failed to get `http://{}/x`: 404 NOT FOUND", canned.address);
    assert_eq!(got("/x", &canned.server(), SHORT), (Err(expected), "gone".to_string()));
}

#[test]
fn a_path_of_the_admin_interface_that_the_mock_lacks_has_a_question() {
    let none = "HTTP/1.1 404 NOT FOUND\r\n\r\ngone";
    let other = "HTTP/1.1 404 NOT FOUND\r\n\r\n{\"result\":\"failed: there is no key `a`\"}\n";
    for (answer, target, asks) in [
        (none, "/app/v1/provision?x=1", true),
        (none, "/metrics", true),
        (none, "/app/v1", false),
        (none, "/metrics/x", false),
        (other, "/app/v1/store/a", false),
        ("HTTP/1.1 500 X\r\n\r\n", "/metrics", false),
    ] {
        let canned = Canned::start(&[answer]);
        let port = canned.address.port();
        let server = Server { admin: ([127, 0, 0, 1], 9).into(), ..canned.server() };
        let error = got(target, &server, SHORT).0.unwrap_err();
        let question = format!("; is {port} the admin port, and not the mock's? Try `h1mock get :9{target}`");
        assert_eq!(error.ends_with(&question), asks, "{error}");
    }
    // Another machine may have an admin port of the same number.
    let url = Url::parse("http://mock:8000/metrics", ([127, 0, 0, 1], 1).into(), 80).unwrap();
    let server = Server { admin: ([127, 0, 0, 1], 8074).into(), ..server_at(([127, 0, 0, 1], 1).into()) };
    let (line, reason) = (String::new(), String::new());
    let reply = Reply { line, status: 404, reason, headers: Vec::new(), body: Vec::new() };
    assert_eq!(
        other_port(&url, &server, &reply, "h1mock get", &url.target),
        "; is 8000 the admin port, and not the mock's? Try `h1mock get mock:8074/metrics`"
    );
}

#[test]
fn get_says_why_there_is_no_answer() {
    let closed = Closed::bind();
    let server = closed.server();
    let expected = format!("failed to connect to `{}`: connection refused", server.traffic);
    assert_eq!(got("/", &server, SHORT), (Err(expected), String::new()));

    let expected = "failed to use URL `https://x/`: there is no TLS here, use http".to_string();
    assert_eq!(got("https://x/", &server, SHORT), (Err(expected), String::new()));

    let canned = Canned::start(&["HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]);
    let expected = format!("failed to get an answer from `{}`: the connection closed early", canned.address);
    assert_eq!(got("/", &canned.server(), SHORT), (Err(expected), String::new()));

    let canned = Canned::start(&["SSH-2.0\r\n"]);
    let expected = format!("failed to read the answer of `{}`: it is no HTTP", canned.address);
    assert_eq!(got("/", &canned.server(), SHORT), (Err(expected), String::new()));
}

#[test]
fn get_reports_an_output_that_is_closed() {
    struct BrokenPipe;
    impl Write for BrokenPipe {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(32))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let canned = Canned::start(&["HTTP/1.1 200 OK\r\n\r\nx"]);
    let result = get("/", true, &canned.server(), SHORT, &mut BrokenPipe);
    assert_eq!(result, Err("failed to write the body: broken pipe".to_owned()));
}

/// The peer sends a byte every 20 ms, so no single read waits long: only a deadline for the whole answer ends the request.
#[test]
fn the_timeout_is_for_the_whole_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let server = server_at(listener.local_addr().unwrap());
    let (done, over) = mpsc::channel::<()>();
    let drip = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while over.recv_timeout(Duration::from_millis(20)) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = stream.write_all(b"x");
        }
    });
    let start = Instant::now();
    let expected = format!("failed to get an answer from `{}`: none within 200ms", server.traffic);
    assert_eq!(got("/", &server, Duration::from_millis(200)), (Err(expected), String::new()));
    assert!(start.elapsed() < SHORT);
    drop(done);
    drip.join().unwrap();
}

#[test]
fn the_token_goes_to_the_admin_port_only() {
    let ok = "HTTP/1.1 200 OK\r\n\r\n";
    let (mock, admin) = (Canned::start(&[ok]), Canned::start(&[ok, ok]));
    let server = Server { traffic: mock.address, admin: admin.address, token: Some(Token::new("hush")) };
    let port = admin.address.port();
    for url in ["/x".to_string(), format!(":{port}/x"), format!("http://localhost:{port}/x")] {
        assert_eq!(got(&url, &server, SHORT).0, Ok(()), "{url}");
    }
    assert!(mock.requests().iter().all(|request| !request.contains("hush")));
    assert!(admin.requests().iter().all(|request| request.contains("\r\nAuthorization: Bearer hush\r\n")));
}

#[test]
fn a_header_that_http_cannot_carry_is_not_sent() {
    let closed = Closed::bind();
    let url = Url::parse("/", closed.address, 80).unwrap();
    let send = |name: &str, value: &str| {
        let headers = [(name, Some(value))];
        Request { method: "GET", url: &url, headers: &headers, body: None, addresses: &[], timeout: SHORT }
            .send()
    };
    for (name, value) in [("X", "a\r\nY: b"), ("X", "\u{fc}"), ("X", "\0")] {
        let error = send(name, value).unwrap_err();
        assert_eq!(error.to_string(), "failed to send header `X`: not visible ASCII");
    }
    assert!(matches!(send("", "x"), Err(ClientError::Header { .. })));
}

#[test]
fn probe_succeeds_where_readyz_answers_200() {
    let unready =
        "HTTP/1.1 503 Service Unavailable\r\n\r\n{\"result\":\"failed: provision `a` is not active\"}";
    let closed = Closed::bind();
    for (answer, reason) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", None),
        (unready, Some("503 Service Unavailable: provision `a` is not active")),
        (
            "HTTP/1.1 503 Service Unavailable\r\n\r\nstarting\nmore\n",
            Some("503 Service Unavailable: starting"),
        ),
        ("HTTP/1.1 404 Not Found\r\n\r\n<html>", Some("404 Not Found")),
    ] {
        let canned = Canned::start(&[answer]);
        let address = canned.address.to_string();
        let (port, admin) = (canned.address.port(), closed.address.port());
        let question = match answer.starts_with("HTTP/1.1 404") {
            true => {
                format!("; is {port} the admin port, and not the mock's? Try `h1mock probe :{admin}`")
            }
            false => String::new(),
        };
        let expected = reason.map(|reason| format!("failed to probe `{address}`: {reason}{question}"));
        assert_eq!(probe(Some(&address), &closed.server()).err(), expected);
        assert!(canned.requests()[0].starts_with("GET /readyz HTTP/1.1\r\n"));
    }
    let expected = format!("failed to connect to `{}`: connection refused", closed.address);
    assert_eq!(probe(None, &closed.server()), Err(expected));
}

#[test]
fn probe_of_a_port_connects_and_sends_nothing() {
    let probed = |address: &str| probe(Some(address), &server_at(([127, 0, 0, 1], 1).into()));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = listener.local_addr().unwrap();
    assert_eq!(probed(&format!("tcp://{open}")), Ok(()));
    assert_eq!(probed(&format!("tcp://:{}", open.port())), Ok(()));
    let mut received = Vec::new();
    listener.accept().unwrap().0.read_to_end(&mut received).unwrap();
    assert_eq!(received, b"");
    let closed = Closed::bind();
    let expected = format!("failed to connect to `{}`: connection refused", closed.address);
    assert_eq!(probed(&format!("tcp://{}", closed.address)), Err(expected));
    let expected = "failed to use URL `tcp://mock`: it has no port".to_owned();
    assert_eq!(probed("tcp://mock"), Err(expected));
}

#[test]
fn a_port_that_does_not_answer_is_given_up() {
    // The queue of this listener is full, so the system drops further connections.
    let socket = net::socket(net::AddressFamily::INET, net::SocketType::STREAM, None).unwrap();
    net::bind(&socket, &SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    net::listen(&socket, 0).unwrap();
    let address: SocketAddr = net::getsockname(&socket).unwrap().try_into().unwrap();
    let _waiting = std::net::TcpStream::connect(address).unwrap();
    let url = Url::socket(&address.to_string(), address).unwrap();
    let error = crate::http_client::connection::reach(&url, Duration::from_millis(100)).unwrap_err();
    let expected = format!("failed to connect to `{address}`: no connection within 100ms");
    assert_eq!(error.to_string(), expected);
}

#[test]
fn wait_asks_again_until_the_server_is_ready() {
    let canned = Canned::start(&["", "HTTP/1.1 503 Service Unavailable\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n"]);
    assert_eq!(waited(&canned.server(), None, None, SHORT), Ok(()));
    assert!(canned.requests().iter().all(|request| request.starts_with("GET /readyz ")));
}

#[test]
fn wait_asks_again_after_408_and_each_5xx() {
    for status in [408, 500, 502, 504, 505, 599] {
        let again = format!("HTTP/1.1 {status} X\r\n\r\n");
        let canned = Canned::start(&[&again, "HTTP/1.1 200 OK\r\n\r\n"]);
        assert_eq!(waited(&canned.server(), None, None, SHORT), Ok(()), "{status}");
        assert_eq!(canned.requests().len(), 2);
    }
    for status in [400, 407, 409, 499, 600] {
        let canned = Canned::start(&[&format!("HTTP/1.1 {status} X\r\n\r\n")]);
        let expected = format!("failed to wait for readiness: {status} X");
        assert_eq!(waited(&canned.server(), None, None, SHORT), Err(expected));
    }
}

#[test]
fn wait_finds_a_server_that_starts_later() {
    let closed = Closed::bind();
    let server = closed.server();
    let late = thread::spawn(move || {
        // Time for refused connections, which nothing here can see.
        thread::sleep(Duration::from_millis(60));
        answer_one(&closed.listen(), "HTTP/1.1 200 OK\r\n\r\n")
    });
    assert_eq!(waited(&server, None, None, SHORT), Ok(()));
    late.join().unwrap();
}

#[test]
fn wait_gives_up_with_the_last_reason() {
    let closed = Closed::bind();
    let server = closed.server();
    let expected = format!(
        "failed to wait for readiness within 100ms: failed to connect to `{}`: connection refused",
        server.admin
    );
    assert_eq!(waited(&server, None, None, Duration::from_millis(100)), Err(expected));
}

#[test]
fn wait_gives_up_on_a_server_that_never_answers_with_that_reason() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let error = waited(&server_at(address), None, None, Duration::from_millis(100)).unwrap_err();
    let reason = format!("within 100ms: failed to get an answer from `{address}`: none within ");
    assert!(error.starts_with(&format!("failed to wait for readiness {reason}")), "{error}");
}

#[test]
fn wait_for_a_generation_lets_the_server_wait() {
    let canned = Canned::start(&["HTTP/1.1 408 Request Timeout\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n{}"]);
    let server = Server { token: Some(Token::new("hush")), ..canned.server() };
    assert_eq!(waited(&server, Some(3), None, SHORT), Ok(()));
    for request in canned.requests() {
        let rest = request.strip_prefix("GET /app/v1/wait?generation=3&timeout=").unwrap();
        let seconds: u64 = rest.split_once(" HTTP/1.1\r\n").unwrap().0.parse().unwrap();
        assert!(seconds < SHORT.as_secs(), "whole seconds, less than what is left: {seconds}");
        assert!(request.contains("\r\nAuthorization: Bearer hush\r\n"));
    }
}

#[test]
fn a_long_wait_is_asked_for_in_turns() {
    let canned = Canned::start(&["HTTP/1.1 200 OK\r\n\r\n{}"]);
    assert_eq!(waited(&canned.server(), Some(3), None, Duration::from_secs(3600)), Ok(()));
    assert!(canned.requests()[0].starts_with("GET /app/v1/wait?generation=3&timeout=60 "));
}

#[test]
fn wait_for_a_provision_reads_the_ledger() {
    let ledger = |active: &str| format!("HTTP/1.1 200 OK\r\n\r\n{{\"active\":{active}}}");
    let (none, other) = (ledger("null"), ledger("{\"name\":\"initial\",\"generation\":1}"));
    let there = ledger("{\"name\":\"v2\",\"generation\":2}");
    let canned = Canned::start(&[&none, &other, &there]);
    assert_eq!(waited(&canned.server(), None, Some("v2"), SHORT), Ok(()));
    assert!(canned.requests()[0].starts_with("GET /app/v1/provision HTTP/1.1\r\n"));

    let canned = Canned::start(&["HTTP/1.1 200 OK\r\n\r\n{}", &there]);
    assert_eq!(waited(&canned.server(), Some(2), Some("v2"), SHORT), Ok(()));
    assert_eq!(canned.requests().len(), 2);
}

#[test]
fn wait_ends_at_once_where_asking_again_cannot_help() {
    let unauthorized = "HTTP/1.1 401 Unauthorized\r\n\r\n{\"result\":\"failed: a bearer token is needed\"}";
    for (answer, expected) in [
        (unauthorized, "401 Unauthorized: a bearer token is needed"),
        ("HTTP/1.1 404 Not Found\r\n\r\n", "404 Not Found"),
        ("HTTP/1.1 200 OK\r\n\r\n<html>", "the ledger is no JSON"),
    ] {
        let canned = Canned::start(&[answer]);
        let expected = format!("failed to wait for provision `v2`: {expected}");
        assert_eq!(waited(&canned.server(), None, Some("v2"), SHORT), Err(expected));
    }
}
