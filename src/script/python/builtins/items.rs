//! Conversions of iterable values: `list`, `dict`, `zip`; and of characters and their numbers: `chr`, `ord`.

use crate::script::runtime::budget;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{collect, type_name};
use rhai::{Array, Dynamic, Identifier, Map};
use std::ops::{Range, RangeInclusive};

/// Returns the items over which `for x in value` iterates in Python.
fn items(name: &str, value: &Dynamic) -> Fallible<Array> {
    if let Some(list) = as_list(value) {
        return Ok(list.to_vec());
    }
    if let Some(map) = as_map(value) {
        return Ok(map.iter().map(|(key, _)| key.to_owned().into()).collect());
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return collect(name, text.chars().map(|letter| letter.to_string().into()));
    }
    if let Ok(blob) = value.as_blob_ref() {
        return collect(name, blob.iter().map(|byte| i64::from(*byte).into()));
    }
    if let Some(range) = value.read_lock::<Range<i64>>() {
        return collect(name, range.clone().map(Into::into));
    }
    if let Some(range) = value.read_lock::<RangeInclusive<i64>>() {
        return collect(name, range.clone().map(Into::into));
    }
    Err(format!("{name}: needs a list, a map, text or bytes, not {}", type_name(value)).into())
}

/// `zip(a, b, ...)`: lists of one item of each argument. The shortest argument ends the result.
fn zip(values: &[Dynamic]) -> Fallible<Array> {
    let mut columns = Vec::new();
    for value in values {
        columns.push(items("zip", value)?.into_iter());
    }
    let row = || columns.iter_mut().map(Iterator::next).collect::<Option<Array>>();
    collect("zip", std::iter::from_fn(row).map(Dynamic::from_array))
}

/// `dict(pairs)`: a map of pairs `[key, value]`.
fn dict(pairs: &Array) -> Fallible<Map> {
    let entry = |pair: &Dynamic| {
        let pair = as_list(pair)?;
        let (key, value) = pair.pair()?;
        let key = key.as_immutable_string_ref().ok()?;
        budget::work(key.len() + budget::STEP).ok()?;
        Some((Identifier::from(key.as_str()), value.clone()))
    };
    // Pairs are inserted one by one. Collecting them first would hold a copy of the key for each pair.
    let mut map = Map::new();
    for pair in pairs {
        let (key, value) =
            entry(pair).ok_or("dict: needs a list of pairs `[key, value]` whose keys are text")?;
        map.insert(key, value);
    }
    Ok(map)
}

/// `chr(number)`: a text of one character.
fn chr(number: i64) -> Fallible<String> {
    let letter = u32::try_from(number).ok().and_then(char::from_u32);
    let letter = letter.ok_or_else(|| format!("chr: {number} is the number of no character"))?;
    Ok(letter.into())
}

fn ord(text: &str) -> Fallible<i64> {
    let mut letters = text.chars();
    match (letters.next(), letters.next()) {
        (Some(letter), None) => Ok(i64::from(u32::from(letter))),
        _ => Err(format!("ord: needs one character, not {}", text.chars().count()).into()),
    }
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_fn("list", Array::new);
    natives.register_fn("list", |value: Dynamic| items("list", &value));
    natives.register_fn("dict", Map::new);
    natives.register_fn("dict", |map: Map| map);
    natives.register_fn("dict", |pairs: Array| dict(&pairs));
    natives.register_fn("zip", |a: Dynamic, b: Dynamic| zip(&[a, b]));
    // The parameters are lists, since Rhai's own `zip` of three arguments takes a function.
    natives.register_fn("zip", |a: Array, b: Array, c: Array| zip(&[a.into(), b.into(), c.into()]));
    natives.register_fn("zip", |a: Dynamic, b: Dynamic, c: Dynamic, d: Dynamic| zip(&[a, b, c, d]));
    natives.register_fn("chr", chr);
    natives.register_fn("ord", ord);
    natives.register_fn("ord", |letter: char| i64::from(u32::from(letter)));
}
