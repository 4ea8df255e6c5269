//! What the mock received and answered, within a budget of bytes.
//!
//! The request path writes heads and bodies ([`codec`]) into the store ([`store`]) and holds its lock for copying alone. Who asks
//! copies records out under the same lock, a few at a time, and decodes them without it.

mod codec;
pub(crate) mod entry;
pub(crate) mod filter;
pub(crate) mod har;
mod json;
mod lines;
pub(crate) mod near;
mod pool;
pub(crate) mod sequence;
mod store;
pub(crate) mod verify;
pub(crate) mod waiting;
mod watch;

pub(crate) use codec::{Begun, Exchange};
pub(crate) use watch::{WatchId, on_own_thread};

use crate::message::answer::Answer;
use crate::message::epoch::Epoch;
use crate::message::request::Request;
use crate::system::lock::lock;
use entry::Entry;
use lines::Key;
use std::cell::Cell;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::SystemTime;
use store::{Cursor, Store};
use watch::Watch;

/// The default budget, where the memory is not short.
const BUDGET: u64 = 2 << 20;

/// A journal of less is none.
const LEAST: usize = 8 << 10;

/// Bytes that are copied out of the ring at once.
const BATCH: usize = 64 << 10;

/// A thread keeps its buffer for heads up to this size.
const BUFFER: usize = 64 << 10;

/// The journal. All of its calls are quick, from any thread.
pub(crate) struct Journal {
    records: Mutex<Records>,
    /// Each end of it clears the journal.
    epoch: Arc<Epoch>,
    /// How often it was cleared besides, to be read without the lock.
    clears: AtomicU64,
    /// 0 where it is off.
    budget: usize,
    /// Bytes that are kept of a body.
    body: usize,
    /// Bytes that the rest of a record may have.
    head: usize,
    /// Calls listeners soon after something was entered or the journal closes, once for many.
    pub(crate) watch: Arc<Watch>,
    closed: AtomicBool,
}

struct Records {
    store: Store,
    /// The epoch that the entries belong to.
    epoch: u64,
    clears: u64,
    /// Number of the last entry that was deleted.
    cleared: u64,
    /// Entries that gave way to newer ones, before the last deletion.
    evicted: u64,
}

/// How often the journal was cleared, by ends of an epoch and besides: what is of two ages is never counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Age {
    epoch: u64,
    clears: u64,
}

/// What is kept and what is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Bytes that are taken up.
    pub bytes: u64,
    /// Most bytes; 0 where the journal is off.
    pub budget: u64,
    /// Entries that are kept.
    pub entries: u64,
    /// Number of the oldest entry that is kept; 0 where there is none.
    pub first: u64,
    /// Number of the last entry that was made, kept or not.
    pub last: u64,
    /// Entries that gave way since the journal was cleared last.
    pub evicted: u64,
    /// Entries that gave way since the start.
    pub evicted_in_all: u64,
}

/// What [`Journal::read`] went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    /// Number of the last entry that there was when it began.
    pub last: u64,
    /// Entries of the span that gave way to newer ones. Those that were deleted don't count.
    pub evicted: u64,
}

/// Why there is no entry of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// It is yet to come.
    Never,
    /// It gave way to newer ones.
    Evicted,
    /// The journal was cleared.
    Deleted,
}

thread_local! {
    /// Where heads are put together: one buffer a thread, not one a request.
    static HEAD: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Journal {
    /// A journal that takes up `budget` bytes at most, and keeps `body` bytes of each body, or an eighth of what it has. A budget of
    /// 0 switches it off.
    ///
    /// # Errors
    /// ``failed to set aside 2097152 bytes for the journal (--journal-bytes): ...``
    pub(crate) fn new(budget: usize, body: usize) -> Result<Journal, String> {
        let budget = if budget < LEAST { 0 } else { budget };
        let store = Store::new(budget.saturating_sub(size_of::<Journal>())).map_err(|error| {
            format!("failed to set aside {budget} bytes for the journal (--journal-bytes): {error}")
        })?;
        // Two bodies and a head always fit, also in the number of their length.
        let (body, head) = (body.min(store.size() / 8).min(1 << 30), (store.size() / 4).min(1 << 30));
        let records = Mutex::new(Records { store, epoch: 0, clears: 0, cleared: 0, evicted: 0 });
        let (clears, closed) = (AtomicU64::new(0), AtomicBool::new(false));
        Ok(Journal {
            records,
            epoch: Arc::default(),
            clears,
            budget,
            body,
            head,
            watch: Arc::default(),
            closed,
        })
    }

    /// Lets `epoch` clear it, too: what it has is of that epoch, and so is what is entered.
    pub(crate) fn of_epoch(self, epoch: &Arc<Epoch>) -> Journal {
        Journal { epoch: epoch.clone(), ..self }
    }

    /// The budget where none was given: 2 MiB, or a tenth of `memory` if that is less.
    pub(crate) fn default_budget(memory: Option<u64>) -> usize {
        let budget = memory.map_or(BUDGET, |memory| BUDGET.min(memory / 10));
        usize::try_from(budget).unwrap_or(usize::MAX)
    }

    /// Whether anything is kept.
    pub(crate) fn is_on(&self) -> bool {
        self.budget > 0
    }

    /// Bytes that are kept of a body.
    pub(crate) fn most_of_body(&self) -> usize {
        self.body
    }

    /// A request has come. `None` where the journal is off.
    pub(crate) fn begin(&self) -> Option<Begun> {
        self.is_on().then(|| Begun { clears: self.clears.load(Ordering::Acquire), time: SystemTime::now() })
    }

    /// Enters a request with its answer, unless the journal was cleared since it began, or its epoch has ended. To be called before
    /// the answer leaves.
    pub(crate) fn record(&self, exchange: &Exchange) {
        let mut head = HEAD.take();
        let (end, text, bodies) = codec::encode(&mut head, exchange, self.body, self.head);
        let key = Key {
            path: exchange.request.path(),
            method: exchange.request.method(),
            rule: exchange.rule,
            status: exchange.status,
            generation: exchange.generation,
        };
        {
            let mut records = self.lock();
            if records.epoch == exchange.request.epoch && records.clears == exchange.begun.clears {
                records.store.push(&key, &mut head[..end], text, bodies);
            }
        }
        if head.capacity() <= BUFFER {
            HEAD.set(head);
        }
        if self.watch.is_watched() {
            self.watch.wake();
        }
    }

    /// Enters a request that was refused before it was complete: of its request line `line` has come.
    pub(crate) fn record_refused(&self, line: &str, peer: SocketAddr, why: &str, answer: &Answer) {
        let Some(begun) = self.begin() else { return };
        let (method, rest) = line.split_once(' ').unwrap_or((line, ""));
        let target = rest.split(' ').next().unwrap_or_default();
        let mut request =
            Request::from_parts(method, target, None::<(&str, &str)>, Vec::new(), Some(peer), None);
        request.epoch = self.epoch.now();
        self.record(&Exchange {
            begun,
            took: 0,
            generation: 0,
            request: &request,
            rule: None,
            unmatched: Some(why),
            status: answer.status,
            answer_headers: &answer.headers,
            answer_body: answer.body.bytes(),
            answer_length: answer.body.len(),
            error: None,
            fault: None,
        });
    }

    /// Number of the last entry; 0 before the first.
    pub(crate) fn last(&self) -> u64 {
        self.lock().store.next() - 1
    }

    /// Number of the last entry that was deleted: those up to it count as never received.
    pub(crate) fn cleared(&self) -> u64 {
        self.lock().cleared
    }

    /// What is entered now is of this age. An entry that was read is of it or of an earlier one.
    pub(crate) fn age(&self) -> Age {
        Age { epoch: self.epoch.now(), clears: self.clears.load(Ordering::Acquire) }
    }

    /// Gives `each` the entries with a number above `since`, oldest first, up to the last one that there is now. The lock is
    /// held for none of these calls.
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

    /// How many entries with a number above `since` gave way to newer ones. Those that were deleted don't count.
    pub(crate) fn evicted(&self, since: u64) -> u64 {
        let records = self.lock();
        (records.store.first() - 1).saturating_sub(since.max(records.cleared))
    }

    /// The entry of `number`.
    ///
    /// # Errors
    /// Why there is none.
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

    /// Deletes all entries; gives how many. Numbers go on, and requests that have begun are not entered any more.
    pub(crate) fn clear(&self) -> u64 {
        let mut records = self.lock();
        records.clears += 1;
        self.clears.store(records.clears, Ordering::Release);
        records.clear()
    }

    /// What is kept and what is not.
    pub(crate) fn stats(&self) -> Stats {
        let records = self.lock();
        let (first, next) = (records.store.first(), records.store.next());
        let evicted = first - 1 - records.cleared;
        Stats {
            bytes: if self.is_on() { (size_of::<Journal>() + records.store.used()) as u64 } else { 0 },
            budget: self.budget as u64,
            entries: next - first,
            first: if first < next { first } else { 0 },
            last: next - 1,
            evicted,
            evicted_in_all: records.evicted + evicted,
        }
    }

    /// The process stops: listeners are called to end what they wait for.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.watch.wake();
    }

    /// Whether the process stops.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// What is kept of this epoch: the first one who looks after the end of another clears it, so that the end itself is one step
    /// for the journal and all else that goes by it.
    fn lock(&self) -> MutexGuard<'_, Records> {
        let mut records = lock(&self.records);
        // Asked under the lock: no epoch comes after a later one.
        let epoch = self.epoch.now();
        if records.epoch != epoch {
            records.epoch = epoch;
            records.clear();
        }
        records
    }
}

impl Records {
    /// Deletes all entries; gives how many.
    fn clear(&mut self) -> u64 {
        let count = self.store.next() - self.store.first();
        self.evicted += self.store.first() - 1 - self.cleared;
        self.store.clear();
        self.cleared = self.store.next() - 1;
        count
    }
}

#[cfg(test)]
pub(crate) mod tests;
