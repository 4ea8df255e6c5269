//! Trailer fields: checked as header fields are, and dropped.

use crate::case::{Case, abandoned, echo, get, post, refused, run, served};

fn with_trailers(trailers: &[u8]) -> Vec<u8> {
    post("Transfer-Encoding: chunked\r\n", [b"5\r\nhello\r\n0\r\n", trailers, b"\r\n"].concat())
}

fn dropped(rfc: &'static str, name: &'static str, trailers: &str) -> Case {
    let description = echo("POST /").received(b"hello").line("fields 2").lacks("x-trailer");
    served(rfc, name, with_trailers(trailers.as_bytes()), [description])
}

fn bad(rfc: &'static str, name: &'static str, trailers: &[u8]) -> Case {
    refused(rfc, name, with_trailers(trailers), 400)
}

#[test]
fn trailers() {
    let two = [with_trailers(b"X-Trailer: 1\r\n"), get("")].concat();
    run([
        dropped("9112 7.1.2", "one", "X-Trailer: 1\r\n"),
        dropped("9112 7.1.2", "three", "X-Trailer: 1\r\nX-Trailer: 2\r\nX-B: 3\r\n"),
        dropped("9112 7.1.2", "empty, and bytes above 0x7f", "X-Trailer:\r\nX-B: \u{e9}\r\n"),
        dropped("9110 6.5.1", "Host has no effect", "Host: b\r\n"),
        dropped("9110 6.5.1", "Content-Length has no effect", "Content-Length: 100\r\n"),
        dropped("9110 6.5.1", "Transfer-Encoding has no effect", "Transfer-Encoding: chunked\r\n"),
        dropped("9110 6.5.1", "Connection has no effect", "Connection: close\r\n"),
        dropped("9110 6.5.1", "Expect has no effect", "Expect: 100-continue\r\n"),
        served("9112 9.3.2", "a request behind", two, [echo("POST /").received(b"hello"), echo("GET /")]),
        bad("9112 5.1", "a space before the colon", b"X-Trailer : 1\r\n"),
        bad("9112 5", "no colon", b"X-Trailer\r\n"),
        bad("9112 5", "no name", b": 1\r\n"),
        bad("9112 5.2", "folding", b"X-Trailer: 1\r\n 2\r\n"),
        bad("9112 5.2", "a space before the first", b" X-Trailer: 1\r\n"),
        bad("9110 5.1", "a parenthesis in the name", b"X(: 1\r\n"),
        bad("9110 5.5", "NUL", b"X-Trailer: \0\r\n"),
        bad("9110 5.5", "a control character", b"X-Trailer: \x01\r\n"),
        bad("9112 2.2", "a lone LF", b"X-Trailer: 1\nX-B: 2\r\n"),
        bad("9112 2.2", "a bare CR", b"X-Trailer: 1\rX-B: 2\r\n"),
        bad("9112 7.1.2", "a request for a trailer", b"GET / HTTP/1.1\r\nHost: a\r\n"),
        abandoned(
            "9112 8",
            "cut within a trailer",
            post("Transfer-Encoding: chunked\r\n", b"0\r\nX-Trailer: "),
        ),
    ]);
}

#[test]
fn too_large() {
    let long = format!("X-Trailer: {}\r\n", "x".repeat(70_000));
    let endless = format!("0\r\nX-Trailer: {}", "x".repeat(70_000));
    let sum = format!("X-Trailer: {}\r\n", "x".repeat(1000)).repeat(70);
    run([
        refused("6585 5", "one of 70,000 bytes", with_trailers(long.as_bytes()), 431),
        refused("6585 5", "at once", post("Transfer-Encoding: chunked\r\n", endless), 431),
        refused("6585 5", "70 of 1,000 bytes", with_trailers(sum.as_bytes()), 431),
        dropped("6585 5", "60 of 1,000 bytes", &format!("X-Trailer: {}\r\n", "x".repeat(980)).repeat(60)),
    ]);
}
