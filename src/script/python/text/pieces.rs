//! Methods that split a text: `split`, `rsplit`, `splitlines`, `partition`.

use super::{is_blank, register_with_text};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{collect, fits};
use rhai::{Array, Dynamic};

/// Returns the largest number of pieces after `most` splits; a negative number means no limit.
fn pieces(most: i64) -> usize {
    usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1))
}

/// `split()`: splits at runs of white space and drops empty parts. The rest after `most` splits keeps its white space.
fn split_blank(text: &str, most: i64) -> Fallible<Array> {
    let (mut rest, mut left) = (text.trim_start_matches(is_blank), pieces(most));
    let parts = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        left -= 1;
        let end = if left == 0 { None } else { rest.find(is_blank) };
        let part;
        (part, rest) = rest.split_at(end.unwrap_or(rest.len()));
        rest = rest.trim_start_matches(is_blank);
        Some(part.into())
    });
    collect("split", parts)
}

fn rsplit_blank(text: &str, most: i64) -> Fallible<Array> {
    let (mut rest, mut left) = (text.trim_end_matches(is_blank), pieces(most));
    let parts = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        left -= 1;
        let blank = if left == 0 { None } else { rest.char_indices().rfind(|(_, letter)| is_blank(*letter)) };
        let part;
        (rest, part) = rest.split_at(blank.map_or(0, |(byte, blank)| byte + blank.len_utf8()));
        rest = rest.trim_end_matches(is_blank);
        Some(part.into())
    });
    let mut parts = collect("rsplit", parts)?;
    parts.reverse();
    Ok(parts)
}

fn check_separator(name: &str, separator: &str, instead: &str) -> Fallible<()> {
    if separator.is_empty() {
        return Err(format!("{name}: the separator is empty{instead}").into());
    }
    Ok(())
}

/// `split(separator, most)`: splits at most `most` times; a negative number means no limit.
fn split(text: &str, separator: &str, most: i64) -> Fallible<Array> {
    check_separator("split", separator, ": `to_chars` gives the characters")?;
    fits("split", text.len())?;
    collect("split", text.splitn(pieces(most), separator).map(Into::into))
}

/// `rsplit(separator, most)`: splits from the end; the parts stay in order.
fn rsplit(text: &str, separator: &str, most: i64) -> Fallible<Array> {
    check_separator("rsplit", separator, ": `to_chars` gives the characters")?;
    let mut parts = collect("rsplit", text.rsplitn(pieces(most), separator).map(Into::into))?;
    parts.reverse();
    Ok(parts)
}

/// `partition(separator)`: the text before the separator, the separator, the text behind it.
fn partition(text: &str, separator: &str) -> Fallible<Array> {
    check_separator("partition", separator, "")?;
    let parts = text.split_once(separator).map(|(before, behind)| [before, separator, behind]);
    Ok(parts.unwrap_or([text, "", ""]).map(Into::into).into())
}

/// `rpartition(separator)`: splits at the last separator.
fn rpartition(text: &str, separator: &str) -> Fallible<Array> {
    check_separator("rpartition", separator, "")?;
    let parts = text.rsplit_once(separator).map(|(before, behind)| [before, separator, behind]);
    Ok(parts.unwrap_or(["", "", text]).map(Into::into).into())
}

/// Whether Python's `splitlines` splits at `letter`.
fn ends_line(letter: char) -> bool {
    matches!(letter, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn split_lines(text: &str, keep_ends: bool) -> Fallible<Array> {
    let mut rest = text;
    let lines = std::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        let end = rest.find(ends_line).unwrap_or(rest.len());
        let mark = match rest[end..].chars().next() {
            Some('\r') if rest[end..].starts_with("\r\n") => 2,
            other => other.map_or(0, char::len_utf8),
        };
        let line = &rest[..if keep_ends { end + mark } else { end }];
        rest = &rest[end + mark..];
        Some(Dynamic::from(line.to_owned()))
    });
    collect("splitlines", lines)
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_fn("split", |text: &str| split_blank(text, -1));
    natives.register_fn("split", |text: &str, _: (), most: i64| split_blank(text, most));
    register_with_text(natives, "split", |text, separator| split(text, separator, -1));
    natives.register_fn("split", split);
    natives.register_fn("split", |text: &str, separator: char, most: i64| {
        split(text, &separator.to_string(), most)
    });
    natives.register_fn("rsplit", |text: &str| rsplit_blank(text, -1));
    natives.register_fn("rsplit", |text: &str, _: (), most: i64| rsplit_blank(text, most));
    register_with_text(natives, "rsplit", |text, separator| rsplit(text, separator, -1));
    natives.register_fn("rsplit", rsplit);
    natives.register_optional("splitlines", false, split_lines);
    register_with_text(natives, "partition", partition);
    register_with_text(natives, "rpartition", rpartition);
}
