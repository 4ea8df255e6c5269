//! What a view function returned becomes a reply, by Flask's rules (`Flask.make_response`): text, map, list, bytes, a response,
//! or one of these with status and headers as a list.

use super::abort::{escape, html_page};
use super::response::{Response, header_values};
use super::status;
use crate::chaos::Reply;
use crate::directory::Content;
use crate::message::answer::{Answer, Fields, HTML, JSON};
use crate::routing::method::is_token;
use crate::script::runtime::fault::RETURNED_NOTHING;
use crate::script::runtime::frozen::{ListRef, as_list, as_map, into_items, is_list, is_map};
use crate::script::runtime::json;
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::multi_dict::to_dict;
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::{MAX_TEXT, text_of, type_name};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rhai::{Array, Blob, Dynamic, ImmutableString};
use std::collections::HashSet;

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
        return from_list(into_items(value));
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

/// Whether a list is body, status and headers, or else a list for JSON: `[body, status]`, `[body, status, headers]` where body is
/// no number, or `[body, headers]` where body is text, bytes or a response. A number where the status stands is meant as one,
/// also if it is none: [`from_list`] refuses it then, where JSON with status 200 would hide the mistake.
fn is_tuple(items: &ListRef<'_>) -> bool {
    let whole =
        |value: &Dynamic| value.is_string() || value.is_blob() || value.read_lock::<Response>().is_some();
    let (Some(body), Some(second)) = (items.get(0), items.get(1)) else { return false };
    match (items.len(), items.get(2)) {
        (2, _) if is_map(second) || is_pairs(second) => whole(body),
        (2, _) => !is_number(body) && is_code(second),
        (3, Some(headers)) if is_map(headers) || is_pairs(headers) => !is_number(body) && is_code(second),
        // No headers: `[body, 404, ()]`. With a number that is no status it is a row of data.
        (3, Some(headers)) => !is_number(body) && is_empty(headers) && parse_status(second).is_ok(),
        _ => false,
    }
}

fn is_number(value: &Dynamic) -> bool {
    value.is_int() || value.is_float() || value.is::<LargeInt>()
}

/// Whether it is a status or, as a number, is meant as one.
fn is_code(value: &Dynamic) -> bool {
    is_number(value) || parse_status(value).is_ok()
}

/// Whether it is a list of header names and values: `[["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]`.
fn is_pairs(value: &Dynamic) -> bool {
    let name = |name: &Dynamic| name.read_lock::<ImmutableString>().is_some_and(|name| is_token(&name));
    let pair = |pair: &Dynamic| as_list(pair).is_some_and(|pair| pair.len() == 2 && name(&pair[0]));
    as_list(value).is_some_and(|pairs| !pairs.is_empty() && pairs.iter().all(pair))
}

fn is_empty(value: &Dynamic) -> bool {
    value.is_unit() || as_list(value).is_some_and(|items| items.is_empty())
}

/// The reply for a list that a view function returned and that [`is_tuple`].
fn from_list(items: Array) -> Fallible<Reply> {
    let status = items.get(1).filter(|part| !is_map(part) && !is_list(part));
    if let Some(Err(error)) = status.map(parse_status) {
        return Err(format!("{error}; for a list as JSON write `jsonify([...])`").into());
    }
    from_tuple(items)
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
        match () {
            () if is_map(&part) || is_list(&part) => set_headers(answer, &part)?,
            () if part.is_unit() => {}
            () => (answer.status, answer.reason) = status(&part)?,
        }
    }
    Ok(reply)
}

/// Names and values of headers: those of a map, or of a list of pairs, in which a name may repeat.
///
/// # Errors
/// Anything else.
pub(crate) fn header_pairs(headers: &Dynamic) -> Fallible<Vec<(ImmutableString, Dynamic)>> {
    if let Some(map) = as_map(headers) {
        return Ok(map.iter().map(|(name, value)| (name.into(), value.clone())).collect());
    }
    let wrong = || {
        let headers = text_of(headers, 100);
        format!("headers are a map or a list of pairs: `[[\"X-A\", \"1\"]]`, not {headers}")
    };
    let pair = |pair: &Dynamic| {
        let pair = as_list(pair)?;
        let (name, value) = pair.pair()?;
        Some((name.read_lock::<ImmutableString>()?.clone(), value.clone()))
    };
    let pairs = as_list(headers).and_then(|pairs| pairs.iter().map(pair).collect::<Option<Vec<_>>>());
    Ok(pairs.ok_or_else(wrong)?)
}

/// Header fields for `pairs`. A value that is a list is sent once per item (Werkzeug), anything else as its text.
pub(crate) fn fields(pairs: &[(ImmutableString, Dynamic)]) -> Fallible<Fields> {
    let (mut fields, mut used) = (Fields::with_capacity(pairs.len()), 0);
    for (name, value) in pairs {
        let values = header_values(name, value, &mut used)?.into_iter();
        fields.extend(values.map(|value| (name.as_str().to_owned().into(), value.into())));
    }
    Ok(fields)
}

/// Sets headers in place of those of their names. A name that repeats in a list of pairs is sent as often.
fn set_headers(answer: &mut Answer, headers: &Dynamic) -> Fallible<()> {
    let pairs = header_pairs(headers)?;
    Ok(answer.replace_headers(&names(&pairs), fields(&pairs)?)?)
}

pub(crate) fn names(pairs: &[(ImmutableString, Dynamic)]) -> Vec<&str> {
    pairs.iter().map(|(name, _)| name.as_str()).collect()
}

/// Of each name the last one.
pub(crate) fn last_of_each(mut pairs: Vec<(ImmutableString, Dynamic)>) -> Vec<(ImmutableString, Dynamic)> {
    let mut names = HashSet::new();
    pairs.reverse();
    pairs.retain(|(name, _)| names.insert(name.to_ascii_lowercase()));
    pairs.reverse();
    pairs
}

/// A status as code or as text with a reason (`"404 NOT FOUND"`).
///
/// # Errors
/// Neither of them, or a code outside of 200 to 999.
pub(crate) fn status(value: &Dynamic) -> Fallible<(u16, Option<String>)> {
    let (code, reason) = parse_status(value)?;
    let code = status_code(i64::from(code))?;
    crate::message::answer::check_header("status", &reason)?;
    let standard = reason.is_empty() || reason.eq_ignore_ascii_case(status::reason(code));
    Ok((code, (!standard).then_some(reason)))
}

/// Code and reason of what may be a status: 100 to 999.
fn parse_status(value: &Dynamic) -> Result<(u16, String), String> {
    let found = match value.as_int() {
        Ok(code) => u16::try_from(code).ok().map(|code| (code, String::new())),
        Err(_) => value.read_lock::<ImmutableString>().and_then(|text| split_status(&text)),
    };
    found.filter(|(code, _)| (100..=999).contains(code)).ok_or_else(|| {
        let value = text_of(value, 100);
        format!("status `{value}` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"")
    })
}

fn split_status(text: &str) -> Option<(u16, String)> {
    let (code, reason) = text.split_once(' ').unwrap_or((text, ""));
    let plain = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    Some((code.parse().ok().filter(|_| plain)?, reason.trim().to_owned()))
}

/// `code` as the status code of an answer.
///
/// # Errors
/// Codes that HTTP can't send, and those below 200: they announce the answer, which would never come.
pub(crate) fn status_code(code: i64) -> Fallible<u16> {
    match u16::try_from(code) {
        Ok(code @ 200..=999) => Ok(code),
        Ok(100..=199) => {
            Err(format!("status {code} comes before an answer, it can't be one: take 200 to 999").into())
        }
        _ => Err(format!("status {code} is not from 200 to 999").into()),
    }
}

/// `value` as JSON, ended by a line end as `jsonify` does.
pub(crate) fn json(value: &Dynamic) -> Fallible<Answer> {
    let mut body = json::to_json(value, MAX_TEXT)?;
    body.push(b'\n');
    Ok(Answer::new(200, JSON, body))
}

/// The reply of `jsonify(x, 404)` and `jsonify(x, 404, headers)`. Where no status or number stands there, the values are a list
/// as JSON.
pub(crate) fn json_of(mut values: Array) -> Fallible<Reply> {
    if !values.get(1).is_some_and(is_code) {
        return Ok(json(&Dynamic::from(values))?.into());
    }
    values[0] = Dynamic::from(Response::from(json(&values[0])?));
    from_tuple(values)
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
