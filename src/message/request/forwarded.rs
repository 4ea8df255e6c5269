//! `X-Forwarded-*` of trusted proxies (`--trust-proxy`), read as by Werkzeug's `ProxyFix`: the N-th value from the end of each header.

use super::Request;
use super::url::{is_scheme, places};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use std::borrow::Cow;

/// The request as the client sent it to the outermost trusted proxy. A part is `None` where no proxy sent its header.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Forwarded {
    /// Address of the client, or any other text that the proxy sent for it.
    pub client: Option<String>,
    pub scheme: Option<String>,
    /// Host and port.
    pub host: Option<String>,
    /// The path under which the proxy serves the mock, without a slash at its end, and percent-encoded.
    pub prefix: Option<String>,
}

/// Characters that a prefix can't have in a URL.
const IN_URL: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'?').add(b'\\');

impl Request {
    /// Takes client, scheme, host, port and prefix from the `X-Forwarded-*` headers of the last `proxies` proxies. A header with
    /// fewer values changes nothing, and neither does a value that can't be a scheme, a host or a port.
    pub(crate) fn trust(&mut self, proxies: usize) {
        if proxies == 0 {
            return;
        }
        let value = |name: &str| {
            let all = self.header_joined(name, ",")?;
            let values = values(&all);
            Some(values.get(values.len().checked_sub(proxies)?)?.clone().into_owned())
        };
        let host = value("x-forwarded-host").filter(|host| is_host(host));
        let port = value("x-forwarded-port").filter(|port| is_port(port));
        let host = match port {
            Some(port) => {
                let host = host.unwrap_or_else(|| self.host_sent().into_owned());
                Some(format!("{}:{port}", without_port(&host)))
            }
            None => host,
        };
        let forwarded = Forwarded {
            client: value("x-forwarded-for"),
            scheme: value("x-forwarded-proto")
                .filter(|scheme| is_scheme(scheme))
                .map(|scheme| scheme.to_ascii_lowercase()),
            host,
            prefix: value("x-forwarded-prefix").as_deref().and_then(prefix),
        };
        self.forwarded = (forwarded != Forwarded::default()).then(|| forwarded.into());
    }

    /// Returns host and port as a trusted proxy, or else the client sent them: from an absolute target, from `Host`, or else the
    /// address of the listener (RFC 9112 section 3.3).
    pub(super) fn host_sent(&self) -> Cow<'_, str> {
        if let Some(host) = self.forwarded_host() {
            return host.into();
        }
        let absolute = places(self.target()).authority.map(|authority| &self.target()[authority]);
        match absolute.or_else(|| self.header("host")).map(str::trim) {
            Some(host) if !host.is_empty() => host.into(),
            _ => self
                .local_addr
                .map(super::url::unmapped)
                .map(|addr| addr.to_string())
                .unwrap_or_default()
                .into(),
        }
    }

    /// Returns host and port as a trusted proxy sent them.
    pub(crate) fn forwarded_host(&self) -> Option<&str> {
        self.forwarded.as_deref()?.host.as_deref()
    }

    /// Returns the path under which a trusted proxy serves the mock, without a slash at its end; empty if none says so.
    pub(crate) fn prefix(&self) -> &str {
        self.forwarded.as_deref().and_then(|forwarded| forwarded.prefix.as_deref()).unwrap_or_default()
    }
}

/// Splits a header that is a list (RFC 9110, section 5.6.1) at its commas. A value in quotes may have commas. Empty values are left
/// out; a header with an open quote has no values.
fn values(header: &str) -> Vec<Cow<'_, str>> {
    let (mut values, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, byte) in header.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                values.push(&header[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if quoted {
        return Vec::new();
    }
    values.push(&header[start..]);
    values.into_iter().map(str::trim).filter(|value| !value.is_empty()).map(unquoted).collect()
}

/// Removes the quotes around a value, and the backslashes of its escapes.
fn unquoted(value: &str) -> Cow<'_, str> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if inner.contains('\\') => inner.replace("\\\\", "\\").replace("\\\"", "\"").into(),
        _ => inner.unwrap_or(value).into(),
    }
}

fn is_host(text: &str) -> bool {
    let name = without_port(text);
    let port = text[name.len()..].strip_prefix(':').unwrap_or_default();
    !name.is_empty()
        && (port.is_empty() || is_port(port))
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte))
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse().is_ok_and(|port: u16| port > 0)
}

/// Removes the port of a host. The colons of an IPv6 address stand in brackets.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, _)) if !host.ends_with(']') => name,
        _ => host,
    }
}

/// Returns a prefix with one slash at its start and none at its end, so that it can't become another host (`//evil.example`).
fn prefix(text: &str) -> Option<String> {
    let inner = text.trim_matches('/');
    (!inner.is_empty()).then(|| format!("/{}", utf8_percent_encode(inner, IN_URL)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_at_its_commas() {
        let cases: [(&str, &[&str]); 10] = [
            ("a", &["a"]),
            ("a, b,c", &["a", "b", "c"]),
            ("a,,b", &["a", "b"]),
            (",a, ", &["a"]),
            ("", &[]),
            ("\"a, b\", c", &["a, b", "c"]),
            ("\"[::1]:80\"", &["[::1]:80"]),
            ("\"a\\\"b\\\\c\"", &["a\"b\\c"]),
            ("\"a, b", &[]),
            ("x\"a,b\"", &["x\"a,b\""]),
        ];
        for (header, expected) in cases {
            assert_eq!(values(header), expected, "{header}");
        }
    }

    #[test]
    fn a_prefix_is_a_path_of_the_same_host() {
        let cases = [
            ("/api", Some("/api")),
            ("/api/v1/", Some("/api/v1")),
            ("api", Some("/api")),
            ("//evil.example", Some("/evil.example")),
            ("/a b?c", Some("/a%20b%3Fc")),
            ("/ä", Some("/%C3%A4")),
            ("/a%20b", Some("/a%20b")),
            ("/", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(prefix(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_value_that_fits_no_part_changes_nothing() {
        let cases = [
            ("X-Forwarded-Proto", "ht tp"),
            ("X-Forwarded-Host", "a/b"),
            ("X-Forwarded-Host", "a b"),
            ("X-Forwarded-Host", ":80"),
            ("X-Forwarded-Host", "a:99999"),
            ("X-Forwarded-Host", "[::1]:x"),
            ("X-Forwarded-Port", "x"),
            ("X-Forwarded-Port", "0"),
            ("X-Forwarded-Port", "65536"),
            ("X-Forwarded-For", ""),
            ("X-Forwarded-Prefix", "/"),
            ("Forwarded", "for=10.0.0.1"),
        ];
        for (name, value) in cases {
            let mut request = Request::from_parts("GET", "/", [(name, value)], Vec::new(), None, None);
            request.trust(1);
            assert_eq!(request.forwarded, None, "{name}: {value}");
        }
    }
}
