//! Calls listeners when the journal has a new entry: waits, and streams.
//!
//! Listeners run on a thread of their own, since they may take long and the timer thread has answers to send. A request pays for them
//! only while there are some: mostly two atomic writes.

use crate::system::job_thread::JobThread;
use crate::system::lock::lock;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// Runs a job after a delay.
pub(crate) type After = Box<dyn Fn(Duration, Job) + Send + Sync>;

/// Called on the journal's thread when there may be new entries. It must be short and must not block.
pub(crate) type Listener = Box<dyn Fn() + Send + Sync>;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WatchId(u64);

/// Least time between two calls of a listener. The first entry of a burst calls it at once, the others together.
const PAUSE: Duration = Duration::from_millis(1);

/// Stack of the journal's thread in bytes. The JSON of a body may be deeply nested.
const STACK: usize = 512 << 10;
/// So many jobs can wait for the thread. A job beyond that tries again after [`AGAIN`].
const MOST: usize = 256;
const AGAIN: Duration = Duration::from_millis(5);

/// Starts the journal's thread. Returns a function that runs a job on it, after a delay that `timer` measures.
///
/// # Errors
/// The system refuses a thread.
pub(crate) fn on_own_thread(timer: After) -> io::Result<After> {
    let thread = JobThread::start("journal", STACK, MOST, || false, |job: Job| job())?;
    let turns = Arc::new(Turns { thread, timer });
    Ok(Box::new(move |delay, job| turns.after(delay, job)))
}

struct Turns {
    thread: JobThread<Job>,
    timer: After,
}

impl Turns {
    fn after(self: &Arc<Self>, delay: Duration, job: Job) {
        if delay.is_zero() {
            return self.submit(job);
        }
        let own = self.clone();
        (self.timer)(delay, Box::new(move || own.submit(job)));
    }

    /// Submits a job without blocking. A job that finds no room is submitted again later.
    fn submit(self: &Arc<Self>, job: Job) {
        if let Err(job) = self.thread.submit(job) {
            self.after(AGAIN, job);
        }
    }
}

#[derive(Default)]
pub(crate) struct Watch {
    after: OnceLock<After>,
    watched: AtomicBool,
    /// The journal has entries that the listeners were not called for.
    news: AtomicBool,
    /// A job that calls the listeners is scheduled.
    pending: AtomicBool,
    listeners: Mutex<Listeners>,
    /// Listeners that ask for the pieces of streams.
    pieces: AtomicUsize,
}

/// Asks for the pieces of streams, as long as it lives.
pub(super) struct Asking(Arc<Watch>);

impl Drop for Asking {
    fn drop(&mut self) {
        self.0.pieces.fetch_sub(1, Ordering::Relaxed);
    }
}

#[derive(Default)]
struct Listeners {
    next: u64,
    listening: Vec<(WatchId, Arc<dyn Fn() + Send + Sync>)>,
}

impl Watch {
    /// Sets the function that runs jobs after a delay: a timer, or the one of [`on_own_thread`]. Only the first call counts.
    pub(crate) fn set_timer(&self, after: After) {
        let _ = self.after.set(after);
    }

    /// Runs `job` on the journal's thread after `delay`. Without a timer it never runs.
    pub(crate) fn after(&self, delay: Duration, job: Job) {
        if let Some(after) = self.after.get() {
            after(delay, job);
        }
    }

    /// Calls `listener` after each entry from now on, and when the journal closes. Read the journal after this has returned: the
    /// listener may not be called for earlier entries.
    pub(crate) fn add(&self, listener: Listener) -> WatchId {
        let mut listeners = lock(&self.listeners);
        listeners.next += 1;
        let id = WatchId(listeners.next);
        listeners.listening.push((id, listener.into()));
        self.watched.store(true, Ordering::SeqCst);
        id
    }

    /// Removes a listener. A call of it may still be running.
    pub(crate) fn remove(&self, id: WatchId) {
        let mut listeners = lock(&self.listeners);
        listeners.listening.retain(|(listening, _)| *listening != id);
        self.watched.store(!listeners.listening.is_empty(), Ordering::SeqCst);
    }

    /// Whether there are listeners. Call this after the journal's lock was held for the new entry: a listener that was added before it
    /// read the journal under that lock is seen here.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// Asks for the pieces of streams. Read the journal after this has returned.
    pub(super) fn ask_for_pieces(self: &Arc<Self>) -> Asking {
        self.pieces.fetch_add(1, Ordering::SeqCst);
        Asking(self.clone())
    }

    pub(super) fn asks_for_pieces(&self) -> bool {
        self.pieces.load(Ordering::Relaxed) > 0
    }

    #[cfg(test)]
    pub(super) fn listening(&self) -> usize {
        lock(&self.listeners).listening.len()
    }

    /// Schedules a call of the listeners, as if there were a new entry.
    pub(crate) fn wake(self: &Arc<Self>) {
        self.news.store(true, Ordering::SeqCst);
        if !self.pending.swap(true, Ordering::SeqCst) {
            self.tick_after(Duration::ZERO);
        }
    }

    fn tick_after(self: &Arc<Self>, delay: Duration) {
        let own = self.clone();
        self.after(delay, Box::new(move || own.tick()));
    }

    fn tick(self: &Arc<Self>) {
        if self.news.swap(false, Ordering::SeqCst) {
            // Before the listeners run: if one panics, the next call must be scheduled already.
            self.tick_after(PAUSE);
            let listening: Vec<_> =
                lock(&self.listeners).listening.iter().map(|(_, listener)| listener.clone()).collect();
            return listening.iter().for_each(|listener| listener());
        }
        self.pending.store(false, Ordering::SeqCst);
        // An entry may have come after the first line of this function and before the line above.
        if self.news.load(Ordering::SeqCst) && !self.pending.swap(true, Ordering::SeqCst) {
            self.tick_after(Duration::ZERO);
        }
    }
}
