//! The limits of a server for its clients.

use std::time::Duration;

/// What clients may ask of a server. Times are for the whole of something, not for each read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a head, or of trailers: over it 431, for a request line 414. At most 1 MiB.
    pub head: usize,
    /// Fields of a head: over it 431.
    pub headers: usize,
    /// Bytes of a body: over it 413.
    pub body: usize,
    /// Connections: over it the one that is idle for longest is closed, or the new one gets 503.
    pub connections: usize,
    /// Requests on one connection, 0 for any number.
    pub requests: usize,
    /// Bytes that requests, and answers that clients have not taken, hold in memory, beside one head. Over it, clients are cut
    /// that have not taken their answer for a second; then the newest incomplete requests get 503 until the rest fits.
    pub buffered: usize,
    /// Time for a head: over it 408.
    pub head_time: Duration,
    /// Time for a body: over it 408.
    pub body_time: Duration,
    /// Time without a request: over it the connection is closed.
    pub idle_time: Duration,
    /// Time for the client to take an answer, or a slice of one: over it the connection is reset.
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
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle_time: Duration::from_secs(75),
            write_time: Duration::from_secs(60),
        }
    }
}
