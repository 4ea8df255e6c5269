//! `store`: values that outlive a request, like module-level variables in Flask, for example `store.incr("visits")`.
//!
//! Each operation is atomic. No lock is held while a script runs.

mod json_reader;
pub(crate) mod outside;

pub(crate) use json_reader::JsonReader;

use crate::script::runtime::frozen::{Facts, FrozenList, as_list, as_map, freeze};
use crate::script::runtime::key_value_store::Values;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::{MAX_DEPTH, collect, type_name};
use crate::script::runtime::{budget, call};
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, NativeCallContext};
use std::borrow::Cow;
use std::sync::Arc;

/// Prefix of the keys of scopes.
const SCOPE: &str = "scope:";
/// The smallest text that is greater than all keys of scopes.
const BEHIND_SCOPES: &str = "scope;";

/// The value of `store`, or of one scope: `store.scope("tenant")`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store {
    /// Prefix of the keys. `store` itself has none: all threads clone that value, and cloning a text would write to a shared
    /// counter.
    prefix: Option<ImmutableString>,
}

impl ScriptValue for Store {}

impl Store {
    fn prefix(&self) -> &str {
        self.prefix.as_deref().unwrap_or_default()
    }

    /// Returns the key in the underlying store, with the prefix of the scope.
    pub(crate) fn key<'k>(&self, key: &'k str) -> Cow<'k, str> {
        match &self.prefix {
            None => key.into(),
            Some(prefix) => format!("{prefix}{key}").into(),
        }
    }

    /// Returns the scope `name`, whose keys are separate: `scope:name/key`. A slash in the name is encoded as `%2F`, since the
    /// slash ends the name.
    fn scope(&self, name: &Dynamic) -> Fallible<Store> {
        let name = match name.read_lock::<ImmutableString>() {
            Some(name) => name.replace('%', "%25").replace('/', "%2F"),
            // `store.scope(request.baggage.get("tenant"))` without baggage is `store` itself.
            None if name.is_unit() => return Ok(self.clone()),
            None if name.is_int() => name.as_int().unwrap_or_default().to_string(),
            None => {
                let kind = type_name(name);
                return Err(format!("store.scope takes a text, not {kind}").into());
            }
        };
        Ok(Store { prefix: Some(format!("{}{SCOPE}{name}/", self.prefix()).into()) })
    }

    /// Iterates over the store's keys that start with `prefix`, and their values. Leaves out the keys of its scopes. The time
    /// depends only on the number of results.
    fn pairs<'v>(
        &'v self,
        values: &'v Values,
        prefix: &str,
    ) -> impl Iterator<Item = (&'v ImmutableString, &'v Arc<Dynamic>)> + use<'v> {
        let start = self.key(prefix).into_owned();
        let (scopes, behind_scopes) = (self.key(SCOPE).into_owned(), self.key(BEHIND_SCOPES));
        let before = values.starting_at(&start).take_while(move |(key, _)| ***key < *scopes);
        let behind = values.starting_at(start.as_str().max(&behind_scopes));
        before.chain(behind).take_while(move |(key, _)| key.starts_with(&*start))
    }

    /// Returns the store's keys that start with `prefix`, without the prefix of the scope.
    fn keys(&self, prefix: &str) -> Fallible<Array> {
        let keys: Vec<ImmutableString> =
            with(Access::Read, |values| self.pairs(values, prefix).map(|(key, _)| key.clone()).collect())?;
        collect("store.keys", keys.into_iter().map(|key| self.without_prefix(key).into()))
    }

    fn without_prefix(&self, key: ImmutableString) -> ImmutableString {
        match &self.prefix {
            None => key,
            Some(prefix) => key[prefix.len()..].into(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Access {
    Read,
    /// Reads and changes. With `--keep-store`, and in an overlay, a script can't change values while it is loaded: the provision that serves uses the
    /// same values, and a load that fails must not have changed them.
    Change,
}

/// Runs `step` with the values of the store of the running call, as one atomic step.
///
/// A request that began before a reset gets a store of its own, which is empty at first. So it leaves nothing behind after the
/// reset.
pub(crate) fn with<T>(access: Access, step: impl FnOnce(&mut Values) -> T) -> Fallible<T> {
    let files = call::files()?;
    let (loading, epoch) =
        call::with(|call| (call.loading.is_some(), call.request.as_ref().map(|request| request.epoch)))
            .unwrap_or_default();
    if access == Access::Change && loading && files.keeps_values {
        return Err("with --keep-store, `store` can be changed only while a request is handled".into());
    }
    if access == Access::Change && loading && files.shares_values {
        let instead = "change it while a request is handled, or with PUT /app/v1/store/KEY";
        return Err(format!("an overlay shares `store` with the active provision: {instead}").into());
    }
    let values = call::with(|call| call.conditions.values.clone()).flatten();
    let values = values.as_ref().unwrap_or(&files.values);
    if let Some(mut values) = values.lock(epoch) {
        return Ok(step(&mut values));
    }
    let new = || Arc::new(values.other());
    let own = call::with(|call| call.own_values.get_or_insert_with(new).clone()).unwrap_or_else(new);
    let mut values = own.lock(None).ok_or("`store` was reset")?;
    Ok(step(&mut values))
}

/// Freezes a value that will outlive its request.
///
/// # Errors
/// The value contains something other than data, such as a function or a response. Or it is nested so deep that freeing it could
/// overflow the stack of a thread.
fn plain(key: &str, value: Dynamic) -> Fallible<Dynamic> {
    plain_inside(key, value, 0)
}

/// Freezes a value as [`plain`] does. The value will be an item inside of `levels` lists.
fn plain_inside(key: &str, value: Dynamic, levels: usize) -> Fallible<Dynamic> {
    let value = freeze(value);
    let facts = Facts::of(&value);
    if facts.is_plain && facts.depth as usize + levels <= MAX_DEPTH {
        return Ok(value);
    }
    if facts.is_plain {
        return Err(format!(
            "store: `{key}` can hold lists and maps that are nested {MAX_DEPTH} deep, not deeper"
        )
        .into());
    }
    Err(format!(
        "store: `{key}` can hold text, numbers, booleans, lists, maps and blobs, not {}",
        type_name(&value)
    )
    .into())
}

/// Returns the value of `key`, or `None` where it is not set. An error would get lost in `store["n"] += 1`: Rhai treats a getter
/// that fails like a missing getter, and stores the 1.
fn get(store: &Store, key: &str) -> Fallible<Option<Dynamic>> {
    with(Access::Read, |values| values.look(&store.key(key)).0)
}

/// Builds the error for `store["n"] += 1` where the key is not set.
fn no_value(operator: &str) -> Box<EvalAltResult> {
    format!("the left side of `{operator}` is (), which is nothing: a counter is `store.incr(key)`, another value needs a start").into()
}

fn set(store: &mut Store, key: &str, value: Dynamic) -> Fallible<()> {
    let value = plain(key, value)?;
    with(Access::Change, |values| values.set(&store.key(key), value))??;
    Ok(())
}

fn incr(store: &Store, key: &str, by: i64) -> Fallible<i64> {
    Ok(with(Access::Change, |values| values.incr(&store.key(key), by))??)
}

fn append(store: &mut Store, key: &str, item: Dynamic) -> Fallible<i64> {
    let item = plain_inside(key, item, 1)?;
    Ok(with(Access::Change, |values| values.append(&store.key(key), item))??)
}

/// Removes `key` and returns its value.
fn remove(store: &Store, key: &str) -> Fallible<Option<Dynamic>> {
    Ok(with(Access::Change, |values| values.remove(&store.key(key)))?.map(Arc::unwrap_or_clone))
}

/// `store.items()`: returns pairs `[key, value]` from one moment.
fn items(store: &mut Store) -> Fallible<Array> {
    let pairs: Vec<(ImmutableString, Dynamic)> = with(Access::Read, |values| {
        store.pairs(values, "").map(|(key, value)| (key.clone(), (**value).clone())).collect()
    })?;
    let pair = |(key, value)| Dynamic::from_array(vec![store.without_prefix(key).into(), value]);
    collect("store.items", pairs.into_iter().map(pair))
}

/// `store.slice(key, start, end)`: returns the same items as Python's `[start:end]`, or none where the list is missing.
fn slice(store: &mut Store, key: &str, start: i64, end: i64) -> Fallible<Array> {
    let Some(value) = get(store, key)? else { return Ok(Array::new()) };
    let Some(list) = value.read_lock::<FrozenList>() else {
        return Err(format!("store.slice: `{key}` holds {}, not a list", type_name(&value)).into());
    };
    let place = |index: i64| {
        let size = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
        if index < 0 { list.len().saturating_sub(size) } else { size.min(list.len()) }
    };
    Ok(list.slice(place(start)..place(end)))
}

/// `store.len(key)`: returns the number of items of a list or map, or 0 where it is missing.
fn len(store: &mut Store, key: &str) -> Fallible<i64> {
    let value = get(store, key)?.unwrap_or_default();
    let list = as_list(&value).map(|list| list.len());
    match list.or_else(|| as_map(&value).map(|map| map.len())) {
        Some(length) => Ok(i64::try_from(length).unwrap_or(i64::MAX)),
        None if value.is_unit() => Ok(0),
        None => Err(format!("store.len: `{key}` holds {}, not a list or map", type_name(&value)).into()),
    }
}

/// `store.update(key, |value| new)`: calls the function with the current value and stores the result. Where another thread
/// changed the value meanwhile, the function runs again, until the time budget of the call is used up.
fn update(
    context: &NativeCallContext,
    (store, key): (&Store, &str),
    start: Dynamic,
    change: &FnPtr,
) -> Fallible<Dynamic> {
    let whole = store.key(key);
    loop {
        let (value, version) = with(Access::Change, |values| values.look(&whole))?;
        let old = value.unwrap_or_else(|| start.clone());
        let new = plain(key, change.call_within_context(context, (old,))?)?;
        if with(Access::Change, |values| values.set_if(&whole, new.clone(), version))??.is_ok() {
            return Ok(new);
        }
        if budget::time_is_up() {
            return Err(format!("store.update: `{key}` changed whenever it was tried").into());
        }
    }
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_handle("store", Store::default())
        .register_indexer_get(|store: &mut Store, key: &str| get(store, key).map(Option::unwrap_or_default))
        .register_indexer_set_of_constant(set)
        .register_fn("set", set)
        .register_fn("get", |store: &mut Store, key: &str| {
            // Read-only: a change of the returned value would not be stored.
            get(store, key).map(|value| value.unwrap_or_default().into_read_only())
        })
        .register_fn("get", |store: &mut Store, key: &str, default: Dynamic| {
            get(store, key).map(|value| value.map_or(default, Dynamic::into_read_only))
        })
        .register_fn("incr", |store: &mut Store, key: &str| incr(store, key, 1))
        .register_fn("incr", |store: &mut Store, key: &str, by: i64| incr(store, key, by))
        .register_fn("update", |context: NativeCallContext, store: &mut Store, key: &str, change: FnPtr| {
            update(&context, (store, key), Dynamic::UNIT, &change)
        })
        .register_fn(
            "update",
            |context: NativeCallContext, store: &mut Store, key: &str, start: Dynamic, change: FnPtr| {
                update(&context, (store, key), start, &change)
            },
        );
    for operator in ["+=", "-=", "*="] {
        natives
            .register_fn(operator, move |_: &mut (), _: Dynamic| -> Fallible<()> { Err(no_value(operator)) });
    }
    register_keys(natives);
    register_dictionary(natives);
}

/// Registers the methods of Python's dictionaries and lists.
fn register_dictionary(natives: &mut Natives) {
    natives
        .register_fn("items", items)
        .register_fn("values", |store: &mut Store| {
            with(Access::Read, |values| {
                collect("store.values", store.pairs(values, "").map(|(_, value)| (**value).clone()))
            })?
        })
        .register_fn("pop", |store: &mut Store, key: &str| -> Fallible<Dynamic> {
            remove(store, key)?.ok_or_else(|| {
                let shown = beginning(key, 80);
                format!("store.pop: no key `{shown}`: `pop(key, default)` gives a default").into()
            })
        })
        .register_fn("pop", |store: &mut Store, key: &str, default: Dynamic| {
            remove(store, key).map(|value| value.unwrap_or(default))
        })
        .register_fn("setdefault", |store: &mut Store, key: &str, default: Dynamic| -> Fallible<Dynamic> {
            let default = plain(key, default)?;
            let value = with(Access::Change, |values| values.set_default(&store.key(key), default))??;
            Ok(value.into_read_only())
        })
        .register_fn("append", append)
        .register_optional("slice", i64::MAX, slice)
        .register_fn("len", len);
}

fn register_keys(natives: &mut Natives) {
    natives
        .register_fn("scope", |store: &mut Store, name: Dynamic| store.scope(&name))
        .register_fn("remove", |store: &mut Store, key: &str| {
            remove(store, key).map(Option::unwrap_or_default)
        })
        .register_fn("contains", |store: &mut Store, key: &str| {
            with(Access::Read, |values| values.contains(&store.key(key)))
        })
        .register_optional("keys", "", |store: &mut Store, prefix: &str| store.keys(prefix))
        .register_fn("len", |store: &mut Store| {
            with(Access::Read, |values| i64::try_from(store.pairs(values, "").count()).unwrap_or(i64::MAX))
        })
        .register_fn("bool", |store: &mut Store| {
            with(Access::Read, |values| store.pairs(values, "").next().is_some())
        })
        .register_fn("clear", |store: &mut Store| {
            with(Access::Change, |values| values.clear(store.prefix())).map(drop)
        });
}

#[cfg(test)]
mod tests;
