//! The state of a stream, as the part `stream` of a filter.

use super::Fit;
use crate::message::progress::{Ending, State};
use crate::observing::journal::entry::Entry;

/// A set of states of an entry: bit 0 is an answer that is no stream, bit 1 a stream that goes on, and the others are the endings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct States(u8);

const NONE: States = States(1);
const OPEN: States = States(2);
const BEGUN: States = States(!NONE.0);
const ENDED: States = States(BEGUN.0 & !OPEN.0);

/// The states that words name; each ending has a word of its own beside them.
const WORDS: [(&str, States); 4] = [("none", NONE), ("begun", BEGUN), ("open", OPEN), ("ended", ENDED)];

/// All words, as errors list them.
pub(super) const KNOWN: &str = "none, begun, open, ended, complete, error, client, chaos, reset or stop";

impl States {
    pub(super) fn parse(word: &str) -> Option<States> {
        Self::words().find(|(known, _)| *known == word).map(|(_, states)| states)
    }

    /// Returns the states with a word that `fits`.
    pub(super) fn of_words(fits: impl Fn(&str) -> bool) -> States {
        let found = Self::words().filter(|(word, _)| fits(word));
        States(found.fold(0, |all, (_, states)| all | states.0))
    }

    fn words() -> impl Iterator<Item = (&'static str, States)> {
        WORDS.into_iter().chain(Ending::ALL.map(|ending| (ending.word(), Self::of(Some(ending)))))
    }

    fn of(ended: Option<Ending>) -> States {
        ended.map_or(OPEN, |ended| States(4 << ended as u8))
    }

    /// Whether the state of `entry` is one of these.
    pub(super) fn fits(self, entry: &Entry) -> Fit {
        let possible = match &entry.stream {
            Some(state) => Self::of(state.ended),
            // All of the entry was evicted, or it was a stream.
            None if entry.gone.stream && entry.gone.method => States(!0),
            None if entry.gone.stream => BEGUN,
            None => NONE,
        };
        match self.0 & possible.0 {
            0 => Fit::No,
            both if both == possible.0 => Fit::Yes,
            _ => Fit::Open,
        }
    }

    pub(super) fn not(self) -> States {
        States(!self.0)
    }

    pub(super) fn is_disjoint(self, other: States) -> bool {
        self.0 & other.0 == 0
    }

    /// Whether a stream can change from a state that is here to one that is not, or back.
    pub(super) fn may_change(self) -> bool {
        !matches!(self.0 & BEGUN.0, 0 | 0xfe)
    }
}

/// Returns the state in words: `none`, `open after 3 pieces`, `complete after 1 piece`.
pub(in crate::observing::journal) fn words(state: Option<&State>) -> String {
    let Some(state) = state else { return "none".into() };
    let (ended, count) = (state.ended.map_or("open", Ending::word), state.pieces);
    format!("{ended} after {count} piece{}", if count == 1 { "" } else { "s" })
}

/// A range of numbers of pieces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub least: u64,
    pub most: u64,
}

impl Range {
    pub(super) fn has(self, number: u64) -> bool {
        (self.least..=self.most).contains(&number)
    }

    pub(super) fn text(self) -> String {
        match self {
            Range { least, most } if least == most => least.to_string(),
            Range { least, most: u64::MAX } => format!("{least}-"),
            Range { least, most } => format!("{least}-{most}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observing::journal::entry::Gone;
    use crate::observing::journal::filter::Subject;
    use crate::observing::journal::filter::parse::{LIST, query};

    fn entry(stream: &str) -> Entry {
        let gone = |method| Gone { headers: true, stream: true, method, ..Gone::default() };
        let (stream, gone) = match stream {
            "none" => (None, Gone::default()),
            "gone" => (None, gone(false)),
            "lost" => (None, gone(true)),
            word => {
                let ended = Ending::ALL.into_iter().find(|ending| ending.word() == word);
                (Some(State { pieces: 3, ended, ..State::default() }), Gone::default())
            }
        };
        Entry { stream, gone, ..Entry::default() }
    }

    #[test]
    fn states_and_pieces_are_compared_and_searched() {
        let kinds = ["none", "open", "complete", "error", "client", "chaos", "reset", "stop", "gone", "lost"];
        // `+` fits, `-` does not, `?` is not known.
        let table = [
            ("stream=none", "+--------?"),
            ("stream=begun", "-++++++++?"),
            ("stream=open", "-+------??"),
            ("stream=ended", "--++++++??"),
            ("stream=complete", "--+-----??"),
            ("stream=error", "---+----??"),
            ("stream=client", "----+---??"),
            ("stream=chaos", "-----+--??"),
            ("stream=reset", "------+-??"),
            ("stream=stop", "-------+??"),
            ("stream!=none", "-++++++++?"),
            ("stream!=open", "+-++++++??"),
            ("stream!=begun", "+--------?"),
            ("stream~=^(error|client)$", "---++---??"),
            ("stream!~=^(error|client)$", "+++--+++??"),
            ("stream~=.", "+++++++++?"),
            ("kind=all&stream~=.", "++++++++++"),
            ("stream=ended&stream!=complete", "---+++++??"),
            ("pieces=3", "-+++++++??"),
            ("pieces=2", "--------??"),
            ("pieces=2-", "-+++++++??"),
            ("pieces=3-3", "-+++++++??"),
            ("pieces=0-2", "--------??"),
            ("pieces!=3", "+-------??"),
            ("pieces!=4-", "++++++++??"),
            ("pieces~=^[1-3]$", "-+++++++??"),
            ("pieces!~=^3", "+-------??"),
        ];
        for (text, expected) in table {
            let filter = query(text, LIST).unwrap_or_else(|error| panic!("{error}")).filter;
            let found: String = kinds
                .iter()
                .map(|kind| match filter.fits(&Subject::new(&entry(kind))) {
                    Fit::Yes => '+',
                    Fit::No => '-',
                    Fit::Open => '?',
                })
                .collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn faults_and_contradictions_are_named() {
        let words = "none, begun, open, ended, complete, error, client, chaos, reset or stop";
        let table = [
            ("stream=closed", format!("`closed` is no state of a stream: {words}")),
            ("stream=", format!("`` is no state of a stream: {words}")),
            ("stream~=(", "bad pattern".into()),
            ("pieces=x", "`x` is neither a number nor a range such as `3-` or `3-5`".into()),
            ("pieces=", "`` is neither a number nor a range such as `3-` or `3-5`".into()),
            ("pieces=5-3", "range `5-3` ends before it begins: write `3-5`".into()),
            (
                "pieces=3-9223372036854775808",
                "`9223372036854775808` is not a whole number from 0 to 9223372036854775807".into(),
            ),
            ("pieces=-3", "`-3` is neither a number nor a range such as `3-` or `3-5`".into()),
            ("stream=open&stream=ended", "contradicts another condition: stream is `open`".into()),
            ("stream=begun&stream!=begun", "contradicts another condition: stream is `begun`".into()),
            ("stream=none&pieces=3", String::new()),
            ("stream=error&stream~=^c", "contradicts another condition: stream is `error`".into()),
            ("stream=ended&stream=error", String::new()),
            (
                "pieces=3&pieces=4",
                "contradicts another condition: pieces is `3`; a pattern takes both".into(),
            ),
            ("pieces=3-&pieces=2", "contradicts another condition: pieces is `3-`".into()),
            ("pieces=3-&pieces=2-5", String::new()),
            ("pieces=3-&pieces!=3-", "contradicts another condition: pieces is `3-`".into()),
            ("pieces=3-&pieces!=3-5", String::new()),
            ("pieces=3&pieces~=4", "contradicts another condition: pieces is `3`".into()),
        ];
        for (text, expected) in table {
            let found = query(text, LIST).map(|_| String::new()).unwrap_or_else(|error| error);
            let is_right = if expected.is_empty() { found.is_empty() } else { found.contains(&expected) };
            assert!(is_right, "{text}: {found}");
        }
    }

    #[test]
    fn only_conditions_that_a_stream_can_change_may_change() {
        let table = [
            ("stream=none", false),
            ("stream=begun", false),
            ("stream!=none&method=GET", false),
            ("stream=open", true),
            ("stream!=ended", true),
            ("stream~=^c", true),
            ("pieces=3-", true),
            ("method=GET", false),
        ];
        for (text, expected) in table {
            let filter = query(text, LIST).unwrap().filter;
            assert_eq!(
                filter.conditions().iter().any(|condition| condition.may_change()),
                expected,
                "{text}"
            );
        }
    }
}
