//! The template of `re.sub`, with `\1`, `\g<name>`, `\g<1>`, `\\`, `\n`, `\t` and `\r` as in Python.

use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::Text;
use crate::system::truncate::beginning;
use regex_lite::{Captures, Regex};

#[derive(Debug, PartialEq)]
pub(super) enum Part {
    Plain(String),
    Group(usize),
}

/// Parses a template for matches of `regex`.
///
/// # Errors
/// The template has an unknown escape, an unfinished `\g<...>`, or a group that the pattern does not have.
pub(super) fn parse(template: &str, regex: &Regex) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut rest = template;
    while let Some(place) = rest.find('\\') {
        plain(&mut parts, &rest[..place]);
        rest = &rest[place + 1..];
        let (part, length) = match rest.as_bytes().first() {
            Some(b'0'..=b'9') => numbered(rest, regex)?,
            Some(b'g') => named(rest, regex)?,
            _ => (Part::Plain(escaped(rest)?.to_string()), 1),
        };
        parts.push(part);
        rest = &rest[length..];
    }
    plain(&mut parts, rest);
    Ok(parts)
}

fn plain(parts: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        parts.push(Part::Plain(text.to_string()));
    }
}

/// Parses `\1` to `\99`. Also returns the number of bytes after the `\`.
fn numbered(rest: &str, regex: &Regex) -> Result<(Part, usize), String> {
    let length = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    Ok((group(&rest[..length], regex)?, length))
}

/// Parses `\g<1>` or `\g<name>`. Also returns the number of bytes after the `\`.
fn named(rest: &str, regex: &Regex) -> Result<(Part, usize), String> {
    let name = rest.strip_prefix("g<").and_then(|rest| rest.split_once('>')).map(|(name, _)| name);
    let name = name.ok_or("`\\g` in the replacement needs a group: `\\g<1>` or `\\g<name>`")?;
    Ok((group(name, regex)?, "g<>".len() + name.len()))
}

fn group(name: &str, regex: &Regex) -> Result<Part, String> {
    let number = match name.parse() {
        Ok(number) => Some(number).filter(|number| *number < regex.captures_len()),
        Err(_) => regex.capture_names().position(|known| known == Some(name)),
    };
    number.map(Part::Group).ok_or_else(|| {
        let shown = beginning(name, 80);
        format!("the pattern has no group `{shown}`")
    })
}

fn escaped(rest: &str) -> Result<&'static str, String> {
    match rest.chars().next() {
        Some('\\') => Ok("\\"),
        Some('n') => Ok("\n"),
        Some('t') => Ok("\t"),
        Some('r') => Ok("\r"),
        Some(other) => Err(format!("bad escape `\\{other}` in the replacement")),
        None => Err("a `\\` ends the replacement: write it twice".into()),
    }
}

/// Appends the replacement of one match to `out`. A group without a match is empty.
pub(super) fn expand(parts: &[Part], captures: &Captures, out: &mut Text) -> Fallible<()> {
    for part in parts {
        let text = match part {
            Part::Plain(text) => text.as_str(),
            Part::Group(number) => captures.get(*number).map_or("", |group| group.as_str()),
        };
        out.push("re.sub", text)?;
    }
    Ok(())
}
