//! The progress of a stream: its pieces, their bytes and times, and how it ended. The thread that sends it writes here, and the
//! journal reads.

use crate::system::lock::lock;
use std::sync::{Mutex, OnceLock};
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

/// Called after each piece, and at the end with the last state.
pub(crate) type Listener = Box<dyn Fn(Option<&State>) + Send + Sync>;

/// The progress of one stream.
#[derive(Default)]
pub struct Progress {
    /// The time of the first piece.
    began: OnceLock<Instant>,
    state: Mutex<State>,
    listener: OnceLock<Listener>,
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
    /// Milliseconds from the first piece to the end; 0 while the stream goes on.
    pub lasted: u32,
    /// `None` while the stream goes on.
    pub ended: Option<Ending>,
    /// Why the script failed to make a piece.
    pub error: Option<Box<str>>,
}

impl Progress {
    /// Notes that a piece of `bytes` is sent. False if the stream has ended: then it must not be sent.
    pub fn piece(&self, bytes: usize) -> bool {
        let after = self.began.get_or_init(Instant::now).elapsed();
        {
            let mut state = lock(&self.state);
            if state.ended.is_some() {
                return false;
            }
            state.pieces += 1;
            state.bytes += bytes as u64;
            if state.times.len() < MOST_TIMES {
                state.times.push(milliseconds(after));
            }
        }
        self.tell(None);
        true
    }

    /// Notes the end. False if the stream has ended already: only the first end counts.
    pub fn end(&self, ending: Ending, error: Option<Box<str>>) -> bool {
        let last = {
            let mut state = lock(&self.state);
            if state.ended.is_some() {
                return false;
            }
            state.lasted = self.began.get().map_or(0, |began| milliseconds(began.elapsed()));
            (state.ended, state.error) = (Some(ending), error);
            state.clone()
        };
        self.tell(Some(&last));
        true
    }

    /// Returns the number of pieces that were sent.
    pub fn pieces(&self) -> u64 {
        lock(&self.state).pieces
    }

    /// Sets the function that hears of each piece and of the end. Only the first call counts, before the stream begins.
    pub(crate) fn listen(&self, listener: Listener) {
        let _ = self.listener.set(listener);
    }

    fn tell(&self, last: Option<&State>) {
        self.listener.get().into_iter().for_each(|listener| listener(last));
    }

    pub fn has_ended(&self) -> bool {
        lock(&self.state).ended.is_some()
    }

    /// Shows the progress so far to `look`, which must not ask for it again.
    pub(crate) fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&lock(&self.state))
    }

    /// Returns a copy of the progress so far.
    pub fn now(&self) -> State {
        self.look(State::clone)
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
        let State { pieces, bytes, times, ended, error, .. } = progress.now();
        assert_eq!((pieces, bytes, times.len()), (105, 210, MOST_TIMES));
        assert_eq!((ended, error.as_deref()), (Some(Ending::Error), Some("why")));
        assert!(times.is_sorted() && times[0] == 0);
    }

    #[test]
    fn a_listener_hears_of_each_piece_and_of_the_end_once() {
        let (progress, heard) = (Progress::default(), std::sync::Arc::new(Mutex::new(Vec::new())));
        let hears = heard.clone();
        progress.listen(Box::new(move |last| lock(&hears).push(last.map(|last| last.pieces))));
        progress.piece(1);
        progress.piece(1);
        progress.end(Ending::Complete, None);
        progress.end(Ending::Stop, None);
        assert_eq!(*lock(&heard), [None, None, Some(2)]);
    }
}
