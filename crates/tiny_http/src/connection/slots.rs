//! The table of connections. Finding a slot takes no lock on the table. Each slot has a lock of its own. A thread holds
//! it for a few system calls at most, and never while the program has a request.

use crate::connection::state::Connection;
use crate::lock::lock;
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock};

/// Names a connection: the number of its slot, and a generation that distinguishes it from earlier connections in that slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Token(u64);

const GENERATION: u64 = 0x00ff_ffff;

impl Token {
    fn new(index: u32, generation: u32) -> Token {
        Token((u64::from(generation) & GENERATION) << 32 | u64::from(index))
    }

    /// Returns the token in the lower 56 bits of `data`.
    pub(crate) fn from_data(data: u64) -> Token {
        Token(data & 0x00ff_ffff_ffff_ffff)
    }

    /// Returns the token as a number of 56 bits.
    pub(crate) fn data(self) -> u64 {
        self.0
    }

    fn index(self) -> u32 {
        (self.0 & 0xffff_ffff) as u32
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Free,
    Idle,
    Head,
    Body,
    /// The program has the request.
    Lent,
    /// The answer does not fit into the socket.
    Writing,
    /// The answer waits between two slices.
    Pausing,
    /// The last answer was sent; bytes that still arrive are discarded.
    Lingering,
}

impl Phase {
    const ALL: [Phase; 8] = [
        Phase::Free,
        Phase::Idle,
        Phase::Head,
        Phase::Body,
        Phase::Lent,
        Phase::Writing,
        Phase::Pausing,
        Phase::Lingering,
    ];

    /// Whether a request has begun to arrive.
    pub(crate) fn is_incomplete(self) -> bool {
        matches!(self, Phase::Head | Phase::Body)
    }
}

/// The program's claim on a connection, while it has a request of it.
pub(crate) struct Lease {
    pub token: Token,
    /// Requests of the connection that were answered before this one.
    pub served: usize,
    /// Bytes of memory that count for the request and its answer, even after the connection is closed.
    pub bytes: Cell<usize>,
}

#[derive(Default)]
pub(crate) struct Slot {
    /// The phase, and the time when it began in milliseconds. Reading it needs no lock.
    stamp: AtomicU64,
    entry: Mutex<Entry>,
}

#[derive(Default)]
struct Entry {
    generation: u32,
    connection: Option<Connection>,
}

/// A locked connection.
pub(crate) struct Held<'s> {
    slot: &'s Slot,
    entry: MutexGuard<'s, Entry>,
    token: Token,
}

pub(crate) struct Slots {
    /// Chunk `n` has `FIRST << n` slots; they never move.
    chunks: [OnceLock<Box<[Slot]>>; 20],
    free: Mutex<Vec<u32>>,
    /// The number of slots that were ever used.
    used: AtomicU32,
}

const FIRST: u32 = 64;

impl Slots {
    pub(crate) fn new() -> Slots {
        Slots { chunks: [const { OnceLock::new() }; 20], free: Mutex::default(), used: AtomicU32::new(0) }
    }

    /// Puts `connection` into a free slot, in phase Idle since `now`.
    pub(crate) fn insert(&self, connection: Connection, now: u64) -> Option<Held<'_>> {
        let free = lock(&self.free).pop();
        let index = free.unwrap_or_else(|| self.used.fetch_add(1, Ordering::AcqRel));
        let slot = self.slot_or_new(index)?;
        let mut entry = lock(&slot.entry);
        entry.generation = entry.generation.wrapping_add(1);
        entry.connection = Some(connection);
        let token = Token::new(index, entry.generation);
        let mut held = Held { slot, entry, token };
        held.enter(Phase::Idle, now);
        Some(held)
    }

    pub(crate) fn lock(&self, token: Token) -> Option<Held<'_>> {
        let slot = self.slot(token.index())?;
        let entry = lock(&slot.entry);
        let same = entry.connection.is_some() && Token::new(token.index(), entry.generation) == token;
        same.then_some(Held { slot, entry, token })
    }

    /// Removes the connection and frees its slot.
    pub(crate) fn remove(&self, mut held: Held<'_>) -> Option<Connection> {
        held.enter(Phase::Free, 0);
        let connection = held.entry.connection.take();
        let index = held.token.index();
        drop(held);
        lock(&self.free).push(index);
        connection
    }

    /// Returns phase, start of the phase and number of each slot in use. Without the lock, they may change at any time.
    pub(crate) fn stamps(&self) -> impl Iterator<Item = (Phase, u64, u32)> {
        let used = self.used.load(Ordering::Acquire);
        (0..used).filter_map(|index| {
            let (phase, since) = split(self.slot(index)?.stamp.load(Ordering::Relaxed));
            (phase != Phase::Free).then_some((phase, since, index))
        })
    }

    pub(crate) fn lock_at(&self, index: u32) -> Option<Held<'_>> {
        let slot = self.slot(index)?;
        let entry = lock(&slot.entry);
        let token = Token::new(index, entry.generation);
        entry.connection.is_some().then_some(Held { slot, entry, token })
    }

    fn slot(&self, index: u32) -> Option<&Slot> {
        let (chunk, place) = place(index)?;
        self.chunks.get(chunk)?.get()?.get(place)
    }

    fn slot_or_new(&self, index: u32) -> Option<&Slot> {
        let (chunk, place) = place(index)?;
        let make = || (0..FIRST << chunk).map(|_| Slot::default()).collect();
        self.chunks.get(chunk)?.get_or_init(make).get(place)
    }
}

/// Returns the chunk of a slot, and its place in the chunk.
fn place(index: u32) -> Option<(usize, usize)> {
    let number = index.checked_add(FIRST)?;
    let chunk = number.ilog2() - FIRST.ilog2();
    Some((chunk as usize, (number - (FIRST << chunk)) as usize))
}

fn split(stamp: u64) -> (Phase, u64) {
    (Phase::ALL[(stamp & 7) as usize], stamp >> 3)
}

impl Held<'_> {
    pub(crate) fn token(&self) -> Token {
        self.token
    }

    /// Returns the phase, and the time when it began.
    pub(crate) fn phase(&self) -> (Phase, u64) {
        split(self.slot.stamp.load(Ordering::Relaxed))
    }

    pub(crate) fn enter(&mut self, phase: Phase, now: u64) {
        self.slot.stamp.store(now << 3 | phase as u64, Ordering::Relaxed);
    }

    /// Returns the connection. A locked slot has one until it is removed.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        self.entry.connection.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_one_another_without_gaps() {
        let mut next = (0, 0);
        for index in 0..100_000 {
            let (chunk, number) = place(index).unwrap();
            if (chunk, number) != next {
                assert_eq!((chunk, number), (next.0 + 1, 0), "{index}");
                assert_eq!(next.1, (FIRST << next.0) as usize);
            }
            next = (chunk, number + 1);
        }
        assert_eq!(place(u32::MAX), None);
    }

    #[test]
    fn stamps_keep_phase_and_time() {
        for (number, phase) in Phase::ALL.into_iter().enumerate() {
            assert_eq!(split(123_456_789_012 << 3 | number as u64), (phase, 123_456_789_012));
            assert_eq!(phase as usize, number);
        }
    }
}
