//! What is known longest of a request: method, path, rule, endpoint, status and generation, in four bytes. Texts are kept once for
//! all requests that have them.

use std::collections::TryReserveError;

/// Bytes of a row beside its text, with its places in the index and in the list of free rows.
const ROW: usize = size_of::<Row>() + 2 * size_of::<u16>();
/// Bytes that the allocator takes for a text beside the text.
const ALLOCATION: usize = 16;
/// In place of a row's number: the table had no room.
const NONE: u16 = u16::MAX;

/// What a row tells beside the path: all; all but the generation; method and status.
pub(super) const ALL: u8 = 0;
pub(super) const NO_GENERATION: u8 = 1;
pub(super) const NO_RULE: u8 = 2;
/// Nothing.
pub(super) const NOTHING: u8 = 3;

/// What becomes a line.
pub(super) struct Key<'k> {
    pub path: &'k str,
    pub method: &'k str,
    /// The rule and its endpoint.
    pub rule: Option<(&'k str, &'k str)>,
    pub status: u16,
    pub generation: u64,
}

/// Bytes before the texts of a row that has all but the path.
const FIXED: usize = 16;
/// Beside the level: a rule served it.
const HAS_RULE: u8 = 0x10;

impl<'k> Key<'k> {
    /// Reads a row; tells how much of the key it has ([`ALL`] to [`NOTHING`]).
    pub(super) fn from_row(path: &'k str, row: &'k [u8]) -> Option<(Key<'k>, u8)> {
        let (fixed, texts) = row.split_first_chunk::<FIXED>()?;
        let number = |from, to| fixed[from..to].iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
        let (method, rest) = texts.split_at_checked(number(9, 12) as usize)?;
        let (rule, endpoint) = rest.split_at_checked(number(12, 16) as usize)?;
        let [method, rule, endpoint] = [method, rule, endpoint].map(std::str::from_utf8);
        let rule = (fixed[0] & HAS_RULE != 0).then_some((rule.ok()?, endpoint.ok()?));
        let (status, generation) = (number(1, 3) as u16, number(3, 9));
        Some((Key { path, method: method.ok()?, rule, status, generation }, fixed[0] & !HAS_RULE))
    }

    /// Whether the row has all of it but the path.
    fn is_row(&self, row: &[u8]) -> bool {
        let (fixed, texts) = self.parts(ALL);
        row.split_first_chunk().is_some_and(|(known, rest)| {
            u128::from_le_bytes(*known) == u128::from_le_bytes(fixed) && is_same(rest, &texts)
        })
    }

    /// The parts of the row for this key without its path, with as much as `level` says.
    fn parts(&self, level: u8) -> ([u8; FIXED], [&[u8]; 3]) {
        let generation = if level == ALL { self.generation } else { 0 };
        let (flags, rule, endpoint) = match self.rule {
            Some((rule, endpoint)) if level < NO_RULE => (level | HAS_RULE, rule, endpoint),
            _ => (level, "", ""),
        };
        let first = u64::from(flags) | u64::from(self.status) << 8 | generation << 24;
        let second =
            generation >> 40 & 0xff | (self.method.len() as u64 & 0xff_ffff) << 8 | (rule.len() as u64) << 32;
        let fixed = u128::from(first) | u128::from(second) << 64;
        (fixed.to_le_bytes(), [self.method.as_bytes(), rule.as_bytes(), endpoint.as_bytes()])
    }
}

/// The lines that are kept, by their numbers.
pub(super) struct Lines {
    lines: Vec<[u16; 2]>,
    size: usize,
    /// Where the next one goes.
    place: usize,
    /// Number of the oldest; of the next one, if there is none.
    first: u64,
    next: u64,
    paths: Table,
    others: Table,
    /// Bytes of texts, and the most.
    texts: usize,
    most_texts: usize,
}

impl Lines {
    /// As many as two fifths of `budget` can hold, in all: 100,000 of 2 MiB, with 1,000 paths. What is not written yet takes up no
    /// memory.
    ///
    /// # Errors
    /// There is not as much.
    pub(super) fn new(budget: usize) -> Result<Lines, TryReserveError> {
        let size = budget / 20;
        let mut lines = Vec::new();
        lines.try_reserve_exact(size)?;
        let (paths, others) = (Table::new(budget / 2000)?, Table::new(budget / 500)?);
        let most_texts = budget / 10;
        Ok(Lines { lines, size, place: 0, first: 1, next: 1, paths, others, texts: 0, most_texts })
    }

    /// Bytes that all of it can take up.
    pub(super) fn size(&self) -> usize {
        self.size * 4 + (self.paths.most + self.others.most) * ROW + self.most_texts
    }

    /// Bytes that are taken up.
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

    /// Adds one; the oldest goes where there is no room.
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

    /// Where a line is: number 1 comes first.
    fn index(&self, number: u64) -> usize {
        ((number - 1) % self.size as u64) as usize
    }

    fn enter_path(&mut self, key: &Key) -> u16 {
        let room = self.most_texts - self.texts;
        let (row, taken) = self.paths.enter(&[key.path.as_bytes()], self.paths.most, room);
        self.texts += taken;
        row
    }

    /// The more the table has, the less each new row tells: what tests ask for most has room longest.
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

    /// What is kept of `number`: the path, and the row that has all else.
    pub(super) fn get(&self, number: u64) -> [Option<&[u8]>; 2] {
        let [path, other] = self.lines[self.index(number)];
        [self.paths.text(path), self.others.text(other)]
    }

    /// Drops all; numbers go on.
    pub(super) fn clear(&mut self) {
        (self.first, self.texts) = (self.next, 0);
        self.paths.clear();
        self.others.clear();
    }
}

/// Texts with a number each, as long as a line has them.
struct Table {
    rows: Vec<Row>,
    /// Rows that no line has.
    free: Vec<u16>,
    /// By hash: the first row with it.
    index: Vec<u16>,
    /// The row that was asked for last: requests often come in runs of the same.
    last: u16,
    most: usize,
}

struct Row {
    text: Box<[u8]>,
    hash: u32,
    /// So many lines have it.
    count: u32,
    /// The next one with the same place in the index.
    next: u16,
}

impl Table {
    fn new(most: usize) -> Result<Table, TryReserveError> {
        let most = most.min(usize::from(NONE) - 1);
        let (mut rows, mut free, mut index) = (Vec::new(), Vec::new(), Vec::new());
        rows.try_reserve_exact(most)?;
        free.try_reserve_exact(most)?;
        index.resize((most / 2 + 1).next_power_of_two(), NONE);
        Ok(Table { rows, free, index, last: NONE, most })
    }

    /// The row that was asked for last, for one more line, if it is the right one.
    fn again(&mut self, is_right: impl FnOnce(&[u8]) -> bool) -> Option<u16> {
        let row = self.rows.get_mut(usize::from(self.last))?;
        if row.count == 0 || !is_right(&row.text) {
            return None;
        }
        row.count += 1;
        Some(self.last)
    }

    /// The row of the text that `parts` make up: the one that there is, or a new one if fewer than `most` are in use and it takes at
    /// most `room` bytes; and the bytes that it takes.
    fn enter(&mut self, parts: &[&[u8]], most: usize, room: usize) -> (u16, usize) {
        let hash = hash(parts);
        let place = hash as usize & (self.index.len() - 1);
        let mut at = self.index[place];
        while let Some(row) = self.rows.get_mut(usize::from(at)) {
            if row.hash == hash && is_same(&row.text, parts) {
                row.count += 1;
                self.last = at;
                return (at, 0);
            }
            at = row.next;
        }
        let length = parts.iter().map(|part| part.len()).sum::<usize>();
        if self.rows.len() - self.free.len() >= most || length + ALLOCATION > room {
            return (NONE, 0);
        }
        let row = Row { text: parts.concat().into(), hash, count: 1, next: self.index[place] };
        let at = match self.free.pop() {
            Some(at) => {
                self.rows[usize::from(at)] = row;
                at
            }
            None => {
                self.rows.push(row);
                (self.rows.len() - 1) as u16
            }
        };
        (self.index[place], self.last) = (at, at);
        (at, length + ALLOCATION)
    }

    /// A line that has this row goes; gives the bytes that are free by it.
    fn release(&mut self, at: u16) -> usize {
        let Some(row) = self.rows.get_mut(usize::from(at)) else { return 0 };
        row.count -= 1;
        if row.count > 0 {
            return 0;
        }
        let (text, next) = (std::mem::take(&mut row.text), row.next);
        let place = row.hash as usize & (self.index.len() - 1);
        let mut before = self.index[place];
        if before == at {
            self.index[place] = next;
        }
        while let Some(row) = self.rows.get_mut(usize::from(before)) {
            before = row.next;
            if before == at {
                row.next = next;
            }
        }
        self.free.push(at);
        text.len() + ALLOCATION
    }

    fn text(&self, at: u16) -> Option<&[u8]> {
        self.rows.get(usize::from(at)).map(|row| &*row.text)
    }

    fn clear(&mut self) {
        self.rows.clear();
        self.free.clear();
        self.index.fill(NONE);
    }
}

/// Eight bytes at a time. Clients who choose texts with one hash make a request some microseconds slower: tables are small.
fn hash(parts: &[&[u8]]) -> u32 {
    let mut hash = 0_u64;
    let mut add = |word: u64| hash = (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for part in parts {
        let (words, rest) = part.as_chunks::<8>();
        words.iter().for_each(|word| add(u64::from_le_bytes(*word)));
        add(rest.iter().fold(part.len() as u64, |word, byte| word << 8 | u64::from(*byte)));
    }
    (hash >> 32) as u32
}

fn is_same(text: &[u8], parts: &[&[u8]]) -> bool {
    let mut left = text;
    for part in parts {
        match left.split_at_checked(part.len()) {
            Some((same, rest)) if same == *part => left = rest,
            _ => return false,
        }
    }
    left.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key<'k>(path: &'k str, rule: &'k str, generation: u64) -> Key<'k> {
        Key { path, method: "GET", rule: Some((rule, "show")), status: 200, generation }
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
    fn what_finds_no_room_is_not_known_until_others_go() {
        let mut lines = Lines::new(64 << 10).unwrap();
        let most = lines.paths.most;
        let level = |lines: &Lines, number| lines.get(number)[1].map_or(NOTHING, |row| row[0] & 0xf);
        for number in 1..=200_u64 {
            lines.push(&key(&format!("/{number}"), "/<id>", number));
            assert_eq!(lines.get(number)[0].is_some(), number <= most as u64, "{number}");
            let expected = if number <= lines.others.most as u64 / 2 { ALL } else { NO_GENERATION };
            assert_eq!(level(&lines, number), expected, "{number}");
        }
        // A text that is too long leaves the room to others.
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
    fn texts_with_the_same_hash_are_told_apart() {
        let mut table = Table::new(100).unwrap();
        table.index = vec![NONE];
        let texts: Vec<String> = (0..100).map(|n| n.to_string()).collect();
        let enter = |table: &mut Table, text: &String| table.enter(&[text.as_bytes(), b""], 100, 1000).0;
        for text in &texts {
            let row = enter(&mut table, text);
            assert_eq!(table.text(row), Some(text.as_bytes()));
            assert_eq!(enter(&mut table, text), row);
        }
        for at in (0..100).rev().chain(0..100) {
            table.release(at);
        }
        assert_eq!(table.free.len(), 100);
        assert!(table.index == [NONE]);
    }
}
