//! The parts of an entry that a filter can name, and what an entry has there.

use super::{Subject, Texts};
use crate::message::baggage::members;
use std::borrow::Cow;
use std::fmt;

/// A part of a request or its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// As sent.
    Method,
    /// Decoded, without the query.
    Path,
    /// The rule that served it, as registered; empty where none did.
    Rule,
    /// Its endpoint; empty where there is none.
    Endpoint,
    /// Of the answer.
    Status,
    /// Of the provision.
    Generation,
    /// The parameters of the query with this name.
    Query(String),
    /// The request's fields with this name, in any case.
    Header(String),
    /// The members of the request's `baggage` with this key (W3C Baggage).
    Baggage(String),
    Body,
    /// The value of the JSON body that this pointer (RFC 6901) leads to.
    Json(String),
}

impl Part {
    /// What an entry has there; of a JSON value the text that stands for it. Nothing for the body, which is no text yet.
    pub(super) fn texts<'s>(&self, subject: &'s Subject) -> Texts<'s> {
        let entry = subject.entry;
        let one = |text: &'s str| Texts::from_iter([Cow::Borrowed(text)]);
        match self {
            Part::Method => one(&entry.method),
            Part::Path => one(&entry.path),
            Part::Rule => one(entry.rule.as_deref().unwrap_or_default()),
            Part::Endpoint => one(entry.endpoint.as_deref().unwrap_or_default()),
            Part::Status => Texts::from_iter([entry.status.to_string().into()]),
            Part::Generation => Texts::from_iter([entry.generation.to_string().into()]),
            Part::Query(name) => {
                let named = subject.query().iter().filter(|(key, _)| key == name);
                named.map(|(_, value)| Cow::Borrowed(value.as_str())).collect()
            }
            Part::Header(name) => fields(subject, name),
            Part::Baggage(key) => members(fields(subject, "baggage").iter().map(Cow::as_ref))
                .into_iter()
                .filter_map(|(name, value)| (name == *key).then_some(Cow::Owned(value)))
                .collect(),
            Part::Body => Texts::new(),
            Part::Json(pointer) => match subject.json().and_then(|json| json.pointer(pointer)) {
                Some(value) => Texts::from_iter([value.to_string().into()]),
                None => Texts::new(),
            },
        }
    }

    /// What an entry has there, in words; `None` where it has nothing.
    pub(crate) fn found(&self, subject: &Subject) -> Option<String> {
        let entry = subject.entry;
        if matches!(self, Part::Body | Part::Json(_)) && subject.is_cut() {
            return Some(format!("cut after {} of {} bytes", entry.body.len(), entry.body_length));
        }
        match self {
            Part::Body => Some(String::from_utf8_lossy(&entry.body).into_owned()),
            _ => {
                let texts = self.texts(subject);
                (!texts.is_empty()).then(|| texts.join(", "))
            }
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Method => f.write_str("method"),
            Part::Path => f.write_str("path"),
            Part::Rule => f.write_str("rule"),
            Part::Endpoint => f.write_str("endpoint"),
            Part::Status => f.write_str("status"),
            Part::Generation => f.write_str("generation"),
            Part::Query(name) => write!(f, "query {name}"),
            Part::Header(name) => write!(f, "header {name}"),
            Part::Baggage(key) => write!(f, "baggage {key}"),
            Part::Body => f.write_str("body"),
            Part::Json(pointer) => write!(f, "json {pointer}"),
        }
    }
}

/// Values of the request's fields with this name.
fn fields<'s>(subject: &'s Subject, name: &str) -> Texts<'s> {
    let named = subject.entry.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    named.map(|(_, value)| Cow::Borrowed(value.trim())).collect()
}
