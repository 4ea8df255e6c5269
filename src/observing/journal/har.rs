//! Entries as an HTTP Archive (HAR 1.2), which browsers and many tools read.

mod cookies;

use super::content::decoded;
use super::entry::{Entry, find};
use super::filter;
use super::json::{base64, object, rfc3339, text};
use crate::message::form;
use crate::script::flask::status;
use serde_json::Value;

/// Returns the text of an archive before its entries, and the text after them.
pub(crate) fn around(last: u64, more: bool, left_out: u64) -> (String, String) {
    let version = env!("CARGO_PKG_VERSION");
    let head = format!(
        "{{\"log\":{{\"version\":\"1.2\",\"creator\":{{\"name\":\"h1mock\",\"version\":\"{version}\"}},\"entries\":["
    );
    (head, format!("],\"_last\":{last},\"_more\":{more},\"_left_out\":{left_out}}}}}"))
}

/// Makes an entry of an archive. Returns `None` where the headers were evicted, and the time with them: the format requires both.
pub(crate) fn from_entry(entry: &Entry) -> Option<Value> {
    if entry.gone.headers {
        return None;
    }
    let wait = entry.microseconds as f64 / 1000.0;
    let receive = entry.stream.as_ref().map_or(0, |state| state.lasted);
    let milliseconds = wait + f64::from(receive);
    let timings = object(&mut [("send", 0.into()), ("wait", wait.into()), ("receive", receive.into())]);
    let mut value = object(&mut [
        ("startedDateTime", rfc3339(entry.time).into()),
        ("time", milliseconds.into()),
        ("request", request(entry)),
        ("response", response(entry)),
        ("cache", object(&mut [])),
        ("timings", timings),
        ("_number", entry.number.into()),
        ("_rule", entry.rule.as_deref().into()),
        ("_unmatched", entry.unmatched.as_deref().into()),
        ("_kind", entry.kind.word().into()),
    ]);
    entry.add_exchange(&mut value, "_");
    Some(value)
}

fn request(entry: &Entry) -> Value {
    let host = find(&entry.headers, "host").unwrap_or("localhost");
    let absolute = entry.target.starts_with("http://") || entry.target.starts_with("https://");
    let url = if absolute { entry.target.clone() } else { format!("http://{host}{}", entry.target) };
    let query = entry.target.split_once('?').map_or("", |(_, query)| query);
    let mut value = object(&mut [
        ("method", entry.method.as_str().into()),
        ("url", url.into()),
        ("queryString", named(&form::urlencoded(query.as_bytes()))),
    ]);
    add_message(&mut value, &entry.headers, entry.body_length);
    value["cookies"] = cookies::sent(entry);
    if entry.body_length > 0 {
        let mime = find(&entry.headers, "content-type").unwrap_or_default();
        let mut data = object(&mut [("mimeType", mime.into()), ("params", params(entry, mime))]);
        let body = (&*entry.headers, &*entry.body, entry.body_length);
        add_text(&mut data, "_encoding", body, entry.gone.body);
        value["postData"] = data;
    }
    value
}

/// Returns fields and files of a form; none of a body that is cut or packed.
fn params(entry: &Entry, content_type: &str) -> Value {
    let is_packed = find(&entry.headers, "content-encoding").is_some();
    if is_packed || entry.body_length > entry.body.len() as u64 {
        return Value::Array(Vec::new());
    }
    let form = form::parse(content_type, &entry.body).unwrap_or_default();
    let files = form.files.iter().map(|file| {
        let kind = find(&file.headers, "content-type").unwrap_or("application/octet-stream");
        object(&mut [
            ("name", file.name.as_str().into()),
            ("fileName", file.filename.as_deref().into()),
            ("contentType", kind.into()),
        ])
    });
    form.fields.iter().map(pair).chain(files).collect()
}

fn response(entry: &Entry) -> Value {
    let field = |name| find(&entry.answer_headers, name).unwrap_or_default();
    let mime = field("content-type").into();
    let mut content = object(&mut [("size", entry.answer_length.into()), ("mimeType", mime)]);
    let body = (&*entry.answer_headers, &*entry.answer_body, entry.answer_length);
    if let Some(size) = add_text(&mut content, "encoding", body, entry.gone.answer_body) {
        content["size"] = size.into();
        content["compression"] = (size as i64 - entry.answer_length.cast_signed()).into();
    }
    let mut value = object(&mut [
        ("status", entry.status.into()),
        ("statusText", status::reason(entry.status).into()),
        ("content", content),
        ("redirectURL", field("location").into()),
    ]);
    add_message(&mut value, &entry.answer_headers, entry.answer_length);
    value["cookies"] = cookies::set(entry);
    if let Some(state) = &entry.stream {
        value["comment"] = format!("a stream: {}", filter::state_in_words(Some(state))).into();
    } else if entry.gone.stream {
        value["comment"] = "a stream: no longer known".into();
        // Such sizes mean unknown.
        (value["bodySize"], value["content"]["size"]) = ((-1).into(), (-1).into());
    }
    value
}

/// Adds the fields that requests and answers have in common.
fn add_message(value: &mut Value, headers: &[(String, String)], length: u64) {
    value["httpVersion"] = "HTTP/1.1".into();
    value["headers"] = named(headers);
    value["headersSize"] = (-1).into();
    value["bodySize"] = length.into();
}

/// A body with its header fields and its whole length.
type Body<'b> = (&'b [(String, String)], &'b [u8], u64);

/// Adds a body without its content coding, or as sent where it can't be decoded. Returns the length of the decoded content.
///
/// HAR knows `encoding` for answers only, so a request's body has the field `_encoding`.
fn add_text(
    value: &mut Value,
    encoding: &str,
    (headers, body, length): Body<'_>,
    is_gone: bool,
) -> Option<usize> {
    if is_gone {
        value["comment"] = format!("all {length} bytes have given way").into();
        return None;
    }
    let is_cut = length > body.len() as u64;
    let content = if is_cut { None } else { decoded(headers, body).ok().flatten() };
    let shown = content.as_deref().unwrap_or(body);
    match text(shown, is_cut) {
        Some(text) => value["text"] = text.into(),
        None => {
            value["text"] = base64(shown).into();
            value[encoding] = "base64".into();
        }
    }
    if is_cut {
        value["comment"] = format!("cut after {} of {length} bytes", body.len()).into();
    }
    content.map(|content| content.len())
}

fn named(pairs: &[(String, String)]) -> Value {
    pairs.iter().map(pair).collect()
}

fn pair((name, value): &(String, String)) -> Value {
    object(&mut [("name", name.as_str().into()), ("value", value.as_str().into())])
}
