//! The Host field: a request has one, and it is `host[:port]`.

use crate::case::{Case, echo, refused, run, served};

fn with_host(value: &[u8]) -> Vec<u8> {
    [b"GET / HTTP/1.1\r\nHost: ", value, b"\r\n\r\n"].concat()
}

fn good(rfc: &'static str, name: &'static str, value: &str) -> Case {
    served(rfc, name, with_host(value.as_bytes()), [echo("GET /").line(&format!("host: {value}"))])
}

fn bad(rfc: &'static str, name: &'static str, value: &[u8]) -> Case {
    refused(rfc, name, with_host(value), 400)
}

#[test]
fn count() {
    run([
        refused("9112 3.2", "none", b"GET / HTTP/1.1\r\n\r\n", 400),
        refused("9112 3.2", "none beside others", b"GET / HTTP/1.1\r\nX-Host: a\r\nX-A: 1\r\n\r\n", 400),
        refused("9112 3.2", "two", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        refused("9112 3.2", "two equal ones", b"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
        refused(
            "9112 3.2",
            "two in other cases",
            b"GET / HTTP/1.1\r\nHOST: a\r\nX-A: 1\r\nhost: b\r\n\r\n",
            400,
        ),
        refused("9112 3.2", "two, one empty", b"GET / HTTP/1.1\r\nHost: a\r\nHost:\r\n\r\n", 400),
        refused("9112 3.2", "two in HTTP/1.0", b"GET / HTTP/1.0\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        served(
            "9112 3.2",
            "an empty one",
            b"GET / HTTP/1.1\r\nHost:\r\n\r\n",
            [echo("GET /").line("host: ")],
        ),
        served(
            "9112 3.2",
            "the last field",
            b"GET / HTTP/1.1\r\nX-A: 1\r\nhOsT: a\r\n\r\n",
            [echo("GET /").line("host: a")],
        ),
    ]);
}

#[test]
fn values() {
    run([
        good("9110 7.2", "a name", "a.example"),
        good("9110 7.2", "a name and a port", "a.example:8080"),
        good("3986 3.2.3", "a colon without a port", "a.example:"),
        good("3986 3.2.2", "an IPv4 address", "127.0.0.1:80"),
        good("3986 3.2.2", "an IPv6 address", "[::1]"),
        good("3986 3.2.2", "an IPv6 address and a port", "[2001:db8::1]:8080"),
        good("3986 3.2.2", "an underscore, as Docker's names have", "my_service:80"),
        good("3986 3.2.2", "percent-encoding", "%41.example"),
        bad("9110 7.2", "a space", b"a b"),
        bad("9110 7.2", "a list", b"a, b"),
        bad("9110 7.2", "a path", b"a/b"),
        bad("9110 7.2", "a URI", b"http://a"),
        bad("9110 7.2", "a query", b"a?b"),
        bad("9110 7.2", "a fragment", b"a#b"),
        bad("9110 7.2", "a user", b"u@a"),
        bad("9110 7.2", "a user and a password", b"u:p@a"),
        bad("9110 7.2", "a backslash", b"a\\b"),
        bad("9110 7.2", "markup", b"<a>"),
        bad("3986 3.2.3", "letters for a port", b"a:b"),
        bad("3986 3.2.3", "a letter in the port", b"a:80x"),
        bad("3986 3.2.3", "a negative port", b"a:-1"),
        bad("3986 3.2.3", "two ports", b"a:80:80"),
        bad("3986 3.2.2", "an IPv6 address without brackets", b"::1"),
        bad("3986 3.2.2", "a bracket that is not closed", b"[::1"),
        bad("3986 3.2.2", "a bracket that is not opened", b"::1]"),
        bad("3986 3.2.2", "text after the bracket", b"[::1]a"),
        bad("3986 3.2.2", "a name in brackets", b"[a.example]"),
        bad("3986 3.2.2", "a tab within", b"a\tb"),
        bad("3986 3.2.2", "bytes above 0x7f", b"\xc3\xa9.example"),
        bad("9110 5.5", "NUL", b"a\0"),
    ]);
}
