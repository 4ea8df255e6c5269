//! Content-Length: the bytes that it delimits, and invalid values.

use crate::case::{Case, abandoned, closed, echo, get, post, refusal, refused, run, served};

fn bad(rfc: &'static str, name: &'static str, value: &[u8]) -> Case {
    refused(rfc, name, post([b"Content-Length: ", value, b"\r\n"].concat(), b"hello"), 400)
}

#[test]
fn delimits() {
    let two = [post("Content-Length: 5\r\n", "hello"), get("")].concat();
    run([
        served(
            "9112 6.3",
            "a body",
            post("Content-Length: 5\r\n", "hello"),
            [echo("POST /").line("length Some(5)").received(b"hello")],
        ),
        served(
            "9112 6.3",
            "a body of any bytes",
            post("Content-Length: 6\r\n", b"\0\r\n\r\n\xff"),
            [echo("POST /").received(b"\0\r\n\r\n\xff")],
        ),
        served("9112 6.3", "none: no body", post("", ""), [echo("POST /").received(b"")]),
        served("9112 6.3", "zero", post("Content-Length: 0\r\n", ""), [echo("POST /").received(b"")]),
        served(
            "9110 8.6",
            "zeros in front",
            post("Content-Length: 0005\r\n", "hello"),
            [echo("POST /").received(b"hello")],
        ),
        served(
            "9110 8.6",
            "many zeros in front",
            post("Content-Length: 0000000000000000000000005\r\n", "hello"),
            [echo("POST /").received(b"hello")],
        ),
        served(
            "9112 5.1",
            "whitespace around",
            post("Content-Length: \t5 \t\r\n", "hello"),
            [echo("POST /").received(b"hello")],
        ),
        served(
            "9110 5.1",
            "lower case",
            post("content-length: 5\r\n", "hello"),
            [echo("POST /").received(b"hello")],
        ),
        served("9112 9.3.2", "the next request", two, [echo("POST /").received(b"hello"), echo("GET /")]),
        served(
            "9112 6.3",
            "1,100 bytes",
            post("Content-Length: 1100\r\n", [b'x'; 1100]),
            [echo("POST /").received(&[b'x'; 1100])],
        ),
        served("9112 6.3", "a body that comes later", post("Content-Length: 5\r\n", ""), [])
            .turn(b"he", [])
            .turn(b"llo", [echo("POST /").received(b"hello")]),
        served(
            "9112 6.3",
            "the limit itself",
            post("Content-Length: 8388608\r\n", vec![b'x'; 8 << 20]),
            [echo("POST /").received(&vec![b'x'; 8 << 20])],
        ),
        abandoned("9112 8", "an incomplete body", post("Content-Length: 5\r\n", "hel")),
        abandoned("9112 8", "a head without its body", post("Content-Length: 5\r\n", "")),
        abandoned("9112 8", "half a head", b"GET / HTTP/1.1\r\nHost: a\r\n"),
        abandoned("9112 8", "half a line", b"GET / HT"),
    ]);
}

#[test]
fn values() {
    run([
        bad("9112 6.3", "a plus sign", b"+5"),
        bad("9112 6.3", "a minus sign", b"-5"),
        bad("9112 6.3", "minus zero", b"-0"),
        bad("9112 6.3", "hexadecimal", b"0x5"),
        bad("9112 6.3", "a letter after", b"5a"),
        bad("9112 6.3", "words", b"five"),
        bad("9112 6.3", "a fraction", b"5.0"),
        bad("9112 6.3", "an exponent", b"5e0"),
        bad("9112 6.3", "a blank within", b"5 5"),
        bad("9112 6.3", "a tab within", b"5\t5"),
        bad("9112 6.3", "an underscore", b"0_5"),
        bad("9112 6.3", "quotation marks", b"\"5\""),
        bad("9112 6.3", "empty", b""),
        bad("9112 6.3", "a list of equal ones", b"5, 5"),
        bad("9112 6.3", "a list without a blank", b"5,5"),
        bad("9112 6.3", "a list of two", b"5, 6"),
        bad("9112 6.3", "an empty element", b"5,"),
        bad("9112 6.3", "a semicolon", b"5;"),
        bad("9112 6.3", "digits of another script", "\u{665}".as_bytes()),
        bad("9112 6.3", "a vertical tab", b"\x0b5"),
        bad("9112 6.3", "2^64", b"18446744073709551616"),
        bad("9112 6.3", "2^64 + 5, which wraps to 5", b"18446744073709551621"),
        bad("9112 6.3", "a hundred digits", &[b'9'; 100]),
        refused(
            "9112 6.3",
            "two equal ones",
            post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"),
            400,
        ),
        refused("9112 6.3", "two", post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), 400),
        refused("9112 6.3", "two, one bad", post("Content-Length: 5\r\nContent-Length: x\r\n", "hello"), 400),
        refused("9112 6.3", "two, one empty", post("Content-Length:\r\nContent-Length: 5\r\n", "hello"), 400),
        refused("9112 6.3", "a bad one of GET", get("Content-Length: x\r\n"), 400),
    ]);
}

/// These values have a table of their own: the published tiny_http 0.12 aborts the process at the first.
#[test]
fn giants() {
    let refused = |name, length: &str| {
        let head = post(format!("Content-Length: {length}\r\n"), "");
        closed("9110 15.5.14", name, head, [refusal(413)])
    };
    run([
        refused("one byte over the limit", "8388609"),
        refused("2 GB", "2000000000"),
        refused("nine quintillions", "9000000000000000000"),
        refused("the largest of 64 bits", "18446744073709551615"),
    ]);
}
