//! The variable `request` of scripts. The value is an empty handle: each property, such as `request.method`, is read from the
//! request of the running call. `message::request` parses the request.

mod accept;
mod authorization;
mod validators;

use crate::message::form::options;
use crate::message::request::Request;
use crate::routing::rule::Rule;
use crate::routing::value::Value;
use crate::script::flask::multi_dict::FileDict;
use crate::script::flask::property::{nearest, read_only, unknown_option, unknown_property};
use crate::script::runtime::call;
use crate::script::runtime::content::content;
use crate::script::runtime::fault::Fault;
use crate::script::runtime::http_error::{self, http_error};
use crate::script::runtime::json::{self, Unread};
use crate::script::runtime::multi_dict::{Headers, MultiDict, Part};
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::same::same;
use crate::script::runtime::view::dynamic;
use accept::Accept;
use rhai::{Dynamic, EvalAltResult, ImmutableString, Map};
use std::borrow::Cow;
use std::sync::Arc;

#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RequestHandle;

type Read = Fallible<Dynamic>;
type Getter = fn(&Arc<Request>) -> Read;

pub(crate) fn register(natives: &mut Natives) {
    natives.set_var("request", RequestHandle);
    natives.register_type_with_name::<RequestHandle>("Request");
    register_properties(natives);
    register_body(natives);
    for name in ["to_string", "to_debug"] {
        natives.register_fn(name, |_: Receiver<RequestHandle>| show());
    }
    accept::register(natives);
    validators::register(natives);
}

/// The properties, in the order of Flask's documentation.
const PROPERTIES: [(&str, Getter); 50] = [
    ("method", |r| text(r.method())),
    ("path", |r| text(r.path())),
    ("full_path", |r| text(r.full_path())),
    ("url", |r| text(r.url())),
    ("base_url", |r| text(r.base_url())),
    ("url_root", |r| text(r.url_root())),
    ("root_url", |r| text(r.url_root())),
    ("host_url", |r| text(r.host_url())),
    ("host", |r| text(r.host())),
    ("scheme", |r| text(r.scheme())),
    ("is_secure", |r| Ok(r.is_secure().into())),
    ("script_root", |r| text(r.prefix())),
    ("root_path", |r| text(r.prefix())),
    ("query_string", |r| text(r.query_string())),
    ("remote_addr", |r| optional(r.client())),
    ("endpoint", |r| matched(r, |m| m.rule.endpoint().into())),
    ("url_rule", |r| matched(r, |m| m.rule.pattern().into())),
    ("blueprint", |r| matched(r, |m| m.blueprint.map_or(Dynamic::UNIT, Into::into))),
    ("view_args", |r| matched(r, view_args)),
    ("args", |r| part(r, Part::Args)),
    ("form", |r| part(r, Part::Form)),
    ("values", |r| part(r, Part::Values)),
    ("cookies", |r| part(r, Part::Cookies)),
    ("baggage", |r| part(r, Part::Baggage)),
    ("files", |r| FileDict::new(r).map(Dynamic::from)),
    ("headers", |r| Ok(Dynamic::from(Headers::new(r)))),
    ("data", |r| get_data(r, false, true)),
    ("raw_data", |r| Ok(Dynamic::from_blob(r.body.clone()))),
    ("text", |r| get_data(r, true, false)),
    ("json", |r| get_json(r, JsonOptions::default())),
    ("is_json", |r| Ok(r.is_json().into())),
    ("mimetype", |r| text(r.mimetype())),
    ("mimetype_params", |r| Ok(mimetype_params(r).into())),
    ("content_type", |r| header(r, "content-type")),
    ("content_length", |r| Ok(r.content_length().map_or(Dynamic::UNIT, Dynamic::from))),
    ("content_encoding", |r| header(r, "content-encoding")),
    ("user_agent", |r| text(r.header("user-agent").unwrap_or_default())),
    ("referrer", |r| header(r, "referer")),
    ("origin", |r| header(r, "origin")),
    ("authorization", |r| Ok(authorization::read(r))),
    ("accept_mimetypes", |r| {
        Ok(Dynamic::from(Accept::new(r.header_joined("accept", ",").map(Cow::into_owned))))
    }),
    ("accept_charsets", |r| header(r, "accept-charset")),
    ("accept_encodings", |r| header(r, "accept-encoding")),
    ("accept_languages", |r| header(r, "accept-language")),
    ("if_match", |r| Ok(validators::tags(r, "if-match"))),
    ("if_none_match", |r| Ok(validators::tags(r, "if-none-match"))),
    ("if_modified_since", |r| Ok(validators::date(r, "if-modified-since"))),
    ("if_unmodified_since", |r| Ok(validators::date(r, "if-unmodified-since"))),
    ("if_range", |r| Ok(validators::if_range(r))),
    ("range", |r| Ok(validators::range(r))),
];

/// Names of properties in other frameworks, and Flask's names, which the error suggests.
const FOREIGN: [(&str, &str); 8] = [
    ("body", "data"),
    ("ip", "remote_addr"),
    ("params", "args"),
    ("query", "args"),
    ("query_params", "args"),
    ("uri", "url"),
    ("verb", "method"),
    ("content", "data"),
];

fn register_properties(natives: &mut Natives) {
    for (name, getter) in PROPERTIES {
        natives.register_get(name, move |_: Receiver<RequestHandle>| getter(&call::request()?));
        // Rhai also calls the setter after a method call on the value, with the same value: `request.path.trim()`.
        natives.register_set_of_constant(name, move |_: Receiver<RequestHandle>, value: Dynamic| match same(
            &getter(&call::request()?)?,
            &value,
        ) {
            true => Ok(()),
            false => Err(read_only(&format!("request.{name}"))),
        });
    }
    natives.register_indexer_get(|_: Receiver<RequestHandle>, name: &str| -> Read { Err(unknown(name)) });
    natives.register_indexer_set_of_constant(
        |_: Receiver<RequestHandle>, name: &str, _: Dynamic| -> Fallible<()> { Err(unknown(name)) },
    );
}

fn unknown(name: &str) -> Box<EvalAltResult> {
    let foreign = FOREIGN.iter().find(|(foreign, _)| *foreign == name).map(|(_, known)| *known);
    let names = PROPERTIES.iter().map(|(name, _)| *name).chain(["get_json()", "get_data()"]);
    unknown_property("`request`", name, foreign.or_else(|| nearest(name, names)))
}

fn register_body(natives: &mut Natives) {
    natives
        .register_fn("get_json", |_: Receiver<RequestHandle>| {
            // Read-only: a change of the returned value would have no effect on the request.
            get_json(call::request()?.as_ref(), JsonOptions::default()).map(Dynamic::into_read_only)
        })
        .register_fn("get_json", |_: Receiver<RequestHandle>, options: Map| {
            let [force, silent, _cache] = flags("get_json", &options, ["force", "silent", "cache"])?;
            get_json(call::request()?.as_ref(), JsonOptions { force, silent }).map(Dynamic::into_read_only)
        })
        .register_optional("get_data", Map::new(), |_: Receiver<RequestHandle>, options: Map| {
            let names = ["as_text", "parse_form_data", "cache"];
            let [as_text, parse_form_data, _cache] = flags("get_data", &options, names)?;
            get_data(call::request()?.as_ref(), as_text, parse_form_data)
        });
}

/// Returns the boolean values of the options `names`; an option that is not given is false.
fn flags<const N: usize>(function: &str, options: &Map, names: [&str; N]) -> Fallible<[bool; N]> {
    let mut values = [false; N];
    for (name, value) in options {
        let Some(at) = names.iter().position(|known| known == name) else {
            return Err(unknown_option(function, "option", name, &names));
        };
        let is_bool = value.as_bool();
        values[at] =
            is_bool.map_err(|kind| format!("`{function}` takes true or false as `{name}`, not {kind}"))?;
    }
    Ok(values)
}

/// Options of `get_json`, as Flask names them.
#[derive(Debug, Clone, Copy, Default)]
struct JsonOptions {
    force: bool,
    silent: bool,
}

fn get_json(request: &Request, options: JsonOptions) -> Read {
    if !options.force && !request.is_json() {
        call::with(|call| call.no_json = true);
        return Ok(Dynamic::UNIT);
    }
    let body = match content(request) {
        Err(error) if options.silent && http_error::find(&error).is_some_and(|error| error.code == 400) => {
            return Ok(Dynamic::UNIT);
        }
        content => content?,
    };
    let parse = || match body.trim_ascii().is_empty() {
        true => Err(Unread::Malformed("the body is empty".to_owned())),
        false => json::from_json(body),
    };
    match request.parsed_body(parse) {
        Some(Ok(value)) => Ok(value.clone()),
        Some(Err(error @ (Unread::TooLarge(_) | Unread::TooDeep(_)))) => {
            Err(http_error(413, format!("failed to decode json: {error}")))
        }
        Some(Err(error)) if !options.silent => {
            Err(http_error(400, format!("failed to decode json: {error}")))
        }
        _ => Ok(Dynamic::UNIT),
    }
}

fn get_data(request: &Request, as_text: bool, parse_form_data: bool) -> Read {
    let body = if parse_form_data && request.is_form() { &[] } else { content(request)? };
    match as_text {
        true => text(String::from_utf8_lossy(body)),
        false => Ok(Dynamic::from_blob(body.to_vec())),
    }
}

fn text(text: impl AsRef<str>) -> Read {
    Ok(ImmutableString::from(text.as_ref()).into())
}

fn optional(text: Option<impl Into<ImmutableString>>) -> Read {
    Ok(text.map_or(Dynamic::UNIT, |text| Dynamic::from(text.into())))
}

fn header(request: &Request, name: &str) -> Read {
    optional(request.header_joined(name, ",").as_deref())
}

fn part(request: &Arc<Request>, part: Part) -> Read {
    MultiDict::new(request, part).map(Dynamic::from)
}

/// The rule that serves a request, and the blueprint that registered the rule.
struct Matched<'m> {
    rule: &'m Rule,
    blueprint: Option<&'m str>,
    /// Reads the URL variables from the path again. Few scripts use `request.view_args`, so they are not kept.
    values: &'m dyn Fn() -> Vec<Value>,
}

fn matched(request: &Request, field: fn(Matched) -> Dynamic) -> Read {
    let Some(index) = request.rule else { return Ok(Dynamic::UNIT) };
    let routes = call::routes()?;
    let router = &routes.router;
    let (rule, blueprint) = (&router.rules()[index], routes.blueprint(index));
    let values = || {
        let host = router.has_hosts().then(|| request.host());
        router.values(index, request.path(), host.as_deref())
    };
    Ok(field(Matched { rule, blueprint, values: &values }))
}

fn view_args(matched: Matched) -> Dynamic {
    let names = matched.rule.variables().into_iter();
    names.zip((matched.values)()).map(|(name, value)| (name.into(), dynamic(value))).collect::<Map>().into()
}

fn mimetype_params(request: &Request) -> Map {
    let (_, pairs) = options::parse(request.content_type().unwrap_or_default());
    // Where a name repeats, the first value counts.
    pairs.iter().rev().map(|(name, value)| (name.as_str().into(), value.into())).collect()
}

/// Adds a hint to `fault` where the script failed because `request.json` is `()`: mostly the client sent JSON under another type.
pub(crate) fn explain_missing_json(fault: Fault, request: &Request) -> Fault {
    if !fault.kind.is_of_nothing() || !call::with(|call| call.no_json).unwrap_or_default() {
        return fault;
    }
    let given = match request.content_type() {
        Some(given) => format!("the Content-Type of this request is `{given}`"),
        None => "this request has no Content-Type".to_owned(),
    };
    let is_json = matches!(request.body.trim_ascii_start().first(), None | Some(b'{' | b'[' | b'"'));
    let send = match request.is_form() && !is_json {
        true => "read a form by `request.form`, or send JSON with `-H 'Content-Type: application/json'`",
        false => {
            "send `-H 'Content-Type: application/json'`, or read it by `request.get_json(#{ force: true })`"
        }
    };
    Fault { hint: Some(format!("`request.json` is `()`, for {given}: {send}")), ..fault }
}

fn show() -> Fallible<String> {
    let request = call::request()?;
    Ok(format!("<Request '{}' [{}]>", request.url(), request.method()))
}

#[cfg(test)]
pub(crate) mod tests;
