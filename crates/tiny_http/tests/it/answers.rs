//! Answers: their bodies, the framing of these, and the fields that the engine adds, keeps and drops.

use crate::case::{Answer, Case, Then, answer, case, closed, echo, get, run, served};
use crate::client::Framing;
use crate::harness::{BIG, STREAMED};

fn request(method: &str, path: &str) -> Vec<u8> {
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
}

fn asked(rfc: &'static str, name: &'static str, line: &str, expect: Answer) -> Case {
    let (method, path) = line.split_once(' ').unwrap();
    served(rfc, name, request(method, path), [expect])
}

#[test]
fn bodies() {
    let streamed = || answer(200).framed(Framing::Chunked).body(STREAMED);
    run([
        asked("9112 6.3", "a known length", "GET /big", answer(200).body(&[b'b'; BIG])),
        asked("9112 6.3", "an empty body", "GET /empty", answer(200).field("content-length", ["0"])),
        asked("9112 6.3", "a body of 6 bytes", "GET /status/404", answer(404).field("content-length", ["6"])),
        asked("9112 7.1", "an unknown length", "GET /stream", streamed()),
        closed(
            "9112 7.1",
            "an unknown length, then close",
            b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            [streamed().closing()],
        ),
        asked("9110 15.3.5", "204", "GET /status/204", answer(204).framed(Framing::Bodiless)),
        asked("9110 15.3.5", "204 to POST", "POST /status/204", answer(204).framed(Framing::Bodiless)),
        asked("9110 15.4.5", "304", "GET /status/304", answer(304).framed(Framing::Bodiless)),
        asked(
            "9110 8.6",
            "304 has the length that 200 would have",
            "GET /status/304",
            answer(304)
                .framed(Framing::Bodiless)
                .field("content-length", ["6"])
                .field("transfer-encoding", []),
        ),
        asked("9110 15.5", "a client error", "GET /status/418", answer(418).body(b"a body")),
        asked("9110 15.6", "a server error", "GET /status/503", answer(503).body(b"a body")),
        asked("9110 15", "a code without a name", "GET /status/299", answer(299).body(b"a body")),
        asked(
            "9110 9.3.8",
            "no method but HEAD and CONNECT drops bodies",
            "TRACE /status/404",
            answer(404).body(b"a body"),
        ),
    ]);
}

#[test]
fn head() {
    let of_head = || answer(200).of_head();
    let with_get = [request("HEAD", "/big"), get("")].concat();
    let statuses =
        [request("HEAD", "/status/204"), request("HEAD", "/status/304"), request("GET", "/status/204")];
    run([
        asked("9110 9.3.2", "a known length", "HEAD /big", of_head().field("content-length", ["200000"])),
        asked(
            "9110 9.3.2",
            "a short body",
            "HEAD /status/404",
            answer(404).of_head().field("content-length", ["6"]),
        ),
        asked("9110 9.3.2", "an unknown length", "HEAD /stream", of_head().field("content-length", [])),
        asked("9110 9.3.2", "no body", "HEAD /empty", of_head().field("content-length", ["0"])),
        served("9110 9.3.2", "a request behind", with_get, [of_head(), echo("GET /")]),
        served(
            "9110 9.3.2",
            "204 and 304",
            statuses.concat(),
            [answer(204).of_head(), answer(304).of_head(), answer(204).framed(Framing::Bodiless)],
        ),
        closed(
            "9110 9.3.2",
            "close",
            b"HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
            [of_head().closing()],
        ),
        served(
            "9110 9.3.2",
            "with a body of its own",
            b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /",
            [of_head()],
        ),
        closed(
            "9110 9.3.2",
            "a refusal has no body either",
            b"HEAD / HTTP/1.1\r\n\r\n",
            [crate::case::refusal(400).of_head()],
        ),
    ]);
}

#[test]
fn fields() {
    let fixed = "Sun, 06 Nov 1994 08:49:37 GMT";
    let kept = |path: &str| {
        asked(
            "9110 5.5",
            "a refused field",
            path,
            answer(200).field("x-b", ["kept"]).field("x-injected", []).field("x-a", []),
        )
    };
    run([
        asked("9110 6.6.1", "Date", "GET /", answer(200)),
        asked("9110 6.6.1", "Date of 204", "GET /status/204", answer(204).framed(Framing::Bodiless)),
        asked("9110 6.6.1", "a Date of the program", "GET /dated", answer(200).field("date", [fixed])),
        asked(
            "9110 5.3",
            "Set-Cookie twice",
            "GET /cookies",
            answer(200).field("set-cookie", ["a=1", "b=2"]),
        ),
        asked(
            "9110 7.6.1",
            "fields of the connection are the engine's",
            "GET /connection",
            echo("GET /connection")
                .field("connection", [])
                .field("transfer-encoding", [])
                .field("trailer", [])
                .field("upgrade", [])
                .field("keep-alive", [])
                .field("x-a", ["kept"]),
        ),
        asked("9110 5.5", "bytes above 0x7f", "GET /utf8", answer(200).field("x-a", ["é"])),
        kept("GET /inject/crlf"),
        kept("GET /inject/lf"),
        kept("GET /inject/nul"),
        kept("GET /inject/name"),
    ]);
}

#[test]
fn without_an_answer() {
    let drop = request("GET", "/drop");
    run([case("9110 15.6.1", "a request that the program drops", drop, [answer(500)], Then::Either)]);
}
