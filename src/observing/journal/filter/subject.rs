//! An entry with what filters parse of it.

use crate::message::content_coding::{Unpacked, unpack};
use crate::message::form::{Indexed, Pairs};
use crate::message::json::{self, Json};
use crate::message::request::url::places;
use crate::message::{cookie, form};
use crate::observing::journal::entry::Entry;
use std::cell::OnceCell;
use std::fmt;

/// Longest content that is unpacked of a body: a few ms, on the timer thread too.
const MAX_UNPACKED: usize = 1 << 20;

/// Why a part of an entry is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It has given way to later requests.
    Gone,
    /// The server refused the request before that was read.
    Refused,
    /// The body was cut: so many bytes are kept, of so many.
    Cut(usize, u64),
    TooLarge,
    /// A content coding that is not known here.
    Coding(String),
    /// The form is over a limit.
    Form(String),
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Gone => f.write_str("no longer known"),
            Unknown::Refused => f.write_str("not read before the request was refused"),
            Unknown::Cut(kept, length) => write!(f, "cut after {kept} of {length} bytes"),
            Unknown::TooLarge => write!(f, "more than {MAX_UNPACKED} bytes when unpacked"),
            Unknown::Coding(name) => write!(f, "packed with {name}"),
            Unknown::Form(why) => f.write_str(why),
        }
    }
}

/// An entry, with what was parsed of it for one filter or for many.
pub(crate) struct Subject<'e> {
    pub entry: &'e Entry,
    query: OnceCell<Pairs>,
    cookies: OnceCell<Pairs>,
    unpacked: OnceCell<Unpacked>,
    json: OnceCell<Option<Json>>,
    form: OnceCell<Result<Indexed, Unknown>>,
    parts: OnceCell<Result<Vec<form::Part>, Unknown>>,
}

impl<'e> Subject<'e> {
    /// Nothing is parsed before it is asked for.
    pub(crate) fn new(entry: &'e Entry) -> Subject<'e> {
        Subject {
            entry,
            query: OnceCell::new(),
            cookies: OnceCell::new(),
            unpacked: OnceCell::new(),
            json: OnceCell::new(),
            form: OnceCell::new(),
            parts: OnceCell::new(),
        }
    }

    /// Values of the request's fields with this name.
    pub(super) fn fields(&self, name: &str) -> impl Iterator<Item = &'e str> {
        let named = self.entry.headers.iter().filter(move |(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.trim())
    }

    /// Parameters of the request's query.
    pub(super) fn query(&self) -> &Pairs {
        let target = &self.entry.target;
        self.query.get_or_init(|| form::urlencoded(target[places(target).query].as_bytes()))
    }

    /// Cookies of the request, as scripts see them.
    pub(super) fn cookies(&self) -> &Pairs {
        self.cookies.get_or_init(|| cookie::parse(&self.fields("cookie").collect::<Vec<_>>().join("; ")))
    }

    /// The body without its content coding. As sent, where it is not what its coding says.
    ///
    /// # Errors
    /// Some of it is missing, or it can't be unpacked.
    pub(super) fn content(&self) -> Result<&[u8], Unknown> {
        let Entry { body, body_length, .. } = self.entry;
        if *body_length > body.len() as u64 {
            return Err(Unknown::Cut(body.len(), *body_length));
        }
        match self.unpacked.get_or_init(|| unpack(self.fields("content-encoding"), body, MAX_UNPACKED)) {
            Unpacked::AsSent | Unpacked::Broken => Ok(body),
            Unpacked::Content(content) => Ok(content),
            Unpacked::TooLarge => Err(Unknown::TooLarge),
            Unpacked::UnknownCoding(name) => Err(Unknown::Coding(name.clone())),
        }
    }

    /// The content as JSON, where it is.
    pub(super) fn json(&self) -> Result<Option<&Json>, Unknown> {
        let content = self.content()?;
        Ok(self.json.get_or_init(|| json::read(content).ok()).as_ref())
    }

    /// Fields of the form, urlencoded or multipart.
    pub(super) fn form(&self) -> Result<&Pairs, Unknown> {
        let read = || {
            self.of_form(|content_type, content| form::parse(content_type, content).map(|form| form.fields))
        };
        self.form.get_or_init(read).as_deref().map_err(Unknown::clone)
    }

    /// Parts of a multipart form.
    pub(super) fn parts(&self) -> Result<&[form::Part], Unknown> {
        self.parts.get_or_init(|| self.of_form(form::parts)).as_deref().map_err(Unknown::clone)
    }

    /// What `parse` makes of the content by its type; nothing where it is no form, whatever is known of it.
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
