//! The journal: the latest requests with their answers, within a budget of bytes.
//!
//! A worker encodes each request with its answer ([`codec`]) and copies it into the store ([`store`]). Only that copy needs the
//! lock. A reader copies a few records at a time out of the store under the same lock, and decodes them without it.

mod bytes;
mod codec;
mod content;
pub(crate) mod entry;
pub(crate) mod filter;
pub(crate) mod har;
mod json;
mod lines;
pub(crate) mod near;
mod pool;
pub(crate) mod sequence;
mod stats;
mod store;
mod streams;
pub(crate) mod verify;
pub(crate) mod waiting;
mod watch;

pub(crate) use codec::{Begun, Exchange};
pub(crate) use entry::Kind;
pub(crate) use stats::Stats;
pub(crate) use watch::{After, WatchId, on_own_thread};

use crate::message::answer::Answer;
use crate::message::epoch::Epoch;
use crate::message::progress::State;
use crate::message::request::Request;
use crate::system::lock::lock;
use entry::Entry;
use lines::Key;
use std::cell::Cell;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;
use store::{Cursor, Store};
use streams::Ended;
use watch::Watch;

/// The default budget in bytes, where the container has enough memory.
const BUDGET: u64 = 2 << 20;

/// A budget of fewer bytes switches the journal off.
const LEAST: usize = 8 << 10;

/// A reader copies about so many bytes of records while it holds the lock.
const BATCH: usize = 64 << 10;

/// A thread keeps its buffer for heads up to this size in bytes.
const BUFFER: usize = 64 << 10;

/// The journal. Any thread may call it; no call holds its lock for long.
pub(crate) struct Journal {
    records: Mutex<Records>,
    /// The journal is cleared when an epoch ends.
    epoch: Arc<Epoch>,
    /// How often [`Journal::clear`] was called: a copy of the number in `records`, to be read without the lock.
    clears: AtomicU64,
    /// Bytes in all; 0 where the journal is off.
    budget: usize,
    /// Most bytes that are kept of a body.
    body: usize,
    /// Most bytes of a record without its bodies.
    head: usize,
    /// Calls listeners soon after something was entered or the journal closes, once for many.
    pub(crate) watch: Arc<Watch>,
    closed: AtomicBool,
    /// How often a stream sent a piece that somebody asks for, or ended.
    moves: AtomicU64,
}

struct Records {
    store: Store,
    /// The epoch that the entries belong to.
    epoch: u64,
    clears: u64,
    /// Number of the last entry that was deleted.
    cleared: u64,
    /// Entries that were evicted before the last deletion.
    evicted: u64,
    /// Callbacks since the last deletion, evicted ones included.
    callbacks: u64,
}

/// How often the journal was cleared: by ends of an epoch, and by [`Journal::clear`]. Entries of two ages are never counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Age {
    epoch: u64,
    clears: u64,
}

/// The entries that [`Journal::read`] went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// Number of the latest entry when the read began.
    pub last: u64,
    /// Evicted entries of the span. Deleted entries don't count.
    pub evicted: u64,
}

/// The reason why the journal has no entry of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// This number has not been given to a request yet.
    Never,
    /// Newer entries needed its room.
    Evicted,
    /// The journal was cleared.
    Deleted,
}

thread_local! {
    /// Buffer in which heads are encoded: each thread has its own and uses it for all of its requests.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Journal {
    /// Creates a journal of at most `budget` bytes. Of each body it keeps `body` bytes, or an eighth of its room where that is less.
    /// A budget below 8 KiB switches the journal off.
    ///
    /// # Errors
    /// ``failed to set aside 2097152 bytes for the journal (--journal-bytes): ...``
    pub(crate) fn new(budget: usize, body: usize) -> Result<Journal, String> {
        let budget = if budget < LEAST { 0 } else { budget };
        let store = Store::new(budget.saturating_sub(size_of::<Journal>())).map_err(|error| {
            format!("failed to set aside {budget} bytes for the journal (--journal-bytes): {error}")
        })?;
        // Two bodies and a head always fit into the store, and their lengths into 32 bits.
        let (body, head) = (body.min(store.size() / 8).min(1 << 30), (store.size() / 4).min(1 << 30));
        Ok(Journal {
            records: Mutex::new(Records { store, epoch: 0, clears: 0, cleared: 0, evicted: 0, callbacks: 0 }),
            epoch: Arc::default(),
            clears: AtomicU64::new(0),
            budget,
            body,
            head,
            watch: Arc::default(),
            closed: AtomicBool::new(false),
            moves: AtomicU64::new(0),
        })
    }

    /// Binds the journal to `epoch`: it keeps entries of that epoch only, and is cleared when the epoch ends.
    pub(crate) fn of_epoch(self, epoch: &Arc<Epoch>) -> Journal {
        Journal { epoch: epoch.clone(), ..self }
    }

    /// Returns the default budget in bytes: 2 MiB, or a tenth of the container's `memory` where that is less.
    pub(crate) fn default_budget(memory: Option<u64>) -> usize {
        let budget = memory.map_or(BUDGET, |memory| BUDGET.min(memory / 10));
        usize::try_from(budget).unwrap_or(usize::MAX)
    }

    /// Whether the journal keeps entries.
    pub(crate) fn is_on(&self) -> bool {
        self.budget > 0
    }

    /// Returns how many bytes of a body the journal keeps.
    pub(crate) fn most_of_body(&self) -> usize {
        self.body
    }

    /// Notes that a request has come. Returns `None` where the journal is off.
    pub(crate) fn begin(&self) -> Option<Begun> {
        self.is_on().then(|| Begun { clears: self.clears.load(Ordering::Acquire), time: SystemTime::now() })
    }

    /// Enters a request with its answer, unless the journal was cleared since the request began, or its epoch has ended.
    ///
    /// Call this before the answer leaves: a client that has the answer can then read the entry.
    /// Returns the number of the entry.
    pub(crate) fn record(&self, exchange: &Exchange) -> Option<u64> {
        let mut head = HEAD.take();
        let (end, text, bodies) = codec::encode(&mut head, exchange, self.body, self.head);
        let key = Key {
            path: exchange.request.path(),
            method: exchange.request.method(),
            rule: exchange.rule,
            status: exchange.status,
            generation: exchange.generation,
            streams: exchange.stream.is_some(),
            forwarded: exchange.forwarded.is_some(),
            callback: exchange.kind != Kind::Request,
        };
        let number = {
            let mut records = self.lock();
            let is_current =
                records.epoch == exchange.request.epoch && records.clears == exchange.begun.clears;
            records.callbacks += u64::from(is_current && key.callback);
            is_current.then(|| records.store.push(&key, &mut head[..end], text, bodies, exchange.stream))
        };
        if head.capacity() <= BUFFER {
            HEAD.set(head);
        }
        if self.watch.is_watched() {
            self.watch.wake();
        }
        number
    }

    /// Notes that the stream of entry `number` has sent a piece, or with `last` that it has ended.
    pub(crate) fn stream_moved(&self, number: u64, last: Option<&State>) {
        match last {
            Some(last) => self.lock().store.end_stream(number, last),
            None if self.watch.asks_for_pieces() => {}
            None => return,
        }
        self.moves.fetch_add(1, Ordering::Release);
        if self.watch.is_watched() {
            self.watch.wake();
        }
    }

    /// Returns how often a stream moved: a stream that moves later changes the number. Pieces count only while somebody asks for them.
    pub(crate) fn moves(&self) -> u64 {
        self.moves.load(Ordering::Acquire)
    }

    /// Returns how many streams have ended since the start.
    pub(crate) fn ended_in_all(&self) -> u64 {
        self.lock().store.streams.ended_in_all()
    }

    /// Returns the stream that ended after `seen` others, or the next that is known.
    pub(crate) fn ended_after(&self, seen: u64) -> Option<Ended> {
        self.lock().store.streams.ended_after(seen)
    }

    /// Enters a request that the engine refused before it was complete.
    pub(crate) fn record_refused(&self, mut request: Request, why: &str, answer: &Answer) {
        let Some(begun) = self.begin() else { return };
        request.epoch = self.epoch.now();
        self.record(&Exchange {
            begun,
            took: 0,
            generation: 0,
            overlay: None,
            request: &request,
            rule: None,
            unmatched: Some(why),
            status: answer.status,
            answer_headers: &answer.headers,
            answer_body: answer.body.bytes(),
            answer_length: answer.body.len(),
            error: None,
            fault: None,
            stream: None,
            forwarded: None,
            kind: Kind::Request,
        });
    }

    /// Returns the number of the latest entry; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.lock().store.next() - 1
    }

    /// Returns how many callbacks were entered since the journal was last cleared.
    pub(crate) fn callbacks(&self) -> u64 {
        self.lock().callbacks
    }

    /// Returns the number of the last entry that was deleted. Entries up to it count as never received.
    pub(crate) fn cleared(&self) -> u64 {
        self.lock().cleared
    }

    /// Returns the age of a request that is entered now. An entry that was read before is of this age or an earlier one.
    pub(crate) fn age(&self) -> Age {
        Age { epoch: self.epoch.now(), clears: self.clears.load(Ordering::Acquire) }
    }

    /// Calls `each` with the entries whose number is above `since`, oldest first, up to the latest entry at the beginning of the call.
    /// `each` runs without the lock.
    pub(crate) fn read(&self, since: u64, each: &mut dyn FnMut(&Entry) -> ControlFlow<()>) -> Span {
        let mut span = Span { last: self.last(), ..Span::default() };
        let (mut cursor, mut batch) = (Cursor::at(since.saturating_add(1)), Vec::new());
        while cursor.number <= span.last {
            batch.clear();
            let mut next = cursor.number;
            let (first, cleared) = {
                let records = self.lock();
                (records.store.copy(&mut cursor, span.last, BATCH, &mut batch), records.cleared)
            };
            span.evicted += first.min(span.last + 1).saturating_sub(next.max(cleared + 1));
            next = next.max(first);
            let mut left = &batch[..];
            while let Some((record, rest)) = codec::split(left) {
                if codec::decode(record, next).is_some_and(|entry| each(&entry).is_break()) {
                    return span;
                }
                (next, left) = (next + 1, rest);
            }
            if batch.is_empty() {
                break;
            }
        }
        span
    }

    /// Counts the evicted entries with a number above `since`. Deleted entries don't count.
    pub(crate) fn evicted(&self, since: u64) -> u64 {
        let records = self.lock();
        (records.store.first() - 1).saturating_sub(since.max(records.cleared))
    }

    /// Returns the entry of `number`.
    ///
    /// # Errors
    /// The reason why there is no such entry.
    pub(crate) fn get(&self, number: u64) -> Result<Entry, Missing> {
        let mut record = Vec::new();
        {
            let records = self.lock();
            match number {
                0 => return Err(Missing::Never),
                _ if number >= records.store.next() => return Err(Missing::Never),
                _ if number <= records.cleared => return Err(Missing::Deleted),
                _ if number < records.store.first() => return Err(Missing::Evicted),
                _ => records.store.copy(&mut Cursor::at(number), number, usize::MAX, &mut record),
            };
        }
        let whole = codec::split(&record).and_then(|(record, _)| codec::decode(record, number));
        whole.ok_or(Missing::Evicted)
    }

    /// Deletes all entries, and returns how many there were. Numbers continue. Requests that have begun already are not entered.
    pub(crate) fn clear(&self) -> u64 {
        let mut records = self.lock();
        records.clears += 1;
        self.clears.store(records.clears, Ordering::Release);
        records.clear()
    }

    /// Tells the journal that the process stops, and calls the listeners: they end their waits and streams.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.watch.wake();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Locks the records, and clears them first if their epoch has ended. So the end of an epoch is one step for the journal and for
    /// everything else that depends on the epoch: each clears itself when it is used next.
    fn lock(&self) -> MutexGuard<'_, Records> {
        let mut records = lock(&self.records);
        // Read under the lock, so that a thread never sets an earlier epoch after a later one.
        let epoch = self.epoch.now();
        if records.epoch != epoch {
            records.epoch = epoch;
            records.clear();
        }
        records
    }
}

impl Records {
    /// Deletes all entries, and returns how many there were.
    fn clear(&mut self) -> u64 {
        let count = self.store.next() - self.store.first();
        self.evicted += self.store.first() - 1 - self.cleared;
        self.callbacks = 0;
        self.store.clear();
        self.cleared = self.store.next() - 1;
        count
    }
}

#[cfg(test)]
pub(crate) mod tests;
