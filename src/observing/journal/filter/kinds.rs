//! The kinds of entries that a filter looks at: requests that came, unless it names others.

use super::{Condition, Fit, Part};
use crate::observing::journal::Kind;
use crate::observing::journal::entry::Entry;

/// Kinds of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kinds {
    #[default]
    Requests,
    Callbacks,
    All,
}

/// The words of filters.
pub(super) const KNOWN: [(&str, Kinds); 3] =
    [("request", Kinds::Requests), ("callback", Kinds::Callbacks), ("all", Kinds::All)];

impl Kinds {
    pub(super) fn parse(word: &str) -> Option<Kinds> {
        KNOWN.into_iter().find(|(known, _)| *known == word).map(|(_, kinds)| kinds)
    }

    /// Returns its word in filters.
    fn word(self) -> &'static str {
        KNOWN.into_iter().find(|(_, kinds)| *kinds == self).map_or("", |(word, _)| word)
    }

    /// Returns the kinds that conditions ask for without naming them: only callbacks have a cause and attempts.
    pub(super) fn of_conditions(conditions: &[Condition]) -> Option<Kinds> {
        conditions.iter().any(is_of_callbacks).then_some(Kinds::Callbacks)
    }

    /// Whether `entry` is of these kinds.
    pub(super) fn fits(self, entry: &Entry) -> Fit {
        match (self, entry.kind) {
            (Kinds::All, _) => Fit::Yes,
            // All of the entry was evicted, its kind included.
            _ if entry.gone.method => Fit::Open,
            (Kinds::Requests, kind) => Fit::from_bool(kind == Kind::Request),
            (Kinds::Callbacks, kind) => Fit::from_bool(kind != Kind::Request),
        }
    }

    /// Returns the kinds that are in both; `None` where no entry is.
    pub(super) fn and(self, other: Kinds) -> Option<Kinds> {
        match (self, other) {
            (Kinds::All, kinds) | (kinds, Kinds::All) => Some(kinds),
            (one, two) => (one == two).then_some(one),
        }
    }

    /// Counts entries in words: `1 request came`, `3 callback attempts were made`.
    pub(crate) fn came(self, count: u64) -> String {
        let is_one = count == 1;
        match self {
            Kinds::Callbacks => {
                format!("{count} {} {} made", self.noun(count), if is_one { "was" } else { "were" })
            }
            _ => format!("{count} {} came", self.noun(count)),
        }
    }

    /// Returns the noun for `count` entries.
    pub(crate) fn noun(self, count: u64) -> &'static str {
        match (self, count) {
            (Kinds::Requests, 1) => "request",
            (Kinds::Requests, _) => "requests",
            (Kinds::Callbacks, 1) => "callback attempt",
            (Kinds::Callbacks, _) => "callback attempts",
            (Kinds::All, 1) => "entry",
            (Kinds::All, _) => "entries",
        }
    }
}

fn is_of_callbacks(condition: &Condition) -> bool {
    matches!(condition.part, Part::Cause | Part::Attempt)
}

/// Says why an entry of `kinds` can't fit `conditions`, if so.
pub(super) fn contradiction(kinds: Option<Kinds>, conditions: &[Condition]) -> Option<String> {
    let part = &conditions.iter().find(|condition| is_of_callbacks(condition))?.part;
    (kinds == Some(Kinds::Requests)).then(|| {
        format!("contradicts another condition: kind is `request`, and only callbacks have `{part}`")
    })
}

/// Says why no entry is of `one` and of `two`.
pub(super) fn differ(one: Kinds, two: Kinds) -> String {
    format!(
        "contradicts another condition: kind is `{}`, not `{}`; `kind=all` takes both",
        one.word(),
        two.word()
    )
}
