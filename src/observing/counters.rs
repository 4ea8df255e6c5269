//! The counters of one rule. Workers count with relaxed atomics, without a lock or an allocation.

use crate::routing::method::{METHODS, method_index};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// The count of requests with one method and status.
#[derive(Default)]
struct Slot {
    /// `1 << 31 | method << 16 | status`; 0 where the slot is free.
    key: AtomicU32,
    count: AtomicU64,
}

#[derive(Default)]
pub struct RuleCounters {
    slots: Box<[Slot]>,
    /// Requests that found no slot.
    rest: AtomicU64,
    nanoseconds: AtomicU64,
    errors: AtomicU64,
}

/// The method and status of a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Index in [`METHODS`].
    pub method: usize,
    /// Status of the answer; `None` for requests that found no slot.
    pub status: Option<u16>,
}

impl RuleCounters {
    /// Creates counters for so many pairs of method and status. Requests with further pairs are counted together.
    pub fn new(slots: usize) -> RuleCounters {
        let slots = (0..slots).map(|_| Slot::default()).collect();
        RuleCounters { slots, ..RuleCounters::default() }
    }

    /// Counts a request. Returns false, without counting, if its pair has no slot yet and `may_claim` forbids one.
    pub fn count(&self, method: &str, status: u16, may_claim: impl Fn() -> bool) -> bool {
        self.add(method, status, 1, may_claim)
    }

    fn add(&self, method: &str, status: u16, requests: u64, may_claim: impl Fn() -> bool) -> bool {
        let key = 1 << 31 | method_index(method) << 16 | u32::from(status);
        for slot in &self.slots {
            let found = slot.key.load(Ordering::Relaxed);
            if found == key || found == 0 && claim(slot, key, &may_claim) {
                slot.count.fetch_add(requests, Ordering::Relaxed);
                return true;
            }
            if slot.key.load(Ordering::Relaxed) == 0 {
                return false;
            }
        }
        self.rest.fetch_add(requests, Ordering::Relaxed);
        true
    }

    pub fn add_time(&self, nanoseconds: u64) {
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// Counts a request whose script failed.
    pub fn add_error(&self) {
        self.errors.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the counts of `other`, which is not in use any more.
    pub fn absorb(&self, other: &RuleCounters) {
        for (key, count) in other.requests() {
            match key.status {
                Some(status) => _ = self.add(METHODS[key.method], status, count, || true),
                None => _ = self.rest.fetch_add(count, Ordering::Relaxed),
            }
        }
        self.add_time(other.nanoseconds());
        self.errors.fetch_add(other.errors(), Ordering::Relaxed);
    }

    /// Returns the counts that are not 0.
    pub fn requests(&self) -> Vec<(Key, u64)> {
        let read = |slot: &Slot| {
            let key = slot.key.load(Ordering::Relaxed);
            let method = ((key >> 16 & 0x7fff) as usize).min(METHODS.len() - 1);
            (Key { method, status: Some((key & 0xffff) as u16) }, slot.count.load(Ordering::Relaxed))
        };
        let rest = (Key { method: 0, status: None }, self.rest.load(Ordering::Relaxed));
        self.slots.iter().map(read).chain([rest]).filter(|(_, count)| *count > 0).collect()
    }

    /// Returns how many requests were counted.
    pub fn total(&self) -> u64 {
        self.requests().iter().map(|(_, count)| count).sum()
    }

    /// Returns how many pairs of method and status have a slot.
    pub fn claimed(&self) -> usize {
        self.slots.iter().filter(|slot| slot.key.load(Ordering::Relaxed) != 0).count()
    }

    pub fn nanoseconds(&self) -> u64 {
        self.nanoseconds.load(Ordering::Relaxed)
    }

    /// Returns how many requests failed in their script.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }
}

/// Claims a free slot for `key`. Returns whether the slot has `key` now: another thread may have claimed it first.
#[cold]
fn claim(slot: &Slot, key: u32, may_claim: &dyn Fn() -> bool) -> bool {
    if slot.key.load(Ordering::Relaxed) == 0 && may_claim() {
        let taken = slot.key.compare_exchange(0, key, Ordering::Relaxed, Ordering::Relaxed);
        return taken.is_ok() || taken == Err(key);
    }
    slot.key.load(Ordering::Relaxed) == key
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn read(counters: &RuleCounters) -> Vec<(&'static str, Option<u16>, u64)> {
        let mut all: Vec<_> =
            counters.requests().into_iter().map(|(key, n)| (METHODS[key.method], key.status, n)).collect();
        all.sort_unstable();
        all
    }

    #[test]
    fn requests_are_counted_by_method_and_status() {
        let counters = RuleCounters::new(8);
        for (method, status) in
            [("GET", 200), ("GET", 200), ("GET", 404), ("POST", 200), ("get", 200), ("BREW", 200), ("PUT", 0)]
        {
            assert!(counters.count(method, status, || true));
        }
        let expected = [
            ("GET", Some(200), 2),
            ("GET", Some(404), 1),
            ("POST", Some(200), 1),
            ("PUT", Some(0), 1),
            ("other", Some(200), 2),
        ];
        assert_eq!(read(&counters), expected);
        assert_eq!((counters.total(), counters.claimed()), (7, 5));
        for (method, name) in METHODS.iter().enumerate() {
            assert_eq!(method_index(name) as usize, method);
        }
    }

    #[test]
    fn a_request_that_finds_no_slot_is_counted_without_method_and_status() {
        let counters = RuleCounters::new(2);
        for status in [200, 201, 202, 203, 200] {
            assert!(counters.count("GET", status, || true));
        }
        assert_eq!(read(&counters), [("GET", Some(200), 2), ("GET", Some(201), 1), ("other", None, 2)]);
    }

    #[test]
    fn a_request_that_may_not_claim_a_slot_is_not_counted() {
        let counters = RuleCounters::new(2);
        assert!(counters.count("GET", 200, || true));
        assert!(!counters.count("GET", 500, || false));
        assert!(counters.count("GET", 200, || false));
        assert_eq!(read(&counters), [("GET", Some(200), 2)]);
    }

    #[test]
    fn sums_stay_the_same_when_counters_absorb_others() {
        let (all, one) = (RuleCounters::new(2), RuleCounters::new(8));
        all.count("GET", 200, || true);
        for status in [200, 201, 202] {
            one.count("GET", status, || true);
        }
        one.add_time(7);
        one.add_error();
        all.absorb(&one);
        assert_eq!(read(&all), [("GET", Some(200), 2), ("GET", Some(201), 1), ("other", None, 1)]);
        assert_eq!((all.nanoseconds(), all.errors()), (7, 1));
    }

    #[test]
    fn threads_lose_no_count() {
        let counters = RuleCounters::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for number in 0..5_000 {
                        counters.count("GET", 200 + number % 6, || true);
                    }
                });
            }
        });
        assert_eq!(counters.total(), 20_000);
        let mut keys: Vec<_> = counters.requests().into_iter().map(|(key, _)| key.status).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), 5, "no pair has two slots");
    }
}
