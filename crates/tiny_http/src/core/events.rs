//! Events that came with another one. To ask the system for one at a time costs each request a call; to keep the others on the
//! thread that got them would let them wait behind its handler. So they lie here, and whoever leads next takes them first.

use crate::lock::lock;
use rustix::event::epoll::EventFlags;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// What is ready, as it is called in epoll, and what for.
pub(crate) type Event = (u64, EventFlags);

/// Events that nobody has taken up yet, in the order in which they came.
#[derive(Default)]
pub(crate) struct Events {
    waiting: Mutex<Vec<Event>>,
    /// There are some: spares the lock where there are none.
    any: AtomicBool,
}

impl Events {
    pub(crate) fn pop(&self) -> Option<Event> {
        if !self.any.load(Ordering::Acquire) {
            return None;
        }
        let mut waiting = lock(&self.waiting);
        let first = waiting.pop();
        self.any.store(!waiting.is_empty(), Ordering::Release);
        first
    }

    /// Adds `events` behind those that wait.
    pub(crate) fn put(&self, events: impl DoubleEndedIterator<Item = Event> + ExactSizeIterator) {
        if events.len() == 0 {
            return;
        }
        let mut waiting = lock(&self.waiting);
        // Last first, so that taking one moves none. Mostly none waits.
        waiting.splice(0..0, events.rev());
        self.any.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_taken_in_the_order_in_which_they_came() {
        let events = Events::default();
        let put = |numbers: &[u64]| events.put(numbers.iter().map(|number| (*number, EventFlags::IN)));
        let next = || events.pop().map(|(number, _)| number);
        assert_eq!(next(), None);
        put(&[]);
        assert_eq!(next(), None);
        put(&[1, 2]);
        assert_eq!(next(), Some(1));
        put(&[3, 4]);
        assert_eq!([next(), next(), next(), next()], [Some(2), Some(3), Some(4), None]);
    }
}
