//! The progress of a stream: its pieces, their bytes and times, and how it ended. The thread that sends it writes here, and the
//! journal reads.

use crate::system::lock::lock;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Pieces whose times are kept.
pub(crate) const MOST_TIMES: usize = 100;

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// All pieces were sent.
    Complete,
    /// The script failed to make a piece.
    Error,
    /// The client left, or did not take a piece in time.
    Client,
    /// A fault broke it.
    Chaos,
    /// `DELETE /app/v1/all`.
    Reset,
    /// The process stopped.
    Stop,
}

impl Ending {
    pub const ALL: [Ending; 6] =
        [Ending::Complete, Ending::Error, Ending::Client, Ending::Chaos, Ending::Reset, Ending::Stop];

    /// Returns the word for journal, metrics and log.
    pub fn word(self) -> &'static str {
        match self {
            Ending::Complete => "complete",
            Ending::Error => "error",
            Ending::Client => "client",
            Ending::Chaos => "chaos",
            Ending::Reset => "reset",
            Ending::Stop => "stop",
        }
    }
}

/// The progress of one stream.
#[derive(Debug)]
pub struct Progress {
    began: Instant,
    state: Mutex<State>,
}

/// The progress at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {
    /// Pieces that were sent.
    pub pieces: u64,
    /// Bytes of these pieces.
    pub bytes: u64,
    /// Times of the first [`MOST_TIMES`] pieces in milliseconds, from the first piece on.
    pub times: Vec<u32>,
    /// `None` while the stream goes on.
    pub ended: Option<Ending>,
    /// Why the script failed to make a piece.
    pub error: Option<Box<str>>,
}

impl Default for Progress {
    fn default() -> Progress {
        Progress { began: Instant::now(), state: Mutex::default() }
    }
}

impl Progress {
    /// Notes that a piece of `bytes` is sent. False if the stream has ended: then it must not be sent.
    pub fn piece(&self, bytes: usize) -> bool {
        let after = self.began.elapsed();
        let mut state = lock(&self.state);
        if state.ended.is_some() {
            return false;
        }
        state.pieces += 1;
        state.bytes += bytes as u64;
        if state.times.len() < MOST_TIMES {
            state.times.push(milliseconds(after));
        }
        true
    }

    /// Notes the end. False if the stream has ended already: only the first end counts.
    pub fn end(&self, ending: Ending, error: Option<Box<str>>) -> bool {
        let mut state = lock(&self.state);
        if state.ended.is_some() {
            return false;
        }
        (state.ended, state.error) = (Some(ending), error);
        true
    }

    pub fn has_ended(&self) -> bool {
        lock(&self.state).ended.is_some()
    }

    /// Returns a copy of the progress so far.
    pub fn now(&self) -> State {
        lock(&self.state).clone()
    }
}

fn milliseconds(time: Duration) -> u32 {
    u32::try_from(time.as_millis()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_counted_and_the_first_end_counts() {
        let progress = Progress::default();
        assert!((0..MOST_TIMES + 5).all(|_| progress.piece(2)) && !progress.has_ended());
        assert!(progress.end(Ending::Error, Some("why".into())));
        assert!(!progress.end(Ending::Complete, None) && !progress.piece(2));
        let State { pieces, bytes, times, ended, error } = progress.now();
        assert_eq!((pieces, bytes, times.len()), (105, 210, MOST_TIMES));
        assert_eq!((ended, error.as_deref()), (Some(Ending::Error), Some("why")));
        assert!(times.is_sorted());
    }
}
