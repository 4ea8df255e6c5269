//! There is no room for more connections: their limit is reached, or all descriptors are used up.

use super::process::{descriptors, leave_descriptors, ticks};
use super::resets::reset;
use super::witness::Witness;
use super::{HOLD, PING, PROVISION, client, has_news, hits, start};
use crate::harness::{Client, Mock, binary_under, eventually};
use crate::metrics::busy;
use rustix::time::{ClockId, clock_gettime};
use std::thread;
use std::time::Duration;

const CAP: usize = 8;

fn capped() -> Mock {
    start(&["--max-connections", "8"])
}

#[test]
fn the_connection_that_is_idle_for_longest_is_closed_at_the_limit() {
    let mock = capped();
    let witness = Witness::of_admin(&mock);
    let mut clients: Vec<Client> = (0..CAP).map(|_| asked(&mock)).collect();
    // The first client is no longer the one that was idle for longest.
    clients[0].write(PING);
    answered(&mock, &mut clients[0]);
    let mut new = asked(&mock);
    assert!(clients[1].rest().unwrap().is_empty());
    assert!(clients.iter().enumerate().all(|(number, client)| number == 1 || !has_news(client)));
    let mut newer = asked(&mock);
    assert!(clients[2].rest().unwrap().is_empty());
    for client in clients.iter_mut().skip(3).chain([&mut new, &mut newer]) {
        assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
    }
    witness.testify();
}

/// Returns a connection that has had one answer and is idle now.
#[track_caller]
fn asked(mock: &Mock) -> Client {
    let mut client = client(mock, PING);
    answered(mock, &mut client);
    client
}

/// Reads an answer, and waits until the next one counts as later. The mock notes the time after it has sent the answer, by a
/// clock that moves every few milliseconds.
#[track_caller]
fn answered(mock: &Mock, client: &mut Client) {
    assert_eq!(client.read(false).text(), "pong");
    eventually(|| match busy(mock, "mock") {
        0.0 => Ok(()),
        busy => Err(format!("{busy} connections are not idle")),
    });
    let clock = || clock_gettime(ClockId::MonotonicCoarse);
    let noted = clock();
    eventually(|| if clock() > noted { Ok(()) } else { Err("the clock stands still") });
}

#[test]
fn a_new_connection_is_refused_at_the_limit_if_none_is_idle() {
    let mock = capped();
    let witness = Witness::of_admin(&mock);
    let mut clients = held(&mock, CAP);
    for _ in 0..20 {
        assert!(is_refused(&mut client(&mock, PING)));
    }
    assert!(clients.iter().all(|client| !has_news(client)));
    clients.pop().iter().for_each(reset);
    eventually_served(&mock);
    witness.testify();
}

/// The answers are held back for a minute. Their clients leave before that.
#[test]
fn held_answers_whose_clients_leave_free_their_places() {
    let mock = capped();
    let open = descriptors(&mock);
    let witness = Witness::of_admin(&mock);
    for round in 0..4 {
        let clients = held(&mock, CAP);
        // A client that ends its side right after its request may still read. This one does so later.
        thread::sleep(Duration::from_millis(200));
        if round % 2 == 1 {
            clients.iter().for_each(reset);
        }
        drop(clients);
        // All places are free but one: the connection that the witness keeps.
        eventually(|| match descriptors(&mock) {
            now if now <= open + 1 => Ok(()),
            now => Err(format!("{now} descriptors, {open} before")),
        });
    }
    eventually_served(&mock);
    witness.testify();
}

/// Returns clients that wait for `/hold`. Their requests have arrived.
fn held(mock: &Mock, count: usize) -> Vec<Client> {
    let before = hits(mock, "/hold");
    let clients = clients_that_wait(mock, count);
    eventually(|| match hits(mock, "/hold") - before {
        now if now == count => Ok(()),
        now => Err(format!("{now} of {count} requests arrived")),
    });
    clients
}

/// Returns clients that have asked for `/hold`, or that were refused before they could.
fn clients_that_wait(mock: &Mock, count: usize) -> Vec<Client> {
    let ask = |_| {
        let mut client = Client::new(&mock.traffic);
        let _ = client.try_write(HOLD);
        client
    };
    (0..count).map(ask).collect()
}

/// Whether the connection was refused. Its end or a reset may follow the answer: a mock without descriptors can't wait for the
/// bytes that the client still sends.
#[track_caller]
fn is_refused(client: &mut Client) -> bool {
    let reply = client.read(false);
    let _ = client.rest();
    reply.status == 503 && reply.header("connection") == "close"
}

#[track_caller]
fn eventually_served(mock: &Mock) {
    eventually(|| match Client::new(&mock.traffic).try_send("GET", "/ping", &[], b"") {
        Ok(reply) if reply.text() == "pong" => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

/// The number of descriptors of the mock. More clients come than that.
const DESCRIPTORS: usize = 256;
const CLIENTS: usize = 400;

#[test]
fn clients_that_hold_all_descriptors_block_neither_admin_nor_files() {
    let limit = format!("ulimit -n {DESCRIPTORS}");
    let mock = Mock::start_command(binary_under(&limit), &["--workers", "4"], |folder| {
        folder.write("provision/initial", PROVISION);
    });
    let witness = Witness::of_admin(&mock);
    let mut clients = clients_that_wait(&mock, CLIENTS);
    // Clients without a descriptor are refused. The others wait.
    eventually(|| match clients.iter().filter(|client| has_news(client)).count() {
        refused if refused >= CLIENTS - DESCRIPTORS => Ok(()),
        refused => Err(format!("{refused} of {CLIENTS} were refused")),
    });
    provisions_are_activated(&mock);
    let (mut refused, waiting): (Vec<Client>, Vec<Client>) = clients.drain(..).partition(has_news);
    assert!(waiting.len() >= DESCRIPTORS / 4, "only {} were taken", waiting.len());
    assert!(refused.iter_mut().all(is_refused));
    assert!(!waiting.iter().any(has_news));
    // A reset can't be mistaken for the end of a client's side.
    waiting.iter().for_each(reset);
    drop((refused, waiting));
    eventually_served(&mock);
    witness.testify();
}

#[test]
fn idle_clients_that_hold_all_descriptors_make_room_for_new_ones() {
    let limit = format!("ulimit -n {DESCRIPTORS}");
    let mock = Mock::start_command(binary_under(&limit), &["--workers", "4"], |folder| {
        folder.write("provision/initial", PROVISION);
    });
    let witness = Witness::of_admin(&mock);
    let idle: Vec<Client> = (0..CLIENTS).map(|_| asked(&mock)).collect();
    provisions_are_activated(&mock);
    assert!(idle.iter().filter(|client| has_news(client)).count() >= CLIENTS - DESCRIPTORS);
    assert!(!has_news(&idle[CLIENTS - 1]));
    witness.testify();
}

/// Activates one provision by POST and one by copying it.
#[track_caller]
fn provisions_are_activated(mock: &Mock) {
    mock.activate("posted", PROVISION);
    mock.folder.write("provision/copied", PROVISION);
    eventually(|| match mock.active() {
        (name, _) if name == "copied" => Ok(()),
        other => Err(format!("{other:?}")),
    });
}

/// Descriptors run out below the limit of connections, so accept itself fails. The published engine never accepted again after
/// that.
#[test]
fn accepting_goes_on_after_descriptors_ran_out() {
    let mock = start(&[]);
    let open = descriptors(&mock);
    // The clients are in the middle of a head, so they are not idle and the mock can't close them.
    let (half, other_half) = PING.split_at(20);
    let mut old: Vec<Client> = (0..20).map(|_| client(&mock, half)).collect();
    // One descriptor of before may belong to the start, and be closed since.
    eventually(|| match descriptors(&mock) {
        now if now + 1 >= open + old.len() => Ok(()),
        now => Err(format!("{now} descriptors are open, {open} before")),
    });
    let most = leave_descriptors(&mock, 4);
    let clients = clients_that_wait(&mock, 50);
    eventually(|| match descriptors(&mock) {
        now if now >= most => Ok(()),
        now => Err(format!("{now} of {most} descriptors are open: {}", mock.log())),
    });
    // Connections wait to be accepted, and no thread spins: sooner or later a second passes with hardly any work. Even on a
    // busy machine, a thread that spins takes far more than a twentieth of a CPU.
    eventually(|| {
        let before = ticks(&mock);
        thread::sleep(Duration::from_secs(1));
        match ticks(&mock) - before {
            0..5 => Ok(()),
            used => Err(format!("{used} % of a CPU")),
        }
    });
    // The mock still serves the connections that it has.
    for client in &mut old {
        client.write(other_half);
        assert_eq!(client.read(false).text(), "pong");
    }
    clients.iter().for_each(reset);
    drop(clients);
    eventually_served(&mock);
}
