//! Python's methods of text: each gives a new value, where Rhai's `trim` and `replace` change their receiver.
//! Positions count characters.

mod format;

use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::{Text, collect, write_value};
use crate::system::truncate::beginning;
use rhai::{Array, ImmutableString, NativeCallContext};

/// Registers `name` with one text beside its receiver, which may be a character too.
fn register_with_text<T: ScriptValue>(
    natives: &mut Natives,
    name: &'static str,
    method: fn(&str, &str) -> Fallible<T>,
) {
    natives.register_fn(name, move |text: &str, other: &str| method(text, other));
    natives.register_fn(name, move |text: &str, other: char| method(text, other.encode_utf8(&mut [0; 4])));
}

/// `replace(old, new)`, at most `most` times.
fn replace(text: &str, old: &str, new: &str, most: i64) -> Fallible<ImmutableString> {
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    let (mut out, mut end) = (Text::new(), 0);
    for (place, found) in text.match_indices(old).take(most) {
        out.push("replace", &text[end..place])?;
        out.push("replace", new)?;
        end = place + found.len();
    }
    out.push("replace", &text[end..])?;
    Ok(out.finish())
}

/// `split()`: by white space, which is not kept, nor are empty parts.
fn split_blank(text: &str) -> Fallible<Array> {
    collect("split", text.split_whitespace().map(Into::into))
}

/// `split(separator, most)`: splits at most `most` times, always where it is negative.
fn split(text: &str, separator: &str, most: i64) -> Fallible<Array> {
    if separator.is_empty() {
        return Err("split: the separator is empty: `to_chars` gives the characters".into());
    }
    let pieces = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
    collect("split", text.splitn(pieces, separator).map(Into::into))
}

/// `separator.join(list)`; what is no text in the list is shown as `to_string` does.
fn join(context: &NativeCallContext, separator: &str, list: &Array) -> Fallible<ImmutableString> {
    let mut out = Text::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.push("join", separator)?;
        }
        write_value("join", &mut out, context, item)?;
    }
    Ok(out.finish())
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
    Both,
}

/// `text` with as much `fill` beside it as makes it `width` characters.
fn padded(name: &str, text: &str, width: i64, fill: char, side: Side) -> Fallible<ImmutableString> {
    let missing = usize::try_from(width).unwrap_or(0).saturating_sub(text.chars().count());
    let left = match side {
        Side::Left => missing,
        Side::Right => 0,
        Side::Both => missing / 2,
    };
    let mut buffer = [0; 4];
    let fill = fill.encode_utf8(&mut buffer);
    let mut out = Text::new();
    out.repeat(name, fill, left)?;
    out.push(name, text)?;
    out.repeat(name, fill, missing - left)?;
    Ok(out.finish())
}

/// `zfill(width)`: zeros between the sign and the digits.
fn zfill(text: &str, width: i64) -> Fallible<ImmutableString> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = &text[..text.len() - digits.len()];
    let rest = padded("zfill", digits, width.saturating_sub(sign.len() as i64), '0', Side::Left)?;
    let mut out = Text::new();
    out.push("zfill", sign)?;
    out.push("zfill", &rest)?;
    Ok(out.finish())
}

/// `text * count`.
fn repeated(text: &str, count: i64) -> Fallible<ImmutableString> {
    let mut out = Text::new();
    out.repeat("*", text, usize::try_from(count).unwrap_or(0))?;
    Ok(out.finish())
}

/// The character at a byte, counted from the start; -1 for none.
fn place(text: &str, byte: Option<usize>) -> i64 {
    byte.map_or(-1, |byte| i64::try_from(text[..byte].chars().count()).unwrap_or(i64::MAX))
}

fn find_from(text: &str, part: &str, start: i64) -> i64 {
    let start = usize::try_from(start).unwrap_or(0);
    let mut ends = text.char_indices().map(|(byte, _)| byte).chain([text.len()]);
    let Some(from) = ends.nth(start) else { return -1 };
    place(text, text[from..].find(part).map(|byte| from + byte))
}

/// The first letter in upper case, the others in lower case.
pub(crate) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next();
    first.into_iter().flat_map(char::to_uppercase).chain(letters.flat_map(char::to_lowercase)).collect()
}

/// Each run of letters capitalized.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut result = String::with_capacity(text.len());
    for letter in text.chars() {
        if inside {
            result.extend(letter.to_lowercase());
        } else {
            result.extend(letter.to_uppercase());
        }
        inside = letter.is_alphabetic();
    }
    result
}

/// True where `text` has characters and all of them are of the kind.
fn all(text: &str, kind: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && text.chars().all(kind)
}

/// True where `text` has letters with case, and all of them are of the kind.
fn cased(text: &str, kind: fn(char) -> bool) -> bool {
    let mut letters = text.chars().filter(|letter| letter.is_lowercase() || letter.is_uppercase()).peekable();
    letters.peek().is_some() && letters.all(kind)
}

fn register_cuts(natives: &mut Natives) {
    natives.register_fn("strip", |text: &str| text.trim().to_string());
    natives.register_fn("lstrip", |text: &str| text.trim_start().to_string());
    natives.register_fn("rstrip", |text: &str| text.trim_end().to_string());
    register_with_text(natives, "strip", |text, set| Ok(text.trim_matches(|c| set.contains(c)).to_string()));
    register_with_text(natives, "lstrip", |text, set| {
        Ok(text.trim_start_matches(|c| set.contains(c)).to_string())
    });
    register_with_text(natives, "rstrip", |text, set| {
        Ok(text.trim_end_matches(|c| set.contains(c)).to_string())
    });
    register_with_text(natives, "removeprefix", |text, part| {
        Ok(text.strip_prefix(part).unwrap_or(text).to_string())
    });
    register_with_text(natives, "removesuffix", |text, part| {
        Ok(text.strip_suffix(part).unwrap_or(text).to_string())
    });
    natives.register_fn("split", split_blank);
    register_with_text(natives, "split", |text, separator| split(text, separator, -1));
    natives.register_fn("split", split);
    natives.register_fn("split", |text: &str, separator: char, most: i64| {
        split(text, &separator.to_string(), most)
    });
    natives.register_fn("splitlines", |text: &str| collect("splitlines", text.lines().map(Into::into)));
}

fn register_searches(natives: &mut Natives) {
    register_with_text(natives, "startswith", |text, part| Ok(text.starts_with(part)));
    register_with_text(natives, "endswith", |text, part| Ok(text.ends_with(part)));
    natives
        .register_fn("startswith", |text: &str, parts: Array| any_of(&parts, |part| text.starts_with(part)));
    natives.register_fn("endswith", |text: &str, parts: Array| any_of(&parts, |part| text.ends_with(part)));
    register_with_text(natives, "find", |text, part| Ok(place(text, text.find(part))));
    register_with_text(natives, "rfind", |text, part| Ok(place(text, text.rfind(part))));
    natives.register_fn("find", find_from);
    register_with_text(natives, "count", |text, part| {
        Ok(i64::try_from(text.matches(part).count()).unwrap_or(i64::MAX))
    });
    natives.register_fn("isdigit", |text: &str| all(text, |letter| letter.is_ascii_digit()));
    natives.register_fn("isalpha", |text: &str| all(text, char::is_alphabetic));
    natives.register_fn("isalnum", |text: &str| all(text, char::is_alphanumeric));
    natives.register_fn("isspace", |text: &str| all(text, char::is_whitespace));
    natives.register_fn("islower", |text: &str| cased(text, char::is_lowercase));
    natives.register_fn("isupper", |text: &str| cased(text, char::is_uppercase));
}

/// `startswith(list)`: true where one of the texts fits.
fn any_of(parts: &Array, fits: impl Fn(&str) -> bool) -> bool {
    parts.iter().any(|part| part.as_immutable_string_ref().is_ok_and(|part| fits(&part)))
}

fn register_changes(natives: &mut Natives) {
    natives.register_fn("lower", |text: &str| text.to_lowercase());
    natives.register_fn("upper", |text: &str| text.to_uppercase());
    natives.register_fn("capitalize", capitalized);
    natives.register_fn("title", title);
    natives.register_fn("replace", |text: &str, old: &str, new: &str| replace(text, old, new, -1));
    natives.register_fn("replace", replace);
    natives.register_fn("replace", |text: &str, old: char, new: char| {
        replace(text, &old.to_string(), &new.to_string(), -1)
    });
    natives
        .register_fn("replace", |text: &str, old: char, new: &str| replace(text, &old.to_string(), new, -1));
    natives
        .register_fn("replace", |text: &str, old: &str, new: char| replace(text, old, &new.to_string(), -1));
    natives.register_fn("join", |context: NativeCallContext, separator: &str, list: Array| {
        join(&context, separator, &list)
    });
    natives.register_fn("zfill", zfill);
    for (name, side) in [("rjust", Side::Left), ("ljust", Side::Right), ("center", Side::Both)] {
        natives.register_fn(name, move |text: &str, width: i64| padded(name, text, width, ' ', side));
        natives.register_fn(name, move |text: &str, width: i64, fill: char| {
            padded(name, text, width, fill, side)
        });
        natives.register_fn(name, move |text: &str, width: i64, fill: &str| -> Fallible<ImmutableString> {
            let mut letters = fill.chars();
            match (letters.next(), letters.next()) {
                (Some(fill), None) => padded(name, text, width, fill, side),
                _ => Err(format!("{name}: the fill is one character, not `{}`", beginning(fill, 80)).into()),
            }
        });
    }
    natives.register_fn("*", repeated);
    natives.register_fn("*", |count: i64, text: &str| repeated(text, count));
}

pub(crate) fn register(natives: &mut Natives) {
    register_cuts(natives);
    register_searches(natives);
    register_changes(natives);
    format::register(natives);
}

#[cfg(test)]
mod tests;
