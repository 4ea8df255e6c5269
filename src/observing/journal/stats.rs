//! How much the journal keeps.

use super::Journal;

/// How much the journal keeps, and how much it has evicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Bytes in use.
    pub bytes: u64,
    /// Most bytes in use; 0 where the journal is off.
    pub budget: u64,
    /// Entries that are kept.
    pub entries: u64,
    /// Number of the oldest entry; 0 where there is no entry.
    pub first: u64,
    /// Number of the latest entry, also where it was evicted or deleted since.
    pub last: u64,
    /// Entries that were evicted since the journal was last cleared.
    pub evicted: u64,
    /// Entries that were evicted since the start.
    pub evicted_in_all: u64,
}

impl Journal {
    /// Returns the counts and bytes of this moment.
    pub(crate) fn stats(&self) -> Stats {
        let records = self.lock();
        let (first, next) = (records.store.first(), records.store.next());
        let evicted = first - 1 - records.cleared;
        Stats {
            bytes: if self.is_on() { (size_of::<Journal>() + records.store.used()) as u64 } else { 0 },
            budget: self.budget as u64,
            entries: next - first,
            first: if first < next { first } else { 0 },
            last: next - 1,
            evicted,
            evicted_in_all: records.evicted + evicted,
        }
    }
}
