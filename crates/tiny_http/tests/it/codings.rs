//! Transfer-Encoding: `chunked` alone, and only in HTTP/1.1.

use crate::case::{Case, closed, echo, post, refusal, refused, run, served};

const BODY: &[u8] = b"5\r\nhello\r\n0\r\n\r\n";

fn good(name: &'static str, line: &str) -> Case {
    served("9112 7", name, post(line, BODY), [echo("POST /").received(b"hello")])
}

fn bad(rfc: &'static str, name: &'static str, lines: &[u8], status: u16) -> Case {
    refused(rfc, name, post(lines, BODY), status)
}

#[test]
fn codings() {
    run([
        good("chunked", "Transfer-Encoding: chunked\r\n"),
        good("any case", "transfer-ENCODING: cHuNkEd\r\n"),
        good("whitespace around", "Transfer-Encoding: \tchunked\t \r\n"),
        good("no whitespace", "Transfer-Encoding:chunked\r\n"),
        bad("9112 6.1", "identity", b"Transfer-Encoding: identity\r\n", 400),
        bad("9112 6.1", "xchunked", b"Transfer-Encoding: xchunked\r\n", 400),
        bad("9112 6.1", "chunkedx", b"Transfer-Encoding: chunkedx\r\n", 400),
        bad("9112 6.1", "gzip alone", b"Transfer-Encoding: gzip\r\n", 400),
        bad("9112 6.1", "empty", b"Transfer-Encoding:\r\n", 400),
        bad("9112 6.1", "in quotation marks", b"Transfer-Encoding: \"chunked\"\r\n", 400),
        bad("9112 6.1", "two words", b"Transfer-Encoding: chunked chunked\r\n", 400),
        bad("9112 6.1", "chunked twice", b"Transfer-Encoding: chunked, chunked\r\n", 400),
        bad(
            "9112 6.1",
            "chunked in two fields",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
            400,
        ),
        bad("9112 6.1", "chunked not last", b"Transfer-Encoding: chunked, gzip\r\n", 400),
        bad("9112 6.1", "chunked, then identity", b"Transfer-Encoding: chunked, identity\r\n", 400),
        bad(
            "9112 6.1",
            "not last, two fields",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            400,
        ),
        bad("9112 6.1", "gzip below chunked", b"Transfer-Encoding: gzip, chunked\r\n", 501),
        bad("9112 6.1", "an unknown one below chunked", b"Transfer-Encoding: x, chunked\r\n", 501),
        bad(
            "9112 6.1",
            "gzip in a field before",
            b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n",
            501,
        ),
        closed(
            "9112 7.1",
            "chunked has no parameters",
            post("Transfer-Encoding: chunked;a=b\r\n", BODY),
            [refusal(400).or(501)],
        ),
        bad("9110 5.5", "a vertical tab before", b"Transfer-Encoding: \x0bchunked\r\n", 400),
        bad("9110 5.5", "NUL after", b"Transfer-Encoding: chunked\0\r\n", 400),
        bad("9112 5.1", "a space before the colon", b"Transfer-Encoding : chunked\r\n", 400),
        bad("9112 5.2", "folded", b"Transfer-Encoding:\r\n chunked\r\n", 400),
        refused(
            "9112 6.1",
            "a GET, not understood",
            b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x\r\n\r\n",
            400,
        ),
    ]);
}

#[test]
fn beside_a_length() {
    run([
        bad("9112 6.3", "length first", b"Content-Length: 15\r\nTransfer-Encoding: chunked\r\n", 400),
        bad("9112 6.3", "length last", b"Transfer-Encoding: chunked\r\nContent-Length: 15\r\n", 400),
        bad("9112 6.3", "length zero", b"Content-Length: 0\r\nTransfer-Encoding: chunked\r\n", 400),
        bad("9112 6.3", "a bad length", b"Transfer-Encoding: chunked\r\nContent-Length: x\r\n", 400),
        bad(
            "9112 6.3",
            "identity and a length",
            b"Transfer-Encoding: identity\r\nContent-Length: 15\r\n",
            400,
        ),
        bad(
            "9112 6.3",
            "fields between",
            b"Content-Length: 15\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n",
            400,
        ),
    ]);
}

#[test]
fn in_http_1_0() {
    let request = |line: &str| format!("POST / HTTP/1.0\r\nHost: a\r\n{line}\r\n5\r\nhello\r\n0\r\n\r\n");
    let keep_alive = request("Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n");
    run([
        refused("9112 6.1", "chunked", request("Transfer-Encoding: chunked\r\n"), 400),
        refused("9112 6.1", "chunked, kept alive", keep_alive, 400),
        refused(
            "9112 6.1",
            "and a length",
            request("Transfer-Encoding: chunked\r\nContent-Length: 15\r\n"),
            400,
        ),
    ]);
}
