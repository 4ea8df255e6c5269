//! The progress of streams: of those that go on, and in binary form of those that have ended.

use super::bytes::{Reader, Writer};
use crate::message::progress::{Ending, Progress, State};
use std::collections::VecDeque;
use std::sync::{Arc, Weak};

/// Most bytes of a state, where the journal has room for that.
const MOST: usize = 4 << 10;
/// Most bytes of the numbers of a state, without those of its times.
const NUMBERS: usize = 48;

/// Encodes `state` in `room` bytes at most: the error and the times are cut where they need more.
pub(super) fn encode(state: &State, room: usize) -> Vec<u8> {
    let room = room.min(MOST);
    let mut bytes = vec![0; room];
    let mut out = Writer::new(&mut bytes);
    [state.pieces, state.bytes, state.lasted.into()].into_iter().for_each(|number| out.number(number));
    out.number(state.ended.map_or(0, |ended| ended as u64 + 1));
    let left = room.saturating_sub(NUMBERS) / 2;
    out.option(state.error.as_deref().map(|error| &error[..error.floor_char_boundary(left)]));
    let mut before = 0;
    // A difference of two times has five bytes at most.
    for time in state.times.iter().take(left / 5) {
        out.number(u64::from(time - before) + 1);
        before = *time;
    }
    let end = out.end();
    bytes.truncate(end);
    bytes
}

/// Decodes a state; `None` of no bytes, where it is not known.
pub(super) fn decode(bytes: &[u8]) -> Option<State> {
    let mut left = Reader::new(bytes);
    let (pieces, bytes, lasted) = (left.number()?, left.number()?, left.number()? as u32);
    let ended = left.number()?.checked_sub(1).and_then(|place| Ending::ALL.get(place as usize).copied());
    let error = left.option()?.map(String::into_boxed_str);
    let (mut times, mut time) = (Vec::new(), 0);
    while let Some(more) = left.number() {
        time += more.saturating_sub(1) as u32;
        times.push(time);
    }
    Some(State { pieces, bytes, lasted, times, ended, error })
}

/// The streams that go on, and the latest that have ended, by number of their entries. Both lists are bounded.
pub(super) struct Streams {
    /// A stream whose sender has forgotten it is unknown.
    open: VecDeque<(u64, Weak<Progress>)>,
    /// In the order in which they ended.
    ended: VecDeque<u64>,
    /// Streams that ended since the start.
    ended_in_all: u64,
    /// Ended streams whose entries were deleted, or lost before that.
    deleted: u64,
    most: usize,
}

/// A stream that has ended.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Number of its entry.
    pub number: u64,
    /// Streams that ended since the start, up to this one.
    pub count: u64,
    /// Streams that ended before it and are forgotten. Deleted ones don't count.
    pub forgotten: u64,
}

/// Bytes of a stream in both lists.
const ROW: usize = size_of::<(u64, Weak<Progress>)>() + size_of::<u64>();

impl Streams {
    /// Has room for so many streams that they need a fortieth of `budget` bytes: 2,184 of 2 MiB.
    pub(super) fn new(budget: usize) -> Streams {
        let most = budget / (40 * ROW);
        Streams { open: VecDeque::new(), ended: VecDeque::new(), ended_in_all: 0, deleted: 0, most }
    }

    /// Returns how many bytes both lists can take.
    pub(super) fn size(&self) -> usize {
        self.most * ROW
    }

    /// Returns how many bytes both lists take.
    pub(super) fn used(&self) -> usize {
        if self.open.capacity() == 0 { 0 } else { self.size() }
    }

    /// Adds a stream that begins. Where there is no room, the oldest is forgotten.
    pub(super) fn add(&mut self, number: u64, progress: &Arc<Progress>) {
        if self.open.capacity() == 0 {
            let room = self.open.try_reserve_exact(self.most).and(self.ended.try_reserve_exact(self.most));
            if self.most == 0 || room.is_err() {
                return;
            }
        }
        if self.open.len() == self.most {
            self.open.pop_front();
        }
        self.open.push_back((number, Arc::downgrade(progress)));
    }

    /// Returns the progress of a stream that goes on; `None` where it is not known.
    pub(super) fn open(&self, number: u64) -> Option<Arc<Progress>> {
        let at = self.open.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.open[at].1.upgrade()
    }

    /// Notes that a stream has ended.
    pub(super) fn end(&mut self, number: u64) {
        if let Ok(at) = self.open.binary_search_by_key(&number, |(number, _)| *number) {
            self.open.remove(at);
        }
        if self.most > 0 {
            self.ended_in_all += 1;
            if self.ended.len() == self.most {
                self.ended.pop_front();
            }
            self.ended.push_back(number);
        }
    }

    /// Returns how many streams have ended since the start.
    pub(super) fn ended_in_all(&self) -> u64 {
        self.ended_in_all
    }

    /// Returns the stream that ended after `seen` others, or the next that is known.
    pub(super) fn ended_after(&self, seen: u64) -> Option<Ended> {
        let (first, seen) = (self.ended_in_all - self.ended.len() as u64, seen.max(self.deleted));
        let at = seen.max(first);
        let number = *self.ended.get((at - first) as usize)?;
        Some(Ended { number, count: at + 1, forgotten: at - seen })
    }

    /// Forgets the streams that go on and have a number below `first`.
    pub(super) fn forget_before(&mut self, first: u64) {
        while self.open.front().is_some_and(|(number, _)| *number < first) {
            self.open.pop_front();
        }
    }

    /// Forgets all streams.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.ended.clear();
        self.deleted = self.ended_in_all;
    }
}

#[cfg(test)]
pub(super) mod tests;
