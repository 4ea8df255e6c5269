//! Replacements for natives of Rhai that take several times the memory of their text: `sub_string`, `crop`, `to_upper`.
//! Otherwise they do what Rhai documents.

use super::fits;
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::ImmutableString;
use std::ops::{Range, RangeInclusive};

/// Returns the byte at which character `place` of `text` begins; the end where the text is shorter. An ASCII text needs no walk
/// over its letters.
fn byte_of(text: &str, place: usize) -> usize {
    match text.as_bytes().get(..place) {
        Some(before) if before.is_ascii() => place,
        _ => text.char_indices().nth(place).map_or(text.len(), |(byte, _)| byte),
    }
}

/// Returns `length` characters from `start` on, which counts from the end where it is negative.
fn part(text: &str, (start, length): (i64, i64)) -> &str {
    let length = usize::try_from(length).unwrap_or(0);
    let start = usize::try_from(start).unwrap_or_else(|_| {
        let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
        text.chars().count().saturating_sub(back)
    });
    let text = &text[byte_of(text, start)..];
    &text[..byte_of(text, length)]
}

/// Returns start and length of a range of characters. A negative start counts as 0.
fn of_range(range: &Range<i64>) -> (i64, i64) {
    let start = range.start.max(0);
    (start, range.end.max(start) - start)
}

fn of_inclusive(range: &RangeInclusive<i64>) -> (i64, i64) {
    let (start, length) = of_range(&(*range.start()..*range.end()));
    (start, length.saturating_add(1))
}

/// Returns the text in capital letters, which may take three times its bytes.
fn upper(name: &str, text: &str) -> Fallible<String> {
    fits(name, if text.is_ascii() { text.len() } else { text.len().saturating_mul(3) })?;
    Ok(text.to_uppercase())
}

fn register_parts(natives: &mut Natives) {
    fn copied(text: &str, part: (i64, i64)) -> String {
        self::part(text, part).to_owned()
    }
    fn crop(text: &mut ImmutableString, part: (i64, i64)) {
        *text = self::part(text, part).into();
    }
    natives
        .register_fn("sub_string", |text: &str, start: i64| copied(text, (start, i64::MAX)))
        .register_fn("sub_string", |text: &str, start: i64, length: i64| copied(text, (start, length)))
        .register_fn("sub_string", |text: &str, range: Range<i64>| copied(text, of_range(&range)))
        .register_fn("sub_string", |text: &str, range: RangeInclusive<i64>| {
            copied(text, of_inclusive(&range))
        })
        .register_change("crop", |text: &mut ImmutableString, start: i64| crop(text, (start, i64::MAX)))
        .register_change("crop", |text: &mut ImmutableString, start: i64, length: i64| {
            crop(text, (start, length));
        })
        .register_change("crop", |text: &mut ImmutableString, range: Range<i64>| crop(text, of_range(&range)))
        .register_change("crop", |text: &mut ImmutableString, range: RangeInclusive<i64>| {
            crop(text, of_inclusive(&range));
        });
}

pub(super) fn register(natives: &mut Natives) {
    register_parts(natives);
    natives.register_fn("to_upper", |text: &str| upper("to_upper", text));
    natives.register_fn("upper", |text: &str| upper("upper", text));
    natives.register_change("make_upper", |text: &mut ImmutableString| -> Fallible<()> {
        *text = upper("make_upper", text)?.into();
        Ok(())
    });
}
