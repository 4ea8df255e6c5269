//! Sockets of the program that the workers watch beside the connections of the server, such as those to other servers.

use crate::core::state::Core;
use crate::lock::lock;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex};

/// A closure of the program that looks at a socket. It does not wait.
pub(crate) type OnEvent = Arc<dyn Fn() + Send + Sync>;

/// The sockets, by their numbers.
#[derive(Default)]
pub(crate) struct Sockets {
    watched: Mutex<(u64, HashMap<u64, OnEvent>)>,
}

/// The bit that tells numbers of these sockets from tokens of connections, which have 56 bits.
const WATCHED: u64 = 1 << 60;
/// Each change is reported once: more bytes to read, room to write, the end.
const EVENTS: EventFlags =
    EventFlags::IN.union(EventFlags::OUT).union(EventFlags::RDHUP).union(EventFlags::ET);

impl Sockets {
    /// Returns the closure for the event with number `data`; `None` if it is an event of another kind, or comes late.
    pub(crate) fn find(&self, data: u64) -> Option<OnEvent> {
        lock(&self.watched).1.get(&data).cloned()
    }

    pub(crate) fn is_one(data: u64) -> bool {
        data & WATCHED != 0
    }
}

/// A socket that the workers of a server watch. Dropping it ends that, and closes the socket.
pub struct Watched {
    core: Arc<Core>,
    number: u64,
    socket: OwnedFd,
}

impl Watched {
    /// Watches `socket`, which must not block. A worker calls `on_event` for each change.
    pub(crate) fn new(core: &Arc<Core>, socket: OwnedFd, on_event: OnEvent) -> io::Result<Watched> {
        let number = {
            let mut watched = lock(&core.sockets.watched);
            let number = WATCHED | watched.0;
            watched.0 = (watched.0 + 1) % WATCHED;
            watched.1.insert(number, on_event);
            number
        };
        // Made first: its drop takes the number back.
        let watched = Watched { core: core.clone(), number, socket };
        epoll::add(&core.epoll, &watched.socket, EventData::new_u64(number), EVENTS)?;
        Ok(watched)
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        let removed = lock(&self.core.sockets.watched).1.remove(&self.number);
        // Without the lock: what the closure owns may take it.
        drop(removed);
    }
}
