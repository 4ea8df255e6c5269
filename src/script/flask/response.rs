//! `make_response`, `Response`, `redirect` and `jsonify`: answers that a script builds step by step, for example
//! `make_response("created").status(201).header("X-A", "b")`.
//!
//! Copies of a response share its content, like references to an object in Python: a function that changes its argument changes
//! the caller's response.

use super::answer;
use super::{cookie, status};
use crate::chaos::Reply;
use crate::message::answer::{Answer, check_bytes, check_count, check_header, check_line};
use crate::message::media_type::with_charset;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::json;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::full_text;
use crate::system::lock::lock;
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, ImmutableString, Map};
use smallvec::{SmallVec, smallvec};
use std::sync::{Arc, Mutex, MutexGuard};

#[derive(Debug, Clone)]
pub(crate) struct Response(Arc<Mutex<Reply>>);

#[derive(Debug, Clone)]
pub(crate) struct ResponseHeaders(Response);

impl ScriptValue for Response {}
impl ScriptValue for ResponseHeaders {}

impl From<Reply> for Response {
    fn from(reply: Reply) -> Self {
        Response(Arc::new(Mutex::new(reply)))
    }
}

impl From<Answer> for Response {
    fn from(answer: Answer) -> Self {
        Reply::from(answer).into()
    }
}

impl Response {
    pub(crate) fn reply(&self) -> Reply {
        self.lock().clone()
    }

    /// Locks the reply. The caller must not run a script while it holds the lock.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Reply> {
        lock(&self.0)
    }

    /// Whether both are the same response, and not only equal.
    pub(super) fn is(&self, other: &Response) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns the bytes of the body. The body of `send_file` is read from the file.
    ///
    /// # Errors
    /// The file can't be read, or the response is a stream.
    pub(super) fn data(&mut self) -> Fallible<Vec<u8>> {
        let reply = self.lock();
        if reply.stream.is_some() {
            return Err("the body of a stream can't be read: its pieces do not exist yet".into());
        }
        if reply.relay.is_some() {
            return Err("the body of this forwarded answer can't be read: it goes on piece by piece; `change: |response| ...` of forward gets whole bodies".into());
        }
        Ok(reply.answer.body.read().map_err(|error| error.to_string())?)
    }

    fn set_header(&self, name: &str, value: &Dynamic) -> Fallible<()> {
        self.set_headers(&[(name.into(), value.clone())])
    }

    pub(super) fn set_headers(&self, pairs: &[(ImmutableString, Dynamic)]) -> Fallible<()> {
        let fields = answer::fields(pairs)?;
        Ok(self.lock().answer.replace_headers(&answer::names(pairs), fields)?)
    }

    fn add_headers(&self, pairs: &[(ImmutableString, Dynamic)]) -> Fallible<()> {
        let fields = answer::fields(pairs)?;
        Ok(self.lock().answer.add_headers(fields)?)
    }

    pub(super) fn set_status(&self, status: &Dynamic) -> Fallible<()> {
        let (code, reason) = answer::status(status)?;
        let answer = &mut self.lock().answer;
        (answer.status, answer.reason) = (code, reason);
        Ok(())
    }

    fn set_body(&self, body: &Dynamic) -> Fallible<()> {
        let body = answer::body(body)?;
        let mut reply = self.lock();
        reply.answer.body = body;
        (reply.stream, reply.relay) = (None, None);
        Ok(())
    }

    fn set_content_type(&self, value: &str) -> Fallible<()> {
        check_header("Content-Type", value)?;
        self.lock().answer.set_header("Content-Type", value.to_owned());
        Ok(())
    }

    /// Sets a header to `text`, or removes it if the text is empty.
    pub(super) fn set_or_remove(&self, header: &str, text: String) -> Fallible<()> {
        check_header(header, &text)?;
        let answer = &mut self.lock().answer;
        if text.is_empty() {
            answer.remove_header(header);
        } else {
            answer.set_header(header, text);
        }
        Ok(())
    }
}

/// Returns the values of one header: one for each item of a list, as in Werkzeug, or the text of any other value.
///
/// `used` counts the bytes of all headers of the answer. Without that limit, a list with 500 references to one long text would
/// become 4 GB.
pub(crate) fn header_values(
    name: &str,
    value: &Dynamic,
    used: &mut usize,
) -> Fallible<SmallVec<[String; 1]>> {
    let mut text = |value: &Dynamic| -> Fallible<String> {
        let text = answer::location(name, full_text(name, value)?);
        check_bytes(used, text.len())?;
        Ok(text)
    };
    let values: SmallVec<[String; 1]> = match as_list(value) {
        Some(items) => items.iter().map(text).collect::<Fallible<_>>()?,
        None => smallvec![text(value)?],
    };
    for value in &values {
        check_header(name, value)?;
        if name.eq_ignore_ascii_case("transfer-encoding") && !value.eq_ignore_ascii_case("chunked") {
            let shown = beginning(value, 80);
            return Err(format!("header `Transfer-Encoding` can only be `chunked`, not `{shown}`: the coding of a body is `Content-Encoding`").into());
        }
    }
    Ok(values)
}

/// Returns the first value of a header, or `()` where it is missing.
fn header(response: &Response, name: &str) -> Dynamic {
    response.lock().answer.header(name).map_or(Dynamic::UNIT, |value| value.into())
}

pub(crate) fn register(natives: &mut Natives) {
    constructors(natives);
    properties(natives);
    chaining(natives);
    headers(natives);
    cookies(natives);
}

/// Returns `second` where it is a map of Flask's named arguments of `Response`. A map with any other key is a map of headers.
fn options(second: &Dynamic) -> Option<Map> {
    let map = as_map(second)?;
    let named = |key: &str| matches!(key, "status" | "headers" | "mimetype" | "content_type");
    let only_named = !map.is_empty() && map.iter().all(|(key, _)| named(key));
    only_named.then(|| map.to_map())
}

fn with_options(body: Dynamic, options: &Map) -> Fallible<Response> {
    let parts = ["status", "headers"].into_iter().filter_map(|key| options.get(key).cloned());
    let response = Response::from(answer::from_tuple([body].into_iter().chain(parts).collect())?);
    if let Some(mimetype) = options.get("mimetype") {
        response.set_content_type(&with_charset(&full_text("mimetype", mimetype)?))?;
    }
    if let Some(content_type) = options.get("content_type") {
        response.set_content_type(&full_text("content_type", content_type)?)?;
    }
    Ok(response)
}

fn constructors(natives: &mut Natives) {
    natives.register_type_with_name::<Response>("Response");
    for name in ["make_response", "Response"] {
        natives
            .register_fn(name, || Response::from(Answer::html(200, "")))
            .register_fn(name, |body: Dynamic| answer::from_value(body).map(Response::from))
            .register_fn(name, |body: Dynamic, second: Dynamic| match options(&second) {
                Some(options) => with_options(body, &options),
                None => answer::from_tuple(vec![body, second]).map(Response::from),
            })
            .register_fn(name, |body: Dynamic, status: Dynamic, headers: Dynamic| {
                answer::from_tuple(vec![body, status, headers]).map(Response::from)
            });
    }
    natives
        .register_fn("jsonify", || jsonify(Dynamic::from(Map::new())))
        .register_fn("jsonify", jsonify)
        .register_fn("jsonify", |value: Dynamic, second: Dynamic| {
            answer::json_of(vec![value, second]).map(Response::from)
        })
        .register_fn("jsonify", |value: Dynamic, second: Dynamic, third: Dynamic| {
            answer::json_of(vec![value, second, third]).map(Response::from)
        })
        .register_optional("redirect", 302, redirect);
}

fn jsonify(value: Dynamic) -> Fallible<Response> {
    Ok(answer::json(&value)?.into())
}

/// `redirect(url, code)`: the default code is 302.
fn redirect(url: &str, code: i64) -> Fallible<Response> {
    check_line("Location", url)?;
    let code = match u16::try_from(code) {
        Ok(code @ (301 | 302 | 303 | 305 | 307 | 308)) => code,
        _ => return Err(format!("redirect takes 301, 302, 303, 305, 307 or 308, not {code}").into()),
    };
    Ok(answer::redirection(code, url).into())
}

fn properties(natives: &mut Natives) {
    natives
        .register_get("status_code", |response: &mut Response| i64::from(response.lock().answer.status))
        // The reason phrase becomes that of the code, as in Werkzeug.
        .register_set("status_code", |response: &mut Response, code: i64| {
            let code = answer::status_code(code)?;
            let answer = &mut response.lock().answer;
            (answer.status, answer.reason) = (code, None);
            Fallible::Ok(())
        })
        .register_get("status", status_line)
        .register_set("status", |response: &mut Response, status: Dynamic| response.set_status(&status))
        .register_get("content_type", |response: &mut Response| header(response, "content-type"))
        .register_set("content_type", |response: &mut Response, value: &str| response.set_content_type(value))
        .register_get("mimetype", mimetype)
        .register_set("mimetype", |response: &mut Response, value: &str| {
            response.set_content_type(&with_charset(value))
        })
        .register_get("data", Response::data)
        .register_set("data", |response: &mut Response, body: Dynamic| response.set_body(&body))
        .register_fn("set_data", |response: &mut Response, body: Dynamic| response.set_body(&body))
        .register_fn("get_data", Response::data)
        .register_get("text", |response: &mut Response| {
            let text = String::from_utf8(response.data()?);
            Fallible::Ok(text.unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
        })
        .register_fn("get_json", |response: &mut Response| -> Fallible<Dynamic> {
            Ok(json::from_json(&response.data()?).map_err(|error| error.to_string())?)
        })
        .register_get("content_length", |response: &mut Response| {
            let reply = response.lock();
            let length = || i64::try_from(reply.answer.body.len()).unwrap_or(i64::MAX).into();
            if reply.is_streamed() { Dynamic::UNIT } else { length() }
        })
        .register_get("is_streamed", |response: &mut Response| response.lock().is_streamed())
        .register_get("is_json", |response: &mut Response| mimetype(response) == "application/json");
}

fn status_line(response: &mut Response) -> String {
    let answer = &response.lock().answer;
    let reason = answer.reason.clone().unwrap_or_else(|| status::reason(answer.status).to_uppercase());
    format!("{} {reason}", answer.status)
}

fn mimetype(response: &mut Response) -> String {
    let answer = &response.lock().answer;
    let value = answer.header("content-type").unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Registers `status`, `header`, `mimetype`, `body` and `compress`. Each returns the response, so that calls can be chained.
fn chaining(natives: &mut Natives) {
    natives
        .register_fn("status", |response: &mut Response, status: Dynamic| {
            response.set_status(&status).map(|()| response.clone())
        })
        .register_fn("header", |response: &mut Response, name: &str, value: Dynamic| {
            response.set_header(name, &value).map(|()| response.clone())
        })
        .register_fn("mimetype", |response: &mut Response, value: &str| {
            response.set_content_type(&with_charset(value)).map(|()| response.clone())
        })
        .register_fn("body", |response: &mut Response, body: Dynamic| {
            response.set_body(&body).map(|()| response.clone())
        })
        // The answer is compressed once it is complete, so that later functions see and change the body as it is.
        .register_fn("compress", |response: &mut Response| {
            response.lock().compress = true;
            response.clone()
        });
}

fn set_field(headers: &mut ResponseHeaders, name: &str, value: Dynamic) -> Fallible<()> {
    headers.0.set_header(name, &value)
}

fn headers(natives: &mut Natives) {
    natives
        .register_type_with_name::<ResponseHeaders>("Headers")
        .register_get("headers", |response: &mut Response| ResponseHeaders(response.clone()))
        .register_set("headers", |response: &mut Response, all: Dynamic| {
            // After `r.headers["a"] = b` Rhai assigns the headers of `r` to `r.headers` again.
            if let Some(other) = all.read_lock::<ResponseHeaders>() {
                if !other.0.is(response) {
                    let copied = other.0.lock().answer.headers.clone();
                    response.lock().answer.headers = copied;
                }
                return Ok(());
            }
            let all = answer::fields(&answer::header_pairs(&all)?)?;
            check_count(all.len())?;
            response.lock().answer.headers = all;
            Ok(())
        })
        .register_indexer_get(|headers: &mut ResponseHeaders, name: &str| header(&headers.0, name))
        .register_indexer_set(set_field)
        .register_fn("set", set_field)
        .register_fn("add", |headers: &mut ResponseHeaders, name: &str, value: Dynamic| {
            headers.0.add_headers(&[(name.into(), value)])
        })
        .register_fn("update", |headers: &mut ResponseHeaders, all: Dynamic| {
            headers.0.set_headers(&answer::last_of_each(answer::header_pairs(&all)?))
        })
        .register_fn("extend", |headers: &mut ResponseHeaders, all: Dynamic| {
            headers.0.add_headers(&answer::header_pairs(&all)?)
        })
        .register_fn("setdefault", |headers: &mut ResponseHeaders, name: &str, value: Dynamic| {
            if header(&headers.0, name).is_unit() {
                headers.0.set_header(name, &value)?;
            }
            Fallible::Ok(header(&headers.0, name))
        })
        .register_optional(
            "get",
            Dynamic::UNIT,
            |headers: &mut ResponseHeaders, name: &str, default: Dynamic| {
                or(header(&headers.0, name), default)
            },
        )
        .register_fn("getlist", |headers: &mut ResponseHeaders, name: &str| values(&headers.0, name))
        .register_fn("remove", |headers: &mut ResponseHeaders, name: &str| {
            headers.0.lock().answer.remove_header(name)
        })
        .register_fn("contains", |headers: &mut ResponseHeaders, name: &str| {
            headers.0.lock().answer.header(name).is_some()
        })
        .register_optional(
            "pop",
            Dynamic::UNIT,
            |headers: &mut ResponseHeaders, name: &str, default: Dynamic| {
                let found = header(&headers.0, name);
                headers.0.lock().answer.remove_header(name);
                or(found, default)
            },
        )
        .register_fn("clear", |headers: &mut ResponseHeaders| headers.0.lock().answer.headers.clear())
        .register_fn("keys", |headers: &mut ResponseHeaders| list(&headers.0, |name, _| name.into()))
        .register_fn("values", |headers: &mut ResponseHeaders| list(&headers.0, |_, value| value.into()))
        .register_fn("items", |headers: &mut ResponseHeaders| {
            list(&headers.0, |name, value| Dynamic::from(Array::from([name.into(), value.into()])))
        });
}

/// Calls `item` with each header in the order in which they are sent, and returns the results.
fn list(response: &Response, item: impl Fn(&str, &str) -> Dynamic) -> Array {
    response.lock().answer.headers.iter().map(|(name, value)| item(name, value)).collect()
}

fn or(found: Dynamic, default: Dynamic) -> Dynamic {
    if found.is_unit() { default } else { found }
}

fn values(response: &Response, name: &str) -> Array {
    let answer = &response.lock().answer;
    let same = answer.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    same.map(|(_, value)| (&**value).into()).collect()
}

fn cookies(natives: &mut Natives) {
    let set = |response: &mut Response, name: &str, value: &str, options: Map| -> Fallible<()> {
        let line = cookie::set_cookie(name, value, &options)?;
        check_header("Set-Cookie", &line)?;
        Ok(response.lock().answer.add_headers(vec![("Set-Cookie".into(), line.into())])?)
    };
    natives.register_optional("set_cookie", Map::new(), set).register_optional(
        "delete_cookie",
        Map::new(),
        move |response: &mut Response, name: &str, options: Map| {
            set(response, name, "", cookie::expired(options))
        },
    );
}
