//! The values behind `store`: one lock for all, held for one step only and never while a script runs. Knows no scripts.
//!
//! What a step replaces or removes is its result, so that the caller frees it after the lock is open again: a long list has many
//! blocks to free.

use super::frozen::FrozenList;
use super::size_limits::{MAX_ITEMS, type_name};
use crate::system::lock::lock;
use rhai::{Dynamic, ImmutableString};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Mutex, MutexGuard};

/// The values of one provision.
#[derive(Debug, Default)]
pub struct KeyValueStore(Mutex<Values>);

/// The values while nobody else has them.
#[derive(Debug, Default)]
pub struct Values {
    entries: Entries,
    /// What `registerRules()` has set: what a reset goes back to.
    loaded: Entries,
    /// The epoch that the entries belong to.
    epoch: u64,
    /// Numbers the writes: a key that was removed and set again has another version than before.
    writes: u64,
}

type Entries = BTreeMap<ImmutableString, Entry>;

#[derive(Debug, Clone)]
struct Entry {
    value: Dynamic,
    /// Number of the write, so that `update` sees whether somebody else was faster.
    version: u64,
}

impl KeyValueStore {
    /// The values as a request of `epoch` sees them; none where they were reset since it began. The first one of a new epoch
    /// finds them reset. Without an epoch, as they are.
    pub fn lock(&self, epoch: Option<u64>) -> Option<MutexGuard<'_, Values>> {
        loop {
            let mut values = lock(&self.0);
            match epoch {
                Some(epoch) if epoch < values.epoch => return None,
                Some(epoch) if epoch > values.epoch => {
                    let old = values.reset(epoch);
                    drop(values);
                    drop(old);
                }
                _ => return Some(values),
            }
        }
    }

    /// Lets what is there be what a reset goes back to.
    pub fn keep_loaded(&self) {
        if let Some(mut values) = self.lock(None) {
            values.loaded = values.entries.clone();
        }
    }
}

impl Values {
    /// Gives what was there.
    fn reset(&mut self, epoch: u64) -> Entries {
        self.epoch = epoch;
        std::mem::replace(&mut self.entries, self.loaded.clone())
    }

    /// A copy of the value of `key`, with its version; nothing and version 0 where there is none.
    pub fn look(&self, key: &str) -> (Option<Dynamic>, u64) {
        match self.entries.get(key) {
            Some(entry) => (Some(entry.value.clone()), entry.version),
            None => (None, 0),
        }
    }

    /// Sets `key`; gives what was there.
    pub fn set(&mut self, key: &str, value: Dynamic) -> Option<Dynamic> {
        self.writes += 1;
        let entry = Entry { value, version: self.writes };
        let old = match self.entries.get_mut(key) {
            Some(known) => Some(std::mem::replace(known, entry)),
            None => self.entries.insert(key.into(), entry),
        };
        old.map(|entry| entry.value)
    }

    /// Sets `key` unless it changed since `version`; gives what was there.
    ///
    /// # Errors
    /// It did change: `value`, back.
    pub fn set_if(&mut self, key: &str, value: Dynamic, version: u64) -> Result<Option<Dynamic>, Dynamic> {
        let current = self.entries.get(key).map_or(0, |entry| entry.version);
        if current == version { Ok(self.set(key, value)) } else { Err(value) }
    }

    /// Adds `by` to an integer, which is 0 where there is none; gives the sum.
    ///
    /// # Errors
    /// Something else is there, or the sum is no integer of 64 bits.
    pub fn incr(&mut self, key: &str, by: i64) -> Result<i64, String> {
        let value = self.look(key).0.unwrap_or(Dynamic::from_int(0));
        let now =
            value.as_int().map_err(|kind| format!("store.incr: `{key}` holds {kind}, not an integer"))?;
        let next =
            now.checked_add(by).ok_or_else(|| format!("store.incr: `{key}` would leave the integers"))?;
        self.set(key, Dynamic::from_int(next));
        Ok(next)
    }

    /// Sets `key` to `default` unless it is set; gives what is there then.
    pub fn set_default(&mut self, key: &str, default: Dynamic) -> Dynamic {
        if let Some(entry) = self.entries.get(key) {
            return entry.value.clone();
        }
        self.set(key, default.clone());
        default
    }

    /// Appends `item` to a list, which is empty where there is none; gives its length.
    ///
    /// # Errors
    /// Something else is there, or the list is full.
    pub fn append(&mut self, key: &str, item: Dynamic) -> Result<i64, String> {
        if !self.entries.contains_key(key) {
            self.set(key, Dynamic::from(FrozenList::new(Vec::new())));
        }
        self.writes += 1;
        let entry = self.entries.get_mut(key).ok_or("store.append: the list is gone")?;
        let Some(mut list) = entry.value.write_lock::<FrozenList>() else {
            return Err(format!("store.append: `{key}` holds {}, not a list", type_name(&entry.value)));
        };
        if list.len() >= MAX_ITEMS {
            return Err(format!("store.append: `{key}` has {MAX_ITEMS} items, which is the most"));
        }
        list.push(item);
        let length = list.len();
        drop(list);
        entry.version = self.writes;
        Ok(i64::try_from(length).unwrap_or(i64::MAX))
    }

    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub fn remove(&mut self, key: &str) -> Option<Dynamic> {
        self.entries.remove(key).map(|entry| entry.value)
    }

    /// Keys that start with `prefix`, and their values, in order.
    pub fn under(&self, prefix: &str) -> impl Iterator<Item = (&ImmutableString, &Dynamic)> {
        self.starting_at(prefix).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Keys from `start` on, and their values, in order.
    pub fn starting_at<'v>(
        &'v self,
        start: &str,
    ) -> impl Iterator<Item = (&'v ImmutableString, &'v Dynamic)> + use<'v> {
        let from = self.entries.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        from.map(|(key, entry)| (key, &entry.value))
    }

    /// Removes all keys that start with `prefix`; gives what they had.
    pub fn clear(&mut self, prefix: &str) -> Vec<Dynamic> {
        let keys: Vec<ImmutableString> = self.under(prefix).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(store: &KeyValueStore, epoch: u64) -> MutexGuard<'_, Values> {
        store.lock(Some(epoch)).unwrap()
    }

    #[test]
    fn a_new_epoch_goes_back_to_what_was_loaded_and_the_old_one_sees_nothing() {
        let store = KeyValueStore::default();
        store.lock(None).unwrap().set("loaded", 1.into());
        store.keep_loaded();
        locked(&store, 0).set("loaded", 2.into());
        locked(&store, 0).set("later", 3.into());
        assert_eq!(locked(&store, 0).under("").count(), 2);
        assert_eq!(locked(&store, 4).look("loaded").0.unwrap().as_int(), Ok(1));
        assert!(!locked(&store, 4).contains("later"));
        assert!(store.lock(Some(3)).is_none());
        assert!(store.lock(None).is_some());
    }

    #[test]
    fn keys_are_found_and_cleared_by_their_start() {
        let store = KeyValueStore::default();
        let mut values = locked(&store, 0);
        for key in ["a", "a/1", "a/2", "ab", "b"] {
            assert!(values.set(key, Dynamic::UNIT).is_none());
        }
        let keys = |values: &Values, prefix: &str| {
            values.under(prefix).map(|(key, _)| key.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(keys(&values, "a/"), ["a/1", "a/2"]);
        assert_eq!(keys(&values, "c"), [""; 0]);
        assert_eq!(values.clear("a/").len(), 2);
        assert_eq!(keys(&values, ""), ["a", "ab", "b"]);
        assert_eq!(values.clear("").len(), 3);
    }

    #[test]
    fn a_version_is_never_the_one_before() {
        let store = KeyValueStore::default();
        let mut values = locked(&store, 0);
        assert!(values.set_if("k", 1.into(), 0).is_ok());
        let (_, version) = values.look("k");
        values.remove("k");
        assert!(values.set_if("k", 2.into(), version).is_err());
        values.set("k", 1.into());
        assert!(values.set_if("k", 2.into(), version).is_err());
    }
}
