//! The faults that are injected into one answer, and the words that describe them.

use super::delay::time;
use super::stream_faults::StreamFaults;
use crate::system::truncate::beginning;
use std::fmt::{self, Write};
use std::time::Duration;

/// A fault that breaks the connection before the answer or within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaking {
    /// A reset, before any byte.
    Reset,
    /// An end, before any byte.
    Close,
    /// An end after bytes that are not HTTP.
    Garbage,
    /// An end within the answer.
    Partial,
}

impl Breaking {
    const ALL: [(&str, Breaking); 4] = [
        ("reset", Breaking::Reset),
        ("close", Breaking::Close),
        ("garbage", Breaking::Garbage),
        ("partial", Breaking::Partial),
    ];

    /// Parses the name of a fault.
    ///
    /// # Errors
    /// No fault has that name. The caller puts the name of a field in front of the error.
    pub fn named(name: &str) -> Result<Breaking, String> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found
            .map(|(_, breaking)| breaking)
            .ok_or_else(|| format!("`{}` is none of reset, close, garbage and partial", beginning(name, 80)))
    }

    /// Whether the client gets nothing of the answer.
    pub fn is_total(self) -> bool {
        self != Breaking::Partial
    }

    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, other)| *other == self).map_or("", |(name, _)| name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dribble {
    pub chunks: u32,
    /// Time from the head to the last chunk.
    pub over: Duration,
}

impl Dribble {
    /// Creates a dribble of `chunks` chunks over `ms` milliseconds.
    ///
    /// # Errors
    /// A number is out of range. The caller puts the name of a field in front of the error.
    pub fn new(chunks: i64, ms: f64) -> Result<Dribble, String> {
        match u32::try_from(chunks) {
            Ok(chunks @ 1..=10_000) => {
                Ok(Dribble { chunks, over: Duration::from_secs_f64(time(ms)? / 1000.0) })
            }
            _ => Err(format!("{chunks} is no number of chunks from 1 to 10000")),
        }
    }
}

/// The faults of one answer. Its delay is in [`Reply::hold`](super::Reply::hold).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Injected {
    pub dribble: Option<Dribble>,
    pub breaking: Option<Breaking>,
    /// The faults of the stream that the answer may be. `words` has theirs once it is clear that it is one.
    pub stream: StreamFaults,
    /// Describes all injected faults and delays: `delay 100 ms, fault reset`.
    pub words: String,
}

impl Injected {
    /// Lets the faults take effect on a stream. Its client gets one piece of a partial answer.
    pub fn settle_stream(&mut self) {
        if self.breaking.take_if(|breaking| *breaking == Breaking::Partial).is_some() {
            self.stream.cut_after_first();
        }
        if self.dribble.take().is_some() {
            self.note(format_args!("no dribble of a stream"));
        }
        let words = self.stream.words().to_owned();
        if !words.is_empty() {
            self.note(format_args!("{words}"));
        }
    }

    /// Adds `words` to the description.
    pub fn note(&mut self, words: fmt::Arguments<'_>) {
        let comma = if self.words.is_empty() { "" } else { ", " };
        let _ = write!(self.words, "{comma}{words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_dribble_or_fault_is_an_error_that_names_it() {
        for name in ["reset", "close", "garbage", "partial"] {
            assert_eq!(Breaking::named(name).unwrap().name(), name);
        }
        let error = "`Reset` is none of reset, close, garbage and partial";
        assert_eq!(Breaking::named("Reset").unwrap_err(), error);
        for (chunks, ms, error) in [
            (0, 5.0, "0 is no number of chunks from 1 to 10000"),
            (-1, 5.0, "-1 is no number of chunks from 1 to 10000"),
            (10_001, 5.0, "10001 is no number of chunks from 1 to 10000"),
            (1, -5.0, "-5 is no time from 0 to 3600000 ms"),
        ] {
            assert_eq!(Dribble::new(chunks, ms).unwrap_err(), error);
        }
    }
}
