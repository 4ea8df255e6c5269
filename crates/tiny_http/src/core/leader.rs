//! Leader and followers: one worker, the leader, waits for events. It handles its event and waits again, while the others are
//! parked. While requests are short, waking a second worker for each one cost 50 % more CPU (ct/bench/engine.py).
//!
//! A slow handler must not delay other requests. So a parked worker is called to lead in two cases: the leader asks for it
//! (`call_another`), or it has been away for a millisecond (`check`, on the reactor's thread). If handlers take longer than
//! waking a thread, more and more workers stay awake.

use crate::lock::lock;
use std::cell::Cell;
use std::num::NonZero;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// The workers of a server that wait.
pub(crate) struct Leader {
    /// Number of this server among those of the process, from 1.
    number: usize,
    /// A worker leads: it waits for events.
    leads: AtomicBool,
    /// Workers that run a handler.
    running: AtomicUsize,
    /// Handlers that have begun so far.
    begun: AtomicU64,
    /// The reactor doesn't check: the last check found nothing to do.
    unchecked: AtomicBool,
    parked: Mutex<Parked>,
    called: Condvar,
    /// Workers that may run short handlers (see `SHORT`) at the same time.
    enough: usize,
}

#[derive(Default)]
struct Parked {
    /// Workers that are parked.
    workers: usize,
    /// Parked workers that were called and have not woken yet.
    calls: usize,
    checked: Checked,
}

#[derive(Default, Clone, Copy)]
struct Checked {
    /// Time of the check; `None` after a time without handlers.
    at: Option<Instant>,
    /// Handlers that had begun by then.
    begun: u64,
    /// Number of checks in a row that found no leader.
    full: u32,
}

/// Time between two checks.
pub(crate) const CHECK: Duration = Duration::from_millis(1);
/// Handlers that a worker finishes between two checks, if each takes less time than waking another worker.
const SHORT: u64 = 20;
/// Number of checks without a leader after which other workers help with short handlers too.
const FULL: u32 = 8;

thread_local! {
    /// Number of the server whose handler this thread runs.
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

    /// Waits until this worker is the leader.
    pub(crate) fn lead(&self) {
        if RUNNING.get() == self.number {
            RUNNING.set(0);
            self.running.fetch_sub(1, Ordering::Relaxed);
        }
        while self.leads.swap(true, Ordering::AcqRel) {
            self.park();
        }
    }

    /// Notes that the leader has an event. No worker leads until one calls `lead`.
    pub(crate) fn leave(&self) {
        self.leads.store(false, Ordering::Release);
    }

    /// Notes that a handler begins on this worker. True if the caller must wake the reactor, which doesn't check at present.
    pub(crate) fn begin(&self) -> bool {
        RUNNING.set(self.number);
        self.running.fetch_add(1, Ordering::Relaxed);
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.unchecked.load(Ordering::SeqCst) && self.unchecked.swap(false, Ordering::AcqRel)
    }

    /// Calls a parked worker, if no worker leads.
    pub(crate) fn call_another(&self) {
        if !self.leads.load(Ordering::Acquire) {
            self.call(&mut lock(&self.parked));
        }
    }

    /// Calls a parked worker if handlers keep requests waiting. False if nothing is left to check: no handler has begun since
    /// the last check, and a worker leads.
    pub(crate) fn check(&self, now: Instant) -> bool {
        if self.unchecked.load(Ordering::Acquire) {
            return false;
        }
        let mut parked = lock(&self.parked);
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
        // Without any worker there is nothing to check either.
        let idle = begun == before && (led || (running == 0 && parked.workers == 0));
        parked.checked =
            Checked { at: (!idle).then_some(now), begun, full: if led { 0 } else { full.saturating_add(1) } };
        let stuck = begun == before;
        let long = full > 0 && begun - before < SHORT * running as u64;
        if !led && (stuck || long || (full >= FULL && running < self.enough)) {
            self.call(&mut parked);
        }
        !idle || !self.stop_checking(begun)
    }

    /// Ends the checks until the next handler begins. False if a handler has begun since the caller counted `begun`: its
    /// worker saw that the reactor checks, and did not wake it.
    fn stop_checking(&self, begun: u64) -> bool {
        self.unchecked.store(true, Ordering::SeqCst);
        let missed = self.begun.load(Ordering::SeqCst) != begun;
        !(missed && self.unchecked.swap(false, Ordering::AcqRel))
    }

    fn call(&self, parked: &mut Parked) {
        if parked.calls < parked.workers {
            parked.calls += 1;
            self.called.notify_one();
        }
    }

    fn park(&self) {
        let mut parked = lock(&self.parked);
        // The leader may have left since, when no worker was parked that it could call.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::mpsc::{Receiver, channel};

    /// Deadline for each wait: far longer than it takes.
    const DEADLINE: Duration = Duration::from_secs(10);

    /// Starts a worker that waits to lead. The receiver gets a message once it leads.
    fn worker(leader: &Arc<Leader>) -> Receiver<()> {
        let (leads, led) = channel();
        let leader = leader.clone();
        thread::spawn(move || {
            leader.lead();
            leads.send(()).unwrap();
        });
        led
    }

    #[track_caller]
    fn until_parked(leader: &Leader, workers: usize) {
        let end = Instant::now() + DEADLINE;
        while lock(&leader.parked).workers != workers {
            assert!(Instant::now() < end, "not within ten seconds");
            thread::yield_now();
        }
    }

    #[test]
    fn a_parked_worker_leads_once_it_is_called() {
        let leader = Arc::new(Leader::new());
        leader.lead();
        let waiting = [worker(&leader), worker(&leader)];
        until_parked(&leader, 2);
        // A worker leads, so none is called.
        leader.call_another();
        assert_eq!(lock(&leader.parked).calls, 0);
        leader.leave();
        leader.call_another();
        until_parked(&leader, 1);
        let led = || waiting.iter().filter(|led| led.try_recv().is_ok()).count();
        let end = Instant::now() + DEADLINE;
        while led() == 0 {
            assert!(Instant::now() < end, "nobody leads");
            thread::yield_now();
        }
        assert!(leader.leads.load(Ordering::Acquire));
        let Parked { workers, calls, .. } = *lock(&leader.parked);
        assert_eq!((workers, calls, led()), (1, 0, 0));
    }

    /// The order of events: a worker sees that another one leads; the leader leaves and finds no worker to call; the worker
    /// parks.
    #[test]
    fn a_worker_does_not_park_where_nobody_leads() {
        let leader = Arc::new(Leader::new());
        leader.call_another();
        let (parks, returned) = channel();
        thread::spawn(move || {
            leader.park();
            parks.send(()).unwrap();
        });
        returned.recv_timeout(DEADLINE).expect("the worker is parked, and nobody will call it");
    }

    #[test]
    fn no_more_workers_are_called_than_are_parked() {
        let leader = Leader::new();
        for (workers, expected) in [(0, 0), (1, 1), (2, 2), (5, 3)] {
            let mut parked = Parked { workers, ..Parked::default() };
            (0..3).for_each(|_| leader.call(&mut parked));
            assert_eq!(parked.calls, expected, "{workers} are parked");
        }
    }

    /// Returns the number of the check that calls a worker. No worker leads, `running` handlers run, and `begun` handlers begin
    /// between two checks.
    fn first_call(leader: &Leader, running: usize, begun: u64) -> Option<u32> {
        let start = Instant::now();
        leader.unchecked.store(false, Ordering::Release);
        leader.running.store(running, Ordering::Release);
        *lock(&leader.parked) = Parked { workers: 4, ..Parked::default() };
        (0..20).find(|check| {
            leader.begun.fetch_add(begun, Ordering::Release);
            assert!(leader.check(start + CHECK * *check));
            lock(&leader.parked).calls > 0
        })
    }

    #[test]
    fn a_check_calls_a_worker_where_handlers_take_long() {
        let mut leader = Leader::new();
        leader.enough = 2;
        for (running, begun, expected) in [
            // No handler has begun since the last check: the one that runs takes longer than that.
            (1, 0, Some(1)),
            // Handlers take longer than `SHORT` allows. The first check without a leader may be chance.
            (1, SHORT - 1, Some(2)),
            (2, 2 * SHORT - 1, Some(2)),
            // Handlers are short. After `FULL` checks other workers help, up to `enough`.
            (1, SHORT, Some(FULL + 1)),
            (2, 2 * SHORT, None),
        ] {
            assert_eq!(first_call(&leader, running, begun), expected, "{running} run, {begun} begin");
        }
        leader.lead();
        assert_eq!(first_call(&leader, 1, 1), None, "a worker leads");
    }

    #[test]
    fn checks_are_a_millisecond_apart() {
        let leader = Leader::new();
        assert!(leader.begin());
        let start = Instant::now();
        *lock(&leader.parked) = Parked { workers: 1, ..Parked::default() };
        assert!(leader.check(start));
        assert!(leader.check(start + CHECK / 2));
        assert_eq!(lock(&leader.parked).calls, 0);
        assert!(leader.check(start + CHECK));
        assert_eq!(lock(&leader.parked).calls, 1);
    }

    #[test]
    fn checks_end_while_no_handler_begins_and_go_on_with_the_next_one() {
        let leader = Leader::new();
        leader.lead();
        // The first handler has to wake the reactor. The second finds that the reactor checks.
        assert_eq!([leader.begin(), leader.begin()], [true, false]);
        let start = Instant::now();
        *lock(&leader.parked) = Parked { workers: 1, ..Parked::default() };
        assert!(leader.check(start));
        assert!(!leader.check(start + CHECK), "no handler has begun, and a worker leads");
        assert!(!leader.check(start + CHECK * 2));
        assert_eq!(lock(&leader.parked).calls, 0);
        assert!(leader.begin());
        // Handlers run and no worker leads: the checks go on.
        leader.leave();
        assert!(leader.check(start + CHECK * 3) && leader.check(start + CHECK * 4));
    }

    /// The worker of the handler saw that the reactor checks, so it did not wake the reactor.
    #[test]
    fn a_handler_that_begins_while_the_checks_end_is_not_missed() {
        let leader = Leader::new();
        assert!(leader.begin());
        assert!(!leader.stop_checking(0));
        assert!(!leader.unchecked.load(Ordering::Acquire));
        assert!(leader.stop_checking(1));
        assert!(leader.unchecked.load(Ordering::Acquire));
    }
}
