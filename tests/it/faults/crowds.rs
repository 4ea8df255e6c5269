//! Many connections at once: all are answered, and not one of them costs a thread.

use super::process::{descriptors, lower, room_for, threads};
use super::witness::Witness;
use super::{PING, PROVISION, client, start};
use crate::harness::{Client, Mock, binary, eventually, skip_without};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

/// Clients of a burst, opened by `OPENERS` threads at the same time.
const BURST: usize = 300;
const OPENERS: usize = 6;
/// An answer of a burst that takes longer is lost.
const LOST: Duration = Duration::from_secs(5);

/// The published engine left one in five unanswered: a connection could be queued when no thread was left to see it.
#[test]
fn ten_bursts_of_300_keep_alive_connections_are_all_answered() {
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let before = threads(&mock);
    for burst in 0..10 {
        let lost = burst_of(&mock.traffic);
        assert!(lost.is_empty(), "burst {burst}: {} of {BURST} lost, such as: {}", lost.len(), lost[0]);
        assert_eq!(threads(&mock), before);
    }
    witness.testify();
}

/// Opens `BURST` connections at once and asks twice on each; gives what was lost.
fn burst_of(address: &str) -> Vec<io::Error> {
    let barrier = Barrier::new(OPENERS);
    let part = || {
        barrier.wait();
        let opened = (0..BURST / OPENERS).map(|_| {
            let mut client = Client::connect(address, LOST)?;
            client.try_write(PING).map(|()| client)
        });
        let opened: Vec<_> = opened.collect();
        let answered = opened.into_iter().map(|client| {
            let mut client = client?;
            client.try_read(false)?;
            client.try_send("GET", "/ping", &[], b"")
        });
        // After the first loss the others are waited for no longer: each would take its time.
        let mut lost = Vec::new();
        lost.extend(answered.filter_map(Result::err).take(1));
        lost
    };
    thread::scope(|scope| {
        let parts: Vec<_> = (0..OPENERS).map(|_| scope.spawn(part)).collect();
        parts.into_iter().flat_map(|part| part.join().unwrap()).collect()
    })
}

#[test]
fn idle_connections_cost_no_threads() {
    let wanted = room_for(2000);
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let before = threads(&mock);
    // One half has asked before, the other has never said a word.
    let mut idle: Vec<Client> = (0..wanted).map(|_| Client::new(&mock.traffic)).collect();
    for client in idle.iter_mut().step_by(2) {
        assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
    }
    eventually(|| enough(descriptors(&mock), wanted));
    assert_eq!(threads(&mock), before);
    witness.testify();
    // None was lost: each can ask now.
    for client in &mut idle {
        assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
    }
    assert_eq!(threads(&mock), before);
}

#[test]
fn half_sent_heads_cost_no_threads() {
    let wanted = room_for(1000);
    let mock = start(&[]);
    let witness = Witness::of(&mock);
    let before = threads(&mock);
    let (half, other_half) = PING.split_at(20);
    let mut clients: Vec<Client> = (0..wanted).map(|_| client(&mock, half)).collect();
    eventually(|| enough(descriptors(&mock), wanted));
    assert_eq!(threads(&mock), before);
    witness.testify();
    for client in &mut clients {
        client.write(other_half);
    }
    assert!(clients.iter_mut().all(|client| client.read(false).text() == "pong"));
    assert_eq!(threads(&mock), before);
}

/// The published engine's listener was gone once a thread was refused.
#[test]
fn where_no_thread_can_be_made_all_are_served() {
    let wanted = room_for(1000);
    let mock = start_as_somebody();
    let witness = Witness::of(&mock);
    assert_eq!(mock.get("/ping").text(), "pong");
    // From here on each attempt to make a thread fails: the user has more than this already.
    lower(&mock, "--nproc=1:1");
    let before = threads(&mock);
    let mut clients: Vec<Client> = (0..wanted).map(|_| client(&mock, PING)).collect();
    for client in &mut clients {
        assert_eq!(client.read(false).text(), "pong");
    }
    assert_eq!(threads(&mock), before);
    drop(clients);
    witness.testify();
    assert_eq!(threads(&mock), before);
}

/// A mock that a limit of processes binds. Root is above it, so root's tests start the mock as a user who is nobody else. Where
/// that can't be (no capability, or a folder that others can't enter), the limit says nothing and the count of threads must do.
fn start_as_somebody() -> Mock {
    let (mut command, mut probe) = (binary(), binary());
    if rustix::process::getuid().is_root() {
        let somebody = 1_800_000_074;
        match probe.uid(somebody).gid(somebody).arg("--version").output() {
            Ok(_) => drop(command.uid(somebody).gid(somebody)),
            Err(error) => skip_without(&format!(
                "right to start a process as another user, so threads are counted and not refused: {error}"
            )),
        }
    }
    Mock::start_command(command, &["--workers", "4"], |folder| {
        folder.write("provision/initial", PROVISION);
        for path in [folder.0.clone(), folder.0.join("provision")] {
            fs::set_permissions(path, fs::Permissions::from_mode(0o777)).unwrap();
        }
    })
}

fn enough(count: usize, wanted: usize) -> Result<(), String> {
    if count >= wanted { Ok(()) } else { Err(format!("{count} of {wanted}")) }
}
