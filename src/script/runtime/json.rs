//! JSON from script values and back, for `json.dumps`, `json.loads`, the bodies of answers, `request.json` and errors.
//! Knows nothing of requests and answers.

mod writer;

use super::size_limits::MAX_TEXT;
use rhai::{Dynamic, ImmutableString};

/// Most memory in bytes that a value read from JSON may take, by estimate: small maps take fifty times their text.
const MAX_MEMORY: usize = 64 << 20;

/// Writes `value` as compact JSON in UTF-8, keys sorted. `()` is null, `1.0` stays `1.0`, a character is a string.
///
/// # Errors
/// What has no JSON form: blobs, function pointers, infinite numbers, values of our own types, nesting beyond 128
/// levels; a text longer than `limit` bytes. The error says where in the value.
pub(crate) fn to_json(value: &Dynamic, limit: usize) -> Result<Vec<u8>, String> {
    writer::write(value, limit, "")
}

/// Reads JSON: null is `()`, whole numbers beyond 64 bits become floats, of repeated keys the last counts.
///
/// # Errors
/// Malformed JSON with line and column, nesting beyond 128 levels, or a value that would take more than 64 MiB.
pub(crate) fn from_json(bytes: &[u8]) -> Result<Dynamic, String> {
    if !fits(bytes) {
        return Err(format!("the value takes more than {MAX_MEMORY} bytes of memory"));
    }
    serde_json::from_slice::<Dynamic>(bytes).map_err(|error| error.to_string())
}

/// Whether the value, malformed or not, takes no more memory than [`from_json`] grants.
pub(crate) fn fits(bytes: &[u8]) -> bool {
    memory(bytes) <= MAX_MEMORY
}

/// Estimates generously what the value takes: its text, a key and a boxed value for each item, the first node of each map.
fn memory(bytes: &[u8]) -> usize {
    let mut total = 2 * bytes.len();
    let mut quoted = false;
    let mut rest = bytes.iter();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => quoted = !quoted,
            b'\\' if quoted => drop(rest.next()),
            b',' if !quoted => total += 96,
            b'[' if !quoted => total += 96,
            b'{' if !quoted => total += 600,
            _ => {}
        }
    }
    total
}

/// `value` as text with `indent` in front of each level; compact where it is empty.
pub(crate) fn to_text(value: &Dynamic, indent: &str) -> Result<ImmutableString, String> {
    let bytes = writer::write(value, MAX_TEXT, indent)?;
    String::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}
