//! The default limits of a server: head 64 KiB, 128 fields, body 8 MiB.

use crate::case::{closed, echo, get, interim, post, refusal, refused, run, served};

const BODY: usize = 8 << 20;

#[test]
fn head() {
    let line = |length: usize| format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "x".repeat(length));
    let endless = format!("GET /{}", "x".repeat(70_000));
    let method = "X".repeat(70_000);
    let field = |length: usize| get(format!("X-A: {}\r\n", "x".repeat(length)));
    let open = [b"GET / HTTP/1.1\r\nHost: a\r\nX-A: ".as_slice(), &[b'x'; 70_000]].concat();
    let name = [b"GET / HTTP/1.1\r\nHost: a\r\n".as_slice(), &[b'x'; 70_000]].concat();
    let both = format!("GET /{0} HTTP/1.1\r\nHost: a\r\nX-A: {0}\r\n\r\n", "x".repeat(40_000));
    run([
        served(
            "9112 3",
            "a target of 8,000 bytes",
            line(7999),
            [echo(&format!("GET /{}", "x".repeat(7999)))],
        ),
        served(
            "9112 3",
            "a target of 60,000 bytes",
            line(60_000),
            [echo(&format!("GET /{}", "x".repeat(60_000)))],
        ),
        refused("9110 15.5.15", "a target of 70,000 bytes", line(70_000), 414),
        refused("9110 15.5.15", "a target of 1 MB", line(1_000_000), 414),
        refused("9110 15.5.15", "at once, without its end", endless, 414),
        closed("9112 3", "a method of 70,000 bytes, at once", method, [refusal(414).or(400)]),
        served("6585 5", "a field of 60,000 bytes", field(60_000), [echo("GET /").line("fields 2")]),
        refused("6585 5", "a field of 66,000 bytes", field(66_000), 431),
        refused("6585 5", "a field of 1 MB", field(1_000_000), 431),
        refused("6585 5", "at once, without its end", open, 431),
        closed("6585 5", "a name of 70,000 bytes, at once", name, [refusal(431).or(400)]),
        refused("6585 5", "target and field together", both, 431),
        served("6585 5", "128 fields", get("X: 1\r\n".repeat(127)), [echo("GET /").line("fields 128")]),
        refused("6585 5", "129 fields", get("X: 1\r\n".repeat(128)), 431),
        refused("6585 5", "10,000 fields", get("X: 1\r\n".repeat(10_000)), 431),
        closed(
            "6585 5",
            "the second request",
            [get(""), field(70_000)].concat(),
            [echo("GET /"), refusal(431)],
        ),
    ]);
}

#[test]
fn body() {
    let chunked = "Transfer-Encoding: chunked\r\n";
    let whole = [b"800000\r\n".as_slice(), &vec![b'x'; BODY], b"\r\n"].concat();
    let exact = [&whole, b"0\r\n\r\n".as_slice()].concat();
    let over = [&whole, b"1\r\nx\r\n0\r\n\r\n".as_slice()].concat();
    let single = [b"1\r\nx\r\n".repeat(5000).as_slice(), b"0\r\n\r\n"].concat();
    let expect = "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n";
    run([
        served(
            "9110 15.5.14",
            "chunks up to the limit",
            post(chunked, exact),
            [echo("POST /").received(&vec![b'x'; BODY])],
        ),
        refused("9110 15.5.14", "chunks over the limit", post(chunked, over), 413),
        refused("9110 15.5.14", "a chunk of 2^60 bytes", post(chunked, b"fffffffffffffff\r\n"), 413),
        refused("9110 15.5.14", "a chunk of 2^64 - 1 bytes", post(chunked, b"ffffffffffffffff\r\n"), 413),
        refused(
            "9110 15.5.14",
            "two whose sum wraps",
            post(chunked, b"2\r\nhe\r\nffffffffffffffff\r\n"),
            413,
        ),
        served(
            "9112 7.1",
            "5,000 chunks of one byte",
            post(chunked, single),
            [echo("POST /").received(&[b'x'; 5000])],
        ),
        refused(
            "9110 15.5.14",
            "a length over the limit, at once",
            post("Content-Length: 8388609\r\n", ""),
            413,
        ),
        refused("9110 15.5.14", "with a part of it", post("Content-Length: 8388609\r\n", [b'x'; 1000]), 413),
        closed("9110 15.5.14", "a chunk too large, after 100", post(expect, ""), [interim()])
            .turn(b"fffffffffffffff\r\n", [refusal(413)]),
    ]);
}
