//! Closes or refuses connections that are over their deadline.

use crate::connection::slots::{Held, Phase};
use crate::core::absent::ABSENT;
use crate::core::state::Core;
use crate::refusal::Reason;
use std::time::Duration;

/// Longest time that a connection lingers after its last answer.
const LINGER: Duration = Duration::from_secs(2);

impl Core {
    /// Returns the milliseconds between two searches: an eighth of the shortest deadline, from 10 to 1000.
    pub(crate) fn look_interval(&self) -> u64 {
        let limits = &self.limits;
        let times = [limits.head_time, limits.body_time, limits.idle_time, limits.write_time];
        let shortest = times.into_iter().min().unwrap_or_default().as_millis() / 8;
        u64::try_from(shortest).unwrap_or(1000).clamp(10, 1000)
    }

    /// Ends the connections that are over their deadline. Returns the number of connections that were open.
    pub(crate) fn expire(&self, now: u64) -> usize {
        self.close_absent(ABSENT);
        let mut open = 0;
        for (phase, since, index) in self.slots.stamps() {
            open += 1;
            if self.is_over(phase, since, now) {
                let held = self.slots.lock_at(index);
                if let Some(mut held) = held.filter(|held| held.phase() == (phase, since)) {
                    let unread = held.connection().is_some_and(|connection| connection.socket.has_unread());
                    match unread && self.may_wait(phase, since, now) {
                        true => {}
                        false => self.end_late(held, phase),
                    }
                }
            }
        }
        open
    }

    fn is_over(&self, phase: Phase, since: u64, now: u64) -> bool {
        let time = match phase {
            Phase::Free | Phase::Lent | Phase::Pausing => return false,
            Phase::Idle => self.limits.idle_time,
            Phase::Head => self.limits.head_time,
            Phase::Body => self.limits.body_time,
            Phase::Writing => self.limits.write_time,
            Phase::Lingering => LINGER,
        };
        u128::from(now.saturating_sub(since)) >= time.as_millis()
    }

    /// Whether a late connection with unread bytes may stay. Its bytes arrived in time, and the workers were too busy to read
    /// them. Heads and bodies have twice their time, since a client that floods always has unread bytes.
    fn may_wait(&self, phase: Phase, since: u64, now: u64) -> bool {
        match phase {
            Phase::Idle => true,
            Phase::Head | Phase::Body => !self.is_over(phase, since + (now - since) / 2, now),
            _ => false,
        }
    }

    pub(crate) fn end_late(&self, mut held: Held<'_>, phase: Phase) {
        match phase {
            Phase::Head => self.refuse(held, Reason::HeadTooSlow),
            Phase::Body => self.refuse(held, Reason::BodyTooSlow),
            Phase::Writing => {
                if let Some(connection) = held.connection() {
                    let time = self.limits.write_time.as_millis();
                    log::info!(
                        "cut {}: it has not taken its answer within {time} ms",
                        connection.socket.peer
                    );
                }
                // A plain end would look like the end of the answer.
                self.reset(held);
            }
            _ => self.close(held),
        }
    }
}
