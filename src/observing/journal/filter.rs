//! Which entries are meant: conditions on the parts of a request and its answer, all of which must hold. Knows no HTTP of its
//! own and no journal.

pub(crate) mod parse;
mod part;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use part::Part;

use super::entry::Entry;
use crate::message::form::{self, Pairs};
use crate::message::json::{self, Json};
use crate::message::request::url::places;
use crate::routing::rule::Rule;
use regex_lite::Regex;
use std::borrow::Cow;
use std::cell::OnceCell;

/// Longest part of a body or another text that a search looks at; what is beyond counts as cut.
const MAX_SEARCHED: usize = 64 << 10;

/// Whether an entry is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Yes,
    No,
    /// What was cut off its body decides, or what has given way.
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
    pub(crate) fn and(&self, other: &Filter) -> Filter {
        Filter::new(self.conditions.iter().chain(&other.conditions).cloned().collect())
    }
}

/// An entry, with what was parsed of it for one filter or for many.
pub(crate) struct Subject<'e> {
    pub entry: &'e Entry,
    query: OnceCell<Pairs>,
    json: OnceCell<Option<Json>>,
}

impl<'e> Subject<'e> {
    /// Nothing is parsed before it is asked for.
    pub(crate) fn new(entry: &'e Entry) -> Subject<'e> {
        Subject { entry, query: OnceCell::new(), json: OnceCell::new() }
    }

    /// Parameters of the request's query.
    fn query(&self) -> &Pairs {
        let target = &self.entry.target;
        self.query.get_or_init(|| form::urlencoded(target[places(target).query].as_bytes()))
    }

    /// The body as JSON, where it is.
    fn json(&self) -> Option<&Json> {
        self.json.get_or_init(|| json::read(&self.entry.body).ok()).as_ref()
    }

    /// Whether nothing is known of a part any more.
    pub(crate) fn has_lost(&self, part: &Part) -> bool {
        let gone = self.entry.gone;
        match part {
            Part::Method | Part::Status => gone.method,
            Part::Path => gone.path,
            Part::Rule | Part::Endpoint => gone.rule,
            Part::Generation => gone.generation,
            // A body that has given way alone is one that is cut, and its length is known.
            _ => gone.headers,
        }
    }

    /// Whether some of the body is missing.
    pub(crate) fn is_cut(&self) -> bool {
        self.entry.body_length > self.entry.body.len() as u64
    }
}

/// What one part of an entry has to be.
#[derive(Debug, Clone)]
pub(crate) struct Condition {
    pub part: Part,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    /// It is there.
    Present,
    /// It is this text.
    Equals(String),
    /// It has a match.
    Search(Regex),
    /// It is a path that this rule takes.
    Path(Box<Rule>),
    /// It is a status that starts with this digit.
    Class(char),
    /// It is this JSON value, or this text where one was typed.
    Json { value: Option<Json>, text: Option<String> },
}

impl Condition {
    fn cost(&self) -> u8 {
        match (&self.test, &self.part) {
            (_, Part::Json(_)) => 4,
            (Test::Search(_), Part::Body) => 5,
            (Test::Search(_), _) => 3,
            (_, Part::Query(_) | Part::Baggage(_)) => 2,
            (_, Part::Header(_) | Part::Body) => 1,
            _ => 0,
        }
    }

    pub(crate) fn fits(&self, subject: &Subject) -> Fit {
        if subject.has_lost(&self.part) {
            return Fit::Open;
        }
        match &self.part {
            Part::Body => self.body_fits(subject),
            Part::Json(_) if subject.is_cut() => Fit::Open,
            Part::Json(pointer) => {
                let found = subject.json().and_then(|json| json.pointer(pointer));
                found.map_or(Fit::No, |found| self.value_holds(found))
            }
            part => any(part.texts(subject).iter().map(|text| self.holds(text))),
        }
    }

    /// What is asked for, in words.
    pub(crate) fn expected(&self) -> String {
        match &self.test {
            Test::Present => "present".into(),
            Test::Equals(text) => text.clone(),
            Test::Search(regex) => format!("a match of {}", regex.as_str()),
            Test::Path(rule) => rule.pattern().into(),
            Test::Class(digit) => format!("{digit}xx"),
            Test::Json { text: Some(text), .. } => text.clone(),
            Test::Json { value, .. } => value.as_ref().map(Json::to_string).unwrap_or_default(),
        }
    }

    fn holds(&self, text: &str) -> Fit {
        Fit::from_bool(match &self.test {
            Test::Present => true,
            Test::Equals(expected) => text == expected,
            Test::Search(regex) => return searched(regex, text.as_bytes(), false),
            Test::Path(rule) => rule.matches(text).is_some_and(|found| found.redirect.is_none()),
            Test::Class(digit) => text.len() == 3 && text.starts_with(*digit),
            Test::Json { .. } => false,
        })
    }

    fn value_holds(&self, found: &Json) -> Fit {
        match &self.test {
            Test::Json { value, text } => {
                let same_text = text.as_deref().is_some_and(|text| found.as_str() == Some(text));
                Fit::from_bool(same_text || value.as_ref().is_some_and(|value| value.same(found)))
            }
            _ => match found.as_str() {
                Some(text) => self.holds(text),
                None => self.holds(&found.to_string()),
            },
        }
    }

    fn body_fits(&self, subject: &Subject) -> Fit {
        let Entry { body, body_length, .. } = subject.entry;
        match &self.test {
            Test::Equals(expected) => {
                let same_length = *body_length == expected.len() as u64;
                match same_length && expected.as_bytes().starts_with(body) {
                    true if subject.is_cut() => Fit::Open,
                    holds => Fit::from_bool(holds),
                }
            }
            Test::Search(regex) => searched(regex, body, subject.is_cut()),
            _ => Fit::No,
        }
    }
}

/// Whether one of them fits.
fn any(fits: impl Iterator<Item = Fit>) -> Fit {
    fits.fold(Fit::No, |one, other| match (one, other) {
        (Fit::Yes, _) | (_, Fit::Yes) => Fit::Yes,
        (Fit::No, Fit::No) => Fit::No,
        _ => Fit::Open,
    })
}

/// Whether `regex` matches in a body of which `kept` is there. Where the rest is missing, a match counts that ends before the
/// last character: no `$` or `\b` at its end can depend on what follows.
fn searched(regex: &Regex, kept: &[u8], is_cut: bool) -> Fit {
    let (bytes, is_cut) = (&kept[..kept.len().min(MAX_SEARCHED)], is_cut || kept.len() > MAX_SEARCHED);
    let text = String::from_utf8_lossy(bytes);
    if !is_cut {
        return Fit::from_bool(regex.is_match(&text));
    }
    let sure = text.char_indices().next_back().map_or(0, |(at, _)| at);
    match regex.find(&text) {
        Some(found) if found.end() <= sure => Fit::Yes,
        _ => Fit::Open,
    }
}

/// Texts of a part; few have more than one.
type Texts<'s> = smallvec::SmallVec<[Cow<'s, str>; 1]>;
