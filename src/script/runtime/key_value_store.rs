//! The values of `store`, behind one lock. The lock is held for one operation and never while a script runs.
//!
//! An operation returns the values that it replaces or removes, so that the caller frees them after it has released the lock:
//! a long list has many blocks to free.

mod watches;

pub(crate) use watches::{Awaited, Locked, Value, Watch, Watched, nothing};

use super::allocator;
use super::frozen::{Facts, FrozenList};
use super::size_limits::{MAX_ITEMS, type_name};
use crate::system::lock::lock;
use crate::system::truncate::beginning;
use rhai::{Dynamic, EvalAltResult, ImmutableString};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, Mutex};
use watches::Watches;

/// The values of `store` of one provision.
#[derive(Debug)]
pub struct KeyValueStore {
    values: Mutex<Values>,
    /// Maximum size of the values in bytes.
    most: usize,
}

/// The values, accessible while the lock is held.
#[derive(Debug)]
pub struct Values {
    entries: Entries,
    /// Size of the entries in bytes, by [`Facts`].
    bytes: usize,
    /// Largest value of `bytes` since memory was last returned to the system.
    highest: usize,
    most: usize,
    /// The entries after `registerRules()`, and their size: a reset restores them.
    loaded: (Entries, usize),
    /// The epoch that the entries belong to.
    epoch: u64,
    /// Number of writes, which gives each entry its version. A key that is removed and set again gets a new version.
    writes: u64,
    /// The waits for keys that are not set.
    watches: Watches,
}

type Entries = BTreeMap<ImmutableString, Entry>;

#[derive(Debug, Clone)]
struct Entry {
    /// Shared with readers that take a snapshot of all values.
    value: Arc<Dynamic>,
    /// Number of the write that set it. `store.update` compares it to detect a change by another thread.
    version: u64,
}

/// Size of an entry in bytes, without its value and its key.
const ENTRY: usize = 112;

fn size(key: &str, value: &Dynamic) -> usize {
    Facts::of(value).bytes.saturating_add(ENTRY + key.len())
}

/// The error of an operation that changed nothing.
#[derive(Debug)]
pub struct NotSet {
    why: String,
    /// The value that was not set: the caller frees it without the lock.
    _value: Dynamic,
}

impl fmt::Display for NotSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<NotSet> for Box<EvalAltResult> {
    fn from(not_set: NotSet) -> Self {
        not_set.why.into()
    }
}

/// Default maximum size of the values in bytes.
const MOST: u64 = 64 << 20;

impl Default for KeyValueStore {
    fn default() -> Self {
        KeyValueStore::new(KeyValueStore::default_limit(None))
    }
}

impl KeyValueStore {
    /// Creates a store for values of at most `most` bytes together.
    pub fn new(most: usize) -> Self {
        KeyValueStore { values: Mutex::new(Values::new(most)), most }
    }

    /// Creates an empty store with the same limit.
    pub fn other(&self) -> Self {
        KeyValueStore::new(self.most)
    }

    /// Creates a store with copies of the current values, which share their contents. Changes of one don't reach the other.
    pub fn copy(&self) -> Self {
        let copy = self.other();
        if let (Some(values), Some(mut copied)) = (self.lock(None), copy.lock(None)) {
            copied.entries = values.entries.clone();
            copied.loaded = values.loaded.clone();
            copied.epoch = values.epoch;
            copied.writes = values.writes;
            copied.count(values.bytes);
        }
        copy
    }

    /// Returns the default of `--store-bytes`: 64 MiB, or a quarter of `memory` if that is less.
    pub fn default_limit(memory: Option<u64>) -> usize {
        let most = memory.map_or(MOST, |memory| MOST.min(memory / 4));
        usize::try_from(most).unwrap_or(usize::MAX)
    }

    /// Returns the size of the values and its limit, in bytes.
    pub fn usage(&self) -> (usize, usize) {
        (lock(&self.values).bytes, self.most)
    }

    /// Locks the values for a request of `epoch`. Returns `None` where they were reset since the request began.
    ///
    /// The first request of a new epoch resets them. Without an epoch they are locked as they are.
    pub fn lock(&self, epoch: Option<u64>) -> Option<Locked<'_>> {
        loop {
            let mut values = Locked::new(lock(&self.values));
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

    /// Keeps a copy of the current values, which a reset restores.
    pub fn keep_loaded(&self) {
        if let Some(mut values) = self.lock(None) {
            values.loaded = (values.entries.clone(), values.bytes);
        }
    }
}

/// Minimum number of freed bytes for which memory is returned to the system.
const MUCH: usize = 8 << 20;

impl Drop for Values {
    fn drop(&mut self) {
        self.count(0);
    }
}

impl Values {
    fn new(most: usize) -> Self {
        Values {
            entries: Entries::new(),
            bytes: 0,
            highest: 0,
            most,
            loaded: (Entries::new(), 0),
            epoch: 0,
            writes: 0,
            watches: Watches::default(),
        }
    }

    /// Sets the size of the values.
    fn count(&mut self, bytes: usize) {
        self.bytes = bytes;
        self.highest = self.highest.max(bytes);
        // At least half of the largest size: values that are often set and removed must not cause a round each time.
        if self.highest - bytes >= MUCH.max(self.highest / 2) {
            self.highest = bytes;
            allocator::much_is_freed();
        }
    }

    /// Restores the values of [`KeyValueStore::keep_loaded`], and ends all watches. Returns the old values.
    fn reset(&mut self, epoch: u64) -> Entries {
        self.epoch = epoch;
        self.watches.end_all();
        let (entries, bytes) = self.loaded.clone();
        self.count(bytes);
        std::mem::replace(&mut self.entries, entries)
    }

    /// Returns a copy of the value of `key` and its version. The version is 0 where the key is not set.
    pub fn look(&self, key: &str) -> (Option<Dynamic>, u64) {
        match self.entries.get(key) {
            Some(entry) => (Some((*entry.value).clone()), entry.version),
            None => (None, 0),
        }
    }

    /// Adds `added` bytes for `key` to the size, and subtracts `removed` ones.
    ///
    /// # Errors
    /// The store has no room for them.
    fn take(&mut self, key: &str, added: usize, removed: usize) -> Result<(), String> {
        let (kept, most) = (self.bytes - removed, self.most);
        if added > most - kept {
            return Err(format!(
                "store: no room for `{}`: it takes {added} bytes, and {} of {most} are left (--store-bytes)",
                beginning(key, 80),
                most - kept
            ));
        }
        self.count(kept + added);
        Ok(())
    }

    /// Sets `key` and returns its old value.
    ///
    /// # Errors
    /// The store has no room for it.
    pub fn set(&mut self, key: &str, value: Dynamic) -> Result<Option<Arc<Dynamic>>, NotSet> {
        let known = self.entries.get(key).map_or(0, |entry| size(key, &entry.value));
        if let Err(why) = self.take(key, size(key, &value), known) {
            return Err(NotSet { why, _value: value });
        }
        self.writes += 1;
        let entry = Entry { value: Arc::new(value), version: self.writes };
        self.watches.wake(key, &entry.value);
        let old = match self.entries.get_mut(key) {
            Some(known) => Some(std::mem::replace(known, entry)),
            None => self.entries.insert(key.into(), entry),
        };
        Ok(old.map(|entry| entry.value))
    }

    /// Sets `key` if it still has `version`, and returns its old value. Otherwise it returns the new `value` as the inner error.
    ///
    /// # Errors
    /// The store has no room for it.
    pub fn set_if(
        &mut self,
        key: &str,
        value: Dynamic,
        version: u64,
    ) -> Result<Result<Option<Arc<Dynamic>>, Dynamic>, NotSet> {
        let current = self.entries.get(key).map_or(0, |entry| entry.version);
        if current == version { self.set(key, value).map(Ok) } else { Ok(Err(value)) }
    }

    /// Adds `by` to an integer and returns the sum. A key that is not set counts as 0.
    ///
    /// # Errors
    /// The value is not an integer, the sum exceeds 64 bits, or the store has no room for it.
    pub fn incr(&mut self, key: &str, by: i64) -> Result<i64, String> {
        let value = self.look(key).0.unwrap_or(Dynamic::from_int(0));
        let now =
            value.as_int().map_err(|kind| format!("store.incr: `{key}` holds {kind}, not an integer"))?;
        let next =
            now.checked_add(by).ok_or_else(|| format!("store.incr: `{key}` would leave the integers"))?;
        self.set(key, Dynamic::from_int(next)).map_err(|not_set| not_set.why)?;
        Ok(next)
    }

    /// Sets `key` to `default` unless it is set, and returns its value.
    ///
    /// # Errors
    /// The store has no room for it.
    pub fn set_default(&mut self, key: &str, default: Dynamic) -> Result<Dynamic, NotSet> {
        if let Some(entry) = self.entries.get(key) {
            return Ok((*entry.value).clone());
        }
        self.set(key, default.clone())?;
        Ok(default)
    }

    /// Appends `item` to a list and returns the new length. A key that is not set counts as an empty list.
    ///
    /// # Errors
    /// The value is not a list, the list is full, or the store has no room for the item.
    pub fn append(&mut self, key: &str, item: Dynamic) -> Result<i64, NotSet> {
        let not_set = |why, item| Err(NotSet { why, _value: item });
        let Some(entry) = self.entries.get(key) else {
            let list = Dynamic::from(FrozenList::new(vec![item]));
            return self.set(key, list).map(|_| 1);
        };
        let Some(length) = entry.value.read_lock::<FrozenList>().map(|list| list.len()) else {
            let kind = type_name(&entry.value).to_owned();
            return not_set(format!("store.append: `{key}` holds {kind}, not a list"), item);
        };
        if length >= MAX_ITEMS {
            return not_set(format!("store.append: `{key}` has {MAX_ITEMS} items, which is the most"), item);
        }
        if let Err(why) = self.take(key, Facts::of(&item).bytes, 0) {
            return not_set(why, item);
        }
        self.writes += 1;
        if let Some(entry) = self.entries.get_mut(key) {
            if let Some(mut list) = Arc::make_mut(&mut entry.value).write_lock::<FrozenList>() {
                list.push(item);
            }
            entry.version = self.writes;
            self.watches.wake(key, &entry.value);
        }
        Ok(i64::try_from(length + 1).unwrap_or(i64::MAX))
    }

    pub fn contains(&self, key: &str) -> bool {
        self.entries.contains_key(key)
    }

    pub fn remove(&mut self, key: &str) -> Option<Arc<Dynamic>> {
        let value = self.entries.remove(key)?.value;
        self.count(self.bytes - size(key, &value));
        Some(value)
    }

    /// Iterates over the keys that start with `prefix`, in order, and their values.
    pub fn under(&self, prefix: &str) -> impl Iterator<Item = (&ImmutableString, &Arc<Dynamic>)> {
        self.starting_at(prefix).take_while(move |(key, _)| key.starts_with(prefix))
    }

    /// Iterates over the keys from `start` on, in order, and their values.
    pub fn starting_at<'v>(
        &'v self,
        start: &str,
    ) -> impl Iterator<Item = (&'v ImmutableString, &'v Arc<Dynamic>)> + use<'v> {
        let from = self.entries.range::<str, _>((Bound::Included(start), Bound::Unbounded));
        from.map(|(key, entry)| (key, &entry.value))
    }

    /// Removes all keys that start with `prefix`, and returns their values.
    pub fn clear(&mut self, prefix: &str) -> Vec<Arc<Dynamic>> {
        let keys: Vec<ImmutableString> = self.under(prefix).map(|(key, _)| key.clone()).collect();
        keys.iter().filter_map(|key| self.remove(key)).collect()
    }
}

#[cfg(test)]
mod tests;
