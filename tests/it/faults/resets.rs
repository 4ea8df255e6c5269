//! Thousands of connections that end at once. The mock goes on listening, and keeps no trace of them.

use super::process::{descriptors, threads};
use super::witness::Witness;
use super::{PING, client, start};
use crate::harness::{Client, DEADLINE, Mock, eventually};
use rustix::net::sockopt::set_socket_linger;
use std::thread;
use std::time::Duration;

const STORM: usize = 3000;
const STORMERS: usize = 3;

/// The published engine panicked when it asked for the address of a peer that was gone.
#[test]
fn a_storm_of_requests_that_are_reset_ends_nothing() {
    storm(PING);
}

/// On Linux such a connection is accepted and fails when it is read. Other systems return `ECONNABORTED`, after which the
/// published engine accepted no more. A test from outside can do no more than this; the engine's own tests do the rest.
#[test]
fn a_storm_of_connections_that_are_reset_before_they_are_accepted_ends_nothing() {
    storm(b"");
}

#[test]
fn a_storm_of_resets_in_the_middle_of_heads_and_bodies_ends_nothing() {
    storm(b"POST /length HTTP/1.1\r\nHost: x\r\nContent-Length: 4000\r\n\r\nhalf a body");
}

/// Starts `STORM` clients that connect, send and reset.
fn storm(bytes: &[u8]) {
    let mock = start(&[]);
    let (before, open) = (threads(&mock), descriptors(&mock));
    let witness = Witness::of(&mock);
    thread::scope(|scope| {
        for _ in 0..STORMERS {
            scope.spawn(|| (0..STORM / STORMERS).for_each(|_| connect_and_reset(&mock, bytes)));
        }
    });
    witness.testify();
    // Their threads and descriptors are gone.
    assert_eq!(threads(&mock), before);
    eventually(|| match descriptors(&mock) {
        now if now <= open => Ok(()),
        now => Err(format!("{now} descriptors, {open} before")),
    });
    let log = mock.log();
    assert!(!log.contains("panic"), "{log}");
}

fn connect_and_reset(mock: &Mock, bytes: &[u8]) {
    // The system may refuse one of them if the listener's queue is full.
    let Ok(mut client) = Client::connect(&mock.traffic, DEADLINE) else { return };
    let _ = client.try_write(bytes);
    reset(&client);
}

/// Makes the drop of a connection a reset.
pub(super) fn reset(client: &Client) {
    set_socket_linger(client.stream(), Some(Duration::ZERO)).unwrap();
}

#[test]
fn answers_to_clients_that_are_gone_leave_nothing_behind() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    for number in 0..200 {
        let client = client(&mock, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
        if number % 2 == 0 {
            reset(&client);
        }
    }
    witness.testify();
}
