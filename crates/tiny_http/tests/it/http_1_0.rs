//! HTTP/1.0 clients.

use crate::case::{answer, closed, echo, refusal, refused, run, served};
use crate::client::Framing;
use crate::harness::STREAMED;

const KEEP: &[u8] = b"GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";

#[test]
fn connections() {
    let kept = || echo("GET /1").field("connection", ["keep-alive"]);
    let with = |line: &str| format!("GET /1 HTTP/1.0\r\n{line}\r\n");
    run([
        closed("9112 9.3", "closes", with(""), [echo("GET /1").line("version 1.0").line("fields 0")]),
        closed("9112 9.3", "close", with("Connection: close\r\n"), [echo("GET /1")]),
        closed("9112 9.3", "another option", with("Connection: x\r\n"), [echo("GET /1")]),
        closed("9112 9.3", "a request behind", [with("").as_bytes(), KEEP].concat(), [echo("GET /1")]),
        served("9112 9.3", "keep-alive", KEEP, [kept()]),
        served("9112 9.3", "Keep-Alive", with("connection: Keep-Alive\r\n"), [kept()]),
        served("9110 7.6.1", "in a list", with("Connection: x, keep-alive\r\n"), [kept()]),
        served(
            "9110 5.3",
            "in the second field",
            with("Connection: x\r\nConnection: keep-alive\r\n"),
            [kept()],
        ),
        closed("9112 9.3", "keep-alive, close", with("Connection: keep-alive, close\r\n"), [echo("GET /1")]),
        served("9112 9.3", "two kept alive", [KEEP, KEEP].concat(), [kept(), kept()]),
        closed(
            "9112 9.3",
            "kept alive, then not",
            [KEEP, with("").as_bytes()].concat(),
            [kept(), echo("GET /1")],
        ),
        served("9112 9.3", "kept alive with a Host", with("Host: a\r\nConnection: keep-alive\r\n"), [kept()]),
    ]);
}

#[test]
fn messages() {
    run([
        closed(
            "9112 6.3",
            "a body with a length",
            b"POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello",
            [echo("POST /").received(b"hello")],
        ),
        closed("9112 6.3", "no length: no body", b"POST / HTTP/1.0\r\n\r\n", [echo("POST /").received(b"")]),
        closed(
            "9112 6.1",
            "a streamed answer",
            b"GET /stream HTTP/1.0\r\n\r\n",
            [answer(200).framed(Framing::UntilClose).body(STREAMED).field("transfer-encoding", [])],
        ),
        closed(
            "9112 6.1",
            "a streamed answer, though kept alive",
            b"GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            [answer(200).framed(Framing::UntilClose).body(STREAMED).field("transfer-encoding", [])],
        ),
        closed("9110 9.3.2", "HEAD", b"HEAD / HTTP/1.0\r\n\r\n", [answer(200).of_head()]),
        closed(
            "9110 9.3.2",
            "HEAD of a streamed answer",
            b"HEAD /stream HTTP/1.0\r\n\r\n",
            [answer(200).of_head().field("transfer-encoding", [])],
        ),
        refused(
            "9112 6.3",
            "two lengths",
            b"POST / HTTP/1.0\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            400,
        ),
        refused("9112 5.1", "a space before the colon", b"GET / HTTP/1.0\r\nX-A : 1\r\n\r\n", 400),
        refused("9110 7.2", "a bad Host", b"GET / HTTP/1.0\r\nHost: a/b\r\n\r\n", 400),
        refused("9112 2.2", "a lone LF", b"GET / HTTP/1.0\n\n", 400),
        closed(
            "9112 9.3",
            "kept alive, then refused",
            [KEEP, b"GET  / HTTP/1.0\r\n\r\n"].concat(),
            [echo("GET /1"), refusal(400)],
        ),
    ]);
}
