//! Connections that are broken on purpose, and answers that dribble. Neither occupies the worker.

use super::{Attended, eventually};
use std::io::Cursor;
use std::time::{Duration, Instant};
use tiny_http::Request;
use tiny_http::extension::{Limits, Step, Then};

/// Answers, or breaks the connection, as the path says.
fn break_it(request: Request) {
    let (steps, then) = match request.url() {
        "/close" => (vec![], Then::Close),
        "/reset" => (vec![], Then::Reset),
        "/partial-close" => (vec![Step::Bytes(HALF.to_vec())], Then::Close),
        "/partial-reset" => {
            (vec![Step::Bytes(HALF.to_vec()), Step::Pause(Duration::from_millis(50))], Then::Reset)
        }
        "/garbage" => (vec![Step::Bytes(b"\0\xff garbage \r\n\r\n".to_vec())], Then::Close),
        "/late-close" => (vec![Step::Pause(SLICE)], Then::Close),
        "/stream" => (
            vec![
                Step::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 3000000\r\n\r\n".to_vec()),
                Step::Stream(Box::new(Cursor::new(vec![b's'; 3_000_000]))),
            ],
            Then::Next,
        ),
        _ => (dribble(), Then::Next),
    };
    let _ = request.perform(steps, then);
}

const HALF: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
const WHOLE: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const SLICE: Duration = Duration::from_millis(20);

/// An answer in slices of ten bytes.
fn dribble() -> Vec<Step> {
    let slices = WHOLE.chunks(10).map(|slice| Step::Bytes(slice.to_vec()));
    slices.flat_map(|slice| [Step::Pause(SLICE), slice]).collect()
}

#[test]
fn connections_break_as_the_program_asks() {
    let server = Attended::start(Limits::default(), break_it);
    let cases: [(&str, &[u8], &str); 6] = [
        ("/close", b"", "instead of an answer or the next line of it: Closed"),
        ("/reset", b"", "instead of an answer or the next line of it: Reset"),
        ("/partial-close", HALF, "within a body: Closed"),
        ("/partial-reset", HALF, "within a body: Reset"),
        ("/garbage", b"\0\xff garbage \r\n\r\n", "no status line: \"\\0\u{fffd} garbage \""),
        ("/late-close", b"", "instead of an answer or the next line of it: Closed"),
    ];
    for (path, bytes, end) in cases {
        let mut client = server.get(path);
        assert_eq!(client.answer(false).unwrap_err(), end, "{path}");
        assert_eq!(client.received, bytes, "{path}");
    }
    server.until_open(0);
}

#[test]
fn answers_that_dribble_keep_no_worker_and_the_connection_goes_on() {
    let server = Attended::start(Limits::default(), break_it);
    let began = Instant::now();
    let mut clients: Vec<_> = (0..50).map(|_| server.get("/dribble")).collect();
    // All of them wait in a pause.
    eventually(|| server.server.num_busy() == 50);
    server.pings();
    let slices = WHOLE.len().div_ceil(10) as u32;
    for client in &mut clients {
        assert_eq!(client.answer(false).unwrap().body, b"hello");
        assert!(began.elapsed() >= SLICE * slices, "{:?}", began.elapsed());
    }
    assert!(began.elapsed() < Duration::from_secs(5), "one after the other: {:?}", began.elapsed());
    clients[0].send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(clients[0].answer(false).unwrap().body, b"pong");
}

#[test]
fn streams_are_written_as_they_are() {
    let server = Attended::start(Limits::default(), break_it);
    let mut client = server.get("/stream");
    let answer = client.answer(false).unwrap();
    assert!(answer.body.len() == 3_000_000 && answer.body.iter().all(|byte| *byte == b's'));
    client.send(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(client.answer(false).unwrap().body, b"pong");
}
