//! The chunked coding: sizes, extensions, data, and line ends.

use crate::case::{Case, abandoned, echo, get, post, refused, run, served};

fn chunked(body: &[u8]) -> Vec<u8> {
    post("Transfer-Encoding: chunked\r\n", body)
}

fn good(rfc: &'static str, name: &'static str, body: impl AsRef<[u8]>, decoded: &[u8]) -> Case {
    served(rfc, name, chunked(body.as_ref()), [echo("POST /").received(decoded)])
}

fn bad(rfc: &'static str, name: &'static str, body: impl AsRef<[u8]>) -> Case {
    refused(rfc, name, chunked(body.as_ref()), 400)
}

#[test]
fn sizes() {
    run([
        good("9112 7.1", "one chunk", "5\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1", "two chunks", "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1", "none", "0\r\n\r\n", b""),
        good("9112 7.1", "lower case", "b\r\nhello world\r\n0\r\n\r\n", b"hello world"),
        good("9112 7.1", "upper case", "B\r\nhello world\r\n0\r\n\r\n", b"hello world"),
        good("9112 7.1", "zeros in front", "0005\r\nhello\r\n0\r\n\r\n", b"hello"),
        good(
            "9112 7.1",
            "20 digits, 19 of them zeros",
            "00000000000000000005\r\nhello\r\n0\r\n\r\n",
            b"hello",
        ),
        good("9112 7.1", "a last chunk of many zeros", "5\r\nhello\r\n0000\r\n\r\n", b"hello"),
        good("9112 7.1", "data that looks like the end", "7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n", b"\r\n0\r\n\r\n"),
        good(
            "9112 7.1",
            "1,100 bytes",
            [b"44c\r\n", [b'x'; 1100].as_slice(), b"\r\n0\r\n\r\n"].concat(),
            &[b'x'; 1100],
        ),
        bad("9112 7.1", "no size", "\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a letter that is no digit", "g\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a digit and a letter", "5g\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "0x", "0x5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a plus sign", "+5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a minus sign", "-5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "minus zero", "5\r\nhello\r\n-0\r\n\r\n"),
        bad("9112 7.1", "a space before", " 5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "an underscore", "0_5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "two sizes", "5 5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a comma", "5,5\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "NUL", b"5\0\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "17 digits", "10000000000000000\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "17 digits, which wrap to 5", "10000000000000005\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "overflow in the second chunk", "5\r\nhello\r\nfffffffffffffffff\r\n"),
        bad("9112 7.1", "a second chunk without size", "5\r\nhello\r\n\r\n0\r\n\r\n"),
    ]);
}

#[test]
fn extensions() {
    let long = format!("5;a={}\r\nhello\r\n0\r\n\r\n", "x".repeat(3000));
    let too_long = format!("5;a={}\r\nhello\r\n0\r\n\r\n", "x".repeat(5000));
    let endless = format!("5;a={}", "x".repeat(5000));
    let zeros = format!("{}5\r\nhello\r\n0\r\n\r\n", "0".repeat(5000));
    run([
        good("9112 7.1.1", "a name", "5;a\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "a name and a value", "5;a=b\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "two", "5;a=b;c=d\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "of the last chunk", "5\r\nhello\r\n0;a=b\r\n\r\n", b"hello"),
        good("9112 7.1.1", "a quoted string", "5;a=\"b c\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "a semicolon in a quoted string", "5;a=\";b\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9110 5.6.4", "an escaped quotation mark", "5;a=\"\\\"\"\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "whitespace before the semicolon", "5 ;a=b\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "whitespace after the semicolon", "5; a = b\r\nhello\r\n0\r\n\r\n", b"hello"),
        good("9112 7.1.1", "3,000 bytes", long, b"hello"),
        bad("9112 7.1.1", "5,000 bytes", too_long),
        bad("9112 7.1.1", "5,000 bytes, at once", endless),
        bad("9112 7.1.1", "5,000 zeros", zeros),
        bad("9112 7.1.1", "a lone LF", "5;a\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1.1", "a lone LF within", "5;a\n\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1.1", "a bare CR", "5;a\rb\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1.1", "a bare CR in a quoted string", "5;a=\"\r\"\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1.1", "a line end in a quoted string", "5;a=\"\r\n\"\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1.1", "of the last chunk, with a lone LF", "5\r\nhello\r\n0;a\n\r\n"),
    ]);
}

#[test]
fn line_ends() {
    run([
        bad("9112 7.1", "a lone LF after the size", "5\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a lone LF after the size, at once", "5\n"),
        bad("9112 7.1", "a bare CR after the size", "5\rhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "CR CR LF after the size", "5\r\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a lone LF after the data", "5\r\nhello\n0\r\n\r\n"),
        bad("9112 7.1", "LF LF after the data", "5\r\nhello\n\n0\r\n\r\n"),
        bad("9112 7.1", "CR CR after the data", "5\r\nhello\r\r0\r\n\r\n"),
        bad("9112 7.1", "nothing after the data", "5\r\nhello0\r\n\r\n"),
        bad("9112 7.1", "longer data than its size", "5\r\nhello!\r\n0\r\n\r\n"),
        bad("9112 7.1", "shorter data than its size", "6\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "an empty line after the size", "5\r\n\r\nhello\r\n0\r\n\r\n"),
        bad("9112 7.1", "a lone LF after the last chunk", "5\r\nhello\r\n0\n\r\n"),
        bad("9112 7.1", "a lone LF at the end", "5\r\nhello\r\n0\r\n\n"),
        bad("9112 7.1", "a lone LF, both at the end", "5\r\nhello\r\n0\n\n"),
        bad("9112 7.1", "a bare CR at the end", "5\r\nhello\r\n0\r\n\rGET"),
    ]);
}

#[test]
fn the_next_request() {
    let body = chunked(b"5\r\nhello\r\n0\r\n\r\n");
    run([
        served(
            "9112 9.3.2",
            "a request behind",
            [body.clone(), get("")].concat(),
            [echo("POST /").received(b"hello"), echo("GET /")],
        ),
        served(
            "9112 9.3.2",
            "two chunked ones",
            [body.clone(), body].concat(),
            [echo("POST /").received(b"hello"), echo("POST /").received(b"hello")],
        ),
        served("9112 7.1", "chunks that come later", chunked(b"2\r\nhe\r\n3\r"), [])
            .turn(b"\nllo\r\n0\r\n", [])
            .turn(b"\r\n", [echo("POST /").received(b"hello")]),
        abandoned("9112 8", "no last chunk", chunked(b"5\r\nhello\r\n")),
        abandoned("9112 8", "no empty line at the end", chunked(b"5\r\nhello\r\n0\r\n")),
        abandoned("9112 8", "half a chunk", chunked(b"5\r\nhe")),
    ]);
}
