//! Errors of filters.

use crate::observing::journal::filter::EXCERPT;
use crate::system::truncate::beginning;

/// Returns the error for `filter`, one pair of a query or one member of an object.
///
/// For example: ``failed to parse filter `json=/a`: character 8: no `=` after the pointer``
pub(super) fn failed(filter: &str, cause: &str) -> String {
    format!("failed to parse filter `{}`: {cause}", beginning(filter, EXCERPT))
}

/// The place of a fault in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    Start,
    Value,
    /// Behind the value.
    End,
}

/// A fault in one pair.
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
