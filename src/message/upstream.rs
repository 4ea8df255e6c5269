//! The answer of another server to a forwarded request.

use super::answer::Fields;
use super::stream::Relay;

/// An answer of another server, without the fields of its connection.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub status: u16,
    pub reason: String,
    pub headers: Fields,
    /// The body, or its beginning where there is a relay.
    pub body: Vec<u8>,
    pub relay: Option<Relay>,
}

/// The reason why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreachable {
    /// 502, or 504 after a deadline.
    pub status: u16,
    /// Ends with the cause: ``failed to forward to `real:8080`: connection refused``.
    pub message: String,
}
