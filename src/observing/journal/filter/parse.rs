//! A query string, or the same as JSON, to a filter and the numbers beside it. An error names the part and, in a query, the
//! character.

mod error;
mod value;

pub(crate) use error::FilterError;
pub(crate) use value::number;

use super::{Condition, Filter, Fit, Part, Subject, Test};
use crate::message::json::{Json, read};
use crate::observing::journal::entry::Entry;
use crate::system::spelling::nearest;
use error::{Flaw, Spot};
use percent_encoding::percent_decode;
use regex_lite::{Regex, RegexBuilder};
use std::time::Duration;
use value::{name_and_value, path, seconds, status, whole};

/// Most conditions of one filter.
const MAX_CONDITIONS: usize = 32;

/// What compiled patterns may take, and how much all those of one filter: with the longest text it is the time of a search.
const SIZES: [usize; 5] = [1 << 10, 2 << 10, 4 << 10, 8 << 10, MAX_PATTERNS];
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
const PARTS: [&str; 11] = [
    "method",
    "path",
    "rule",
    "endpoint",
    "status",
    "header",
    "body",
    "json",
    "query",
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

/// Reads `method=POST&path=/orders/<int:id>&json~=/name=^a`: a form as browsers and clients encode it, so `+` is a blank.
///
/// # Errors
/// The first pair that is no condition, with the place of its fault.
pub(crate) fn query(text: &str, names: Names) -> Result<Asked, FilterError> {
    let (mut reading, mut start) = (Reading::new(names), 0);
    for pair in text.split('&') {
        reading.encoded(pair).map_err(|flaw| {
            let offset = match flaw.spot {
                Spot::Start => 0,
                Spot::Value => pair.split_once('=').map_or(0, |(key, _)| key.len() + 1),
                Spot::End => pair.len(),
            };
            let character = text[..start + offset].chars().count() + 1;
            FilterError::new(&percent_decode(pair.as_bytes()).decode_utf8_lossy(), flaw.cause)
                .at_character(character)
        })?;
        start += pair.len() + 1;
    }
    Ok(reading.finish())
}

/// Reads `{"method": "POST", "path": "/orders/<int:id>", "json": {"/id": 7}, "body~": "^a"}`. A list gives several conditions on
/// one part; for `header`, `query`, `baggage` and `json` an object does, with names or pointers as keys.
///
/// # Errors
/// The first member that is no condition.
pub(crate) fn json(value: &Json, names: Names) -> Result<Asked, FilterError> {
    let Some(object) = value.as_map() else {
        return Err(FilterError::new(&value.to_string(), "not a JSON object".into()));
    };
    let mut reading = Reading::new(names);
    for (key, value) in object {
        let (name, search) = operator(key);
        let (single, is_number) = (std::slice::from_ref(value), names.contains(&name));
        for item in value.as_list().filter(|_| !is_number).unwrap_or(single) {
            let shown = || match item {
                Json::Text(text) => format!("{key}={text}"),
                other => format!("{key}={other}"),
            };
            reading.item(name, search, item).map_err(|flaw| FilterError::new(&shown(), flaw.cause))?;
        }
    }
    Ok(reading.finish())
}

/// `body~` is a search.
fn operator(key: &str) -> (&str, bool) {
    key.strip_suffix('~').map_or((key, false), |key| (key, true))
}

fn decoded(text: &str, spot: Spot) -> Result<String, Flaw> {
    let blanks = text.replace('+', " ");
    let decoded = percent_decode(blanks.as_bytes()).decode_utf8();
    decoded.map(|text| text.into_owned()).map_err(|_| Flaw::new(spot, "not UTF-8".into()))
}

fn known(key: &str, names: Names) -> Result<(), Flaw> {
    let all = || PARTS.into_iter().chain(names.iter().copied());
    if all().any(|known| known == key) {
        return Ok(());
    }
    let hint = match nearest(key, all()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known are {}", all().collect::<Vec<_>>().join(", ")),
    };
    Err(Flaw::new(Spot::Start, format!("unknown parameter `{key}`: {hint}")))
}

/// The value of one condition.
#[derive(Clone, Copy)]
enum Given<'v> {
    /// As typed; behind a name or pointer where the part needs one.
    Text(&'v str),
    /// A member of an object: its key and its value.
    Member(&'v str, &'v Json),
}

/// What was read so far.
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
        Reading { names, asked: Asked::default(), seen: Vec::new(), conditions: Vec::new(), patterns: 0 }
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
        let (key, search) = operator(&key);
        known(key, self.names)?;
        let value = value.ok_or_else(|| Flaw::new(Spot::End, format!("no `=` after `{key}`")))?;
        self.pair(key, search, Given::Text(&decoded(value, Spot::Value)?))
    }

    /// One item of JSON.
    fn item(&mut self, key: &str, search: bool, item: &Json) -> Result<(), Flaw> {
        match item {
            other if self.names.contains(&key) && !other.is_number() => {
                Err(Flaw::new(Spot::Value, format!("`{other}` is no number")))
            }
            Json::Text(text) => self.pair(key, search, Given::Text(text)),
            number if number.is_number() => self.pair(key, search, Given::Text(&number.to_string())),
            Json::Map(members) if matches!(key, "header" | "query" | "baggage" | "json") => members
                .iter()
                .try_for_each(|(name, value)| self.pair(key, search, Given::Member(name, value))),
            other => {
                known(key, self.names)?;
                Err(Flaw::new(Spot::Value, format!("`{other}` is no text")))
            }
        }
    }

    fn pair(&mut self, key: &str, search: bool, given: Given) -> Result<(), Flaw> {
        known(key, self.names)?;
        if let Some(name) = self.names.iter().find(|name| **name == key) {
            return self.number(name, search, given);
        }
        if self.conditions.len() == MAX_CONDITIONS {
            return Err(Flaw::new(Spot::Start, format!("more than {MAX_CONDITIONS} conditions")));
        }
        let condition = self.condition(key, search, given)?;
        self.conditions.push(condition);
        Ok(())
    }

    /// A number that is no condition.
    fn number(&mut self, name: &'static str, search: bool, given: Given) -> Result<(), Flaw> {
        let Given::Text(text) = given else {
            return Err(Flaw::new(Spot::Value, "an object is no number".into()));
        };
        if search {
            return Err(Flaw::new(Spot::Start, format!("`{name}` is a number and takes no `~=`")));
        }
        if self.seen.contains(&name) {
            return Err(Flaw::new(Spot::Start, format!("`{name}` is given twice")));
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

    fn condition(&mut self, key: &str, search: bool, given: Given) -> Result<Condition, Flaw> {
        let named = |what, separator| name_and_value(given, search, (what, separator));
        match key {
            "header" => self.named(Part::Header, named("header", ':')?, search),
            "query" => self.named(Part::Query, named("parameter", '=')?, search),
            "baggage" => self.named(Part::Baggage, named("member", '=')?, search),
            "json" => self.json(given, search),
            _ => self.plain(key, search, given),
        }
    }

    /// A part that needs no name.
    fn plain(&mut self, key: &str, search: bool, given: Given) -> Result<Condition, Flaw> {
        let text = match given {
            Given::Text(text) => text,
            Given::Member(..) => return Err(Flaw::new(Spot::Value, "an object is no text".into())),
        };
        let part = match key {
            "method" => Part::Method,
            "path" => Part::Path,
            "rule" => Part::Rule,
            "endpoint" => Part::Endpoint,
            "status" => Part::Status,
            "generation" => Part::Generation,
            _ => Part::Body,
        };
        let test = match part {
            _ if search => Test::Search(self.pattern(text)?),
            Part::Path => Test::Path(Box::new(path(text)?)),
            Part::Status => status(text)?,
            Part::Generation => Test::Equals(whole(text, MAX_NUMBER)?.to_string()),
            _ => Test::Equals(text.to_owned()),
        };
        Ok(Condition { part, test })
    }

    /// A part with a name; without a value it has to be there.
    fn named(
        &mut self,
        part: fn(String) -> Part,
        (name, value): (String, Option<String>),
        search: bool,
    ) -> Result<Condition, Flaw> {
        let test = match value {
            None => Test::Present,
            Some(value) if search => Test::Search(self.pattern(&value)?),
            Some(value) => Test::Equals(value),
        };
        Ok(Condition { part: part(name), test })
    }

    fn json(&mut self, given: Given, search: bool) -> Result<Condition, Flaw> {
        let (pointer, value, text) = match given {
            Given::Member(pointer, value) => (pointer, Some(value.clone()), None),
            Given::Text(text) => {
                let missing = || Flaw::new(Spot::End, "no `=` after the pointer".into());
                let (pointer, text) = text.split_once('=').ok_or_else(missing)?;
                (pointer, read(text.as_bytes()).ok(), Some(text))
            }
        };
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return Err(Flaw::new(Spot::Value, format!("pointer `{pointer}` does not start with `/`")));
        }
        let test = match (search, text.or(value.as_ref().and_then(Json::as_str))) {
            (true, Some(pattern)) => Test::Search(self.pattern(pattern)?),
            (true, None) => return Err(Flaw::new(Spot::Value, "a pattern is a text".into())),
            (false, _) => Test::Json { text: text.map(str::to_owned), value },
        };
        Ok(Condition { part: Part::Json(pointer.to_owned()), test })
    }

    /// Compiles a pattern, as long as those of the filter are small together.
    fn pattern(&mut self, pattern: &str) -> Result<Regex, Flaw> {
        let mut cause = format!("longer than {MAX_PATTERN} bytes");
        if pattern.len() <= MAX_PATTERN {
            cause = "too large beside the others".into();
            for size in SIZES.into_iter().take_while(|size| self.patterns + size <= MAX_PATTERNS) {
                match RegexBuilder::new(pattern).size_limit(size).build() {
                    Ok(regex) => {
                        self.patterns += size;
                        return Ok(regex);
                    }
                    Err(error) => cause = error.to_string(),
                }
            }
        }
        Err(Flaw::new(Spot::Value, format!("bad pattern: {cause}")))
    }
}
