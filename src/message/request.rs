//! One request as the mock and the admin interface see it: owned, its body read, its path decoded. What has to be
//! parsed is parsed when it is first asked for, once. Knows no connections and no engine under them.

pub(crate) mod url;

use crate::message::baggage;
use crate::message::cookie;
use crate::message::form::{self, Form, FormError, Indexed};
use crate::routing::quoting::decode_path;
use std::any::Any;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

/// A request whose body has arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Method, target, decoded path where the target does not have it, header fields: one piece of memory for all.
    text: String,
    /// Length of the method, with which the text begins.
    method: usize,
    target: Range<usize>,
    path: Range<usize>,
    query: Range<usize>,
    fields: Vec<Field>,
    /// Body, decoded from its transfer coding.
    pub body: Vec<u8>,
    /// Address of the client.
    pub remote_addr: Option<SocketAddr>,
    /// Address of the listener that took it, for `request.host` where no `Host` was sent.
    pub local_addr: Option<SocketAddr>,
    /// Index of the rule that serves it, set before a view function runs.
    pub rule: Option<usize>,
    /// The epoch that it began in.
    pub epoch: u64,
    /// What was parsed so far.
    parsed: OnceLock<Box<Parsed>>,
}

/// Where a header field stands in the text.
#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    /// End of the name and start of the value.
    middle: usize,
    end: usize,
}

/// A request's head as one text, and the lengths of what it consists of.
pub struct Head<'r, F> {
    /// Method, target, path, names and values of fields, one behind the other.
    pub text: &'r str,
    /// The method has so many bytes.
    pub method: usize,
    pub target: usize,
    /// The path, where the target does not have it.
    pub path: usize,
    /// The name and the value of each field.
    pub fields: F,
}

/// Results of parsing, empty until they are asked for: a request that reads nothing pays nothing.
#[derive(Debug, Clone, Default)]
struct Parsed {
    args: OnceLock<Indexed>,
    cookies: OnceLock<Indexed>,
    baggage: OnceLock<Indexed>,
    form: OnceLock<Result<Form, FormError>>,
    body: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// What a header field takes by estimate, so that the text seldom grows.
const FIELD: usize = 48;

impl Request {
    /// A request from what a connection delivers. Any `target` is taken: origin form, absolute form
    /// (`http://host/path`, RFC 9112 section 3.2.2), `*` or garbage; the path always starts with `/`, a fragment is cut off.
    pub fn from_parts(
        method: &str,
        target: &str,
        headers: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
        body: Vec<u8>,
        remote_addr: Option<SocketAddr>,
        local_addr: Option<SocketAddr>,
    ) -> Self {
        let headers = headers.into_iter();
        let count = headers.size_hint().0;
        let mut text = String::with_capacity(method.len() + target.len() + count * FIELD);
        text.push_str(method);
        text.push_str(target);
        let start = method.len();
        let within = |part: Range<usize>| start + part.start..start + part.end;
        let parts = url::places(target);
        let path = match decode_path(&target[parts.path.clone()]) {
            Cow::Borrowed(path) if path.starts_with('/') => within(parts.path),
            path => {
                let start = text.len();
                if !path.starts_with('/') {
                    text.push('/');
                }
                text.push_str(&path);
                start..text.len()
            }
        };
        let mut fields = Vec::with_capacity(count);
        for (name, value) in headers {
            let start = text.len();
            text.push_str(name.as_ref());
            let middle = text.len();
            text.push_str(value.as_ref());
            fields.push(Field { start, middle, end: text.len() });
        }
        let (method, target, query) = (start, within(0..target.len()), within(parts.query));
        let (rule, epoch, parsed) = (None, 0, OnceLock::new());
        Self { text, method, target, path, query, fields, body, remote_addr, local_addr, rule, epoch, parsed }
    }

    /// All that came of it but the body.
    pub fn head(&self) -> Head<'_, impl Iterator<Item = (usize, usize)>> {
        let begin = self.fields.first().map_or(self.text.len(), |field| field.start);
        Head {
            text: &self.text,
            method: self.method,
            target: self.target.len(),
            path: begin - self.target.end,
            fields: self.fields.iter().map(|field| (field.middle - field.start, field.end - field.middle)),
        }
    }

    /// Method as sent (`GET`).
    pub fn method(&self) -> &str {
        &self.text[..self.method]
    }

    /// Request-target as sent (`/a%20b?x=1`).
    pub fn target(&self) -> &str {
        &self.text[self.target.clone()]
    }

    /// Path of the target, percent-decoded, invalid UTF-8 replaced.
    pub fn path(&self) -> &str {
        &self.text[self.path.clone()]
    }

    /// Query string as sent, without the `?`.
    pub fn query_string(&self) -> &str {
        &self.text[self.query.clone()]
    }

    /// Header fields as received, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|field| (&self.text[field.start..field.middle], &self.text[field.middle..field.end]))
    }

    /// Values of the header `name`, in any case.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// First value of the header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// All values of the header `name` joined with `,`, as WSGI servers hand repeated headers to Flask.
    pub fn header_joined(&self, name: &str) -> Option<Cow<'_, str>> {
        self.joined(name, ",")
    }

    /// All values of the header `name`, joined; none where there is no such field.
    fn joined(&self, name: &str, separator: &str) -> Option<Cow<'_, str>> {
        let mut values = self.values(name);
        let first = Cow::Borrowed(values.next()?);
        Some(values.fold(first, |joined, value| Cow::Owned(joined.into_owned() + separator + value)))
    }

    /// `Content-Type` as sent.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// Media type of the body in lower case without parameters; empty where none was sent.
    pub fn mimetype(&self) -> String {
        let value = self.content_type().unwrap_or_default();
        value.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the body claims to be JSON: `application/json` or `application/*+json`.
    pub fn is_json(&self) -> bool {
        let mimetype = self.mimetype();
        mimetype == "application/json"
            || (mimetype.starts_with("application/") && mimetype.ends_with("+json"))
    }

    /// Bytes of the body as `Content-Length` tells; none without one, with an invalid one, or with a transfer coding.
    pub fn content_length(&self) -> Option<i64> {
        if self.header("transfer-encoding").is_some() {
            return None;
        }
        self.header("content-length")?.trim().parse().ok().filter(|length| *length >= 0)
    }

    /// Query parameters in order.
    pub fn args(&self) -> &Indexed {
        self.parsed().args.get_or_init(|| form::urlencoded(self.query_string().as_bytes()).into())
    }

    /// Cookies in order; repeated `Cookie` fields count as one (RFC 6265 section 5.4, RFC 9113 section 8.2.3).
    pub fn cookies(&self) -> &Indexed {
        self.parsed()
            .cookies
            .get_or_init(|| cookie::parse(&self.joined("cookie", "; ").unwrap_or_default()).into())
    }

    /// Members of the `baggage` header in order.
    pub fn baggage(&self) -> &Indexed {
        self.parsed().baggage.get_or_init(|| baggage::members(self.values("baggage")).into())
    }

    /// Fields and files of a form, empty for any other content type, whatever the method.
    ///
    /// # Errors
    /// More parts, or longer part headers, than the limits of [`form`] allow.
    pub fn form(&self) -> Result<&Form, &FormError> {
        let parse = || form::parse(self.content_type().unwrap_or_default(), &self.body);
        self.parsed().form.get_or_init(parse).as_ref()
    }

    /// Whether the body is a form, so that `request.data` is empty.
    pub fn is_form(&self) -> bool {
        form::is_form(&self.mimetype())
    }

    /// The body as `parse` reads it. `parse` runs once; all callers ask for the same type.
    pub fn parsed_body<T: Any + Send + Sync>(&self, parse: impl FnOnce(&[u8]) -> T) -> Option<&T> {
        self.parsed().body.get_or_init(|| Arc::new(parse(&self.body))).downcast_ref()
    }

    fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(Box::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_headers(headers: &[(&str, &str)]) -> Request {
        Request::from_parts("POST", "/", headers.iter().copied(), Vec::new(), None, None)
    }

    #[test]
    fn headers_are_found_in_any_case_and_joined_with_a_comma() {
        let request = with_headers(&[("X-A", "1"), ("Other", "0"), ("x-a", "2")]);
        assert_eq!(request.header("x-A"), Some("1"));
        assert_eq!(request.header_joined("X-a").as_deref(), Some("1,2"));
        assert_eq!(request.header("x_a"), None);
        assert_eq!(request.header_joined("none"), None);
    }

    #[test]
    fn the_mimetype_has_no_parameters_and_tells_json() {
        let cases = [
            ("Application/JSON; charset=utf-8", "application/json", true),
            ("application/problem+json", "application/problem+json", true),
            ("text/json", "text/json", false),
            ("text/x+json", "text/x+json", false),
            ("application/json5", "application/json5", false),
            ("", "", false),
        ];
        for (sent, mimetype, json) in cases {
            let request = with_headers(&[("content-type", sent)]);
            assert_eq!((request.mimetype().as_str(), request.is_json()), (mimetype, json), "{sent}");
        }
        assert_eq!(Request::default().mimetype(), "");
    }

    #[test]
    fn the_content_length_is_a_number_that_was_sent_and_counts() {
        type Case = (&'static [(&'static str, &'static str)], Option<i64>);
        let cases: [Case; 5] = [
            (&[("Content-Length", " 12 ")], Some(12)),
            (&[("Content-Length", "-1")], None),
            (&[("Content-Length", "x")], None),
            (&[("Content-Length", "5"), ("Transfer-Encoding", "chunked")], None),
            (&[], None),
        ];
        for (headers, expected) in cases {
            assert_eq!(with_headers(headers).content_length(), expected, "{headers:?}");
        }
    }

    #[test]
    fn a_body_is_parsed_once() {
        let request = Request { body: b"[1]".to_vec(), ..Request::default() };
        assert_eq!(request.parsed_body(<[u8]>::len), Some(&3));
        assert_eq!(request.parsed_body(|_| panic!("again")), Some(&3_usize));
    }

    #[test]
    fn cookie_fields_are_read_as_one() {
        let request = with_headers(&[("Cookie", "a=1"), ("cookie", "b=2; a=3")]);
        let names: Vec<_> = request.cookies().iter().map(|(k, v)| format!("{k}{v}")).collect();
        assert_eq!(names, ["a1", "b2", "a3"]);
    }
}
