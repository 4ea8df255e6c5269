//! Which entries are meant: conditions on the parts of a request and its answer, all of which must hold. Knows no HTTP of its
//! own and no journal.

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

/// Longest text that an error repeats, in characters.
const EXCERPT: usize = 100;

fn excerpt(text: &str) -> String {
    truncate(text, EXCERPT, "...")
}

/// Whether an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No,
    /// What is not known of it decides: it was cut off its body, can't be unpacked, has given way, or was never read.
    Open,
}

impl Fit {
    fn from_bool(holds: bool) -> Fit {
        if holds { Fit::Yes } else { Fit::No }
    }

    /// Both must hold.
    pub(crate) fn and(self, other: Fit) -> Fit {
        match (self, other) {
            (Fit::No, _) | (_, Fit::No) => Fit::No,
            (Fit::Yes, Fit::Yes) => Fit::Yes,
            _ => Fit::Open,
        }
    }

    /// The opposite; what is open stays open.
    fn not(self) -> Fit {
        match self {
            Fit::Yes => Fit::No,
            Fit::No => Fit::Yes,
            Fit::Open => Fit::Open,
        }
    }
}

/// Conditions that must all hold; without any, every entry is meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// The cheap ones first.
    conditions: Vec<Condition>,
}

impl Filter {
    fn new(mut conditions: Vec<Condition>) -> Filter {
        // Stable, so that what is told about the parts keeps the order in which they were asked for.
        conditions.sort_by_key(Condition::cost);
        let patterns = conditions.iter().map(Condition::pattern_size).sum();
        conditions.iter_mut().for_each(|condition| condition.limit_search(patterns));
        Filter { conditions }
    }

    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    /// Whether the entry is meant.
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

    /// The conditions of both.
    ///
    /// # Errors
    /// No request can fit both; the text says why.
    pub(crate) fn and(&self, other: &Filter) -> Result<Filter, String> {
        let pairs = self.conditions.iter().flat_map(|one| other.conditions.iter().map(move |two| (two, one)));
        match pairs.filter_map(|(two, one)| contradiction(two, one)).next() {
            Some(why) => Err(why),
            None => Ok(Filter::new(self.conditions.iter().chain(&other.conditions).cloned().collect())),
        }
    }
}
