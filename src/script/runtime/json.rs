//! Converts script values to JSON and back, for `json.dumps`, `json.loads`, `request.json` and the bodies of answers.

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

/// Writes `value` as compact JSON in UTF-8. `()` becomes `null`, `1.0` stays `1.0`, a character becomes a string.
///
/// # Errors
/// The value contains something without a JSON form: a blob, a function pointer, an infinite number, most of h1mock's own types, or
/// more than 128 nested levels. Or the JSON is longer than `limit` bytes. The error names the place in the value.
pub(crate) fn to_json(value: &Dynamic, limit: usize) -> Result<Vec<u8>, String> {
    writer::write(value, limit, &Style::compact())
}

/// The reason why JSON could not be read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Unread {
    /// The text is not JSON; with line and column.
    Malformed(String),
    /// The value would take so many bytes, more than the call has left.
    TooLarge(usize),
    /// Lists and maps are nested deeper than the parser goes; with line and column.
    TooDeep(String),
}

impl fmt::Display for Unread {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Unread::Malformed(cause) | Unread::TooDeep(cause) => out.write_str(cause),
            Unread::TooLarge(bytes) => {
                write!(out, "the value would take about {bytes} bytes: raise --script-memory")
            }
        }
    }
}

/// Reads JSON in UTF-8, UTF-16 or UTF-32, with or without a byte order mark, like Python's `json.loads`.
///
/// Lists and maps are frozen, and keys keep their order. `null` becomes `()`. Of repeated keys the last one counts.
///
/// # Errors
/// The JSON is malformed, nested deeper than 128 levels, or needs more memory than the running call may still allocate.
pub(crate) fn from_json(bytes: &[u8]) -> Result<Dynamic, Unread> {
    let text = json::to_utf8(bytes).map_err(Unread::Malformed)?;
    let room = budget::room();
    // A brace is the byte that takes most memory, so small texts need no estimate.
    if text.len().saturating_mul(1 + BRACE) > room {
        let memory = memory(&text);
        if memory > room {
            return Err(Unread::TooLarge(memory));
        }
    }
    json::read(&text).map_err(|error| match json::too_deep(&error) {
        Some(cause) => Unread::TooDeep(cause),
        None => Unread::Malformed(error.to_string()),
    })
}

/// Memory of a map without its entries, in bytes.
const BRACE: usize = 160;

/// Estimates the memory of the value in bytes: its text, the items, the headers of lists and maps, and the keys.
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
            b',' | b':' if !quoted => 24,
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

/// Writes `value` as JSON in `style`.
pub(crate) fn to_text(value: &Dynamic, style: &Style) -> Result<ImmutableString, String> {
    let bytes = writer::write(value, MAX_TEXT, style)?;
    String::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::memory;

    #[test]
    fn the_estimated_memory_counts_only_what_is_outside_of_texts() {
        for (json, estimate) in [
            ("7", 1),
            (r#""a""#, 3 + 2 * 24),
            (r#""[{,:""#, 6 + 2 * 24),
            (r#""\",[{""#, 7 + 2 * 24),
            (r#""\\",[]"#, 7 + 2 * 24 + 24 + 96),
            ("[1,2]", 5 + 96 + 24),
            (r#"{"a":1}"#, 7 + 160 + 2 * 24 + 24),
        ] {
            assert_eq!(memory(json.as_bytes()), estimate, "{json}");
        }
    }
}
