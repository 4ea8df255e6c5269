//! Clients that leave while their answer is delayed. Their memory is free again, and neither a reset nor a stop waits for them.

use crate::harness::{Client, Mock, eventually};
use crate::metrics::{held, until_held};
use rustix::net::sockopt::set_socket_linger;
use std::net::Shutdown;
use std::thread;
use std::time::{Duration, Instant};

const PROVISION: &str = r#"fn registerRules() {
    app.get("/hour", || { time.sleep(3600); "x" * 100000 });
    app.get("/soon", || { time.sleep(2); "there" });
    app.get("/dribble", || make_response("0123456789").dribble(2, 3600000));
}"#;

/// The engine takes a client for gone if it ends its side more than 100 ms after its request. This time has to pass for real.
const LATE: Duration = Duration::from_millis(150);
const MANY: usize = 20;

/// A mock whose stop would take 300 s if it waited for a client.
fn mock() -> Mock {
    mock_with(&[])
}

fn mock_with(arguments: &[&str]) -> Mock {
    let arguments = [&["--grace", "300s", "--verbose"], arguments].concat();
    Mock::start_with(&arguments, |folder| folder.write("provision/initial", PROVISION))
}

fn asked(mock: &Mock, path: &str) -> Client {
    let mut client = Client::new(&mock.traffic);
    client.write(format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    client
}

/// A client that has sent a request and ended its side at once.
fn ended(mock: &Mock, path: &str) -> Client {
    let client = asked(mock, path);
    client.stream().shutdown(Shutdown::Write).unwrap();
    client
}

/// Closes the connection by a reset.
fn reset(client: Client) {
    set_socket_linger(client.stream(), Some(Duration::ZERO)).unwrap();
}

#[track_caller]
fn stops(mut mock: Mock) {
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    assert!(!mock.log().contains("unanswered"), "{}", mock.log());
}

#[test]
fn the_memory_of_delayed_answers_is_free_when_their_clients_leave() {
    let mock = mock();
    for resets in [true, false] {
        let clients: Vec<Client> = (0..MANY).map(|_| asked(&mock, "/hour")).collect();
        until_held(&mock, MANY as f64);
        thread::sleep(LATE);
        clients.into_iter().for_each(if resets { reset } else { drop });
        until_held(&mock, 0.0);
    }
    let lines = || mock.log().matches("GET /hour 200 /hour ").count();
    eventually(|| if lines() == 2 * MANY { Ok(()) } else { Err(format!("{} lines", lines())) });
    assert_eq!(mock.log().matches(", the client had left").count(), 2 * MANY);
    stops(mock);
}

#[test]
fn a_reset_drops_only_the_answers_of_clients_that_may_have_left() {
    let mock = mock();
    let (_ended, _dribbling) = (ended(&mock, "/hour"), ended(&mock, "/dribble"));
    let mut there = asked(&mock, "/soon");
    until_held(&mock, 3.0);
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert!(held(&mock) <= 1.0);
    assert_eq!(there.read(false).text(), "there");
    stops(mock);
}

#[test]
fn a_stop_waits_only_for_clients_that_have_not_left() {
    let mut mock = mock();
    let (_ended, _dribbling) = (ended(&mock, "/hour"), ended(&mock, "/dribble"));
    let mut there = asked(&mock, "/soon");
    until_held(&mock, 3.0);
    mock.signal("TERM");
    assert_eq!(there.read(false).text(), "there");
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn the_answer_of_a_client_that_ended_its_side_is_kept_for_ten_seconds() {
    let mock = mock();
    let mut soon = ended(&mock, "/soon");
    let (began, _ended) = (Instant::now(), ended(&mock, "/hour"));
    assert_eq!(soon.read(false).text(), "there");
    until_held(&mock, 1.0);
    until_held(&mock, 0.0);
    assert!(began.elapsed() > Duration::from_millis(8900), "{:?}", began.elapsed());
}

#[test]
fn a_stop_does_not_wait_for_partial_requests() {
    // Neither limit ends the requests within the deadline of this test.
    let mut mock = mock_with(&["--head-timeout", "300s", "--body-timeout", "300s"]);
    let parts = ["GET /so", "POST /soon HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf"];
    let mut clients = parts.map(|part| {
        let mut client = Client::new(&mock.traffic);
        client.write(part.as_bytes());
        client
    });
    eventually(|| match crate::metrics::busy(&mock, "mock") {
        2.0 => Ok(()),
        other => Err(format!("{other} connections are busy")),
    });
    mock.signal("TERM");
    for client in &mut clients {
        assert_eq!(client.read(false).status, 408);
    }
    assert_eq!(mock.wait().code(), Some(143));
}

/// A client of the administrative port that waits for its answer.
fn waiting(mock: &Mock, target: &str) -> Client {
    let mut client = Client::new(&mock.admin);
    client.write(format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes());
    client
}

#[test]
fn waits_for_a_generation_end_when_their_clients_leave() {
    let mock = mock();
    let client = waiting(&mock, "/app/v1/wait?generation=9&timeout=600");
    eventually(|| match crate::metrics::busy(&mock, "admin") {
        2.0 => Ok(()),
        other => Err(format!("{other} connections are busy")),
    });
    reset(client);
    mock.wait_for_log("admin GET /app/v1/wait?generation=9&timeout=600 408 - ");
    mock.wait_for_log(", the client had left");
}

/// Without an event, the next look at all clients would free the places after 7 s.
#[test]
fn a_client_that_follows_the_journal_and_leaves_frees_its_place() {
    let mock = mock();
    let mut clients: Vec<Client> = (0..64).map(|_| waiting(&mock, "/app/v1/requests/stream")).collect();
    for client in &mut clients {
        assert_eq!(client.read(true).status, 200);
    }
    assert_eq!(waiting(&mock, "/app/v1/requests/stream").read(true).status, 503);
    let began = Instant::now();
    clients.into_iter().for_each(reset);
    eventually(|| match waiting(&mock, "/app/v1/requests/stream").read(true).status {
        200 => Ok(()),
        status => Err(status.to_string()),
    });
    assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
}
