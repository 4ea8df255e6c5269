//! Requests under way: counted for a graceful stop, and put in order on each connection. Knows no engine.

use std::collections::{BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The requests that were taken and not yet answered, also those whose answer waits: how many, and in what order on each
/// connection.
#[derive(Clone, Default)]
pub struct Running(Arc<(Mutex<Taken>, Condvar)>);

#[derive(Default)]
struct Taken {
    count: usize,
    next: u64,
    /// By the client's address, which names the connection.
    connections: HashMap<SocketAddr, BTreeSet<u64>>,
}

/// One request; it counts until this is dropped.
pub struct One {
    running: Running,
    turn: Turn,
}

/// The place of a request on its connection.
#[derive(Clone)]
pub struct Turn {
    running: Running,
    connection: Option<SocketAddr>,
    number: u64,
}

impl Running {
    /// Counts a request that `connection` sent.
    pub fn one(&self, connection: Option<&SocketAddr>) -> One {
        let mut taken = self.open();
        taken.count += 1;
        taken.next += 1;
        let (number, connection) = (taken.next, connection.copied());
        if let Some(connection) = connection {
            taken.connections.entry(connection).or_default().insert(number);
        }
        drop(taken);
        One { running: self.clone(), turn: Turn { running: self.clone(), connection, number } }
    }

    fn open(&self) -> MutexGuard<'_, Taken> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until none is left, for at most `time`; gives how many are left.
    pub fn wait(&self, time: Duration) -> usize {
        let waited = self.0.1.wait_timeout_while(self.open(), time, |taken| taken.count > 0);
        waited.unwrap_or_else(PoisonError::into_inner).0.count
    }
}

impl One {
    /// Its place on its connection.
    pub fn turn(&self) -> Turn {
        self.turn.clone()
    }
}

impl Turn {
    /// Whether all requests before this one on its connection were answered.
    pub fn has_come(&self) -> bool {
        let taken = self.running.open();
        let waiting = self.connection.and_then(|connection| taken.connections.get(&connection));
        waiting.and_then(BTreeSet::first).is_none_or(|first| *first >= self.number)
    }
}

impl Drop for One {
    fn drop(&mut self) {
        let mut taken = self.running.open();
        taken.count -= 1;
        if let Some(connection) = self.turn.connection
            && let Some(waiting) = taken.connections.get_mut(&connection)
        {
            waiting.remove(&self.turn.number);
            if waiting.is_empty() {
                taken.connections.remove(&connection);
            }
        }
        if taken.count == 0 {
            self.running.0.1.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_the_order_of_each_connection() {
        let running = Running::default();
        let (here, there) = (SocketAddr::from(([127, 0, 0, 1], 1)), SocketAddr::from(([127, 0, 0, 1], 2)));
        let (first, second, other) =
            (running.one(Some(&here)), running.one(Some(&here)), running.one(Some(&there)));
        assert_eq!([&first, &second, &other].map(|one| one.turn().has_come()), [true, false, true]);
        drop(first);
        assert!(second.turn().has_come());
        assert_eq!(running.wait(Duration::ZERO), 2);
        drop((second, other));
        assert_eq!(running.wait(Duration::ZERO), 0);
        assert!(running.open().connections.is_empty());
    }
}
