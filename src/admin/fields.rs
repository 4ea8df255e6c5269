//! The fields of the JSON objects that clients send. An error names the field.

use crate::system::truncate::beginning;
use serde_json::{Map, Value};

/// Maximum of characters of a value in an error.
pub(super) const SHOWN: usize = 80;

pub(super) type Parsed<T> = Result<T, String>;

/// Parses a body.
pub(super) fn json(body: &[u8]) -> Parsed<Value> {
    serde_json::from_slice(body).map_err(|error| format!("the body is not JSON: {error}"))
}

/// Returns a field, parsed by `read`; `None` where it is missing.
pub(super) fn optional<T>(
    object: &Map<String, Value>,
    key: &str,
    read: impl FnOnce(&Value) -> Parsed<T>,
) -> Parsed<Option<T>> {
    object.get(key).map(read).transpose().map_err(|error| format!("field `{key}`: {error}"))
}

/// Returns a field that must be there, parsed by `read`.
pub(super) fn required<T>(
    object: &Map<String, Value>,
    key: &str,
    read: impl FnOnce(&Value) -> Parsed<T>,
) -> Parsed<T> {
    optional(object, key, read)?.ok_or_else(|| format!("field `{key}` is missing"))
}

pub(super) fn refuse_unknown(object: &Map<String, Value>, names: &str) -> Parsed<()> {
    match object.keys().find(|key| !names.split(", ").any(|name| name == *key)) {
        Some(key) => {
            let are = if names.contains(", ") { "are" } else { "is" };
            Err(format!("field `{}` is unknown: there {are} {names}", beginning(key, SHOWN)))
        }
        None => Ok(()),
    }
}

pub(super) fn text(value: &Value) -> Parsed<&str> {
    value.as_str().ok_or_else(|| format!("{} is no text", display(value)))
}

pub(super) fn number(value: &Value) -> Parsed<f64> {
    value.as_f64().ok_or_else(|| format!("{} is no number", display(value)))
}

pub(super) fn integer(value: &Value) -> Parsed<i64> {
    // To a schema, `7.0` is an integer. Floats from 2^53 on stand for several integers.
    let whole = |number: &f64| number.fract() == 0.0 && number.abs() < 9e15;
    let whole = || value.as_f64().filter(whole).map(|number| number as i64);
    value.as_i64().or_else(whole).ok_or_else(|| format!("{} is no integer", display(value)))
}

pub(super) fn an_object(value: &Value) -> Parsed<&Map<String, Value>> {
    value.as_object().ok_or_else(|| format!("{} is no object", display(value)))
}

pub(super) fn display(value: &Value) -> String {
    format!("`{}`", beginning(&value.to_string(), SHOWN))
}
