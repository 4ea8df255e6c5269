//! The order in which loads were asked for. Loads of the watcher and of the administrative port run at the same time; the last one that
//! was asked for serves in the end.

use crate::system::lock::lock;
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// The source of turns.
#[derive(Default)]
pub(crate) struct Turns {
    open: Mutex<Open>,
    ended: Condvar,
}

#[derive(Default)]
struct Open {
    last: u64,
    /// Turns in progress.
    numbers: BTreeSet<u64>,
}

/// The place of a load in the order. Dropping it ends the turn.
pub(crate) struct Turn {
    turns: Arc<Turns>,
    pub number: u64,
}

impl Turns {
    /// Begins the next turn.
    pub(crate) fn take(self: &Arc<Turns>) -> Turn {
        let mut open = lock(&self.open);
        open.last += 1;
        let number = open.last;
        open.numbers.insert(number);
        Turn { turns: self.clone(), number }
    }
}

impl Turn {
    /// Waits until all earlier turns have ended. Each one does: the time of a load is limited, and a load that panics or is refused
    /// drops its turn.
    pub(crate) fn wait(&self) {
        let open = lock(&self.turns.open);
        let others = |open: &mut Open| open.numbers.first().is_some_and(|first| *first < self.number);
        drop(self.turns.ended.wait_while(open, others).unwrap_or_else(PoisonError::into_inner));
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        lock(&self.turns.open).numbers.remove(&self.number);
        self.turns.ended.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    #[test]
    fn a_turn_waits_for_earlier_ones_only() {
        let turns = Arc::new(Turns::default());
        let (first, second, third) = (turns.take(), turns.take(), turns.take());
        first.wait();
        let (tell, told) = mpsc::channel();
        let waiting = thread::spawn(move || {
            second.wait();
            tell.send(second.number).unwrap();
        });
        assert!(told.try_recv().is_err());
        drop(first);
        assert_eq!(told.recv_timeout(Duration::from_secs(20)), Ok(2));
        waiting.join().unwrap();
        third.wait();
    }
}
