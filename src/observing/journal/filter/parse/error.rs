//! Why a filter is refused.

use crate::system::truncate::truncate;
use std::fmt;

/// Longest part of a filter that its error repeats, in characters.
const EXCERPT: usize = 100;

/// A part of a filter that is none. Displayed as ``failed to parse filter `json=/a`: character 8: no `=` after the pointer``.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FilterError {
    filter: String,
    character: Option<usize>,
    cause: String,
}

impl FilterError {
    /// The fault of `filter`, one pair of a query or one member of an object.
    pub(crate) fn new(filter: &str, cause: String) -> FilterError {
        FilterError { filter: truncate(filter, EXCERPT, ""), character: None, cause }
    }

    /// At this character of the query, from 1.
    pub(crate) fn at_character(self, character: usize) -> FilterError {
        FilterError { character: Some(character), ..self }
    }
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to parse filter `{}`: ", self.filter)?;
        if let Some(character) = self.character {
            write!(f, "character {character}: ")?;
        }
        f.write_str(&self.cause)
    }
}

/// Where in a pair the fault is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Start,
    Value,
    /// Behind it.
    End,
}

/// What is wrong with one pair.
#[derive(Debug)]
pub(super) struct Flaw {
    pub(super) spot: Spot,
    pub(super) cause: String,
}

impl Flaw {
    pub(super) fn new(spot: Spot, cause: String) -> Flaw {
        Flaw { spot, cause }
    }
}
