//! Clients that leave before they have their answer. The program, which holds the answer, learns of it, and nothing waits for them.

use crate::clock;
use crate::connection::slots::{Phase, Token};
use crate::connection::state::Gone;
use crate::core::state::Core;
use std::sync::Arc;
use std::time::Duration;

/// The client of one request. The program keeps it beside an answer that it holds back.
#[derive(Clone)]
pub struct Client {
    pub(crate) core: Arc<Core>,
    pub(crate) token: Token,
    /// Requests of the connection that were answered before this one.
    pub(crate) served: usize,
}

/// How long an answer is held back for a client that sends no more. The time between two looks comes on top: 10 s in all.
pub(crate) const ABSENT: Duration = Duration::from_secs(9);

impl Client {
    /// Calls `then` if the client leaves before all of its answer has left: soon after, on any thread. At once, if it has left
    /// or been answered already. `then` must be short, and must not wait. If it is called again for the same request, only the last `then` counts.
    pub fn on_gone(&self, then: impl FnOnce() + Send + 'static) {
        let mut then: Option<Gone> = Some(Box::new(then));
        if let Some(mut held) = self.core.slots.lock(self.token)
            && matches!(held.phase().0, Phase::Lent | Phase::Writing | Phase::Pausing)
            && let Some(connection) = held.connection()
            && connection.served == self.served
        {
            connection.on_gone = then.take();
        }
        then.into_iter().for_each(|then| then());
    }
}

impl Core {
    /// Closes the connections whose client sends no more, and whose answer has been held back, or has paused between two slices,
    /// for `time` or longer. Such a client may wait for its answer, or may have left: TCP shows both in the same way.
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

    /// Refuses the requests of which a part has come, and then nothing for `time`, counted from the first call on.
    pub(crate) fn end_silent(&self, time: Duration) {
        let now = clock::milliseconds();
        for (.., index) in self.slots.stamps().filter(|(phase, ..)| phase.is_incomplete()) {
            let held = self.slots.lock_at(index).filter(|held| held.phase().0.is_incomplete());
            let Some(mut held) = held else { continue };
            let phase = held.phase().0;
            let Some(connection) = held.connection() else { continue };
            let since = *connection.silent_since.get_or_insert(now);
            // Bytes that have arrived and were not read yet are no silence.
            if u128::from(now.saturating_sub(since)) >= time.as_millis() && !connection.socket.has_unread() {
                self.end_late(held, phase);
            }
        }
    }
}
