//! Natives of frozen lists and maps. Reading copies nothing, Rhai's other functions get a copy, and a change thaws the value.

use super::{FrozenList, FrozenMap, thaw};
use crate::script::runtime::natives::{Fallible, Natives, getter};
use crate::script::runtime::same::same;
use rhai::{
    AST, ASTNode, Array, Dynamic, EvalAltResult, Expr, FnPtr, ImmutableString, Map, Module, Position,
};
use std::any::TypeId;
use std::collections::HashSet;

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

/// Registers the natives that add items at the end. They cost as much as the added items, also for a list that grows in a loop
/// or from request to request.
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
    // Without these natives, `append` of Rhai's lists would be called. It would append the list as an item, but thawed.
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

/// Returns the place of `index`, which counts from the end where it is negative.
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
            let at = {
                let Some(items) = list.read_lock::<FrozenList>() else { return Ok(()) };
                let at = place(&items, index).ok_or_else(|| out_of_bounds(&items, index))?;
                if items.get(at).is_some_and(|item| same(item, &value)) {
                    return Ok(());
                }
                at
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

/// Thaws the value of a variable and changes it.
///
/// # Errors
/// The variable is a constant, or the value of a property or of `store`.
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

/// Functions of Rhai's packages: the number of arguments beside the list or map, and the names.
type Functions = &'static [(usize, &'static str)];

const LIST_READERS: Functions = &[
    (0, "order order_desc"),
    (1, "all filter find find_map index_of map order order_by reduce reduce_rev some"),
    (2, "find find_map index_of reduce reduce_rev zip"),
];

const LIST_CHANGERS: Functions = &[
    (0, "clear dedup pop reverse shift sort sort_desc"),
    (1, "chop dedup drain for_each remove retain sort sort_by split truncate"),
    (2, "drain insert retain set splice"),
    (3, "splice"),
];

const MAP_READERS: Functions = &[(0, "to_json"), (1, "filter map")];

const MAP_CHANGERS: Functions = &[(0, "clear"), (1, "drain remove retain"), (2, "set")];

/// Functions of two lists, or of two maps: the name, and whether the function changes the first one.
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
        for (arguments, names) in functions {
            let mut types = vec![TypeId::of::<Dynamic>(); arguments + 1];
            types[0] = receiver;
            names.split(' ').for_each(|name| natives.register_of_rhai(name, &types, changes));
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

/// Returns a module with a getter of frozen maps for each property in `ast`; `None` where `ast` has no property.
///
/// Without a getter, Rhai writes the text of an error at each `item.name` before it tries the index: 3,500 instructions. The
/// getters belong to the file, so the engine does not need the names of all scripts.
pub(crate) fn getters(ast: &AST) -> Option<Module> {
    let mut names: HashSet<ImmutableString> = HashSet::new();
    ast.walk(&mut |path: &[ASTNode]| {
        if let Some(ASTNode::Expr(Expr::Property(property, _))) = path.last() {
            names.insert(property.2.clone());
        }
        true
    });
    let mut module = Module::new();
    for name in &names {
        let key = name.clone();
        getter(&mut module, name, move |map: &mut FrozenMap| -> Fallible<Dynamic> {
            Ok(map.get(&key).cloned().unwrap_or_default())
        });
    }
    (!names.is_empty()).then_some(module)
}
