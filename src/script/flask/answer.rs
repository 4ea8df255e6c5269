//! Turns the value that a view function returned into a reply, by Flask's rules (`Flask.make_response`).
//!
//! | returned value | reply |
//! | --- | --- |
//! | `"text"`, a blob | 200 with this body, HTML |
//! | `#{ a: 1 }`, `["a", "b"]` | 200 with this body, JSON |
//! | `["text", 201]`, `["text", #{ "X-A": "b" }]`, `["text", 201, #{ "X-A": "b" }]` | as in Flask: body, status, headers |
//! | `["a", 42]` | an error: a number after a text is taken as a status, and 42 is none |
//! | `[1.5, 200]` | 200, JSON: a list that begins with a number is data |

use super::abort::{escape, html_page};
use super::response::{Response, header_values};
use super::wait_for::{NOT_RETURNED, WaitFor};
use super::{forward, status};
use crate::chaos::Reply;
use crate::directory::Content;
use crate::message::answer::{Answer, Fields, HTML, JSON};
use crate::routing::method::is_token;
use crate::script::runtime::fault::RETURNED_NOTHING;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::frozen::{ListRef, as_list, as_map, into_items, is_list, is_map};
use crate::script::runtime::json;
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::multi_dict::to_dict;
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::{MAX_TEXT, text_of, type_name};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use rhai::{Array, Blob, Dynamic, ImmutableString};
use std::collections::HashSet;
use std::sync::Arc;

/// Returns the reply for `value`, which a view function returned.
///
/// # Errors
/// `value` is `()`, a bare number or boolean, or contains something that has no JSON form. Flask refuses the same.
pub(crate) fn from_value(value: Dynamic) -> Fallible<Reply> {
    // The most frequent case first.
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
    if value.is::<WaitFor>() {
        return Err(NOT_RETURNED.into());
    }
    if value.is::<Arc<Forward>>() {
        return Err(forward::NOT_RETURNED.into());
    }
    let kind = kind(&value);
    Err(format!("the view function returned {kind}: return a text, a map, a list or make_response(...)")
        .into())
}

/// Returns the type of a value in words, for example `an integer`.
fn kind(value: &Dynamic) -> String {
    match () {
        () if value.is_int() => "an integer".to_owned(),
        () if value.is_float() => "a float".to_owned(),
        () if value.is_char() => "a character (text takes double quotes)".to_owned(),
        () if value.is_fnptr() => {
            "a function: call it with (), or give it to stream(...), which calls it for each piece".to_owned()
        }
        () => format!("a value of type {}", type_name(value)),
    }
}

/// Whether a list means body, status and headers, as a tuple does in Flask. Any other list is sent as JSON.
///
/// A tuple is `[body, status]` or `[body, status, headers]` if `body` is not a number. `[body, headers]` is a tuple if `body` is
/// a text, a blob or a response. Any number in second place counts as a status: [`from_list`] refuses `["a", 42]`, since JSON
/// with status 200 would hide the mistake.
fn is_tuple(items: &ListRef<'_>) -> bool {
    let whole =
        |value: &Dynamic| value.is_string() || value.is_blob() || value.read_lock::<Response>().is_some();
    let (Some(body), Some(second)) = (items.get(0), items.get(1)) else { return false };
    match (items.len(), items.get(2)) {
        (2, _) if is_map(second) || is_pairs(second) => whole(body),
        (2, _) => !is_number(body) && is_code(second),
        (3, Some(headers)) if is_map(headers) || is_pairs(headers) => !is_number(body) && is_code(second),
        // `[body, 404, ()]` has no headers. `[body, 42, ()]` is data, since 42 is not a status.
        (3, Some(headers)) => !is_number(body) && is_empty(headers) && parse_status(second).is_ok(),
        _ => false,
    }
}

fn is_number(value: &Dynamic) -> bool {
    value.is_int() || value.is_float() || value.is::<LargeInt>()
}

/// Whether `value` is a status, or a number and so intended as a status.
fn is_code(value: &Dynamic) -> bool {
    is_number(value) || parse_status(value).is_ok()
}

/// Whether `value` is a list of header names and values: `[["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"]]`.
fn is_pairs(value: &Dynamic) -> bool {
    let name = |name: &Dynamic| name.read_lock::<ImmutableString>().is_some_and(|name| is_token(&name));
    let pair = |pair: &Dynamic| as_list(pair).is_some_and(|pair| pair.len() == 2 && name(&pair[0]));
    as_list(value).is_some_and(|pairs| !pairs.is_empty() && pairs.iter().all(pair))
}

fn is_empty(value: &Dynamic) -> bool {
    value.is_unit() || as_list(value).is_some_and(|items| items.is_empty())
}

/// Returns the reply for a list for which [`is_tuple`] is true.
fn from_list(items: Array) -> Fallible<Reply> {
    let status = items.get(1).filter(|part| !is_map(part) && !is_list(part));
    if let Some(Err(error)) = status.map(parse_status) {
        return Err(format!("{error}; for a list as JSON write `jsonify([...])`").into());
    }
    from_tuple(items)
}

/// Returns the reply for `[body, status]`, `[body, headers]` or `[body, status, headers]`.
pub(crate) fn from_tuple(items: Array) -> Fallible<Reply> {
    let mut items = items.into_iter();
    let body = items.next().unwrap_or(Dynamic::UNIT);
    // `[(), 204]` is the same as `["", 204]`: beside a status, `()` is an empty body.
    let mut reply = match () {
        () if body.is_unit() => Answer::html(200, "").into(),
        // A list as body is always JSON, even one that looks like a tuple: the JSON writer limits its depth.
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

/// Returns the header names and values of a map, or of a list of pairs. A name may repeat in a list.
///
/// # Errors
/// `headers` is neither of them.
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

/// Returns the header fields for `pairs`. A list value becomes one field for each item, as in Werkzeug; any other value becomes
/// its text.
pub(crate) fn fields(pairs: &[(ImmutableString, Dynamic)]) -> Fallible<Fields> {
    let (mut fields, mut used) = (Fields::with_capacity(pairs.len()), 0);
    for (name, value) in pairs {
        let values = header_values(name, value, &mut used)?.into_iter();
        fields.extend(values.map(|value| (name.as_str().to_owned().into(), value.into())));
    }
    Ok(fields)
}

/// Replaces all fields of the names in `headers`. A name that repeats in a list of pairs is sent once for each pair.
fn set_headers(answer: &mut Answer, headers: &Dynamic) -> Fallible<()> {
    let pairs = header_pairs(headers)?;
    Ok(answer.replace_headers(&names(&pairs), fields(&pairs)?)?)
}

pub(crate) fn names(pairs: &[(ImmutableString, Dynamic)]) -> Vec<&str> {
    pairs.iter().map(|(name, _)| name.as_str()).collect()
}

/// Keeps the last pair of each name, in any case.
pub(crate) fn last_of_each(mut pairs: Vec<(ImmutableString, Dynamic)>) -> Vec<(ImmutableString, Dynamic)> {
    let mut names = HashSet::new();
    pairs.reverse();
    pairs.retain(|(name, _)| names.insert(name.to_ascii_lowercase()));
    pairs.reverse();
    pairs
}

/// Returns code and reason phrase of a status such as `404` or `"404 NOT HERE"`. The reason is `None` where it is the standard
/// one.
///
/// # Errors
/// `value` is neither a number nor such a text, or the code is outside of 200 to 999.
pub(crate) fn status(value: &Dynamic) -> Fallible<(u16, Option<String>)> {
    let (code, reason) = parse_status(value)?;
    let code = status_code(i64::from(code))?;
    crate::message::answer::check_header("status", &reason)?;
    let standard = reason.is_empty() || reason.eq_ignore_ascii_case(status::reason(code));
    Ok((code, (!standard).then_some(reason)))
}

/// Parses a status: a number from 100 to 999, or a text that begins with such a number.
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

/// Checks the status code of an answer.
///
/// # Errors
/// The code is outside of 200 to 999. Codes from 100 to 199 are interim responses (RFC 9110, section 15.2): the client would
/// wait for a final one.
pub(crate) fn status_code(code: i64) -> Fallible<u16> {
    match u16::try_from(code) {
        Ok(code @ 200..=999) => Ok(code),
        Ok(100..=199) => {
            Err(format!("status {code} comes before an answer, it can't be one: take 200 to 999").into())
        }
        _ => Err(format!("status {code} is not from 200 to 999").into()),
    }
}

/// Returns `value` as JSON with a line feed at the end, as Flask's `jsonify` writes it.
pub(crate) fn json(value: &Dynamic) -> Fallible<Answer> {
    let mut body = json::to_json(value, MAX_TEXT)?;
    body.push(b'\n');
    Ok(Answer::new(200, JSON, body))
}

/// Returns the reply for `jsonify(x, 404)` and `jsonify(x, 404, headers)`. Without a status or number in second place, all values
/// are sent as one JSON list, as in Flask.
pub(crate) fn json_of(mut values: Array) -> Fallible<Reply> {
    if !values.get(1).is_some_and(is_code) {
        return Ok(json(&Dynamic::from(values))?.into());
    }
    values[0] = Dynamic::from(Response::from(json(&values[0])?));
    from_tuple(values)
}

/// Returns the body that a script sets on a response (`response.data = value`).
///
/// # Errors
/// `value` is not a text, a blob, a map, a list or `()`.
pub(crate) fn body(value: &Dynamic) -> Fallible<Content> {
    if is_map(value) || is_list(value) {
        return Ok(json::to_json(value, MAX_TEXT)?.into());
    }
    if value.is_unit() {
        return Ok(Content::default());
    }
    Ok(from_value(value.clone())?.answer.body)
}

/// Characters that must be percent-encoded in a URL (RFC 3986, section 2). `%` is not among them: an encoded URL stays as it is.
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

/// Percent-encodes the value of `Location` and `Content-Location` where it is not ASCII, as Flask does. Other headers stay.
pub(super) fn location(name: &str, value: String) -> String {
    let is_url = ["location", "content-location"].iter().any(|url| name.eq_ignore_ascii_case(url));
    if value.is_ascii() || !is_url { value } else { utf8_percent_encode(&value, &NOT_IN_URL).to_string() }
}

/// Builds a redirect to `url` with a page that links there.
pub(crate) fn redirection(code: u16, url: &str) -> Answer {
    let url = utf8_percent_encode(url, &NOT_IN_URL).to_string();
    let shown = escape(&url);
    let page = html_page(code, &format!("See <a href=\"{shown}\">{shown}</a>."));
    let mut answer = Answer::new(code, HTML, page);
    answer.headers.push(("Location".into(), url.into()));
    answer
}

#[cfg(test)]
mod tests;
