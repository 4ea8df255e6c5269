//! A reply: an answer, and the way in which it is sent: delayed, slowly, broken or as a stream.

use super::delay::LONGEST;
use super::injected::{Breaking, Dribble, Injected};
use super::stream_faults::StreamFaults;
use crate::message::answer::Answer;
use crate::message::stream::{Follow, Relay, Source, Stream};
use std::time::Duration;

/// An answer, and the way in which it is sent.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub answer: Answer,
    /// The time for which the timer thread holds the answer.
    pub hold: Duration,
    /// The faults that are injected, if any.
    pub injected: Option<Box<Injected>>,
    /// A function that continues the answer after its beginning was sent. If absent, the answer is complete.
    pub follow: Option<Follow>,
    /// Provides the body, in place of the answer's.
    pub source: Option<Source>,
    /// Makes the body piece by piece, in place of the answer's.
    pub stream: Option<Box<Stream>>,
    /// The rest of a body that another server sends, after the beginning in the answer.
    pub relay: Option<Box<Relay>>,
    /// Whether the script asked for compression (`r.compress()`).
    pub compress: bool,
    /// Whether another server made the answer: it stays as that server coded it, and an answer to HEAD declares its length.
    pub forwarded: bool,
}

impl From<Answer> for Reply {
    /// Makes a reply that is sent at once and whole.
    fn from(answer: Answer) -> Reply {
        Reply { answer, ..Reply::default() }
    }
}

impl Reply {
    /// Returns the injected faults, so that the caller can add one.
    pub fn inject(&mut self) -> &mut Injected {
        self.injected.get_or_insert_default()
    }

    /// Holds the answer for `time` longer, up to an hour in all.
    pub fn hold_longer(&mut self, time: Duration) {
        self.hold = self.hold.saturating_add(time).min(LONGEST);
    }

    /// Holds the answer for `delay` longer, and notes the delay. `by` names the cause.
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

    /// Whether the body leaves piece by piece.
    pub fn is_streamed(&self) -> bool {
        self.stream.is_some() || self.relay.is_some()
    }

    /// Whether the client gets pieces of a stream, or of a body that another server sends. The answer to HEAD has none, too: the caller knows the method.
    pub fn sends_stream(&self) -> bool {
        let breaking = self.injected.as_ref().and_then(|injected| injected.breaking);
        self.is_streamed()
            && !matches!(self.answer.status, 204 | 205 | 304)
            && !breaking.is_some_and(Breaking::is_total)
    }

    /// Completes the faults of a reply that nothing else changes any more. The faults of its stream take effect if the client gets
    /// pieces (`has_body` is false for HEAD). Otherwise the values of the stream are dropped here, on a worker.
    pub fn settle_stream(&mut self, has_body: bool) {
        let sends = has_body && self.sends_stream();
        let Reply { answer, stream, relay, injected, .. } = self;
        if !sends {
            drop(stream.as_ref().and_then(|stream| stream.take()));
        }
        let Some(faults) = injected else { return };
        if sends {
            faults.settle_stream();
        } else {
            faults.stream = StreamFaults::default();
        }
        if faults.stream.cut_at(0).is_some() {
            stream.iter_mut().for_each(|stream| stream.first = None);
            relay.iter().for_each(|_| answer.body = Vec::new().into());
        }
        if faults.breaking.is_some_and(Breaking::is_total) {
            (*stream, *relay) = (None, None);
        }
        injected.take_if(|injected| **injected == Injected::default());
    }

    /// Whether the answer stays in memory for a while: it is held, it dribbles, or it is a stream.
    pub fn takes_time(&self) -> bool {
        !self.hold.is_zero()
            || self.stream.is_some()
            || self.injected.as_ref().is_some_and(|injected| injected.dribble.is_some())
    }

    /// Returns the status that the client gets; 0 where it gets no answer, or only a part of it.
    pub fn status_sent(&self) -> u16 {
        let breaks = self.injected.as_ref().is_some_and(|injected| injected.breaking.is_some());
        if breaks { 0 } else { self.answer.status }
    }
}

/// Returns milliseconds, to the microsecond.
fn in_ms(time: Duration) -> f64 {
    time.as_micros() as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_describe_everything_that_was_injected() {
        let mut reply = Reply::from(Answer::text(200, "x"));
        assert_eq!((reply.status_sent(), &reply.injected), (200, &None));
        assert!(!reply.takes_time());
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
    fn an_answer_that_is_delayed_or_dribbles_takes_time() {
        let (mut delayed, mut dribbling) = (Reply::default(), Reply::default());
        delayed.delay(Duration::from_nanos(1), "");
        dribbling.dribble(Dribble::new(5, 0.0).unwrap(), "");
        assert!(delayed.takes_time() && dribbling.takes_time());
        let mut broken = Reply::default();
        broken.break_off(Breaking::Reset, "");
        assert!(!broken.takes_time());
    }

    #[test]
    fn delays_add_up_to_an_hour_at_most() {
        let mut reply = Reply::default();
        reply.delay(LONGEST, "");
        reply.delay(LONGEST, "");
        assert_eq!(reply.hold, LONGEST);
    }
}
