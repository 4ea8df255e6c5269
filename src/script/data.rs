//! `store`: values that live from request to request, as module-level variables do in Flask. Each operation is one step for
//! all threads; no lock is held while a script runs.

use super::{budget, call};
use crate::script::natives::Natives;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, NativeCallContext};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Fallible<T> = Result<T, Box<EvalAltResult>>;

/// The values of one provision.
#[derive(Debug, Default)]
pub struct Data {
    entries: Mutex<BTreeMap<ImmutableString, Entry>>,
    /// Numbers the writes: a key that was removed and set again has another version than before.
    writes: AtomicU64,
}

#[derive(Debug, Clone)]
struct Entry {
    value: Dynamic,
    /// Number of the write, so that `update` sees whether somebody else was faster.
    version: u64,
}

/// `store`, as scripts see it.
#[derive(Debug, Clone)]
pub struct Store;

impl Data {
    fn open(&self) -> MutexGuard<'_, BTreeMap<ImmutableString, Entry>> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy of the value of `key`, with its version; nothing and version 0 where there is none.
    fn look(&self, key: &str) -> (Option<Dynamic>, u64) {
        match self.open().get(key) {
            Some(entry) => (Some(entry.value.clone()), entry.version),
            None => (None, 0),
        }
    }

    fn entry(&self, value: Dynamic) -> Entry {
        Entry { value, version: self.writes.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    fn set(&self, key: &str, value: Dynamic) {
        let entry = self.entry(value);
        self.open().insert(key.into(), entry);
    }

    /// Sets `key` unless it changed since `version`; tells whether it did set.
    fn set_if(&self, key: &str, value: Dynamic, version: u64) -> bool {
        let mut entries = self.open();
        let same = entries.get(key).map_or(0, |entry| entry.version) == version;
        if same {
            entries.insert(key.into(), self.entry(value));
        }
        same
    }

    fn incr(&self, key: &str, by: i64) -> Fallible<i64> {
        let mut entries = self.open();
        let value = entries.get(key).map_or(Dynamic::from_int(0), |entry| entry.value.clone());
        let now =
            value.as_int().map_err(|kind| format!("store.incr: `{key}` holds {kind}, not an integer"))?;
        let next =
            now.checked_add(by).ok_or_else(|| format!("store.incr: `{key}` would leave the integers"))?;
        entries.insert(key.into(), self.entry(Dynamic::from_int(next)));
        Ok(next)
    }
}

fn data() -> Fallible<Arc<Data>> {
    Ok(call::files()?.data.clone())
}

/// A value fit to outlive its request: plain data, detached from closures that share it. A function would outlive its provision.
fn plain(key: &str, value: Dynamic) -> Fallible<Dynamic> {
    let value = value.flatten();
    if is_plain(&value) {
        return Ok(value);
    }
    Err(format!(
        "store: `{key}` can hold text, numbers, booleans, lists, maps and blobs, not {}",
        super::answer::type_name(&value)
    )
    .into())
}

fn is_plain(value: &Dynamic) -> bool {
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().all(is_plain);
    }
    if let Some(map) = value.read_lock::<rhai::Map>() {
        return map.values().all(is_plain);
    }
    value.is_unit()
        || value.is_bool()
        || value.is_int()
        || value.is_float()
        || value.is_string()
        || value.is_char()
        || value.is_blob()
}

/// Nothing for a key that is not set, as Rhai's maps have it. An error would be lost in `store["n"] += 1`: Rhai takes a getter
/// that fails for one that is missing, and stores the 1.
fn get(key: &str) -> Fallible<Dynamic> {
    Ok(data()?.look(key).0.unwrap_or_default())
}

/// `+=` on a value that is nothing, as of a key that is not set.
fn no_value(operator: &str) -> Box<EvalAltResult> {
    format!("the left side of `{operator}` is (), which is nothing: a counter is `store.incr(key)`, another value needs a start").into()
}

/// The values, to change them. At load that waits until the provision serves where they outlive it (`--keep-store`): a load
/// that fails must not have changed what others see.
fn data_to_change() -> Fallible<Arc<Data>> {
    let files = call::files()?;
    let loading = call::with(|call| call.loading.is_some()).unwrap_or(false);
    if loading && files.keeps_data {
        return Err("with --keep-store, `store` can be changed only while a request is handled".into());
    }
    Ok(files.data.clone())
}

fn set(key: &str, value: Dynamic) -> Fallible<()> {
    data_to_change()?.set(key, plain(key, value)?);
    Ok(())
}

/// `store.update(key, |value| new)`: runs the function on what is there and stores what it returns; again if somebody else
/// stored meanwhile, until the time of the call is up.
fn update(context: &NativeCallContext, key: &str, start: Dynamic, change: &FnPtr) -> Fallible<Dynamic> {
    let data = data_to_change()?;
    loop {
        let (value, version) = data.look(key);
        let old = value.unwrap_or_else(|| start.clone());
        let new = plain(key, change.call_within_context(context, (old,))?)?;
        if data.set_if(key, new.clone(), version) {
            return Ok(new);
        }
        if budget::time_is_up() {
            return Err(format!("store.update: `{key}` changed whenever it was tried").into());
        }
    }
}

/// Registers `store`.
pub fn register(natives: &mut Natives) {
    natives.set_var("store", Store);
    natives
        .register_type_with_name::<Store>("store")
        .register_indexer_get(|_: &mut Store, key: &str| get(key))
        .register_indexer_set(|_: &mut Store, key: &str, value: Dynamic| set(key, value))
        .register_fn("set", |_: &mut Store, key: &str, value: Dynamic| set(key, value))
        .register_fn("get", |_: &mut Store, key: &str| get(key))
        .register_fn("get", |_: &mut Store, key: &str, default: Dynamic| {
            Ok::<_, Box<EvalAltResult>>(data()?.look(key).0.unwrap_or(default))
        })
        .register_fn("incr", |_: &mut Store, key: &str| data_to_change()?.incr(key, 1))
        .register_fn("incr", |_: &mut Store, key: &str, by: i64| data_to_change()?.incr(key, by))
        .register_fn("update", |context: NativeCallContext, _: &mut Store, key: &str, change: FnPtr| {
            update(&context, key, Dynamic::UNIT, &change)
        })
        .register_fn(
            "update",
            |context: NativeCallContext, _: &mut Store, key: &str, start: Dynamic, change: FnPtr| {
                update(&context, key, start, &change)
            },
        );
    for operator in ["+=", "-=", "*="] {
        natives
            .register_fn(operator, move |_: &mut (), _: Dynamic| -> Fallible<()> { Err(no_value(operator)) });
    }
    whole(natives);
}

fn whole(natives: &mut Natives) {
    natives
        .register_fn("remove", |_: &mut Store, key: &str| {
            let removed = data_to_change()?.open().remove(key);
            Ok::<_, Box<EvalAltResult>>(removed.map_or(Dynamic::UNIT, |entry| entry.value))
        })
        .register_fn("contains", |_: &mut Store, key: &str| {
            Ok::<_, Box<EvalAltResult>>(data()?.open().contains_key(key))
        })
        .register_fn("keys", |_: &mut Store| {
            Ok::<_, Box<EvalAltResult>>(
                data()?.open().keys().map(|key| key.clone().into()).collect::<Array>(),
            )
        })
        .register_fn("len", |_: &mut Store| {
            Ok::<_, Box<EvalAltResult>>(i64::try_from(data()?.open().len()).unwrap_or(i64::MAX))
        })
        .register_fn("clear", |_: &mut Store| {
            data_to_change()?.open().clear();
            Ok::<_, Box<EvalAltResult>>(())
        });
}
