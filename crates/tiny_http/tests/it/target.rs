//! The request target: its four forms, and the bytes that it may have.

use crate::case::{Answer, Case, echo, refused, run, served};

fn with_target(method: &str, target: &[u8]) -> Vec<u8> {
    [method.as_bytes(), b" ", target, b" HTTP/1.1\r\nHost: a\r\n\r\n"].concat()
}

/// The target must reach the program as it was sent.
fn kept(rfc: &'static str, name: &'static str, target: &str) -> Case {
    let expect: Answer = echo(&format!("GET {target}"));
    served(rfc, name, with_target("GET", target.as_bytes()), [expect])
}

fn bad(rfc: &'static str, name: &'static str, target: &[u8]) -> Case {
    refused(rfc, name, with_target("GET", target), 400)
}

#[test]
fn origin_form() {
    run([
        kept("9112 3.2.1", "a path", "/a/b"),
        kept("9112 3.2.1", "a query", "/a?b=c&d=%20+e"),
        kept("9112 3.2.1", "an empty query", "/a?"),
        kept("3986 3.4", "slash and question mark in a query", "/a?b/c?d"),
        kept("3986 3.3", "two slashes at the start are no authority", "//a/b"),
        kept("3986 3.3", "empty segments", "/a//b/"),
        kept("3986 3.3", "sub-delims, colon and at in a segment", "/a:b@c!$&'()*+,;=d"),
        kept("3986 2.3", "unreserved characters", "/-._~"),
        kept("3986 5.2.4", "dot segments are left alone", "/a/../b/./c"),
        kept("3986 2.1", "percent-encoding is left alone", "/%41%2F%2f%00"),
        kept("9112 3.2.1", "an absolute URI in the query", "/?u=http://b/c"),
    ]);
}

#[test]
fn absolute_form() {
    run([
        kept("9112 3.2.2", "with a path", "http://a/b"),
        kept("9112 3.2.2", "with a port and a query", "http://a:8080/b?c=d"),
        kept("9112 3.2.2", "another host than Host", "http://b/c"),
        kept("9112 3.2.2", "an IPv6 address", "http://[::1]:80/b"),
        refused("9112 3.2.2", "still needs a Host", b"GET http://a/b HTTP/1.1\r\n\r\n", 400),
        bad("9110 4.2.1", "an empty host", b"http:///b"),
        bad("3986 3.1", "a scheme without a hierarchy", b"http:"),
        bad("3986 3.1", "an empty scheme", b"://a/b"),
    ]);
}

#[test]
fn other_forms() {
    run([
        served("9112 3.2.4", "OPTIONS *", with_target("OPTIONS", b"*"), [echo("OPTIONS *")]),
        served("9112 3.2.4", "OPTIONS with a path", with_target("OPTIONS", b"/a"), [echo("OPTIONS /a")]),
        bad("9112 3.2.4", "GET *", b"*"),
        refused("9112 3.2.4", "more than an asterisk", with_target("OPTIONS", b"*/a"), 400),
        bad("9112 3.2.3", "authority form of GET", b"a:80"),
        bad("9112 3.2.1", "a path without a slash", b"a/b"),
        bad("9112 3.2.1", "a query alone", b"?a=b"),
        bad("9112 3.2.1", "a fragment alone", b"#a"),
        bad("9112 3.2.1", "a backslash for the slash", b"\\a"),
        bad("9112 3.2.1", "a percent-encoded slash for the slash", b"%2Fa"),
    ]);
}

#[test]
fn bytes() {
    run([
        kept("9112 3.2", "UTF-8 of two bytes", "/é"),
        kept("9112 3.2", "UTF-8 of four bytes in a query", "/?q=\u{1f600}"),
        bad("9112 3.2", "a byte that is no UTF-8", b"/\xff"),
        bad("9112 3.2", "Latin-1", b"/caf\xe9"),
        bad("9112 3.2", "half of a character", b"/\xc3"),
        bad("9112 3.2", "an overlong form", b"/\xc0\xaf"),
        bad("9112 3.2", "a surrogate", b"/\xed\xa0\x80"),
        bad("9112 3.2", "NUL", b"/a\0b"),
        bad("9112 3.2", "a control character", b"/a\x01b"),
        bad("9112 3.2", "an escape", b"/a\x1b[0m"),
        bad("9112 3.2", "delete", b"/a\x7fb"),
    ]);
}
