//! How an answer in parts says its length: in the head, as one chunk, or not at all.

use super::Attended;
use crate::client::{End, Framing};
use std::time::Duration;
use tiny_http::extension::{Answer, Body, Dribble, Length, Limits};

/// Answers by its target: `/length/status/body`, and with `?halve`, `?dribble` or `?parts`.
fn server() -> Attended {
    Attended::start(Limits::default(), |request| {
        let target = request.url().to_owned();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut parts = path.split('/').skip(1);
        let length = match parts.next() {
            Some("declared") => Length::Declared,
            Some("chunk") => Length::Chunk,
            _ => Length::Open,
        };
        let status = parts.next().unwrap().parse().unwrap();
        let body = parts.next().unwrap().as_bytes().to_vec();
        let (first, second) = body.split_at(body.len() / 2);
        let body = match query {
            "parts" => Body::Parts(vec![Body::Bytes(first.to_vec()), Body::Bytes(second.to_vec())]),
            _ => Body::Bytes(body),
        };
        let over = Duration::from_millis(20);
        let dribble = (query == "dribble").then(|| Dribble { slices: 5, over, keep: Box::new(()) });
        let fields = std::iter::empty::<(&[u8], &[u8])>();
        let halve = query == "halve";
        let answer = Answer { status, reason: None, fields, body, close: false, dribble, length, halve };
        let _ = request.answer(answer);
    })
}

#[test]
fn the_length_is_declared_or_not_as_the_program_asks() {
    use Framing::{Bodiless, Chunked, Length, UntilClose};
    let server = server();
    // Method, version, target, framing, declared length, declared coding, body, whether the connection goes on.
    let cases = [
        ("GET", "1.1", "/declared/200/hello", Length, Some("5"), None, "hello", true),
        ("GET", "1.1", "/chunk/200/hello", Chunked, None, Some("chunked"), "hello", true),
        ("GET", "1.1", "/chunk/200/hello?parts", Chunked, None, Some("chunked"), "hello", true),
        ("GET", "1.1", "/chunk/200/hello?dribble", Chunked, None, Some("chunked"), "hello", true),
        ("GET", "1.1", "/chunk/200/", Chunked, None, Some("chunked"), "", true),
        ("GET", "1.1", "/open/200/hello", Chunked, None, Some("chunked"), "hello", true),
        ("GET", "1.0", "/chunk/200/hello", Length, Some("5"), None, "hello", true),
        ("GET", "1.0", "/open/200/hello", UntilClose, None, None, "hello", false),
        ("HEAD", "1.1", "/declared/200/hello", Bodiless, Some("5"), None, "", true),
        ("HEAD", "1.1", "/chunk/200/hello", Bodiless, None, Some("chunked"), "", true),
        ("HEAD", "1.1", "/open/200/", Bodiless, None, Some("chunked"), "", true),
        ("HEAD", "1.0", "/chunk/200/hello", Bodiless, Some("5"), None, "", true),
        ("HEAD", "1.0", "/open/200/", Bodiless, None, None, "", false),
        ("GET", "1.1", "/chunk/204/hello", Bodiless, None, None, "", true),
        ("GET", "1.1", "/open/204/hello", Bodiless, None, None, "", true),
        ("GET", "1.1", "/chunk/205/hello", Length, Some("0"), None, "", true),
        ("GET", "1.1", "/chunk/304/hello", Bodiless, None, Some("chunked"), "", true),
        ("GET", "1.0", "/chunk/304/hello", Bodiless, Some("5"), None, "", true),
    ];
    for (method, version, target, framing, length, coding, body, goes_on) in cases {
        let head = format!("{method} {target} HTTP/{version}\r\nHost: x\r\nConnection: keep-alive\r\n\r\n");
        let mut client = server.send(head.as_bytes());
        let answer = client.answer(method == "HEAD").unwrap_or_else(|wrong| panic!("{head}{wrong}"));
        assert_eq!(
            (answer.framing, String::from_utf8_lossy(&answer.body).as_ref()),
            (framing, body),
            "{head}"
        );
        assert_eq!(answer.values("content-length"), length.as_slice(), "{head}");
        assert_eq!(answer.values("transfer-encoding"), coding.as_slice(), "{head}");
        assert_eq!(answer.lists("connection", "close"), !goes_on, "{head}");
        if goes_on {
            client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
            assert_eq!(client.answer(false).unwrap().body, b"pong", "{head}");
        } else {
            assert_eq!(client.end(), End::Closed, "{head}");
        }
    }
}

#[test]
fn half_of_a_chunk_is_no_whole_answer() {
    let server = server();
    for body in ["hello", "h", "", &"long".repeat(2000)] {
        let mut client = server.get(&format!("/chunk/200/{body}?halve"));
        assert!(client.answer(false).unwrap_err().ends_with("Closed"), "{} bytes", body.len());
    }
}
