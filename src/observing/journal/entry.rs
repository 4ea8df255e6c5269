//! One request with its answer, decoded for those who ask for it. The request path does not make these.

pub use super::json::json;

use std::net::SocketAddr;
use std::time::SystemTime;

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// From 1, without gaps, over all activations.
    pub number: u64,
    /// When it had arrived.
    pub time: SystemTime,
    /// Generation of the provision that served it; 0 where the engine refused it.
    pub generation: u64,
    /// The client.
    pub peer: Option<SocketAddr>,
    /// As sent.
    pub method: String,
    /// As sent: path and query, percent-encoded.
    pub target: String,
    /// Its path, decoded as rules see it.
    pub path: String,
    /// Fields in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// What was kept of the body.
    pub body: Vec<u8>,
    /// Bytes of the whole body; more than `body` where it was cut.
    pub body_length: u64,
    /// The rule that served it, as registered.
    pub rule: Option<String>,
    /// Its endpoint.
    pub endpoint: Option<String>,
    /// Why no rule served it, or why the engine refused it.
    pub unmatched: Option<String>,
    /// Status of the answer; 0 where the connection was broken on purpose.
    pub status: u16,
    /// Fields of the answer, as the provision gave them: those of the connection, such as `Date`, are added later.
    pub answer_headers: Vec<(String, String)>,
    /// What was kept of the answer's body, which HEAD, 204 and 304 leave out later.
    pub answer_body: Vec<u8>,
    /// Bytes of the answer's whole body.
    pub answer_length: u64,
    /// From the request's arrival to its answer, delays that were asked for left out.
    pub microseconds: u64,
    /// What a script threw: provision, line, column and message.
    pub error: Option<String>,
    /// The delay or fault that was injected, in words.
    pub fault: Option<String>,
}
