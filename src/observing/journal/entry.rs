//! One request with its answer, decoded for those who ask for it. The request path does not make these.

use super::json::{add_body, object, pairs, rfc3339};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::SystemTime;

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
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

impl Entry {
    /// All of it as JSON. Bodies are text where they are UTF-8, else in base64.
    pub(crate) fn to_json(&self) -> Value {
        let mut value = object(&mut [
            ("number", self.number.into()),
            ("time", rfc3339(self.time).into()),
            ("generation", self.generation.into()),
            ("peer", self.peer.map(|peer| peer.to_string()).into()),
            ("method", self.method.as_str().into()),
            ("target", self.target.as_str().into()),
            ("path", self.path.as_str().into()),
            ("headers", pairs(&self.headers)),
            ("rule", self.rule.as_deref().into()),
            ("endpoint", self.endpoint.as_deref().into()),
            ("unmatched", self.unmatched.as_deref().into()),
            ("status", self.status.into()),
            ("answer_headers", pairs(&self.answer_headers)),
            ("microseconds", self.microseconds.into()),
            ("error", self.error.as_deref().into()),
            ("fault", self.fault.as_deref().into()),
        ]);
        add_body(&mut value, "body", &self.body, self.body_length);
        add_body(&mut value, "answer_body", &self.answer_body, self.answer_length);
        value
    }
}
