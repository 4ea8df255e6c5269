//! A URL as typed -> host, port and request target. Resolves and connects nothing.

use super::error::ClientError;
use crate::system::digits::digits;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// The destination of a request: plain HTTP only (RFC 9110, section 4.2.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Url {
    /// Name or address; IPv6 without brackets.
    pub host: String,
    /// TCP port, never 0.
    pub port: u16,
    /// Path and query, from `/` on, percent-encoded.
    pub target: String,
}

impl Url {
    /// Parses `text`. Missing parts: the scheme is `http`; a path alone has host and port of `home`, a port alone the host of
    /// `home`; a host alone has `default_port`. Percent-encodes characters that a request line can't carry, and drops a
    /// fragment.
    ///
    /// # Errors
    /// [`ClientError::Url`]: other schemes, user names, illegal ports, hosts with odd characters.
    pub(crate) fn parse(text: &str, home: SocketAddr, default_port: u16) -> Result<Url, ClientError> {
        let fail = |cause: String| ClientError::Url { url: text.to_string(), cause };
        let rest = without_scheme(text).map_err(fail)?;
        let has_scheme = rest.len() < text.len();
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let (host, port) = match split_authority(authority).map_err(fail)? {
            ("", None) if !has_scheme && target.starts_with('/') => (home.ip().to_string(), home.port()),
            ("", Some(port)) if !has_scheme => (home.ip().to_string(), port),
            ("", _) => return Err(fail("it has no host".to_string())),
            (host, port) => (host.to_string(), port.unwrap_or(default_port)),
        };
        if port == 0 {
            return Err(fail("port 0 lets the system pick one, name the picked one".to_string()));
        }
        let slash = if target.starts_with('/') { "" } else { "/" };
        Ok(Url { host, port, target: format!("{slash}{}", encoded(target)) })
    }

    /// Parses a URL with scheme and host.
    ///
    /// # Errors
    /// The errors of `parse`, and a missing scheme.
    pub(crate) fn absolute(text: &str) -> Result<Url, ClientError> {
        if text.contains("://") {
            return Url::parse(text, SocketAddr::from(([127, 0, 0, 1], 80)), 80);
        }
        let cause = match text.is_empty() || text.starts_with('/') && !text.starts_with("//") {
            true => "it has no host, as `http://real:8080` has".to_string(),
            false => format!("write `http://` before it, as in `http://{}`", text.trim_start_matches('/')),
        };
        Err(ClientError::Url { url: text.to_string(), cause })
    }

    /// Parses HOST:PORT, HOST, :PORT or PORT like [`Url::parse`]; missing parts are those of `home`.
    ///
    /// # Errors
    /// The errors of `parse`, and a path.
    pub(crate) fn address(text: &str, home: SocketAddr) -> Result<Url, ClientError> {
        let url = match text.parse::<u16>() {
            Ok(port) => Url::parse(&format!(":{port}"), home, home.port())?,
            Err(_) => Url::parse(text, home, home.port())?,
        };
        if url.target == "/" {
            return Ok(url);
        }
        Err(ClientError::Url { url: text.to_string(), cause: "an address has no path".to_string() })
    }

    /// Returns HOST:PORT of `tcp://HOST:PORT`; `None` for any other text.
    pub(crate) fn without_tcp(text: &str) -> Option<&str> {
        let (scheme, rest) = text.split_once("://")?;
        scheme.eq_ignore_ascii_case("tcp").then_some(rest)
    }

    /// Parses the part behind `tcp://`: HOST:PORT, or :PORT of `home`. The port has no default.
    ///
    /// # Errors
    /// The errors of `parse`, a path, a missing port.
    pub(crate) fn socket(text: &str, home: SocketAddr) -> Result<Url, ClientError> {
        let fail = |cause: String| ClientError::Url { url: format!("tcp://{text}"), cause };
        let (host, port) = split_authority(text.strip_suffix('/').unwrap_or(text)).map_err(fail)?;
        let host = if host.is_empty() { home.ip().to_string() } else { host.to_string() };
        match port {
            Some(0) => Err(fail("port 0 lets the system pick one, name the picked one".to_string())),
            Some(port) => Ok(Url { host, port, target: "/".to_string() }),
            None => Err(fail("it has no port".to_string())),
        }
    }

    /// Returns the URL of the same server with another target.
    pub(crate) fn with_target(&self, target: impl Into<String>) -> Url {
        Url { target: target.into(), ..self.clone() }
    }

    /// Returns HOST:PORT, for errors and connections.
    pub(crate) fn authority(&self) -> String {
        format!("{}:{}", self.bracketed(), self.port)
    }

    /// Returns the `Host` field: without the default port and without an IPv6 zone (RFC 6874 keeps it off the wire).
    pub(crate) fn host_field(&self) -> String {
        let host = match self.bracketed().split_once('%') {
            Some((address, _)) => format!("{address}]"),
            None => self.bracketed(),
        };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }

    /// Whether it leads to `server` on this machine, by an address or name of the machine itself.
    pub(crate) fn leads_to(&self, server: SocketAddr) -> bool {
        let near = match self.host.parse::<IpAddr>() {
            Ok(ip) => ip == server.ip() || ip.is_loopback() && server.ip().is_loopback(),
            Err(_) => self.host.eq_ignore_ascii_case("localhost") && server.ip().is_loopback(),
        };
        near && self.port == server.port()
    }

    fn bracketed(&self) -> String {
        if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http://{}{}", self.host_field(), self.target)
    }
}

fn without_scheme(text: &str) -> Result<&str, String> {
    // `/redirect?to=https://x` has no scheme, it is a path.
    let Some((scheme, rest)) = text.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', '?', '#']))
    else {
        return Ok(text);
    };
    match scheme.to_ascii_lowercase().as_str() {
        "http" => Ok(rest),
        "https" => Err("there is no TLS here, use http".to_string()),
        other => Err(format!("`{other}` is not supported, use http")),
    }
}

/// Splits `[::1]:80` into `::1` and 80; an empty port counts as none (RFC 3986, section 3.2.3).
fn split_authority(authority: &str) -> Result<(&str, Option<u16>), String> {
    if authority.contains('@') {
        return Err("user names are not supported".to_string());
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, after) = rest.split_once(']').ok_or("a bracket is not closed")?;
            let port = if after.is_empty() {
                ""
            } else {
                after.strip_prefix(':').ok_or("no port after the bracket")?
            };
            (host, port)
        }
        None if authority.matches(':').count() > 1 => {
            return Err(format!("an IPv6 address needs brackets, `[{authority}]`"));
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let odd = |c: char| !(c.is_ascii_alphanumeric() || "-._:%".contains(c));
    if host.contains(odd) {
        return Err(format!("`{host}` is no host"));
    }
    if port.is_empty() {
        return Ok((host, None));
    }
    let port = digits(port).ok_or_else(|| format!("`{port}` is no port"))?;
    Ok((host, Some(port)))
}

/// Percent-encodes characters that would end or break the request line; existing escapes stay.
pub(crate) fn encoded(target: &str) -> String {
    let mut out = String::with_capacity(target.len());
    for byte in target.bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn home() -> SocketAddr {
        "127.0.0.1:8000".parse().unwrap()
    }

    #[test]
    fn missing_parts_of_a_url_are_those_of_home() {
        for (text, expected) in [
            ("http://example:8080/a?b=c#d", "http://example:8080/a?b=c"),
            ("HTTP://example", "http://example/"),
            ("http://example:80/", "http://example/"),
            ("http://example:/x", "http://example/x"),
            ("http://example?q=1", "http://example/?q=1"),
            ("localhost:8000/foo", "http://localhost:8000/foo"),
            ("localhost/foo", "http://localhost/foo"),
            (":8074/healthz", "http://127.0.0.1:8074/healthz"),
            (":8074", "http://127.0.0.1:8074/"),
            ("/foo", "http://127.0.0.1:8000/foo"),
            ("/go?to=https://x/y", "http://127.0.0.1:8000/go?to=https://x/y"),
            ("/foo#part", "http://127.0.0.1:8000/foo"),
            ("[::1]:8074/x", "http://[::1]:8074/x"),
            ("http://[fe80::1%eth0]/x", "http://[fe80::1]/x"),
            ("/a b/ü/%20?x=\"1\"", "http://127.0.0.1:8000/a%20b/%C3%BC/%20?x=%221%22"),
            ("/a\r\nX: y", "http://127.0.0.1:8000/a%0D%0AX:%20y"),
        ] {
            assert_eq!(Url::parse(text, home(), 80).unwrap().to_string(), expected, "{text}");
        }
    }

    #[test]
    fn urls_that_cannot_be_used_say_why() {
        for (text, cause) in [
            ("https://example/", "there is no TLS here, use http"),
            ("ftp://example/", "`ftp` is not supported, use http"),
            ("", "it has no host"),
            ("http:///x", "it has no host"),
            ("http://:80/x", "it has no host"),
            ("?x=1", "it has no host"),
            ("me:secret@example/", "user names are not supported"),
            ("::1/x", "an IPv6 address needs brackets, `[::1]`"),
            ("[::1/x", "a bracket is not closed"),
            ("[::1]80/x", "no port after the bracket"),
            ("example:http/", "`http` is no port"),
            ("example:+80/", "`+80` is no port"),
            ("example:65536/", "`65536` is no port"),
            ("example:0/", "port 0 lets the system pick one, name the picked one"),
            ("exa mple/", "`exa mple` is no host"),
        ] {
            let expected = format!("failed to use URL `{text}`: {cause}");
            assert_eq!(Url::parse(text, home(), 80).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn addresses_have_no_path_and_the_port_of_home() {
        for (text, expected) in [
            ("mock", "mock:8000"),
            ("mock:9", "mock:9"),
            (":9", "127.0.0.1:9"),
            ("9", "127.0.0.1:9"),
            ("[::1]", "[::1]:8000"),
            ("http://mock:9/", "mock:9"),
        ] {
            assert_eq!(Url::address(text, home()).unwrap().authority(), expected, "{text}");
        }
        let error = Url::address("mock:9/readyz", home()).unwrap_err();
        assert_eq!(error.to_string(), "failed to use URL `mock:9/readyz`: an address has no path");
    }

    #[test]
    fn a_connection_needs_a_port() {
        for (text, expected) in
            [("tcp://mock:9", "mock:9"), ("TCP://[::1]:9/", "[::1]:9"), ("tcp://:9", "127.0.0.1:9")]
        {
            let rest = Url::without_tcp(text).unwrap();
            assert_eq!(Url::socket(rest, home()).unwrap().authority(), expected, "{text}");
        }
        for text in ["mock:9", "http://mock:9", "tcp:9", "mock/tcp://x"] {
            assert_eq!(Url::without_tcp(text), None);
        }
        for (text, cause) in [
            ("mock", "it has no port"),
            ("", "it has no port"),
            ("mock:", "it has no port"),
            ("mock:0", "port 0 lets the system pick one, name the picked one"),
            ("mock:9/x", "`9/x` is no port"),
            ("me@mock:9", "user names are not supported"),
            ("::1", "an IPv6 address needs brackets, `[::1]`"),
        ] {
            let error = Url::socket(text, home()).unwrap_err().to_string();
            assert_eq!(error, format!("failed to use URL `tcp://{text}`: {cause}"));
        }
    }

    #[test]
    fn a_server_on_this_machine_is_known_by_its_names() {
        for (text, expected) in [
            ("/x", true),
            ("localhost:8000", true),
            ("LocalHost:8000", true),
            ("[::1]:8000", true),
            ("localhost:8001", false),
            ("example:8000", false),
            ("10.0.0.1:8000", false),
        ] {
            assert_eq!(Url::parse(text, home(), 80).unwrap().leads_to(home()), expected, "{text}");
        }
    }
}
