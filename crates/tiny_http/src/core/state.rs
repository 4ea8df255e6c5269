//! State of a server. The other files of `core` are its methods, one topic a file.

use crate::connection::slots::{Slots, Token};
use crate::core::events::Events;
use crate::core::jobs::Jobs;
use crate::core::leader::Leader;
use crate::core::reactor::Reactor;
use crate::core::watched::Sockets;
use crate::limits::Limits;
use crate::parse::inbound::Early;
use crate::refusal::Pages;
use rustix::event::epoll::EventFlags;
use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};

pub(crate) struct Core {
    /// Workers wait on it.
    pub epoll: OwnedFd,
    /// Events of a wait that no worker has handled yet.
    pub events: Events,
    /// Jobs of the program for the workers.
    pub jobs: Jobs,
    /// Sockets of the program, which the workers watch too.
    pub sockets: Sockets,
    /// Says which requests the program takes before their body has arrived.
    pub early: OnceLock<Box<Early>>,
    /// Decides which worker waits.
    pub leader: Leader,
    /// Each write to it wakes one worker.
    pub unblock: OwnedFd,
    /// The listening socket, until it is closed.
    pub listener: Mutex<Option<TcpListener>>,
    /// The connections that were idle for longest at the last search, the oldest first.
    pub oldest: Mutex<VecDeque<(u64, Token)>>,
    /// The last attempt to accept failed.
    pub failing: AtomicBool,
    pub slots: Slots,
    pub limits: Limits,
    pub pages: Pages,
    pub reactor: Arc<Reactor>,
    /// Number of this server in the reactor.
    pub number: u8,
    pub address: SocketAddr,
    pub connections: AtomicUsize,
    /// Bytes of memory that requests and answers hold.
    pub buffered: AtomicUsize,
    /// Held by the thread that frees memory by closing connections.
    pub refusing: Mutex<()>,
}

/// Events of a connection. They are edge-triggered and registered once, so a request needs no further call to epoll.
pub(crate) const EVENTS: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);
