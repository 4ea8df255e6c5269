//! What is kept of each request, by its number: bodies shortest, heads longer, lines longest.

use super::codec::{KEPT, LENGTH, LINE, NO_ANSWER, NO_BODY, PREFIX};
use super::lines::{Key, Lines};
use super::pool::{ANSWERS, BODIES, HEADS, Kind, Pool};
use std::collections::{TryReserveError, VecDeque};

/// Bytes of a place in a head's prefix: the length of the head, the places of both bodies, what is kept of both.
const PLACE: usize = (PREFIX - LENGTH - KEPT) / 2;

pub(super) struct Store {
    lines: Lines,
    pool: Pool,
    /// Number of the oldest head; of the next one, if there is none.
    first: u64,
    /// Number and place of the first head that begins in each block, in order.
    marks: VecDeque<(u64, u64)>,
}

impl Store {
    /// A store that takes `budget` bytes in all. What is not written yet takes up no memory.
    ///
    /// # Errors
    /// There is not as much.
    pub(super) fn new(budget: usize) -> Result<Store, TryReserveError> {
        let lines = Lines::new(budget)?;
        // The lists of blocks, and the marks: less than 64 of them, of 24 bytes in all.
        let pool = Pool::new(budget.saturating_sub(lines.size() + (64 * 24).min(budget / 40)))?;
        Ok(Store { lines, pool, first: 1, marks: VecDeque::new() })
    }

    /// Bytes that bodies and heads can take up.
    pub(super) fn size(&self) -> usize {
        self.pool.size()
    }

    /// Bytes that are taken up.
    pub(super) fn used(&self) -> usize {
        self.lines.used() + self.pool.used()
    }

    /// Number of the oldest entry of which something is known; of the next one, if there is none.
    pub(super) fn first(&self) -> u64 {
        self.lines.first()
    }

    /// Number of the next entry.
    pub(super) fn next(&self) -> u64 {
        self.lines.next()
    }

    /// Adds an entry: the head, which begins with [`PREFIX`] bytes for this, the text that is part of it, and two bodies.
    pub(super) fn push(&mut self, key: &Key, head: &mut [u8], text: &[u8], bodies: [&[u8]; 2]) {
        let number = self.next();
        self.lines.push(key);
        let length = (head.len() + text.len()) as u32;
        head[..LENGTH].copy_from_slice(&length.to_le_bytes());
        for (index, (kind, body)) in [BODIES, ANSWERS].into_iter().zip(bodies).enumerate() {
            let (at, kept) = (LENGTH + index * PLACE, PREFIX - KEPT + index * LENGTH);
            head[at..at + PLACE].copy_from_slice(&self.pool.head(kind).to_le_bytes()[..PLACE]);
            head[kept..kept + LENGTH].copy_from_slice(&(body.len() as u32).to_le_bytes());
            self.pool.put(kind, body);
        }
        let place = self.pool.head(HEADS);
        self.pool.put(HEADS, head);
        self.pool.put(HEADS, text);
        if self.marks.back().is_none_or(|(_, marked)| !self.pool.is_same_block(*marked, place)) {
            self.marks.push_back((number, place));
        }
        if self.marks.front().is_some_and(|(_, place)| *place < self.pool.tail(HEADS)) {
            self.drop_heads();
        }
    }

    /// Drops all; numbers go on.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.pool.clear();
        self.marks.clear();
        self.first = self.next();
    }

    /// Copies records from number `from` on, or from the oldest, to the end of `out`, up to number `to`, and no more after `most`
    /// bytes. Gives the number of the first one.
    pub(super) fn copy(&self, from: u64, to: u64, most: usize, out: &mut Vec<u8>) -> u64 {
        let from = from.max(self.first());
        let (start, mut number) = (out.len(), from);
        let mut place = self.seek(from);
        while number < self.next() && number <= to && out.len() - start < most {
            match number < self.first {
                true => self.copy_line(number, out),
                false => place += self.copy_record(number, place, out),
            }
            number += 1;
        }
        from
    }

    /// Copies a head with the bodies that are there; gives its length.
    fn copy_record(&self, number: u64, place: u64, out: &mut Vec<u8>) -> u64 {
        let prefix = self.prefix(place);
        let length = number_in(&prefix[..LENGTH]) as usize;
        if length == PREFIX {
            // It was too large.
            self.copy_line(number, out);
            return length as u64;
        }
        let (start, mut flags) = (out.len(), 0);
        out.extend_from_slice(&[0; LENGTH + 1]);
        out.extend_from_slice(&prefix[PREFIX - KEPT..]);
        let mut append = |kind, place, length| {
            self.pool.get(kind, place, length, &mut |part| out.extend_from_slice(part));
        };
        append(HEADS, place + PREFIX as u64, length - PREFIX);
        for (index, (kind, gone)) in [(BODIES, NO_BODY), (ANSWERS, NO_ANSWER)].into_iter().enumerate() {
            let (place, kept) = (place_in(&prefix, index), PREFIX - KEPT + index * LENGTH);
            match number_in(&prefix[kept..kept + LENGTH]) as usize {
                0 => {}
                _ if place < self.pool.tail(kind) => flags |= gone,
                kept => append(kind, place, kept),
            }
        }
        end(out, start, flags);
        length as u64
    }

    fn copy_line(&self, number: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH + 1]);
        let [path, other] = self.lines.get(number);
        // The length and one; 0 is none.
        let length = path.map_or(0, |path| path.len() as u32 + 1);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(path.unwrap_or_default());
        out.extend_from_slice(other.unwrap_or_default());
        end(out, start, LINE);
    }

    /// Where the head of `number` begins, or the next one.
    fn seek(&self, number: u64) -> u64 {
        let after = self.marks.partition_point(|(marked, _)| *marked <= number);
        let mark = self.marks.get(after.saturating_sub(1)).copied();
        let (mut at, mut place) = mark.unwrap_or((self.next(), self.pool.head(HEADS)));
        while at < number && at < self.next() {
            place += number_in(&self.prefix(place)[..LENGTH]);
            at += 1;
        }
        place
    }

    fn prefix(&self, place: u64) -> [u8; PREFIX] {
        let (mut prefix, mut end) = ([0; PREFIX], 0);
        self.pool.get(HEADS, place, PREFIX, &mut |part| {
            prefix[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        });
        prefix
    }

    /// Forgets the heads whose blocks have gone, and frees the bodies that belong to them alone.
    fn drop_heads(&mut self) {
        let tail = self.pool.tail(HEADS);
        while self.marks.front().is_some_and(|(_, place)| *place < tail) {
            self.marks.pop_front();
        }
        let Some((first, place)) = self.marks.front().copied() else { return };
        self.first = first;
        let prefix = self.prefix(place);
        let kinds: [Kind; 2] = [BODIES, ANSWERS];
        kinds.iter().enumerate().for_each(|(index, kind)| self.pool.trim(*kind, place_in(&prefix, index)));
    }
}

/// The place of a body, from the prefix of its head.
fn place_in(prefix: &[u8; PREFIX], index: usize) -> u64 {
    let at = LENGTH + index * PLACE;
    number_in(&prefix[at..at + PLACE])
}

fn number_in(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// Sets the length and the flags of the record that begins at `start` and ends here.
fn end(out: &mut [u8], start: usize, flags: u8) {
    let length = (out.len() - start) as u32;
    out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    out[start + LENGTH] = flags;
}

#[cfg(test)]
mod tests;
