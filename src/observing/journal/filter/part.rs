//! The parts of an entry that a filter can name, and what an entry has there.

use super::subject::{Subject, Unknown};
use crate::message::baggage::members;
use crate::message::form::{self, Pairs, options};
use crate::observing::journal::entry::Entry;
use std::borrow::Cow;
use std::fmt;

/// Texts of a part; few have more than one.
pub(super) type Texts<'s> = smallvec::SmallVec<[Cow<'s, str>; 1]>;

/// A part of a request or its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// As sent.
    Method,
    /// Decoded, without the query.
    Path,
    /// As sent: path and query, percent-encoded.
    Target,
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
    /// The request's cookies with this name.
    Cookie(String),
    /// The fields of the form with this name, urlencoded or multipart.
    Form(String),
    /// Of the multipart parts with this name, fields and files, this.
    Multipart(String, Aspect),
    Body,
    /// The value of the JSON body that this pointer (RFC 6901) leads to.
    Json(String),
}

/// What of a multipart part is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// Whether it is there.
    Presence,
    Filename,
    /// Its `Content-Type`, whole or without parameters.
    Type,
    Content,
}

impl Aspect {
    /// Those that have a value, as they are written.
    pub(super) const NAMED: [(&'static str, Aspect); 3] =
        [("filename", Aspect::Filename), ("type", Aspect::Type), ("content", Aspect::Content)];

    fn texts<'s>(self, part: &'s form::Part, content: &'s [u8]) -> Texts<'s> {
        match self {
            Aspect::Presence | Aspect::Filename => {
                let nameless = (self == Aspect::Presence).then_some("a field");
                part.filename.as_deref().or(nameless).map(Cow::Borrowed).into_iter().collect()
            }
            Aspect::Content => Texts::from_iter([String::from_utf8_lossy(&content[part.content.clone()])]),
            Aspect::Type => {
                let mut fields =
                    part.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("content-type"));
                let Some((_, whole)) = fields.next() else { return Texts::new() };
                let bare = options::parse(whole).0;
                let differs = bare != *whole;
                [Some(Cow::Borrowed(whole.as_str())), differs.then_some(Cow::Owned(bare))]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        }
    }
}

impl Part {
    /// The parts that need no name or pointer, as they are written.
    pub(super) const NAMELESS: [(&'static str, Part); 8] = [
        ("method", Part::Method),
        ("path", Part::Path),
        ("target", Part::Target),
        ("rule", Part::Rule),
        ("endpoint", Part::Endpoint),
        ("status", Part::Status),
        ("generation", Part::Generation),
        ("body", Part::Body),
    ];

    /// Whether every entry has exactly one text there.
    pub(super) fn is_single(&self) -> bool {
        matches!(self, Part::Json(_)) || Part::NAMELESS.iter().any(|(_, part)| part == self)
    }

    /// Why an entry does not know what it has there, whatever that is.
    pub(super) fn unknown(&self, entry: &Entry) -> Option<Unknown> {
        let gone = entry.gone;
        let is_gone = match self {
            Part::Method | Part::Status => gone.method,
            Part::Path => gone.path,
            Part::Rule | Part::Endpoint => gone.rule,
            Part::Generation => gone.generation,
            Part::Target => gone.headers,
            // Perhaps not even the whole target has come.
            _ if entry.is_refused() => return Some(Unknown::Refused),
            // A body that has given way alone is one that is cut, and its length is known.
            _ => gone.headers,
        };
        is_gone.then_some(Unknown::Gone)
    }

    /// What an entry has there; of a JSON value the text that stands for it.
    pub(super) fn texts<'s>(&self, subject: &'s Subject) -> Result<Texts<'s>, Unknown> {
        if let Some(unknown) = self.unknown(subject.entry) {
            return Err(unknown);
        }
        let entry = subject.entry;
        let one = |text: &'s str| Texts::from_iter([Cow::Borrowed(text)]);
        let named = |pairs: &'s Pairs, name: &str| {
            let named = pairs.iter().filter(|(key, _)| key == name);
            named.map(|(_, value)| Cow::Borrowed(value.as_str())).collect::<Texts>()
        };
        Ok(match self {
            Part::Method => one(&entry.method),
            Part::Path => one(&entry.path),
            Part::Target => one(&entry.target),
            Part::Rule => one(entry.rule.as_deref().unwrap_or_default()),
            Part::Endpoint => one(entry.endpoint.as_deref().unwrap_or_default()),
            Part::Status => Texts::from_iter([entry.status.to_string().into()]),
            Part::Generation => Texts::from_iter([entry.generation.to_string().into()]),
            Part::Query(name) => named(subject.query(), name),
            Part::Header(name) => subject.fields(name).map(Cow::Borrowed).collect(),
            Part::Baggage(key) => members(subject.fields("baggage"))
                .into_iter()
                .filter_map(|(name, value)| (name == *key).then_some(Cow::Owned(value)))
                .collect(),
            Part::Cookie(name) => named(subject.cookies(), name),
            Part::Form(name) => named(subject.form()?, name),
            Part::Multipart(name, aspect) => {
                let (parts, content) = (subject.parts()?, subject.content().unwrap_or_default());
                let named = parts.iter().filter(|part| part.name == *name);
                named.flat_map(|part| aspect.texts(part, content)).collect()
            }
            Part::Body => Texts::from_iter([String::from_utf8_lossy(subject.content()?)]),
            Part::Json(pointer) => match subject.json()?.and_then(|json| json.pointer(pointer)) {
                Some(value) => Texts::from_iter([value.to_string().into()]),
                None => Texts::new(),
            },
        })
    }

    /// What an entry has there, in words; `None` where it has nothing.
    pub(crate) fn found(&self, subject: &Subject) -> Option<String> {
        match self.texts(subject) {
            Ok(texts) => (!texts.is_empty()).then(|| texts.join(", ")),
            Err(unknown) => Some(unknown.to_string()),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Query(name) => write!(f, "query {name}"),
            Part::Header(name) => write!(f, "header {name}"),
            Part::Baggage(key) => write!(f, "baggage {key}"),
            Part::Cookie(name) => write!(f, "cookie {name}"),
            Part::Form(name) => write!(f, "form {name}"),
            Part::Multipart(name, Aspect::Presence) => write!(f, "part {name}"),
            Part::Multipart(name, aspect) => {
                let written = Aspect::NAMED.iter().find(|(_, named)| named == aspect);
                write!(f, "{} of part {name}", written.map_or("", |(written, _)| written))
            }
            Part::Json(pointer) => write!(f, "json {pointer}"),
            plain => {
                let written = Part::NAMELESS.iter().find(|(_, part)| part == plain);
                f.write_str(written.map_or("", |(written, _)| written))
            }
        }
    }
}
