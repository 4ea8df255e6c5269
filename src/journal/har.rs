//! Entries as an HTTP Archive, version 1.2, which browsers and many tools read.

use super::entry::Entry;
use super::json::{base64, rfc3339, text};
use crate::form;
use crate::script::status;
use serde_json::{Value, json};

/// What goes around the entries of an archive: before them and behind them.
pub fn around(last: u64, more: bool) -> (String, String) {
    let creator = json!({ "name": "h1mock", "version": env!("CARGO_PKG_VERSION") });
    let head = format!("{{\"log\":{{\"version\":\"1.2\",\"creator\":{creator},\"entries\":[");
    (head, format!("],\"_last\":{last},\"_more\":{more}}}}}"))
}

/// One entry of an archive.
pub fn of(entry: &Entry) -> Value {
    let milliseconds = entry.microseconds as f64 / 1000.0;
    json!({
        "startedDateTime": rfc3339(entry.time),
        "time": milliseconds,
        "request": request(entry),
        "response": response(entry),
        "cache": {},
        "timings": { "send": 0, "wait": milliseconds, "receive": 0 },
        "_number": entry.number,
        "_rule": entry.rule,
        "_unmatched": entry.unmatched,
    })
}

fn request(entry: &Entry) -> Value {
    let host = find(&entry.headers, "host").unwrap_or("localhost");
    let absolute = entry.target.starts_with("http://") || entry.target.starts_with("https://");
    let url = if absolute { entry.target.clone() } else { format!("http://{host}{}", entry.target) };
    let query = entry.target.split_once('?').map_or("", |(_, query)| query);
    let pairs = form::urlencoded(query.as_bytes());
    let mut value = json!({
        "method": entry.method,
        "url": url,
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": named(entry.headers.iter().map(|(name, value)| (&**name, &**value))),
        "queryString": named(pairs.iter().map(|(name, value)| (&**name, &**value))),
        "headersSize": -1,
        "bodySize": entry.body_length,
    });
    if entry.body_length > 0 {
        let mime = find(&entry.headers, "content-type").unwrap_or_default();
        let mut data = json!({ "mimeType": mime, "params": [] });
        add_text(&mut data, "_encoding", &entry.body, entry.body_length);
        value["postData"] = data;
    }
    value
}

fn response(entry: &Entry) -> Value {
    let mime = find(&entry.answer_headers, "content-type").unwrap_or_default();
    let mut content = json!({ "size": entry.answer_length, "mimeType": mime });
    add_text(&mut content, "encoding", &entry.answer_body, entry.answer_length);
    json!({
        "status": entry.status,
        "statusText": status::reason(entry.status),
        "httpVersion": "HTTP/1.1",
        "cookies": [],
        "headers": named(entry.answer_headers.iter().map(|(name, value)| (&**name, &**value))),
        "content": content,
        "redirectURL": find(&entry.answer_headers, "location").unwrap_or_default(),
        "headersSize": -1,
        "bodySize": entry.answer_length,
    })
}

/// The archive knows base64 for answers alone: a request's body names it in a field of its own.
fn add_text(value: &mut Value, encoding: &str, body: &[u8], length: u64) {
    let is_cut = length > body.len() as u64;
    match text(body, is_cut) {
        Some(text) => value["text"] = text.into(),
        None => {
            value["text"] = base64(body).into();
            value[encoding] = "base64".into();
        }
    }
    if is_cut {
        value["comment"] = format!("cut after {} of {length} bytes", body.len()).into();
    }
}

fn find<'h>(headers: &'h [(String, String)], name: &str) -> Option<&'h str> {
    headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
}

fn named<'n>(pairs: impl Iterator<Item = (&'n str, &'n str)>) -> Vec<Value> {
    pairs.map(|(name, value)| json!({ "name": name, "value": value })).collect()
}
