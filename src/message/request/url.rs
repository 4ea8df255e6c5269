//! The URL of a request: its parts as the target and the `Host` header give them, and the whole put together again as
//! an IRI, as Werkzeug does. Trusts no `X-Forwarded-*` header.

use super::Request;
use percent_encoding::percent_decode;
use std::fmt::Write;
use std::net::SocketAddr;
use std::ops::Range;

/// Where the parts of a request-target stand in it, still percent-encoded. A fragment is none of them.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    /// Host and port of an absolute form, without user and password.
    pub authority: Option<Range<usize>>,
    /// Path, possibly empty.
    pub path: Range<usize>,
    /// What follows the first `?`, or nothing.
    pub query: Range<usize>,
}

/// Takes a request-target of any form apart; what fits no form is a path.
pub(crate) fn places(target: &str) -> Places {
    let end = target.find('#').unwrap_or(target.len());
    let authority = authority(&target[..end]);
    let start = authority.as_ref().map_or(0, |authority| authority.end);
    let mark = target[start..end].find('?').map_or(end, |mark| start + mark);
    Places { authority, path: start..mark, query: end.min(mark + 1)..end }
}

/// Host and port of an absolute form.
fn authority(target: &str) -> Option<Range<usize>> {
    // The origin form, which nearly all targets have.
    if target.starts_with('/') {
        return None;
    }
    let (scheme, rest) = target.split_once("://").filter(|(scheme, _)| is_scheme(scheme))?;
    let start = scheme.len() + 3;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let host = rest[..end].rfind('@').map_or(0, |at| at + 1);
    Some(start + host..start + end)
}

impl Request {
    /// `http`: TLS ends before the mock.
    pub fn scheme(&self) -> &'static str {
        "http"
    }

    /// Host and port without a port of 80: of an absolute target, else of `Host`, else the address that took the
    /// request (RFC 9112 section 3.3).
    pub fn host(&self) -> String {
        let absolute = places(self.target()).authority.map(|authority| &self.target()[authority]);
        let sent = absolute.or_else(|| self.header("host")).map(str::trim);
        let host = match sent {
            Some(host) if !host.is_empty() => host.to_owned(),
            _ => self.local_addr.map(unmapped).map(|addr| addr.to_string()).unwrap_or_default(),
        };
        host.strip_suffix(":80").map(str::to_owned).unwrap_or(host)
    }

    /// Scheme and host, ending in `/`.
    pub fn url_root(&self) -> String {
        format!("{}://{}/", self.scheme(), self.host())
    }

    /// The URL without its query.
    pub fn base_url(&self) -> String {
        let mut url = self.url_root();
        push_plain(&mut url, self.path().trim_start_matches('/'), "/:");
        url
    }

    /// The whole URL as an IRI: what is not ASCII is readable, what has a meaning is escaped.
    pub fn url(&self) -> String {
        let mut url = self.base_url();
        if !self.query_string().is_empty() {
            url.push('?');
            push_query(&mut url, self.query_string());
        }
        url
    }

    /// Path and query, always with a `?` between.
    pub fn full_path(&self) -> String {
        format!("{}?{}", self.path(), self.query_string())
    }

    /// Address of the client as text, an IPv4-mapped one as IPv4.
    pub fn client(&self) -> Option<String> {
        self.remote_addr.map(|addr| unmapped(addr).ip().to_string())
    }
}

fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// A dual-stack listener sees IPv4 clients as `::ffff:a.b.c.d`.
fn unmapped(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

/// Appends `text` and escapes all of ASCII but unreserved characters and `safe`.
fn push_plain(url: &mut String, text: &str, safe: &str) {
    for c in text.chars() {
        match c.is_ascii() && !is_unreserved(c) && !safe.contains(c) {
            true => escape(url, c as u8),
            false => url.push(c),
        }
    }
}

/// Appends a query as sent: escapes of unreserved characters and of valid UTF-8 are undone, others stay.
fn push_query(url: &mut String, mut query: &str) {
    while !query.is_empty() {
        let (plain, rest) = query.split_at(query.find('%').unwrap_or(query.len()));
        push_plain(url, plain, ":&%=+$!*'(),");
        let (escapes, rest) = rest.split_at(escaped_run(rest));
        push_escaped(url, escapes);
        // A `%` without two hex digits stays as it is.
        query = match rest.strip_prefix('%') {
            Some(after) => {
                url.push('%');
                after
            }
            None => rest,
        };
    }
}

/// Length of the escapes that `text` starts with: they are decoded together, as one character may take several.
fn escaped_run(text: &str) -> usize {
    let is_escape = |e: &[u8]| e[0] == b'%' && e[1].is_ascii_hexdigit() && e[2].is_ascii_hexdigit();
    text.as_bytes().chunks_exact(3).take_while(|escape| is_escape(escape)).count() * 3
}

fn push_escaped(url: &mut String, escapes: &str) {
    let bytes: Vec<u8> = percent_decode(escapes.as_bytes()).collect();
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c.is_ascii() && !is_unreserved(c) {
                // As sent: `%2f` keeps its case.
                true => url.push_str(&escapes[at * 3..at * 3 + 3]),
                false => url.push(c),
            }
            at += c.len_utf8();
        }
        for byte in chunk.invalid() {
            escape(url, *byte);
            at += 1;
        }
    }
}

fn escape(url: &mut String, byte: u8) {
    // Writing to a string cannot fail.
    let _ = write!(url, "%{byte:02X}");
}

#[cfg(test)]
mod tests;
