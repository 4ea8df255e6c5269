//! `callback(url, options)`: a request that h1mock sends after the answer, such as a webhook.
//!
//! The script does not wait for it and gets nothing back. `serving/callbacks.rs` sends it.

use super::forward;
use super::property::{nearest, unknown_option};
use super::sleep::{seconds, seconds_within};
use crate::http_client;
use crate::outgoing::{Callback, Outgoing};
use crate::routing::method::is_token;
use crate::script::python::urllib;
use crate::script::runtime::call;
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::json::to_json;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{MAX_TEXT, full_text, text_of, type_name};
use rhai::{Blob, Dynamic, EvalAltResult, ImmutableString, Map, NativeCallContext};
use std::time::Duration;

const OPTIONS: [&str; 10] =
    ["method", "url", "headers", "json", "form", "body", "after", "retries", "backoff", "timeout"];
/// The options that make a body.
const BODIES: [&str; 3] = ["json", "form", "body"];
/// The fields of a message that h1mock sets itself.
const OWN_FIELDS: [&str; 4] = ["content-length", "transfer-encoding", "connection", "expect"];
/// Most seconds of `after`: a test advances its clock.
const LONGEST_AFTER: Duration = Duration::from_secs(365 * 86_400);
/// Most attempts after the first one.
const MOST_RETRIES: i64 = 100;

/// Adds a callback to the running request.
fn callback(context: &NativeCallContext, url: Option<&str>, options: &Map) -> Fallible<()> {
    if call::is_loading() {
        return Err("callback is there only while a request is handled: call it in a view function or a hook; the request leaves after the answer".into());
    }
    let (outgoing, answered) =
        call::with(|call| (call.conditions.outgoing, call.answered)).unwrap_or_default();
    if answered {
        return Err("callback leaves after the answer, which has begun: call it in the view function, before `stream`".into());
    }
    let mut callback = parse(context, url, options)?;
    pass_on_baggage(&mut callback)?;
    check_fields(&callback)?;
    let Some(outgoing) = outgoing else { return Ok(()) };
    reserve(&mut callback, outgoing).map_err(|error| format!("callback: {error}"))?;
    call::with(|call| call.callbacks.push(callback));
    Ok(())
}

fn reserve(callback: &mut Callback, outgoing: &'static Outgoing) -> Result<(), String> {
    outgoing.allowed.name(&callback.url.host)?;
    callback.place = Some(outgoing.places.take(callback.space())?);
    Ok(())
}

fn parse(context: &NativeCallContext, url: Option<&str>, options: &Map) -> Fallible<Callback> {
    let url = match (url, options.get("url")) {
        (Some(_), Some(_)) => {
            return Err("callback has its URL twice: as first argument, and as option `url`".into());
        }
        (Some(url), None) => forward::server(url)?,
        (None, Some(url)) => forward::server(&text("url", url)?)?,
        (None, None) => {
            return Err("callback needs the option `url`: `callback(#{ url: \"http://...\" })`".into());
        }
    };
    let mut callback = Callback {
        method: "POST".to_owned(),
        url,
        headers: Vec::new(),
        body: None,
        after: Duration::ZERO,
        retries: 0,
        backoff: Duration::from_millis(500),
        timeout: Duration::from_secs(5),
        place: None,
    };
    for (name, value) in options {
        match name.as_str() {
            "method" => callback.method = method(value)?,
            "headers" => callback.headers = forward::headers(value)?,
            "after" => callback.after = seconds_within("option `after` of callback", value, LONGEST_AFTER)?,
            "retries" => callback.retries = retries(value)?,
            "backoff" => callback.backoff = seconds("option `backoff` of callback", value)?,
            "timeout" => callback.timeout = seconds("option `timeout` of callback", value)?,
            name if OPTIONS.contains(&name) => {}
            name => return Err(unknown(name)),
        }
    }
    if callback.timeout.is_zero() {
        return Err("option `timeout` of callback takes more than 0 seconds".into());
    }
    add_body(context, &mut callback, options)?;
    Ok(callback)
}

fn unknown(name: &str) -> Box<EvalAltResult> {
    match nearest(name, OPTIONS.into_iter()) {
        Some(meant) => format!("`callback` has no option `{name}`: did you mean `{meant}`?").into(),
        None => unknown_option("callback", "option", name, &OPTIONS),
    }
}

fn text(name: &str, value: &Dynamic) -> Fallible<ImmutableString> {
    let text = value.as_immutable_string_ref().map(|text| text.clone());
    Ok(text.map_err(|kind| format!("option `{name}` of callback is a text, not {kind}"))?)
}

fn method(value: &Dynamic) -> Fallible<String> {
    let method = text("method", value)?.to_ascii_uppercase();
    if !is_token(&method) || method == "CONNECT" {
        let shown = text_of(value, 80);
        return Err(format!("option `method` of callback is a method such as `POST`, not `{shown}`").into());
    }
    Ok(method)
}

fn retries(value: &Dynamic) -> Fallible<u32> {
    let number = value.as_int().ok().filter(|number| (0..=MOST_RETRIES).contains(number));
    let number = number.and_then(|number| u32::try_from(number).ok());
    Ok(number.ok_or_else(|| {
        let shown = text_of(value, 80);
        format!(
            "option `retries` of callback is a whole number from 0 to {MOST_RETRIES}, not {} `{shown}`",
            type_name(value)
        )
    })?)
}

/// Sets the body and its `Content-Type`, unless the headers have one.
fn add_body(context: &NativeCallContext, callback: &mut Callback, options: &Map) -> Fallible<()> {
    let given: Vec<&str> = BODIES.into_iter().filter(|name| options.contains_key(*name)).collect();
    let (name, value) = match given[..] {
        [] => {
            // A server that expects a body sees that there is none.
            callback.body = matches!(&*callback.method, "POST" | "PUT" | "PATCH").then(Vec::new);
            return Ok(());
        }
        [name] => (name, &options[name]),
        [one, other, ..] => {
            return Err(format!("callback has one body: give `{one}` or `{other}`, not both").into());
        }
    };
    let (kind, body) = match name {
        "json" => (
            Some("application/json"),
            to_json(value, MAX_TEXT).map_err(|why| format!("option `json` of callback: {why}"))?,
        ),
        "form" => (Some("application/x-www-form-urlencoded"), form(context, value)?),
        _ => (None, bytes(value)?),
    };
    let has_kind = callback.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if let Some(kind) = kind.filter(|_| !has_kind) {
        callback.headers.push(("Content-Type".to_owned(), Some(kind.to_owned())));
    }
    callback.body = Some(body);
    Ok(())
}

fn form(context: &NativeCallContext, value: &Dynamic) -> Fallible<Vec<u8>> {
    let Some(map) = as_map(value) else {
        return Err(format!(
            "option `form` of callback is a map: `#{{ key: \"value\" }}`, not {}",
            type_name(value)
        )
        .into());
    };
    Ok(urllib::form("callback", context, map.iter())?.as_bytes().to_vec())
}

fn bytes(value: &Dynamic) -> Fallible<Vec<u8>> {
    if let Some(bytes) = value.read_lock::<Blob>() {
        return Ok(bytes.clone());
    }
    if value.is_string() {
        return Ok(full_text("callback", value)?.into_bytes());
    }
    Err(format!(
        "option `body` of callback is a text or a blob, not {}: `json` takes a map or a list",
        type_name(value)
    )
    .into())
}

/// Passes the header `baggage` of the request on, so that all requests of a test have it.
fn pass_on_baggage(callback: &mut Callback) -> Fallible<()> {
    let request = call::request()?;
    let is_given = callback.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("baggage"));
    if let Some(baggage) = request.header_joined("baggage", ",").filter(|_| !is_given) {
        // The server took it from its client, which may send more than this one does.
        if baggage.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            callback.headers.push(("baggage".to_owned(), Some(baggage.into_owned())));
        }
    }
    Ok(())
}

/// Fails for a field that can't be sent, so that the view has the error.
fn check_fields(callback: &Callback) -> Fallible<()> {
    let own = callback.headers.iter().find(|(name, _)| OWN_FIELDS.contains(&&*name.to_ascii_lowercase()));
    if let Some((name, _)) = own {
        return Err(format!("callback sets the header `{name}` itself: leave it out").into());
    }
    let headers: Vec<(&str, Option<&str>)> =
        callback.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    let request = http_client::Request {
        method: &callback.method,
        url: &callback.url,
        headers: &headers,
        body: callback.body.as_deref(),
        addresses: &[],
        timeout: callback.timeout,
    };
    request.head().map_err(|error| format!("callback: {error}"))?;
    Ok(())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_optional("callback", Map::new(), |context: NativeCallContext, url: &str, options: Map| {
            callback(&context, Some(url), &options)
        })
        .register_fn("callback", |context: NativeCallContext, options: Map| {
            callback(&context, None, &options)
        });
}

#[cfg(test)]
mod tests;
