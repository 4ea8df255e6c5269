//! Histogram of the time that requests took.
//!
//! Each worker has a part of its own to write to: sharing one would cost more than all other counters.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Upper bounds of the buckets in nanoseconds. The last bucket has none.
pub(super) const BOUNDS: [u64; 17] = [
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    25_000_000,
    50_000_000,
    100_000_000,
    250_000_000,
    500_000_000,
    1_000_000_000,
    2_500_000_000,
];

const PARTS: usize = 16;

pub(super) struct Histogram(Box<[Part]>);

impl Default for Histogram {
    fn default() -> Self {
        Histogram((0..PARTS).map(|_| Part::default()).collect())
    }
}

#[derive(Default)]
#[repr(align(64))]
struct Part {
    buckets: [AtomicU64; BOUNDS.len() + 1],
}

static NEXT: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Number of this thread's part. With more than [`PARTS`] threads, some share a part.
    static PART: usize = NEXT.fetch_add(1, Ordering::Relaxed) % PARTS;
}

impl Histogram {
    /// Counts a request that took so many nanoseconds.
    pub(super) fn add(&self, nanoseconds: u64) {
        let part = &self.0[PART.with(|part| *part)];
        let bucket = BOUNDS.iter().position(|bound| nanoseconds <= *bound).unwrap_or(BOUNDS.len());
        part.buckets[bucket].fetch_add(1, Ordering::Relaxed);
    }

    /// Returns how many requests are in each bucket or a smaller one.
    pub(super) fn read(&self) -> [u64; BOUNDS.len() + 1] {
        let mut buckets = [0; BOUNDS.len() + 1];
        for part in self.0.iter() {
            for (sum, bucket) in buckets.iter_mut().zip(&part.buckets) {
                *sum += bucket.load(Ordering::Relaxed);
            }
        }
        let mut below = 0;
        for bucket in &mut buckets {
            below += *bucket;
            *bucket = below;
        }
        buckets
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn buckets_are_cumulative_and_include_their_bound() {
        let histogram = Histogram::default();
        for nanoseconds in [0, 10_000, 10_001, 1_000_000, 2_500_000_000, 2_500_000_001, 1 << 40] {
            histogram.add(nanoseconds);
        }
        assert_eq!(histogram.read(), [2, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 7]);
        assert!(BOUNDS.is_sorted());
    }

    #[test]
    fn threads_add_to_one_histogram() {
        let histogram = Histogram::default();
        thread::scope(|scope| {
            (0..20).for_each(|_| drop(scope.spawn(|| (0..100).for_each(|_| histogram.add(1)))));
        });
        let buckets = histogram.read();
        assert_eq!((buckets[0], buckets[BOUNDS.len()]), (2_000, 2_000));
    }
}
