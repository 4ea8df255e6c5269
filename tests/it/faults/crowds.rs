//! Many connections at once: all are answered, and none costs a thread.

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
/// Time for an answer of a burst. An answer that takes longer counts as lost.
const LOST: Duration = Duration::from_secs(5);

/// The published engine left one connection in five unanswered: it queued them when no thread was left to read them.
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

/// Opens `BURST` connections at once and sends two requests on each. Returns the lost answers.
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
        // After the first loss, the test waits for no other answer: each would take its time.
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
    // One half has sent a request before, the other half nothing.
    let mut idle: Vec<Client> = (0..wanted).map(|_| Client::new(&mock.traffic)).collect();
    for client in idle.iter_mut().step_by(2) {
        assert_eq!(client.send("GET", "/ping", &[], b"").text(), "pong");
    }
    eventually(|| enough(descriptors(&mock), wanted));
    assert_eq!(threads(&mock), before);
    witness.testify();
    // All connections are still there: each gets an answer now.
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
fn all_clients_are_served_if_no_thread_can_be_started() {
    let wanted = room_for(1000);
    let mock = start_as_somebody();
    let witness = Witness::of(&mock);
    assert_eq!(mock.get("/ping").text(), "pong");
    // From here on each attempt to start a thread fails: the user has more threads than the limit.
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

/// Starts a mock under a limit of processes. The limit does not apply to root, so root's tests start the mock as an unused
/// user. Where that is impossible (no capability, or a folder that others can't enter), the limit proves nothing, and only the
/// count of threads does.
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
