//! Natives with the name of a key in place of Python's function: `sorted(l, "price")`, `sum(l, "n")`, `group_by`, `where`,
//! `pluck`. A closure would cost a call for each item, ten times the work.

use super::order::{compare, equal};
use super::{place_of_extreme, sum};
use crate::script::python::unknown_option;
use crate::script::runtime::budget::{self, STEP};
use crate::script::runtime::frozen::{FrozenList, FrozenMap, Items, ListRef, as_list, as_map};
use crate::script::runtime::json::python_float;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{full_text, sort_by, type_name};
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};
use std::any::TypeId;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Both types of lists. Natives that are registered for both borrow the list, so a script's variable is not copied.
const LISTS: [TypeId; 2] = [TypeId::of::<Array>(), TypeId::of::<FrozenList>()];

/// Returns the value of `key` in each item of `list`. An item without the key is an error, as in Python.
fn values(name: &str, list: &Dynamic, key: &str) -> Fallible<Array> {
    as_list(list).map_or_else(|| Ok(Array::new()), |list| values_of(name, list.iter(), key))
}

fn values_of(name: &str, items: Items, key: &str) -> Fallible<Array> {
    let value = |(index, item): (usize, &Dynamic)| {
        let Some(map) = as_map(item) else {
            return Err(format!("{name}: item {index} is no map but `{}`", type_name(item)).into());
        };
        budget::work(key.len())?;
        map.get(key)
            .cloned()
            .ok_or_else(|| format!("{name}: item {index} has no key `{}`", beginning(key, 80)).into())
    };
    items.enumerate().map(value).collect()
}

/// The options of `sorted`.
#[derive(Default)]
struct SortOptions {
    key: Dynamic,
    reverse: bool,
}

impl SortOptions {
    fn new(options: &Map) -> Fallible<Self> {
        let mut parsed = SortOptions::default();
        for (name, value) in options {
            match name.as_str() {
                "key" if value.is_string() || value.is_fnptr() || value.is_unit() => {
                    parsed.key = value.clone();
                }
                "key" => {
                    return Err(
                        format!("sorted: `key` is a name or a function, not `{}`", type_name(value)).into()
                    );
                }
                "reverse" => {
                    parsed.reverse = value
                        .as_bool()
                        .map_err(|found| format!("sorted: `reverse` is true or false, not `{found}`"))?;
                }
                other => return Err(unknown_option("sorted", other, &["key", "reverse"])),
            }
        }
        Ok(parsed)
    }

    /// Returns the sort key of each item.
    fn keys(&self, context: &NativeCallContext, list: &Array) -> Fallible<Array> {
        if let Ok(key) = self.key.as_immutable_string_ref() {
            return values_of("sorted", Items::of(list), &key);
        }
        match self.key.clone().try_cast::<FnPtr>() {
            Some(key) => list.iter().map(|item| key.call_within_context(context, (item.clone(),))).collect(),
            None => Ok(list.clone()),
        }
    }

    /// Returns a sorted copy of the list. Items with the same key keep their order, even in reverse.
    fn sort(&self, context: &NativeCallContext, list: Array) -> Fallible<Array> {
        let keys = self.keys(context, &list)?;
        let mut keyed: Vec<(Dynamic, Dynamic)> = keys.into_iter().zip(list).collect();
        sort_by(&mut keyed, |left, right| {
            let ordering = compare("sorted", &left.0, &right.0)?;
            Ok(if self.reverse { ordering.reverse() } else { ordering })
        })?;
        Ok(keyed.into_iter().map(|(_, item)| item).collect())
    }
}

/// Returns a map from each value of `key` to a list of its items, in the order in which the values first occur.
fn group_by(list: &Dynamic, key: &str) -> Fallible<FrozenMap> {
    let Some(list) = as_list(list) else { return Ok(FrozenMap::new(Vec::new())) };
    let mut groups: Vec<(ImmutableString, Array)> = Vec::new();
    let mut places: HashMap<ImmutableString, usize> = HashMap::new();
    for (value, item) in values_of("group_by", list.iter(), key)?.into_iter().zip(list.iter()) {
        let name = group_name(value)?;
        budget::work(name.len())?;
        let place = *places.entry(name).or_insert_with_key(|name| {
            groups.push((name.clone(), Array::new()));
            groups.len() - 1
        });
        groups[place].1.push(item.clone());
    }
    let frozen = |(name, items)| (name, Dynamic::from(FrozenList::new(items)));
    Ok(FrozenMap::new(groups.into_iter().map(frozen).collect()))
}

/// Converts a value to the key of a map, in the same way as `json.dumps`.
fn group_name(value: Dynamic) -> Fallible<ImmutableString> {
    if value.is_string() {
        return Ok(value.into_immutable_string()?);
    }
    if let Ok(number) = value.as_float() {
        return Ok(python_float(number).into());
    }
    match value {
        _ if value.is_int() || value.is_bool() || value.is_char() => {
            Ok(full_text("group_by", &value)?.into())
        }
        _ if value.is_unit() => Ok("null".into()),
        _ => Err(format!(
            "group_by: a value of type `{}` can't be a key: group by text, numbers or booleans",
            type_name(&value)
        )
        .into()),
    }
}

/// Returns the items that have all `wanted` values. A missing key counts as `()`.
fn filtered(list: &Dynamic, wanted: &Map) -> Fallible<Array> {
    let (list, mut found) = (as_list(list), Array::new());
    for (index, item) in list.iter().flat_map(ListRef::iter).enumerate() {
        let Some(map) = as_map(item) else {
            return Err(format!("where: item {index} is no map but `{}`", type_name(item)).into());
        };
        budget::work(STEP)?;
        let fits = wanted.iter().all(|(key, value)| match map.get(key) {
            _ if budget::work(key.len()).is_err() => false,
            Some(present) => equal(present, value),
            None => value.is_unit(),
        });
        if fits {
            found.push(item.clone());
        }
    }
    Ok(found)
}

fn register_sorted(natives: &mut Natives) {
    type Context<'a> = NativeCallContext<'a>;
    natives.register_optional("sorted", false, |context: Context, list: Array, key: FnPtr, reverse: bool| {
        SortOptions { key: key.into(), reverse }.sort(&context, list)
    });
    natives.register_optional(
        "sorted",
        false,
        |context: Context, list: Array, key: ImmutableString, reverse: bool| {
            SortOptions { key: key.into(), reverse }.sort(&context, list)
        },
    );
    natives.register_fn("sorted", |context: Context, list: Array, options: Map| {
        SortOptions::new(&options)?.sort(&context, list)
    });
}

pub(super) fn register(natives: &mut Natives) {
    register_sorted(natives);
    natives.in_common(&LISTS, |natives| {
        natives.register_fn("pluck", |list: &mut Dynamic, key: &str| values("pluck", list, key));
        natives.register_fn("group_by", |list: &mut Dynamic, key: &str| group_by(list, key));
        natives.register_fn("where", |list: &mut Dynamic, wanted: Map| filtered(list, &wanted));
        natives.register_fn("sum", |list: &mut Dynamic, key: &str| sum(&values("sum", list, key)?));
        for (name, wanted) in [("min", Ordering::Less), ("max", Ordering::Greater)] {
            natives.register_fn(name, move |list: &mut Dynamic, key: &str| -> Fallible<Dynamic> {
                let place = place_of_extreme(name, &values(name, list, key)?, wanted)?;
                Ok(as_list(list).and_then(|list| list.get(place).cloned()).unwrap_or_default())
            });
        }
    });
}

#[cfg(test)]
mod tests;
