//! Replacements for Rhai's `sort`, `order`, `dedup`, and `==` of texts. After an error of the function, Rhai's own natives continue to
//! the end: 8 million calls for a list of 400,000 items. A list may have one long text ten thousand times, so compared texts count
//! as work, which ends with the time of the script. Otherwise the natives do what Rhai documents.

use super::type_name;
use crate::script::runtime::budget;
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::{Array, Dynamic, FnPtr, NativeCallContext};
use std::cmp::Ordering;

/// Sorts `items`; equal ones keep their order. An error of `compare` ends the sort and leaves the items as they were. The sort
/// of the standard library could end early only by a panic.
pub(crate) fn sort_by<T: Default>(
    items: &mut Vec<T>,
    mut compare: impl FnMut(&T, &T) -> Fallible<Ordering>,
) -> Fallible<()> {
    let mut places: Vec<u32> = (0..).take(items.len()).collect();
    let mut merged = Vec::with_capacity(places.len());
    let mut follows = |one: u32, other: u32| -> Fallible<bool> {
        Ok(compare(&items[other as usize], &items[one as usize])?.is_lt())
    };
    let mut ends = runs(&mut places, &mut follows)?;
    while ends.len() > 1 {
        merged.clear();
        let mut begin = 0;
        for pair in ends.chunks(2) {
            let (middle, end) = (pair[0], pair[pair.len() - 1]);
            let (mut left, mut right) = (&places[begin..middle], &places[middle..end]);
            while let ([one, rest @ ..], [other, others @ ..]) = (left, right) {
                if follows(*one, *other)? {
                    merged.push(*other);
                    right = others;
                } else {
                    merged.push(*one);
                    left = rest;
                }
            }
            merged.extend(left);
            merged.extend(right);
            begin = end;
        }
        std::mem::swap(&mut places, &mut merged);
        ends = ends.chunks(2).map(|pair| pair[pair.len() - 1]).collect();
    }
    *items = places.iter().map(|place| std::mem::take(&mut items[*place as usize])).collect();
    Ok(())
}

/// Returns the ends of the parts of `places` that are in order already. A part in the opposite order is reversed.
fn runs(places: &mut [u32], follows: &mut impl FnMut(u32, u32) -> Fallible<bool>) -> Fallible<Vec<usize>> {
    let (mut ends, mut begin) = (Vec::new(), 0);
    while begin < places.len() {
        let mut end = begin + 1;
        let descends = end < places.len() && follows(places[begin], places[end])?;
        while end < places.len() && follows(places[end - 1], places[end])? == descends {
            end += 1;
        }
        if descends {
            places[begin..end].reverse();
        }
        ends.push(end);
        begin = end;
    }
    Ok(ends)
}

/// Returns the order by the result of `function`: a number, or whether `left` comes first. Any other result counts as equal.
fn ask(context: &NativeCallContext, function: &FnPtr, left: &Dynamic, right: &Dynamic) -> Fallible<Ordering> {
    let answer = function.call_raw(context, None, [left.clone(), right.clone()])?;
    Ok(match (answer.as_int(), answer.as_bool()) {
        (Ok(number), _) => number.cmp(&0),
        (_, Ok(true)) => Ordering::Less,
        (_, Ok(false)) => Ordering::Greater,
        _ => Ordering::Equal,
    })
}

fn sort(context: NativeCallContext, list: &mut Array, function: FnPtr) -> Fallible<()> {
    sort_by(list, |left, right| ask(&context, &function, left, right))
}

/// Drops each item for which `function`, called with the item before, returns true. After an error no item is dropped.
fn dedup(context: NativeCallContext, list: &mut Array, function: FnPtr) -> Fallible<()> {
    let mut outcome = Ok(());
    list.dedup_by(|item, before| {
        if outcome.is_err() {
            return false;
        }
        let answer = function.call_raw(&context, None, [before.clone(), item.clone()]);
        answer.map_err(|error| outcome = Err(error)).is_ok_and(|answer| answer.as_bool().unwrap_or(false))
    });
    outcome
}

/// Compares two values of one type; `None` where the type has no order.
fn compare(left: &Dynamic, right: &Dynamic) -> Fallible<Option<Ordering>> {
    if let (Ok(left), Ok(right)) = (left.as_immutable_string_ref(), right.as_immutable_string_ref()) {
        budget::work(left.len().min(right.len()))?;
        return Ok(Some(left.as_str().cmp(right.as_str())));
    }
    if let (Ok(left), Ok(right)) = (left.as_int(), right.as_int()) {
        return Ok(Some(left.cmp(&right)));
    }
    if let (Ok(left), Ok(right)) = (left.as_float(), right.as_float()) {
        return Ok(Some(left.partial_cmp(&right).unwrap_or(Ordering::Equal)));
    }
    let order = match (left.as_bool(), right.as_bool(), left.as_char(), right.as_char()) {
        (Ok(left), Ok(right), ..) => Some(left.cmp(&right)),
        (.., Ok(left), Ok(right)) => Some(left.cmp(&right)),
        _ => left.is_unit().then_some(Ordering::Equal),
    };
    Ok(order)
}

/// Sorts a list with items of one type. `change` may reverse the order.
fn sort_values(list: &mut Array, change: fn(Ordering) -> Ordering) -> Fallible<()> {
    let [first, rest @ ..] = &list[..] else { return Ok(()) };
    if rest.iter().any(|item| item.type_id() != first.type_id()) {
        return Err("items of different types can't be sorted".into());
    }
    if !rest.is_empty() && compare(first, first)?.is_none() {
        return Err(format!("items of type `{}` can't be sorted", type_name(first)).into());
    }
    sort_by(list, |left, right| Ok(change(compare(left, right)?.unwrap_or(Ordering::Equal))))
}

/// Whether two texts are equal, for Rhai's comparison of lists and maps and its search in them. `==` of two texts in a script
/// does not call this.
fn are_equal(left: &str, right: &str) -> Fallible<bool> {
    budget::work(left.len().min(right.len()))?;
    Ok(left == right)
}

/// Registers `changing`, which sorts the list itself, and `copying`, which returns a sorted copy.
fn register_sort(natives: &mut Natives, [changing, copying]: [&str; 2], change: fn(Ordering) -> Ordering) {
    natives.register_change(changing, move |list: &mut Array| sort_values(list, change));
    natives.register_fn(copying, move |list: &mut Array| -> Fallible<Array> {
        let mut list = list.clone();
        sort_values(&mut list, change)?;
        Ok(list)
    });
}

pub(super) fn register(natives: &mut Natives) {
    register_sort(natives, ["sort", "order"], |order| order);
    register_sort(natives, ["sort_desc", "order_desc"], Ordering::reverse);
    natives.register_fn("==", are_equal);
    natives.register_fn("!=", |left: &str, right: &str| are_equal(left, right).map(|equal| !equal));
    natives.register_change("dedup", dedup);
    for name in ["sort", "sort_by"] {
        natives.register_change(name, sort);
    }
    for name in ["order", "order_by"] {
        natives.register_fn(
            name,
            |context: NativeCallContext, mut list: Array, function: FnPtr| -> Fallible<Array> {
                sort(context, &mut list, function)?;
                Ok(list)
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn sort_by_sorts_like_the_standard_library() {
        let mut seed = 1_u32;
        for length in (0..40).chain([1_000]) {
            for kinds in [1, 3, 50, u32::MAX] {
                let item = |place| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    ((seed >> 8) % kinds, place)
                };
                let mut items: Vec<(u32, u32)> = (0..length).map(item).collect();
                for begin in [0, items.len() / 2] {
                    items[begin..].sort_by(|one, other| other.cmp(one));
                    let mut expected = items.clone();
                    expected.sort_by_key(|(kind, _)| *kind);
                    sort_by(&mut items, |one, other| Ok(one.0.cmp(&other.0))).unwrap();
                    assert_eq!(items, expected, "{length} of {kinds}");
                }
            }
        }
    }

    #[test]
    fn a_function_may_define_the_order() {
        yields(&[
            ("let l = [3, 1, 2]; l.sort(|a, b| a - b); l", "[1, 2, 3]"),
            ("let l = [3, 1, 2]; l.sort_by(|a, b| a > b); l", "[3, 2, 1]"),
            (
                "const L = [3, 1, 2]; [L.order(|a, b| a - b), L.order_by(|a, b| b - a), L]",
                "[[1, 2, 3], [3, 2, 1], [3, 1, 2]]",
            ),
            (
                r#"["b1", "a1", "b2", "a2"].order(|a, b| ord(a[0]) - ord(b[0]))"#,
                r#"["a1", "a2", "b1", "b2"]"#,
            ),
            ("let l = [2, 1]; l.sort(|a, b| ()); l", "[2, 1]"),
            ("let l = [1, 2, 2, 3, 1]; l.dedup(|a, b| a >= b); l", "[1, 2, 3]"),
        ]);
    }

    #[test]
    fn an_error_ends_the_sort_and_leaves_the_list() {
        fails(&[("let l = [2, 1]; l.sort(|a, b| throw `no ${a}`)", "no 1")]);
        yields(&[
            (
                "let l = [3, 2, 1]; try { l.sort(|a, b| if a == 2 { throw 1 } else { 1 }) } catch {} l",
                "[3, 2, 1]",
            ),
            ("let l = [1, 1, 2]; try { l.dedup(|a, b| throw 1) } catch {} l", "[1, 1, 2]"),
        ]);
    }
}
