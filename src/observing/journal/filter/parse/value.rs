//! The values of conditions and numbers.

use super::error::{Flaw, Spot};
use super::{Given, MAX_TIMEOUT};
use crate::message::json::Json;
use crate::observing::journal::filter::Test;
use crate::routing::rule::{Rule, RuleOptions};
use std::time::Duration;

/// What stands before and behind the separator: a name, and perhaps a value.
pub(super) fn name_and_value(
    given: Given,
    search: bool,
    (what, separator): (&str, char),
) -> Result<(String, Option<String>), Flaw> {
    let (name, value) = match given {
        Given::Member(name, Json::Text(value)) => (name, Some(value.clone())),
        Given::Member(name, value) => (name, Some(value.to_string())),
        Given::Text(text) => match text.split_once(separator) {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (text, None),
        },
    };
    let name = name.trim();
    if name.is_empty() {
        return Err(Flaw::new(Spot::Value, format!("no name of a {what}")));
    }
    if search && value.is_none() {
        return Err(Flaw::new(Spot::End, format!("no `{separator}` between the name and the pattern")));
    }
    // Blanks around the value of a field are none of it (RFC 9110, 5.5).
    let value = value.map(|value| if what == "header" { value.trim().to_owned() } else { value });
    Ok((name.to_owned(), value))
}

/// A path as a rule writes it, which takes exactly that path.
pub(super) fn path(text: &str) -> Result<Rule, Flaw> {
    let exact =
        RuleOptions { strict_slashes: Some(true), merge_slashes: Some(false), ..RuleOptions::default() };
    Rule::parse(text, "", exact).map_err(|error| Flaw::new(Spot::Value, error.to_string()))
}

pub(super) fn status(text: &str) -> Result<Test, Flaw> {
    let class = text.strip_suffix("xx").filter(|digit| matches!(digit.as_bytes(), [b'1'..=b'5']));
    match (class.and_then(|digit| digit.chars().next()), text.parse::<u16>()) {
        (Some(digit), _) => Ok(Test::Class(digit)),
        // 0 is that of a connection that was broken on purpose.
        (None, Ok(code @ (0 | 100..=999))) => Ok(Test::Equals(code.to_string())),
        _ => Err(Flaw::new(Spot::Value, format!("`{text}` is neither a status nor a class such as `2xx`"))),
    }
}

/// A whole number from 0 to `most`.
///
/// # Errors
/// It is none.
pub(crate) fn number(text: &str, most: u64) -> Result<u64, String> {
    // `parse` alone would take `+1`, too.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number <= most);
    number.ok_or_else(|| format!("`{text}` is not a whole number from 0 to {most}"))
}

pub(super) fn whole(text: &str, most: u64) -> Result<u64, Flaw> {
    number(text, most).map_err(|why| Flaw::new(Spot::Value, why))
}

pub(super) fn seconds(text: &str) -> Result<Duration, Flaw> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=MAX_TIMEOUT).contains(seconds));
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.ok_or_else(|| {
        Flaw::new(Spot::Value, format!("`{text}` is not a number of seconds from 0 to {MAX_TIMEOUT}"))
    })
}
