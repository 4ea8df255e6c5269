//! The values of conditions and numbers.

use super::{Flaw, Key, MAX_NUMBER, MAX_TIMEOUT, Spot};
use crate::observing::journal::filter::condition::Test;
use crate::observing::journal::filter::part::Aspect;
use crate::observing::journal::filter::stream::{KNOWN, Range, States};
use crate::observing::journal::filter::{Kinds, excerpt};
use crate::routing::method::{METHODS, is_token};
use crate::routing::rule::{Rule, RuleOptions};
use std::time::Duration;

/// Returns an error about a value.
pub(super) fn bad<T>(cause: String) -> Result<T, Flaw> {
    Err(Flaw::new(Spot::Value, cause))
}

/// Splits `text` into the name before `separator` and the value behind it, if there is one.
pub(super) fn name_and_value<'t>(
    text: &'t str,
    key: Key,
    separator: char,
) -> Result<(&'t str, Option<&'t str>), Flaw> {
    let (name, value) = text.split_once(separator).map_or((text, None), |(name, value)| (name, Some(value)));
    check_name(name, text, key)?;
    if key.search && value.is_none() {
        return Err(Flaw::new(Spot::End, format!("no `{separator}` between the name and the pattern")));
    }
    Ok((name.trim(), value))
}

/// Checks that a request can have a header, parameter, cookie etc. of this name. `text` is the whole value, for the hint.
pub(super) fn check_name(name: &str, text: &str, key: Key) -> Result<(), Flaw> {
    let name = name.trim();
    let what = match key.name {
        "header" => "header",
        "query" => "parameter",
        "baggage" => "member",
        "cookie" => "cookie",
        "form" => "field",
        _ => "part",
    };
    if name.is_empty() {
        return bad(format!("no name of a {what}"));
    }
    let fits = match what {
        "header" | "member" => is_token(name),
        "cookie" => !name.contains([';', '=']),
        _ => true,
    };
    if fits {
        return Ok(());
    }
    let hint = match text.split_once('=') {
        Some((name, value)) if what == "header" && is_token(name.trim()) => {
            format!(": write `{}: {}`", name.trim(), excerpt(value.trim()))
        }
        _ => String::new(),
    };
    bad(format!("`{}` is no name of a {what}{hint}", excerpt(name)))
}

/// The name of a multipart part, and an aspect with its value.
type NamedPart<'t> = (&'t str, Option<(Aspect, &'t str)>);

/// Parses a part of a multipart form: `avatar`, or `avatar;filename=a.png`.
pub(super) fn part<'t>(text: &'t str, key: Key) -> Result<NamedPart<'t>, Flaw> {
    let found = Aspect::NAMED.into_iter().filter_map(|(written, aspect)| {
        let at = text.find(&format!(";{written}="))?;
        Some((at, aspect, at + written.len() + 2))
    });
    let Some((at, aspect, start)) = found.min_by_key(|(at, ..)| *at) else {
        check_name(text, text, key)?;
        if let Some((name, value)) = text.split_once('=') {
            let (name, value) = (excerpt(name), excerpt(value));
            return bad(format!(
                "`=` after the name: write `{name};content={value}`, or `;filename=`, `;type=`"
            ));
        }
        if key.search {
            let cause = "no `;filename=`, `;type=` or `;content=` between the name and the pattern";
            return Err(Flaw::new(Spot::End, cause.into()));
        }
        return Ok((text.trim(), None));
    };
    let (name, value) = (&text[..at], &text[start..]);
    check_name(name, text, key)?;
    let mut second = Aspect::NAMED.into_iter().map(|(written, _)| format!(";{written}="));
    if let Some(second) = second.find(|second| aspect != Aspect::Content && value.contains(second)) {
        return bad(format!(
            "`{second}` after another one: give it as a condition of its own, `part{}{}{second}...`",
            key.operator(),
            excerpt(name)
        ));
    }
    Ok((name.trim(), Some((aspect, value))))
}

/// Parses a path, written as in a rule, that matches exactly.
pub(super) fn path(text: &str) -> Result<Rule, Flaw> {
    let exact =
        RuleOptions { strict_slashes: Some(true), merge_slashes: Some(false), ..RuleOptions::default() };
    if let Some((path, query)) = split_query(text) {
        let (path, target) = (excerpt(path), excerpt(text));
        let parameters: Vec<_> = query.split('&').map(|parameter| format!("`query={parameter}`")).collect();
        return bad(format!(
            "a path has no query: write `{path}` and beside it {}, or `target={target}` alone",
            excerpt(&parameters.join(" and "))
        ));
    }
    let hint = if text.starts_with('/') { String::new() } else { format!(": write `/{}`", excerpt(text)) };
    Rule::parse(text, "", exact).map_err(|error| Flaw::new(Spot::Value, format!("{error}{hint}")))
}

/// Splits at the first `?` outside of variables.
fn split_query(text: &str) -> Option<(&str, &str)> {
    let (mut depth, mut found) = (0_u32, None);
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '?' if depth == 0 && found.is_none() => found = Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    found
}

/// Parses a method. A known method in small letters is an error: methods are case-sensitive.
pub(super) fn method(text: &str) -> Result<Test, Flaw> {
    let upper = text.to_ascii_uppercase();
    if text != upper && METHODS.contains(&upper.as_str()) {
        return bad(format!(
            "methods are in capitals: write `{upper}`, or `method~=^{text}$` for one that was sent so"
        ));
    }
    Ok(Test::Equals(text.to_owned()))
}

/// Parses a target. A space in it is an error: the filter's query has decoded a `%20` or `+` of the target.
pub(super) fn target(text: &str) -> Result<Test, Flaw> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return bad(
            "a target has no blanks: in a query write `%2520` for its `%20` and `%2B` for its `+`".into()
        );
    }
    Ok(Test::Equals(text.to_owned()))
}

pub(super) fn status(text: &str) -> Result<Test, Flaw> {
    let class = text.strip_suffix("xx").filter(|digit| matches!(digit.as_bytes(), [b'1'..=b'5']));
    match (class.and_then(|digit| digit.chars().next()), text.parse::<u16>()) {
        (Some(digit), _) => Ok(Test::Class(digit)),
        // 0 is the status of a connection that a fault broke.
        (None, Ok(code @ (0 | 100..=999))) => Ok(Test::Equals(code.to_string())),
        _ => bad(format!("`{text}` is neither a status nor a class such as `2xx`")),
    }
}

/// Parses the state of a stream.
pub(super) fn stream(text: &str) -> Result<Test, Flaw> {
    match States::parse(text) {
        Some(states) => Ok(Test::Stream { states, written: text.to_owned(), search: false }),
        None => bad(format!("`{}` is no state of a stream: {KNOWN}", excerpt(text))),
    }
}

/// Makes the test for the states of a stream whose words a pattern matches.
pub(super) fn stream_like(pattern: Test, text: &str) -> Test {
    let states = States::of_words(|word| pattern.finds(word));
    Test::Stream { states, written: text.to_owned(), search: true }
}

/// Parses a number of pieces or of an attempt, or a range: `3-`, `3-5`.
pub(super) fn range(text: &str) -> Result<Test, Flaw> {
    let (least, most) = text.split_once('-').unwrap_or((text, text));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(least) || !(most.is_empty() || is_number(most)) {
        return bad(format!("`{}` is neither a number nor a range such as `3-` or `3-5`", excerpt(text)));
    }
    let least = whole(least, MAX_NUMBER)?;
    let most = if most.is_empty() { u64::MAX } else { whole(most, MAX_NUMBER)? };
    if least > most {
        return bad(format!("range `{text}` ends before it begins: write `{most}-{least}`"));
    }
    Ok(Test::Number(Range { least, most }))
}

/// Parses `true` or `false`.
pub(super) fn truth(text: &str) -> Result<Test, Flaw> {
    match text {
        "true" | "false" => Ok(Test::Equals(text.to_owned())),
        _ => bad(format!("`{}` is neither `true` nor `false`", excerpt(text))),
    }
}

/// Parses the kinds of entries.
pub(super) fn kinds(text: &str, key: Key) -> Result<Kinds, Flaw> {
    if key.search || key.negated {
        let cause =
            format!("`kind` takes no `{}`: write `kind=request`, `callback` or `all`", key.operator());
        return Err(Flaw::new(Spot::Start, cause));
    }
    let unknown = || format!("`{}` is no kind: request, callback or all", excerpt(text));
    Kinds::parse(text).map_or_else(|| bad(unknown()), Ok)
}

/// Parses a whole number from 0 to `most`.
///
/// # Errors
/// The text is not such a number.
pub(crate) fn number(text: &str, most: u64) -> Result<u64, String> {
    // `parse` alone would accept `+1`.
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number <= most);
    number.ok_or_else(|| format!("`{}` is not a whole number from 0 to {most}", excerpt(text)))
}

pub(super) fn whole(text: &str, most: u64) -> Result<u64, Flaw> {
    number(text, most).or_else(bad)
}

pub(super) fn seconds(text: &str) -> Result<Duration, Flaw> {
    let seconds = text.parse().ok().filter(|seconds| (0.0..=MAX_TIMEOUT).contains(seconds));
    let time = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    time.map_or_else(|| bad(format!("`{text}` is not a number of seconds from 0 to {MAX_TIMEOUT}")), Ok)
}
