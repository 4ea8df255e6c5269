//! Parses a filter and its numbers from a query string, or from JSON. An error names the faulty pair and, in a query, the character.

mod item;
mod key;
mod value;

pub(crate) use value::number;

use super::condition::{Search, Test};
use super::part::Aspect;
use super::{Condition, EXCERPT, Filter, Fit, Kinds, Part, Subject, contradiction, kinds};
use crate::message::form;
use crate::message::json::{Json, read};
use crate::observing::journal::entry::Entry;
use crate::routing::quoting;
use crate::system::truncate::beginning;
use item::Given;
use key::{Form, Key};
use regex_lite::RegexBuilder;
use std::time::Duration;
use value::{bad, seconds, whole};

const MAX_CONDITIONS: usize = 32;

/// Sizes in bytes that are tried for a compiled pattern, and the limit for all patterns of a filter. The time of a search grows with
/// the product of its size and the length of the text.
const SIZES: [usize; 7] = [1 << 8, 1 << 9, 1 << 10, 2 << 10, 4 << 10, 8 << 10, MAX_PATTERNS];
const MAX_PATTERNS: usize = 16 << 10;

const MAX_PATTERN: usize = 4096;

/// Largest number: JSON clients hold it in a signed integer, as the API description says.
pub(crate) const MAX_NUMBER: u64 = i64::MAX as u64;

/// Most entries of one answer.
pub(crate) const MAX_LIMIT: u64 = 10_000;

/// Longest time to wait, in seconds; the default is [`DEFAULT_TIMEOUT`].
pub(crate) const MAX_TIMEOUT: f64 = 600.0;
/// The same default as for waits for a generation.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// The parts that a filter can name, as errors list them.
pub(crate) const PARTS: [&str; 22] = [
    "method",
    "path",
    "target",
    "rule",
    "endpoint",
    "overlay",
    "status",
    "header",
    "body",
    "json",
    "query",
    "form",
    "part",
    "cookie",
    "baggage",
    "generation",
    "stream",
    "pieces",
    "forwarded",
    "kind",
    "cause",
    "attempt",
];

/// The names of the numbers that a resource takes beside the conditions.
pub(crate) type Names = &'static [&'static str];
/// The numbers of a list of entries.
pub(crate) const LIST: Names = &["since", "limit"];
/// The numbers of a stream of entries.
pub(crate) const STREAM: Names = &["since"];
/// The numbers of a verification.
pub(crate) const VERIFY: Names = &["since", "count", "min", "max"];
/// The numbers of a sequence.
pub(crate) const SEQUENCE: Names = &["since"];
/// The numbers of a wait.
pub(crate) const WAIT: Names = &["since", "count", "timeout"];

/// A parsed filter with its numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub filter: Filter,
    /// Only entries with a greater number.
    pub since: Option<u64>,
    /// Most entries in the answer.
    pub limit: Option<u64>,
    /// Expected count of entries.
    pub count: Option<u64>,
    /// Least expected count.
    pub min: Option<u64>,
    /// Greatest expected count.
    pub max: Option<u64>,
    pub timeout: Option<Duration>,
}

impl Asked {
    /// Whether `entry` certainly fits the filter.
    pub(crate) fn takes(&self, entry: &Entry) -> bool {
        self.filter.fits(&Subject::new(entry)) == Fit::Yes
    }
}

/// The place of a fault in a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spot {
    Start,
    Value,
    /// Behind the value.
    End,
}

/// A fault in one pair.
#[derive(Debug)]
struct Flaw {
    spot: Spot,
    cause: String,
}

impl Flaw {
    fn new(spot: Spot, cause: String) -> Flaw {
        Flaw { spot, cause }
    }
}

/// Returns the error for `filter`, one pair of a query or one member of an object.
///
/// For example: ``failed to parse filter `json=/a`: character 8: no `=` after the pointer``
fn failed(filter: &str, cause: &str) -> String {
    format!("failed to parse filter `{}`: {cause}", beginning(filter, EXCERPT))
}

/// Parses `method=POST&path=/orders/<int:id>&header!=X-Trace&json~=/name=^a`.
///
/// The query is encoded as browsers and clients encode forms, so `+` is a space.
///
/// # Errors
/// The first faulty pair, with the place of the fault.
pub(crate) fn query(text: &str, names: Names) -> Result<Asked, String> {
    let (mut reading, mut start) = (Reading::new(names), 0);
    for pair in text.split('&') {
        reading.encoded(pair).map_err(|flaw| {
            let offset = match flaw.spot {
                Spot::Start => 0,
                Spot::Value => pair.split_once('=').map_or(0, |(key, _)| key.len() + 1),
                Spot::End => pair.len(),
            };
            let character = text[..start + offset].chars().count() + 1;
            let pair = quoting::decode(pair.as_bytes());
            failed(&pair, &format!("character {character}: {}", flaw.cause))
        })?;
        start += pair.len() + 1;
    }
    Ok(reading.finish())
}

/// Parses `{"method": "POST", "path": "/orders/<int:id>", "json": {"/id": 7}, "header!": "X-Trace", "body~": "^a"}`.
///
/// A list gives several conditions on one part. So does an object, for parts with names: its keys are names or pointers.
///
/// # Errors
/// The first faulty member.
pub(crate) fn json(value: &Json, names: Names) -> Result<Asked, String> {
    let Some(object) = value.as_map() else {
        return Err(failed(&value.to_string(), "not a JSON object"));
    };
    let mut reading = Reading::new(names);
    for (key, value) in object {
        let (single, is_number) = (std::slice::from_ref(value), names.contains(&key.as_str()));
        for item in value.as_list().filter(|_| !is_number).unwrap_or(single) {
            let shown = || match item {
                Json::Text(text) => format!("{key}={text}"),
                other => format!("{key}={other}"),
            };
            reading.item(key, item).map_err(|flaw| failed(&shown(), &flaw.cause))?;
        }
    }
    Ok(reading.finish())
}

/// The conditions and numbers that were parsed so far.
#[derive(Default)]
struct Reading {
    names: Names,
    asked: Asked,
    seen: Vec<&'static str>,
    kinds: Option<Kinds>,
    conditions: Vec<Condition>,
    patterns: usize,
}

impl Reading {
    fn new(names: Names) -> Reading {
        Reading { names, ..Reading::default() }
    }

    fn finish(self) -> Asked {
        Asked { filter: Filter::new(self.kinds, self.conditions), ..self.asked }
    }

    fn encoded(&mut self, pair: &str) -> Result<(), Flaw> {
        if pair.is_empty() {
            return Ok(());
        }
        let (key, value) = pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value)));
        let key = form::decode(key.as_bytes());
        let value = value.map(|value| form::decode(value.as_bytes()));
        let parsed = Key::parse(&key, self.names, Form::Query(value.as_deref().unwrap_or_default()))?;
        let value = value.ok_or_else(|| Flaw::new(Spot::End, format!("no `=` after `{key}`")))?;
        self.pair(parsed, Given::Text(&value))
    }

    fn pair(&mut self, key: Key, given: Given) -> Result<(), Flaw> {
        if let Some(name) = self.names.iter().find(|name| **name == key.name) {
            return self.number(name, key, given);
        }
        if key.name == "kind" {
            return self.kind(key, given);
        }
        if self.conditions.len() == MAX_CONDITIONS {
            return Err(Flaw::new(Spot::Start, format!("more than {MAX_CONDITIONS} conditions")));
        }
        let (part, test) = self.condition(key, given)?;
        let condition = Condition { part, negated: key.negated, test };
        match self.conditions.iter().find_map(|earlier| contradiction(earlier, &condition)) {
            Some(why) => Err(Flaw::new(Spot::Start, why)),
            None => {
                self.conditions.push(condition);
                self.check_kinds()
            }
        }
    }

    /// Parses the kinds of entries that the filter looks at.
    fn kind(&mut self, key: Key, given: Given) -> Result<(), Flaw> {
        let Given::Text(text) = given else { return bad("an object is no text".into()) };
        let kinds = value::kinds(text, key)?;
        let both = kinds::both(self.kinds, Some(kinds));
        self.kinds = both.map_err(|why| Flaw::new(Spot::Start, why))?;
        self.check_kinds()
    }

    fn check_kinds(&self) -> Result<(), Flaw> {
        let contradiction = kinds::contradiction(self.kinds, &self.conditions);
        contradiction.map_or(Ok(()), |why| Err(Flaw::new(Spot::Start, why)))
    }

    /// Parses a number beside the conditions.
    fn number(&mut self, name: &'static str, key: Key, given: Given) -> Result<(), Flaw> {
        let Given::Text(text) = given else { return bad("an object is no number".into()) };
        if key.search || key.negated {
            let operator = key.operator();
            return Err(Flaw::new(Spot::Start, format!("`{name}` is a number and takes no `{operator}`")));
        }
        if self.seen.contains(&name) {
            return Err(Flaw::new(
                Spot::Start,
                format!(
                    "`{name}` is given twice: for a parameter of the request's query write {}",
                    key::of_the_query(name, text)
                ),
            ));
        }
        self.seen.push(name);
        if name == "timeout" {
            self.asked.timeout = Some(seconds(text)?);
            return Ok(());
        }
        let number = whole(text, if name == "limit" { MAX_LIMIT } else { MAX_NUMBER })?;
        match name {
            "since" => self.asked.since = Some(number),
            "limit" => self.asked.limit = Some(number),
            "count" => self.asked.count = Some(number),
            "min" => self.asked.min = Some(number),
            _ => self.asked.max = Some(number),
        }
        Ok(())
    }

    fn condition(&mut self, key: Key, given: Given) -> Result<(Part, Test), Flaw> {
        let name_and_text = |separator| match given {
            Given::Named(name, None, text) => {
                value::check_name(name, name, key).map(|()| (name.trim().to_owned(), Some(text)))
            }
            Given::Text(text) => {
                value::name_and_value(text, key, separator).map(|(name, value)| (name.to_owned(), value))
            }
            _ => bad("an object is no text".into()),
        };
        match key.name {
            // Spaces around the value of a header field don't belong to it (RFC 9110, 5.5).
            "header" => {
                let (name, text) = name_and_text(':')?;
                Ok((Part::Header(name), self.optional(key, text.map(str::trim))?))
            }
            "query" | "baggage" | "cookie" | "form" => {
                let (name, text) = name_and_text('=')?;
                let part = match key.name {
                    "query" => Part::Query,
                    "baggage" => Part::Baggage,
                    "cookie" => Part::Cookie,
                    _ => Part::Form,
                };
                Ok((part(name), self.optional(key, text)?))
            }
            "part" => self.multipart(key, given),
            "json" => self.json(key, given),
            _ => self.plain(key, given),
        }
    }

    fn plain(&mut self, key: Key, given: Given) -> Result<(Part, Test), Flaw> {
        let Given::Text(text) = given else { return bad("an object is no text".into()) };
        let named = Part::NAMELESS.into_iter().find(|(name, _)| *name == key.name);
        let part = named.map_or(Part::Body, |(_, part)| part);
        let test = match part {
            Part::Stream if key.search => value::stream_like(self.pattern(text)?, text),
            _ if key.search => self.pattern(text)?,
            Part::Stream => value::stream(text)?,
            Part::Pieces | Part::Attempt => value::range(text)?,
            Part::Cause => Test::Equals(whole(text, MAX_NUMBER)?.to_string()),
            Part::Forwarded => value::truth(text)?,
            Part::Method => value::method(text)?,
            Part::Path => Test::Path(Box::new(value::path(text)?)),
            Part::Target => value::target(text)?,
            Part::Status => value::status(text)?,
            Part::Generation => Test::Equals(whole(text, MAX_NUMBER)?.to_string()),
            _ => Test::Equals(text.to_owned()),
        };
        Ok((part, test))
    }

    /// Makes the test of a part with a name. Without a value, the part must be there.
    fn optional(&mut self, key: Key, text: Option<&str>) -> Result<Test, Flaw> {
        match text {
            None => Ok(Test::Present),
            Some(text) if key.search => self.pattern(text),
            Some(text) => Ok(Test::Equals(text.to_owned())),
        }
    }

    fn multipart(&mut self, key: Key, given: Given) -> Result<(Part, Test), Flaw> {
        let (name, asked) = match given {
            Given::Text(text) => value::part(text, key)?,
            Given::Named(name, Some(aspect), text) => {
                value::check_name(name, name, key)?;
                (name.trim(), Some((aspect, text)))
            }
            _ => return bad("an object is no text".into()),
        };
        let aspect = asked.map_or(Aspect::Presence, |(aspect, _)| aspect);
        let test = self.optional(key, asked.map(|(_, text)| text))?;
        Ok((Part::Multipart(name.to_owned(), aspect), test))
    }

    fn json(&mut self, key: Key, given: Given) -> Result<(Part, Test), Flaw> {
        let (pointer, value, text) = match given {
            Given::Member(pointer, value) => (pointer, Some(value.clone()), None),
            Given::Text(text) => match text.split_once('=') {
                Some((pointer, text)) => (pointer, read(text.as_bytes()).ok(), Some(text)),
                None => (text, None, None),
            },
            _ => return bad("an object is no text".into()),
        };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return bad(format!("pointer `{pointer}` does not start with `/`"));
        }
        let test = match (key.search, text.or(value.as_ref().and_then(Json::as_str))) {
            (true, Some(pattern)) => self.pattern(pattern)?,
            (true, None) if value.is_none() => {
                return Err(Flaw::new(Spot::End, "no `=` between the pointer and the pattern".into()));
            }
            (true, None) => return bad("a pattern is a text".into()),
            (false, None) if value.is_none() => Test::Present,
            (false, _) => Test::Json { text: text.map(str::to_owned), value },
        };
        Ok((Part::Json(pointer.to_owned()), test))
    }

    /// Compiles a pattern, unless the patterns of the filter are too large together.
    fn pattern(&mut self, pattern: &str) -> Result<Test, Flaw> {
        let mut cause = format!("longer than {MAX_PATTERN} bytes");
        if pattern.len() <= MAX_PATTERN {
            cause = "too large beside the others".into();
            for size in SIZES.into_iter().take_while(|size| self.patterns + size <= MAX_PATTERNS) {
                match RegexBuilder::new(pattern).size_limit(size).build() {
                    Ok(regex) => {
                        self.patterns += size;
                        return Ok(Test::Search(Search::new(regex, size)));
                    }
                    Err(error) => cause = error.to_string(),
                }
            }
        }
        bad(format!("bad pattern: {cause}"))
    }
}
