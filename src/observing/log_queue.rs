//! The queue of log lines: threads put lines into a bounded buffer, and the thread `log` writes them to standard error.
//!
//! If nobody reads standard error, only the thread `log` is blocked.

use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use crate::system::output::write_all;
use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of the buffer for new lines, and of another one for lines that are being written. A line that does not fit is dropped.
const MOST: usize = 512 << 10;

/// How long a thread waits for room before it drops a line. The buffer may be full after a burst, or the thread `log` may get no
/// processor at once.
const PATIENCE: Duration = Duration::from_millis(10);

/// How long lines gather after some were written. Waking the thread for each line would cost a worker more than writing the line.
const PAUSE: Duration = Duration::from_millis(1);

/// The queue of lines to be written.
pub(crate) struct LogQueue {
    state: Mutex<State>,
    /// Wakes the thread `log`.
    came: Condvar,
    /// Wakes the threads that wait for room, or until all lines are written.
    left: Condvar,
    dropped: AtomicU64,
}

struct State {
    lines: Vec<u8>,
    /// How many lines were dropped after `lines`.
    dropped: u64,
    /// The thread `log` waits to be woken.
    idle: bool,
    /// The thread `log` writes.
    busy: bool,
    /// How many threads wait for room, or until all lines are written.
    hurried: usize,
}

impl LogQueue {
    /// Creates an empty queue. It reserves its memory at once, so that none of it counts as a script's. The system provides it when it is
    /// first written.
    pub(crate) fn new() -> LogQueue {
        let lines = Vec::with_capacity(MOST);
        let state = State { lines, dropped: 0, idle: false, busy: false, hurried: 0 };
        let (came, left) = (Condvar::new(), Condvar::new());
        LogQueue { state: Mutex::new(state), came, left, dropped: AtomicU64::new(0) }
    }

    /// Adds `line`, which ends with a line end, or drops it where there is no room.
    ///
    /// Once a line was dropped, all lines are dropped until the thread takes the others. So it knows where lines are missing, and no
    /// thread waits again for a reader that is gone.
    pub(crate) fn push(&self, line: &[u8]) {
        // The buffer never grows: if an allocation failed here, no thread could log any more.
        let line = &line[..line.len().min(MOST - 1)];
        let end: &[u8] = if line.ends_with(b"\n") { b"" } else { b"\n" };
        let fits = |state: &State| state.lines.len() + line.len() + end.len() <= MOST;
        let mut state = lock(&self.state);
        if !fits(&state) && state.dropped == 0 {
            state = self.wait(state, PATIENCE, |state| !fits(state) && state.dropped == 0);
        }
        if fits(&state) && state.dropped == 0 {
            state.lines.extend_from_slice(line);
            state.lines.extend_from_slice(end);
        } else {
            state.dropped += 1;
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        let idle = mem::take(&mut state.idle);
        drop(state);
        if idle {
            self.came.notify_one();
        }
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all lines are written, but not longer than until `end`. Returns whether they are written.
    pub(crate) fn flush(&self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let unwritten = |state: &State| state.busy || state.has_news();
        !unwritten(&self.wait(lock(&self.state), left, unwritten))
    }

    /// Waits while `condition` holds, for at most `time`. Meanwhile the thread `log` writes without pauses.
    fn wait<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        time: Duration,
        condition: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        state.hurried += 1;
        self.came.notify_one();
        let waited = self.left.wait_timeout_while(state, time, |state| condition(state));
        let mut state = waited.unwrap_or_else(PoisonError::into_inner).0;
        state.hurried -= 1;
        state
    }

    /// Writes lines to `out` as they come, and `notice(text)` where lines are missing. Never returns.
    pub(crate) fn write_to(&self, out: impl AsFd, notice: impl Fn(&str) -> String) {
        let mut writer = Writer { queue: self, out, notice, missing: 0, why: None, torn: false };
        let mut lines = Vec::with_capacity(MOST);
        loop {
            let dropped = self.take(&mut lines);
            writer.write_notice();
            writer.write(&lines);
            writer.missing += dropped;
            writer.write_notice();
        }
    }

    /// Waits for lines, and swaps them for the lines in `lines`, which are written already. Returns how many were dropped after them.
    fn take(&self, lines: &mut Vec<u8>) -> u64 {
        lines.clear();
        let mut state = lock(&self.state);
        if mem::take(&mut state.busy) {
            if !state.has_news() {
                self.left.notify_all();
            }
            let paused = self.came.wait_timeout_while(state, PAUSE, |state| state.hurried == 0);
            state = paused.unwrap_or_else(PoisonError::into_inner).0;
        }
        while !state.has_news() {
            state.idle = true;
            state = self.came.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        (state.idle, state.busy) = (false, true);
        mem::swap(&mut state.lines, lines);
        if state.hurried > 0 {
            self.left.notify_all();
        }
        mem::take(&mut state.dropped)
    }
}

impl State {
    fn has_news(&self) -> bool {
        !self.lines.is_empty() || self.dropped > 0
    }
}

struct Writer<'q, O, N> {
    queue: &'q LogQueue,
    out: O,
    notice: N,
    /// Missing lines for which no notice was written yet.
    missing: u64,
    /// Why the latest of them could not be written; `None` where there was no room for them.
    why: Option<io::Error>,
    /// The output ends within a line.
    torn: bool,
}

impl<O: AsFd, N: Fn(&str) -> String> Writer<'_, O, N> {
    fn write(&mut self, lines: &[u8]) {
        let Err((written, error)) = write_all(&self.out, lines, None) else { return };
        let (before, rest) = lines.split_at(written);
        let lost = rest.iter().filter(|byte| **byte == b'\n').count() as u64;
        self.queue.dropped.fetch_add(lost, Ordering::Relaxed);
        self.missing += lost;
        self.torn |= before.last().is_some_and(|byte| *byte != b'\n');
        self.why = Some(error);
    }

    /// Writes a notice if lines are missing. If that fails, the next call tries again.
    fn write_notice(&mut self) {
        if self.missing == 0 {
            return;
        }
        let lines = if self.missing == 1 { "log line was" } else { "log lines were" };
        let why = match &self.why {
            None => "nobody read the log".to_owned(),
            Some(error) => format!("failed to write the log: {}", describe_io(error)),
        };
        let notice = (self.notice)(&format!("{} {lines} dropped: {why}", self.missing));
        let end = if self.torn { "\n" } else { "" };
        if write_all(&self.out, format!("{end}{notice}\n").as_bytes(), None).is_ok() {
            (self.missing, self.why, self.torn) = (0, None, false);
        }
    }
}

#[cfg(test)]
mod tests;
