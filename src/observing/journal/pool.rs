//! Memory of the journal: a fixed number of blocks, shared by four lanes of bytes.
//!
//! Where no block is free, the oldest block of a lane is evicted: first of the answers' bodies, then of the requests' bodies, then of
//! the ends of streams, then of the heads. Each lane keeps a share for its newest bytes. The pool does not know what the bytes mean.

use std::collections::{TryReserveError, VecDeque};

/// Names a lane: its index in [`Pool::lanes`].
pub(super) type Kind = usize;
pub(super) const HEADS: Kind = 0;
pub(super) const BODIES: Kind = 1;
pub(super) const ANSWERS: Kind = 2;
pub(super) const STREAMS: Kind = 3;

/// A pool has at least so many blocks, and less than twice as many.
const BLOCKS: usize = 32;

pub(super) struct Pool {
    bytes: Vec<u8>,
    /// A block has `1 << shift` bytes.
    shift: u32,
    /// Most blocks in use.
    count: usize,
    free: Vec<u16>,
    lanes: [Lane; 4],
}

/// A queue of bytes. A place in it is the number of bytes that were put before it, so it stays the same while older blocks are evicted.
#[derive(Default)]
struct Lane {
    blocks: VecDeque<u16>,
    /// Number of blocks that were evicted from the front.
    gone: u64,
    /// Index in [`Pool::bytes`] where the newest block ends, and how many bytes before it are free.
    end: usize,
    left: usize,
}

impl Pool {
    /// Creates a pool of at most `budget` bytes. The system provides the memory when it is first written.
    ///
    /// # Errors
    /// The system has not enough memory.
    pub(super) fn new(budget: usize) -> Result<Pool, TryReserveError> {
        let shift = (budget / BLOCKS).checked_ilog2().unwrap_or_default();
        let count = budget >> shift;
        let (mut bytes, mut free) = (Vec::new(), Vec::new());
        bytes.try_reserve_exact(count << shift)?;
        free.try_reserve_exact(count)?;
        let mut pool = Pool { bytes, shift, count, free, lanes: Default::default() };
        for lane in &mut pool.lanes {
            lane.blocks.try_reserve_exact(count)?;
        }
        Ok(pool)
    }

    /// Returns how many bytes the lanes can hold together.
    pub(super) fn size(&self) -> usize {
        self.count << self.shift
    }

    /// Returns how many bytes the blocks in use have.
    pub(super) fn used(&self) -> usize {
        self.lanes.iter().map(|lane| lane.blocks.len()).sum::<usize>() << self.shift
    }

    /// Returns the place in a lane where the next part begins.
    pub(super) fn head(&self, kind: Kind) -> u64 {
        let lane = &self.lanes[kind];
        ((lane.gone + lane.blocks.len() as u64) << self.shift) - lane.left as u64
    }

    /// Returns the first place of a lane that was not evicted.
    pub(super) fn tail(&self, kind: Kind) -> u64 {
        self.lanes[kind].gone << self.shift
    }

    /// Whether two places lie in one block.
    pub(super) fn is_same_block(&self, one: u64, other: u64) -> bool {
        one >> self.shift == other >> self.shift
    }

    /// Appends `part` to a lane. A part has at most an eighth of the pool's size, a head a quarter, a state a sixteenth.
    pub(super) fn put(&mut self, kind: Kind, mut part: &[u8]) {
        while !part.is_empty() {
            if self.lanes[kind].left == 0 {
                self.add_block(kind);
            }
            let lane = &mut self.lanes[kind];
            let (here, rest) = part.split_at(part.len().min(lane.left));
            let start = lane.end - lane.left;
            self.bytes[start..start + here.len()].copy_from_slice(here);
            lane.left -= here.len();
            part = rest;
        }
    }

    /// Calls `each` with the `length` bytes from `place` on, in one or several pieces. They must not have been evicted.
    pub(super) fn get(&self, kind: Kind, mut place: u64, mut length: usize, each: &mut dyn FnMut(&[u8])) {
        let block = 1 << self.shift;
        while length > 0 {
            let here = length.min(block - (place as usize & (block - 1)));
            let start = self.start(kind, place);
            each(&self.bytes[start..start + here]);
            (place, length) = (place + here as u64, length - here);
        }
    }

    /// Overwrites the bytes from `place` on. They must not have been evicted.
    pub(super) fn set(&mut self, kind: Kind, place: u64, bytes: &[u8]) {
        for (place, byte) in (place..).zip(bytes) {
            let at = self.start(kind, place);
            self.bytes[at] = *byte;
        }
    }

    /// Frees the blocks of a lane that end before `place`.
    pub(super) fn trim(&mut self, kind: Kind, place: u64) {
        while !self.lanes[kind].blocks.is_empty() && self.tail(kind) + (1 << self.shift) <= place {
            self.drop_block(kind);
        }
    }

    /// Frees all blocks.
    pub(super) fn clear(&mut self) {
        for kind in [HEADS, BODIES, ANSWERS, STREAMS] {
            while !self.lanes[kind].blocks.is_empty() {
                self.drop_block(kind);
            }
        }
    }

    /// Returns the index of a place in [`Pool::bytes`].
    fn start(&self, kind: Kind, place: u64) -> usize {
        let lane = &self.lanes[kind];
        let index = ((place >> self.shift) - lane.gone) as usize;
        usize::from(lane.blocks[index]) << self.shift | place as usize & ((1 << self.shift) - 1)
    }

    fn add_block(&mut self, kind: Kind) {
        if self.free.is_empty() {
            let unused = self.bytes.len() >> self.shift;
            if unused < self.count {
                let end = (unused + 1) << self.shift;
                // Not `resize`: compiled for size, it writes byte by byte.
                while self.bytes.len() < end {
                    self.bytes.extend_from_slice(&[0; 1 << 10][..(end - self.bytes.len()).min(1 << 10)]);
                }
                self.free.push(unused as u16);
            } else {
                self.drop_block(self.next_to_evict());
            }
        }
        if let Some(block) = self.free.pop() {
            let lane = &mut self.lanes[kind];
            lane.blocks.push_back(block);
            (lane.end, lane.left) = ((usize::from(block) + 1) << self.shift, 1 << self.shift);
        }
    }

    /// Returns the lane whose oldest block is evicted next. The newest part of each lane is never evicted.
    fn next_to_evict(&self) -> Kind {
        let count = |kind: Kind| self.lanes[kind].blocks.len();
        if count(ANSWERS) > self.count / 8 + 1 {
            ANSWERS
        } else if count(BODIES) > self.count / 4 {
            BODIES
        } else if count(STREAMS) > self.count / 16 + 1 {
            STREAMS
        } else {
            HEADS
        }
    }

    fn drop_block(&mut self, kind: Kind) {
        let lane = &mut self.lanes[kind];
        self.free.extend(lane.blocks.pop_front());
        lane.gone += 1;
        if lane.blocks.is_empty() {
            lane.left = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pool: &Pool, kind: Kind, place: u64, length: usize) -> Vec<u8> {
        let mut out = Vec::new();
        pool.get(kind, place, length, &mut |part| out.extend_from_slice(part));
        out
    }

    #[test]
    fn answers_are_evicted_before_bodies_and_bodies_before_heads_and_the_newest_stay() {
        let mut pool = Pool::new(100 << 10).unwrap();
        assert_eq!((pool.size(), pool.used()), (100 << 10, 0));
        // Bodies nearly as long as a pool of this size takes, so that they begin anywhere in a block.
        let parts = [(HEADS, 300), (BODIES, 900), (ANSWERS, pool.size() / 8 - 1)];
        let mut places = Vec::new();
        for number in 0..1000_usize {
            let [head, body, answer] = parts.map(|(kind, length)| {
                let place = pool.head(kind);
                pool.put(kind, &vec![number as u8; length]);
                place
            });
            places.push([head, body, answer]);
            assert!(pool.used() <= pool.size());
            let first =
                |kind: Kind| places.iter().position(|places| places[kind] >= pool.tail(kind)).unwrap();
            let firsts = [HEADS, BODIES, ANSWERS].map(first);
            assert!(firsts.is_sorted(), "{firsts:?}");
            for (kind, length) in parts {
                for at in [firsts[kind], number] {
                    let found = read(&pool, kind, places[at][kind], length);
                    assert!(found == vec![at as u8; length], "{number} {kind} {at}");
                }
            }
        }
        let kept = [HEADS, BODIES, ANSWERS].map(|kind| (pool.head(kind) - pool.tail(kind)) as usize * 100);
        assert!(kept[HEADS] > pool.size() * 55 && kept[BODIES] > pool.size() * 22, "{kept:?}");
        pool.clear();
        assert_eq!(pool.used(), 0);
    }

    #[test]
    fn a_lane_gets_all_blocks_while_the_others_need_none() {
        let mut pool = Pool::new(64 << 10).unwrap();
        for kind in [ANSWERS, HEADS, STREAMS, BODIES] {
            (0..40).for_each(|_| pool.put(kind, &[1; 2 << 10]));
            assert!(pool.used() == pool.size(), "{kind}");
        }
        let place = pool.head(HEADS);
        pool.trim(HEADS, place);
        pool.trim(BODIES, 0);
        assert_eq!((pool.tail(HEADS), pool.head(HEADS)), (place, place));
    }

    #[test]
    fn bytes_are_overwritten_where_they_are() {
        let mut pool = Pool::new(64 << 10).unwrap();
        pool.put(HEADS, &[1; 3 << 10]);
        // Across the end of a block.
        pool.set(HEADS, (2 << 10) - 2, &[7; 4]);
        assert_eq!(read(&pool, HEADS, (2 << 10) - 3, 6), [1, 7, 7, 7, 7, 1]);
    }

    #[test]
    fn a_budget_beyond_the_memory_is_an_error() {
        assert!(Pool::new(isize::MAX as usize).is_err());
    }
}
