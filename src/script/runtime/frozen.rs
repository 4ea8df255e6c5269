//! Lists and maps that can't change: constants, `request.json`, `json.loads`, `read_json`, values of `store`.
//!
//! The use of a frozen value in an expression costs one step of a reference counter, whatever its size. A frozen map keeps its keys
//! in their original order. Where a script changes a variable with a frozen value (`let l = BIG; l[0] = 1`), the variable gets
//! Rhai's own list or map: a copy of one level, with the same items. An item that is added at the end (`l.push(1)`, `l + [1]`)
//! makes another frozen list, which shares the items of the first one. Scripts see both kinds under the same names; natives
//! read both through [`as_list`] and [`as_map`].
//!
//! Rhai's shared values are not suitable: each access locks, and two threads that use one at the same time get the error "Data
//! race".

mod facts;
mod list;
pub(crate) mod natives;
mod tree;

pub(crate) use facts::Facts;
pub(crate) use list::{FrozenList, Items, ListRef, as_list};

use rhai::{Array, Dynamic, DynamicReadLock, ImmutableString, Map};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

#[derive(Debug, Clone)]
pub(crate) struct FrozenMap(Arc<Entries>);

/// Keys and values in their original order.
#[derive(Debug)]
struct Entries {
    pairs: Vec<(ImmutableString, Dynamic)>,
    /// The place of each key; `None` for a map of few keys.
    places: Option<Box<Places>>,
    facts: Facts,
}

type Places = HashMap<ImmutableString, usize>;

/// Maximum number of keys that a map compares one by one.
const FEW: usize = 8;

impl FrozenMap {
    /// Makes a map of `pairs`. Of repeated keys the last value counts, at the place of the first, as in Python.
    pub(crate) fn new(mut pairs: Vec<(ImmutableString, Dynamic)>) -> Self {
        let mut places = None;
        if pairs.len() > FEW {
            places = Some(Box::new(unite_many(&mut pairs)));
        } else {
            unite_few(&mut pairs);
        }
        let facts = Facts::of_pairs(pairs.iter().map(|(key, value)| (key.as_str(), value)));
        Self(Arc::new(Entries { pairs, places, facts }))
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Dynamic> {
        let Entries { pairs, places, .. } = &*self.0;
        match places {
            None => pairs.iter().find(|(known, _)| known == key).map(|(_, value)| value),
            Some(places) => Some(&pairs[*places.get(key)?].1),
        }
    }

    pub(crate) fn pairs(&self) -> &[(ImmutableString, Dynamic)] {
        &self.0.pairs
    }

    pub(crate) fn thaw(&self) -> Map {
        self.pairs().iter().map(|(key, value)| (key.as_str().into(), value.clone())).collect()
    }

    /// Whether both are the same map, not only an equal one.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Merges pairs with the same key.
fn unite_few(pairs: &mut Vec<(ImmutableString, Dynamic)>) {
    let mut place = 1;
    while place < pairs.len() {
        match pairs[..place].iter().position(|(key, _)| *key == pairs[place].0) {
            Some(first) => pairs[first].1 = pairs.remove(place).1,
            None => place += 1,
        }
    }
}

/// Merges pairs with the same key, as [`unite_few`]. Returns the place of each key.
fn unite_many(pairs: &mut Vec<(ImmutableString, Dynamic)>) -> Places {
    let mut places = Places::with_capacity(pairs.len());
    for (key, value) in std::mem::replace(pairs, Vec::with_capacity(pairs.len())) {
        match places.entry(key.clone()) {
            Entry::Occupied(place) => pairs[*place.get()].1 = value,
            Entry::Vacant(vacant) => {
                vacant.insert(pairs.len());
                pairs.push((key, value));
            }
        }
    }
    places
}

/// Freezes the lists and maps in `value`. A map that has functions stays Rhai's: scripts call them as methods
/// (`HANDLERS.show(1)`), which Rhai allows only for its own maps.
pub(crate) fn freeze(value: Dynamic) -> Dynamic {
    let value = value.flatten();
    if value.is_array() {
        let items = value.into_array().unwrap_or_default();
        return Dynamic::from(FrozenList::new(items.into_iter().map(freeze).collect()));
    }
    if !value.is_map() {
        return value;
    }
    let map: Map = value.try_cast().unwrap_or_default();
    if map.values().any(Dynamic::is_fnptr) {
        let frozen: Map = map.into_iter().map(|(key, value)| (key, freeze(value))).collect();
        return frozen.into();
    }
    Dynamic::from(FrozenMap::new(map.into_iter().map(|(key, value)| (key.into(), freeze(value))).collect()))
}

/// Returns Rhai's own list or map for a frozen one; `None` for other values. The items stay frozen.
pub(crate) fn thaw(value: &Dynamic) -> Option<Dynamic> {
    if let Some(list) = value.read_lock::<FrozenList>() {
        return Some(list.thaw().into());
    }
    value.read_lock::<FrozenMap>().map(|map| map.thaw().into())
}

/// Whether both are the same frozen value, not only equal ones.
pub(crate) fn is_same(one: &Dynamic, other: &Dynamic) -> bool {
    if let (Some(one), Some(other)) = (one.read_lock::<FrozenList>(), other.read_lock::<FrozenList>()) {
        return one.is(&other);
    }
    match (one.read_lock::<FrozenMap>(), other.read_lock::<FrozenMap>()) {
        (Some(one), Some(other)) => one.is(&other),
        _ => false,
    }
}

pub(crate) fn is_list(value: &Dynamic) -> bool {
    value.is_array() || value.is::<FrozenList>()
}

pub(crate) fn is_map(value: &Dynamic) -> bool {
    value.is_map() || value.is::<FrozenMap>()
}

/// Returns the items of a list: moved where `value` is the only reference, else copied.
pub(crate) fn into_items(value: Dynamic) -> Array {
    if value.is_array() {
        return value.into_array().unwrap_or_default();
    }
    as_list(&value).map(|items| items.to_vec()).unwrap_or_default()
}

/// Read access to a map of either kind.
pub(crate) enum MapRef<'v> {
    Rhai(DynamicReadLock<'v, Map>),
    Frozen(DynamicReadLock<'v, FrozenMap>),
}

/// Returns read access to `value`, where it is a map.
pub(crate) fn as_map(value: &Dynamic) -> Option<MapRef<'_>> {
    if let Some(map) = value.read_lock::<Map>() {
        return Some(MapRef::Rhai(map));
    }
    value.read_lock::<FrozenMap>().map(MapRef::Frozen)
}

impl MapRef<'_> {
    pub(crate) fn len(&self) -> usize {
        match self {
            MapRef::Rhai(map) => map.len(),
            MapRef::Frozen(map) => map.pairs().len(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Dynamic> {
        match self {
            MapRef::Rhai(map) => map.get(key),
            MapRef::Frozen(map) => map.get(key),
        }
    }

    pub(crate) fn to_map(&self) -> Map {
        match self {
            MapRef::Rhai(map) => (**map).clone(),
            MapRef::Frozen(map) => map.thaw(),
        }
    }

    /// Returns the entries: those of Rhai's own map are sorted by key, those of a frozen one in their original order.
    pub(crate) fn iter(&self) -> Box<dyn Iterator<Item = (&str, &Dynamic)> + '_> {
        match self {
            MapRef::Rhai(map) => Box::new(map.iter().map(|(key, value)| (key.as_str(), value))),
            MapRef::Frozen(map) => Box::new(map.pairs().iter().map(|(key, value)| (key.as_str(), value))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::allocator::ALLOCATED;
    use crate::script::tests::trial::{engine, yields};
    use rhai::{EvalAltResult, FnPtr};

    /// Returns the bytes that another item takes while another reference keeps the list as it was.
    fn growth(mut list: FrozenList) -> i64 {
        let held = list.clone();
        let before = ALLOCATED.get();
        list.push("item".into());
        let growth = ALLOCATED.get() - before;
        assert_eq!((list.len(), list.get(held.len()).is_some()), (held.len() + 1, true));
        growth
    }

    #[test]
    fn an_item_costs_a_long_list_as_much_as_a_short_one() {
        let items = |count: i64| (0..count).map(Dynamic::from).collect::<Vec<_>>();
        let grown = |count: i64| {
            let mut list = FrozenList::new(Vec::new());
            list.extend(items(count));
            list
        };
        // A level of nodes is 16 pointers and a header.
        let level = 16 * 8 + 64;
        assert!(growth(grown(100_000)) - growth(grown(1_000)) <= 2 * level);
        assert_eq!(growth(FrozenList::new(items(100_000))), growth(FrozenList::new(items(1_000))));
    }

    #[test]
    fn a_value_with_a_function_in_it_is_not_plain() {
        let function = || Dynamic::from(FnPtr::new("f").unwrap());
        let mut list = FrozenList::new(vec![1.into()]);
        let is_plain = |value: &Dynamic| Facts::of(value).is_plain;
        assert!(is_plain(&Dynamic::from(list.clone())));
        list.push(function());
        list.push(2.into());
        let inside = freeze(vec![Dynamic::from(list.clone())].into());
        let map = freeze(Map::from([("f".into(), function())]).into());
        for value in [Dynamic::from(list), inside, map, vec![Dynamic::from_array(vec![function()])].into()] {
            assert!(!is_plain(&value), "{value:?}");
        }
        assert!(is_plain(&freeze(Map::from([("a".into(), Dynamic::from_array(vec![1.into()]))]).into())));
    }

    #[test]
    fn an_index_of_a_frozen_list_is_within_its_length() {
        yields(&[
            ("let l = json.loads(\"[1, 2]\"); l[1] = 3; l[-2] = 4; l", "[4, 3]"),
            ("let l = json.loads(\"[1, 2]\"); [l[0], l[-1], l.get(2), l.get(-3)]", "[1, 2, (), ()]"),
        ]);
        for script in ["l[2] = 3", "l[-3] = 3", "l[2]", "l[-3]"] {
            let script = format!("let l = json.loads(\"[1, 2]\"); {script}");
            let error = engine().eval::<Dynamic>(&script).unwrap_err();
            assert!(
                matches!(error.unwrap_inner(), EvalAltResult::ErrorArrayBounds(2, ..)),
                "{script}: {error}"
            );
        }
    }
}
