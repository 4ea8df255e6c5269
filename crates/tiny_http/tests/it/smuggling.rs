//! Request smuggling: if two readers of the same bytes could disagree, the engine must not answer the hidden request, nor show
//! it to the program.

use crate::case::{Case, echo, post, refused, run, served};

const HIDDEN: &[u8] = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

/// Field lines of the head, bytes behind the head, and then the hidden request.
fn bad(rfc: &'static str, name: &'static str, lines: impl AsRef<[u8]>, body: &[u8], status: u16) -> Case {
    refused(rfc, name, post(lines, [body, HIDDEN].concat()), status)
}

#[test]
fn length_against_chunked() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let length = format!("Content-Length: {}\r\n", 5 + HIDDEN.len());
    let size = format!("{:x}\r\n", HIDDEN.len());
    run([
        bad("9112 11.2", "CL.TE", [&length, chunked].concat(), b"0\r\n\r\n", 400),
        bad("9112 11.2", "TE.CL", [chunked, "Content-Length: 4\r\n"].concat(), size.as_bytes(), 400),
        bad(
            "9112 11.2",
            "TE.CL, length zero",
            [chunked, "Content-Length: 0\r\n"].concat(),
            size.as_bytes(),
            400,
        ),
        bad(
            "9112 11.2",
            "a space before the colon",
            [&length, "Transfer-Encoding : chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "a tab before the colon",
            [&length, "Transfer-Encoding\t: chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "a folded coding",
            [&length, "Transfer-Encoding:\r\n chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "a folded line before",
            [&length, "X-A: 1\r\n Transfer-Encoding: chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "a vertical tab",
            [&length, "Transfer-Encoding: \x0bchunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "a lone LF before",
            [&length, "X-A: 1\nTransfer-Encoding: chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "a bare CR before",
            [&length, "X-A: 1\rTransfer-Encoding: chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "NUL before",
            [&length, "X-A: \0\r\nTransfer-Encoding: chunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "xchunked",
            [&length, "Transfer-Encoding: xchunked\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "identity",
            [&length, "Transfer-Encoding: identity\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "quoted",
            [&length, "Transfer-Encoding: \"chunked\"\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad(
            "9112 11.2",
            "chunked, then identity",
            [chunked, "Transfer-Encoding: identity\r\n"].concat(),
            b"0\r\n\r\n",
            400,
        ),
        bad("9112 11.2", "no name", [": x\r\n", chunked].concat(), b"0\r\n\r\n", 400),
    ]);
}

#[test]
fn length_against_length() {
    run([
        bad("9112 6.3", "two lengths", "Content-Length: 0\r\nContent-Length: 35\r\n", b"", 400),
        bad("9112 6.3", "the other order", "Content-Length: 35\r\nContent-Length: 0\r\n", b"", 400),
        bad("9112 6.3", "a list", "Content-Length: 0, 35\r\n", b"", 400),
        bad("9112 6.3", "a sign", "Content-Length: +0\r\n", b"", 400),
        bad("9112 6.3", "a negative one", "Content-Length: -35\r\n", b"", 400),
        bad("9112 6.3", "2^64, which wraps to 0", "Content-Length: 18446744073709551616\r\n", b"", 400),
        bad("9112 6.3", "one with a space in its name", "Content-Length : 35\r\n", b"", 400),
        bad("9112 6.3", "a folded one", "Content-Length:\r\n 35\r\n", b"", 400),
        bad("9112 6.3", "an empty one", "Content-Length:\r\n", b"", 400),
        bad("9112 6.3", "with NUL", "Content-Length: 0\x005\r\n", b"", 400),
    ]);
}

#[test]
fn within_chunks() {
    let bad = |name, body: &[u8]| bad("9112 7.1", name, "Transfer-Encoding: chunked\r\n", body, 400);
    run([
        bad("a lone LF in an extension", b"0;\n\r\n\r\n"),
        bad("a lone LF after the last size", b"0\n\r\n"),
        bad("a bare CR in an extension", b"0;a\r\n;\rb\r\n\r\n"),
        bad("a size that wraps", b"10000000000000000\r\n\r\n"),
        bad("a negative size", b"-1\r\n\r\n"),
        bad("0x", b"0x0\r\n\r\n"),
        bad("data longer than its size", b"1\r\nab\r\n0\r\n\r\n"),
        bad("no line end after the data", b"1\r\na0\r\n\r\n"),
        bad("any two bytes for the line end", b"1\r\naXX0\r\n\r\n"),
        bad("a trailer with a lone LF", b"0\r\nX-A: 1\n\r\n"),
        bad("a folded trailer", b"0\r\nX-A: 1\r\n 2\r\n\r\n"),
    ]);
}

#[test]
fn within_the_head() {
    let after = |head: &[u8]| [head, HIDDEN].concat();
    run([
        refused("9112 3", "HTTP/0.9", after(b"GET /\r\n"), 400),
        refused("9112 3", "a second request line for a field", after(b"GET / HTTP/1.1\r\n"), 400),
        refused("9112 3.2", "no Host", after(b"GET / HTTP/1.1\r\n\r\n"), 400),
        refused("9112 3.2", "two Hosts", after(b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"), 400),
        refused("9112 2.2", "LF LF ends the head", after(b"GET / HTTP/1.1\r\nHost: a\n\n"), 400),
        refused("9112 2.2", "LF ends the head", after(b"GET / HTTP/1.1\r\nHost: a\r\n\n"), 400),
        refused("9112 2.2", "CR CR ends the head", after(b"GET / HTTP/1.1\r\nHost: a\r\r"), 400),
        refused("9110 9.3.6", "a tunnel", after(b"CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n"), 501),
        refused("9113 3.4", "another protocol", after(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505),
        refused(
            "9112 6.1",
            "chunked in HTTP/1.0",
            after(
                b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ),
            400,
        ),
        refused(
            "9110 10.1.1",
            "an unknown expectation",
            after(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: x\r\nContent-Length: 35\r\n\r\n"),
            417,
        ),
        refused(
            "9110 15.5.14",
            "a body over the limit",
            after(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9000000\r\n\r\n"),
            413,
        ),
    ]);
}

/// The hidden request is a body by the rules, and must be received as one.
#[test]
fn bodies_that_are_requests() {
    let length = format!("Content-Length: {}\r\n", HIDDEN.len());
    let chunked = [format!("{:x}\r\n", HIDDEN.len()).as_bytes(), HIDDEN, b"\r\n0\r\n\r\n"].concat();
    let get = |line: &str| {
        [b"GET / HTTP/1.1\r\nHost: a\r\n", line.as_bytes(), length.as_bytes(), b"\r\n", HIDDEN].concat()
    };
    let in_body = || echo("GET /").received(HIDDEN);
    run([
        served("9112 6.3", "of GET", get(""), [in_body()]),
        served("9112 6.3", "of POST", post(&length, HIDDEN), [echo("POST /").received(HIDDEN)]),
        served(
            "9112 7.1",
            "in a chunk",
            post("Transfer-Encoding: chunked\r\n", chunked),
            [echo("POST /").received(HIDDEN)],
        ),
        served(
            "9110 7.8",
            "of an Upgrade",
            get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"),
            [in_body()],
        ),
        served(
            "9110 7.8",
            "of a WebSocket",
            get("Connection: Upgrade\r\nUpgrade: websocket\r\n"),
            [in_body()],
        ),
        served(
            "9110 7.6.1",
            "of a length that is named in Connection",
            get("Connection: Content-Length\r\n"),
            [in_body()],
        ),
        served("9110 5.1", "an underscore is no hyphen", get("Transfer_Encoding: chunked\r\n"), [in_body()]),
        served(
            "9110 5.1",
            "a prefix makes another name",
            get("X-Transfer-Encoding: chunked\r\nX-Content-Length: 0\r\n"),
            [in_body()],
        ),
    ]);
}
