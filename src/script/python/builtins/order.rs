//! Order and equality of script values. As in Python, values of different types have no order.

use crate::script::runtime::budget::{STEP, watched};
use crate::script::runtime::frozen::{as_list, as_map, is_list, is_same};
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::{MAX_DEPTH, is_late, type_name};
use crate::script::runtime::{budget, datetime};
use rhai::{Dynamic, Variant};
use std::cmp::Ordering;
use std::ops::{Range, RangeInclusive};

/// Returns the order of two values: numbers by size, text by characters, false before true, lists item by item.
///
/// # Errors
/// The values have no order, and the error names `name`; or the script is out of time.
pub(super) fn compare(name: &str, left: &Dynamic, right: &Dynamic) -> Fallible<Ordering> {
    compare_at_depth(name, left, right, 0)
}

fn compare_at_depth(name: &str, left: &Dynamic, right: &Dynamic, depth: usize) -> Fallible<Ordering> {
    // Integers and texts come first, since most lists are sorted by them.
    if left.is_int() && right.is_int() {
        return Ok(left.as_int().cmp(&right.as_int()));
    }
    if left.is_string() && right.is_string() {
        work_of(left, right)?;
        return Ok(texts(left, right));
    }
    if is_late(depth) {
        return Err(budget::out_of_time());
    }
    let (class, other) = (class(left), class(right));
    let order = match class {
        _ if class != other || depth > MAX_DEPTH => None,
        Class::Number => Some(numbers(left, right)),
        Class::Bool => Some(left.as_bool().cmp(&right.as_bool())),
        Class::Text => Some(texts(left, right)),
        Class::Time => datetime::compare(left, right).flatten(),
        Class::List => Some(lists(name, left, right, depth)?),
        Class::Other => None,
    };
    order.ok_or_else(|| match (type_name(left), type_name(right)) {
        ("datetime", "datetime") => {
            format!("{name}: datetimes with and without a timezone can't be compared").into()
        }
        (one, other) => format!("{name}: `{one}` and `{other}` can't be compared").into(),
    })
}

fn lists(name: &str, left: &Dynamic, right: &Dynamic, depth: usize) -> Fallible<Ordering> {
    let (Some(left), Some(right)) = (as_list(left), as_list(right)) else { return Ok(Ordering::Equal) };
    for (one, other) in left.iter().zip(right.iter()) {
        budget::work(STEP)?;
        let order = compare_at_depth(name, one, other, depth + 1)?;
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// The kinds of values that have an order among themselves.
#[derive(Clone, Copy, PartialEq)]
enum Class {
    Bool,
    Number,
    Text,
    Time,
    List,
    Other,
}

fn class(value: &Dynamic) -> Class {
    if value.is_int() || value.is_float() || value.is::<LargeInt>() {
        Class::Number
    } else if value.is_string() || value.is_char() {
        Class::Text
    } else if is_list(value) {
        Class::List
    } else if value.is_bool() {
        Class::Bool
    } else if datetime::compare(value, value).is_some() {
        Class::Time
    } else {
        Class::Other
    }
}

/// Counts the comparison of two texts as work. In a list of long texts, each may equal the next one up to its end.
///
/// # Errors
/// The script is out of time.
fn work_of(left: &Dynamic, right: &Dynamic) -> Fallible<()> {
    let length = |value: &Dynamic| value.as_immutable_string_ref().map_or(0, |text| text.len());
    budget::work(length(left).min(length(right)))
}

fn texts(left: &Dynamic, right: &Dynamic) -> Ordering {
    fn with<T>(value: &Dynamic, look: impl FnOnce(&str) -> T) -> T {
        match value.as_immutable_string_ref() {
            Ok(text) => look(&text),
            Err(_) => look(value.as_char().unwrap_or_default().encode_utf8(&mut [0; 4])),
        }
    }
    with(left, |left| with(right, |right| left.cmp(right)))
}

/// Returns the exact order of two numbers, even of a float and an integer that no float can hold. NaN comes last.
fn numbers(left: &Dynamic, right: &Dynamic) -> Ordering {
    if let Some(left) = left.read_lock::<LargeInt>() {
        return left.compare_with(right).unwrap_or(Ordering::Less);
    }
    if let Some(right) = right.read_lock::<LargeInt>() {
        return right.compare_with(left).map_or(Ordering::Greater, Ordering::reverse);
    }
    match (left.as_int(), right.as_int(), left.as_float(), right.as_float()) {
        (Ok(left), Ok(right), ..) => left.cmp(&right),
        (Ok(left), _, _, Ok(right)) => mixed(left, right),
        (_, Ok(right), Ok(left), _) => mixed(right, left).reverse(),
        (_, _, Ok(left), Ok(right)) => {
            left.partial_cmp(&right).unwrap_or_else(|| left.is_nan().cmp(&right.is_nan()))
        }
        _ => Ordering::Equal,
    }
}

fn mixed(integer: i64, float: f64) -> Ordering {
    if float.is_nan() || float >= 9_223_372_036_854_775_808.0 {
        return Ordering::Less;
    }
    if float < -9_223_372_036_854_775_808.0 {
        return Ordering::Greater;
    }
    let (cut, fraction) = (float.trunc(), float.fract());
    integer.cmp(&(cut as i64)).then(0.0_f64.partial_cmp(&fraction).unwrap_or(Ordering::Equal))
}

/// Python's `==`: compares numbers by value, lists and maps by their items. Values of h1mock's own types equal nothing.
pub(super) fn equal(left: &Dynamic, right: &Dynamic) -> bool {
    equal_at_depth(left, right, 0)
}

fn equal_at_depth(left: &Dynamic, right: &Dynamic, depth: usize) -> bool {
    // Integers and texts come first, since most searches are for them.
    if left.is_int()
        && let (Ok(left), Ok(right)) = (left.as_int(), right.as_int())
    {
        return left == right;
    }
    if left.is_string() && right.is_string() {
        return work_of(left, right).is_ok() && texts(left, right).is_eq();
    }
    if depth > MAX_DEPTH || is_late(depth) {
        return false;
    }
    if is_same(left, right) {
        return true;
    }
    if let (Some(left), Some(right)) = (as_list(left), as_list(right)) {
        return left.len() == right.len()
            && watched(left.iter().zip(right.iter()))
                .all(|(one, other)| equal_at_depth(one, other, depth + 1));
    }
    if let (Some(left), Some(right)) = (as_map(left), as_map(right)) {
        return left.len() == right.len()
            && left
                .iter()
                .take_while(|(key, _)| budget::work(key.len() + STEP).is_ok())
                .all(|(key, one)| right.get(key).is_some_and(|other| equal_at_depth(one, other, depth + 1)));
    }
    if let (Ok(left), Ok(right)) = (left.as_blob_ref(), right.as_blob_ref()) {
        return *left == *right;
    }
    match (class(left), class(right)) {
        (Class::Number, Class::Number) => numbers(left, right).is_eq() && !is_nan(left),
        (Class::Text, Class::Text) => texts(left, right).is_eq(),
        (Class::Bool, Class::Bool) => left.as_bool().ok() == right.as_bool().ok(),
        (Class::Time, Class::Time) => datetime::compare(left, right).flatten() == Some(Ordering::Equal),
        _ => left.is_unit() && right.is_unit() || are_same_range(left, right),
    }
}

fn are_same_range(left: &Dynamic, right: &Dynamic) -> bool {
    fn are<T: Variant + Clone + PartialEq>(left: &Dynamic, right: &Dynamic) -> bool {
        left.read_lock::<T>().zip(right.read_lock::<T>()).is_some_and(|(left, right)| *left == *right)
    }
    are::<Range<i64>>(left, right) || are::<RangeInclusive<i64>>(left, right)
}

fn is_nan(value: &Dynamic) -> bool {
    value.as_float().is_ok_and(f64::is_nan)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::budget::{Budget, Limit};
    use crate::script::runtime::fault::Kind;
    use std::time::Duration;

    #[test]
    fn a_comparison_ends_when_the_script_is_out_of_time() {
        let long: Dynamic = "x".repeat(1 << 20).into();
        let budget = Budget { time: Duration::ZERO, ..Budget::default() };
        let error = budget.run(|| compare("sorted", &long, &long).unwrap_err());
        assert_eq!(Kind::from(&*error), Kind::OverBudget(Limit::Time));
    }
}
