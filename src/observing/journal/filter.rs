//! Filters: conditions on the parts of a request and its answer. An entry fits a filter if all conditions hold.

mod condition;
mod contradiction;
pub(crate) mod parse;
mod part;
mod subject;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use condition::Condition;
pub(crate) use part::Part;
pub(crate) use subject::Subject;

use crate::system::truncate::truncate;
use contradiction::contradiction;

/// Longest text that an error or a near miss repeats, in characters.
const EXCERPT: usize = 100;

pub(super) fn excerpt(text: &str) -> String {
    truncate(text, EXCERPT, "...")
}

/// Whether an entry fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No,
    /// Cannot be decided: the part that decides was evicted, truncated, never read, or can't be unpacked.
    Open,
}

impl Fit {
    fn from_bool(holds: bool) -> Fit {
        if holds { Fit::Yes } else { Fit::No }
    }

    /// Whether both hold.
    pub(crate) fn and(self, other: Fit) -> Fit {
        match (self, other) {
            (Fit::No, _) | (_, Fit::No) => Fit::No,
            (Fit::Yes, Fit::Yes) => Fit::Yes,
            _ => Fit::Open,
        }
    }

    /// The opposite. `Open` stays `Open`.
    fn not(self) -> Fit {
        match self {
            Fit::Yes => Fit::No,
            Fit::No => Fit::Yes,
            Fit::Open => Fit::Open,
        }
    }
}

/// Conditions that must all hold. Every entry fits a filter without conditions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// The cheapest first.
    conditions: Vec<Condition>,
}

impl Filter {
    fn new(mut conditions: Vec<Condition>) -> Filter {
        // A stable sort: near misses list equally cheap parts in the order in which they were written.
        conditions.sort_by_key(Condition::cost);
        let patterns = conditions.iter().map(Condition::pattern_size).sum();
        conditions.iter_mut().for_each(|condition| condition.limit_search(patterns));
        Filter { conditions }
    }

    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    pub(crate) fn fits(&self, subject: &Subject) -> Fit {
        let mut fit = Fit::Yes;
        for condition in &self.conditions {
            fit = fit.and(condition.fits(subject));
            if fit == Fit::No {
                break;
            }
        }
        fit
    }

    /// Combines the conditions of both filters.
    ///
    /// # Errors
    /// A request can't fit both filters; the text says why.
    pub(crate) fn and(&self, other: &Filter) -> Result<Filter, String> {
        let pairs = self.conditions.iter().flat_map(|one| other.conditions.iter().map(move |two| (two, one)));
        match pairs.filter_map(|(two, one)| contradiction(two, one)).next() {
            Some(why) => Err(why),
            None => Ok(Filter::new(self.conditions.iter().chain(&other.conditions).cloned().collect())),
        }
    }
}
