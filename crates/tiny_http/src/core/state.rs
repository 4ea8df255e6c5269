//! The state of a server. The other files of `core` are what it does.

use crate::connection::slots::{Slots, Token};
use crate::core::events::Events;
use crate::core::leader::Leader;
use crate::core::reactor::Reactor;
use crate::limits::Limits;
use crate::refusal::Pages;
use rustix::event::epoll::EventFlags;
use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};

pub(crate) struct Core {
    /// What workers wait on.
    pub epoll: OwnedFd,
    /// What came of a wait beside the event that is handled.
    pub events: Events,
    /// Who waits on it.
    pub leader: Leader,
    /// Wakes one worker for each time that it was written to.
    pub unblock: OwnedFd,
    /// The listening socket, until it is closed.
    pub listener: Mutex<Option<TcpListener>>,
    /// Connections that were idle for longest when it was last looked, the oldest first.
    pub oldest: Mutex<VecDeque<(u64, Token)>>,
    /// Accepting failed last time.
    pub failing: AtomicBool,
    pub slots: Slots,
    pub limits: Limits,
    pub pages: Pages,
    pub reactor: Arc<Reactor>,
    /// The server's number there.
    pub number: u8,
    pub address: SocketAddr,
    pub connections: AtomicUsize,
    /// Bytes of memory that requests and answers hold.
    pub buffered: AtomicUsize,
    /// Held while a connection is chosen that has to go for want of memory.
    pub refusing: Mutex<()>,
}

/// Edge-triggered and registered once: a request needs no further call to epoll.
pub(crate) const EVENTS: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);
