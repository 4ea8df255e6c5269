//! The request line: method, separators and version.

use crate::case::{answer, closed, echo, get, refusal, refused, run, served};

#[test]
fn separators() {
    run([
        refused("9112 3", "two spaces before the target", b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "two spaces before the version", b"GET /  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a tab before the target", b"GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a tab before the version", b"GET /\tHTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a tab beside a space", b"GET \t/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a vertical tab for a space", b"GET\x0b/ HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a form feed for a space", b"GET /\x0cHTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a space at the end", b"GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a tab at the end", b"GET / HTTP/1.1\t\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a space at the start", b" GET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a fourth word", b"GET / HTTP/1.1 x\r\nHost: a\r\n\r\n", 400),
        refused("9112 3.2", "a space in the target", b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3.2", "a version in the target", b"GET / HTTP/1.1 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a method alone", b"GET\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "a version alone", b"HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "no target", b"GET HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "an empty target", b"GET  HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 3", "an answer for a request", b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 400),
    ]);
}

#[test]
fn line_ends() {
    run([
        served(
            "9112 2.2",
            "an empty line before",
            b"\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
            [echo("GET /1")],
        ),
        served(
            "9112 2.2",
            "three empty lines",
            b"\r\n\r\n\r\nGET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
            [echo("GET /1")],
        ),
        refused("9112 2.2", "a lone LF before", b"\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.2", "a lone CR before", b"\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.2", "a lone LF, at once", b"GET / HTTP/1.1\n", 400),
        refused("9112 2.2", "a lone LF, all lines", b"GET / HTTP/1.1\nHost: a\n\n", 400),
        refused("9112 2.2", "a lone LF, this line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
        refused("9112 2.2", "a bare CR at the end", b"GET / HTTP/1.1\rHost: a\r\n\r\n", 400),
        refused("9112 2.2", "a bare CR within", b"GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.2", "CR CR LF", b"GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.2", "a lone LF in the method, at once", b"GET\n", 400),
    ]);
}

#[test]
fn methods() {
    run([
        served(
            "9110 9.1",
            "methods are case-sensitive",
            b"get /1 HTTP/1.1\r\nHost: a\r\n\r\n",
            [echo("get /1")],
        ),
        served("9110 9.1", "an unknown method", b"BREW /1 HTTP/1.1\r\nHost: a\r\n\r\n", [echo("BREW /1")]),
        served(
            "9110 5.6.2",
            "all characters of a token",
            b"M!#$%&'*+-.^_`|~09 /1 HTTP/1.1\r\nHost: a\r\n\r\n",
            [echo("M!#$%&'*+-.^_`|~09 /1")],
        ),
        served("9110 9.3.5", "DELETE", b"DELETE /1 HTTP/1.1\r\nHost: a\r\n\r\n", [echo("DELETE /1")]),
        served(
            "5789 2",
            "PATCH",
            b"PATCH /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
            [echo("PATCH /1").received(b"hi")],
        ),
        served(
            "9110 9.3.1",
            "GET with a body",
            b"GET /1 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi",
            [echo("GET /1").received(b"hi")],
        ),
        refused("9110 9.1", "a parenthesis", b"GE(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 9.1", "a comma", b"GET,POST / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 9.1", "a colon", b"Host: / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 9.1", "quotation marks", b"\"GET\" / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 9.1", "NUL", b"GE\0T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 9.1", "a byte above 0x7f", b"G\xc3\x89T / HTTP/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 9.3.6", "CONNECT", b"CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n", 501),
        refused("9110 9.3.6", "CONNECT with a path", b"CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", 501),
        refused("9112 3", "a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ]);
}

#[test]
fn versions() {
    run([
        served("9110 2.5", "1.2 is served as 1.1", b"GET /1 HTTP/1.2\r\nHost: a\r\n\r\n", [echo("GET /1")]),
        served("9110 2.5", "1.9 is served as 1.1", b"GET /1 HTTP/1.9\r\nHost: a\r\n\r\n", [echo("GET /1")]),
        refused("9110 2.5", "1.2 needs a Host as 1.1 does", b"GET / HTTP/1.2\r\n\r\n", 400),
        served("9112 2.3", "the version of a request", get(""), [echo("GET /").line("version 1.1")]),
        refused("9112 2.3", "no version", b"GET /\r\n", 400),
        refused("9112 2.3", "no version, with fields", b"GET /\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "lower case", b"GET / http/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "mixed case", b"GET / Http/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "two digits of minor", b"GET / HTTP/1.10\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "two digits of major", b"GET / HTTP/01.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "no dot", b"GET / HTTP/11\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "no minor", b"GET / HTTP/1.\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "no minor and no dot", b"GET / HTTP/1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "a comma for the dot", b"GET / HTTP/1,1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "a letter for a digit", b"GET / HTTP/1.x\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "a letter for the major", b"GET / HTTP/x.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "another name", b"GET / HTTPS/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "another protocol", b"GET / ICY/1.1\r\nHost: a\r\n\r\n", 400),
        refused("9112 2.3", "a space within", b"GET / HTTP/ 1.1\r\nHost: a\r\n\r\n", 400),
        refused("9110 15.6.6", "HTTP/2.0", b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        refused("9110 15.6.6", "HTTP/3.0", b"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
        refused("9110 15.6.6", "HTTP/0.9 spelled out", b"GET / HTTP/0.9\r\nHost: a\r\n\r\n", 505),
        refused("9113 3.4", "the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ]);
}

#[test]
fn order_of_faults() {
    run([
        closed(
            "9112 2.2",
            "a good request, then garbage",
            [get("").as_slice(), b"\x01\x02\r\n\r\n"].concat(),
            [echo("GET /"), refusal(400)],
        ),
        closed(
            "9112 3",
            "answers before a refusal",
            [get("").as_slice(), &get(""), b"GET  / HTTP/1.1\r\n"].concat(),
            [echo("GET /"), answer(200), refusal(400)],
        ),
    ]);
}
