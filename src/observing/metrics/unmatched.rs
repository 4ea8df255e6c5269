//! Requests that no rule served, by method and path.
//!
//! The table has a fixed size and needs no lock. Memory is allocated only for the text of each new request.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// Most different requests in the table.
const SLOTS: usize = 64;
/// Most bytes that are kept of a path.
const LONGEST_PATH: usize = 256;
/// Most bytes that are kept of a method.
const LONGEST_METHOD: usize = 32;

pub(super) struct Unmatched {
    slots: Box<[Slot]>,
    total: AtomicU64,
}

#[derive(Default)]
struct Slot {
    /// Hash of method and path; 0 where the slot is free.
    hash: AtomicU64,
    count: AtomicU64,
    request: OnceLock<(String, String)>,
}

/// A method and path, and how often it was requested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub method: String,
    /// Without the query.
    pub path: String,
    pub count: u64,
}

impl Default for Unmatched {
    fn default() -> Self {
        let slots = (0..SLOTS).map(|_| Slot::default()).collect();
        Unmatched { slots, total: AtomicU64::new(0) }
    }
}

impl Unmatched {
    /// Counts a request for `target`.
    pub(super) fn add(&self, method: &str, target: &str) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let end = target.bytes().position(|byte| byte == b'?').unwrap_or(target.len());
        let path = &target[..end];
        let hash = hash(method, path);
        let first = (hash % SLOTS as u64) as usize;
        let (front, back) = self.slots.split_at(first);
        // Where the table is full, only the total counts the request.
        let found = back.iter().chain(front).find(|slot| slot.is_of(hash));
        if let Some(slot) = found {
            slot.request.get_or_init(|| (beginning(method, LONGEST_METHOD), beginning(path, LONGEST_PATH)));
            slot.count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns how many requests came, also those that found no slot.
    pub(super) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Returns the requests of the table, the most frequent first.
    pub(super) fn rows(&self) -> Vec<Row> {
        let row = |slot: &Slot| {
            let (method, path) = slot.request.get()?.clone();
            Some(Row { method, path, count: slot.count.load(Ordering::Relaxed) })
        };
        let mut rows: Vec<Row> = Vec::new();
        for row in self.slots.iter().filter_map(row) {
            // Inserted in order: a sort of the library would be more code than the rest of this file.
            let before =
                |other: &Row| (row.count, &other.path, &other.method) < (other.count, &row.path, &row.method);
            rows.insert(rows.iter().take_while(|other| before(other)).count(), row);
        }
        rows
    }
}

/// FNV-1a, never 0. Two paths with the same hash are counted as one.
fn hash(method: &str, path: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in [method, " ", path] {
        for byte in part.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    hash.max(1)
}

impl Slot {
    /// Whether this slot has `hash`. A free slot takes it.
    fn is_of(&self, hash: u64) -> bool {
        match self.hash.load(Ordering::Relaxed) {
            0 => {
                let taken = self.hash.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed);
                taken.is_ok() || taken == Err(hash)
            }
            found => found == hash,
        }
    }
}

/// Returns at most `most` bytes of `text`, truncated between characters.
fn beginning(text: &str, most: usize) -> String {
    text[..text.floor_char_boundary(most)].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_frequent_come_first_without_their_query() {
        let unmatched = Unmatched::default();
        for (method, target) in
            [("GET", "/a"), ("POST", "/b?x=1"), ("POST", "/b?x=2"), ("GET", "/b"), ("PUT", "/a?")]
        {
            unmatched.add(method, target);
        }
        let rows: Vec<String> =
            unmatched.rows().iter().map(|row| format!("{} {} {}", row.count, row.method, row.path)).collect();
        assert_eq!(rows, ["2 POST /b", "1 GET /a", "1 PUT /a", "1 GET /b"]);
        assert_eq!(unmatched.total(), 5);
    }

    #[test]
    fn requests_that_came_as_often_are_in_the_order_of_their_paths() {
        let unmatched = Unmatched::default();
        let paths: Vec<String> = (10..40).map(|number| format!("/{number}")).collect();
        paths.iter().for_each(|path| unmatched.add("GET", path));
        assert!(unmatched.rows().iter().map(|row| &row.path).eq(&paths));
    }

    #[test]
    fn the_table_is_bounded_and_the_total_is_not() {
        let unmatched = Unmatched::default();
        for number in 0..1_000 {
            unmatched.add("GET", &format!("/{number}"));
        }
        unmatched.add("GET", "/0");
        assert_eq!((unmatched.total(), unmatched.rows().len()), (1_001, SLOTS));
        assert_eq!(unmatched.rows()[0], Row { method: "GET".into(), path: "/0".into(), count: 2 });
    }

    #[test]
    fn long_names_are_cut_between_characters() {
        let unmatched = Unmatched::default();
        unmatched.add(&"M".repeat(100), &format!("/{}", "\u{e9}".repeat(1_000)));
        let row = &unmatched.rows()[0];
        assert_eq!((row.method.len(), row.path.len()), (LONGEST_METHOD, LONGEST_PATH - 1));
    }
}
