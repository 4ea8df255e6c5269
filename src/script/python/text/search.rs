//! Searches in a text: `find`, `index`, `count`, `startswith` and similar methods, with Python's bounds.

use super::register_with_text;
use crate::script::runtime::budget::{self, watched};
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use rhai::{Array, ImmutableString};

/// Finds the byte at which a part starts.
type Search = fn(&str, &str) -> Option<usize>;

const FORWARD: Search = |text, part| text.find(part);
const BACKWARD: Search = |text, part| text.rfind(part);

type Fits = fn(&str, &str) -> bool;

const STARTS: Fits = |text, part| text.starts_with(part);
const ENDS: Fits = |text, part| text.ends_with(part);

/// The bound for a search up to the end of the text.
const END: i64 = i64::MAX;

/// Returns the part of `text` from character `start` to `end`, which is excluded, and the number of characters before the part.
/// Negative bounds count from the end. `None` if `start` is after `end`.
fn window(text: &str, start: i64, end: i64) -> Option<(usize, &str)> {
    if (start, end) == (0, END) {
        return Some((0, text));
    }
    let length = text.chars().count();
    let from_start = |place: i64| match usize::try_from(place) {
        Ok(place) => place,
        Err(_) => length.saturating_sub(usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, end) = (from_start(start), from_start(end).min(length));
    let byte = |place| text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte);
    (start <= end).then(|| (start, &text[byte(start)..byte(end)]))
}

/// Returns the character at which `part` starts, or -1.
fn find(search: Search, text: &str, part: &str, start: i64, end: i64) -> i64 {
    let place = window(text, start, end).and_then(|(before, text)| {
        let byte = search(text, part)?;
        i64::try_from(before + text[..byte].chars().count()).ok()
    });
    place.unwrap_or(-1)
}

/// Does the same as [`find`], but a missing part is an error.
fn index(name: &str, search: Search, text: &str, part: &str, (start, end): (i64, i64)) -> Fallible<i64> {
    match find(search, text, part, start, end) {
        -1 => Err(format!(
            "{name}: substring not found; `{}find` gives -1 for one that is not there",
            &name[..name.len() - 5]
        )
        .into()),
        place => Ok(place),
    }
}

fn count(text: &str, part: &str, start: i64, end: i64) -> i64 {
    let count = window(text, start, end).map_or(0, |(_, text)| watched(text.matches(part)).count());
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// `startswith(list)`: true if one of the texts fits.
fn any_of(parts: &Array, fits: impl Fn(&str) -> bool) -> bool {
    parts.iter().any(|part| {
        let part = part.as_immutable_string_ref();
        part.is_ok_and(|part| budget::work(part.len()).is_ok() && fits(&part))
    })
}

/// Registers `name` for a part that is a text or a character, and for a text with one or two bounds.
fn register_search<T: ScriptValue>(
    natives: &mut Natives,
    name: &'static str,
    method: impl Fn(&str, &str, i64, i64) -> Fallible<T> + Copy + Send + Sync + 'static,
) {
    register_with_text(natives, name, move |text, part| method(text, part, 0, END));
    natives.register_fn(name, move |text: &str, part: &str, start: i64| method(text, part, start, END));
    natives.register_fn(name, move |text: &str, part: ImmutableString, start: i64, end: i64| {
        method(text, &part, start, end)
    });
}

pub(super) fn register(natives: &mut Natives) {
    for (find_name, index_name, search) in [("find", "index", FORWARD), ("rfind", "rindex", BACKWARD)] {
        register_search(natives, find_name, move |text, part, start, end| {
            Ok(find(search, text, part, start, end))
        });
        register_search(natives, index_name, move |text, part, start, end| {
            index(index_name, search, text, part, (start, end))
        });
    }
    for (name, fits) in [("startswith", STARTS), ("endswith", ENDS)] {
        register_search(natives, name, move |text, part, start, end| {
            Ok(window(text, start, end).is_some_and(|(_, text)| fits(text, part)))
        });
        natives.register_fn(name, move |text: &str, parts: Array| any_of(&parts, |part| fits(text, part)));
    }
    register_search(natives, "count", |text, part, start, end| Ok(count(text, part, start, end)));
}
