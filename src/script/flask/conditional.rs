//! `r.make_conditional(request)`, tags (`set_etag`, `get_etag`, `add_etag`) and the headers of partial answers
//! (`accept_ranges`, `content_range`), and other headers that are properties.

use super::content_range::ContentRange;
use super::header_date::{self, header_date};
use super::property::unknown_option;
use super::request::RequestHandle;
use super::response::Response;
use crate::message::answer::{Answer, check_header};
use crate::message::conditional::{self, Unsatisfiable};
use crate::message::entity_tag::{quote, unquote};
use crate::message::request::Request;
use crate::script::runtime::call;
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::http_error::{HttpError, throw};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{full_text, text_of};
use rhai::{Array, Dynamic};
use sha1::{Digest, Sha1};

/// Properties of responses that are headers as text.
const TEXTS: [(&str, &str); 5] = [
    ("accept_ranges", "Accept-Ranges"),
    ("content_encoding", "Content-Encoding"),
    ("content_language", "Content-Language"),
    ("content_location", "Content-Location"),
    ("location", "Location"),
];

/// Properties of responses that are headers with a date.
const DATES: [(&str, &str); 3] =
    [("last_modified", "Last-Modified"), ("expires", "Expires"), ("date", "Date")];

/// Returns the header value of a tag.
///
/// # Errors
/// The tag has a quote or a control character.
pub(super) fn etag(tag: &str, weak: bool) -> Fallible<String> {
    if tag.contains('"') {
        return Err(format!("etag `{tag}` has a quote: write it without, they are added").into());
    }
    let value = quote(tag, weak);
    check_header("ETag", &value)?;
    Ok(value)
}

fn set_etag(response: &Response, tag: &str, weak: bool) -> Fallible<()> {
    let value = etag(tag, weak)?;
    response.lock().answer.set_header("ETag", value);
    Ok(())
}

/// Returns `[tag, is_weak]`, or `[(), ()]` where the header is missing.
fn get_etag(response: &Response) -> Array {
    let answer = &response.lock().answer;
    let Some(value) = answer.header("etag") else { return vec![Dynamic::UNIT; 2] };
    let (tag, weak) = unquote(value);
    vec![tag.into(), weak.into()]
}

/// Sets the SHA-1 of the body as tag, as Werkzeug does. An existing tag stays, unless `overwrite` is true.
fn add_etag(response: &mut Response, overwrite: bool, weak: bool) -> Fallible<()> {
    if !overwrite && response.lock().answer.header("etag").is_some() {
        return Ok(());
    }
    let digest = Sha1::digest(response.data()?);
    let tag: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    set_etag(response, &tag, weak)
}

/// Applies the conditions of `request` to `answer`, and its ranges if the answer accepts some: `accept_ranges` is the value of
/// the header.
///
/// # Errors
/// The ranges lie outside of the body: a 416 is thrown.
pub(super) fn apply(answer: &mut Answer, request: &Request, accept_ranges: Option<&str>) -> Fallible<()> {
    if let Some(unit) = accept_ranges.filter(|_| matches!(request.method(), "GET" | "HEAD")) {
        answer.set_header("Accept-Ranges", unit.to_owned());
    }
    let ranges = accept_ranges.is_some_and(|unit| unit != "none");
    conditional::apply(answer, request, ranges).map_err(|Unsatisfiable(length)| {
        let header = Some(("Content-Range", format!("bytes */{length}")));
        throw(HttpError { header, ..HttpError::new(416) })
    })
}

/// `r.make_conditional(request, accept_ranges, complete_length)`. The length defaults to that of the body.
fn make_conditional(
    response: &mut Response,
    request: &Dynamic,
    accept_ranges: &Dynamic,
    length: &Dynamic,
) -> Fallible<Response> {
    if !request.is::<RequestHandle>() {
        let shown = text_of(request, 80);
        return Err(format!("`make_conditional` takes `request`, not {shown}").into());
    }
    let unit = match accept_ranges.as_bool() {
        Ok(accepts) => accepts.then(|| "bytes".to_owned()),
        Err(_) if accept_ranges.is_unit() => None,
        Err(_) => Some(full_text("accept_ranges", accept_ranges)?),
    };
    if let Some(unit) = &unit {
        check_header("Accept-Ranges", unit)?;
    }
    let request = call::request()?;
    let mut reply = response.lock();
    let is_streamed = reply.stream.is_some();
    if is_streamed && !length.is_unit() {
        return Err("a stream has no length: leave `complete_length` out".into());
    }
    let answer = &mut reply.answer;
    let has = i64::try_from(answer.body.len()).unwrap_or(i64::MAX);
    if !length.is_unit() && length.as_int() != Ok(has) {
        let given = text_of(length, 80);
        return Err(format!(
            "`make_conditional` has the complete_length {given}, and the body has {has} bytes: leave it out"
        )
        .into());
    }
    // As in Werkzeug, a stream has no ranges.
    apply(answer, &request, unit.as_deref().filter(|_| !is_streamed))?;
    drop(reply);
    Ok(response.clone())
}

/// Takes the named arguments of `make_conditional` out of a map. Any other value is the first of them.
fn named(second: Dynamic) -> Fallible<[Dynamic; 2]> {
    let names = ["accept_ranges", "complete_length"];
    let Some(map) = as_map(&second) else { return Ok([second, Dynamic::UNIT]) };
    match map.iter().find(|(key, _)| !names.contains(key)) {
        Some((unknown, _)) => Err(unknown_option("make_conditional", "option", unknown, &names)),
        None => Ok(names.map(|name| map.get(name).cloned().unwrap_or_default())),
    }
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_optional("set_etag", false, |response: &mut Response, tag: &str, weak: bool| {
            set_etag(response, tag, weak)
        })
        .register_fn("get_etag", |response: &mut Response| get_etag(response))
        .register_fn("add_etag", |response: &mut Response| add_etag(response, false, false))
        .register_optional("add_etag", false, add_etag)
        .register_optional(
            "make_conditional",
            Dynamic::UNIT,
            |response: &mut Response, request: Dynamic, second: Dynamic| {
                let [accept_ranges, length] = named(second)?;
                make_conditional(response, &request, &accept_ranges, &length)
            },
        )
        .register_fn(
            "make_conditional",
            |response: &mut Response, request: Dynamic, accept_ranges: Dynamic, length: Dynamic| {
                make_conditional(response, &request, &accept_ranges, &length)
            },
        )
        .register_get("content_range", |response: &mut Response| ContentRange::of(response))
        .register_set("content_range", |response: &mut Response, value: Dynamic| {
            ContentRange::assign(response, &value)
        });
    properties(natives);
}

fn properties(natives: &mut Natives) {
    for (property, header) in TEXTS {
        natives
            .register_get(property, move |response: &mut Response| {
                response.lock().answer.header(header).map_or(Dynamic::UNIT, Into::into)
            })
            .register_set(property, move |response: &mut Response, value: Dynamic| {
                assign(response, header, &value, |value| full_text(property, value))
            });
    }
    for (property, header) in DATES {
        natives
            .register_get(property, move |response: &mut Response| {
                header_date::read(response.lock().answer.header(header))
            })
            .register_set(property, move |response: &mut Response, value: Dynamic| {
                assign(response, header, &value, |value| header_date(&format!("`{property}`"), value))
            });
    }
}

/// Sets a header to the text of `value`; `()` removes it.
fn assign(
    response: &Response,
    header: &str,
    value: &Dynamic,
    text: impl Fn(&Dynamic) -> Fallible<String>,
) -> Fallible<()> {
    response.set_or_remove(header, if value.is_unit() { String::new() } else { text(value)? })
}
