//! Watches of keys that are not set: whoever sets such a key calls the closures that wait for it.
//!
//! A watch is added under the same lock under which the key was looked up, so no change comes between. A closure is called after
//! the lock is released.

use super::{KeyValueStore, Values};
use crate::system::lock::lock;
use rhai::{Dynamic, ImmutableString};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::{Bound, Deref, DerefMut};
use std::sync::{Arc, MutexGuard};

/// The value that ends a wait: that of the key, or `()`.
pub(crate) type Value = Arc<Dynamic>;

/// Returns the value of a wait that ends without one.
pub(crate) fn nothing() -> Value {
    Arc::new(Dynamic::UNIT)
}

/// A closure that is called once: with the value that was set, or with `()` where the store was reset. It must be short.
pub(crate) type Wake = Box<dyn FnOnce(Value) + Send>;

/// Identifies a watch: the key, and a number to tell watches of one key apart.
pub(crate) type Watch = (ImmutableString, u64);

/// The result of [`KeyValueStore::watch`].
#[derive(Debug)]
pub(crate) enum Watched {
    /// The key is set already.
    Set(Value),
    /// The store was reset since the request began.
    Reset,
    Waits(Watch),
}

/// A key that a request of `epoch` waits for.
pub(crate) struct Awaited {
    pub store: Arc<KeyValueStore>,
    pub key: ImmutableString,
    pub epoch: u64,
}

impl Awaited {
    /// Calls `wake` once the key has a value, unless it has one now. A key that holds `()` has none.
    pub(crate) fn watch(&self, wake: Wake) -> Watched {
        self.store.watch(self.epoch, &self.key, wake)
    }

    /// Ends a watch, whose closure is not called any more.
    pub(crate) fn forget(&self, watch: &Watch) {
        self.store.forget(watch);
    }
}

/// The watches of a store.
#[derive(Default)]
pub(super) struct Watches {
    waiting: BTreeMap<Watch, Wake>,
    next: u64,
    /// The closures to call once the lock is released.
    due: Vec<(Wake, Value)>,
}

impl fmt::Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.waiting.keys()).finish()
    }
}

impl Watches {
    /// Ends the watches of `key`, which has got `value`. Costs nothing where nobody waits.
    pub(super) fn wake(&mut self, key: &str, value: &Value) {
        if !self.waiting.is_empty() && !value.is_unit() {
            self.wake_all_of(key, value);
        }
    }

    #[cold]
    fn wake_all_of(&mut self, key: &str, value: &Value) {
        let from = (Bound::Included((key.into(), 0)), Bound::Unbounded);
        let found = self.waiting.range(from).map(|(watch, _)| watch).take_while(|(other, _)| other == key);
        for watch in found.cloned().collect::<Vec<Watch>>() {
            let wake = self.waiting.remove(&watch);
            self.due.extend(wake.map(|wake| (wake, value.clone())));
        }
    }

    /// Ends all watches with `()`.
    pub(super) fn end_all(&mut self) {
        let nothing = nothing();
        self.due.extend(std::mem::take(&mut self.waiting).into_values().map(|wake| (wake, nothing.clone())));
    }
}

/// The locked values of a store. Once the lock is released, those who waited for a key that was set are woken.
pub struct Locked<'s> {
    values: MutexGuard<'s, Values>,
    /// Behind `values`, so that it is dropped after the lock is released.
    due: Due,
}

struct Due(Vec<(Wake, Value)>);

impl<'s> Locked<'s> {
    pub(super) fn new(values: MutexGuard<'s, Values>) -> Self {
        Locked { values, due: Due(Vec::new()) }
    }
}

impl Drop for Locked<'_> {
    fn drop(&mut self) {
        self.due.0 = std::mem::take(&mut self.values.watches.due);
    }
}

impl Drop for Due {
    fn drop(&mut self) {
        self.0.drain(..).for_each(|(wake, value)| wake(value));
    }
}

impl Deref for Locked<'_> {
    type Target = Values;

    fn deref(&self) -> &Values {
        &self.values
    }
}

impl DerefMut for Locked<'_> {
    fn deref_mut(&mut self) -> &mut Values {
        &mut self.values
    }
}

impl KeyValueStore {
    fn watch(&self, epoch: u64, key: &ImmutableString, wake: Wake) -> Watched {
        let Some(mut values) = self.lock(Some(epoch)) else { return Watched::Reset };
        if let Some(value) = values.look(key).0.filter(|value| !value.is_unit()) {
            return Watched::Set(value.into());
        }
        let watches = &mut values.watches;
        let watch = (key.clone(), watches.next);
        watches.next += 1;
        watches.waiting.insert(watch.clone(), wake);
        Watched::Waits(watch)
    }

    fn forget(&self, watch: &Watch) {
        let wake = lock(&self.values).watches.waiting.remove(watch);
        drop(wake);
    }

    #[cfg(test)]
    pub(crate) fn watches(&self) -> usize {
        lock(&self.values).watches.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::frozen::as_list;
    use std::sync::Mutex;

    /// The values that ended the watches of a test, as text.
    type Woken = Arc<Mutex<Vec<String>>>;

    fn watch(store: &Arc<KeyValueStore>, epoch: u64, key: &str, woken: &Woken) -> Watched {
        let (woken, other) = (woken.clone(), store.clone());
        let wake = move |value: Value| {
            // The lock is free: a closure may use the store.
            assert!(other.lock(None).is_some());
            let list = as_list(&value).map(|list| format!("{} items", list.len()));
            lock(&woken).push(list.unwrap_or_else(|| value.to_string()));
        };
        store.watch(epoch, &key.into(), Box::new(wake))
    }

    #[test]
    fn each_operation_that_sets_a_key_wakes_those_who_wait_for_it() {
        type Step = fn(&mut Values);
        let table: [(Step, &[&str]); 10] = [
            (|values| drop(values.set("k", 7.into())), &["7"]),
            (|values| drop(values.set_if("k", 8.into(), 0)), &["8"]),
            (|values| drop(values.set_if("k", 8.into(), 99)), &[]),
            (|values| drop(values.incr("k", 5)), &["5"]),
            (|values| drop(values.set_default("k", "d".into())), &["d"]),
            (|values| drop(values.append("k", 1.into())), &["1 items"]),
            (|values| drop(values.set("k", Dynamic::UNIT)), &[]),
            (|values| drop(values.set("kk", 1.into())), &[]),
            (|values| drop(values.set("", 1.into())), &[]),
            (|values| drop(values.remove("k")), &[]),
        ];
        for (at, (step, expected)) in table.into_iter().enumerate() {
            let (store, woken) = (Arc::new(KeyValueStore::default()), Woken::default());
            assert!(matches!(watch(&store, 0, "k", &woken), Watched::Waits(_)));
            step(&mut store.lock(None).unwrap());
            assert_eq!(*lock(&woken), expected, "step {at}");
            assert_eq!(store.watches(), 1 - expected.len(), "step {at}");
            // No watch ends twice.
            store.lock(None).unwrap().set("k", "again".into()).unwrap();
            assert_eq!(lock(&woken).len(), 1, "step {at}");
        }
    }

    #[test]
    fn a_key_that_is_set_is_returned_and_one_that_holds_nothing_is_waited_for() {
        let (store, woken) = (Arc::new(KeyValueStore::default()), Woken::default());
        store.lock(None).unwrap().set("k", 7.into()).unwrap();
        assert!(matches!(watch(&store, 0, "k", &woken), Watched::Set(value) if value.as_int() == Ok(7)));
        store.lock(None).unwrap().set("k", Dynamic::UNIT).unwrap();
        assert!(matches!(watch(&store, 0, "k", &woken), Watched::Waits(_)));
        // An append to a list that was emptied while nobody waited sets the key, too.
        store.lock(None).unwrap().remove("k");
        store.lock(None).unwrap().append("k", 1.into()).unwrap();
        assert_eq!(*lock(&woken), ["1 items"]);
    }

    #[test]
    fn all_who_wait_for_a_key_are_woken_in_their_order_and_nobody_else() {
        let (store, woken) = (Arc::new(KeyValueStore::default()), Woken::default());
        for key in ["a", "k", "k", "k/1", "l"] {
            watch(&store, 0, key, &woken);
        }
        let Watched::Waits(watch) = watch(&store, 0, "k", &woken) else { panic!() };
        store.forget(&watch);
        store.forget(&watch);
        store.lock(None).unwrap().set("k", 7.into()).unwrap();
        assert_eq!(*lock(&woken), ["7", "7"]);
        assert_eq!(store.watches(), 3);
    }

    #[test]
    fn a_reset_wakes_all_with_nothing_and_keeps_those_who_began_before_out() {
        let (store, woken) = (Arc::new(KeyValueStore::default()), Woken::default());
        store.lock(None).unwrap().set("loaded", 1.into()).unwrap();
        store.keep_loaded();
        store.lock(None).unwrap().remove("loaded");
        watch(&store, 0, "loaded", &woken);
        watch(&store, 0, "k", &woken);
        // The first request of the next epoch sets the key: it is not told to those of the last one.
        store.lock(Some(1)).unwrap().set("k", 7.into()).unwrap();
        assert_eq!(*lock(&woken), ["", ""]);
        assert!(matches!(watch(&store, 0, "k", &woken), Watched::Reset));
        assert!(matches!(watch(&store, 1, "loaded", &woken), Watched::Set(_)));
        assert_eq!(store.watches(), 0);
    }

    #[test]
    fn a_copy_has_no_watches() {
        let (store, woken) = (Arc::new(KeyValueStore::default()), Woken::default());
        watch(&store, 0, "k", &woken);
        store.copy().lock(None).unwrap().set("k", 7.into()).unwrap();
        assert!(lock(&woken).is_empty());
    }
}
