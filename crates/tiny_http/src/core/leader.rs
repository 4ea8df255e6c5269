//! Which worker waits for events: one, the leader. It handles what it gets and waits again, while the others are parked. To wake
//! a second thread for each request that comes while the first is still at the one before costs half as much again as the
//! requests themselves, as long as those are short.
//!
//! No request may wait behind a handler that takes long, so a parked worker is called to lead when the present one says so
//! (`call_another`), or when it has not come back for a millisecond (`check`, on the reactor's thread). Where handlers take
//! longer than waking a thread, more and more workers stay awake.

use crate::lock::lock;
use std::cell::Cell;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The workers of a server, as far as they wait.
pub(crate) struct Leader {
    /// Tells leaders apart, from 1.
    number: usize,
    /// A worker waits for events.
    leads: AtomicBool,
    /// Workers that run a handler.
    running: AtomicUsize,
    begun: AtomicU64,
    /// Nobody checks: there was nothing to check.
    unchecked: AtomicBool,
    parked: Mutex<Parked>,
    called: Condvar,
    /// Workers that may run handlers shorter than `SHORT` at the same time.
    enough: usize,
}

#[derive(Default)]
struct Parked {
    /// Workers that are parked.
    workers: usize,
    /// How many of them are called and have not noticed yet.
    calls: usize,
    checked: Checked,
}

#[derive(Default, Clone, Copy)]
struct Checked {
    /// When it was; `None` after a time without handlers.
    at: Option<Instant>,
    /// Handlers that were begun by then.
    begun: u64,
    /// For how many checks in a row nobody led.
    full: u32,
}

/// Time between two checks.
pub(crate) const CHECK: Duration = Duration::from_millis(1);
/// Handlers that one worker gets done between two checks, if they are shorter than it takes to wake another.
const SHORT: u64 = 20;
/// After so many checks without a leader, short handlers too are given to more workers.
const FULL: u32 = 8;

thread_local! {
    /// The number of the leader whose handler this thread runs.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

impl Leader {
    pub(crate) fn new() -> Leader {
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Leader {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            leads: AtomicBool::new(false),
            running: AtomicUsize::new(0),
            begun: AtomicU64::new(0),
            unchecked: AtomicBool::new(true),
            parked: Mutex::default(),
            called: Condvar::new(),
            enough: (thread::available_parallelism().map_or(1, NonZero::get) / 2).max(1),
        }
    }

    /// Returns once this worker is the leader.
    pub(crate) fn lead(&self) {
        if RUNNING.get() == self.number {
            RUNNING.set(0);
            self.running.fetch_sub(1, Ordering::Relaxed);
        }
        while self.leads.swap(true, Ordering::AcqRel) {
            self.park();
        }
    }

    /// This worker has an event: nobody leads until it is back.
    pub(crate) fn leave(&self) {
        self.leads.store(false, Ordering::Release);
    }

    /// Notes that a handler begins on this worker. True if the reactor must be woken, since it doesn't check.
    pub(crate) fn begin(&self) -> bool {
        RUNNING.set(self.number);
        self.running.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.unchecked.load(Ordering::SeqCst) && self.unchecked.swap(false, Ordering::AcqRel)
    }

    /// Calls a parked worker, if nobody leads.
    pub(crate) fn call_another(&self) {
        if !self.leads.load(Ordering::Acquire) {
            self.call(&mut self.parked());
        }
    }

    /// Looks whether handlers keep requests waiting. False if none was begun since the last time, and a worker waits.
    pub(crate) fn check(&self) -> bool {
        if self.unchecked.load(Ordering::Acquire) {
            return false;
        }
        let now = Instant::now();
        let mut parked = self.parked();
        let begun = self.begun.load(Ordering::Relaxed);
        let Checked { at: Some(at), begun: before, full } = parked.checked else {
            parked.checked = Checked { at: Some(now), begun, full: 0 };
            return true;
        };
        if now < at + CHECK {
            return true;
        }
        let led = self.leads.load(Ordering::Acquire);
        let running = self.running.load(Ordering::Relaxed);
        // Where no worker is left at all, there is nothing to check either.
        let idle = begun == before && (led || (running == 0 && parked.workers == 0));
        parked.checked =
            Checked { at: (!idle).then_some(now), begun, full: if led { 0 } else { full.saturating_add(1) } };
        let stuck = begun == before;
        let long = full > 0 && begun - before < SHORT * running as u64;
        if !led && (stuck || long || (full >= FULL && running < self.enough)) {
            self.call(&mut parked);
        }
        if !idle {
            return true;
        }
        self.unchecked.store(true, Ordering::SeqCst);
        // A handler that began in between may have seen that it is checked.
        self.begun.load(Ordering::SeqCst) != begun && self.unchecked.swap(false, Ordering::AcqRel)
    }

    fn parked(&self) -> MutexGuard<'_, Parked> {
        lock(&self.parked)
    }

    fn call(&self, parked: &mut Parked) {
        if parked.calls < parked.workers {
            parked.calls += 1;
            self.called.notify_one();
        }
    }

    fn park(&self) {
        let mut parked = self.parked();
        // The leader may have left for good since, and found nobody to call.
        if !self.leads.load(Ordering::Acquire) {
            return;
        }
        parked.workers += 1;
        let called = self.called.wait_while(parked, |parked| parked.calls == 0);
        parked = called.unwrap_or_else(PoisonError::into_inner);
        parked.calls -= 1;
        parked.workers -= 1;
    }
}
