//! Where a text is in another, and how often: `find`, `index`, `count`, `startswith` and their kin, with Python's bounds.

use super::{any_of, register_with_text};
use crate::script::runtime::budget::watched;
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::{Array, ImmutableString};

/// Finds the byte that a part starts at.
type Search = fn(&str, &str) -> Option<usize>;

const FORWARD: Search = |text, part| text.find(part);
const BACKWARD: Search = |text, part| text.rfind(part);

/// Until the end of the text.
const END: i64 = i64::MAX;

/// The part of `text` from character `start` to before `end`, which count from the end where they are negative, and the characters
/// before it. None where it starts behind its end.
fn window(text: &str, start: i64, end: i64) -> Option<(usize, &str)> {
    let length = text.chars().count();
    let from_start = |place: i64| match usize::try_from(place) {
        Ok(place) => place,
        Err(_) => length.saturating_sub(usize::try_from(place.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let (start, end) = (from_start(start), from_start(end).min(length));
    let byte = |place| text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte);
    (start <= end).then(|| (start, &text[byte(start)..byte(end)]))
}

/// The character that `part` starts at; -1 for none.
fn find(search: Search, text: &str, part: &str, start: i64, end: i64) -> i64 {
    let place = window(text, start, end).and_then(|(before, text)| {
        let byte = search(text, part)?;
        i64::try_from(before + text[..byte].chars().count()).ok()
    });
    place.unwrap_or(-1)
}

/// As [`find`]; a missing part is an error.
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

fn register_places(natives: &mut Natives, find_name: &'static str, index_name: &'static str, search: Search) {
    natives.register_fn(find_name, move |text: &str, part: &str| find(search, text, part, 0, END));
    natives.register_fn(find_name, move |text: &str, part: char| {
        find(search, text, part.encode_utf8(&mut [0; 4]), 0, END)
    });
    natives.register_fn(find_name, move |text: &str, part: &str, start: i64| {
        find(search, text, part, start, END)
    });
    natives.register_fn(find_name, move |text: &str, part: ImmutableString, start: i64, end: i64| {
        find(search, text, &part, start, end)
    });
    natives.register_fn(index_name, move |text: &str, part: &str| {
        index(index_name, search, text, part, (0, END))
    });
    natives.register_fn(index_name, move |text: &str, part: char| {
        index(index_name, search, text, part.encode_utf8(&mut [0; 4]), (0, END))
    });
    natives.register_fn(index_name, move |text: &str, part: &str, start: i64| {
        index(index_name, search, text, part, (start, END))
    });
    natives.register_fn(index_name, move |text: &str, part: ImmutableString, start: i64, end: i64| {
        index(index_name, search, text, &part, (start, end))
    });
}

fn register_ends(natives: &mut Natives, name: &'static str, fits: fn(&str, &str) -> bool) {
    natives.register_fn(name, move |text: &str, part: &str| fits(text, part));
    natives.register_fn(name, move |text: &str, part: char| fits(text, part.encode_utf8(&mut [0; 4])));
    natives.register_fn(name, move |text: &str, parts: Array| any_of(&parts, |part| fits(text, part)));
    natives.register_fn(name, move |text: &str, part: &str, start: i64| {
        window(text, start, END).is_some_and(|(_, text)| fits(text, part))
    });
    natives.register_fn(name, move |text: &str, part: ImmutableString, start: i64, end: i64| {
        window(text, start, end).is_some_and(|(_, text)| fits(text, &part))
    });
}

pub(super) fn register(natives: &mut Natives) {
    register_places(natives, "find", "index", FORWARD);
    register_places(natives, "rfind", "rindex", BACKWARD);
    register_ends(natives, "startswith", |text, part| text.starts_with(part));
    register_ends(natives, "endswith", |text, part| text.ends_with(part));
    register_with_text(natives, "count", |text, part| Ok(count(text, part, 0, END)));
    natives.register_fn("count", |text: &str, part: &str, start: i64| count(text, part, start, END));
    natives.register_fn("count", |text: &str, part: ImmutableString, start: i64, end: i64| {
        count(text, &part, start, end)
    });
}
