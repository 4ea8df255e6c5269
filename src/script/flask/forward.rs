//! `forward(url, options)`: the answer of a view that another server makes. `app.forward(rule, url, options)` and
//! `app.forward_unmatched(url, options)` need no view.
//!
//! The script does not pause. The view returns what `forward` returned, and its worker goes on with other requests.

use super::app::{self, App, OF_BOTH, change_app};
use super::property::{nearest, unknown_option};
use super::rule_options::rule_options;
use super::sleep::seconds;
use crate::http_client::Url;
use crate::message::answer::check_header;
use crate::script::runtime::call;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::registration::Entry;
use crate::script::runtime::server_url::server_url;
use crate::script::runtime::size_limits::{full_text, type_name};
use crate::script::runtime::view::View;
use rhai::{Array, Dynamic, FnPtr, Map, NativeCallContext};
use std::sync::Arc;

/// The error for a `forward` that is no answer: inside of another value, or dropped.
pub(crate) const NOT_RETURNED: &str = "forward answers only where a view function or a before_request function returns it alone, as in `return forward(...)`; `change: |response| ...` changes the answer";
const OPTIONS: [&str; 5] = ["path", "strip", "headers", "timeout", "change"];
/// The function that takes `methods`, too.
const OF_RULE: &str = "app.forward";
/// Maximum number of calls for one request. It ends functions of `change` that forward once more without end.
const MOST_FORWARDS: u32 = 10;

/// Returns the forwarding that `value` is, if it is one. A function of the running call returned `value`.
///
/// # Errors
/// `value` is another one, although the script has called `forward`.
pub(crate) fn of(value: &Dynamic) -> Fallible<Option<Arc<Forward>>> {
    if !call::with(|call| std::mem::take(&mut call.forwards)).unwrap_or(false) {
        return Ok(None);
    }
    let forward = value.read_lock::<Arc<Forward>>().map(|forward| forward.clone());
    if forward.is_some() { Ok(forward) } else { Err(NOT_RETURNED.into()) }
}

/// Returns the names of the options that `function` takes.
fn options_of(function: &str) -> impl Iterator<Item = &'static str> {
    OPTIONS.into_iter().chain((function == OF_RULE).then_some("methods"))
}

/// Reads the URL of a server.
pub(crate) fn server(url: &str) -> Fallible<Url> {
    Ok(server_url(url)?)
}

fn parse(context: &NativeCallContext, function: &str, url: &str, options: &Map) -> Fallible<Forward> {
    let server = server(url)?;
    if server.target.contains('?') {
        return Err(format!(
            "failed to use URL `{url}`: the URL of a server has no query; option `path` may have one"
        )
        .into());
    }
    let mut forward = Forward::to(server);
    for (name, value) in options {
        match name.as_str() {
            "path" => forward.path = Some(path("path", value)?),
            "strip" => forward.strip = Some(path("strip", value)?),
            "headers" => forward.headers = headers(value)?,
            "timeout" => forward.timeout = seconds("option `timeout` of forward", value)?,
            "change" => forward.change = Some(change(context, value)?),
            name => {
                let (meant, options) = (nearest(name, options_of(function)), options_of(function));
                return Err(match meant {
                    Some(meant) => {
                        format!("`{function}` has no option `{name}`: did you mean `{meant}`?").into()
                    }
                    None => unknown_option(function, "option", name, &options.collect::<Vec<_>>()),
                });
            }
        }
    }
    if forward.timeout.is_zero() {
        return Err("option `timeout` of forward takes more than 0 seconds".into());
    }
    Ok(forward)
}

fn path(name: &str, value: &Dynamic) -> Fallible<String> {
    let text = full_text(name, value)?;
    if !text.starts_with('/') || text.bytes().any(|byte| !byte.is_ascii_graphic()) {
        return Err(format!(
            "option `{name}` of forward is a path such as `/api`, percent-encoded, not `{}`",
            text.escape_debug()
        )
        .into());
    }
    Ok(text)
}

/// Reads the fields that replace those of the request; `()` leaves one out.
pub(super) fn headers(value: &Dynamic) -> Fallible<Vec<(String, Option<String>)>> {
    let Some(map) = as_map(value) else {
        return Err(format!("headers are a map: `#{{ \"X-A\": \"b\" }}`, not {}", type_name(value)).into());
    };
    let mut fields = Vec::new();
    for (name, value) in map.iter() {
        let value = if value.is_unit() { None } else { Some(full_text(name, value)?) };
        check_header(name, value.as_deref().unwrap_or_default())?;
        fields.push((name.to_owned(), value));
    }
    Ok(fields)
}

fn change(context: &NativeCallContext, value: &Dynamic) -> Fallible<View> {
    let Some(function) = value.clone().try_cast::<FnPtr>() else {
        return Err(
            format!("option `change` of forward is a function |response|, not {}", type_name(value)).into()
        );
    };
    View::find(&*call::files()?, context, function)?.taking(1, "forward calls `change` with the response")
}

fn forward(context: &NativeCallContext, url: &str, options: &Map) -> Fallible<Arc<Forward>> {
    if call::is_loading() {
        return Err("forward is there only while a request is handled: a view function returns it; a rule without a view is `app.forward(rule, url)`".into());
    }
    let forward = parse(context, "forward", url, options)?;
    let calls = call::with(|call| {
        call.forwards = true;
        call.forward_calls += 1;
        call.forward_calls
    });
    if calls.is_some_and(|calls| calls > MOST_FORWARDS) {
        return Err(format!("forward was called more than {MOST_FORWARDS} times for one request, last for `{url}`: it does not pause the script; return what it returns, and go on in `change`").into());
    }
    Ok(forward.into())
}

/// Returns `rule` without the variable of `path` at its end: `/api/` of `/api/<path:rest>`.
fn without_path(rule: &str) -> Option<&str> {
    let start = rule.rfind("/<")?;
    let is_path = rule[start..].starts_with("/<path:") && rule.ends_with('>');
    is_path.then(|| &rule[..=start])
}

/// Registers rules that another server answers: `rule`, and where it ends with a variable of `path`, the path without it too.
fn add(context: &NativeCallContext, on: &Dynamic, rule: &str, url: &str, mut options: Map) -> Fallible<()> {
    let methods = options.remove("methods").unwrap_or_else(|| Array::from(["*".into()]).into());
    let forward = Arc::new(parse(context, OF_RULE, url, &options)?);
    let main = call::files()?.main.clone();
    let file = context.call_source().unwrap_or(&main).to_owned();
    let open = without_path(rule);
    for rule in std::iter::once(rule).chain(open) {
        let mut given =
            Map::from([("methods".into(), methods.clone()), ("merge_slashes".into(), false.into())]);
        if Some(rule) == open {
            given.insert("strict_slashes".into(), false.into());
        }
        let (options, _) = rule_options(&given.into())?;
        let entry = Entry {
            rule: rule.to_owned(),
            endpoint: format!("forward {rule}"),
            blueprint: None,
            options,
            view: None,
            forward: Some(forward.clone()),
            file: file.clone(),
            at: context.call_position(),
        };
        app::change(on, |registration| registration.rules.push(entry))?;
    }
    Ok(())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<Arc<Forward>>("forward")
        .register_optional("forward", Map::new(), |context: NativeCallContext, url: &str, options: Map| {
            forward(&context, url, &options)
        })
        .register_optional(
            "forward_unmatched",
            Map::new(),
            |context: NativeCallContext, _: Receiver<App>, url: &str, options: Map| {
                let forward = Some(Arc::new(parse(&context, "app.forward_unmatched", url, &options)?));
                change_app(|registration| registration.forward_unmatched = forward)
            },
        );
    natives.in_common(OF_BOTH, |natives| {
        natives.register_optional(
            "forward",
            Map::new(),
            |context: NativeCallContext, on: &mut Dynamic, rule: &str, url: &str, options: Map| {
                add(&context, on, rule, url, options)
            },
        );
    });
}

#[cfg(test)]
mod tests;
