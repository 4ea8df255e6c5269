//! Faults that clients and the system cause. In every test of this folder the mock serves other clients meanwhile. Each fault
//! that broke the published tiny_http 0.12 has a test here:
//!
//! | fault | test |
//! | --- | --- |
//! | burst of keep-alive connections, many idle ones, half-sent heads, no more threads | `crowds` |
//! | descriptors used up, more connections than the cap, held-back answers whose clients leave | `full` |
//! | resets and aborted connections | `resets` |
//! | stalled bodies and readers, pipelines behind a slow answer, dribbled bodies, failing handlers | `stalled` |
//! | huge declared lengths, more bytes buffered than the budget, large heads | `sizes` |
//! | deadlines of head, body, answer and idle connection; an idle listener | `deadlines` |
//! | malformed framing, odd versions and targets | `framing` |

mod crowds;
mod deadlines;
mod framing;
mod full;
pub(crate) mod process;
mod resets;
mod sizes;
mod stalled;
mod witness;

use crate::harness::{Client, Mock};
use std::io::ErrorKind;

/// Workers of each mock here. Faults come in multiples of this number.
const WORKERS: usize = 4;

/// Bytes of `/large`. The buffers of both sockets hold less, so the answer waits for its reader.
const LARGE: usize = 7 << 20;

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/ping", || "pong");
    app.get("/slow", || { time.sleep(3); "slow" });
    app.get("/hold", || { time.sleep(60); "held" });
    app.get("/large", || { let text = "seven b"; for doubled in range(0, 20) { text += text; } text });
    app.get("/throw", || { throw "as told"; });
    app.post("/length", || `${request.get_data().len()}`);
    app.get("/<path:rest>", |rest| rest);
}
"#;

const PING: &[u8] = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n";
const HOLD: &[u8] = b"GET /hold HTTP/1.1\r\nHost: x\r\n\r\n";

/// Starts a mock that serves `PROVISION`.
fn start(arguments: &[&str]) -> Mock {
    let arguments = [&["--workers", "4"], arguments].concat();
    Mock::start_with(&arguments, |folder| folder.write("provision/initial", PROVISION))
}

/// Returns a new connection to the mock that has sent `bytes`.
#[track_caller]
fn client(mock: &Mock, bytes: &[u8]) -> Client {
    let mut client = Client::new(&mock.traffic);
    client.write(bytes);
    client
}

/// Whether the next byte of the connection, or its end, has arrived.
pub(crate) fn has_news(client: &Client) -> bool {
    client.stream().set_nonblocking(true).unwrap();
    let peeked = client.stream().peek(&mut [0]);
    client.stream().set_nonblocking(false).unwrap();
    !matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// Reads an answer. The connection must end right after it.
#[track_caller]
fn refusal(client: &mut Client) -> u16 {
    let reply = client.read(false);
    assert_eq!(reply.header("connection"), "close", "{reply:?}");
    let rest = String::from_utf8_lossy(&client.rest().unwrap()).into_owned();
    assert!(!rest.contains("HTTP/1"), "a second answer: {rest}");
    reply.status
}

/// Returns the hits of a rule.
fn hits(mock: &Mock, rule: &str) -> usize {
    let ledger = mock.admin("GET /app/v1/provision", &[], b"").json();
    let rules = ledger["rules"].as_array().unwrap();
    let row = rules.iter().find(|row| row["rule"] == rule).unwrap();
    usize::try_from(row["hits"].as_u64().unwrap()).unwrap()
}
