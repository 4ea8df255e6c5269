//! Persistent connections and pipelining in HTTP/1.1.

use crate::case::{answer, closed, echo, get, post, refusal, run, served};

const GET_2: &[u8] = b"GET /2 HTTP/1.1\r\nHost: a\r\n\r\n";

fn then_2(first: impl AsRef<[u8]>) -> Vec<u8> {
    [first.as_ref(), GET_2].concat()
}

#[test]
fn options() {
    let last = || [echo("GET /").closing()];
    run([
        served("9112 9.3", "no Connection", get(""), [echo("GET /")]),
        served("9112 9.3", "keep-alive", get("Connection: keep-alive\r\n"), [echo("GET /")]),
        served("9110 7.6.1", "an unknown option", get("Connection: x-a\r\nX-A: 1\r\n"), [echo("GET /")]),
        served("9110 7.6.1", "an option that contains close", get("Connection: closed\r\n"), [echo("GET /")]),
        served("9110 7.6.1", "an empty Connection", get("Connection:\r\n"), [echo("GET /")]),
        served(
            "9110 7.8",
            "an Upgrade is ignored",
            get("Connection: Upgrade\r\nUpgrade: h2c\r\n"),
            [echo("GET /")],
        ),
        closed("9112 9.6", "close", get("Connection: close\r\n"), last()),
        closed("9110 7.6.1", "any case", get("CONNECTION: Close\r\n"), last()),
        closed("9110 7.6.1", "close, keep-alive", get("Connection: close, keep-alive\r\n"), last()),
        closed("9110 7.6.1", "keep-alive, close", get("Connection: keep-alive, close\r\n"), last()),
        closed("9110 5.6.1", "whitespace and empty elements", get("Connection: , x ,\tclose ,\r\n"), last()),
        closed("9110 5.3", "two fields", get("Connection: x\r\nConnection: close\r\n"), last()),
        closed("9110 5.3", "two fields, close first", get("Connection: close\r\nConnection: x\r\n"), last()),
        closed(
            "9112 9.6",
            "close with a body",
            post("Connection: close\r\nContent-Length: 2\r\n", "hi"),
            [echo("POST /").received(b"hi").closing()],
        ),
    ]);
}

#[test]
fn after_close() {
    let post_close = post("Connection: close\r\nContent-Length: 2\r\n", "hi");
    let chunked = post("Connection: close\r\nTransfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n");
    let streamed = b"GET /stream HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let many = [get("Connection: close\r\n"), GET_2.repeat(5000)].concat();
    let raw = b"GET /raw HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    run([
        closed(
            "9112 9.6",
            "a request behind close",
            then_2(get("Connection: close\r\n")),
            [echo("GET /").closing()],
        ),
        closed("9112 9.6", "behind close with a body", then_2(post_close), [echo("POST /").closing()]),
        closed("9112 9.6", "behind close with chunks", then_2(chunked), [echo("POST /").closing()]),
        closed(
            "9112 9.6",
            "behind close of a streamed answer",
            then_2(streamed),
            [answer(200).framed(crate::client::Framing::Chunked).closing()],
        ),
        closed(
            "9112 9.6",
            "behind close of an answer that the program frames",
            then_2(raw),
            [answer(200).body(b"raw").field("date", ["Sun, 06 Nov 1994 08:49:37 GMT"])],
        ),
        closed("9112 9.6", "140 KB behind close", many, [echo("GET /").closing()]),
        closed(
            "9112 9.6",
            "garbage behind close",
            [get("Connection: close\r\n"), vec![0; 100]].concat(),
            [echo("GET /").closing()],
        ),
        closed(
            "9112 9.6",
            "the second of three closes",
            [GET_2, &then_2(get("Connection: close\r\n"))].concat(),
            [echo("GET /2"), echo("GET /").closing()],
        ),
    ]);
}

#[test]
fn pipelining() {
    let numbered = |count: usize| -> Vec<u8> {
        (0..count).flat_map(|n| format!("GET /{n} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()).collect()
    };
    let echoes = |count: usize| (0..count).map(|n| echo(&format!("GET /{n}"))).collect::<Vec<_>>();
    let slow = b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\n";
    let big = b"GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
    let stream = b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n";
    let raw = b"GET /raw HTTP/1.1\r\nHost: a\r\n\r\n";
    let raw_answer = || answer(200).body(b"raw").field("date", ["Sun, 06 Nov 1994 08:49:37 GMT"]);
    let body = post("Content-Length: 5\r\n", "hello");
    let unread = b"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 29\r\n\r\n";
    let unread_chunks = b"POST /unread HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1d\r\n";
    let hidden = b"GET /hidden HTTP/1.1\r\nHost:\r\n";
    run([
        served("9112 9.3.2", "two", numbered(2), echoes(2)),
        served("9112 9.3.2", "200", numbered(200), echoes(200)),
        served(
            "9112 9.3.2",
            "a slow one, then a fast one",
            then_2(slow),
            [echo("GET /slow"), echo("GET /2")],
        ),
        served(
            "9112 9.3.2",
            "bodies",
            [body.clone(), body.clone(), GET_2.to_vec()].concat(),
            [echo("POST /").received(b"hello"), echo("POST /").received(b"hello"), echo("GET /2")],
        ),
        served("9112 9.3.2", "behind a large answer", then_2(big), [answer(200), echo("GET /2")]),
        served(
            "9112 9.3.2",
            "behind a streamed answer",
            then_2(stream),
            [answer(200).framed(crate::client::Framing::Chunked), echo("GET /2")],
        ),
        served(
            "9112 9.3.2",
            "answers that the program frames",
            then_2(raw.repeat(2)),
            [raw_answer(), raw_answer(), echo("GET /2")],
        ),
        served(
            "9112 9.3",
            "a body that the program does not read",
            then_2([unread, hidden.as_slice()].concat()),
            [answer(200).body(b"unread"), echo("GET /2")],
        ),
        served(
            "9112 9.3",
            "chunks that the program does not read",
            then_2([unread_chunks.as_slice(), hidden, b"\r\n0\r\n\r\n"].concat()),
            [answer(200).body(b"unread"), echo("GET /2")],
        ),
        served(
            "9112 2.2",
            "an empty line between",
            then_2([body.as_slice(), b"\r\n"].concat()),
            [echo("POST /").received(b"hello"), echo("GET /2")],
        ),
        served("9112 9.3", "one after the other", numbered(1), echoes(1)).turn(GET_2, [echo("GET /2")]),
        closed(
            "9112 2.2",
            "a longer body than its length",
            [body.as_slice(), b"xyz / HTTP/1.1 \r\n\r\n"].concat(),
            [echo("POST /").received(b"hello"), refusal(400)],
        ),
        served(
            "9112 9.3",
            "half of the next request with the first",
            [get(""), b"GET /2 HT".to_vec()].concat(),
            [echo("GET /")],
        )
        .turn(b"TP/1.1\r\nHost: a\r\n\r\n", [echo("GET /2")]),
    ]);
}

#[test]
fn half_close() {
    run([
        closed("9112 9.6", "an answer to a client that has sent all", get(""), [echo("GET /")]).half_closed(),
        closed(
            "9112 9.6",
            "answers to three",
            [get(""), get(""), get("")].concat(),
            [echo("GET /"), echo("GET /"), echo("GET /")],
        )
        .half_closed(),
        closed("9112 9.6", "after a body", post("Content-Length: 5\r\n", "hello"), [echo("POST /")])
            .half_closed(),
        closed("9112 9.5", "an idle connection", get(""), [echo("GET /")]).turn(b"", []).half_closed(),
        closed("9112 9.5", "a connection without a request", b"", []).half_closed(),
        closed("9112 2.2", "an empty line alone", b"\r\n", []).half_closed(),
    ]);
}
