//! The parts of an entry that a filter can name, and their texts in an entry.

use super::stream;
use super::subject::{Subject, Unknown};
use crate::message::baggage::members;
use crate::message::form::{self, Pairs, options};
use crate::observing::journal::Kind;
use crate::observing::journal::entry::{Entry, find};
use std::borrow::Cow;
use std::fmt;

/// The texts of a part. Few parts have more than one.
pub(super) type Texts<'s> = smallvec::SmallVec<[Cow<'s, str>; 1]>;

/// A part of a request or its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    Method,
    /// Decoded, without the query.
    Path,
    /// Path and query as sent, percent-encoded.
    Target,
    /// The rule that served the request, as registered; empty where no rule did.
    Rule,
    /// The endpoint of that rule; empty where no rule served the request.
    Endpoint,
    /// The overlay that answered; empty where the active provision did.
    Overlay,
    /// The status of the answer.
    Status,
    /// The generation of the provision.
    Generation,
    /// Whether the answer is a stream, and how it ended.
    Stream,
    /// The number of pieces that the stream has sent; missing where the answer is no stream.
    Pieces,
    /// `true` where the request was forwarded to another server, else `false`.
    Forwarded,
    /// The number of the request that caused the callback; missing where the entry is no callback, or its cause is unknown.
    Cause,
    /// The attempt of the callback, from 1; missing where the entry is no callback.
    Attempt,
    /// The parameters of the query with this name.
    Query(String),
    /// The request's header fields with this name, in any case.
    Header(String),
    /// The members of the request's `baggage` with this key (W3C Baggage).
    Baggage(String),
    /// The request's cookies with this name.
    Cookie(String),
    /// The fields of the form with this name, urlencoded or multipart.
    Form(String),
    /// One aspect of the multipart parts with this name, fields and files.
    Multipart(String, Aspect),
    Body,
    /// The value of the JSON body at this pointer (RFC 6901).
    Json(String),
}

/// An aspect of a multipart part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Aspect {
    /// The presence of the part.
    Presence,
    Filename,
    /// Its `Content-Type`, with and without parameters.
    Type,
    Content,
}

impl Aspect {
    /// The aspects that have a value, as filters write them.
    pub(super) const NAMED: [(&'static str, Aspect); 3] =
        [("filename", Aspect::Filename), ("type", Aspect::Type), ("content", Aspect::Content)];

    fn texts<'s>(self, part: &'s form::Part, content: &'s [u8]) -> Texts<'s> {
        match self {
            Aspect::Presence | Aspect::Filename => {
                let nameless = (self == Aspect::Presence).then_some("a field");
                part.filename.as_deref().or(nameless).map(Cow::Borrowed).into_iter().collect()
            }
            Aspect::Content => Texts::from_iter([part.text(content)]),
            Aspect::Type => {
                let Some(whole) = find(&part.headers, "content-type") else { return Texts::new() };
                let bare = options::parse(whole).0;
                let differs = bare != whole;
                [Some(Cow::Borrowed(whole)), differs.then_some(Cow::Owned(bare))]
                    .into_iter()
                    .flatten()
                    .collect()
            }
        }
    }
}

impl Part {
    /// The parts without a name or pointer, as filters write them.
    pub(super) const NAMELESS: [(&'static str, Part); 14] = [
        ("method", Part::Method),
        ("path", Part::Path),
        ("target", Part::Target),
        ("rule", Part::Rule),
        ("endpoint", Part::Endpoint),
        ("overlay", Part::Overlay),
        ("status", Part::Status),
        ("generation", Part::Generation),
        ("stream", Part::Stream),
        ("pieces", Part::Pieces),
        ("forwarded", Part::Forwarded),
        ("cause", Part::Cause),
        ("attempt", Part::Attempt),
        ("body", Part::Body),
    ];

    /// Whether no entry has several texts for this part.
    pub(super) fn is_single(&self) -> bool {
        matches!(self, Part::Json(_)) || Part::NAMELESS.iter().any(|(_, part)| part == self)
    }

    /// Returns why the part is unknown in `entry`, if it is.
    pub(super) fn unknown(&self, entry: &Entry) -> Option<Unknown> {
        let gone = entry.gone;
        let is_gone = match self {
            Part::Method | Part::Status | Part::Forwarded => gone.method,
            Part::Path => gone.path,
            Part::Rule | Part::Endpoint => gone.rule,
            Part::Generation => gone.generation,
            Part::Stream | Part::Pieces => gone.stream,
            Part::Target | Part::Overlay | Part::Cause | Part::Attempt => gone.headers,
            // The other parts of a refused request may not have been read.
            _ if entry.is_refused() => return Some(Unknown::Refused),
            // If only the body was evicted, it counts as truncated, and its length is known.
            _ => gone.headers,
        };
        is_gone.then_some(Unknown::Gone)
    }

    /// Returns the texts of this part in an entry. A JSON value is given as its text.
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
            Part::Overlay => one(entry.overlay.as_deref().unwrap_or_default()),
            Part::Status => Texts::from_iter([entry.status.to_string().into()]),
            Part::Generation => Texts::from_iter([entry.generation.to_string().into()]),
            Part::Stream => Texts::from_iter([stream::words(entry.stream.as_ref()).into()]),
            Part::Pieces => entry.stream.iter().map(|state| state.pieces.to_string().into()).collect(),
            Part::Forwarded => one(if entry.forwarded.is_some() { "true" } else { "false" }),
            Part::Cause => of_callback(entry, |cause, _| cause),
            Part::Attempt => of_callback(entry, |_, attempt| attempt.into()),
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

    /// Returns the texts of this part in an entry, or why they are unknown; `None` where the entry lacks the part.
    pub(crate) fn found(&self, subject: &Subject) -> Option<String> {
        match self.texts(subject) {
            Ok(texts) => (!texts.is_empty()).then(|| texts.join(", ")),
            Err(unknown) => Some(unknown.to_string()),
        }
    }
}

/// Returns a number of a callback as its text; nothing of other entries, and where it is unknown (0).
fn of_callback<'s>(entry: &Entry, number: impl Fn(u64, u32) -> u64) -> Texts<'s> {
    let number = match entry.kind {
        Kind::Request => 0,
        Kind::Callback { cause, attempt } => number(cause, attempt),
    };
    (number > 0).then(|| number.to_string().into()).into_iter().collect()
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
