//! `abort` and the errors that carry an HTTP status through a script.

use super::response::Response;
use super::status;
use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::script::runtime::natives::Natives;
use rhai::{Dynamic, EvalAltResult, Position};
use std::borrow::Cow;

/// What `abort(code, description)` throws, what a missing `args["x"]` is, and what an error handler gets as `e`.
#[derive(Debug, Clone)]
pub struct HttpError {
    /// Status code.
    pub code: i64,
    /// Why, for the body and the error handler (`e.description`); the standard text where empty.
    pub description: String,
    /// `abort(response)`: the response itself.
    pub reply: Option<Reply>,
    /// Methods for `Allow`, of a 405.
    pub allow: Option<String>,
    /// The script error behind a 500 (`e.original`).
    pub original: Option<String>,
}

impl HttpError {
    /// An error with the standard description of `code`.
    pub fn new(code: u16) -> HttpError {
        HttpError {
            code: i64::from(code),
            description: String::new(),
            reply: None,
            allow: None,
            original: None,
        }
    }

    /// The status code; an `abort` checks it.
    pub fn status(&self) -> u16 {
        u16::try_from(self.code).unwrap_or(500)
    }

    /// Standard name of the code (`Not Found`).
    pub fn name(&self) -> &'static str {
        status::reason(self.status())
    }

    /// The description, or the standard one.
    pub fn text(&self) -> &str {
        if self.description.is_empty() { description(self.status()) } else { &self.description }
    }

    /// What answers where no error handler does: the response of `abort(response)`, or the page.
    pub fn reply(&self) -> Reply {
        self.reply.clone().unwrap_or_else(|| self.page().into())
    }

    /// A page in the form of Werkzeug's.
    pub fn page(&self) -> Answer {
        let (code, name) = (self.status(), self.name());
        let text = escape(self.text());
        let page = format!(
            "<!doctype html>\n<html lang=en>\n<title>{code} {name}</title>\n<h1>{name}</h1>\n<p>{text}</p>\n"
        );
        let mut answer = Answer::html(code, page);
        if let Some(allow) = &self.allow {
            answer.headers.push(("Allow".into(), allow.clone().into()));
        }
        answer
    }
}

/// Text as HTML: descriptions may repeat what a client sent.
pub fn escape(text: &str) -> Cow<'_, str> {
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

/// An error that ends the view function with `code`.
pub fn http_error(code: u16, description: impl Into<String>) -> Box<EvalAltResult> {
    throw(HttpError { description: description.into(), ..HttpError::new(code) })
}

fn throw(error: HttpError) -> Box<EvalAltResult> {
    EvalAltResult::ErrorRuntime(Dynamic::from(error), Position::NONE).into()
}

/// The HTTP error inside `error`, however deep in calls and imports it was thrown.
pub fn find(error: &EvalAltResult) -> Option<HttpError> {
    match error {
        EvalAltResult::ErrorRuntime(thrown, _) => thrown.read_lock::<HttpError>().map(|found| found.clone()),
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _) | EvalAltResult::ErrorInModule(_, inner, _) => {
            find(inner)
        }
        _ => None,
    }
}

fn abort(code: i64, description: &str) -> Result<(), Box<EvalAltResult>> {
    match u16::try_from(code) {
        Ok(code @ 400..=599) => Err(http_error(code, description)),
        _ => Err(format!("abort takes an error code (400 to 599), not {code}").into()),
    }
}

/// Rhai's own `exit` would end the call without an answer.
fn exit() -> Result<(), Box<EvalAltResult>> {
    Err("exit() does not end the mock: use `return` in a function, abort(code) for an error".into())
}

/// What the standard codes mean, where `abort` gave no description.
fn description(code: u16) -> &'static str {
    match code {
        400 => "The server could not understand the request.",
        401 => "The credentials for this URL are missing or wrong.",
        403 => "Access to this URL is not allowed.",
        404 => "The requested URL was not found on this server.",
        405 => "The method is not allowed for the requested URL.",
        406 => "None of the accepted media types can be served.",
        408 => "The request took too long to arrive.",
        409 => "The request conflicts with the state of the resource.",
        410 => "The requested URL is gone for good.",
        412 => "A precondition of the request does not hold.",
        413 => "The body of the request is too large.",
        415 => "The media type of the body is not supported.",
        422 => "The request is well formed but can't be processed.",
        429 => "Too many requests.",
        500 => "The server failed while it handled the request.",
        501 => "The server does not support the method.",
        502 => "The server got a wrong answer from another one.",
        503 => "The server can't handle the request at present.",
        504 => "Another server did not answer in time.",
        _ => "The request failed.",
    }
}

/// Registers `abort` and what an error handler sees of its error.
pub fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<HttpError>("HTTPException")
        .register_fn("abort", |code: i64| abort(code, ""))
        .register_fn("abort", abort)
        .register_fn("exit", exit)
        .register_fn("exit", |_: Dynamic| exit())
        .register_fn("abort", |response: Response| -> Result<(), Box<EvalAltResult>> {
            let reply = response.reply();
            let code = i64::from(reply.answer.status);
            Err(throw(HttpError { code, reply: Some(reply), ..HttpError::new(500) }))
        })
        .register_get("code", |error: &mut HttpError| error.code)
        .register_get("name", |error: &mut HttpError| error.name())
        .register_get("description", |error: &mut HttpError| error.text().to_owned())
        .register_get("original", |error: &mut HttpError| {
            error.original.clone().map_or(Dynamic::UNIT, Dynamic::from)
        })
        .register_fn("get_response", |error: &mut HttpError| Response::from(error.reply()));
}
