//! Epochs: the time between two resets, as a number. Each request takes the number when it begins. Its hits and stored values
//! count only during that epoch. So a reset is one step for all of them, also while requests run.

use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the epoch, from 0.
#[derive(Debug, Default)]
pub struct Epoch(AtomicU64);

impl Epoch {
    pub fn now(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Ends the epoch. Returns the number of the next one.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::AcqRel) + 1
    }
}

/// Number of the low bits for the count; the epoch has the others.
const COUNT: u32 = 36;
const COUNTS: u64 = (1 << COUNT) - 1;
/// Number of epochs until the numbers repeat.
const EPOCHS: u64 = 1 << (u64::BITS - COUNT);

/// A count that begins anew with each epoch. Epoch and count are one atomic number, so that they change together.
#[derive(Debug, Default)]
pub(crate) struct ResetCounter(AtomicU64);

impl ResetCounter {
    /// Counts a request of `epoch`, unless a request of a later epoch was counted already.
    pub(crate) fn count(&self, epoch: u64) {
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |hits| {
            let ahead = epoch.wrapping_sub(hits >> COUNT) % EPOCHS;
            match ahead {
                0 if hits & COUNTS == COUNTS => None,
                0 => Some(hits + 1),
                _ if ahead < EPOCHS / 2 => Some(epoch << COUNT | 1),
                _ => None,
            }
        });
    }

    /// Whether any request was ever counted.
    pub(crate) fn any(&self) -> bool {
        self.0.load(Ordering::Relaxed) & COUNTS > 0
    }

    pub(crate) fn in_epoch(&self, epoch: u64) -> u64 {
        let hits = self.0.load(Ordering::Relaxed);
        if hits >> COUNT == epoch % EPOCHS { hits & COUNTS } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_that_began_before_a_reset_does_not_count_after_it() {
        let (epoch, hits) = (Epoch::default(), ResetCounter::default());
        let early = epoch.now();
        hits.count(early);
        assert_eq!(hits.in_epoch(epoch.now()), 1);
        assert_eq!(epoch.next(), 1);
        assert_eq!(hits.in_epoch(epoch.now()), 0);
        hits.count(early);
        assert_eq!(hits.in_epoch(epoch.now()), 0);
        hits.count(epoch.now());
        hits.count(early);
        hits.count(epoch.now());
        assert_eq!((hits.in_epoch(epoch.now()), hits.in_epoch(early)), (2, 0));
    }

    #[test]
    fn epochs_whose_numbers_repeat_are_later_ones() {
        let hits = ResetCounter::default();
        for epoch in [EPOCHS / 2 - 1, EPOCHS - 2, EPOCHS - 1, EPOCHS, EPOCHS + 1] {
            hits.count(epoch);
            assert_eq!(hits.in_epoch(epoch), 1, "{epoch}");
        }
        hits.count(EPOCHS);
        assert_eq!(hits.in_epoch(EPOCHS + 1), 1);
        // From half of all numbers on, an epoch counts as an earlier one.
        hits.count(EPOCHS + 1 + EPOCHS / 2);
        assert_eq!(hits.in_epoch(EPOCHS + 1 + EPOCHS / 2), 0);
    }

    #[test]
    fn a_full_count_stays_full() {
        let hits = ResetCounter(AtomicU64::new(3 << COUNT | COUNTS));
        hits.count(3);
        assert_eq!(hits.in_epoch(3), COUNTS);
    }
}
