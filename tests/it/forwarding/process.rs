//! A server in a process of its own, which answers well or badly: the path of a request says how. The process is this test program
//! again, with one test that serves until its standard input ends.

use crate::harness::DEADLINE;
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The variable that has the port; 0 for a free one.
const PORT: &str = "FORWARDING_TEST_PORT";

/// Bytes that the endless answer may send before somebody must have taken them.
const CHUNK: usize = 64 << 10;

/// The running process.
pub(super) struct Upstream {
    child: Child,
    pub port: u16,
}

impl Upstream {
    pub(super) fn start(port: u16) -> Upstream {
        let mut command = Command::new(env::current_exe().unwrap());
        command
            .args(["--ignored", "--exact", "--nocapture", "forwarding::process::serves_until_its_input_ends"])
            .env(PORT, port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            assert!(out.read_line(&mut line).unwrap() > 0, "the process did not start");
            if let Some((_, port)) = line.trim().split_once("port ") {
                break port.parse().unwrap();
            }
        };
        Upstream { child, port }
    }

    /// Returns the number of connections of which the process has seen the end.
    pub(super) fn ended(&self) -> usize {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(b"GET /ended HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.rsplit_once("\r\n\r\n").unwrap().1.parse().unwrap()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Connections whose end a thread has seen.
static ENDED: AtomicUsize = AtomicUsize::new(0);

#[test]
#[ignore = "not a test, but the other server of the tests in this folder, which start it"]
fn serves_until_its_input_ends() {
    let Ok(port) = env::var(PORT) else { return };
    let listener = TcpListener::bind(("127.0.0.1", port.parse().unwrap())).unwrap();
    println!("port {}", listener.local_addr().unwrap().port());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || {
                serve(stream);
                ENDED.fetch_add(1, Ordering::Relaxed);
            });
        }
    });
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

/// Serves the requests of a connection.
fn serve(mut stream: TcpStream) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    loop {
        let mut beginning = [0; 16];
        if stream.peek(&mut beginning).unwrap_or(0) == 0 || beginning.starts_with(b"GET /reset ") {
            // The request stays unread, so that the end is a reset.
            return;
        }
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let length = head(&mut reader);
        if std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink()).is_err() {
            return;
        }
        let goes_on = answer(&path, &mut stream, &mut reader);
        if !goes_on.unwrap_or(false) {
            let _ = stream.shutdown(Shutdown::Both);
            return;
        }
    }
}

/// Reads a head. Returns the length of the body.
fn head(reader: &mut impl BufRead) -> u64 {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 || line == "\r\n" {
            return length;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap();
        }
    }
}

/// Answers a request for `path`. Returns whether the connection goes on.
fn answer(path: &str, stream: &mut TcpStream, reader: &mut impl Read) -> std::io::Result<bool> {
    let ended = ENDED.load(Ordering::Relaxed).to_string();
    let mut say = |text: &str| stream.write_all(text.as_bytes());
    match path {
        "/ended" => {
            say(&format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{ended}", ended.len()))?;
            return Ok(false);
        }
        "/slow-head" => {
            say("HTTP/1.1 200 ")?;
            reader.read_to_end(&mut Vec::new())?;
        }
        "/slow-body" => {
            say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n")?;
            reader.read_to_end(&mut Vec::new())?;
        }
        "/cut-early" => {
            say("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")?;
            return Ok(false);
        }
        "/cut-late" => {
            say(&format!("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n{}", "x".repeat(500_000)))?;
            return Ok(false);
        }
        "/cut-chunks" => {
            let first = "x".repeat(CHUNK);
            say(&format!(
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{CHUNK:x}\r\n{first}\r\n5\r\nse"
            ))?;
            return Ok(false);
        }
        "/too-long" => say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello")?,
        "/two-lengths" => say("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nhi")?,
        "/no-length" => say("HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n")?,
        "/bad-chunk" => say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nfirst\r\n")?,
        "/garbage" => say("\u{0}\u{1}garbage\r\n\r\n")?,
        "/long-head" => {
            say(&format!("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: {}\r\n\r\n", "a".repeat(60_000)))?
        }
        "/too-long-head" => say(&format!("HTTP/1.1 200 OK\r\nA: {}\r\n\r\n", "a".repeat(70_000)))?,
        "/closes" => return Ok(false),
        "/endless" => {
            say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            let chunk = format!("{CHUNK:x}\r\n{}\r\n", "x".repeat(CHUNK));
            loop {
                say(&chunk)?;
            }
        }
        _ => say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")?,
    }
    Ok(true)
}
