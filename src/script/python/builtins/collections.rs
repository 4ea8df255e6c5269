//! Python's methods of lists and dictionaries.

use super::equal;
use crate::script::runtime::frozen::FrozenList;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{collect, text_of, too_many};
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, Map};

/// `list.index(item)`: a missing item is an error, unlike with `index_of`.
fn index(list: &Array, item: &Dynamic) -> Fallible<i64> {
    let place = list.iter().position(|other| equal(other, item));
    let place = place.ok_or_else(|| format!("index: `{}` is not in the list", text_of(item, 80)))?;
    i64::try_from(place).map_err(|_| too_many("index"))
}

/// Returns the place of `index`, which may be the end of the list. A negative index counts from the end. `None` for a place
/// outside of the list.
fn place(list: &Array, index: i64) -> Option<usize> {
    let size = usize::try_from(index.unsigned_abs()).ok()?;
    let place = if index < 0 { list.len().checked_sub(size)? } else { size };
    (place <= list.len()).then_some(place)
}

/// `list.insert(index, item)`: an index outside of the list means its start or its end.
fn insert(list: &mut Array, index: i64, item: Dynamic) {
    let end = if index < 0 { 0 } else { list.len() };
    list.insert(place(list, index).unwrap_or(end), item);
}

fn count(list: &Array, item: &Dynamic) -> i64 {
    i64::try_from(list.iter().filter(|other| equal(other, item)).count()).unwrap_or(i64::MAX)
}

/// `map.pop(key)`: a missing key is an error.
fn pop(map: &mut Map, key: &str) -> Fallible<Dynamic> {
    map.remove(key).ok_or_else(|| {
        format!("pop: no key `{}`: `pop(key, default)` gives a default", beginning(key, 80)).into()
    })
}

/// `map.items()`: pairs `[key, value]`.
fn items(map: &Map) -> Fallible<Array> {
    collect(
        "items",
        map.iter().map(|(key, value)| vec![Dynamic::from(key.as_str().to_string()), value.clone()].into()),
    )
}

pub(super) fn register(natives: &mut Natives) {
    // Rhai's `append` adds the items of a list. Python's adds the list as one item, and `extend` adds its items.
    natives.register_change("append", |list: &mut Array, item: Dynamic| list.push(item));
    natives.register_change("append", |list: &mut Array, item: Array| list.push(item.into()));
    // With Rhai's own functions, an item that comes from a constant stays read-only.
    natives.register_change("push", |list: &mut Array, item: Dynamic| list.push(item));
    natives.register_change("insert", insert);
    natives.register_change("set", |list: &mut Array, index: i64, item: Dynamic| {
        place(list, index)
            .and_then(|place| list.get_mut(place))
            .into_iter()
            .for_each(|old| *old = item.clone());
    });
    natives.register_change("extend", |list: &mut Array, items: Array| list.extend(items));
    // Rhai's `contains` looks up the function `==` for each item: fifty times the work.
    natives.register_fn("contains", |list: &mut Array, item: Dynamic| {
        list.iter().any(|other| equal(other, &item))
    });
    natives.register_fn("contains", |list: FrozenList, item: Dynamic| {
        list.iter().any(|other| equal(other, &item))
    });
    natives.register_fn("index", |list: &mut Array, item: Dynamic| index(list, &item));
    natives.register_fn("count", |list: &mut Array, item: Dynamic| count(list, &item));
    natives.register_fn("copy", |list: &mut Array| list.clone());
    natives.register_fn("get", |map: &mut Map, key: &str, default: Dynamic| {
        map.get(key).cloned().unwrap_or(default)
    });
    natives.register_fn("items", |map: &mut Map| items(map));
    natives.register_change("pop", pop);
    natives.register_change("pop", |map: &mut Map, key: &str, default: Dynamic| {
        map.remove(key).unwrap_or(default)
    });
    natives.register_change("set", |map: &mut Map, key: &str, value: Dynamic| {
        drop(map.insert(key.into(), value))
    });
    natives.register_change("setdefault", |map: &mut Map, key: &str, default: Dynamic| {
        map.entry(key.into()).or_insert(default).clone()
    });
    natives.register_change("update", |map: &mut Map, other: Map| map.extend(other));
    natives.register_fn("copy", |map: &mut Map| map.clone());
}
