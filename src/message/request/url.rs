//! The URL of a request: its parts from the target and the `Host` header, and the whole as an IRI, as Werkzeug builds it.
//! Scheme, host and prefix are those of a trusted proxy where there is one.

use super::Request;
use crate::routing::quoting::{Piece, escape, pieces};
use percent_encoding::percent_decode;
use std::net::SocketAddr;
use std::ops::Range;

/// The places of the parts in a request-target, still percent-encoded. The fragment is left out.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    /// Host and port of an absolute form, without user and password.
    pub authority: Option<Range<usize>>,
    /// Path, possibly empty.
    pub path: Range<usize>,
    /// The text after the first `?`, possibly empty.
    pub query: Range<usize>,
}

/// Splits a request-target of any form into its parts; a text that fits no form is a path.
pub(crate) fn places(target: &str) -> Places {
    let end = target.find('#').unwrap_or(target.len());
    let authority = authority(&target[..end]);
    let start = authority.as_ref().map_or(0, |authority| authority.end);
    let mark = target[start..end].find('?').map_or(end, |mark| start + mark);
    Places { authority, path: start..mark, query: end.min(mark + 1)..end }
}

/// Returns host and port of an absolute form.
fn authority(target: &str) -> Option<Range<usize>> {
    // Nearly all targets are in origin form.
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
    /// Returns `http`, as the mock has no TLS, or the scheme that a trusted proxy sent.
    pub fn scheme(&self) -> &str {
        self.forwarded.as_deref().and_then(|forwarded| forwarded.scheme.as_deref()).unwrap_or("http")
    }

    /// Whether the scheme is `https` or `wss`.
    pub fn is_secure(&self) -> bool {
        matches!(self.scheme(), "https" | "wss")
    }

    /// Returns host and port, without the port that is the scheme's default.
    pub fn host(&self) -> String {
        let host = self.host_sent();
        let default = match self.scheme() {
            "http" | "ws" => host.strip_suffix(":80"),
            "https" | "wss" => host.strip_suffix(":443"),
            _ => None,
        };
        default.unwrap_or(&host).to_owned()
    }

    /// Returns scheme and host, ending in `/`.
    pub fn host_url(&self) -> String {
        format!("{}://{}/", self.scheme(), self.host())
    }

    /// Returns scheme, host and the prefix of a trusted proxy, ending in `/`.
    pub fn url_root(&self) -> String {
        format!("{}://{}{}/", self.scheme(), self.host(), self.prefix())
    }

    /// Returns the URL without its query.
    pub fn base_url(&self) -> String {
        let mut url = self.url_root();
        for piece in pieces(self.path().trim_start_matches('/')) {
            match piece {
                Piece::Kept(escapes) => url.push_str(escapes),
                Piece::Text(text) => push_plain(&mut url, text, "/:"),
            }
        }
        url
    }

    /// Returns the whole URL as an IRI: characters beyond ASCII are readable, characters with a meaning are escaped.
    pub fn url(&self) -> String {
        let mut url = self.base_url();
        if !self.query_string().is_empty() {
            url.push('?');
            push_query(&mut url, self.query_string());
        }
        url
    }

    /// Returns path and query, always with a `?` between them.
    pub fn full_path(&self) -> String {
        format!("{}?{}", self.path(), self.query_string())
    }

    /// Returns the address of the client as text, as IPv4 if it is an IPv4-mapped address. The text of a trusted proxy stays as sent.
    pub fn client(&self) -> Option<String> {
        if let Some(client) = self.forwarded.as_deref().and_then(|forwarded| forwarded.client.as_ref()) {
            return Some(client.clone());
        }
        self.remote_addr.map(|addr| unmapped(addr).ip().to_string())
    }
}

pub(super) fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
}

/// Converts the address of an IPv4 client at a dual-stack listener, `::ffff:a.b.c.d`, to IPv4.
pub(super) fn unmapped(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(addr.ip().to_canonical(), addr.port())
}

fn is_unreserved(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~".contains(c)
}

/// Appends `text`, with all of ASCII escaped but unreserved characters and `safe`.
fn push_plain(url: &mut String, text: &str, safe: &str) {
    for c in text.chars() {
        match c.is_ascii() && !is_unreserved(c) && !safe.contains(c) {
            true => escape(url, c as u8),
            false => url.push(c),
        }
    }
}

/// Appends a query. Decodes escapes of unreserved characters and of valid UTF-8. Other escapes stay as sent.
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

/// Returns the length of the escapes that `text` starts with. One character may take several, so they are decoded together.
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
                // The escape stays as sent: `%2f` keeps its case.
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

#[cfg(test)]
mod tests;
