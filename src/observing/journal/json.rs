//! Parts of an entry as JSON: times, bodies, fields.

use crate::message::content_coding::Flaw;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat};
use serde_json::Value;

/// Makes an object of `pairs`, and takes their values. It compiles to far less code than `json!`.
pub(super) fn object(pairs: &mut [(&str, Value)]) -> Value {
    let pairs = pairs.iter_mut().map(|(name, value)| ((*name).to_owned(), value.take()));
    Value::Object(pairs.collect())
}

pub(super) fn pairs(fields: &[(String, String)]) -> Value {
    fields.iter().map(|(name, value)| vec![name.as_str(), value.as_str()]).collect()
}

/// Adds `body` or `body_base64`, `body_length` and `body_cut` to `value`.
pub(super) fn add_body(value: &mut Value, name: &str, body: &[u8], length: u64) {
    let is_cut = length > body.len() as u64;
    match text(body, is_cut) {
        Some(text) => value[name] = text.into(),
        None => value[format!("{name}_base64")] = base64(body).into(),
    }
    value[format!("{name}_length")] = length.into();
    value[format!("{name}_cut")] = is_cut.into();
}

/// Adds the content of a body that was in a content coding, if it is text; or `body_undecoded` with the reason where there is none.
pub(super) fn add_content(value: &mut Value, name: &str, decoded: Result<Option<Vec<u8>>, Flaw>) {
    match decoded {
        Ok(None) => {}
        Ok(Some(content)) => {
            if let Ok(text) = String::from_utf8(content) {
                value[name] = text.into();
            }
        }
        Err(flaw) => value[format!("{name}_undecoded")] = flaw.to_string().into(),
    }
}

/// Returns the text of a body, if it is UTF-8. An incomplete last character of a truncated body is left out.
pub(super) fn text(body: &[u8], is_cut: bool) -> Option<&str> {
    match std::str::from_utf8(body) {
        Ok(text) => Some(text),
        Err(error) if is_cut && error.error_len().is_none() => {
            std::str::from_utf8(&body[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

pub(super) fn base64(body: &[u8]) -> String {
    STANDARD.encode(body)
}

/// Formats a time of [`Entry::time`](super::entry::Entry::time) in UTC, with microseconds.
pub(super) fn rfc3339(microseconds: u64) -> String {
    let time = DateTime::from_timestamp_micros(microseconds.cast_signed()).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}
