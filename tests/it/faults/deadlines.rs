//! Deadlines are for a whole head, body or answer, not for each read. So a client that dribbles does not extend them.

use super::witness::Witness;
use super::{PING, client, has_news, start};
use crate::harness::{Client, DEADLINE, Mock};
use std::thread;
use std::time::{Duration, Instant};

/// The deadline under test; a byte comes every sixth of it.
const DEADLINE_UNDER_TEST: Duration = Duration::from_millis(300);
const STEP: Duration = Duration::from_millis(50);
/// Upper limit, which allows for a slow machine. A deadline that each byte extended would end after the whole text, 100 steps,
/// at the soonest.
const SOON: Duration = Duration::from_secs(3);

/// Sends `bytes` one at a time until the mock answers or `SOON` is over. Returns the time that it took.
fn dribble(client: &mut Client, bytes: &[u8]) -> Duration {
    let began = Instant::now();
    for byte in bytes {
        let next = Instant::now() + STEP;
        if client.try_write(&[*byte]).is_err() || began.elapsed() > SOON {
            break;
        }
        while Instant::now() < next {
            if has_news(client) {
                return began.elapsed();
            }
            thread::sleep(Duration::from_millis(2));
        }
    }
    began.elapsed()
}

#[track_caller]
fn in_time(took: Duration) {
    assert!(took >= DEADLINE_UNDER_TEST - STEP && took < SOON, "{took:?}");
}

fn witnessed(arguments: &[&str], fault: impl FnOnce(&Mock)) {
    let mock = start(arguments);
    let witness = Witness::of(&mock);
    fault(&mock);
    witness.testify();
}

#[test]
fn a_dribbled_head_is_cut_with_408() {
    witnessed(&["--head-timeout", "300ms"], |mock| {
        let head = format!("GET /ping HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(100));
        let mut client = Client::new(&mock.traffic);
        in_time(dribble(&mut client, head.as_bytes()));
        assert_eq!(super::refusal(&mut client), 408);
    });
}

#[test]
fn a_dribbled_head_of_a_later_request_is_cut_with_408() {
    witnessed(&["--head-timeout", "300ms"], |mock| {
        let mut client = client(mock, PING);
        assert_eq!(client.read(false).text(), "pong");
        in_time(dribble(&mut client, format!("GET /{}", "x".repeat(100)).as_bytes()));
        assert_eq!(super::refusal(&mut client), 408);
    });
}

#[test]
fn a_dribbled_body_is_cut_with_408() {
    witnessed(&["--body-timeout", "300ms"], |mock| {
        for framing in ["Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n3e8\r\n"] {
            let mut client =
                client(mock, format!("POST /length HTTP/1.1\r\nHost: x\r\n{framing}").as_bytes());
            in_time(dribble(&mut client, &[b'x'; 200]));
            assert_eq!(super::refusal(&mut client), 408, "{framing}");
        }
    });
}

#[test]
fn idle_connections_are_closed_without_an_answer() {
    witnessed(&["--idle-timeout", "300ms"], |mock| {
        // This clock starts before the mock's, since this thread may be late.
        let began = Instant::now();
        let mut asked = client(mock, PING);
        assert_eq!(asked.read(false).text(), "pong");
        assert!(asked.rest().unwrap().is_empty());
        in_time(began.elapsed());
    });
}

#[test]
fn a_connection_that_never_sends_a_byte_is_closed() {
    witnessed(&["--idle-timeout", "300ms", "--head-timeout", "300ms"], |mock| {
        let began = Instant::now();
        let mut silent = Client::new(&mock.traffic);
        assert!(silent.rest().unwrap().is_empty());
        in_time(began.elapsed());
    });
}

#[test]
fn deadlines_begin_anew_with_each_request() {
    let all = ["--head-timeout", "500ms", "--body-timeout", "500ms", "--idle-timeout", "500ms"];
    witnessed(&all, |mock| {
        let mut client = Client::new(&mock.traffic);
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1500) {
            // A pause as the client's pace: it is within the deadline.
            thread::sleep(Duration::from_millis(100));
            assert_eq!(client.send("POST", "/length", &[], b"1234").text(), "4");
        }
    });
}

/// Deadlines apply to the client. An answer arrives even if the script holds it back for longer than any of them.
#[test]
fn a_held_answer_has_no_deadline() {
    let short = ["--head-timeout", "300ms", "--body-timeout", "300ms", "--idle-timeout", "300ms"];
    witnessed(&[&short[..], &["--write-timeout", "300ms"]].concat(), |mock| {
        let mut client = client(mock, b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        assert_eq!(client.read(false).text(), "slow");
    });
}

/// A read timeout on the listener would end its accept too. It ended the published engine after the first quiet time.
#[test]
fn an_idle_listener_goes_on() {
    let short = ["--head-timeout", "200ms", "--body-timeout", "200ms", "--idle-timeout", "200ms"];
    let mock = start(&[&short[..], &["--write-timeout", "200ms"]].concat());
    for _ in 0..3 {
        // The client is quiet for some deadlines. This pause is the case under test.
        thread::sleep(Duration::from_millis(500));
        let began = Instant::now();
        assert_eq!(mock.get("/ping").text(), "pong");
        assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
        assert!(began.elapsed() < DEADLINE);
    }
    Witness::of(&mock).testify();
}
