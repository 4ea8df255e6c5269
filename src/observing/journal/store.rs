//! Storage of entries by number. Bodies are evicted first, then heads, then lines.

use super::codec::{LENGTH, LINE, NO_ANSWER, NO_BODY, PREFIX, STATE, STREAM};
use super::lines::{Key, Lines};
use super::pool::{ANSWERS, BODIES, HEADS, Pool, STREAMS};
use super::streams::{self, Streams};
use crate::message::progress::{Progress, State};
use std::collections::{TryReserveError, VecDeque};
use std::sync::Arc;

/// The first bytes of a head.
struct Prefix {
    /// Bytes of the head, with this prefix.
    length: u32,
    /// After the prefix, the head has [`STATE`] bytes for the place and the length of the state in which its stream ended; 0 before.
    streams: bool,
    /// Places of the bodies of request and answer, of 48 bits each.
    places: [u64; 2],
    /// Bytes that are kept of them.
    kept: [u32; 2],
}

/// Bit of the length of a head: the answer is a stream. No head is so long.
const STREAMING: u32 = 1 << 31;

impl Prefix {
    fn to_bytes(&self) -> [u8; PREFIX] {
        let [body, answer] = self.places;
        let length = if self.streams { self.length | STREAMING } else { self.length };
        let words = [
            u64::from(length) | body << 32,
            body >> 32 & 0xffff | answer << 16,
            u64::from(self.kept[0]) | u64::from(self.kept[1]) << 32,
        ];
        let mut bytes = [0; PREFIX];
        bytes.as_chunks_mut().0.iter_mut().zip(words).for_each(|(place, word)| *place = word.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; PREFIX]) -> Prefix {
        let [first, second, kept] =
            [0, 8, 16].map(|at| u64::from_le_bytes(std::array::from_fn(|byte| bytes[at + byte])));
        let places = [first >> 32 | (second & 0xffff) << 32, second >> 16];
        let length = first as u32;
        Prefix {
            length: length & !STREAMING,
            streams: length & STREAMING != 0,
            places,
            kept: [kept as u32, (kept >> 32) as u32],
        }
    }
}

/// Position of a reader.
pub(super) struct Cursor {
    /// Number of the next record.
    pub number: u64,
    /// Place where its head begins, if that is known: the store need not search for it again.
    place: Option<u64>,
}

impl Cursor {
    pub(super) fn at(number: u64) -> Cursor {
        Cursor { number, place: None }
    }
}

pub(super) struct Store {
    lines: Lines,
    pool: Pool,
    /// Number of the oldest head; of the next entry where there is no head.
    first: u64,
    /// Number and place of the first head that begins in each block, oldest first.
    marks: VecDeque<(u64, u64)>,
    pub(super) streams: Streams,
    /// Largest number of an entry whose stream has ended.
    last_ended: u64,
}

impl Store {
    /// Creates a store of `budget` bytes. The system provides the memory when it is first written.
    ///
    /// # Errors
    /// The system has not enough memory.
    pub(super) fn new(budget: usize) -> Result<Store, TryReserveError> {
        let lines = Lines::new(budget)?;
        let streams = Streams::new(budget);
        // Each block has a mark and a place in five lists: 26 bytes. There are fewer than 64 blocks.
        let lists = streams.size() + (64 * 26).min(budget / 40);
        let pool = Pool::new(budget.saturating_sub(lines.size() + lists))?;
        Ok(Store { lines, pool, first: 1, marks: VecDeque::new(), streams, last_ended: 0 })
    }

    /// Returns how many bytes bodies and heads can take together.
    pub(super) fn size(&self) -> usize {
        self.pool.size()
    }

    /// Returns the most bytes of a state. The pool keeps the newest so long.
    fn most_of_state(&self) -> usize {
        self.pool.size() / 16
    }

    /// Returns how many bytes are in use.
    pub(super) fn used(&self) -> usize {
        self.lines.used() + self.pool.used() + self.streams.used()
    }

    /// Returns the number of the oldest entry; of the next entry where there is none.
    pub(super) fn first(&self) -> u64 {
        self.lines.first()
    }

    pub(super) fn next(&self) -> u64 {
        self.lines.next()
    }

    /// Adds an entry: its head, the rest of the head in `text`, and the bodies of request and answer. Returns its number.
    ///
    /// The first [`PREFIX`] bytes of `head` are filled here.
    pub(super) fn push(
        &mut self,
        key: &Key,
        head: &mut [u8],
        text: &[u8],
        bodies: [&[u8]; 2],
        stream: Option<&Arc<Progress>>,
    ) -> u64 {
        let number = self.next();
        self.lines.push(key);
        let length = (head.len() + text.len()) as u32;
        let places = [self.pool.head(BODIES), self.pool.head(ANSWERS)];
        let kept = bodies.map(|body| body.len() as u32);
        if let Some(prefix) = head.first_chunk_mut() {
            let streams = stream.is_some() && length as usize > PREFIX;
            *prefix = Prefix { length, streams, places, kept }.to_bytes();
        }
        if let Some(progress) = stream {
            self.streams.add(number, progress);
        }
        self.pool.put(BODIES, bodies[0]);
        self.pool.put(ANSWERS, bodies[1]);
        let place = self.pool.head(HEADS);
        self.pool.put(HEADS, head);
        self.pool.put(HEADS, text);
        if self.marks.back().is_none_or(|(_, marked)| !self.pool.is_same_block(*marked, place)) {
            self.marks.push_back((number, place));
        }
        self.drop_heads();
        number
    }

    /// Keeps the state in which the stream of entry `number` ended, as long as its head is kept.
    pub(super) fn end_stream(&mut self, number: u64, state: &State) {
        if number < self.first() || number >= self.next() {
            return;
        }
        self.streams.end(number);
        self.last_ended = self.last_ended.max(number);
        if number < self.first {
            return;
        }
        let place = self.seek(number);
        if !self.prefix(place).streams {
            return;
        }
        let bytes = streams::encode(state, self.most_of_state());
        let word = self.pool.head(STREAMS) | (bytes.len() as u64) << 48;
        self.pool.put(STREAMS, &bytes);
        self.drop_heads();
        if number >= self.first {
            self.pool.set(HEADS, place + PREFIX as u64, &word.to_le_bytes());
        }
    }

    /// Drops all entries. Numbers continue.
    pub(super) fn clear(&mut self) {
        self.lines.clear();
        self.pool.clear();
        self.marks.clear();
        self.streams.clear();
        self.first = self.next();
    }

    /// Appends records to `out`: from the cursor on, or from the oldest entry, up to number `to`, until there are `most` bytes.
    ///
    /// Moves the cursor behind the last record, and returns the number of the first.
    pub(super) fn copy(&self, cursor: &mut Cursor, to: u64, most: usize, out: &mut Vec<u8>) -> u64 {
        let from = cursor.number.max(self.first());
        let (start, mut number) = (out.len(), from);
        let known = cursor.place.filter(|_| from == cursor.number && from >= self.first);
        let mut place = known.unwrap_or_else(|| self.seek(from));
        while number < self.next() && number <= to && out.len() - start < most {
            match number < self.first {
                true => self.copy_line(number, out),
                false => place += self.copy_record(number, place, out),
            }
            number += 1;
        }
        *cursor = Cursor { number, place: Some(place) };
        from
    }

    /// Appends a head with the bodies that were not evicted. Returns the length of the head.
    fn copy_record(&self, number: u64, place: u64, out: &mut Vec<u8>) -> u64 {
        let Prefix { length, streams, places, kept } = self.prefix(place);
        let length = length as usize;
        if length == PREFIX {
            // The head was too large, so only its line is there.
            self.copy_line(number, out);
            return length as u64;
        }
        let (start, mut flags) = (out.len(), 0);
        out.extend_from_slice(&[0; LENGTH + 1]);
        kept.iter().for_each(|kept| out.extend_from_slice(&kept.to_le_bytes()));
        let mut fixed = PREFIX;
        if streams {
            self.copy_state(number, place + PREFIX as u64, out);
            (flags, fixed) = (STREAM, PREFIX + STATE);
        }
        let mut append = |kind, place, length| {
            self.pool.get(kind, place, length, &mut |part| out.extend_from_slice(part));
        };
        append(HEADS, place + fixed as u64, length - fixed);
        for (index, (kind, gone)) in [(BODIES, NO_BODY), (ANSWERS, NO_ANSWER)].into_iter().enumerate() {
            match kept[index] as usize {
                0 => {}
                _ if places[index] < self.pool.tail(kind) => flags |= gone,
                kept => append(kind, places[index], kept),
            }
        }
        end(out, start, flags);
        length as u64
    }

    /// Appends the state of a stream, with its length before it; no bytes where it is not known.
    fn copy_state(&self, number: u64, place: u64, out: &mut Vec<u8>) {
        let word = u64::from_le_bytes(self.fixed(place));
        let (at, length) = (word & ((1 << 48) - 1), (word >> 48) as usize);
        let mut state = Vec::new();
        if length == 0 {
            if let Some(progress) = self.streams.open(number) {
                state = progress.look(|state| streams::encode(state, self.most_of_state()));
            }
        } else if at >= self.pool.tail(STREAMS) {
            self.pool.get(STREAMS, at, length, &mut |part| state.extend_from_slice(part));
        }
        out.extend_from_slice(&(state.len() as u32).to_le_bytes());
        out.append(&mut state);
    }

    fn copy_line(&self, number: u64, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&[0; LENGTH + 1]);
        let [path, other] = self.lines.get(number);
        // The length plus one; 0 where the path was evicted.
        let length = path.map_or(0, |path| path.len() as u32 + 1);
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(path.unwrap_or_default());
        out.extend_from_slice(other.unwrap_or_default());
        end(out, start, LINE);
    }

    /// Returns the place where the head of `number` begins, or the next head after it.
    fn seek(&self, number: u64) -> u64 {
        let after = self.marks.partition_point(|(marked, _)| *marked <= number);
        let mark = self.marks.get(after.saturating_sub(1)).copied();
        let (mut at, mut place) = mark.unwrap_or((self.next(), self.pool.head(HEADS)));
        while at < number && at < self.next() {
            place += u64::from(self.prefix(place).length);
            at += 1;
        }
        place
    }

    fn prefix(&self, place: u64) -> Prefix {
        Prefix::from_bytes(&self.fixed(place))
    }

    /// Returns the bytes of a head from `place` on.
    fn fixed<const N: usize>(&self, place: u64) -> [u8; N] {
        let (mut fixed, mut end) = ([0; N], 0);
        self.pool.get(HEADS, place, N, &mut |part| {
            fixed[end..end + part.len()].copy_from_slice(part);
            end += part.len();
        });
        fixed
    }

    /// Forgets the heads whose blocks were evicted, if there are any, and frees bodies and states that belong to them.
    fn drop_heads(&mut self) {
        if self.marks.front().is_none_or(|(_, place)| *place >= self.pool.tail(HEADS)) {
            return;
        }
        let tail = self.pool.tail(HEADS);
        while self.marks.front().is_some_and(|(_, place)| *place < tail) {
            self.marks.pop_front();
        }
        let Some((first, place)) = self.marks.front().copied() else { return };
        self.first = first;
        let [body, answer] = self.prefix(place).places;
        self.pool.trim(BODIES, body);
        self.pool.trim(ANSWERS, answer);
        self.streams.forget_before(first);
        if self.last_ended < first {
            self.pool.trim(STREAMS, self.pool.head(STREAMS));
        }
    }
}

/// Sets the length and the flags of the record from `start` to the end of `out`.
fn end(out: &mut [u8], start: usize, flags: u8) {
    let length = (out.len() - start) as u32;
    out[start..start + LENGTH].copy_from_slice(&length.to_le_bytes());
    out[start + LENGTH] = flags;
}

#[cfg(test)]
mod tests;
