//! The way of log lines to their reader: threads leave them in a bounded buffer, the thread `log` writes them. Where nobody reads,
//! that thread waits and nobody else.

use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use crate::system::output::write_all;
use std::io;
use std::mem;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Bytes of lines that wait, and again of lines that are being written. A line beyond that is dropped.
const MOST: usize = 512 << 10;

/// How long a thread waits for room before it drops a line: for a burst, and for a thread `log` that gets no processor at once.
const PATIENCE: Duration = Duration::from_millis(10);

/// How long lines gather once some were written. To wake the thread for each line would cost a worker more than to write it.
const PAUSE: Duration = Duration::from_millis(1);

/// Lines on their way.
pub(crate) struct LogQueue {
    state: Mutex<State>,
    /// Wakes the thread that writes.
    came: Condvar,
    /// Wakes those that wait for room, or until all is written.
    left: Condvar,
    dropped: AtomicU64,
}

struct State {
    lines: Vec<u8>,
    /// Lines that did not fit behind those.
    dropped: u64,
    /// The thread waits to be woken.
    idle: bool,
    /// The thread writes.
    busy: bool,
    /// How many wait for room, or until all is written.
    hurried: usize,
}

impl LogQueue {
    /// A queue without lines. Its memory is reserved at once, so that none of it counts as a script's, and used when needed.
    pub(crate) fn new() -> LogQueue {
        let lines = Vec::with_capacity(MOST);
        let state = State { lines, dropped: 0, idle: false, busy: false, hurried: 0 };
        let (came, left) = (Condvar::new(), Condvar::new());
        LogQueue { state: Mutex::new(state), came, left, dropped: AtomicU64::new(0) }
    }

    /// Leaves `line`, which has its line end, for the thread. Once one was dropped, all are until the thread takes what is there: so
    /// it knows where they are missing, and nobody waits for a reader that is gone.
    pub(crate) fn push(&self, line: &[u8]) {
        // The buffer never grows: an allocation that failed here would take the log away from everybody.
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

    /// How many lines were dropped so far.
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Waits until all lines are written, or until `end`; gives whether they are.
    pub(crate) fn flush(&self, end: Instant) -> bool {
        let left = end.saturating_duration_since(Instant::now());
        let unwritten = |state: &State| state.busy || state.has_news();
        !unwritten(&self.wait(lock(&self.state), left, unwritten))
    }

    /// Waits while `condition` holds, for at most `time`. The thread pauses for nobody meanwhile.
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

    /// Writes lines to `out` as they come, and `notice(text)` where some are missing. Never ends.
    pub(crate) fn write_to(&self, out: impl AsFd, notice: impl Fn(&str) -> String) {
        let mut writer = Writer { queue: self, out, notice, missing: 0, why: None, torn: false };
        let mut lines = Vec::with_capacity(MOST);
        loop {
            let dropped = self.take(&mut lines);
            writer.tell();
            writer.write(&lines);
            writer.missing += dropped;
            writer.tell();
        }
    }

    /// Waits for lines, and swaps them for the ones in `lines`, which are written; gives how many were dropped behind them.
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
    /// Lines that are missing and were not told of yet.
    missing: u64,
    /// Why the last of them could not be written.
    why: Option<io::Error>,
    /// What was written last is the beginning of a line.
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

    /// Tells how many lines are missing, once that can be written.
    fn tell(&mut self) {
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
