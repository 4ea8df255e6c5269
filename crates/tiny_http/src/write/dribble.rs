//! Bodies that leave slice by slice. This file computes the slices and their times; `output` sends them.

use crate::write::body::Body;
use std::any::Any;
use std::ops::Range;
use std::time::{Duration, Instant};

/// How a body dribbles.
pub struct Dribble {
    /// Number of slices, as equal as possible. A body has no more slices than bytes.
    pub slices: u32,
    /// Time from the head to the last slice. Each slice, the first one too, comes after its share of the time.
    pub over: Duration,
    /// Dropped when the last slice has left or the client is gone.
    pub keep: Box<dyn Any + Send>,
}

/// The slices of a body that are left.
pub(crate) struct Slices {
    body: Body,
    taken: u32,
    dribble: Dribble,
    began: Option<Instant>,
}

impl Dribble {
    /// Cuts `body` into slices.
    pub(crate) fn slices(mut self, body: Body) -> Slices {
        self.slices = self.slices.clamp(1, u32::try_from(body.len().max(1)).unwrap_or(u32::MAX));
        Slices { body, taken: 0, dribble: self, began: None }
    }
}

impl Slices {
    /// Returns the bytes of memory that the body holds.
    pub(crate) fn space(&self) -> usize {
        self.body.space()
    }

    pub(crate) fn body(&self) -> &Body {
        &self.body
    }

    /// Returns the next slice, and the time from `now` until it is due. Times count from the first call, so a late slice
    /// doesn't delay the others.
    pub(crate) fn next(&mut self, now: Instant) -> Option<(Duration, Range<u64>)> {
        let slices = self.dribble.slices;
        if self.taken == slices {
            return None;
        }
        let at = |slice: u32| (u128::from(self.body.len()) * u128::from(slice) / u128::from(slices)) as u64;
        let (from, to) = (at(self.taken), at(self.taken + 1));
        self.taken += 1;
        let due = self.dribble.over.as_nanos() * u128::from(self.taken) / u128::from(slices);
        let due = Duration::from_nanos(u64::try_from(due).unwrap_or(u64::MAX));
        let passed = now.saturating_duration_since(*self.began.get_or_insert(now));
        Some((due.saturating_sub(passed), from..to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slices(length: usize, slices: u32, over: u64) -> Slices {
        Dribble { slices, over: Duration::from_millis(over), keep: Box::new(()) }
            .slices(Body::Bytes(vec![b'x'; length]))
    }

    #[test]
    fn slices_are_equal_and_the_last_comes_at_the_end() {
        // Bytes of the body, slices asked for, lengths of the slices.
        let cases: [(usize, u32, &[u64]); 5] =
            [(10, 2, &[5, 5]), (10, 3, &[3, 3, 4]), (2, 5, &[1, 1]), (5, 1, &[5]), (7, 0, &[7])];
        for (length, asked, expected) in cases {
            let mut left = slices(length, asked, 600);
            let (mut now, mut lengths) = (Instant::now(), Vec::new());
            let began = now;
            while let Some((pause, slice)) = left.next(now) {
                assert_eq!(slice.start, lengths.iter().sum::<u64>());
                lengths.push(slice.end - slice.start);
                now += pause;
                let due = Duration::from_millis(600) * lengths.len() as u32 / expected.len() as u32;
                assert_eq!(now - began, due, "{length} in {asked}");
            }
            assert_eq!(lengths, expected, "{length} in {asked}");
        }
    }

    #[test]
    fn a_late_slice_does_not_delay_the_others() {
        let mut left = slices(4, 4, 400);
        let began = Instant::now();
        assert_eq!(left.next(began).unwrap().0, Duration::from_millis(100));
        assert_eq!(left.next(began + Duration::from_millis(130)).unwrap().0, Duration::from_millis(70));
        assert_eq!(left.next(began + Duration::from_millis(350)).unwrap().0, Duration::ZERO);
        assert_eq!(left.next(began + Duration::from_millis(350)).unwrap().0, Duration::from_millis(50));
        assert!(left.next(began).is_none());
    }
}
