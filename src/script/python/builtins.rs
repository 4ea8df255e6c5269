//! Python's built-in names (`None`, `str`, `int`, `sorted`, `sum`, ...) and methods of lists and maps. Methods of texts are in
//! `text`.

mod collections;
mod items;
mod keyed;
mod order;
mod reading;

use crate::script::runtime::budget::watched;
use crate::script::runtime::compiling;
use crate::script::runtime::datetime::TimeDelta;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::json::python_float;
use crate::script::runtime::multi_dict::to_dict;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{MAX_ITEMS, Text, sort_by, too_many, type_name, write_value};
use crate::system::truncate::beginning;
use order::{compare, equal};
use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext, Token};
use std::cmp::Ordering;

/// Python's truth: `()`, zero and empty values are false.
pub(crate) fn truth(value: &Dynamic) -> bool {
    if let Ok(flag) = value.as_bool() {
        return flag;
    }
    if let Ok(number) = value.as_int() {
        return number != 0;
    }
    if let Ok(number) = value.as_float() {
        return number != 0.0;
    }
    if let Some(span) = value.read_lock::<TimeDelta>() {
        return span.micros() != 0;
    }
    let empty = value.as_immutable_string_ref().is_ok_and(|text| text.is_empty())
        || as_list(value).is_some_and(|list| list.is_empty())
        || as_map(value).is_some_and(|map| map.is_empty())
        || to_dict(value).is_some_and(|map| map.is_empty())
        || value.as_blob_ref().is_ok_and(|blob| blob.is_empty());
    !(empty || value.is_unit())
}

/// `str(value)`: the same text as `to_string` returns. A text that is too long is an error.
fn str_of(context: &NativeCallContext, value: &Dynamic) -> Fallible<ImmutableString> {
    if let Ok(number) = value.as_float() {
        return Ok(python_float(number).into());
    }
    let mut out = Text::new();
    write_value("str", &mut out, context, value)?;
    Ok(out.finish())
}

/// `int(value)`: cuts off the fraction of a float, and parses a text.
fn int(value: &Dynamic) -> Fallible<i64> {
    if let Ok(number) = value.as_int() {
        return Ok(number);
    }
    if let Ok(number) = value.as_float() {
        return whole("int", number.trunc());
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(i64::from(flag));
    }
    if let Ok(text) = value.as_immutable_string_ref() {
        return int_in_base(&text, 10);
    }
    Err(format!("int: needs a number or text, not `{}`", type_name(value)).into())
}

fn int_in_base(text: &str, base: i64) -> Fallible<i64> {
    let radix = u32::try_from(base).ok().filter(|base| (2..=36).contains(base));
    let Some(radix) = radix else { return Err(format!("int: the base is 2 to 36, not {base}").into()) };
    i64::from_str_radix(text.trim(), radix).map_err(|_| {
        format!("int: `{}` is no whole number of base {base} in 64 bits", beginning(text, 80)).into()
    })
}

/// Converts a float without fraction to an integer. The error names `name`.
fn whole(name: &str, number: f64) -> Fallible<i64> {
    let edge = 9_223_372_036_854_775_808.0;
    if !(-edge..edge).contains(&number) {
        return Err(format!("{name}: {number} does not fit into 64 bits").into());
    }
    Ok(number as i64)
}

fn float(value: &Dynamic) -> Fallible<f64> {
    if let Ok(number) = value.as_float() {
        return Ok(number);
    }
    if let Ok(number) = value.as_int() {
        return Ok(number as f64);
    }
    if let Ok(flag) = value.as_bool() {
        return Ok(f64::from(u8::from(flag)));
    }
    match value.as_immutable_string_ref() {
        Ok(text) => {
            text.trim().parse().map_err(|_| format!("float: `{}` is no number", beginning(&text, 80)).into())
        }
        Err(found) => Err(format!("float: needs a number or text, not `{found}`").into()),
    }
}

/// `round(number, digits)`: exact halves are rounded to even, as in Python; with negative `digits`, away from zero.
fn round(number: f64, digits: i64) -> f64 {
    match usize::try_from(digits) {
        // Formatting rounds the exact decimal digits. A multiplication by a power of ten would add an error before rounding.
        Ok(digits @ 0..=300) => format!("{number:.digits$}").parse().unwrap_or(number),
        Ok(_) => number,
        Err(_) => {
            let unit = 10_f64.powi(i32::try_from(digits.unsigned_abs()).unwrap_or(i32::MAX));
            if unit.is_finite() { (number / unit).round() * unit } else { 0.0 }
        }
    }
}

/// `sum(list)`: an integer if all items are integers, else a float.
fn sum(list: &Array) -> Fallible<Dynamic> {
    let (mut total, mut float_total, mut floats) = (0_i64, 0.0, false);
    for item in list {
        match (item.as_int(), item.as_float()) {
            (Ok(number), _) => {
                float_total += number as f64;
                let next = total.checked_add(number);
                if next.is_none() && !floats {
                    return Err("sum: the result does not fit into 64 bits".into());
                }
                total = next.unwrap_or(0);
            }
            (_, Ok(number)) => {
                floats = true;
                float_total += number;
            }
            _ => return Err(format!("sum: needs numbers, not `{}`", type_name(item)).into()),
        }
    }
    Ok(if floats { float_total.into() } else { total.into() })
}

/// `min(list)` and `max(list)`: the first smallest item if `wanted` is `Less`, the first largest if it is `Greater`.
fn extreme(name: &str, list: &Array, wanted: Ordering) -> Fallible<Dynamic> {
    Ok(list[place_of_extreme(name, list, wanted)?].clone())
}

/// Returns the place of the first smallest or largest item.
fn place_of_extreme(name: &str, list: &Array, wanted: Ordering) -> Fallible<usize> {
    let mut items = list.iter().enumerate();
    let Some(mut best) = items.next() else { return Err(format!("{name}: the list is empty").into()) };
    for item in items {
        if compare(name, item.1, best.1)? == wanted {
            best = item;
        }
    }
    Ok(best.0)
}

fn sorted(mut list: Array) -> Fallible<Array> {
    sort_by(&mut list, |left, right| compare("sorted", left, right))?;
    Ok(list)
}

/// `enumerate(list, first)`: pairs `[index, item]`.
fn enumerate(list: Array, first: i64) -> Fallible<Array> {
    if list.len() > MAX_ITEMS {
        return Err(too_many("enumerate"));
    }
    let pairs = watched(list).zip(0_i64..);
    Ok(pairs.map(|(item, index)| Dynamic::from_array(vec![first.wrapping_add(index).into(), item])).collect())
}

fn register_conversions(natives: &mut Natives) {
    natives.register_fn("str", |context: NativeCallContext, value: Dynamic| str_of(&context, &value));
    natives.register_fn("int", |value: Dynamic| int(&value));
    // Rhai's `int` of a float returns a float.
    natives.register_fn("int", |number: f64| whole("int", number.trunc()));
    natives.register_fn("int", int_in_base);
    natives.register_fn("float", |value: Dynamic| float(&value));
    natives.register_fn("bool", |value: Dynamic| truth(&value));
    natives.register_fn("round", |number: i64| number);
    natives.register_fn("round", round);
}

fn register_lists(natives: &mut Natives) {
    natives.register_fn("sum", |list: Array| sum(&list));
    natives.register_fn("min", |list: Array| extreme("min", &list, Ordering::Less));
    natives.register_fn("max", |list: Array| extreme("max", &list, Ordering::Greater));
    natives.register_fn("any", |list: Array| list.iter().any(truth));
    natives.register_fn("all", |list: Array| list.iter().all(truth));
    natives.register_fn("sorted", sorted);
    natives.register_fn("sorted", |map: Map| sorted(map.into_keys().map(Into::into).collect()));
    natives.register_fn("reversed", |list: Array| list.into_iter().rev().collect::<Array>());
    natives.register_fn("reversed", |text: &str| text.chars().rev().collect::<String>());
    natives.register_optional("enumerate", 0_i64, enumerate);
    natives.register_fn("range", |end: i64| 0..end);
}

/// Words that Rhai reserves, and that h1mock uses as names: `logging.debug`, `re.match`, `data.default`, `scenario.is`.
/// `debug(x)` is still Rhai's function.
const FREED: [&str; 5] = ["debug", "default", "is", "match", "new"];

#[allow(deprecated)] // Rhai marks the hook because it may change, not because it will go.
fn read_tokens(natives: &mut Natives) {
    natives.engine.on_parse_token(|token, at, _| match token {
        Token::Reserved(word) if FREED.contains(&word.as_str()) => {
            compiling::token(Token::Identifier(word), at)
        }
        token => compiling::token(token, at),
    });
}

pub(crate) fn register(natives: &mut Natives) {
    natives.set_var("None", ());
    natives.set_var("True", true);
    natives.set_var("False", false);
    read_tokens(natives);
    register_conversions(natives);
    register_lists(natives);
    collections::register(natives);
    keyed::register(natives);
    items::register(natives);
    reading::register(natives);
}

#[cfg(test)]
mod tests;
