//! A condition on one part of an entry: a text, pattern or value that the part must have, or must not have.

use super::stream::{Range, States};
use super::subject::Unknown;
use super::{Fit, Part, Subject};
use crate::message::json::Json;
use crate::observing::journal::entry::Entry;
use crate::routing::rule::Rule;
use regex_lite::Regex;
use std::borrow::Cow;
use std::fmt::{self, Write};

/// A search reads so many bytes of a text at most. The text beyond counts as truncated.
pub(super) const MAX_SEARCHED: usize = 64 << 10;

/// Limit for the time of all searches of a filter: bytes of compiled patterns times bytes of text. It takes about 100 ms.
const MAX_WORK: usize = MAX_SEARCHED << 10;

/// A text counts as so many bytes at least, since each search has a fixed cost.
const LEAST_SEARCHED: usize = 64;

#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub part: Part,
    /// The condition holds where the test does not.
    pub negated: bool,
    pub(super) test: Test,
}

#[derive(Debug, Clone)]
pub(super) enum Test {
    /// The part is there.
    Present,
    /// The part is this text.
    Equals(String),
    /// The part has a match of this pattern.
    Search(Search),
    /// The part is a path that this rule matches.
    Path(Box<Rule>),
    /// The part is a status that starts with this digit.
    Class(char),
    /// The part is this JSON value, or a string with this text.
    Json { value: Option<Json>, text: Option<String> },
    /// The stream is in one of these states: those of this word, or of this pattern.
    Stream { states: States, written: String, search: bool },
    /// The part is a number in this range.
    Number(Range),
}

/// A pattern, and how much of a text it searches.
#[derive(Debug, Clone)]
pub(super) struct Search {
    regex: Regex,
    /// Most bytes of the compiled pattern.
    size: usize,
    /// Bytes that it searches of all texts of one part together.
    reach: usize,
}

impl Search {
    pub(super) fn new(regex: Regex, size: usize) -> Search {
        Search { regex, size, reach: MAX_SEARCHED }
    }

    pub(super) fn pattern(&self) -> &str {
        self.regex.as_str()
    }

    /// Whether one of `texts` has a match.
    fn any(&self, texts: &[Cow<str>]) -> Fit {
        let (mut left, mut fit) = (self.reach, Fit::No);
        for text in texts {
            match self.find(text.as_bytes(), false, left) {
                Fit::Yes => return Fit::Yes,
                Fit::Open => fit = Fit::Open,
                Fit::No => {}
            }
            left = left.saturating_sub(text.len().max(LEAST_SEARCHED));
        }
        fit
    }

    /// Searches the first `left` bytes of `kept`, the part of a text that is kept.
    ///
    /// Where the rest of the text is missing, a match counts only if it ends before the last character. So no `$` or `\b` at its end
    /// depends on the missing text.
    fn find(&self, kept: &[u8], is_cut: bool, left: usize) -> Fit {
        let (bytes, is_cut) = (&kept[..kept.len().min(left)], is_cut || kept.len() > left);
        let text = String::from_utf8_lossy(bytes);
        if !is_cut {
            return Fit::from_bool(self.regex.is_match(&text));
        }
        let sure = text.char_indices().next_back().map_or(0, |(at, _)| at);
        match self.regex.find(&text) {
            Some(found) if found.end() <= sure => Fit::Yes,
            _ => Fit::Open,
        }
    }
}

impl Condition {
    pub(super) fn cost(&self) -> u8 {
        match (&self.test, &self.part) {
            (Test::Search(_), Part::Body) => 5,
            (_, Part::Json(_) | Part::Form(_) | Part::Multipart(..)) => 4,
            (Test::Search(_), _) => 3,
            (_, Part::Query(_) | Part::Baggage(_) | Part::Cookie(_)) => 2,
            (_, Part::Header(_) | Part::Body) => 1,
            _ => 0,
        }
    }

    pub(super) fn pattern_size(&self) -> usize {
        if let Test::Search(search) = &self.test { search.size } else { 0 }
    }

    /// Limits how much of a text is searched: the larger all `patterns` of the filter are together, in bytes, the less.
    pub(super) fn limit_search(&mut self, patterns: usize) {
        if let Test::Search(search) = &mut self.test {
            search.reach = (MAX_WORK / patterns.max(1)).min(MAX_SEARCHED);
        }
    }

    pub(crate) fn fits(&self, subject: &Subject) -> Fit {
        let fit = match &self.part {
            _ if let Test::Stream { states, .. } = &self.test => states.fits(subject.entry),
            part if part.unknown(subject.entry).is_some() => Fit::Open,
            Part::Body => self.body_fits(subject),
            Part::Json(pointer) => match subject.json() {
                Ok(json) => {
                    json.and_then(|json| json.pointer(pointer)).map_or(Fit::No, |at| self.value_fits(at))
                }
                Err(_) => Fit::Open,
            },
            part => part.texts(subject).map_or(Fit::Open, |texts| self.texts_fit(&texts)),
        };
        if self.negated { fit.not() } else { fit }
    }

    /// Whether the result may be another once the stream of an entry has moved.
    pub(crate) fn may_change(&self) -> bool {
        match &self.test {
            Test::Stream { states, .. } => states.may_change(),
            _ => self.part == Part::Pieces,
        }
    }

    /// Returns the states of a stream in which the condition holds.
    pub(super) fn states(&self) -> Option<States> {
        match &self.test {
            Test::Stream { states, .. } if self.negated => Some(states.not()),
            Test::Stream { states, .. } => Some(*states),
            _ => None,
        }
    }

    /// Returns the text that the condition expects, in words.
    pub(crate) fn expected(&self) -> String {
        let (prefix, expected) = match &self.test {
            Test::Present if self.negated => ("", "absent".into()),
            Test::Present => ("", "present".into()),
            Test::Equals(text) => ("not ", text.clone()),
            Test::Search(search) if self.negated => ("no ", format!("match of {}", search.pattern())),
            Test::Search(search) => ("", format!("a match of {}", search.pattern())),
            Test::Path(rule) => ("not ", rule.pattern().into()),
            Test::Class(digit) => ("not ", format!("{digit}xx")),
            Test::Stream { written, search: false, .. } => ("not ", written.clone()),
            Test::Stream { written, .. } if self.negated => ("no ", format!("match of {written}")),
            Test::Stream { written, .. } => ("", format!("a match of {written}")),
            Test::Number(range) => ("not ", range.text()),
            Test::Json { text: Some(text), .. } => ("not ", text.clone()),
            Test::Json { value, .. } => ("not ", value.as_ref().map(Json::to_string).unwrap_or_default()),
        };
        if self.negated { format!("{prefix}{expected}") } else { expected }
    }

    /// Whether the test holds for one of `texts`.
    fn texts_fit(&self, texts: &[Cow<str>]) -> Fit {
        match &self.test {
            Test::Search(search) => search.any(texts),
            _ => Fit::from_bool(texts.iter().any(|text| self.test.holds(text))),
        }
    }

    pub(super) fn value_fits(&self, found: &Json) -> Fit {
        match (&self.test, found.as_str()) {
            (Test::Json { value, text }, found_text) => {
                let same_text = text.as_deref().is_some_and(|text| found_text == Some(text));
                Fit::from_bool(same_text || value.as_ref().is_some_and(|value| value.same(found)))
            }
            (Test::Present, _) => Fit::Yes,
            (Test::Search(search), None) => {
                let mut text = Beginning { text: String::new(), most: search.reach };
                let is_cut = write!(text, "{found}").is_err();
                search.find(text.text.as_bytes(), is_cut, search.reach)
            }
            (_, Some(text)) => self.texts_fit(&[text.into()]),
            (_, None) => Fit::No,
        }
    }

    fn body_fits(&self, subject: &Subject) -> Fit {
        let Entry { body, body_length, .. } = subject.entry;
        let (content, is_cut) = match subject.content() {
            Ok(content) => (content, false),
            Err(Unknown::Cut(..)) if subject.fields("content-encoding").next().is_none() => (&body[..], true),
            Err(Unknown::Coding(_)) => (&body[..], false),
            Err(_) => return Fit::Open,
        };
        match &self.test {
            Test::Equals(expected) if is_cut => {
                match *body_length == expected.len() as u64 && expected.as_bytes().starts_with(body) {
                    true => Fit::Open,
                    false => Fit::No,
                }
            }
            Test::Equals(expected) => Fit::from_bool(content == expected.as_bytes()),
            Test::Search(search) => search.find(content, is_cut, search.reach),
            _ => Fit::No,
        }
    }

    /// Whether the test, without negation, holds for a part with only this text.
    pub(super) fn text_fits(&self, text: &str) -> Fit {
        self.texts_fit(&[text.into()])
    }
}

/// Keeps the text that is written to it, and fails a write that would make it longer than `most` bytes.
struct Beginning {
    text: String,
    most: usize,
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.text.len() + text.len() > self.most {
            return Err(fmt::Error);
        }
        self.text.push_str(text);
        Ok(())
    }
}

impl Test {
    /// Whether the test is a pattern with a match in `text`.
    pub(super) fn finds(&self, text: &str) -> bool {
        matches!(self, Test::Search(search) if search.any(&[text.into()]) == Fit::Yes)
    }

    fn holds(&self, text: &str) -> bool {
        match self {
            Test::Present => true,
            Test::Equals(expected) => text == expected,
            Test::Path(rule) => rule.matches(text).is_some_and(|found| found.redirect.is_none()),
            Test::Class(digit) => text.len() == 3 && text.starts_with(*digit),
            Test::Number(range) => text.parse().is_ok_and(|number| range.has(number)),
            Test::Search(_) | Test::Json { .. } | Test::Stream { .. } => false,
        }
    }
}
