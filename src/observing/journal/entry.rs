//! One request with its answer, decoded for those who ask for it. The request path does not make these.

use super::json::{add_body, object, pairs, rfc3339};
use serde_json::Value;
use std::net::SocketAddr;

/// A request and what became of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Entry {
    /// From 1, without gaps, over all activations.
    pub number: u64,
    /// When it had arrived: microseconds since 1970.
    pub time: u64,
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
    /// What is not known any more, and empty here.
    pub gone: Gone,
}

/// Parts of an entry that gave way to newer entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Gone {
    pub answer_body: bool,
    pub body: bool,
    /// The headers of both, and all that is named nowhere else here: such an entry is a line.
    pub headers: bool,
    pub path: bool,
    pub generation: bool,
    /// With its endpoint.
    pub rule: bool,
    /// With the status.
    pub method: bool,
}

impl Gone {
    /// Their names.
    fn names(self) -> Value {
        let names = [
            (self.answer_body, "answer_body"),
            (self.body, "body"),
            (self.headers, "headers"),
            (self.path, "path"),
            (self.generation, "generation"),
            (self.rule, "rule"),
            (self.method, "method"),
        ];
        names.into_iter().filter(|(gone, _)| *gone).map(|(_, name)| name).collect()
    }
}

impl Entry {
    /// Whether the server refused it before it was complete: its fields and its body are not known.
    pub(crate) fn is_refused(&self) -> bool {
        self.unmatched.is_some() && self.generation == 0
    }

    /// All of it as JSON. Bodies are text where they are UTF-8, else in base64. What is not known is null, and named
    /// where it has given way.
    pub(crate) fn to_json(&self) -> Value {
        let Gone { headers, path, generation, rule, method, .. } = self.gone;
        let known = |gone: bool, value: Value| if gone { Value::Null } else { value };
        let unread = headers || self.is_refused();
        let mut value = object(&mut [
            ("number", self.number.into()),
            ("time", known(headers, rfc3339(self.time).into())),
            ("generation", known(generation, self.generation.into())),
            ("peer", self.peer.map(|peer| peer.to_string()).into()),
            ("method", known(method, self.method.as_str().into())),
            ("target", known(headers, self.target.as_str().into())),
            ("path", known(path, self.path.as_str().into())),
            ("headers", known(unread, pairs(&self.headers))),
            ("rule", known(rule, self.rule.as_deref().into())),
            ("endpoint", known(rule, self.endpoint.as_deref().into())),
            ("unmatched", self.unmatched.as_deref().into()),
            ("status", known(method, self.status.into())),
            ("answer_headers", known(headers, pairs(&self.answer_headers))),
            ("microseconds", known(headers, self.microseconds.into())),
            ("error", self.error.as_deref().into()),
            ("fault", self.fault.as_deref().into()),
            ("gone", self.gone.names()),
        ]);
        let bodies = [
            ("body", &self.body, self.body_length, self.gone.body, unread),
            ("answer_body", &self.answer_body, self.answer_length, self.gone.answer_body, headers),
        ];
        for (name, body, length, is_gone, is_length_gone) in bodies {
            add_body(&mut value, name, body, length);
            if is_gone || is_length_gone {
                value[name] = Value::Null;
            }
            if is_length_gone {
                value[format!("{name}_length")] = Value::Null;
                value[format!("{name}_cut")] = Value::Null;
            }
        }
        value
    }
}
