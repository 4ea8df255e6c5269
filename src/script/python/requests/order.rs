//! The arguments of `requests.get(url, options)` -> a request that can be sent.

use crate::http_client::Url;
use crate::message::answer::check_header;
use crate::script::python::base64::PLAIN;
use crate::script::python::urllib::query_of;
use crate::script::runtime::analysis::near::nearest;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::json::{Style, to_text};
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::request_error::{Class, RequestError};
use crate::script::runtime::server_url::server_url;
use crate::script::runtime::size_limits::{fits, full_text, text_of, type_name};
use crate::system::truncate::beginning;
use base64::Engine as _;
use rhai::{Dynamic, Map, NativeCallContext};
use std::time::Duration;

const OPTIONS: [&str; 8] =
    ["params", "headers", "json", "data", "timeout", "auth", "cookies", "allow_redirects"];
/// The default of `timeout`.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Header fields that say how the body and the connection end. They are this client's own, so that a script can pass
/// `request.headers` on.
const OWN: [&str; 5] = ["Connection", "Content-Length", "Transfer-Encoding", "Keep-Alive", "Upgrade"];
const FORM: &str = "application/x-www-form-urlencoded";

/// A request of a script.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub method: String,
    pub url: Url,
    /// Fields in place of those of the client; `None` leaves one out.
    pub headers: Vec<(String, Option<String>)>,
    pub body: Option<Vec<u8>>,
    pub timeout: Duration,
    /// Whether redirects are followed.
    pub follows: bool,
}

impl Order {
    pub(super) fn parse(
        context: &NativeCallContext,
        method: &str,
        url: &str,
        options: &Map,
    ) -> Fallible<Order> {
        let method = method_of(method)?;
        let parsed = server_url(url);
        let url = parsed.map_err(|why| RequestError::new(Class::InvalidUrl, url, why).throw())?;
        let follows = method != "HEAD";
        let body = (!matches!(&*method, "GET" | "HEAD")).then(Vec::new);
        let mut order = Order { method, url, headers: Vec::new(), body, timeout: TIMEOUT, follows };
        if let Some(headers) = options.get("headers") {
            order.headers = headers_of(headers)?;
        }
        // `()` is Python's None: as if the option were left out.
        for (name, value) in options.iter().filter(|(_, value)| !value.is_unit()) {
            match name.as_str() {
                "headers" => {}
                "params" => order.add_params(context, value)?,
                "json" if options.get("data").is_some_and(|data| !data.is_unit()) => {
                    return Err("a request has either `json` or `data`, not both".into());
                }
                "json" => {
                    let json = to_text(value, &Style::python())
                        .map_err(|why| format!("option `json` of requests: {why}"))?;
                    order.set_body(json.as_bytes().to_vec(), Some("application/json"));
                }
                "data" => order.set_data(context, value)?,
                "timeout" => order.timeout = timeout_of(value)?,
                "auth" => {
                    let credentials = credentials(value)?;
                    order.set("Authorization", credentials);
                }
                "cookies" => {
                    let cookies = cookies_of(value)?;
                    order.set("Cookie", cookies);
                }
                "allow_redirects" => {
                    let given = type_name(value);
                    order.follows = value.as_bool().map_err(|_| {
                        format!("option `allow_redirects` of requests is true or false, not {given}")
                    })?;
                }
                name => return Err(unknown(name).into()),
            }
        }
        Ok(order)
    }

    /// Whether the script gave the header field `name`.
    fn given(&self, name: &str) -> bool {
        self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name))
    }

    pub(super) fn drop_header(&mut self, name: &str) {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    }

    fn set(&mut self, name: &str, value: String) {
        self.drop_header(name);
        self.headers.push((name.to_owned(), Some(value)));
    }

    fn set_body(&mut self, body: Vec<u8>, kind: Option<&str>) {
        self.body = Some(body);
        if let Some(kind) = kind.filter(|_| !self.given("Content-Type")) {
            self.set("Content-Type", kind.to_owned());
        }
    }

    fn add_params(&mut self, context: &NativeCallContext, value: &Dynamic) -> Fallible<()> {
        let query = match value.as_immutable_string_ref() {
            Ok(text) => Some(text.clone()),
            Err(_) => query_of(context, "option `params` of requests", value)?,
        };
        let Some(query) = query else {
            let given = type_name(value);
            return Err(format!(
                "option `params` of requests is a map, a list of pairs or a text, not {given}"
            )
            .into());
        };
        if !query.is_empty() {
            let mark = if self.url.target.contains('?') { '&' } else { '?' };
            let query = crate::http_client::url::encoded(&query);
            self.url = self.url.with_target(format!("{}{mark}{query}", self.url.target));
        }
        Ok(())
    }

    /// Sets the body: a form for a map or a list of pairs; a text and a blob are the body itself.
    fn set_data(&mut self, context: &NativeCallContext, value: &Dynamic) -> Fallible<()> {
        let name = "option `data` of requests";
        if let Ok(text) = value.as_immutable_string_ref() {
            fits(name, text.len())?;
            self.set_body(text.as_bytes().to_vec(), None);
        } else if let Ok(blob) = value.as_blob_ref() {
            fits(name, blob.len())?;
            self.set_body(blob.to_vec(), None);
        } else if let Some(form) = query_of(context, name, value)? {
            self.set_body(form.as_bytes().to_vec(), Some(FORM));
        } else {
            let given = type_name(value);
            return Err(format!("{name} is a map, a list of pairs, a text or a blob, not {given}").into());
        }
        Ok(())
    }
}

fn unknown(name: &str) -> String {
    let meant = match name {
        "body" | "form" => Some("data"),
        "query" => Some("params"),
        _ => nearest(name, OPTIONS),
    };
    let meant = meant.map(|meant| format!(", did you mean `{meant}`?")).unwrap_or_default();
    let name = beginning(name, 80);
    format!("requests has no option `{name}`: it takes {}{meant}", OPTIONS.join(", "))
}

/// Returns the method in capitals, as Python's library sends it.
fn method_of(method: &str) -> Fallible<String> {
    let known = |letter: u8| letter.is_ascii_alphabetic() || letter == b'-';
    if method.is_empty() || method.len() > 32 || !method.bytes().all(known) {
        let shown = beginning(method, 40).escape_debug().to_string();
        return Err(format!("requests.request takes a method such as `GET`, not `{shown}`").into());
    }
    let method = method.to_ascii_uppercase();
    match &*method {
        "CONNECT" => Err("requests.request has no method `CONNECT`: h1mock asks servers, no proxies".into()),
        _ => Ok(method),
    }
}

fn headers_of(value: &Dynamic) -> Fallible<Vec<(String, Option<String>)>> {
    if value.is_unit() {
        return Ok(Vec::new());
    }
    let Some(map) = as_map(value) else {
        let given = type_name(value);
        return Err(format!("option `headers` of requests is a map, as in `#{{ \"X-A\": \"b\" }}`, not {given}: of `request.headers` take `request.headers.to_dict()`").into());
    };
    let mut fields = Vec::new();
    for (name, value) in map.iter() {
        let value = if value.is_unit() { None } else { Some(full_text(name, value)?) };
        check_header(name, value.as_deref().unwrap_or_default())?;
        if !OWN.iter().any(|own| own.eq_ignore_ascii_case(name)) {
            fields.push((name.to_owned(), value));
        }
    }
    Ok(fields)
}

fn timeout_of(value: &Dynamic) -> Fallible<Duration> {
    let number = value.as_float().or_else(|_| value.as_int().map(|seconds| seconds as f64));
    let time = number.ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.filter(|time| !time.is_zero()).ok_or_else(|| {
        let given = if number.is_ok() { text_of(value, 40).to_string() } else { type_name(value).to_owned() };
        format!("option `timeout` of requests is a number of seconds above 0, not {given}").into()
    })
}

/// Returns the value of `Authorization` for `["user", "password"]` (RFC 7617).
fn credentials(value: &Dynamic) -> Fallible<String> {
    let pair = as_list(value);
    let texts = pair.as_ref().and_then(|pair| pair.pair()).and_then(|(user, password)| {
        let (user, password) =
            (user.as_immutable_string_ref().ok()?, password.as_immutable_string_ref().ok()?);
        Some(format!("{}:{}", *user, *password))
    });
    let texts =
        texts.ok_or("option `auth` of requests is a list of two texts: `[\"user\", \"password\"]`")?;
    fits("option `auth` of requests", texts.len())?;
    Ok(format!("Basic {}", PLAIN.encode(texts)))
}

/// Returns the value of `Cookie` for a map.
fn cookies_of(value: &Dynamic) -> Fallible<String> {
    let Some(map) = as_map(value) else {
        let given = type_name(value);
        return Err(format!(
            "option `cookies` of requests is a map, as in `#{{ session: \"7\" }}`, not {given}"
        )
        .into());
    };
    let mut pairs = Vec::new();
    for (name, value) in map.iter().filter(|(_, value)| !value.is_unit()) {
        let value = full_text(name, value)?;
        check_header(name, &value)?;
        pairs.push(format!("{name}={value}"));
    }
    Ok(pairs.join("; "))
}
