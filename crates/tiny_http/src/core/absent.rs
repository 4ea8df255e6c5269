//! Clients that leave before they have their answer. The engine tells the program, and closes connections whose client may have
//! left.

use crate::clock;
use crate::connection::slots::{Held, Phase, Token};
use crate::connection::state::Callback;
use crate::core::state::Core;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

/// The client of one request. The program keeps it while it holds back the answer.
#[derive(Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
    pub(crate) token: Token,
    /// Requests of the connection that were answered before this one.
    pub(crate) served: usize,
}

/// Time for which an answer is held back while its client sends no more. The time between two searches comes on top: 10 s in
/// all.
pub(crate) const ABSENT: Duration = Duration::from_secs(9);

impl Client {
    /// Calls `then` soon after the client leaves, on any thread; at once if the client has left or has its whole answer. `then`
    /// must be short and must not wait. A second call for the same request replaces the first.
    pub fn on_gone(&self, then: impl FnOnce() + Send + 'static) {
        let mut then: Option<Callback> = Some(Box::new(then));
        let mut before = None;
        if let Some(mut held) = self.answered()
            && matches!(held.phase().0, Phase::Lent | Phase::Writing | Phase::Pausing)
            && let Some(connection) = held.connection()
        {
            before = mem::replace(&mut connection.on_gone, then.take());
        }
        // Without the lock on the connection, which the end of what a closure owns may take.
        drop(before);
        then.into_iter().for_each(|then| then());
    }

    /// Whether the client has left, or has its whole answer.
    pub fn has_left(&self) -> bool {
        self.answered().is_none()
    }

    /// Returns the connection while it has an answer to this client's request.
    pub(crate) fn answered(&self) -> Option<Held<'_>> {
        let mut held = self.core.slots.lock(self.token)?;
        let is_own = held.connection().is_some_and(|connection| connection.served == self.served);
        is_own.then_some(held)
    }
}

impl Core {
    /// Closes the connections whose client sends no more and whose answer has been held back, or has paused between two slices,
    /// for `time`. Such a client waits for its answer or has left: TCP shows both in the same way.
    pub(crate) fn close_absent(&self, time: Duration) {
        let now = clock::milliseconds();
        let waits = |(phase, since): (Phase, u64)| {
            let held = matches!(phase, Phase::Lent | Phase::Pausing);
            held && u128::from(now.saturating_sub(since)) >= time.as_millis()
        };
        for (.., index) in self.slots.stamps().filter(|(phase, since, _)| waits((*phase, *since))) {
            let Some(mut held) = self.slots.lock_at(index).filter(|held| waits(held.phase())) else {
                continue;
            };
            if held.connection().is_some_and(|connection| connection.ended && connection.is_held_back()) {
                self.close(held);
            }
        }
    }

    /// Refuses incomplete requests of which no byte has arrived for `time`, counted from the first call.
    pub(crate) fn end_silent(&self, time: Duration) {
        let now = clock::milliseconds();
        for (.., index) in self.slots.stamps().filter(|(phase, ..)| phase.is_incomplete()) {
            let held = self.slots.lock_at(index).filter(|held| held.phase().0.is_incomplete());
            let Some(mut held) = held else { continue };
            let phase = held.phase().0;
            let Some(connection) = held.connection() else { continue };
            let since = *connection.silent_since.get_or_insert(now);
            // A client with unread bytes is not silent.
            if u128::from(now.saturating_sub(since)) >= time.as_millis() && !connection.socket.has_unread() {
                self.end_late(held, phase);
            }
        }
    }
}
