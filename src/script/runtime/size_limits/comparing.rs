//! What compares texts again and again: `sort`, `order`, `==` of lists. A list may have one long text ten thousand times, so the
//! texts are counted as work, which ends with the time of the script. What they do otherwise stays as Rhai documents it.

use super::sorting::sort_by;
use crate::script::runtime::budget;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::type_name;
use rhai::{Array, Dynamic};
use std::cmp::Ordering;

/// Compares two values of one type; none where the type has no order.
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

/// Sorts a list whose items are of one type; `change` turns the order round, or not.
fn sort(list: &mut Array, change: fn(Ordering) -> Ordering) -> Fallible<()> {
    let [first, rest @ ..] = &list[..] else { return Ok(()) };
    if rest.iter().any(|item| item.type_id() != first.type_id()) {
        return Err("items of different types can't be sorted".into());
    }
    if !rest.is_empty() && compare(first, first)?.is_none() {
        return Err(format!("items of type `{}` can't be sorted", type_name(first)).into());
    }
    sort_by(list, |left, right| Ok(change(compare(left, right)?.unwrap_or(Ordering::Equal))))
}

/// Whether two texts are the same, for Rhai's comparison of lists and maps, and its search in them. In scripts, `==` of texts is
/// no call.
fn are_equal(left: &str, right: &str) -> Fallible<bool> {
    budget::work(left.len().min(right.len()))?;
    Ok(left == right)
}

/// `changing` sorts the list itself, `copying` gives a sorted one.
fn register_sort(natives: &mut Natives, [changing, copying]: [&str; 2], change: fn(Ordering) -> Ordering) {
    natives.register_change(changing, move |list: &mut Array| sort(list, change));
    natives.register_fn(copying, move |list: &mut Array| -> Fallible<Array> {
        let mut list = list.clone();
        sort(&mut list, change)?;
        Ok(list)
    });
}

pub(super) fn register(natives: &mut Natives) {
    register_sort(natives, ["sort", "order"], |order| order);
    register_sort(natives, ["sort_desc", "order_desc"], Ordering::reverse);
    natives.register_fn("==", are_equal);
    natives.register_fn("!=", |left: &str, right: &str| are_equal(left, right).map(|equal| !equal));
}
