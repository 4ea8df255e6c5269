//! An entry, with the parts that filters have parsed.

use crate::message::content_coding::Flaw;
use crate::message::form::{Indexed, Pairs};
use crate::message::json::{self, Json};
use crate::message::request::url::places;
use crate::message::{cookie, form};
use crate::observing::journal::content::{MAX_CONTENT, decoded};
use crate::observing::journal::entry::Entry;
use std::cell::OnceCell;
use std::fmt;

/// The reason why a part of an entry is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// The part was evicted.
    Gone,
    /// The engine refused the request before it had read the part.
    Refused,
    /// The body is truncated: so many bytes are kept, of so many.
    Cut(usize, u64),
    TooLarge,
    /// The content coding is unknown.
    Coding(String),
    /// The form exceeds a limit.
    Form(String),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Gone => f.write_str("no longer known"),
            Unknown::Refused => f.write_str("not read before the request was refused"),
            Unknown::Cut(kept, length) => write!(f, "cut after {kept} of {length} bytes"),
            Unknown::TooLarge => write!(f, "more than {MAX_CONTENT} bytes when unpacked"),
            Unknown::Coding(name) => write!(f, "packed with {name}"),
            Unknown::Form(why) => f.write_str(why),
        }
    }
}

/// An entry. Each part of it is parsed once, when the first filter needs it.
pub(crate) struct Subject<'e> {
    pub entry: &'e Entry,
    parsed: Parsed,
}

#[derive(Default)]
struct Parsed {
    query: OnceCell<Pairs>,
    cookies: OnceCell<Pairs>,
    content: OnceCell<Result<Option<Vec<u8>>, Flaw>>,
    json: OnceCell<Option<Json>>,
    form: OnceCell<Result<Indexed, Unknown>>,
    parts: OnceCell<Result<Vec<form::Part>, Unknown>>,
}

impl<'e> Subject<'e> {
    pub(crate) fn new(entry: &'e Entry) -> Subject<'e> {
        Subject { entry, parsed: Parsed::default() }
    }

    /// Returns the values of the request's header fields with this name.
    pub(super) fn fields(&self, name: &str) -> impl Iterator<Item = &'e str> {
        let named = self.entry.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }

    /// Returns the parameters of the request's query.
    pub(super) fn query(&self) -> &Pairs {
        let target = &self.entry.target;
        self.parsed.query.get_or_init(|| form::urlencoded(target[places(target).query].as_bytes()))
    }

    /// Returns the cookies of the request, as scripts see them.
    pub(super) fn cookies(&self) -> &Pairs {
        self.parsed
            .cookies
            .get_or_init(|| cookie::parse(&self.fields("cookie").collect::<Vec<_>>().join("; ")))
    }

    /// Returns the body without its content coding; as sent, where it is not encoded as its coding says.
    ///
    /// # Errors
    /// The body is truncated, or can't be unpacked.
    pub(super) fn content(&self) -> Result<&[u8], Unknown> {
        let Entry { body, body_length, .. } = self.entry;
        if *body_length > body.len() as u64 {
            return Err(Unknown::Cut(body.len(), *body_length));
        }
        match self.parsed.content.get_or_init(|| decoded(&self.entry.headers, body)) {
            Ok(None) | Err(Flaw::Broken(..)) => Ok(body),
            Ok(Some(content)) => Ok(content),
            Err(Flaw::TooLarge(_) | Flaw::Stopped) => Err(Unknown::TooLarge),
            Err(Flaw::UnknownCoding(name)) => Err(Unknown::Coding(name.clone())),
        }
    }

    /// Returns the content as JSON, if it is JSON, in any of the encodings that scripts read.
    pub(super) fn json(&self) -> Result<Option<&Json>, Unknown> {
        let content = self.content()?;
        Ok(self.parsed.json.get_or_init(|| json::read(&json::to_utf8(content).ok()?).ok()).as_ref())
    }

    /// Returns the fields of the form, urlencoded or multipart.
    pub(super) fn form(&self) -> Result<&Pairs, Unknown> {
        let read = || {
            self.of_form(|content_type, content| form::parse(content_type, content).map(|form| form.fields))
        };
        self.parsed.form.get_or_init(read).as_deref().map_err(Unknown::clone)
    }

    /// Returns the parts of a multipart form.
    pub(super) fn parts(&self) -> Result<&[form::Part], Unknown> {
        self.parsed.parts.get_or_init(|| self.of_form(form::parts)).as_deref().map_err(Unknown::clone)
    }

    /// Parses the content as a form of its type. Returns an empty result where the type is not that of a form, even if the content is
    /// unknown.
    fn of_form<T: Default>(
        &self,
        parse: impl Fn(&str, &[u8]) -> Result<T, form::FormError>,
    ) -> Result<T, Unknown> {
        let content_type = self.fields("content-type").next().unwrap_or_default();
        if !form::is_form(&form::options::parse(content_type).0) {
            return Ok(T::default());
        }
        parse(content_type, self.content()?).map_err(|error| Unknown::Form(error.to_string()))
    }
}
