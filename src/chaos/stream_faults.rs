//! The faults of one stream: pauses between its pieces, and an end after some of them.
//!
//! [`StreamFaults`] goes with the stream to the thread that sends it. So an entry of chaos that is removed changes only later
//! streams.

use super::delay::{Delay, LONGEST};
use fastrand::Rng;
use std::fmt::{self, Write};
use std::time::Duration;

/// Most delays of one stream: each pause draws from all of them. The entries of chaos come on top.
const MOST_DELAYS: usize = 100;
/// Most pieces before a cut, so that JSON and scripts have the same bound. No stream gets that far.
const MOST_PIECES: u64 = 1_000_000_000;

/// An end of the stream that its client must not take for the end of the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Pieces that the client gets before; 0 for the head alone.
    pub after: u64,
    /// Whether bytes that are no chunk come before the end.
    pub garbage: bool,
}

/// The faults for streams that one entry of chaos has.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct StreamAct {
    pub delay: Option<Delay>,
    pub cut: Option<Cut>,
}

/// The faults of one stream.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StreamFaults {
    /// The delays, and the generators of their draws.
    delays: Vec<(Delay, Rng)>,
    cut: Option<Cut>,
    /// Describes the faults: `stream delay 50 ms, stream break after 3 (chaos 2)`.
    words: String,
}

impl Cut {
    /// Creates an end after `pieces` pieces.
    ///
    /// # Errors
    /// `pieces` is out of range. The caller puts the name of a field in front of the error.
    pub fn new(pieces: i64, garbage: bool) -> Result<Cut, String> {
        match u64::try_from(pieces) {
            Ok(after @ 0..=MOST_PIECES) => Ok(Cut { after, garbage }),
            _ => Err(format!("{pieces} is no number of pieces from 0 to {MOST_PIECES}")),
        }
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stream {} after {}", if self.garbage { "garbage" } else { "break" }, self.after)
    }
}

impl StreamFaults {
    /// Adds the faults of `act`, whose delays are drawn from `random`. Delays add up, a cut replaces the one before. `by` names the
    /// cause.
    ///
    /// # Errors
    /// The stream has too many delays. The caller puts the name of a function in front of the error.
    pub fn add(&mut self, act: &StreamAct, random: Rng, by: &str) -> Result<(), String> {
        if act.delay.is_some() && self.delays.len() >= MOST_DELAYS {
            return Err(format!("a stream has at most {MOST_DELAYS} delays"));
        }
        self.delays.extend(act.delay.map(|delay| (delay, random)));
        self.cut = act.cut.or(self.cut);
        let delay = act.delay.map(|delay| format!("stream delay {delay}"));
        let cut = act.cut.map(|cut| cut.to_string());
        let words: Vec<String> = delay.into_iter().chain(cut).collect();
        if !words.is_empty() {
            self.note(&format!("{}{by}", words.join(", ")));
        }
        Ok(())
    }

    fn note(&mut self, words: &str) {
        let comma = if self.words.is_empty() || words.is_empty() { "" } else { ", " };
        let _ = write!(self.words, "{comma}{words}");
    }

    /// Adds the faults of `more`, which another cause has. Its cut replaces the one before.
    pub fn merge(&mut self, more: StreamFaults) {
        self.note(&more.words);
        self.delays.extend(more.delays);
        self.cut = more.cut.or(self.cut);
    }

    /// Ends the stream after its first piece, unless it ends before.
    pub fn cut_after_first(&mut self) {
        self.cut = self.cut.filter(|cut| cut.after <= 1).or(Some(Cut { after: 1, garbage: false }));
    }

    pub fn has_cut(&self) -> bool {
        self.cut.is_some()
    }

    pub fn words(&self) -> &str {
        &self.words
    }

    /// Draws the time by which the next piece leaves later, an hour at most.
    pub fn pause(&mut self) -> Duration {
        let draw = |(delay, random): &mut (Delay, Rng)| delay.draw(random);
        let sum = |sum: Duration, more| sum.saturating_add(more).min(LONGEST);
        self.delays.iter_mut().map(draw).fold(Duration::ZERO, sum)
    }

    /// Returns the cut of a stream that has sent `pieces` pieces, if it is due.
    pub fn cut_at(&self, pieces: u64) -> Option<Cut> {
        self.cut.filter(|cut| pieces >= cut.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delayed(delay: Delay, seed: u64) -> StreamFaults {
        let mut faults = StreamFaults::default();
        faults.add(&StreamAct { delay: Some(delay), cut: None }, Rng::with_seed(seed), "").unwrap();
        faults
    }

    #[test]
    fn a_seed_gives_the_same_pauses_again() {
        let pauses = |seed| -> Vec<Duration> {
            let mut faults = delayed(Delay::Uniform(0.0, 1000.0), seed);
            (0..10).map(|_| faults.pause()).collect()
        };
        let first = pauses(7);
        assert_eq!(first, pauses(7));
        assert_ne!(first, pauses(8));
        assert!(first.windows(2).any(|two| two[0] != two[1]), "each pause is drawn: {first:?}");
    }

    #[test]
    fn pauses_add_up_to_an_hour_at_most() {
        let mut faults = delayed(Delay::Fixed(20.0), 1);
        faults.merge(delayed(Delay::Fixed(30.0), 1));
        assert_eq!((faults.pause(), faults.pause()), (Duration::from_millis(50), Duration::from_millis(50)));
        faults.merge(delayed(Delay::Fixed(3_600_000.0), 1));
        assert_eq!(faults.pause(), LONGEST);
        assert_eq!(StreamFaults::default().pause(), Duration::ZERO);
    }

    #[test]
    fn a_cut_is_due_once_so_many_pieces_were_sent() {
        for (after, pieces, due) in [(0, 0, true), (3, 2, false), (3, 3, true), (3, 4, true)] {
            let cut = Cut::new(after, false).unwrap();
            let faults = StreamFaults { cut: Some(cut), ..StreamFaults::default() };
            assert_eq!(faults.cut_at(pieces).is_some(), due, "{after} {pieces}");
        }
        assert_eq!(StreamFaults::default().cut_at(1000), None);
    }

    #[test]
    fn a_partial_answer_is_cut_after_its_first_piece_or_before() {
        for (own, expected) in [(None, 1), (Some(0), 0), (Some(1), 1), (Some(5), 1)] {
            let cut = own.map(|after| Cut { after, garbage: true });
            let mut faults = StreamFaults { cut, ..StreamFaults::default() };
            faults.cut_after_first();
            assert_eq!(faults.cut.map(|cut| cut.after), Some(expected), "{own:?}");
        }
    }

    #[test]
    fn the_words_describe_the_faults_and_the_last_cut_counts() {
        let mut faults = StreamFaults::default();
        let mut add = |delay, cut, by: &str| {
            faults.add(&StreamAct { delay, cut }, Rng::with_seed(1), by).unwrap();
        };
        add(Some(Delay::Uniform(5.0, 9.5)), None, "");
        add(None, Some(Cut { after: 3, garbage: true }), "");
        add(
            Some(Delay::Lognormal { median: 20.0, sigma: 0.5 }),
            Some(Cut { after: 1, garbage: false }),
            " (chaos 2)",
        );
        assert_eq!(
            faults.words(),
            "stream delay 5 to 9.5 ms, stream garbage after 3, stream delay around 20 ms, stream break after 1 (chaos 2)"
        );
        assert_eq!(faults.cut, Some(Cut { after: 1, garbage: false }));
    }

    #[test]
    fn an_invalid_number_is_an_error_that_names_it() {
        assert_eq!(Cut::new(1_000_000_000, true).map(|cut| cut.after), Ok(1_000_000_000));
        for pieces in [-1, 1_000_000_001] {
            let error = format!("{pieces} is no number of pieces from 0 to 1000000000");
            assert_eq!(Cut::new(pieces, false).unwrap_err(), error);
        }
        let mut faults = delayed(Delay::Fixed(1.0), 1);
        let act = StreamAct { delay: Some(Delay::Fixed(1.0)), cut: None };
        assert!((1..100).all(|_| faults.add(&act, Rng::with_seed(1), "").is_ok()));
        let error = "a stream has at most 100 delays";
        assert_eq!(faults.add(&act, Rng::with_seed(1), ""), Err(error.to_owned()));
    }
}
