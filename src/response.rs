//! The answer of a view function, an error handler or the admin interface, before it is bytes on a connection.

use std::time::Duration;

/// One answer: what the client gets, and how long it is held back.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Status code, 100-599.
    pub status: u16,
    /// Reason phrase where the script gave one (`"404 NOT FOUND"`), else the standard one is sent.
    pub reason: Option<String>,
    /// Header fields in order; a name may repeat. `Content-Length`, `Date` and `Connection` are the connection's.
    pub headers: Vec<(String, String)>,
    /// Body as it leaves, before HEAD, 204 and 304 take it away.
    pub body: Vec<u8>,
    /// How long the answer waits on the timer thread before it leaves.
    pub hold: Duration,
}
