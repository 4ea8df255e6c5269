//! Lines: method, path, rule, endpoint, status and generation of an entry, in four bytes. They are kept longest.
//!
//! A line is two numbers of rows: one row has the path, the other has the rest. Entries with the same text share its row.

mod table;

use std::collections::TryReserveError;
use table::{NONE, ROW, Table, is_same};

/// A row has all of its [`Key`] but the path.
pub(super) const ALL: u8 = 0;
/// A row has all but path and generation.
pub(super) const NO_GENERATION: u8 = 1;
/// A row has method and status only.
pub(super) const NO_RULE: u8 = 2;
/// The table had no room for a row.
pub(super) const NOTHING: u8 = 3;

/// The values of a line.
#[derive(Default)]
pub(super) struct Key<'k> {
    pub path: &'k str,
    pub method: &'k str,
    /// The rule and its endpoint.
    pub rule: Option<(&'k str, &'k str)>,
    pub status: u16,
    pub generation: u64,
    /// Whether the answer is a stream.
    pub streams: bool,
    /// Whether another server answered.
    pub forwarded: bool,
    /// Whether the request left as a callback.
    pub callback: bool,
}

/// Bytes of a row before its texts: level, status, generation, and the lengths of method and rule.
const FIXED: usize = 16;
/// Bit in the byte of the level: a rule served the request.
const HAS_RULE: u8 = 0x10;
/// Bit in the same byte: the answer is a stream.
const STREAMS: u8 = 0x20;
/// Bit in the same byte: another server answered.
const FORWARDED: u8 = 0x40;
/// Bit in the same byte: the request left as a callback.
const CALLBACK: u8 = 0x80;
/// The other bits of that byte.
const LEVEL: u8 = 0xf;

impl<'k> Key<'k> {
    /// Reads a row. Returns its key, without the path, and how much of the key it has ([`ALL`] to [`NO_RULE`]).
    pub(super) fn from_row(row: &'k [u8]) -> Option<(Key<'k>, u8)> {
        let (fixed, texts) = row.split_first_chunk::<FIXED>()?;
        let number = |from, to| fixed[from..to].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let (method, rest) = texts.split_at_checked(number(9, 12) as usize)?;
        let (rule, endpoint) = rest.split_at_checked(number(12, 16) as usize)?;
        let [method, rule, endpoint] = [method, rule, endpoint].map(std::str::from_utf8);
        let rule = (fixed[0] & HAS_RULE != 0).then_some((rule.ok()?, endpoint.ok()?));
        let (status, generation) = (number(1, 3) as u16, number(3, 9));
        let [streams, forwarded, callback] = [STREAMS, FORWARDED, CALLBACK].map(|bit| fixed[0] & bit != 0);
        let method = method.ok()?;
        let key = Key { path: "", method, rule, status, generation, streams, forwarded, callback };
        Some((key, fixed[0] & LEVEL))
    }

    /// Whether `row` has all of this key but the path.
    fn is_row(&self, row: &[u8]) -> bool {
        let (fixed, texts) = self.parts(ALL);
        row.split_first_chunk().is_some_and(|(known, rest)| {
            u128::from_le_bytes(*known) == u128::from_le_bytes(fixed) && is_same(rest, &texts)
        })
    }

    /// Returns the parts of the row for this key, with as much of the key as `level` says.
    fn parts(&self, level: u8) -> ([u8; FIXED], [&[u8]; 3]) {
        let generation = if level == ALL { self.generation } else { 0 };
        let (flags, rule, endpoint) = match self.rule {
            Some((rule, endpoint)) if level < NO_RULE => (level | HAS_RULE, rule, endpoint),
            _ => (level, "", ""),
        };
        let bits = [(self.streams, STREAMS), (self.forwarded, FORWARDED), (self.callback, CALLBACK)];
        let flags = bits.iter().filter(|(is_set, _)| *is_set).fold(flags, |flags, (_, bit)| flags | bit);
        let first = u64::from(flags) | u64::from(self.status) << 8 | generation << 24;
        let second =
            generation >> 40 & 0xff | (self.method.len() as u64 & 0xff_ffff) << 8 | (rule.len() as u64) << 32;
        let fixed = u128::from(first) | u128::from(second) << 64;
        (fixed.to_le_bytes(), [self.method.as_bytes(), rule.as_bytes(), endpoint.as_bytes()])
    }
}

/// The lines of the latest entries, by number of the entry.
pub(super) struct Lines {
    lines: Vec<[u16; 2]>,
    size: usize,
    /// Index of the next line.
    place: usize,
    /// Number of the oldest line; equal to `next` where there is no line.
    first: u64,
    next: u64,
    paths: Table,
    others: Table,
    /// Bytes of all texts, and the limit for them.
    texts: usize,
    most_texts: usize,
}

impl Lines {
    /// Creates room for as many lines as fit into two fifths of `budget` bytes: 100,000 of 2 MiB, with 1,000 paths. The system provides
    /// the memory when it is first written.
    ///
    /// # Errors
    /// The system has not enough memory.
    pub(super) fn new(budget: usize) -> Result<Lines, TryReserveError> {
        let size = budget / 20;
        let mut lines = Vec::new();
        lines.try_reserve_exact(size)?;
        let (paths, others) = (Table::new(budget / 2000)?, Table::new(budget / 500)?);
        let most_texts = budget / 10;
        Ok(Lines { lines, size, place: 0, first: 1, next: 1, paths, others, texts: 0, most_texts })
    }

    /// Returns how many bytes lines and texts can take together.
    pub(super) fn size(&self) -> usize {
        self.size * 4 + (self.paths.most + self.others.most) * ROW + self.most_texts
    }

    /// Returns how many bytes are in use.
    pub(super) fn used(&self) -> usize {
        (self.next - self.first) as usize * 4
            + (self.paths.rows.len() + self.others.rows.len()) * ROW
            + self.texts
    }

    pub(super) fn first(&self) -> u64 {
        self.first
    }

    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Adds a line. The oldest line is evicted where there is no room.
    pub(super) fn push(&mut self, key: &Key) {
        if (self.next - self.first) as usize >= self.size {
            let [path, other] = self.lines[self.place];
            self.texts -= self.paths.release(path) + self.others.release(other);
            self.first += 1;
        }
        let path = self.paths.again(|text| text == key.path.as_bytes());
        let path = path.unwrap_or_else(|| self.enter_path(key));
        let other = self.others.again(|row| key.is_row(row));
        let other = other.unwrap_or_else(|| self.enter_other(key));
        self.next += 1;
        match self.lines.get_mut(self.place) {
            Some(line) => *line = [path, other],
            None => self.lines.push([path, other]),
        }
        self.place += 1;
        if self.place == self.size {
            self.place = 0;
        }
    }

    fn enter_path(&mut self, key: &Key) -> u16 {
        let room = self.most_texts - self.texts;
        let (row, taken) = self.paths.enter(&[key.path.as_bytes()], self.paths.most, room);
        self.texts += taken;
        row
    }

    /// Enters the row without the path. The fuller the table is, the less of the key a new row has: method and status find room longest,
    /// since tests ask for them most.
    fn enter_other(&mut self, key: &Key) -> u16 {
        let most = self.others.most;
        for (level, most) in [(ALL, most / 2), (NO_GENERATION, most - most / 8), (NO_RULE, most)] {
            let (fixed, [method, rule, endpoint]) = key.parts(level);
            let room = self.most_texts - self.texts;
            let (row, taken) = self.others.enter(&[&fixed, method, rule, endpoint], most, room);
            self.texts += taken;
            if row != NONE {
                return row;
            }
        }
        NONE
    }

    /// Returns the path of entry `number`, and the row that has the rest.
    pub(super) fn get(&self, number: u64) -> [Option<&[u8]>; 2] {
        let [path, other] = self.lines[((number - 1) % self.size as u64) as usize];
        [self.paths.text(path), self.others.text(other)]
    }

    /// Drops all lines. Numbers continue.
    pub(super) fn clear(&mut self) {
        (self.first, self.texts) = (self.next, 0);
        self.paths.clear();
        self.others.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'k>(path: &'k str, rule: &'k str, generation: u64) -> Key<'k> {
        let rule = Some((rule, "show"));
        Key { path, method: "GET", rule, status: 200, generation, ..Key::default() }
    }

    #[test]
    fn a_hundred_thousand_lines_of_a_thousand_paths_fit_into_two_fifths_of_two_mib() {
        let mut lines = Lines::new(2 << 20).unwrap();
        assert!(lines.size() * 10 < (2 << 20) * 45, "{}", lines.size());
        let paths: Vec<String> = (0..1000).map(|n| format!("/api/v1/customers/{n}/orders")).collect();
        for number in 1..=250_000_u64 {
            let path = &paths[number as usize % 1000];
            lines.push(&Key { status: 200 + (number % 2) as u16, ..key(path, path, 1) });
            assert!(lines.used() <= lines.size());
        }
        assert!(lines.next() - lines.first() >= 100_000 && lines.next() == 250_001);
        for number in lines.first()..lines.next() {
            let [path, other] = lines.get(number);
            assert_eq!(path, Some(paths[number as usize % 1000].as_bytes()));
            assert_eq!(other.unwrap()[1], 200 + (number % 2) as u8);
        }
    }

    #[test]
    fn a_row_that_finds_no_room_is_unknown_until_others_are_evicted() {
        let mut lines = Lines::new(64 << 10).unwrap();
        let most = lines.paths.most;
        let level = |lines: &Lines, number| lines.get(number)[1].map_or(NOTHING, |row| row[0] & 0xf);
        for number in 1..=200_u64 {
            lines.push(&key(&format!("/{number}"), "/<id>", number));
            assert_eq!(lines.get(number)[0].is_some(), number <= most as u64, "{number}");
            let expected = if number <= lines.others.most as u64 / 2 { ALL } else { NO_GENERATION };
            assert_eq!(level(&lines, number), expected, "{number}");
        }
        // A text that is too long takes no room.
        lines.push(&key(&"x".repeat(10 << 10), "/x", 1));
        assert_eq!((lines.get(201)[0], level(&lines, 201)), (None, NO_GENERATION));
        let long = "x".repeat(10 << 10);
        lines.push(&key("/1", &long, 1));
        assert_eq!((lines.get(202)[0], level(&lines, 202)), (Some(&b"/1"[..]), NO_RULE));
        lines.push(&Key { method: &long, ..key("/1", "/", 1) });
        assert_eq!(level(&lines, 203), NOTHING);
        for _ in 0..lines.size {
            lines.push(&key("/same", "/same", 1));
        }
        assert_eq!(lines.paths.rows.len() - lines.paths.free.len(), 1);
        lines.push(&key("/new", "/new", 7));
        let last = lines.next() - 1;
        assert_eq!((lines.get(last)[0], level(&lines, last)), (Some(&b"/new"[..]), ALL));
        lines.clear();
        assert_eq!((lines.used(), lines.first()), (0, lines.next()));
    }

    #[test]
    fn a_fuller_table_keeps_less_of_each_new_rule() {
        let mut lines = Lines::new(64 << 10).unwrap();
        let most = lines.others.most as u64;
        for number in 1..=200_u64 {
            lines.push(&key("/", &format!("/{number}"), 1));
            let expected = match number {
                _ if number <= most / 2 => ALL,
                _ if number <= most - most / 8 => NO_GENERATION,
                _ => NO_RULE,
            };
            assert_eq!(lines.get(number)[1].unwrap()[0] & 0xf, expected, "{number}");
        }
    }
}
