//! The limits of a server for its clients.

use std::time::Duration;

/// Limits of a server for its clients. A time is for the whole head, body or answer, not for each read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, or of trailers. Beyond, the client gets 431; 414 if the request line alone is longer. At most 1 MiB.
    pub head: usize,
    /// Fields of a head. Beyond, the client gets 431.
    pub headers: usize,
    /// Bytes of a body. Beyond, the client gets 413.
    pub body: usize,
    /// Open connections. Beyond, the one that is idle for longest is closed; if none is idle, the new one gets 503.
    pub connections: usize,
    /// Requests on one connection; 0 for any number.
    pub requests: usize,
    /// Bytes that requests and untaken answers hold in memory, beside one head. Beyond, clients are reset that have not taken
    /// their answer for a second; then the newest incomplete requests get 503 until the rest fits.
    pub buffered: usize,
    /// Jobs of the program that wait for a worker. Beyond, `Server::submit` gives the job back.
    pub jobs: usize,
    /// Time for a head. Later, the client gets 408.
    pub head_time: Duration,
    /// Time for a body. Later, the client gets 408.
    pub body_time: Duration,
    /// Time without a request. Later, the connection is closed.
    pub idle_time: Duration,
    /// Time for the client to take an answer, or a slice of one. Later, the connection is reset.
    pub write_time: Duration,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: 64 << 10,
            headers: 128,
            body: 8 << 20,
            connections: 65_536,
            requests: 0,
            buffered: 256 << 20,
            jobs: 65_536,
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(60),
        }
    }
}
