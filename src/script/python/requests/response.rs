//! The response of `requests.*`, as scripts see it.

use crate::http_client::Reply;
use crate::script::runtime::datetime::TimeDelta;
use crate::script::runtime::json::from_json;
use crate::script::runtime::multi_dict::Headers;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::request_error::{Class, RequestError};
use crate::script::runtime::size_limits::fits;
use rhai::{Blob, Dynamic, ImmutableString};
use std::sync::Arc;
use std::time::Duration;

/// A response of another server. Copies share its bytes.
#[derive(Debug, Clone)]
pub(super) struct Response {
    pub status: u16,
    reason: ImmutableString,
    /// The URL that answered, after redirects.
    url: ImmutableString,
    headers: Arc<[(String, String)]>,
    content: Arc<Vec<u8>>,
    /// From the look-up of the name to the last byte.
    elapsed: Duration,
}

impl ScriptValue for Response {}

impl Response {
    pub(super) fn new(url: String, reply: Reply, elapsed: Duration) -> Response {
        Response {
            status: reply.status,
            reason: reply.reason.into(),
            url: url.into(),
            headers: reply.headers.into(),
            content: Arc::new(reply.body),
            elapsed,
        }
    }

    /// Returns the value of `Location` of a redirect.
    pub(super) fn location(&self) -> Option<&str> {
        let is_redirect = matches!(self.status, 301 | 302 | 303 | 307 | 308);
        self.header("Location").filter(|_| is_redirect)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.headers.iter();
        fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Returns the body as text: UTF-8, or ISO 8859-1 where the `Content-Type` says so.
    fn text(&self) -> Fallible<String> {
        let kind = self.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
        let charset = kind.split_once("charset=").map(|(_, charset)| charset.trim_matches(['"', ' ', ';']));
        let is_latin = matches!(charset, Some("iso-8859-1" | "latin-1" | "latin1"));
        if is_latin {
            fits("response.text", self.content.len() * 2)?;
            return Ok(self.content.iter().map(|byte| char::from(*byte)).collect());
        }
        // U+FFFD, in place of a byte that is no UTF-8, has three bytes.
        let most = if std::str::from_utf8(&self.content).is_ok() { 1 } else { 3 };
        fits("response.text", self.content.len() * most)?;
        Ok(String::from_utf8_lossy(&self.content).into_owned())
    }

    fn json(&self) -> Fallible<Dynamic> {
        from_json(&self.content).map_err(|why| {
            let why = format!("the answer of `{}` is no JSON: {why}", self.url);
            RequestError::new(Class::JsonDecodeError, &self.url, why).throw()
        })
    }

    /// Throws an error for a status from 400 on, in the words of Python's library.
    fn raise_for_status(&self) -> Fallible<()> {
        let who = match self.status {
            400..=499 => "Client",
            500..=599 => "Server",
            _ => return Ok(()),
        };
        let why = format!("{} {who} Error: {} for url: {}", self.status, self.reason, self.url);
        let error = RequestError::new(Class::HttpError, &self.url, why);
        Err(RequestError { response: Dynamic::from(self.clone()), ..error }.throw())
    }
}

pub(super) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<Response>("requests.Response")
        .register_get("status_code", |response: &mut Response| i64::from(response.status))
        .register_get("reason", |response: &mut Response| response.reason.clone())
        .register_get("url", |response: &mut Response| response.url.clone())
        .register_get("ok", |response: &mut Response| response.status < 400)
        .register_get("headers", |response: &mut Response| {
            Dynamic::from(Headers::Response(response.headers.clone()))
        })
        .register_get("content", |response: &mut Response| -> Fallible<Blob> {
            fits("response.content", response.content.len())?;
            Ok(response.content.to_vec())
        })
        .register_get("text", |response: &mut Response| response.text())
        .register_get("elapsed", |response: &mut Response| {
            let micros = i128::try_from(response.elapsed.as_micros()).unwrap_or(0);
            TimeDelta::new(micros).map_or(Dynamic::UNIT, Dynamic::from)
        })
        .register_fn("json", |response: &mut Response| response.json())
        .register_fn("raise_for_status", |response: &mut Response| response.raise_for_status())
        .register_fn("to_string", |response: &mut Response| format!("<Response [{}]>", response.status))
        .register_fn("to_debug", |response: &mut Response| format!("<Response [{}]>", response.status));
}
