//! A query string, or the same as JSON, to a filter and the numbers beside it. An error names the part and, in a query, the
//! character.

mod error;
mod item;
mod key;
mod value;

pub(crate) use value::number;

use super::condition::{Search, Test};
use super::part::Aspect;
use super::{Condition, Filter, Fit, Part, Subject, contradiction};
use crate::message::json::{Json, read};
use crate::observing::journal::entry::Entry;
use error::{Flaw, Spot, failed};
use item::Given;
use key::{Form, Key};
use percent_encoding::percent_decode;
use regex_lite::RegexBuilder;
use std::time::Duration;
use value::{bad, seconds, whole};

/// Most conditions of one filter.
const MAX_CONDITIONS: usize = 32;

/// What compiled patterns may take, and how much all those of one filter: with the length of the text it is the time of a search.
const SIZES: [usize; 7] = [1 << 8, 1 << 9, 1 << 10, 2 << 10, 4 << 10, 8 << 10, MAX_PATTERNS];
const MAX_PATTERNS: usize = 16 << 10;

/// Longest pattern in bytes.
const MAX_PATTERN: usize = 4096;

/// What JSON clients hold in a signed integer, as the document says.
pub(crate) const MAX_NUMBER: u64 = i64::MAX as u64;

/// Most entries of one answer.
pub(crate) const MAX_LIMIT: u64 = 10_000;

/// Longest time to wait, in seconds; the default is [`DEFAULT_TIMEOUT`].
const MAX_TIMEOUT: f64 = 600.0;
/// As for generations.
pub(crate) const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// Parts that a filter names, as they are written.
pub(crate) const PARTS: [&str; 15] = [
    "method",
    "path",
    "target",
    "rule",
    "endpoint",
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
];

/// Numbers beside the conditions that a resource takes, by name.
pub(crate) type Names = &'static [&'static str];
/// Of a list of entries.
pub(crate) const LIST: Names = &["since", "limit"];
/// Of a stream of entries.
pub(crate) const STREAM: Names = &["since"];
/// Of a verification.
pub(crate) const VERIFY: Names = &["since", "count", "min", "max"];
/// Of a sequence.
pub(crate) const SEQUENCE: Names = &["since"];
/// Of a wait.
pub(crate) const WAIT: Names = &["since", "count", "timeout"];

/// What was asked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Which entries are meant.
    pub filter: Filter,
    /// Of them those with a number greater than this.
    pub since: Option<u64>,
    /// At most so many.
    pub limit: Option<u64>,
    /// So many.
    pub count: Option<u64>,
    /// So many at least.
    pub min: Option<u64>,
    /// So many at most.
    pub max: Option<u64>,
    /// How long to wait.
    pub timeout: Option<Duration>,
}

impl Asked {
    /// Whether `entry` is meant, as far as it is known.
    pub(crate) fn takes(&self, entry: &Entry) -> bool {
        self.filter.fits(&Subject::new(entry)) == Fit::Yes
    }
}

/// Reads `method=POST&path=/orders/<int:id>&header!=X-Trace&json~=/name=^a`: a form as browsers and clients encode it, so `+` is a blank.
///
/// # Errors
/// The first pair that is no condition, with the place of its fault.
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
            let pair = percent_decode(pair.as_bytes()).decode_utf8_lossy();
            failed(&pair, &format!("character {character}: {}", flaw.cause))
        })?;
        start += pair.len() + 1;
    }
    Ok(reading.finish())
}

/// Reads `{"method": "POST", "path": "/orders/<int:id>", "json": {"/id": 7}, "header!": "X-Trace", "body~": "^a"}`. A list gives
/// several conditions on one part; for parts with names an object does, with names or pointers as keys.
///
/// # Errors
/// The first member that is no condition.
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

fn decoded(text: &str, spot: Spot) -> Result<String, Flaw> {
    let blanks = text.replace('+', " ");
    let decoded = percent_decode(blanks.as_bytes()).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| Flaw::new(spot, "not UTF-8".into()))
}

/// What was read so far.
#[derive(Default)]
struct Reading {
    names: Names,
    asked: Asked,
    seen: Vec<&'static str>,
    conditions: Vec<Condition>,
    /// Bytes that compiled patterns take.
    patterns: usize,
}

impl Reading {
    fn new(names: Names) -> Reading {
        Reading { names, ..Reading::default() }
    }

    fn finish(self) -> Asked {
        Asked { filter: Filter::new(self.conditions), ..self.asked }
    }

    /// One pair of a query.
    fn encoded(&mut self, pair: &str) -> Result<(), Flaw> {
        if pair.is_empty() {
            return Ok(());
        }
        let (key, value) = pair.split_once('=').map_or((pair, None), |(key, value)| (key, Some(value)));
        let key = decoded(key, Spot::Start)?;
        let decoded = value.map(|value| decoded(value, Spot::Value));
        let shown = decoded.as_ref().and_then(|value| value.as_deref().ok()).unwrap_or_default();
        let parsed = Key::parse(&key, self.names, Form::Query(shown))?;
        let value = decoded.ok_or_else(|| Flaw::new(Spot::End, format!("no `=` after `{key}`")))??;
        self.pair(parsed, Given::Text(&value))
    }

    fn pair(&mut self, key: Key, given: Given) -> Result<(), Flaw> {
        if let Some(name) = self.names.iter().find(|name| **name == key.name) {
            return self.number(name, key, given);
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
                Ok(())
            }
        }
    }

    /// A number that is no condition.
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
            Given::Named(name, text) => {
                value::check_name(name, name, key).map(|()| (name.trim().to_owned(), Some(text)))
            }
            Given::Text(text) => {
                value::name_and_value(text, key, separator).map(|(name, value)| (name.to_owned(), value))
            }
            _ => bad("an object is no text".into()),
        };
        match key.name {
            // Blanks around the value of a field are none of it (RFC 9110, 5.5).
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

    /// A part that needs no name.
    fn plain(&mut self, key: Key, given: Given) -> Result<(Part, Test), Flaw> {
        let Given::Text(text) = given else { return bad("an object is no text".into()) };
        let named = Part::NAMELESS.into_iter().find(|(name, _)| *name == key.name);
        let part = named.map_or(Part::Body, |(_, part)| part);
        let test = match part {
            _ if key.search => self.pattern(text)?,
            Part::Method => value::method(text)?,
            Part::Path => Test::Path(Box::new(value::path(text)?)),
            Part::Target => value::target(text)?,
            Part::Status => value::status(text)?,
            Part::Generation => Test::Equals(whole(text, MAX_NUMBER)?.to_string()),
            _ => Test::Equals(text.to_owned()),
        };
        Ok((part, test))
    }

    /// The test of a part with a name; without a value it has to be there.
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
            Given::Aspect(name, aspect, text) => {
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

    /// Compiles a pattern, as long as those of the filter are small together.
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
