//! The callbacks that wait: for the answer before them, for their time, or for a thread.
//!
//! Their time is that of the clock of their test, so a change of the clock moves them. A frozen clock holds them.

use crate::outgoing::{Callback, Caller};
use crate::simulation::{Clock, Reading};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A callback before one of its attempts.
pub(super) struct Item {
    pub callback: Callback,
    pub caller: Arc<Caller>,
    /// From 1 on.
    pub attempt: u32,
    clock: Clock,
    /// The steady time of `clock` at which it is due, in nanoseconds.
    due: i128,
}

impl Item {
    /// Makes a callback that is due after `pause`, by `clock`.
    pub(super) fn new(
        (callback, attempt): (Callback, u32),
        caller: &Arc<Caller>,
        clock: Clock,
        pause: Duration,
        now: Moment,
    ) -> Item {
        let pause = i128::try_from(pause.as_nanos()).unwrap_or(i128::MAX / 2);
        let due = clock.at(now.real).steady + pause;
        Item { callback, caller: caller.clone(), attempt, clock, due }
    }
}

/// One point in time, by two clocks.
#[derive(Clone, Copy)]
pub(super) struct Moment {
    pub real: Reading,
    pub instant: Instant,
}

impl Moment {
    pub(super) fn now() -> Moment {
        Moment { real: Reading::real(), instant: Instant::now() }
    }
}

#[derive(Default)]
pub(super) struct Queue {
    next: u64,
    /// Those whose caller has no answer yet.
    held: BTreeMap<u64, Item>,
    timed: BTreeMap<(Instant, u64), Item>,
    /// Those whose clock does not reach their time by itself.
    frozen: BTreeMap<u64, Item>,
    /// Those that are due, in their order.
    ready: VecDeque<Item>,
}

impl Queue {
    /// Adds an item, whose time runs, but which does not leave before [`Queue::release`] with the returned number.
    pub(super) fn hold(&mut self, item: Item) -> u64 {
        self.next += 1;
        self.held.insert(self.next, item);
        self.next
    }

    pub(super) fn release(&mut self, number: u64, now: Moment) {
        if let Some(item) = self.held.remove(&number) {
            self.place(number, item, now);
        }
    }

    fn place(&mut self, number: u64, item: Item, now: Moment) {
        let wait = item.clock.real_until(item.due, now.real);
        match wait.and_then(|wait| now.instant.checked_add(wait)) {
            Some(at) => drop(self.timed.insert((at, number), item)),
            None => drop(self.frozen.insert(number, item)),
        }
    }

    /// Takes the first item that is due at `now`.
    pub(super) fn take(&mut self, now: Instant) -> Option<Item> {
        while let Some(first) = self.timed.first_entry().filter(|first| first.key().0 <= now) {
            self.ready.push_back(first.remove());
        }
        self.ready.pop_front()
    }

    /// Returns the time at which the next item is due that is not yet.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.timed.first_key_value().map(|((at, _), _)| *at)
    }

    /// Moves the items to the clocks that are set now. `find` returns the clock for the members of a request.
    pub(super) fn change_clocks(&mut self, now: Moment, find: impl Fn(&[String]) -> Clock) {
        let change = |item: &mut Item| {
            let clock = find(&item.caller.members);
            // A clock that is removed goes back by what it was advanced. The time that is left stays.
            let jump = clock.at(now.real).steady - item.clock.at(now.real).steady;
            item.due += jump.min(0);
            item.clock = clock;
        };
        self.held.values_mut().for_each(change);
        let timed = std::mem::take(&mut self.timed).into_iter().map(|((_, number), item)| (number, item));
        let moved: Vec<(u64, Item)> = timed.chain(std::mem::take(&mut self.frozen)).collect();
        for (number, mut item) in moved {
            change(&mut item);
            self.place(number, item, now);
        }
    }

    /// Removes and returns the items that `goes` chooses. It gets the time at which an item is due; `None` if that is not known.
    pub(super) fn remove(&mut self, goes: impl Fn(&Item, Option<Instant>) -> bool) -> Vec<Item> {
        let now = Instant::now();
        let mut removed: Vec<Item> = Vec::new();
        removed.extend(self.held.extract_if(.., |_, item| goes(item, Some(now))).map(|(_, item)| item));
        removed.extend(self.frozen.extract_if(.., |_, item| goes(item, None)).map(|(_, item)| item));
        removed
            .extend(self.timed.extract_if(.., |(at, _), item| goes(item, Some(*at))).map(|(_, item)| item));
        let (gone, ready) =
            std::mem::take(&mut self.ready).into_iter().partition(|item| goes(item, Some(now)));
        self.ready = ready;
        removed.extend::<VecDeque<Item>>(gone);
        removed
    }

    pub(super) fn len(&self) -> usize {
        self.held.len() + self.timed.len() + self.frozen.len() + self.ready.len()
    }
}
