//! JSON from script values and back: `json.dumps`, `json.loads`, the bodies of answers and `request.json`.
//! Knows nothing of requests and answers.

mod writer;

use crate::script::runtime::natives::{Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_TEXT, Returned};
use rhai::{Dynamic, ImmutableString, Map};

/// Most memory in bytes that a value read from JSON may take, by estimate: small maps take fifty times their text.
const MAX_MEMORY: usize = 64 << 20;

/// The handle behind `json`.
#[derive(Debug, Clone)]
pub struct Json;

/// Writes `value` as compact JSON in UTF-8, keys sorted. `()` is null, `1.0` stays `1.0`, a character is a string.
///
/// # Errors
/// What has no JSON form: blobs, function pointers, infinite numbers, values of our own types, nesting beyond 128
/// levels; a text longer than `limit` bytes. The error says where in the value.
pub fn to_json(value: &Dynamic, limit: usize) -> Result<Vec<u8>, String> {
    writer::write(value, limit, "")
}

/// [`to_json`] of a map, as text.
pub fn text_of_map(map: &Map) -> Result<ImmutableString, String> {
    text_of(&map.clone().into(), "")
}

/// Reads JSON: null is `()`, whole numbers beyond 64 bits become floats, of repeated keys the last counts.
///
/// # Errors
/// Malformed JSON with line and column, nesting beyond 128 levels, or a value that would take more than 64 MiB.
pub fn from_json(bytes: &[u8]) -> Result<Dynamic, String> {
    if !fits(bytes) {
        return Err(format!("the value takes more than {MAX_MEMORY} bytes of memory"));
    }
    serde_json::from_slice::<Dynamic>(bytes).map_err(|error| error.to_string())
}

/// Whether the value, malformed or not, takes no more memory than [`from_json`] grants.
pub fn fits(bytes: &[u8]) -> bool {
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
fn text_of(value: &Dynamic, indent: &str) -> Result<ImmutableString, String> {
    let bytes = writer::write(value, MAX_TEXT, indent)?;
    String::from_utf8(bytes).map(Into::into).map_err(|error| error.to_string())
}

/// `json.dumps(value)`.
fn dumps(value: &Dynamic, indent: &str) -> Returned<ImmutableString> {
    text_of(value, indent).map_err(|why| format!("json.dumps: {why}").into())
}

/// The indentation that the options of `json.dumps` ask for: a number of blanks, or the text itself.
fn indent_of(options: &Map) -> Result<String, String> {
    let mut indent = String::new();
    for (name, value) in options {
        match (name.as_str(), value.as_int(), value.as_immutable_string_ref()) {
            ("indent", Ok(blanks @ 0..=16), _) => indent = " ".repeat(usize::try_from(blanks).unwrap_or(0)),
            ("indent", _, Ok(text))
                if text.len() <= 16 && text.bytes().all(|byte| b" \t".contains(&byte)) =>
            {
                indent = text.to_string();
            }
            ("indent", ..) if value.is_unit() => {}
            ("indent", ..) => return Err("`indent` is 0 to 16 blanks".into()),
            ("sort_keys", ..) if value.is_bool() => {}
            (name, ..) => return Err(format!("unknown option `{name}`: there are `indent` and `sort_keys`")),
        }
    }
    Ok(indent)
}

/// Registers `json`.
pub fn register(natives: &mut Natives) {
    natives.register_type_with_name::<Json>("json");
    natives.set_var("json", Json);
    natives.register_fn("dumps", |_: Receiver<Json>, value: Dynamic| dumps(&value, ""));
    natives.register_fn(
        "dumps",
        |_: Receiver<Json>, value: Dynamic, options: Map| -> Returned<ImmutableString> {
            let indent = indent_of(&options).map_err(|why| format!("json.dumps: {why}"))?;
            dumps(&value, &indent)
        },
    );
    natives.register_fn("loads", |_: Receiver<Json>, text: &str| -> Returned<Dynamic> {
        from_json(text.as_bytes()).map_err(|why| format!("json.loads: {why}").into())
    });
    natives.register_fn("loads", |_: Receiver<Json>, bytes: rhai::Blob| -> Returned<Dynamic> {
        from_json(&bytes).map_err(|why| format!("json.loads: {why}").into())
    });
}

#[cfg(test)]
mod tests;
