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
    /// Items whose caller has no answer yet.
    held: BTreeMap<u64, Item>,
    timed: BTreeMap<(Instant, u64), Item>,
    /// Items whose clock does not reach their time by itself.
    frozen: BTreeMap<u64, Item>,
    /// Items that are due, in their order.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http_client::Url;
    use crate::simulation::{SECOND, Speed};

    /// One point in time, `seconds` after the start of the test.
    fn at(start: Moment, seconds: u64) -> Moment {
        let by = i128::from(seconds) * SECOND;
        let real = Reading { wall: start.real.wall + by, steady: start.real.steady + by };
        Moment { real, instant: start.instant + Duration::from_secs(seconds) }
    }

    fn callback(name: &str) -> Callback {
        Callback {
            method: name.to_owned(),
            url: Url::absolute("http://a/").unwrap(),
            headers: Vec::new(),
            body: None,
            after: Duration::ZERO,
            retries: 0,
            backoff: Duration::ZERO,
            timeout: Duration::ZERO,
            place: None,
        }
    }

    /// Returns the names of the items that are due.
    fn due(queue: &mut Queue, now: Moment) -> Vec<String> {
        std::iter::from_fn(|| queue.take(now.instant)).map(|item| item.callback.method).collect()
    }

    struct Test {
        queue: Queue,
        start: Moment,
        caller: Arc<Caller>,
    }

    impl Test {
        fn new() -> Test {
            Test { queue: Queue::default(), start: Moment::now(), caller: Arc::default() }
        }

        /// Adds an item that is due so many seconds after `now`.
        fn add(&mut self, name: &str, seconds: u64, clock: &Clock, now: u64) {
            let (pause, now) = (Duration::from_secs(seconds), at(self.start, now));
            let item = Item::new((callback(name), 1), &self.caller, clock.clone(), pause, now);
            let number = self.queue.hold(item);
            self.queue.release(number, now);
        }

        fn due(&mut self, now: u64) -> Vec<String> {
            due(&mut self.queue, at(self.start, now))
        }

        fn set(&mut self, clock: &Clock, now: u64) {
            self.queue.change_clocks(at(self.start, now), |_| clock.clone());
        }

        /// Returns a clock that is so many seconds ahead from `now` on.
        fn ahead(&self, seconds: u64, now: u64, speed: Speed) -> Clock {
            Clock::new(at(self.start, now).real, at(self.start, now + seconds).real, speed)
        }
    }

    #[test]
    fn items_leave_in_the_order_of_their_times() {
        let (mut test, clock) = (Test::new(), Clock::default());
        for (name, seconds) in [("c", 3), ("a", 1), ("b", 2), ("now", 0)] {
            test.add(name, seconds, &clock, 0);
        }
        assert_eq!(test.queue.next_due(), Some(test.start.instant));
        assert_eq!(test.due(0), ["now"]);
        assert_eq!(test.due(2), ["a", "b"]);
        assert_eq!(test.queue.next_due(), Some(at(test.start, 3).instant));
        assert_eq!((test.due(9), test.queue.len()), (vec!["c".to_owned()], 0));
    }

    #[test]
    fn an_item_waits_for_its_answer_while_its_time_runs() {
        let (mut test, clock) = (Test::new(), Clock::default());
        let item = Item::new((callback("a"), 1), &test.caller, clock, Duration::from_secs(5), test.start);
        let number = test.queue.hold(item);
        test.set(&test.ahead(100, 1, Speed::FROZEN), 1);
        assert_eq!((test.due(50), test.queue.len()), (vec![], 1));
        test.queue.release(number, at(test.start, 50));
        assert_eq!(test.due(50), ["a"]);
    }

    #[test]
    fn a_change_of_the_clock_moves_items() {
        let mut test = Test::new();
        test.add("a", 10, &Clock::default(), 0);
        let frozen = test.ahead(5, 1, Speed::FROZEN);
        test.set(&frozen, 1);
        assert_eq!((test.due(1_000), test.queue.next_due()), (vec![], None));
        test.add("b", 1, &frozen, 1_000);
        // It goes on, six seconds after the start.
        let running = Clock::new(at(test.start, 1_000).real, at(test.start, 6).real, Speed::USUAL);
        test.set(&running, 1_000);
        assert_eq!(test.due(1_001), ["b"]);
        assert_eq!(test.due(1_003), Vec::<String>::new());
        assert_eq!(test.due(1_004), ["a"]);
    }

    #[test]
    fn a_clock_that_goes_back_leaves_the_time_that_is_left() {
        let mut test = Test::new();
        let ahead = test.ahead(1_000_000, 0, Speed::USUAL);
        test.add("a", 10, &ahead, 0);
        test.set(&Clock::default(), 4);
        assert_eq!((test.due(9), test.due(10)), (vec![], vec!["a".to_owned()]));
    }

    #[test]
    fn items_are_removed_wherever_they_are() {
        let (mut test, clock) = (Test::new(), Clock::default());
        let frozen = test.ahead(0, 0, Speed::FROZEN);
        test.add("soon", 1, &clock, 0);
        test.add("late", 100, &clock, 0);
        test.add("never", 1, &frozen, 0);
        let held = Item::new((callback("held"), 1), &test.caller, clock, Duration::ZERO, test.start);
        test.queue.hold(held);
        let end = at(test.start, 60).instant;
        let removed = test.queue.remove(|_, due| due.is_none_or(|due| due > end));
        let mut names: Vec<&str> = removed.iter().map(|item| item.callback.method.as_str()).collect();
        names.sort_unstable();
        assert_eq!((names, test.queue.len()), (vec!["late", "never"], 2));
        assert_eq!(test.queue.remove(|_, _| true).len(), 2);
    }
}
