//! What an answer carries of the misbehaviour that was asked for, and what is told of it.

use super::delay::time;
use crate::system::truncate::beginning;
use std::fmt::{self, Write};
use std::time::Duration;

/// How a connection breaks in place of, or within, an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaking {
    /// It is reset, without a byte.
    Reset,
    /// It ends, without a byte.
    Close,
    /// It ends after bytes that are no HTTP.
    Garbage,
    /// It ends within the answer.
    Partial,
}

impl Breaking {
    const ALL: [(&str, Breaking); 4] = [
        ("reset", Breaking::Reset),
        ("close", Breaking::Close),
        ("garbage", Breaking::Garbage),
        ("partial", Breaking::Partial),
    ];

    /// The one of that name.
    ///
    /// # Errors
    /// There is none, in words that follow a name.
    pub fn named(name: &str) -> Result<Breaking, String> {
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found
            .map(|(_, breaking)| breaking)
            .ok_or_else(|| format!("`{}` is none of reset, close, garbage and partial", beginning(name, 80)))
    }

    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, other)| *other == self).map_or("", |(name, _)| name)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dribble {
    pub chunks: u32,
    /// From the head to the last of them.
    pub over: Duration,
}

impl Dribble {
    /// So many pieces over so many milliseconds.
    ///
    /// # Errors
    /// In words that follow a name.
    pub fn new(chunks: i64, ms: f64) -> Result<Dribble, String> {
        match u32::try_from(chunks) {
            Ok(chunks @ 1..=10_000) => {
                Ok(Dribble { chunks, over: Duration::from_secs_f64(time(ms)? / 1000.0) })
            }
            _ => Err(format!("{chunks} is no number of chunks from 1 to 10000")),
        }
    }
}

/// Misbehaviour of one answer beside its delay, which is [`Reply::hold`](super::Reply::hold).
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Injected {
    pub dribble: Option<Dribble>,
    pub breaking: Option<Breaking>,
    /// All that was injected, delays too: `delay 100 ms, fault reset`.
    pub words: String,
}

impl Injected {
    /// Adds `words` to those that tell of it.
    pub fn note(&mut self, words: fmt::Arguments<'_>) {
        let comma = if self.words.is_empty() { "" } else { ", " };
        let _ = write!(self.words, "{comma}{words}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_dribble_or_fault_is_named() {
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
