//! Tells those who wait that something was entered, on a thread of the journal's own: what they do then may take its time, and the
//! timer thread has answers to send. A request pays for it only while somebody waits, and then for two atomic writes mostly.

use crate::system::job_thread::JobThread;
use crate::system::lock::lock;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

type Job = Box<dyn FnOnce() + Send>;

/// Runs a job after a delay.
pub(crate) type After = Box<dyn Fn(Duration, Job) + Send + Sync>;

/// Called on the journal's thread when there may be something new: must be short, and must not wait.
pub(crate) type Listener = Box<dyn Fn() + Send + Sync>;

/// Names a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WatchId(u64);

/// Least time between two calls of a listener: a burst is told of at once and then in lots.
const PAUSE: Duration = Duration::from_millis(1);

/// Stack of the journal's thread: JSON of a body is as deep as it may be.
const STACK: usize = 512 << 10;
/// So many jobs wait for their turn; the next ones try again after [`AGAIN`].
const MOST: usize = 256;
const AGAIN: Duration = Duration::from_millis(5);

/// Starts the journal's thread; gives what runs jobs on it, after a delay by `timer`.
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

    /// No job is lost, and nobody waits: what finds no room comes again.
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
    /// There is something new.
    news: AtomicBool,
    /// A job will see to it.
    pending: AtomicBool,
    listeners: Mutex<Listeners>,
}

#[derive(Default)]
struct Listeners {
    next: u64,
    listening: Vec<(WatchId, Arc<dyn Fn() + Send + Sync>)>,
}

impl Watch {
    /// Sets the timer; the first one counts.
    pub(crate) fn set_timer(&self, after: After) {
        let _ = self.after.set(after);
    }

    /// Runs `job`; never, where there is no timer.
    pub(crate) fn after(&self, delay: Duration, job: Job) {
        if let Some(after) = self.after.get() {
            after(delay, job);
        }
    }

    /// Calls `listener` after each change from now on. One that is made before this returns may go unnoticed by it: look after it
    /// was added.
    pub(crate) fn add(&self, listener: Listener) -> WatchId {
        let mut listeners = lock(&self.listeners);
        listeners.next += 1;
        let id = WatchId(listeners.next);
        listeners.listening.push((id, listener.into()));
        self.watched.store(true, Ordering::SeqCst);
        id
    }

    /// Calls it no more; a call may be under way.
    pub(crate) fn remove(&self, id: WatchId) {
        let mut listeners = lock(&self.listeners);
        listeners.listening.retain(|(listening, _)| *listening != id);
        self.watched.store(!listeners.listening.is_empty(), Ordering::SeqCst);
    }

    /// Whether [`Watch::wake`] is worth its call. Asked after the lock of what changed was held: whoever began to listen before
    /// looked under that lock is seen here.
    pub(super) fn is_watched(&self) -> bool {
        self.watched.load(Ordering::Relaxed)
    }

    /// How many listen.
    #[cfg(test)]
    pub(super) fn listening(&self) -> usize {
        lock(&self.listeners).listening.len()
    }

    /// Has the listeners called soon.
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
            // Before the listeners: one that panics must not be the last.
            self.tick_after(PAUSE);
            let listening: Vec<_> =
                lock(&self.listeners).listening.iter().map(|(_, listener)| listener.clone()).collect();
            return listening.iter().for_each(|listener| listener());
        }
        self.pending.store(false, Ordering::SeqCst);
        // Said in between.
        if self.news.load(Ordering::SeqCst) && !self.pending.swap(true, Ordering::SeqCst) {
            self.tick_after(Duration::ZERO);
        }
    }
}
