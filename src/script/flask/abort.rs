//! `abort` and Werkzeug's error classes, for example `abort(404, "no such user")`, and the properties of the error that an error
//! handler gets.

use super::response::Response;
use super::status;
use crate::chaos::Reply;
use crate::message::answer::{Answer, JSON};
use crate::script::runtime::frozen::{is_list, is_map};
use crate::script::runtime::http_error::{CLASSES, ErrorClass, HttpError, throw};
use crate::script::runtime::json;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::{MAX_TEXT, text_of};
use rhai::{Array, Dynamic, ImmutableString};
use std::borrow::Cow;

impl ScriptValue for HttpError {}

impl HttpError {
    /// Returns the reason phrase of the status code, for example `Not Found`.
    pub(crate) fn name(&self) -> &'static str {
        status::reason(self.status())
    }

    /// Returns the default reply, without an error handler: the response of `abort(response)`, or the error page.
    pub(crate) fn reply(&self) -> Reply {
        self.reply.clone().unwrap_or_else(|| self.page().into())
    }

    /// Builds the error page in HTML, or the JSON of `abort(404, #{ ... })`.
    pub(crate) fn page(&self) -> Answer {
        let mut answer = match &self.detail {
            Some(_) => Answer::new(self.status(), JSON, format!("{}\n", self.description)),
            None => Answer::html(self.status(), html_page(self.status(), &escape(self.text()))),
        };
        if let Some((name, value)) = &self.header {
            answer.headers.push(((*name).into(), value.clone().into()));
        }
        answer
    }
}

/// Builds a page like Werkzeug's, with the reason phrase of `code`. `text` is HTML already.
pub(crate) fn html_page(code: u16, text: &str) -> String {
    let name = status::reason(code);
    format!("<!doctype html>\n<html lang=en>\n<title>{code} {name}</title>\n<h1>{name}</h1>\n<p>{text}</p>\n")
}

/// Escapes `text` for HTML: a description may contain text that the client sent.
pub(crate) fn escape(text: &str) -> Cow<'_, str> {
    if !text.bytes().any(|byte| matches!(byte, b'&' | b'<' | b'>' | b'"' | b'\'')) {
        return text.into();
    }
    let escaped = text
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&#34;")
        .replace('\'', "&#39;");
    escaped.into()
}

/// Throws the error of `abort(404, "why")`. A map or a list in place of the text becomes the body, as JSON.
fn abort(code: i64, description: &Dynamic) -> Fallible<()> {
    let Some(code @ 400..=599) = u16::try_from(code).ok() else {
        return Err(format!("abort takes an error code (400 to 599), not {code}").into());
    };
    Err(throw(error_of(code, description)?))
}

/// Creates the error for `code`; `description` is a text, a map, a list, or `()` for the standard text.
fn error_of(code: u16, description: &Dynamic) -> Fallible<HttpError> {
    let error = HttpError::new(code);
    if is_map(description) || is_list(description) {
        let json = String::from_utf8_lossy(&json::to_json(description, MAX_TEXT)?).into_owned();
        return Ok(HttpError { description: json, detail: Some(description.clone()), ..error });
    }
    match description.read_lock::<ImmutableString>() {
        Some(text) => Ok(HttpError { description: text.to_string(), ..error }),
        None if description.is_unit() => Ok(error),
        None => {
            let shown = text_of(description, 100);
            Err(format!("the description of an error is text, a map or a list, not {shown}").into())
        }
    }
}

/// Replaces Rhai's own `exit`, which would end the call without an answer.
fn exit() -> Fallible<()> {
    Err("exit() does not end the mock: use `return` in a function, abort(code) for an error".into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<HttpError>("HTTPException")
        .register_optional("abort", Dynamic::UNIT, |code: i64, description: Dynamic| {
            abort(code, &description)
        })
        .register_fn("abort", |other: Dynamic| -> Fallible<()> {
            let shown = text_of(&other, 80);
            Err(format!("abort takes a number (`abort(404)`) or a response, not `{shown}`").into())
        })
        .register_fn("exit", exit)
        .register_fn("exit", |_: Dynamic| exit())
        .register_fn("abort", |response: Response| -> Fallible<()> {
            let reply = response.reply();
            let code = i64::from(reply.answer.status);
            Err(throw(HttpError { code, reply: Some(reply), ..HttpError::new(500) }))
        })
        .register_get("code", |error: &mut HttpError| error.code)
        .register_get("name", |error: &mut HttpError| error.name())
        .register_get("description", |error: &mut HttpError| match &error.detail {
            Some(detail) => detail.clone(),
            None => error.text().into(),
        })
        .register_get("original", |error: &mut HttpError| {
            error.original.clone().map_or(Dynamic::UNIT, Dynamic::from)
        })
        .register_get("original_exception", |error: &mut HttpError| error.thrown.clone().unwrap_or_default())
        .register_get("args", |error: &mut HttpError| error.thrown.clone().into_iter().collect::<Array>())
        .register_fn("to_string", |error: &mut HttpError| text(error))
        .register_fn("get_response", |error: &mut HttpError| Response::from(error.page()));
    classes(natives);
}

/// Returns Python's `str(e)`: the thrown value as text, or `404 Not Found: why`.
fn text(error: &HttpError) -> String {
    match &error.thrown {
        Some(thrown) => text_of(thrown, MAX_TEXT).to_string(),
        None => format!("{} {}: {}", error.code, error.name(), error.text()),
    }
}

/// Registers each class as a value (`app.errorhandler(NotFound, f)`) and as a function (`throw NotFound("why")`).
fn classes(natives: &mut Natives) {
    natives
        .register_type_with_name::<ErrorClass>("class")
        .set_var("Exception", ErrorClass::Exception)
        .set_var("HTTPException", ErrorClass::HttpException);
    for &(code, name, _) in CLASSES {
        natives.set_var(name, ErrorClass::Code(code)).register_optional(
            name,
            Dynamic::UNIT,
            move |description: Dynamic| error_of(code, &description),
        );
    }
}
