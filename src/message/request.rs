//! A request as the mock and the admin interface see it: owned, its body read, its path decoded. Query, cookies, baggage and
//! form are parsed once, when they are first used.

mod forwarded;
pub(crate) mod reception;
pub(crate) mod url;

use crate::message::baggage;
use crate::message::content_coding::{Bounds, Flaw, decode};
use crate::message::cookie;
use crate::message::form::{self, Form, FormError, Indexed};
use crate::message::latin1::readable;
use crate::routing::quoting::decode_path;
use forwarded::Forwarded;
use std::any::Any;
use std::borrow::Cow;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

/// A request whose body has arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Method, target, decoded path (unless it is a part of the target) and header fields, in one piece of memory.
    text: String,
    /// Length of the method; the text begins with it.
    method: usize,
    target: Range<usize>,
    path: Range<usize>,
    query: Range<usize>,
    fields: Vec<Field>,
    /// Body, without its transfer coding, in its content coding.
    pub body: Vec<u8>,
    /// Bytes behind `body` that have arrived since, where the request is handled before its whole body is there.
    pub rest: Option<Arc<AtomicU64>>,
    /// Most bytes that the body may have without its content coding.
    pub max_content: usize,
    /// Address of the client.
    pub remote_addr: Option<SocketAddr>,
    /// Address of the listener, for `request.host` if the client sent no `Host`.
    pub local_addr: Option<SocketAddr>,
    /// Index of the rule that serves the request, set before a view function runs.
    pub rule: Option<usize>,
    /// The epoch in which the request began.
    pub epoch: u64,
    /// The request as trusted proxies received it; `None` without such proxies.
    forwarded: Option<Box<Forwarded>>,
    /// Results of parsing so far.
    parsed: OnceLock<Box<Parsed>>,
}

/// The place of a header field in the text.
#[derive(Debug, Clone, Copy)]
struct Field {
    start: usize,
    /// End of the name and start of the value.
    middle: usize,
    end: usize,
}

/// The head of a request as one text, and the lengths of its parts.
pub struct Head<'r, F> {
    /// Method, target, path, names and values of fields, in a row.
    pub text: &'r str,
    /// Length of the method in bytes.
    pub method: usize,
    pub target: usize,
    /// Length of the path; 0 if the path is a part of the target.
    pub path: usize,
    /// Lengths of the name and the value of each field.
    pub fields: F,
}

/// Results of parsing, empty until they are used: a view that reads none of them costs nothing.
#[derive(Debug, Clone, Default)]
struct Parsed {
    args: OnceLock<Indexed>,
    cookies: OnceLock<Indexed>,
    baggage: OnceLock<Indexed>,
    content: OnceLock<Result<Option<Vec<u8>>, Flaw>>,
    form: OnceLock<Result<Form, FormError>>,
    body: OnceLock<Arc<dyn Any + Send + Sync>>,
}

/// Estimated length of a header field: with this capacity the text seldom grows.
const FIELD: usize = 48;

/// The usual limit of a body without its content coding: that of `--max-body`.
const MAX_CONTENT: usize = 8 << 20;

impl Request {
    /// Makes a request of the parts that a connection delivers. `target` may be in origin form, absolute form
    /// (`http://host/path`, RFC 9112 section 3.2.2), `*` or any other text. The path always starts with `/`, without a fragment.
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
        let (rule, epoch, forwarded, parsed) = (None, 0, None, OnceLock::new());
        let max_content = MAX_CONTENT;
        Self {
            text,
            method,
            target,
            path,
            query,
            fields,
            body,
            rest: None,
            max_content,
            remote_addr,
            local_addr,
            rule,
            epoch,
            forwarded,
            parsed,
        }
    }

    /// Makes a request that was refused before it was complete. `line` is its request line, as far as it came.
    pub(crate) fn refused(line: &str, origin: Option<&str>, peer: SocketAddr) -> Self {
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        let target = rest.split(' ').next().unwrap_or_default();
        let origin = origin.map(|origin| ("Origin", origin));
        Request::from_parts(method, target, origin, Vec::new(), Some(peer), None)
    }

    /// Returns the request without its body.
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

    /// Returns the method as sent (`GET`).
    pub fn method(&self) -> &str {
        &self.text[..self.method]
    }

    /// Returns the request-target as sent (`/a%20b?x=1`).
    pub fn target(&self) -> &str {
        &self.text[self.target.clone()]
    }

    /// Returns the path of the target, percent-decoded. Escapes that stand for no UTF-8 stay (`%FF`).
    pub fn path(&self) -> &str {
        &self.text[self.path.clone()]
    }

    /// Returns the query string as sent, without the `?`.
    pub fn query_string(&self) -> &str {
        &self.text[self.query.clone()]
    }

    /// Returns the header fields as received, in order. In a value, each character is a byte, as in WSGI.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields
            .iter()
            .map(|field| (&self.text[field.start..field.middle], &self.text[field.middle..field.end]))
    }

    /// Returns the values of the header `name`, in any case.
    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers().filter(move |(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns the first value of the header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.values(name).next()
    }

    /// Returns all values of the header `name`, joined; `None` without such a field. WSGI servers pass repeated headers to Flask
    /// with the separator `,`.
    pub fn header_joined(&self, name: &str, separator: &str) -> Option<Cow<'_, str>> {
        let mut values = self.values(name);
        let first = Cow::Borrowed(values.next()?);
        Some(values.fold(first, |joined, value| Cow::Owned(joined.into_owned() + separator + value)))
    }

    /// Returns `Content-Type` as sent.
    pub fn content_type(&self) -> Option<&str> {
        self.header("content-type")
    }

    /// Returns the media type of the body in lower case, without parameters; empty if the client sent none.
    pub fn mimetype(&self) -> String {
        let value = self.content_type().unwrap_or_default();
        value.split([';', ',']).next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Whether the content type is JSON: `application/json` or `application/*+json`.
    pub fn is_json(&self) -> bool {
        let mimetype = self.mimetype();
        mimetype == "application/json"
            || (mimetype.starts_with("application/") && mimetype.ends_with("+json"))
    }

    /// Returns `Content-Length`; `None` if it is missing or invalid, or with a transfer coding.
    pub fn content_length(&self) -> Option<i64> {
        if self.header("transfer-encoding").is_some() {
            return None;
        }
        self.header("content-length")?.trim().parse().ok().filter(|length| *length >= 0)
    }

    /// Returns the query parameters in order.
    pub fn args(&self) -> &Indexed {
        self.parsed().args.get_or_init(|| form::urlencoded(self.query_string().as_bytes()).into())
    }

    /// Returns the cookies in order. Repeated `Cookie` fields count as one (RFC 6265 section 5.4, RFC 9113 section 8.2.3).
    pub fn cookies(&self) -> &Indexed {
        let joined = || self.header_joined("cookie", "; ").unwrap_or_default();
        self.parsed().cookies.get_or_init(|| cookie::parse(&readable(&joined())).into())
    }

    /// Returns the members of the `baggage` header in order.
    pub fn baggage(&self) -> &Indexed {
        self.parsed().baggage.get_or_init(|| baggage::members(self.values("baggage").map(readable)).into())
    }

    /// Returns the body without its content coding; as sent, where h1mock does not know the coding.
    ///
    /// # Errors
    /// The content is longer than `max_content`, or the body is not in its coding.
    pub fn content(&self) -> Result<&[u8], &Flaw> {
        self.content_within(self.max_content, &mut |_| true)
    }

    /// Returns the content as [`content`](Self::content) does. The first call decodes it, to at most `most` bytes and as long as
    /// `go_on` returns true; it gets the work since its last call, as [`Bounds::go_on`] does.
    ///
    /// # Errors
    /// Those of `content`; and the first call was ended.
    pub fn content_within(&self, most: usize, go_on: &mut dyn FnMut(usize) -> bool) -> Result<&[u8], &Flaw> {
        if self.body.is_empty() || self.header("content-encoding").is_none() {
            return Ok(&self.body);
        }
        let decode = || decode(self.values("content-encoding"), &self.body, &mut Bounds { most, go_on });
        match self.parsed().content.get_or_init(decode) {
            Ok(Some(content)) => Ok(content),
            Ok(None) | Err(Flaw::UnknownCoding(_)) => Ok(&self.body),
            Err(flaw) => Err(flaw),
        }
    }

    /// Returns fields and files of a form, for any method; an empty form for other content types.
    ///
    /// # Errors
    /// The body exceeds a limit of [`form`], or can't be decoded.
    pub fn form(&self) -> Result<&Form, &FormError> {
        let parse = || {
            let content = if self.is_form() { self.content() } else { Ok(self.body.as_slice()) };
            let content = content.map_err(|flaw| FormError::Content(flaw.clone()))?;
            form::parse(&readable(self.content_type().unwrap_or_default()), content)
        };
        self.parsed().form.get_or_init(parse).as_ref()
    }

    /// Whether the body is a form; `request.data` is empty then.
    pub fn is_form(&self) -> bool {
        form::is_form(&self.mimetype())
    }

    /// Returns the result of `parse`, which runs once. All callers use the same type.
    pub fn parsed_body<T: Any + Send + Sync>(&self, parse: impl FnOnce() -> T) -> Option<&T> {
        self.parsed().body.get_or_init(|| Arc::new(parse())).downcast_ref()
    }

    fn parsed(&self) -> &Parsed {
        self.parsed.get_or_init(Box::default)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::content_coding::tests::gzip;

    fn with_headers(headers: &[(&str, &str)]) -> Request {
        Request::from_parts("POST", "/", headers.iter().copied(), Vec::new(), None, None)
    }

    #[test]
    fn headers_are_found_in_any_case_and_joined_with_a_comma() {
        let request = with_headers(&[("X-A", "1"), ("Other", "0"), ("x-a", "2")]);
        assert_eq!(request.header("x-A"), Some("1"));
        assert_eq!(request.header_joined("X-a", ",").as_deref(), Some("1,2"));
        assert_eq!(request.header("x_a"), None);
        assert_eq!(request.header_joined("none", ","), None);
    }

    #[test]
    fn the_mimetype_has_no_parameters_and_shows_json() {
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
    fn the_content_length_is_a_valid_number_without_a_transfer_coding() {
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
        assert_eq!(request.parsed_body(|| 3_usize), Some(&3));
        assert_eq!(request.parsed_body(|| panic!("again")), Some(&3_usize));
    }

    #[test]
    fn a_body_is_decoded_once_and_within_the_limit() {
        let packed = |headers: &[(&str, &str)], max_content| Request {
            body: gzip(b"hello"),
            max_content,
            ..with_headers(headers)
        };
        let request = packed(&[("content-ENCODING", "gzip")], 5);
        let mut calls = 0;
        let mut go_on = |_| {
            calls += 1;
            true
        };
        for _ in 0..2 {
            assert_eq!(request.content_within(5, &mut go_on), Ok(b"hello".as_slice()));
        }
        assert_eq!((calls, request.content()), (1, Ok(b"hello".as_slice())));
        let too_small = packed(&[("Content-Encoding", "gzip")], 4);
        assert_eq!(too_small.content(), Err(&Flaw::TooLarge(4)));
        for headers in [&[][..], &[("Content-Encoding", "br")]] {
            let request = packed(headers, 0);
            assert_eq!(request.content(), Ok(request.body.as_slice()), "{headers:?}");
        }
    }

    #[test]
    fn cookie_fields_are_read_as_one() {
        let request = with_headers(&[("Cookie", "a=1"), ("cookie", "b=2; a=3")]);
        let names: Vec<_> = request.cookies().iter().map(|(k, v)| format!("{k}{v}")).collect();
        assert_eq!(names, ["a1", "b2", "a3"]);
    }
}
