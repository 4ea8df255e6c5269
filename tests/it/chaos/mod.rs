//! Delays and faults end to end, on raw sockets.

mod crowd;
mod rules;
mod scripts;
mod streams;

use crate::harness::{Client, DEADLINE};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;

/// The end of a connection.
#[derive(Debug, PartialEq, Eq, Clone, Copy)]
enum End {
    Closed,
    Reset,
}

/// A connection without HTTP.
struct Raw(TcpStream);

impl Raw {
    #[track_caller]
    fn sent(address: &str, bytes: &str) -> Raw {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(bytes.as_bytes()).unwrap();
        Raw(stream)
    }

    /// Reads everything that comes, and the end.
    #[track_caller]
    fn rest(&mut self) -> (Vec<u8>, End) {
        let (mut bytes, mut buffer) = (Vec::new(), [0; 4096]);
        loop {
            match self.0.read(&mut buffer) {
                Ok(0) => return (bytes, End::Closed),
                Ok(count) => bytes.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return (bytes, End::Reset),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&bytes)),
            }
        }
    }

    /// Reads once.
    #[track_caller]
    fn next(&mut self) -> Vec<u8> {
        let mut buffer = [0; 4096];
        let count = self.0.read(&mut buffer).unwrap();
        buffer[..count].to_vec()
    }
}

fn get(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n")
}

/// Splits an answer into head and body.
fn split(bytes: &[u8]) -> (String, String) {
    let text = String::from_utf8_lossy(bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    (head.to_owned(), body.to_owned())
}

/// Checks that the connection serves another request.
#[track_caller]
fn serves(client: &mut Client) {
    assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
}
