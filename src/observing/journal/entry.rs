//! One request with its answer, decoded for a reader. Workers that serve requests make no entries, but records ([`super::codec`]).

use super::content::decoded;
use super::json::{add_body, add_content, object, pairs, rfc3339};
use crate::message::progress::{Ending, State};
use serde_json::Value;
use std::net::SocketAddr;

/// A request with its answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Entry {
    /// From 1, without gaps, across all activations.
    pub number: u64,
    /// Time of its arrival in microseconds since 1970.
    pub time: u64,
    /// Generation of the provision that served it; 0 where the engine refused it.
    pub generation: u64,
    /// The overlay that served it; `None` for the active provision.
    pub overlay: Option<String>,
    pub peer: Option<SocketAddr>,
    pub method: String,
    /// Path and query as sent, percent-encoded.
    pub target: String,
    /// The path, decoded as rules see it.
    pub path: String,
    /// Header fields in the order in which they came.
    pub headers: Vec<(String, String)>,
    /// The body, or the beginning that is kept of it.
    pub body: Vec<u8>,
    /// Bytes of the whole body; more than `body` has where the body is truncated.
    pub body_length: u64,
    /// The rule that served it, as registered.
    pub rule: Option<String>,
    pub endpoint: Option<String>,
    /// Why no rule served it, or why the engine refused it.
    pub unmatched: Option<String>,
    /// Status of the answer; 0 where a fault broke the connection.
    pub status: u16,
    /// Header fields of the answer from the provision. The engine adds others later, such as `Date`.
    pub answer_headers: Vec<(String, String)>,
    /// The answer's body, or the beginning that is kept of it: of a stream, its first piece. The engine leaves it out for HEAD, 204 and
    /// 304.
    pub answer_body: Vec<u8>,
    /// Bytes of the answer's whole body; of a stream, of the pieces so far, and at least of the first.
    pub answer_length: u64,
    /// Time from the request's arrival to its answer, without delays that a script or chaos asked for.
    pub microseconds: u64,
    /// The error that a script threw: provision, line, column and message.
    pub error: Option<String>,
    /// The delays and faults that were injected, in words.
    pub fault: Option<String>,
    /// Whether it came, or left as a callback.
    pub kind: Kind,
    /// The exchange with the server that it was forwarded to.
    pub forwarded: Option<Forwarded>,
    /// The progress of the answer, if it is a stream.
    pub stream: Option<State>,
    /// The parts that were evicted; their fields here are empty.
    pub gone: Gone,
}

/// The direction of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// A client sent it.
    #[default]
    Request,
    /// h1mock sent it, for the request with entry number `cause` (0 if unknown). Attempts count from 1 (0 if unknown).
    Callback { cause: u64, attempt: u32 },
}

/// An exchange with the server that a request was forwarded to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Forwarded {
    /// The URL at the server: `http://real:8080/path`.
    pub url: String,
    /// The reason why there was no answer, or not all of it.
    pub error: Option<String>,
}

/// Returns the first value of the header field `name`, in any case.
pub(crate) fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
}

/// Parts of an entry that were evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Gone {
    pub answer_body: bool,
    pub body: bool,
    /// The headers of request and answer, and all fields that are not named here. Such an entry is a line.
    pub headers: bool,
    pub path: bool,
    pub generation: bool,
    /// The rule and its endpoint.
    pub rule: bool,
    /// The method and the status.
    pub method: bool,
    /// The progress of a stream. If the method is known, the answer was a stream.
    pub stream: bool,
}

impl Gone {
    /// Returns their names in JSON.
    fn names(self) -> Value {
        let names = [
            (self.answer_body, "answer_body"),
            (self.body, "body"),
            (self.headers, "headers"),
            (self.path, "path"),
            (self.generation, "generation"),
            (self.rule, "rule"),
            (self.method, "method"),
            (self.stream, "stream"),
        ];
        names.into_iter().filter(|(gone, _)| *gone).map(|(_, name)| name).collect()
    }
}

impl Entry {
    /// Whether the engine refused the request before it was complete. Its header fields and its body are unknown then.
    pub(crate) fn is_refused(&self) -> bool {
        self.unmatched.is_some() && self.generation == 0
    }

    /// Adds the progress of a stream, if it is known.
    pub(super) fn add_stream(&mut self, state: Option<State>) {
        self.gone.stream = state.is_none();
        if let Some(state) = &state {
            // A stream that has not left yet has its first piece already.
            self.answer_length = state.bytes.max(self.answer_length);
            let error = || state.error.as_deref().map(str::to_owned);
            self.error = self.error.take().or_else(error);
            if let Some(forwarded) = &mut self.forwarded {
                forwarded.error = forwarded.error.take().or_else(error);
            }
        }
        self.stream = state;
    }

    /// Whether the progress of a stream may still change, or become known.
    pub(crate) fn is_moving(&self) -> bool {
        match &self.stream {
            Some(state) => state.ended.is_none(),
            None => self.gone.stream && !self.gone.headers,
        }
    }

    /// Returns the entry as JSON. Bodies are text where they are UTF-8, else base64; of a body in a content coding there are both.
    /// Unknown parts are null.
    pub(crate) fn to_json(&self) -> Value {
        let Gone { headers, path, generation, rule, method, .. } = self.gone;
        let known = |gone: bool, value: Value| if gone { Value::Null } else { value };
        let unread = headers || self.is_refused();
        let mut value = object(&mut [
            ("number", self.number.into()),
            ("kind", known(method, self.kind.word().into())),
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
        if let Some(overlay) = &self.overlay {
            value["overlay"] = overlay.as_str().into();
        }
        self.add_exchange(&mut value, "");
        if self.stream.is_some() || self.gone.stream {
            value["stream"] = self.stream.as_ref().map(progress).into();
        }
        let bodies = [
            ("body", &self.headers, &self.body, self.body_length, self.gone.body, unread),
            (
                "answer_body",
                &self.answer_headers,
                &self.answer_body,
                self.answer_length,
                self.gone.answer_body,
                headers || self.gone.stream,
            ),
        ];
        for (name, fields, body, length, is_gone, is_length_gone) in bodies {
            add_body(&mut value, name, body, length);
            if !is_gone && length == body.len() as u64 {
                add_content(&mut value, name, decoded(fields, body));
            }
            if is_gone || headers || is_length_gone && body.is_empty() {
                value[name] = Value::Null;
            }
            if is_length_gone {
                value[format!("{name}_length")] = Value::Null;
                value[format!("{name}_cut")] = Value::Null;
            }
        }
        value
    }

    /// Adds what only callbacks and forwarded requests have, under names with this prefix.
    pub(super) fn add_exchange(&self, value: &mut Value, prefix: &str) {
        if let Kind::Callback { cause, attempt } = self.kind {
            value[format!("{prefix}cause")] = Some(cause).filter(|cause| *cause > 0).into();
            value[format!("{prefix}attempt")] = Some(attempt).filter(|attempt| *attempt > 0).into();
        }
        if let Some(Forwarded { url, error }) = &self.forwarded {
            let url = if self.gone.headers { Value::Null } else { url.as_str().into() };
            value[format!("{prefix}forwarded")] =
                object(&mut [("url", url), ("error", error.as_deref().into())]);
        }
    }
}

impl Kind {
    /// Returns its name in JSON and in filters.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Kind::Request => "request",
            Kind::Callback { .. } => "callback",
        }
    }
}

fn progress(state: &State) -> Value {
    object(&mut [
        ("pieces", state.pieces.into()),
        ("bytes", state.bytes.into()),
        ("times_ms", state.times.as_slice().into()),
        ("ended", state.ended.map(Ending::word).into()),
    ])
}
