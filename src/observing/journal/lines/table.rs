//! Texts with numbers: each is kept once for all lines that have it.

use std::collections::TryReserveError;

/// Bytes of a row without its text, but with its places in the index and in the list of free rows.
pub(super) const ROW: usize = size_of::<Row>() + 2 * size_of::<u16>();
/// Bytes that the allocator needs for each text.
const ALLOCATION: usize = 16;
/// Stands for the number of a row where the table had no room for it.
pub(super) const NONE: u16 = u16::MAX;

/// Texts with numbers. A text is kept as long as a line refers to its row.
pub(super) struct Table {
    pub(super) rows: Vec<Row>,
    /// Numbers of the rows that no line refers to.
    pub(super) free: Vec<u16>,
    /// The first row for each hash, modulo the length of this list.
    index: Vec<u16>,
    /// The row that was used last: the same request often comes many times in a row.
    last: u16,
    /// Most rows.
    pub(super) most: usize,
}

pub(super) struct Row {
    text: Box<[u8]>,
    hash: u32,
    /// How many lines refer to it.
    count: u32,
    /// The next row with the same place in the index.
    next: u16,
}

impl Table {
    pub(super) fn new(most: usize) -> Result<Table, TryReserveError> {
        let most = most.min(usize::from(NONE) - 1);
        let (mut rows, mut free, mut index) = (Vec::new(), Vec::new(), Vec::new());
        rows.try_reserve_exact(most)?;
        free.try_reserve_exact(most)?;
        index.resize((most / 2 + 1).next_power_of_two(), NONE);
        Ok(Table { rows, free, index, last: NONE, most })
    }

    /// Returns the row that was used last, for one more line, if `is_right` accepts it.
    pub(super) fn again(&mut self, is_right: impl FnOnce(&[u8]) -> bool) -> Option<u16> {
        let row = self.rows.get_mut(usize::from(self.last))?;
        if row.count == 0 || !is_right(&row.text) {
            return None;
        }
        row.count += 1;
        Some(self.last)
    }

    /// Returns the row of the text that consists of `parts`, and how many bytes it has added.
    ///
    /// Creates the row where there is none. Returns [`NONE`] if `most` rows are in use, or if the row needs more than `room` bytes.
    pub(super) fn enter(&mut self, parts: &[&[u8]], most: usize, room: usize) -> (u16, usize) {
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

    /// Removes one line's reference to a row. Returns how many bytes that has freed.
    pub(super) fn release(&mut self, at: u16) -> usize {
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

    pub(super) fn text(&self, at: u16) -> Option<&[u8]> {
        self.rows.get(usize::from(at)).map(|row| &*row.text)
    }

    pub(super) fn clear(&mut self) {
        self.rows.clear();
        self.free.clear();
        self.index.fill(NONE);
    }
}

/// Hashes eight bytes at a time. A client that sends texts with equal hashes makes requests slower by some microseconds only: the
/// tables are small.
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

/// Whether `text` consists of `parts`.
pub(super) fn is_same(text: &[u8], parts: &[&[u8]]) -> bool {
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

    #[test]
    fn a_text_takes_its_bytes_and_an_allocation() {
        let mut table = Table::new(100).unwrap();
        let needed = 4 + ALLOCATION;
        assert_eq!(table.enter(&[b"text"], 100, needed - 1), (NONE, 0));
        assert_eq!(table.enter(&[b"text"], 100, needed), (0, needed));
        assert_eq!((table.again(|text| text == b"text"), table.release(0)), (Some(0), 0));
        assert_eq!((table.release(0), table.again(|_| true)), (needed, None));
    }

    #[test]
    fn texts_with_the_same_hash_have_rows_of_their_own() {
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
