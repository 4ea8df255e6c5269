//! JSON from script values and back, for `json.dumps`, `json.loads`, the bodies of answers, `request.json` and errors.
//! Knows nothing of requests and answers.

mod encoding;
mod float;
mod style;
mod writer;

pub(crate) use float::python_float;
pub(crate) use style::Style;

use super::budget;
use super::frozen::{FrozenList, FrozenMap};
use super::large_int::LargeInt;
use super::size_limits::MAX_TEXT;
use crate::message::json::{self, Build};
use rhai::{Dynamic, ImmutableString};
use std::fmt;

/// Writes `value` as compact JSON in UTF-8. `()` is null, `1.0` stays `1.0`, a character is a string.
///
/// # Errors
/// What has no JSON form: blobs, function pointers, infinite numbers, values of our own types, nesting beyond 128
/// levels; a text longer than `limit` bytes. The error says where in the value.
pub(crate) fn to_json(value: &Dynamic, limit: usize) -> Result<Vec<u8>, String> {
    writer::write(value, limit, &Style::compact())
}

/// Why JSON was not read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unread {
    /// With line and column.
    Malformed(String),
    /// The value would take more memory, in bytes, than the call has.
    TooLarge(usize),
}

impl fmt::Display for Unread {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unread::Malformed(cause) => out.write_str(cause),
            Unread::TooLarge(bytes) => {
                write!(out, "the value would take about {bytes} bytes: raise --script-memory")
            }
        }
    }
}

/// Reads JSON in UTF-8, or in what Python's `json.loads` takes too: with a byte order mark, UTF-16, UTF-32. Lists and maps
/// are frozen, with their keys in order; null is `()`, of repeated keys the last counts.
///
/// # Errors
/// Malformed JSON, nesting beyond 128 levels, or more than the running call may still allocate.
pub(crate) fn from_json(bytes: &[u8]) -> Result<Dynamic, Unread> {
    let room = budget::room();
    // No byte takes more than a brace.
    if bytes.len().saturating_mul(1 + BRACE) > room {
        let memory = memory(bytes);
        if memory > room {
            return Err(Unread::TooLarge(memory));
        }
    }
    let text = encoding::to_utf8(bytes).map_err(Unread::Malformed)?;
    json::read(&text).map_err(|error| Unread::Malformed(error.to_string()))
}

/// What a map takes without its entries, in bytes.
const BRACE: usize = 160;

/// Estimates what the value takes: its text, a place for each item, a header for each list and map, a key for each entry.
fn memory(bytes: &[u8]) -> usize {
    let (mut total, mut quoted) = (bytes.len(), false);
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        total += match byte {
            b'"' => {
                quoted = !quoted;
                24
            }
            b'\\' if quoted => {
                rest.next();
                0
            }
            b',' if !quoted => 24,
            b':' if !quoted => 24,
            b'[' if !quoted => 96,
            b'{' if !quoted => BRACE,
            _ => 0,
        };
    }
    total
}

impl Build for Dynamic {
    type Key = ImmutableString;

    fn null() -> Self {
        Dynamic::UNIT
    }

    fn boolean(value: bool) -> Self {
        value.into()
    }

    fn integer(value: i64) -> Self {
        value.into()
    }

    fn large_integer(digits: &str) -> Self {
        Dynamic::from(LargeInt::new(digits))
    }

    fn float(value: f64) -> Self {
        value.into()
    }

    fn text(value: &str) -> Self {
        value.into()
    }

    fn list(items: Vec<Self>) -> Self {
        Dynamic::from(FrozenList::new(items))
    }

    fn map(pairs: Vec<(ImmutableString, Self)>) -> Self {
        Dynamic::from(FrozenMap::new(pairs))
    }
}

/// `value` as JSON in `style`.
pub(crate) fn to_text(value: &Dynamic, style: &Style) -> Result<ImmutableString, String> {
    let bytes = writer::write(value, MAX_TEXT, style)?;
    String::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}
