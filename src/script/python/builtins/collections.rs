//! Python's methods of lists and dictionaries.

use super::equal;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{collect, text_of, too_many};
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, Map};

/// `list.index(item)`: unlike `index_of`, a missing item is an error.
fn index(list: &Array, item: &Dynamic) -> Fallible<i64> {
    let place = list.iter().position(|other| equal(other, item));
    let place = place.ok_or_else(|| format!("index: `{}` is not in the list", text_of(item, 80)))?;
    i64::try_from(place).map_err(|_| too_many("index"))
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

fn register_list_methods(natives: &mut Natives) {
    // Rhai's own `append` of a list takes its items; Python's takes it as one item, and `extend` its items.
    natives.register_change("append", |list: &mut Array, item: Dynamic| list.push(item));
    natives.register_change("append", |list: &mut Array, item: Array| list.push(item.into()));
    natives.register_change("extend", |list: &mut Array, items: Array| list.extend(items));
    natives.register_fn("index", |list: &mut Array, item: Dynamic| index(list, &item));
    natives.register_fn("count", |list: &mut Array, item: Dynamic| count(list, &item));
    natives.register_fn("copy", |list: &mut Array| list.clone());
}

fn register_map_methods(natives: &mut Natives) {
    natives.register_fn("get", |map: &mut Map, key: &str, default: Dynamic| {
        map.get(key).cloned().unwrap_or(default)
    });
    natives.register_fn("items", |map: &mut Map| items(map));
    natives.register_change("pop", pop);
    natives.register_change("pop", |map: &mut Map, key: &str, default: Dynamic| {
        map.remove(key).unwrap_or(default)
    });
    natives.register_change("setdefault", |map: &mut Map, key: &str, default: Dynamic| {
        map.entry(key.into()).or_insert(default).clone()
    });
    natives.register_change("update", |map: &mut Map, other: Map| map.extend(other));
    natives.register_fn("copy", |map: &mut Map| map.clone());
}

pub(super) fn register(natives: &mut Natives) {
    register_list_methods(natives);
    register_map_methods(natives);
}
