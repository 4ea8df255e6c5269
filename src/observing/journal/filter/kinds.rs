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
    fn noun(self, count: u64) -> &'static str {
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

/// Returns the kinds that two filters name together.
///
/// # Errors
/// No entry is of both; the text says why.
pub(super) fn both(one: Option<Kinds>, two: Option<Kinds>) -> Result<Option<Kinds>, String> {
    match (one, two) {
        (None, kinds) | (kinds, None) => Ok(kinds),
        (Some(Kinds::All), kinds) | (kinds, Some(Kinds::All)) => Ok(kinds),
        (Some(one), Some(two)) if one == two => Ok(Some(one)),
        (Some(one), Some(_)) => {
            Err(format!("contradicts another condition: kind is `{}`; `kind=all` takes both", one.word()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::json::read;
    use crate::observing::journal::entry::{Forwarded, Gone};
    use crate::observing::journal::filter::Subject;
    use crate::observing::journal::filter::parse::{LIST, json, query};

    /// A request, one that was forwarded, a callback, its second attempt, the line of a callback, and an entry of which all is gone.
    fn entries() -> [Entry; 6] {
        let callback = |cause, attempt| Entry { kind: Kind::Callback { cause, attempt }, ..Entry::default() };
        let gone = |method| Gone { headers: true, method, ..Gone::default() };
        let forwarded = Some(Forwarded { url: "http://real:80/".into(), error: None });
        [
            Entry::default(),
            Entry { forwarded, ..Entry::default() },
            callback(7, 1),
            callback(7, 2),
            Entry { gone: gone(false), ..callback(0, 0) },
            Entry { gone: gone(true), ..Entry::default() },
        ]
    }

    #[test]
    fn a_filter_looks_at_requests_unless_it_names_other_kinds() {
        // `+` fits, `-` does not, `?` is not known.
        let table = [
            ("", "++---?"),
            ("kind=request", "++---?"),
            ("kind=callback", "--+++?"),
            ("kind=all", "++++++"),
            ("kind=all&kind=callback", "--+++?"),
            ("status=0", "++---?"),
            ("status=200", "-----?"),
            ("kind=all&status=0", "+++++?"),
            ("cause=7", "--++??"),
            ("cause=8", "----??"),
            ("cause!=7", "----??"),
            ("attempt=2", "---+??"),
            ("attempt=2-", "---+??"),
            ("attempt=1-2", "--++??"),
            ("attempt~=1", "--+-??"),
            ("cause=7&kind=callback&attempt=1", "--+-??"),
            ("kind=all&cause=7", "--++??"),
            ("kind=all&attempt!=2", "+++-??"),
            ("forwarded=true", "-+---?"),
            ("forwarded=false", "+----?"),
            ("forwarded!=true", "+----?"),
            ("kind=all&forwarded=false", "+-+++?"),
        ];
        for (text, expected) in table {
            let filter = query(text, LIST).unwrap_or_else(|error| panic!("{error}")).filter;
            let sign = |entry: &Entry| match filter.fits(&Subject::new(entry)) {
                Fit::Yes => '+',
                Fit::No => '-',
                Fit::Open => '?',
            };
            assert_eq!(entries().iter().map(sign).collect::<String>(), expected, "{text}");
        }
    }

    #[test]
    fn faults_and_contradictions_are_named() {
        let only = "contradicts another condition: kind is `request`, and only callbacks have";
        let table = [
            ("kind=calback", "`calback` is no kind: request, callback or all"),
            ("kind=", "`` is no kind: request, callback or all"),
            ("kind!=callback", "`kind` takes no `!=`: write `kind=request`, `callback` or `all`"),
            ("kind~=c", "`kind` takes no `~=`: write `kind=request`, `callback` or `all`"),
            ("knd=all", "unknown parameter `knd`: did you mean `kind`, or"),
            (
                "kind=callback&kind=request",
                "contradicts another condition: kind is `callback`; `kind=all` takes both",
            ),
            ("kind=request&cause=7", &format!("{only} `cause`")),
            ("attempt=7&kind=request", &format!("{only} `attempt`")),
            ("cause=x", "`x` is not a whole number from 0 to 9223372036854775807"),
            ("attempt=x", "`x` is neither a number nor a range such as `3-` or `3-5`"),
            ("attempt=1&attempt=2", "contradicts another condition: attempt is `1`"),
            ("forwarded=yes", "`yes` is neither `true` nor `false`"),
            ("forwarded=true&forwarded=false", "contradicts another condition: forwarded is `true`"),
        ];
        for (text, expected) in table {
            let error = query(text, LIST).map(|_| String::new()).unwrap_or_else(|error| error);
            assert!(error.contains(expected), "{text}: {error}");
        }
        let filter = |text| query(text, LIST).unwrap().filter;
        for (step, beside, kinds) in [
            ("path=/", "method=GET", Ok(Kinds::Requests)),
            ("path=/", "kind=all", Ok(Kinds::All)),
            ("kind=callback", "kind=all", Ok(Kinds::Callbacks)),
            ("cause=7", "", Ok(Kinds::Callbacks)),
            ("cause=7", "kind=request", Err(format!("{only} `cause`"))),
            (
                "kind=callback",
                "kind=request",
                Err("contradicts another condition: kind is `request`; `kind=all` takes both".into()),
            ),
        ] {
            let both = filter(step).and(&filter(beside)).map(|filter| filter.kinds());
            assert_eq!(both, kinds, "{step} {beside}");
        }
    }

    #[test]
    fn json_takes_truth_as_text_or_as_itself() {
        for (text, expected) in [
            (r#"{"forwarded": true}"#, Ok(())),
            (r#"{"forwarded!": "true"}"#, Ok(())),
            (r#"{"forwarded": 1}"#, Err("`1` is neither `true` nor `false`")),
            (r#"{"kind": true}"#, Err("`true` is no text")),
            (r#"{"kind": ["callback", "all"], "cause": 7, "attempt": "2-"}"#, Ok(())),
        ] {
            let found = json(&read(text.as_bytes()).unwrap(), LIST).map(drop);
            let is_right = match (&found, expected) {
                (Err(error), Err(cause)) => error.ends_with(cause),
                (found, expected) => found.is_ok() == expected.is_ok(),
            };
            assert!(is_right, "{text}: {found:?}");
        }
    }

    #[test]
    fn entries_are_counted_in_words() {
        for (kinds, one, two) in [
            (Kinds::Requests, "1 request came", "2 requests came"),
            (Kinds::Callbacks, "1 callback attempt was made", "2 callback attempts were made"),
            (Kinds::All, "1 entry came", "2 entries came"),
        ] {
            assert_eq!((kinds.came(1), kinds.came(2)), (one.to_owned(), two.to_owned()));
        }
    }
}
