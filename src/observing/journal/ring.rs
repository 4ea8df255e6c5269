//! Records one behind the other in a piece of memory that never grows; the oldest give way to the newest. Numbers them, and
//! finds them by their numbers. Does not know what is in them.

use std::collections::TryReserveError;
use std::collections::VecDeque;

/// Bytes with which each record begins: its length, these included.
pub(super) const LENGTH: usize = 4;

/// Records that are searched one by one lie in so many bytes.
const STEP: usize = 16 << 10;

/// The records that are kept.
pub(super) struct Ring {
    bytes: Vec<u8>,
    size: usize,
    /// Where the next record begins. Places count on and on; `place % size` is where they are.
    head: u64,
    /// Where the oldest record begins.
    tail: u64,
    /// Number of the oldest record; of the next one, if there is none.
    first: u64,
    /// Number of the next record.
    next: u64,
    /// Number and place of some records, in order.
    marks: VecDeque<(u64, u64)>,
}

impl Ring {
    /// A ring that takes `budget` bytes in all. What is not written yet takes up no memory.
    ///
    /// # Errors
    /// There is not as much.
    pub(super) fn new(budget: usize) -> Result<Ring, TryReserveError> {
        let marks = if budget == 0 { 0 } else { budget / STEP + 2 };
        let size = budget.saturating_sub(marks * size_of::<(u64, u64)>());
        let (mut bytes, mut places) = (Vec::new(), VecDeque::new());
        bytes.try_reserve_exact(size)?;
        places.try_reserve_exact(marks)?;
        Ok(Ring { bytes, size, head: 0, tail: 0, first: 1, next: 1, marks: places })
    }

    /// Bytes that records can take up.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Bytes that are taken up.
    pub(super) fn used(&self) -> usize {
        (self.head - self.tail) as usize + self.marks.len() * size_of::<(u64, u64)>()
    }

    /// Number of the oldest record that is kept; of the next one, if none is.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// Number of the next record.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Adds a record that consists of `parts`, the first of which begins with the length of all. Drops as many old ones as it
    /// takes. The caller sees to it that the record fits.
    pub(super) fn push(&mut self, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        debug_assert!(length <= self.size, "{length} {}", self.size);
        while (self.head - self.tail) as usize + length > self.size && self.first < self.next {
            self.tail += self.length_at(self.tail) as u64;
            self.first += 1;
        }
        while self.marks.front().is_some_and(|(number, _)| *number < self.first) {
            self.marks.pop_front();
        }
        if self.marks.back().is_none_or(|(_, place)| self.head - place >= STEP as u64) {
            self.marks.push_back((self.next, self.head));
        }
        self.next += 1;
        let mut at = self.offset(self.head);
        for part in parts.iter().filter(|part| !part.is_empty()) {
            at = self.write(at, part);
        }
        self.head += length as u64;
    }

    /// Drops all records; numbers go on.
    pub(super) fn clear(&mut self) {
        (self.tail, self.first) = (self.head, self.next);
        self.marks.clear();
    }

    /// Copies records from number `from` on, or from the oldest, to the end of `out`, up to number `to`, and no more after `most`
    /// bytes. Gives the number of the first one.
    pub(super) fn copy(&self, from: u64, to: u64, most: usize, out: &mut Vec<u8>) -> u64 {
        let from = from.max(self.first);
        let mut place = self.seek(from);
        let (mut end, mut number) = (place, from);
        while number < self.next && number <= to && ((end - place) as usize) < most {
            end += self.length_at(end) as u64;
            number += 1;
        }
        while place < end {
            let at = self.offset(place);
            let count = (self.size - at).min((end - place) as usize);
            out.extend_from_slice(&self.bytes[at..at + count]);
            place += count as u64;
        }
        from
    }

    /// Where record `number` begins, which is kept or the next one.
    fn seek(&self, number: u64) -> u64 {
        let after = self.marks.partition_point(|(marked, _)| *marked <= number);
        let mark = after.checked_sub(1).and_then(|before| self.marks.get(before));
        let (mut at, mut place) = mark.copied().unwrap_or((self.first, self.tail));
        while at < number && at < self.next {
            place += self.length_at(place) as u64;
            at += 1;
        }
        place
    }

    fn offset(&self, place: u64) -> usize {
        (place % self.size.max(1) as u64) as usize
    }

    fn length_at(&self, place: u64) -> usize {
        let at = self.offset(place);
        let byte = |index: usize| {
            self.bytes[if at + index < self.size { at + index } else { at + index - self.size }]
        };
        u32::from_le_bytes([byte(0), byte(1), byte(2), byte(3)]) as usize
    }

    /// Gives where the next part begins.
    fn write(&mut self, at: usize, part: &[u8]) -> usize {
        let (here, wrapped) = part.split_at(part.len().min(self.size - at));
        self.put(at, here);
        if wrapped.is_empty() {
            return at + here.len();
        }
        self.put(0, wrapped);
        wrapped.len()
    }

    /// Over what is there; on the first way round it is appended.
    fn put(&mut self, at: usize, part: &[u8]) {
        let (over, behind) = part.split_at(part.len().min(self.bytes.len() - at));
        self.bytes[at..at + over.len()].copy_from_slice(over);
        self.bytes.extend_from_slice(behind);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(number: u64, length: usize) -> Vec<u8> {
        let mut bytes = (length as u32).to_le_bytes().to_vec();
        bytes.resize(length, number as u8);
        bytes
    }

    /// Lengths as they come out of a small generator: 4 to `most`.
    fn lengths(most: usize) -> impl Iterator<Item = usize> {
        let mut seed = 1_u64;
        std::iter::repeat_with(move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            LENGTH + (seed >> 33) as usize % (most - LENGTH)
        })
    }

    #[test]
    fn the_newest_records_are_kept_whole_within_the_budget() {
        let budget = 100 << 10;
        let mut ring = Ring::new(budget).unwrap();
        let allocated = ring.bytes.capacity() + ring.marks.capacity() * 16;
        assert!(allocated <= budget, "{allocated}");
        let mut all: Vec<Vec<u8>> = Vec::new();
        for (number, length) in (1..3000).zip(lengths(3000)) {
            let record = record(number, length);
            ring.push(&[&record[..LENGTH], &record[LENGTH..]]);
            all.push(record);
            assert!(ring.used() <= budget);
            assert_eq!(ring.next(), number + 1);
        }
        assert_eq!(ring.bytes.capacity() + ring.marks.capacity() * 16, allocated);
        // As many as fit: one more would not.
        let kept = &all[ring.first() as usize - 1..];
        let size: usize = kept.iter().map(Vec::len).sum();
        assert!(size <= ring.size() && size + all[ring.first() as usize - 2].len() > ring.size());
        for from in (0..ring.next()).step_by(7).chain(ring.first()..=ring.next()) {
            let mut out = Vec::new();
            let first = ring.copy(from, u64::MAX, usize::MAX, &mut out);
            assert_eq!(first, from.max(ring.first()));
            assert!(out == all[first as usize - 1..].concat(), "{from}");
        }
        let mut out = Vec::new();
        assert_eq!(ring.copy(2998, 2998, usize::MAX, &mut out), 2998);
        assert_eq!(out, all[2997]);
        out.clear();
        ring.copy(0, u64::MAX, 1, &mut out);
        assert!(out == all[ring.first() as usize - 1], "one record at least");
    }

    #[test]
    fn a_cleared_ring_goes_on_with_its_numbers() {
        let mut ring = Ring::new(10_000).unwrap();
        for number in 1..=5 {
            ring.push(&[&record(number, 100)]);
        }
        ring.clear();
        let mut out = Vec::new();
        assert_eq!((ring.first(), ring.next(), ring.used()), (6, 6, 0));
        assert_eq!(ring.copy(0, u64::MAX, usize::MAX, &mut out), 6);
        assert!(out.is_empty());
        for number in 6..=400 {
            ring.push(&[&record(number, 100)]);
        }
        assert_eq!(ring.copy(400, u64::MAX, usize::MAX, &mut out), 400);
        assert_eq!(out, record(400, 100));
    }

    #[test]
    fn more_than_there_is_is_an_error() {
        assert!(Ring::new(isize::MAX as usize).is_err());
    }
}
