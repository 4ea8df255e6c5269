//! An answer and how it leaves: later, slowly, broken, or going on after its beginning.

use super::delay::LONGEST;
use super::injected::{Breaking, Dribble, Injected};
use crate::message::answer::Answer;
use crate::message::stream::{Follow, Source};
use std::time::Duration;

/// What a request gets: the answer, and how it leaves.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub answer: Answer,
    /// How long it waits on the timer thread before it leaves.
    pub hold: Duration,
    /// How it is to fail or to be slow on purpose, where it is.
    pub injected: Option<Box<Injected>>,
    /// Gets the answer once it has begun, to add to it; without this, it is all there.
    pub follow: Option<Follow>,
    /// Gives the body, in place of the answer's.
    pub source: Option<Source>,
}

impl From<Answer> for Reply {
    /// The answer, at once and whole.
    fn from(answer: Answer) -> Reply {
        Reply { answer, ..Reply::default() }
    }
}

impl Reply {
    /// What was injected, made where there is nothing yet.
    pub fn inject(&mut self) -> &mut Injected {
        self.injected.get_or_insert_default()
    }

    /// Holds it back for `time` longer, as far as an answer may be.
    pub fn hold_longer(&mut self, time: Duration) {
        self.hold = self.hold.saturating_add(time).min(LONGEST);
    }

    /// Holds it back for `delay` longer, and notes `by` what.
    pub fn delay(&mut self, delay: Duration, by: &str) {
        self.hold_longer(delay);
        self.inject().note(format_args!("delay {} ms{by}", in_ms(delay)));
    }

    pub fn dribble(&mut self, dribble: Dribble, by: &str) {
        let injected = self.inject();
        injected.dribble = Some(dribble);
        injected.note(format_args!("dribble {} chunks in {} ms{by}", dribble.chunks, in_ms(dribble.over)));
    }

    pub fn break_off(&mut self, breaking: Breaking, by: &str) {
        let injected = self.inject();
        injected.breaking = Some(breaking);
        injected.note(format_args!("fault {}{by}", breaking.name()));
    }

    /// Whether it is there for a while: held back, or dribbling.
    pub fn takes_time(&self) -> bool {
        !self.hold.is_zero() || self.injected.as_ref().is_some_and(|injected| injected.dribble.is_some())
    }

    /// The status of the answer that the client gets; 0 where it gets none, or only a part of it.
    pub fn status_sent(&self) -> u16 {
        let breaks = self.injected.as_ref().is_some_and(|injected| injected.breaking.is_some());
        if breaks { 0 } else { self.answer.status }
    }
}

/// Milliseconds, to the microsecond.
fn in_ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_was_injected_is_told() {
        let mut reply = Reply::from(Answer::text(200, "x"));
        assert_eq!((reply.status_sent(), &reply.injected), (200, &None));
        reply.delay(Duration::from_millis(100), "");
        reply.delay(Duration::from_nanos(1_234_567), "");
        reply.dribble(Dribble::new(5, 1000.0).unwrap(), "");
        assert_eq!(reply.status_sent(), 200);
        reply.break_off(Breaking::Partial, "");
        assert_eq!(reply.status_sent(), 0);
        reply.break_off(Breaking::Reset, " (chaos 3)");
        assert_eq!(reply.status_sent(), 0);
        let words =
            "delay 100 ms, delay 1.234 ms, dribble 5 chunks in 1000 ms, fault partial, fault reset (chaos 3)";
        assert_eq!(reply.injected.unwrap().words, words);
        assert_eq!(reply.hold, Duration::from_nanos(101_234_567));
    }

    #[test]
    fn delays_add_up_to_an_hour_at_most() {
        let mut reply = Reply::default();
        reply.delay(LONGEST, "");
        reply.delay(LONGEST, "");
        assert_eq!(reply.hold, LONGEST);
    }
}
