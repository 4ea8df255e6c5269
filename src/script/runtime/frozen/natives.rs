//! What scripts do with frozen lists and maps: reading costs no copy, Rhai's other functions get one, changing thaws.

use super::{FrozenList, FrozenMap, thaw};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::same::same;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, Position};
use std::any::TypeId;

const LIST: TypeId = TypeId::of::<FrozenList>();
const MAP: TypeId = TypeId::of::<FrozenMap>();

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<FrozenList>("array")
        .register_type_with_name::<FrozenMap>("map")
        .set_iter::<FrozenList>(|list| {
        let list = list.read_lock::<FrozenList>().map(|list| list.clone());
        let count = list.as_ref().map_or(0, FrozenList::len);
        Box::new((0..count).filter_map(move |place| list.as_ref()?.get(place).cloned()))
    });
    register_list(natives);
    register_map(natives);
    register_indexers(natives);
    register_of_rhai(natives);
}

fn number(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn register_list(natives: &mut Natives) {
    natives
        .register_fn("len", |list: FrozenList| number(list.len()))
        .register_get("len", |list: &mut FrozenList| number(list.len()))
        .register_fn("is_empty", |list: FrozenList| list.len() == 0)
        .register_get("is_empty", |list: &mut FrozenList| list.len() == 0)
        .register_fn("get", |list: FrozenList, index: i64| {
            place(&list, index).and_then(|place| list.get(place)).cloned().unwrap_or_default()
        })
        .register_fn("copy", |list: FrozenList| list);
    register_growing(natives);
}

/// What adds to the end: a list that grows in a loop or from request to request costs as much as is added.
fn register_growing(natives: &mut Natives) {
    fn with(mut list: FrozenList, items: impl IntoIterator<Item = Dynamic>) -> FrozenList {
        list.extend(items);
        list
    }
    natives
        .register_fn("+", |list: FrozenList, more: Array| with(list, more))
        .register_fn("+", |list: FrozenList, more: FrozenList| with(list, more.iter().cloned()));
    for name in ["+=", "extend"] {
        natives
            .register_change(name, |list: &mut FrozenList, more: Array| list.extend(more))
            .register_change(name, |list: &mut FrozenList, more: FrozenList| {
                list.extend(more.iter().cloned());
            });
    }
    for name in ["push", "append", "+="] {
        natives.register_change(name, |list: &mut FrozenList, item: Dynamic| list.push(item));
    }
    // By name, or these were of the methods that thaw.
    natives
        .register_change("append", |list: &mut FrozenList, item: Array| list.push(item.into()))
        .register_change("append", |list: &mut FrozenList, item: FrozenList| list.push(Dynamic::from(item)));
}

fn register_map(natives: &mut Natives) {
    natives
        .register_fn("len", |map: FrozenMap| number(map.pairs().len()))
        .register_fn("is_empty", |map: FrozenMap| map.pairs().is_empty())
        .register_fn("contains", |map: FrozenMap, key: ImmutableString| map.get(&key).is_some())
        .register_fn("get", |map: FrozenMap, key: ImmutableString| map.get(&key).cloned().unwrap_or_default())
        .register_fn("get", |map: FrozenMap, key: ImmutableString, default: Dynamic| {
            map.get(&key).cloned().unwrap_or(default)
        })
        .register_fn("keys", |map: FrozenMap| -> Array {
            map.pairs().iter().map(|(key, _)| key.clone().into()).collect()
        })
        .register_fn("values", |map: FrozenMap| -> Array {
            map.pairs().iter().map(|(_, value)| value.clone()).collect()
        })
        .register_fn("items", |map: FrozenMap| -> Array {
            let pair = |(key, value): &(ImmutableString, Dynamic)| vec![key.clone().into(), value.clone()];
            map.pairs().iter().map(|entry| Dynamic::from_array(pair(entry))).collect()
        })
        .register_fn("copy", |map: FrozenMap| map);
}

/// The place of `index`, which counts from the end where it is negative.
fn place(list: &FrozenList, index: i64) -> Option<usize> {
    let place = if index < 0 { number(list.len()).checked_add(index)? } else { index };
    usize::try_from(place).ok().filter(|place| *place < list.len())
}

fn register_indexers(natives: &mut Natives) {
    let out_of_bounds = |list: &FrozenList, index| -> Box<EvalAltResult> {
        EvalAltResult::ErrorArrayBounds(list.len(), index, Position::NONE).into()
    };
    natives
        .register_indexer_get(move |list: &mut FrozenList, index: i64| -> Fallible<Dynamic> {
            let item = place(list, index).and_then(|place| list.get(place));
            item.cloned().ok_or_else(|| out_of_bounds(list, index))
        })
        .register_indexer_get(|map: &mut FrozenMap, key: &str| map.get(key).cloned().unwrap_or_default());
    natives.in_common(&const { [LIST] }, move |natives| {
        natives.register_indexer_set_of_constant(move |list: &mut Dynamic, index: i64, value: Dynamic| {
            let at = match list.read_lock::<FrozenList>() {
                Some(items) => {
                    let at = place(&items, index).ok_or_else(|| out_of_bounds(&items, index))?;
                    if items.get(at).is_some_and(|item| same(item, &value)) {
                        return Ok(());
                    }
                    at
                }
                None => return Ok(()),
            };
            change(list, |items: &mut Array| items[at] = value)
        });
    });
    natives.in_common(&const { [MAP] }, |natives| {
        natives.register_indexer_set_of_constant(|map: &mut Dynamic, key: &str, value: Dynamic| {
            let current = map.read_lock::<FrozenMap>().and_then(|map| map.get(key).cloned());
            if current.is_some_and(|current| same(&current, &value)) {
                return Ok(());
            }
            change(map, |entries: &mut Map| drop(entries.insert(key.into(), value)))
        });
    });
}

/// Thaws what a variable holds and changes it.
///
/// # Errors
/// It is a constant, or a value that some property or `store` has given.
fn change<T: Clone + Send + Sync + 'static>(value: &mut Dynamic, step: impl FnOnce(&mut T)) -> Fallible<()> {
    if value.is_read_only() {
        return Err(EvalAltResult::ErrorAssignmentToConstant(String::new(), Position::NONE).into());
    }
    if let Some(thawed) = thaw(value) {
        *value = thawed;
    }
    if let Some(mut inner) = value.write_lock::<T>() {
        step(&mut inner);
    }
    Ok(())
}

/// Functions of Rhai's packages, by name and number of further arguments.
const LIST_READERS: &[(&str, usize)] = &[
    ("all", 1),
    ("filter", 1),
    ("find", 1),
    ("find", 2),
    ("find_map", 1),
    ("find_map", 2),
    ("index_of", 1),
    ("index_of", 2),
    ("map", 1),
    ("order", 0),
    ("order", 1),
    ("order_by", 1),
    ("order_desc", 0),
    ("reduce", 1),
    ("reduce", 2),
    ("reduce_rev", 1),
    ("reduce_rev", 2),
    ("some", 1),
    ("zip", 2),
];

const LIST_CHANGERS: &[(&str, usize)] = &[
    ("chop", 1),
    ("clear", 0),
    ("dedup", 0),
    ("dedup", 1),
    ("drain", 1),
    ("drain", 2),
    ("for_each", 1),
    ("insert", 2),
    ("pop", 0),
    ("remove", 1),
    ("retain", 1),
    ("retain", 2),
    ("reverse", 0),
    ("set", 2),
    ("shift", 0),
    ("sort", 0),
    ("sort", 1),
    ("sort_by", 1),
    ("sort_desc", 0),
    ("splice", 2),
    ("splice", 3),
    ("split", 1),
    ("truncate", 1),
];

const MAP_READERS: &[(&str, usize)] = &[("filter", 1), ("map", 1), ("to_json", 0)];

const MAP_CHANGERS: &[(&str, usize)] =
    &[("clear", 0), ("drain", 1), ("remove", 1), ("retain", 1), ("set", 2)];

/// Functions of two lists, or of two maps.
const LISTS: &[(&str, bool)] = &[("==", false), ("!=", false)];
const MAPS: &[(&str, bool)] =
    &[("+", false), ("==", false), ("!=", false), ("+=", true), ("mixin", true), ("fill_with", true)];

fn register_of_rhai(natives: &mut Natives) {
    for (receiver, functions, changes) in [
        (LIST, LIST_READERS, false),
        (LIST, LIST_CHANGERS, true),
        (MAP, MAP_READERS, false),
        (MAP, MAP_CHANGERS, true),
    ] {
        for (name, arguments) in functions {
            let mut types = vec![TypeId::of::<Dynamic>(); arguments + 1];
            types[0] = receiver;
            natives.register_of_rhai(name, &types, changes);
        }
    }
    for (frozen, own, functions) in [(LIST, TypeId::of::<Array>(), LISTS), (MAP, TypeId::of::<Map>(), MAPS)] {
        for (name, changes) in functions {
            for types in [[frozen, frozen], [frozen, own], [own, frozen]] {
                natives.register_of_rhai(name, &types, *changes);
            }
        }
    }
    natives.register_of_rhai("+", &[TypeId::of::<Array>(), LIST], false);
    natives.register_of_rhai("+=", &[TypeId::of::<Array>(), LIST], true);
    natives.register_of_rhai("zip", &[TypeId::of::<Array>(), LIST, TypeId::of::<FnPtr>()], false);
    natives.register_of_rhai("zip", &[LIST, LIST, TypeId::of::<FnPtr>()], false);
    for list in [LIST, TypeId::of::<Array>()] {
        natives.register_of_rhai("splice", &[list, TypeId::of::<i64>(), TypeId::of::<i64>(), LIST], true);
    }
}
