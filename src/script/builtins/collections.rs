//! Python's methods of lists and dictionaries.

use super::{Returned, equal, shown};
use crate::script::bound::{collect, text_of, too_many};
use rhai::{Array, Dynamic, Engine, Map};

/// `list.index(item)`: unlike `index_of`, a missing item is an error.
fn index(list: &Array, item: &Dynamic) -> Returned<i64> {
    let place = list.iter().position(|other| equal(other, item));
    let place = place.ok_or_else(|| format!("index: `{}` is not in the list", text_of(item, 80)))?;
    i64::try_from(place).map_err(|_| too_many("index"))
}

fn count(list: &Array, item: &Dynamic) -> i64 {
    i64::try_from(list.iter().filter(|other| equal(other, item)).count()).unwrap_or(i64::MAX)
}

/// `map.pop(key)`: a missing key is an error.
fn pop(map: &mut Map, key: &str) -> Returned<Dynamic> {
    map.remove(key)
        .ok_or_else(|| format!("pop: no key `{}`: `pop(key, default)` gives a default", shown(key)).into())
}

/// `map.items()`: pairs `[key, value]`.
fn items(map: &Map) -> Returned<Array> {
    collect(
        "items",
        map.iter().map(|(key, value)| vec![Dynamic::from(key.as_str().to_string()), value.clone()].into()),
    )
}

fn register_list_methods(engine: &mut Engine) {
    // Rhai's own `append` of a list takes its items; Python's takes it as one item, and `extend` its items.
    engine.register_fn("append", |list: &mut Array, item: Dynamic| list.push(item));
    engine.register_fn("append", |list: &mut Array, item: Array| list.push(item.into()));
    engine.register_fn("extend", |list: &mut Array, items: Array| list.extend(items));
    engine.register_fn("index", |list: &mut Array, item: Dynamic| index(list, &item));
    engine.register_fn("count", |list: &mut Array, item: Dynamic| count(list, &item));
    engine.register_fn("copy", |list: &mut Array| list.clone());
}

fn register_map_methods(engine: &mut Engine) {
    engine.register_fn("get", |map: &mut Map, key: &str, default: Dynamic| {
        map.get(key).cloned().unwrap_or(default)
    });
    engine.register_fn("items", |map: &mut Map| items(map));
    engine.register_fn("pop", pop);
    engine
        .register_fn("pop", |map: &mut Map, key: &str, default: Dynamic| map.remove(key).unwrap_or(default));
    engine.register_fn("setdefault", |map: &mut Map, key: &str, default: Dynamic| {
        map.entry(key.into()).or_insert(default).clone()
    });
    engine.register_fn("update", |map: &mut Map, other: Map| map.extend(other));
    engine.register_fn("copy", |map: &mut Map| map.clone());
}

/// Registers the methods.
pub fn register(engine: &mut Engine) {
    register_list_methods(engine);
    register_map_methods(engine);
}
