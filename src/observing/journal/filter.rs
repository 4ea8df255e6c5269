//! Filters: conditions on the parts of a request and its answer. An entry fits a filter if all conditions hold.

mod condition;
mod contradiction;
mod kinds;
pub(crate) mod parse;
mod part;
mod stream;
mod subject;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use condition::Condition;
pub(crate) use kinds::Kinds;
pub(crate) use part::Part;
pub(super) use stream::words as state_in_words;
pub(crate) use subject::Subject;

use super::entry::Entry;
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

/// Conditions that must all hold, on entries of some kinds. Every request fits a filter without conditions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    /// The kinds that it names, if any.
    kinds: Option<Kinds>,
    /// The cheapest first.
    conditions: Vec<Condition>,
}

impl Filter {
    fn new(kinds: Option<Kinds>, mut conditions: Vec<Condition>) -> Filter {
        // A stable sort: near misses list equally cheap parts in the order in which they were written.
        conditions.sort_by_key(Condition::cost);
        let patterns = conditions.iter().map(Condition::pattern_size).sum();
        conditions.iter_mut().for_each(|condition| condition.limit_search(patterns));
        Filter { kinds, conditions }
    }

    /// Returns the kinds of entries that it looks at.
    pub(crate) fn kinds(&self) -> Kinds {
        self.kinds.or_else(|| Kinds::of_conditions(&self.conditions)).unwrap_or_default()
    }

    /// Whether the entry is of a kind that it looks at.
    pub(crate) fn looks_at(&self, entry: &Entry) -> Fit {
        self.kinds().fits(entry)
    }

    pub(crate) fn conditions(&self) -> &[Condition] {
        &self.conditions
    }

    pub(crate) fn fits(&self, subject: &Subject) -> Fit {
        let mut fit = self.looks_at(subject.entry);
        if fit == Fit::No {
            return fit;
        }
        for condition in &self.conditions {
            fit = fit.and(condition.fits(subject));
            if fit == Fit::No {
                break;
            }
        }
        fit
    }

    /// Whether the result may be another once the stream of the entry has moved.
    pub(crate) fn may_change(&self, subject: &Subject) -> bool {
        subject.entry.is_moving() && self.looks_at(subject.entry) != Fit::No && {
            let (moving, others): (Vec<_>, Vec<_>) =
                self.conditions.iter().partition(|condition| condition.may_change());
            !moving.is_empty() && others.iter().all(|condition| condition.fits(subject) != Fit::No)
        }
    }

    /// Whether the number of pieces decides.
    pub(crate) fn asks_for_pieces(&self) -> bool {
        self.conditions.iter().any(|condition| condition.part == Part::Pieces)
    }

    /// Combines the conditions of both filters.
    ///
    /// # Errors
    /// A request can't fit both filters; the text says why.
    pub(crate) fn and(&self, other: &Filter) -> Result<Filter, String> {
        let kinds = kinds::both(other.kinds, self.kinds)?;
        let pairs = self.conditions.iter().flat_map(|one| other.conditions.iter().map(move |two| (two, one)));
        match pairs.filter_map(|(two, one)| contradiction(two, one)).next() {
            Some(why) => Err(why),
            None => {
                let conditions: Vec<_> = self.conditions.iter().chain(&other.conditions).cloned().collect();
                match kinds::contradiction(kinds, &conditions) {
                    Some(why) => Err(why),
                    None => Ok(Filter::new(kinds, conditions)),
                }
            }
        }
    }
}
