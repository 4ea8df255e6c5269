//! Checks the request target, and hosts in it or in Host (RFC 9112, section 3.2; RFC 3986, section 3.2).

use crate::method::Method;
use crate::refusal::Reason;
use std::net::Ipv6Addr;

/// Checks the form of `target`.
///
/// # Errors
/// 400; 501 for CONNECT, which only proxies support.
pub(super) fn check(target: &str, method: &Method) -> Result<(), Reason> {
    if *method == Method::Connect {
        return Err(Reason::Unsupported(501, "CONNECT is for proxies"));
    }
    if target.starts_with('/') || (target == "*" && *method == Method::Options) || is_absolute(target) {
        return Ok(());
    }
    Err(Reason::Malformed("the request target is no path, such as `/a`, and no absolute URL"))
}

/// Whether `target` is `http://host[:port][/path]`.
fn is_absolute(target: &str) -> bool {
    let Some((scheme, rest)) = target.split_once("://") else { return false };
    let scheme_is_right = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let authority = &rest.as_bytes()[..end];
    scheme_is_right && !authority.starts_with(b":") && is_authority(authority)
}

/// Whether `text` is `host[:port]`, not empty. A host is a name, an IPv4 address or an IP literal in brackets.
pub(super) fn is_authority(value: &[u8]) -> bool {
    let host_end = match value.strip_prefix(b"[") {
        Some(rest) => match rest.iter().position(|byte| *byte == b']') {
            Some(end) if is_literal(&rest[..end]) => end + 2,
            _ => return false,
        },
        None => value.iter().position(|byte| *byte == b':').unwrap_or(value.len()),
    };
    let (host, port) = value.split_at(host_end);
    let named = host.starts_with(b"[") || host.iter().all(|byte| is_of_name(*byte));
    let numbered = match port {
        [] => true,
        [b':', digits @ ..] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    };
    !value.is_empty() && named && numbered
}

/// Whether `text` may stand in brackets: an IPv6 address, perhaps with a zone (RFC 6874), or an address of a future version.
fn is_literal(literal: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(literal) else { return false };
    let future = text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.'));
    match future {
        Some((version, address)) => {
            let is_of_address = |byte| is_of_name(byte) && byte != b'%' || byte == b':';
            let versioned = !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_hexdigit());
            versioned && !address.is_empty() && address.bytes().all(is_of_address)
        }
        None => {
            let (address, zone) = text.split_once("%25").unwrap_or((text, "-"));
            address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && zone.bytes().all(is_of_name)
        }
    }
}

/// Whether `byte` may stand in a registered name: unreserved characters, sub-delimiters and percent signs.
fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=%".contains(&byte)
}
