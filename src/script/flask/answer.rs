//! What a view function returned becomes a reply, by Flask's rules (`Flask.make_response`): text, map, list, bytes, a response,
//! or one of these with status and headers as a list.

use super::abort::{escape, html_page};
use super::response::{Response, header_values};
use super::status;
use crate::chaos::Reply;
use crate::directory::Content;
use crate::message::answer::{Answer, HTML, JSON};
use crate::script::runtime::budget::MAX_TEXT;
use crate::script::runtime::fault::RETURNED_NOTHING;
use crate::script::runtime::frozen::{MapRef, as_list, as_map, is_list, is_map};
use crate::script::runtime::json;
use crate::script::runtime::multi_dict::to_dict;
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::type_name;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rhai::{Array, Blob, Dynamic, ImmutableString};

/// The reply that `value`, returned by a view function, means.
///
/// # Errors
/// `()`, a bare number or boolean, and values that are no JSON, as in Flask.
pub(crate) fn from_value(value: Dynamic) -> Fallible<Reply> {
    // The commonest first.
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return Ok(Answer::html(200, text.as_bytes()).into());
    }
    if as_list(&value).is_some_and(|items| is_tuple(&items)) {
        return from_tuple(as_list(&value).map(|items| items.to_vec()).unwrap_or_default());
    }
    if let Some(response) = value.read_lock::<Response>() {
        return Ok(response.reply());
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(Answer::html(200, bytes.clone()).into());
    }
    if is_map(&value) || is_list(&value) || to_dict(&value).is_some() {
        return Ok(json(&value)?.into());
    }
    if value.is_unit() {
        return Err(RETURNED_NOTHING.into());
    }
    let kind = kind(&value);
    Err(format!("the view function returned {kind}: return a text, a map, a list or make_response(...)")
        .into())
}

/// `a bool`, `an integer`: the type of a value in words.
fn kind(value: &Dynamic) -> String {
    match () {
        () if value.is_int() => "an integer".to_owned(),
        () if value.is_float() => "a float".to_owned(),
        () if value.is_char() => "a character (text takes double quotes)".to_owned(),
        () if value.is_fnptr() => "a function: call it with ()".to_owned(),
        () => format!("a value of type {}", type_name(value)),
    }
}

/// Whether a list is body, status and headers, or else a list for JSON (design, section 5): `[body, status]`,
/// `[body, status, #{headers}]` where body is no number, or `[body, #{headers}]` where body is text, bytes or a response.
fn is_tuple(items: &[Dynamic]) -> bool {
    let status = |value: &Dynamic| match value.as_int() {
        Ok(code) => (100..=599).contains(&code),
        Err(_) => value.read_lock::<ImmutableString>().is_some_and(|text| split_status(&text).is_some()),
    };
    let whole =
        |value: &Dynamic| value.is_string() || value.is_blob() || value.read_lock::<Response>().is_some();
    match items {
        [body, code] if is_map(code) => whole(body),
        [body, code] => !body.is_int() && !body.is_float() && status(code),
        [body, code, headers] => !body.is_int() && !body.is_float() && status(code) && is_map(headers),
        _ => false,
    }
}

/// The reply for `[body, status]`, `[body, headers]` or `[body, status, headers]`.
pub(crate) fn from_tuple(items: Array) -> Fallible<Reply> {
    let mut items = items.into_iter();
    let body = items.next().unwrap_or(Dynamic::UNIT);
    // `["", 204]` and `[(), 204]`: with a status, nothing is an empty body.
    let mut reply = match () {
        () if body.is_unit() => Answer::html(200, "").into(),
        // A list in a list is JSON, however it looks: its depth is bounded there.
        () if is_list(&body) => json(&body)?.into(),
        () => from_value(body)?,
    };
    let answer = &mut reply.answer;
    for part in items {
        match as_map(&part) {
            Some(headers) => add_headers(answer, &headers)?,
            None => (answer.status, answer.reason) = status(&part)?,
        }
    }
    Ok(reply)
}

fn add_headers(answer: &mut Answer, headers: &MapRef) -> Fallible<()> {
    answer.headers.reserve(headers.len());
    headers.iter().try_for_each(|(name, value)| set_header(answer, name, value))
}

/// Replaces the header `name`; a list is sent once per item (Werkzeug), anything else as its text.
pub(crate) fn set_header(answer: &mut Answer, name: &str, value: &Dynamic) -> Fallible<()> {
    let values = header_values(name, value)?;
    answer.remove_header(name);
    answer.headers.extend(values.into_iter().map(|value| (name.to_owned().into(), value.into())));
    Ok(())
}

/// A status as code or as text with a reason (`"404 NOT FOUND"`).
///
/// # Errors
/// Neither of them, or a code outside of 100 to 599.
pub(crate) fn status(value: &Dynamic) -> Fallible<(u16, Option<String>)> {
    if let Ok(code) = value.as_int() {
        return Ok((status_code(code)?, None));
    }
    let text = value.read_lock::<ImmutableString>();
    match text.as_deref().and_then(|text| split_status(text)) {
        Some((code, reason)) => {
            crate::message::answer::check_header("status", reason)?;
            let standard = reason.is_empty() || reason.eq_ignore_ascii_case(status::reason(code));
            Ok((code, (!standard).then(|| reason.to_owned())))
        }
        None => Err(format!(
            "status `{value}` is neither a code from 100 to 599 nor text such as \"404 NOT FOUND\""
        )
        .into()),
    }
}

fn split_status(text: &str) -> Option<(u16, &str)> {
    let (code, reason) = text.split_once(' ').unwrap_or((text, ""));
    let plain = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    let code = code.parse().ok().filter(|code| plain && (100..=599).contains(code))?;
    Some((code, reason.trim()))
}

/// `code` as a status code.
///
/// # Errors
/// Codes outside of 100 to 599, which HTTP can't send.
pub(crate) fn status_code(code: i64) -> Fallible<u16> {
    match u16::try_from(code) {
        Ok(code @ 100..=599) => Ok(code),
        _ => Err(format!("status {code} is not from 100 to 599").into()),
    }
}

/// `value` as JSON, ended by a line end as `jsonify` does.
pub(crate) fn json(value: &Dynamic) -> Fallible<Answer> {
    let mut body = json::to_json(value, MAX_TEXT)?;
    body.push(b'\n');
    Ok(Answer::new(200, JSON, body))
}

/// Bytes of a body that a script sets on a response.
///
/// # Errors
/// Anything but text, bytes, maps and lists.
pub(crate) fn body(value: &Dynamic) -> Fallible<Content> {
    if is_map(value) || is_list(value) {
        return Ok(json::to_json(value, MAX_TEXT)?.into());
    }
    if value.is_unit() {
        return Ok(Content::default());
    }
    Ok(from_value(value.clone())?.answer.body)
}

/// Characters that a URL can't hold as they are (RFC 3986, section 2). A `%` stays: what is encoded already comes through.
const NOT_IN_URL: AsciiSet = CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(crate) fn redirection(code: u16, url: &str) -> Answer {
    let url = utf8_percent_encode(url, &NOT_IN_URL).to_string();
    let shown = escape(&url);
    let page = html_page(code, &format!("See <a href=\"{shown}\">{shown}</a>."));
    let mut answer = Answer::new(code, HTML, page);
    answer.headers.push(("Location".into(), url.into()));
    answer
}

/// Media types of text get the charset, as Flask's `mimetype` does.
pub(crate) fn with_charset(mimetype: &str) -> String {
    let text = mimetype.starts_with("text/") || mimetype.ends_with("+xml") || mimetype == "application/xml";
    if text && !mimetype.contains("charset") {
        format!("{mimetype}; charset=utf-8")
    } else {
        mimetype.to_owned()
    }
}

/// The media type of a file by its extension, for `send_file`.
pub(crate) fn media_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension).to_ascii_lowercase();
    match extension.as_str() {
        "json" => JSON,
        "html" | "htm" => HTML,
        "txt" | "log" => "text/plain; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "csv" => "text/csv; charset=utf-8",
        "md" => "text/markdown; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "xml" => "application/xml",
        "yaml" | "yml" => "application/yaml",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "ico" => "image/x-icon",
        "pdf" => "application/pdf",
        "zip" => "application/zip",
        "gz" | "tgz" => "application/gzip",
        "wasm" => "application/wasm",
        _ => "application/octet-stream",
    }
}
