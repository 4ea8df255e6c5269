//! Header fields: names, values, whitespace and line ends.

use crate::case::{echo, get, refused, run, served};

#[test]
fn names() {
    run([
        served("9110 5.1", "names are case-insensitive", get("x-A: 1\r\n"), [echo("GET /").line("x-a: 1")]),
        served(
            "9110 5.6.2",
            "all characters of a token",
            get("!#$%&'*+-.^_`|~09azAZ: 1\r\n"),
            [echo("GET /").line("!#$%&'*+-.^_`|~09azAZ: 1")],
        ),
        served(
            "9112 5",
            "a name of one letter",
            get("a:1\r\nb:2\r\n"),
            [echo("GET /").line("a: 1").line("b: 2")],
        ),
        refused("9112 5.1", "a space before the colon", get("X-A : 1\r\n"), 400),
        refused("9112 5.1", "a tab before the colon", get("X-A\t: 1\r\n"), 400),
        refused("9112 5.1", "a space before the colon of Host", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        refused("9112 5", "a space within", get("X A: 1\r\n"), 400),
        refused("9112 5", "no name", get(": 1\r\n"), 400),
        refused("9112 5", "a colon alone", get(":\r\n"), 400),
        refused("9112 5", "no colon", get("X-A\r\n"), 400),
        refused("9112 5", "no colon, in the last line", get("X-A: 1\r\nX-B\r\n"), 400),
        refused("9110 5.1", "a parenthesis", get("X(A): 1\r\n"), 400),
        refused("9110 5.1", "an at sign", get("X@A: 1\r\n"), 400),
        refused("9110 5.1", "a slash", get("X/A: 1\r\n"), 400),
        refused("9110 5.1", "brackets", get("X[A]: 1\r\n"), 400),
        refused("9110 5.1", "a quotation mark", get("\"X-A\": 1\r\n"), 400),
        refused("9110 5.1", "a semicolon", get("X;A: 1\r\n"), 400),
        refused("9110 5.1", "NUL", get(b"X\0A: 1\r\n"), 400),
        refused("9110 5.1", "a control character", get(b"X\x01A: 1\r\n"), 400),
        refused("9110 5.1", "delete", get(b"X\x7fA: 1\r\n"), 400),
        refused("9110 5.1", "a byte above 0x7f", get(b"X\xe9A: 1\r\n"), 400),
    ]);
}

#[test]
fn values() {
    run([
        served("9112 5.1", "no space after the colon", get("X-A:1\r\n"), [echo("GET /").line("x-a: 1")]),
        served("9112 5.1", "whitespace around", get("X-A: \t 1 2\t \r\n"), [echo("GET /").line("x-a: 1 2")]),
        served("9110 5.5", "a tab within", get("X-A: 1\t2\r\n"), [echo("GET /").line("x-a: 1\t2")]),
        served("9110 5.5", "empty", get("X-A:\r\nX-B: \r\n"), [echo("GET /").line("x-a: ").line("x-b: ")]),
        served("9110 5.5", "colons", get("X-A: b:c::\r\n"), [echo("GET /").line("x-a: b:c::")]),
        served(
            "9110 5.3",
            "repeated fields are all kept",
            get("X-A: 1\r\nX-B: 2\r\nX-A: 3\r\n"),
            [echo("GET /").line("x-a: 1").line("x-b: 2").line("x-a: 3").line("fields 4")],
        ),
        served("9110 5.5", "UTF-8", get("X-A: caf\u{e9}\r\n"), [echo("GET /").line("x-a: caf\u{e9}")]),
        served("9110 5.5", "Latin-1", get(b"X-A: caf\xe9\r\n"), [echo("GET /").line("x-a: caf\u{e9}")]),
        served("9110 5.5", "a byte of 0x80", get(b"X-A: \x80\r\n"), [echo("GET /").line("x-a: \u{80}")]),
        refused("9110 5.5", "NUL", get(b"X-A: 1\x002\r\n"), 400),
        refused("9110 5.5", "NUL alone", get(b"X-A: \0\r\n"), 400),
        refused("9110 5.5", "a control character", get(b"X-A: 1\x012\r\n"), 400),
        refused("9110 5.5", "an escape", get(b"X-A: \x1b[0m\r\n"), 400),
        refused("9110 5.5", "a backspace", get(b"X-A: 1\x08\r\n"), 400),
        refused("9110 5.5", "a vertical tab at the end", get(b"X-A: 1\x0b\r\n"), 400),
        refused("9110 5.5", "delete", get(b"X-A: \x7f\r\n"), 400),
    ]);
}

#[test]
fn line_ends() {
    run([
        refused("9112 2.2", "a lone LF in the fields, at once", b"GET / HTTP/1.1\r\nHost: a\n", 400),
        refused("9112 2.2", "a lone LF after a later field", get("X-A: 1\nX-B: 2\r\n"), 400),
        refused("9112 2.2", "a lone LF for the end of the head", b"GET / HTTP/1.1\r\nHost: a\r\n\n", 400),
        refused("9112 2.2", "LF LF at the end", b"GET / HTTP/1.1\r\nHost: a\n\n", 400),
        refused("9112 2.2", "LF CR LF", get("X-A: 1\n\r\n"), 400),
        refused("9112 2.2", "a bare CR in a value", get("X-A: 1\r2\r\n"), 400),
        refused("9112 2.2", "a bare CR between fields", get("X-A: 1\rX-B: 2\r\n"), 400),
        refused("9112 2.2", "CR CR LF after a field", get("X-A: 1\r\r\n"), 400),
        refused("9112 2.2", "a bare CR in a name", get("X\r-A: 1\r\n"), 400),
        refused("9112 2.2", "CR CR LF for the end of the head", b"GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", 400),
        refused("9112 5.2", "folding with a space", get("X-A: 1\r\n 2\r\n"), 400),
        refused("9112 5.2", "folding with a tab", get("X-A: 1\r\n\t2\r\n"), 400),
        refused("9112 5.2", "folding to an empty line", get("X-A: 1\r\n \r\n"), 400),
        refused("9112 5.2", "folding after the colon", get("X-A:\r\n 1\r\n"), 400),
        refused("9112 2.2", "a space before the first field", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400),
        refused(
            "9112 2.2",
            "a tab before the first field",
            b"GET / HTTP/1.1\r\n\tX-A: 1\r\nHost: a\r\n\r\n",
            400,
        ),
        refused(
            "9112 2.2",
            "a line of spaces after the request line",
            b"GET / HTTP/1.1\r\n  \r\nHost: a\r\n\r\n",
            400,
        ),
    ]);
}
