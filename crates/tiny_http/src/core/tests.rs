//! A server whose events this thread handles one by one. No worker and no reactor run, so nothing depends on time.

use crate::clock;
use crate::connection::slots::{Phase, Token};
use crate::core::receive::Lent;
use crate::core::state::Core;
use crate::extension::plain_pages;
use crate::limits::Limits;
use crate::server::Server;
use crate::write::head::Then;
use crate::write::output::Output;
use rustix::event::epoll::EventFlags;
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

/// Deadline for each wait: far longer than it takes.
const DEADLINE: Duration = Duration::from_secs(10);
const GET: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 204 No Content\r\n\r\n";

struct Driven(Server);

impl Driven {
    fn start(limits: Limits) -> Driven {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reactor = crate::extension::Reactor::new().unwrap();
        Driven(Server::with_limits(listener, limits, plain_pages(), &reactor).unwrap())
    }

    fn core(&self) -> &Core {
        &self.0.core
    }

    /// Returns a client that has sent `bytes`, and its connection.
    fn connect(&self, bytes: &[u8]) -> (TcpStream, Token) {
        let mut client = TcpStream::connect(self.core().address).unwrap();
        client.write_all(bytes).unwrap();
        client.set_read_timeout(Some(DEADLINE)).unwrap();
        let address = client.local_addr().unwrap();
        let token = until(|| {
            self.core().accept();
            self.core().slots.stamps().find_map(|(.., index)| {
                let mut held = self.core().slots.lock_at(index)?;
                (held.connection()?.socket.peer == address).then_some(held.token())
            })
        });
        (client, token)
    }

    /// Returns a client whose request the program has, its connection, and the request.
    fn lend(&self, bytes: &[u8]) -> (TcpStream, Token, Lent) {
        let (client, token) = self.connect(bytes);
        let lent = until(|| self.core().ready(token, EventFlags::IN));
        (client, token, lent)
    }

    fn phase(&self, token: Token) -> Option<Phase> {
        self.core().slots.lock(token).map(|held| held.phase().0)
    }

    /// Makes the phase of a connection begin `age` milliseconds ago.
    fn age(&self, token: Token, phase: Phase, age: u64) {
        self.core().slots.lock(token).unwrap().enter(phase, clock::milliseconds() - age);
    }

    /// Returns the memory that counts, in KiB.
    fn counted(&self) -> usize {
        self.core().buffered.load(Ordering::Relaxed) >> 10
    }
}

#[track_caller]
fn until<T>(mut find: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < end, "not within ten seconds");
        thread::yield_now();
    }
}

fn post(bytes: usize) -> Vec<u8> {
    let head = format!("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {bytes}\r\n\r\n");
    [head.as_bytes(), &vec![b'a'; bytes]].concat()
}

/// `printf ... | nc -N` ends its side at once, and waits for the answer.
#[test]
fn a_client_that_ends_its_side_later_than_100_ms_after_its_request_has_left() {
    let driven = Driven::start(Limits::default());
    for (age, stays) in [(0, true), (50, true), (200, false), (60_000, false)] {
        for phase in [Phase::Lent, Phase::Pausing] {
            let (_client, token, lent) = driven.lend(GET);
            driven.age(token, phase, age);
            driven.core().ready(token, EventFlags::IN | EventFlags::RDHUP);
            assert_eq!(driven.phase(token), stays.then_some(phase), "{age} ms");
            // The end was noted: it does not count again.
            driven.core().ready(token, EventFlags::IN | EventFlags::RDHUP);
            let answered = driven.core().answer(lent.lease, ANSWER, Output::new(VecDeque::new(), Then::Next));
            assert_eq!(answered.is_ok(), stays, "{age} ms");
        }
    }
}

/// RFC 9112, section 8.
#[test]
fn a_request_that_ends_before_it_is_complete_gets_400() {
    let driven = Driven::start(Limits::default());
    let cases: [(&[u8], bool); 6] = [
        (b"", false),
        (b"\r\n", false),
        (b"G", true),
        (b"GET / HTTP/1.1\r\nHost: x\r\n", true),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhell", true),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n", true),
    ];
    for (sent, refused) in cases {
        let (mut client, token) = driven.connect(sent);
        client.shutdown(Shutdown::Write).unwrap();
        until(|| {
            driven.core().ready(token, EventFlags::IN | EventFlags::RDHUP);
            driven.phase(token).is_none().then_some(())
        });
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        assert_eq!(answer.starts_with("HTTP/1.1 400 "), refused, "{answer}");
        assert_eq!(answer.ends_with("the request ends before it is complete\n"), refused, "{answer}");
    }
}

#[test]
fn memory_of_a_request_counts_until_it_is_answered() {
    let driven = Driven::start(Limits::default());
    let (_client, _, lent) = driven.lend(&post(1 << 20));
    assert!((1024..1200).contains(&driven.counted()), "{} KiB", driven.counted());
    let (_other, _, other) = driven.lend(&post(1 << 20));
    assert!((2048..2400).contains(&driven.counted()), "{} KiB", driven.counted());
    for lease in [lent.lease, other.lease] {
        driven.core().answer(lease, ANSWER, Output::new(VecDeque::new(), Then::Next)).unwrap();
    }
    assert_eq!(driven.counted(), 0);
    // A small request does not count.
    let (_client, _, _lent) = driven.lend(GET);
    assert_eq!(driven.core().buffered.load(Ordering::Relaxed), 0);
}

#[test]
fn memory_of_a_request_whose_client_has_left_counts_until_the_program_drops_it() {
    let driven = Driven::start(Limits::default());
    let (_client, token, lent) = driven.lend(&post(1 << 20));
    driven.core().ready(token, EventFlags::HUP);
    assert_eq!(driven.phase(token), None);
    assert!(driven.counted() >= 1024, "{} KiB", driven.counted());
    assert!(driven.core().answer(lent.lease, ANSWER, Output::new(VecDeque::new(), Then::Next)).is_err());
    assert_eq!(driven.counted(), 0);
}

#[test]
fn memory_that_the_program_reserves_or_gives_back_counts_with_the_request() {
    let driven = Driven::start(Limits::default());
    for leaves in [false, true] {
        let (_client, token, lent) = driven.lend(&post(1 << 20));
        if leaves {
            driven.core().ready(token, EventFlags::HUP);
        }
        assert!(driven.core().reserve(&lent.lease, 2 << 20));
        assert!((3072..3300).contains(&driven.counted()), "{} KiB", driven.counted());
        driven.core().release(&lent.lease, 1 << 20);
        assert!((2048..2300).contains(&driven.counted()), "{} KiB", driven.counted());
        let answered = driven.core().answer(lent.lease, ANSWER, Output::new(VecDeque::new(), Then::Next));
        assert_eq!((answered.is_err(), driven.counted()), (leaves, 0));
    }
}

/// Unread bytes arrived in time, and the workers were too busy to read them. So a head or a body with unread bytes has twice
/// its time.
#[test]
fn a_deadline_waits_for_bytes_that_no_worker_has_read() {
    let time = Duration::from_secs(100);
    let limits = Limits { head_time: time, body_time: time, idle_time: time, ..Limits::default() };
    let driven = Driven::start(limits);
    for (phase, unread, seconds, over) in [
        (Phase::Idle, false, 99, false),
        (Phase::Idle, false, 101, true),
        (Phase::Idle, true, 1000, false),
        (Phase::Head, false, 99, false),
        (Phase::Head, false, 101, true),
        (Phase::Head, true, 101, false),
        (Phase::Head, true, 199, false),
        (Phase::Head, true, 201, true),
        (Phase::Body, true, 199, false),
        (Phase::Body, true, 201, true),
        (Phase::Lent, false, 1000, false),
        (Phase::Lingering, true, 1, false),
        (Phase::Lingering, true, 3, true),
    ] {
        let (client, token) = driven.connect(if unread { b"GET" } else { b"" });
        until(|| {
            let mut held = driven.core().slots.lock(token)?;
            (held.connection()?.socket.has_unread() == unread).then_some(())
        });
        driven.age(token, phase, seconds * 1000);
        driven.core().expire(clock::milliseconds());
        let stays = driven.phase(token) == Some(phase);
        assert_eq!(stays, !over, "{phase:?} for {seconds} s, unread bytes: {unread}");
        drop(client);
    }
}

#[test]
fn a_stop_keeps_an_idle_connection_whose_request_is_still_unread() {
    let driven = Driven::start(Limits::default());
    let (_unread, token) = driven.connect(GET);
    until(|| {
        let mut held = driven.core().slots.lock(token)?;
        held.connection()?.socket.has_unread().then_some(())
    });
    let (_silent, other) = driven.connect(b"");
    assert_eq!(driven.core().close_idle(Duration::ZERO), 1);
    assert_eq!(driven.phase(token), Some(Phase::Idle));
    assert_eq!(driven.phase(other), None);
}
