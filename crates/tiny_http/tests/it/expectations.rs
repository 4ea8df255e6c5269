//! Expect: 100-continue, and unknown expectations.

use crate::case::{closed, echo, get, interim, post, refusal, refused, run, served};

#[test]
fn continued() {
    let hello = || [echo("POST /").received(b"hello")];
    run([
        served(
            "9110 10.1.1",
            "a body with a length",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""),
            [interim()],
        )
        .turn(b"hello", hello()),
        served(
            "9110 10.1.1",
            "a chunked body",
            post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", ""),
            [interim()],
        )
        .turn(b"5\r\nhello\r\n0\r\n\r\n", hello()),
        served(
            "9110 10.1.1",
            "any case",
            post("EXPECT: 100-Continue\r\nContent-Length: 5\r\n", ""),
            [interim()],
        )
        .turn(b"hello", hello()),
        served(
            "9110 10.1.1",
            "once, though the body comes in pieces",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""),
            [interim()],
        )
        .turn(b"he", [])
        .turn(b"llo", hello()),
        served(
            "9110 10.1.1",
            "HTTP/1.2",
            b"POST / HTTP/1.2\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
            [interim()],
        )
        .turn(b"hello", hello()),
        served(
            "9110 10.1.1",
            "the second of two",
            [get(""), post("Expect: 100-continue\r\nContent-Length: 5\r\n", "")].concat(),
            [echo("GET /"), interim()],
        )
        .turn(b"hello", hello()),
        served(
            "9110 10.1.1",
            "each of two",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", ""),
            [interim()],
        )
        .turn(
            [b"hello".as_slice(), &post("Expect: 100-continue\r\nContent-Length: 5\r\n", "")].concat(),
            [echo("POST /"), interim()],
        )
        .turn(b"hello", hello()),
    ]);
}

#[test]
fn without_interim() {
    let hello = || [echo("POST /").received(b"hello")];
    run([
        served(
            "9110 10.1.1",
            "the body is here",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"),
            hello(),
        ),
        served(
            "9110 10.1.1",
            "a part of it is here",
            post("Expect: 100-continue\r\nContent-Length: 5\r\n", "h"),
            [],
        )
        .turn(b"ello", hello()),
        served(
            "9110 10.1.1",
            "the chunks are here",
            post("Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            hello(),
        ),
        served(
            "9110 10.1.1",
            "no body",
            post("Expect: 100-continue\r\nContent-Length: 0\r\n", ""),
            [echo("POST /")],
        ),
        served("9110 10.1.1", "no length", get("Expect: 100-continue\r\n"), [echo("GET /")]),
        closed(
            "9110 10.1.1",
            "HTTP/1.0",
            b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
            [],
        )
        .turn(b"hello", hello()),
        closed(
            "9110 10.1.1",
            "HTTP/1.0, another expectation",
            b"POST / HTTP/1.0\r\nExpect: x\r\nContent-Length: 5\r\n\r\nhello",
            hello(),
        ),
    ]);
}

#[test]
fn refusals() {
    let expect = "Expect: 100-continue\r\n";
    run([
        refused("9110 15.5.18", "another expectation", post("Expect: x\r\nContent-Length: 5\r\n", ""), 417),
        refused(
            "9110 15.5.18",
            "another one, with its body",
            post("Expect: x\r\nContent-Length: 5\r\n", "hello"),
            417,
        ),
        refused("9110 15.5.18", "another one of GET", get("Expect: 200-ok\r\n"), 417),
        refused("9110 15.5.18", "one more than known", get("Expect: 100-continue, x\r\n"), 417),
        refused("9110 15.5.18", "in two fields", get("Expect: 100-continue\r\nExpect: x\r\n"), 417),
        refused("9110 15.5.18", "with a value", get("Expect: 100-continue=1\r\n"), 417),
        refused(
            "9110 10.1.1",
            "length over the limit",
            post([expect, "Content-Length: 9000000000\r\n"].concat(), ""),
            413,
        ),
        refused(
            "9110 10.1.1",
            "no Host",
            b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
            400,
        ),
        refused("9110 10.1.1", "a bad length", post([expect, "Content-Length: x\r\n"].concat(), ""), 400),
        refused(
            "9110 10.1.1",
            "a bad coding",
            post([expect, "Transfer-Encoding: gzip, chunked\r\n"].concat(), ""),
            501,
        ),
        closed(
            "9110 10.1.1",
            "a bad chunk, after 100",
            post([expect, "Transfer-Encoding: chunked\r\n"].concat(), ""),
            [interim()],
        )
        .turn(b"x\r\n", [refusal(400)]),
    ]);
}
