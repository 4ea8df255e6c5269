//! `abort`, and what an error handler sees of its error.

use super::response::Response;
use super::status;
use crate::chaos::Reply;
use crate::message::answer::Answer;
use crate::script::runtime::http_error::{HttpError, http_error, throw};
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::Dynamic;
use std::borrow::Cow;

impl HttpError {
    /// Standard name of the code (`Not Found`).
    pub(crate) fn name(&self) -> &'static str {
        status::reason(self.status())
    }

    /// What answers where no error handler does: the response of `abort(response)`, or the page.
    pub(crate) fn reply(&self) -> Reply {
        self.reply.clone().unwrap_or_else(|| self.page().into())
    }

    pub(crate) fn page(&self) -> Answer {
        let mut answer = Answer::html(self.status(), html_page(self.status(), &escape(self.text())));
        if let Some(allow) = &self.allow {
            answer.headers.push(("Allow".into(), allow.clone().into()));
        }
        answer
    }
}

/// A page in the form of Werkzeug's: the reason phrase of `code`, and `text` in HTML.
pub(crate) fn html_page(code: u16, text: &str) -> String {
    let name = status::reason(code);
    format!("<!doctype html>\n<html lang=en>\n<title>{code} {name}</title>\n<h1>{name}</h1>\n<p>{text}</p>\n")
}

/// Text as HTML: descriptions may repeat what a client sent.
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

fn abort(code: i64, description: &str) -> Fallible<()> {
    match u16::try_from(code) {
        Ok(code @ 400..=599) => Err(http_error(code, description)),
        _ => Err(format!("abort takes an error code (400 to 599), not {code}").into()),
    }
}

/// Rhai's own `exit` would end the call without an answer.
fn exit() -> Fallible<()> {
    Err("exit() does not end the mock: use `return` in a function, abort(code) for an error".into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<HttpError>("HTTPException")
        .register_fn("abort", |code: i64| abort(code, ""))
        .register_fn("abort", abort)
        .register_fn("exit", exit)
        .register_fn("exit", |_: Dynamic| exit())
        .register_fn("abort", |response: Response| -> Fallible<()> {
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
        .register_fn("get_response", |error: &mut HttpError| Response::from(error.page()));
}
