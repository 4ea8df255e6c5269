//! Python's methods of text. Each returns a new value, while Rhai's `trim` and `replace` change their receiver. Positions count
//! characters.

mod format;
pub(crate) mod percent;
pub(crate) mod repr;
mod pieces;
mod search;

use crate::script::runtime::budget::{self, STEP, watched};
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::script::runtime::size_limits::{Text, write_value};
use crate::system::truncate::beginning;
use rhai::{Array, ImmutableString, NativeCallContext};
use std::collections::BTreeSet;

/// The handle `string`, whose properties are sets of characters.
#[derive(Debug, Clone)]
struct StringConstants;

/// Registers `name` with one argument, which is a text or a character.
fn register_with_text<T: ScriptValue>(
    natives: &mut Natives,
    name: &'static str,
    method: impl Fn(&str, &str) -> Fallible<T> + Copy + Send + Sync + 'static,
) {
    natives.register_fn(name, move |text: &str, other: &str| method(text, other));
    natives.register_fn(name, move |text: &str, other: char| method(text, other.encode_utf8(&mut [0; 4])));
}

/// `replace(old, new, most)`: replaces at most `most` times; a negative number means no limit.
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

/// `separator.join(list)`. Converts items other than texts as `to_string` does.
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

/// Pads `text` with `fill` to `width` characters.
fn padded(name: &str, text: &str, width: i64, fill: char, side: Side) -> Fallible<ImmutableString> {
    let width = usize::try_from(width).unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    let left = match side {
        Side::Left => missing,
        Side::Right => 0,
        // If the padding is odd, the extra character goes left for an odd width, as in Python.
        Side::Both => missing / 2 + (missing & width & 1),
    };
    let mut buffer = [0; 4];
    let fill = fill.encode_utf8(&mut buffer);
    let mut out = Text::new();
    out.repeat(name, fill, left)?;
    out.push(name, text)?;
    out.repeat(name, fill, missing - left)?;
    Ok(out.finish())
}

/// `zfill(width)`: puts zeros between the sign and the digits.
fn zfill(text: &str, width: i64) -> Fallible<ImmutableString> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = &text[..text.len() - digits.len()];
    let rest = padded("zfill", digits, width.saturating_sub(sign.len() as i64), '0', Side::Left)?;
    let mut out = Text::new();
    out.push("zfill", sign)?;
    out.push("zfill", &rest)?;
    Ok(out.finish())
}

fn repeated(text: &str, count: i64) -> Fallible<ImmutableString> {
    let mut out = Text::new();
    out.repeat("*", text, usize::try_from(count).unwrap_or(0))?;
    Ok(out.finish())
}

/// Puts the first letter in upper case and the others in lower case.
pub(crate) fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next();
    first
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(watched(letters).flat_map(char::to_lowercase))
        .collect()
}

/// Capitalizes each run of letters.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut result = String::with_capacity(text.len());
    for letter in watched(text.chars()) {
        if inside {
            result.extend(letter.to_lowercase());
        } else {
            result.extend(letter.to_uppercase());
        }
        inside = letter.is_alphabetic();
    }
    result
}

/// Exchanges upper and lower case.
fn swapped(text: &str) -> String {
    let swap = |letter: char| -> Vec<char> {
        if letter.is_uppercase() { letter.to_lowercase().collect() } else { letter.to_uppercase().collect() }
    };
    watched(text.chars()).flat_map(swap).collect()
}

/// `casefold`: a form for comparisons without regard to case, in which `ß` is `ss`. Equals Python's result except for Cherokee.
fn folded(text: &str) -> String {
    let fold = |letter: char| -> Vec<char> {
        if letter == 'ı' {
            return vec![letter];
        }
        letter.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    };
    watched(text.chars()).flat_map(fold).collect()
}

/// Whether `letter` is white space in Python.
fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&letter)
}

/// Whether `text` is not empty and all its characters are of the kind.
fn all(text: &str, kind: impl Fn(char) -> bool) -> bool {
    !text.is_empty() && watched(text.chars()).all(kind)
}

/// Whether `text` has letters with case, and all of them are of the kind.
fn cased(text: &str, kind: fn(char) -> bool) -> bool {
    let mut letters =
        watched(text.chars()).filter(|letter| letter.is_lowercase() || letter.is_uppercase()).peekable();
    letters.peek().is_some() && letters.all(kind)
}

/// Returns a test whether a letter is in `set`, which may have a megabyte. The test fails for all letters once the call is out of
/// time.
fn is_of(set: &str) -> impl Fn(char) -> bool {
    let set: BTreeSet<char> = watched(set.chars()).collect();
    move |letter| set.contains(&letter) && budget::work(STEP).is_ok()
}

fn register_cuts(natives: &mut Natives) {
    natives.register_fn("strip", |text: &str| text.trim_matches(is_blank).to_string());
    natives.register_fn("lstrip", |text: &str| text.trim_start_matches(is_blank).to_string());
    natives.register_fn("rstrip", |text: &str| text.trim_end_matches(is_blank).to_string());
    register_with_text(natives, "strip", |text, set| Ok(text.trim_matches(is_of(set)).to_string()));
    register_with_text(natives, "lstrip", |text, set| Ok(text.trim_start_matches(is_of(set)).to_string()));
    register_with_text(natives, "rstrip", |text, set| Ok(text.trim_end_matches(is_of(set)).to_string()));
    register_with_text(natives, "removeprefix", |text, part| {
        Ok(text.strip_prefix(part).unwrap_or(text).to_string())
    });
    register_with_text(natives, "removesuffix", |text, part| {
        Ok(text.strip_suffix(part).unwrap_or(text).to_string())
    });
}

fn register_kinds(natives: &mut Natives) {
    natives.register_fn("isdigit", |text: &str| all(text, |letter| letter.is_ascii_digit()));
    natives.register_fn("isalpha", |text: &str| all(text, char::is_alphabetic));
    natives.register_fn("isalnum", |text: &str| all(text, char::is_alphanumeric));
    natives.register_fn("isspace", |text: &str| all(text, is_blank));
    natives.register_fn("isascii", |text: &str| text.is_ascii());
    natives.register_fn("isdecimal", |text: &str| all(text, |letter| letter.is_ascii_digit()));
    natives.register_fn("isnumeric", |text: &str| all(text, char::is_numeric));
    natives.register_fn("islower", |text: &str| cased(text, char::is_lowercase));
    natives.register_fn("isupper", |text: &str| cased(text, char::is_uppercase));
}

fn register_changes(natives: &mut Natives) {
    natives.register_fn("lower", |text: &str| text.to_lowercase());
    natives.register_fn("capitalize", capitalized);
    natives.register_fn("title", title);
    natives.register_fn("swapcase", swapped);
    natives.register_fn("casefold", folded);
    natives.register_optional("replace", -1_i64, replace);
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

/// Registers `string.digits` and similar sets of characters, which are mostly used with `random.choices`.
fn register_constants(natives: &mut Natives) {
    natives.set_var("string", StringConstants).register_type_with_name::<StringConstants>("string constants");
    for (name, characters) in [
        ("ascii_lowercase", "abcdefghijklmnopqrstuvwxyz"),
        ("ascii_uppercase", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("ascii_letters", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"),
        ("digits", "0123456789"),
        ("hexdigits", "0123456789abcdefABCDEF"),
        ("punctuation", r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##),
    ] {
        natives.register_get(name, move |_: Receiver<StringConstants>| characters);
    }
}

pub(crate) fn register(natives: &mut Natives) {
    register_cuts(natives);
    register_kinds(natives);
    register_changes(natives);
    register_constants(natives);
    pieces::register(natives);
    search::register(natives);
    format::register(natives);
    percent::register(natives);
    repr::register(natives);
}

#[cfg(test)]
mod tests;
