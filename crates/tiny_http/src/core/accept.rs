//! Accepts connections, makes room for new ones, and goes on after each error of accept.

use crate::clock::{self, timespec};
use crate::connection::slots::{Phase, Token};
use crate::connection::socket::Socket;
use crate::connection::state::Connection;
use crate::core::state::{Core, EVENTS};
use crate::lock::lock;
use crate::refusal::{Reason, Refused};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketFlags, acceptfrom_with, recv, send};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// The number under which epoll reports the listener.
pub(crate) const LISTENER: u64 = u64::MAX;
/// Connections that a worker accepts for one event. Other clients wait meanwhile.
const AT_ONCE: usize = 16;
/// Time until the next attempt after accept has failed.
const PAUSE: Duration = Duration::from_millis(100);
/// Connections over the limit that get an answer. Their descriptors are reserved for that.
const OVERFLOW: usize = 8;
/// Idle connections that one search of all connections remembers.
const REMEMBERED: usize = 64;

impl Core {
    /// Registers the listener with epoll for one event, so one worker at a time accepts.
    pub(crate) fn listen(&self, anew: bool) -> std::io::Result<()> {
        let listener = lock(&self.listener);
        let Some(listener) = listener.as_ref() else { return Ok(()) };
        let (data, flags) = (EventData::new_u64(LISTENER), EventFlags::IN | EventFlags::ONESHOT);
        match anew {
            true => epoll::modify(&self.epoll, listener, data, flags)?,
            false => epoll::add(&self.epoll, listener, data, flags)?,
        }
        Ok(())
    }

    fn admit(&self, socket: OwnedFd, peer: SocketAddr, reason: Option<Reason>) {
        self.connections.fetch_add(1, Ordering::AcqRel);
        let Some(mut held) =
            self.slots.insert(Connection::new(Socket::new(socket, peer)), clock::milliseconds())
        else {
            self.connections.fetch_sub(1, Ordering::AcqRel);
            return;
        };
        self.reactor.rouse();
        let token = held.token();
        let Some(connection) = held.connection() else { return };
        let added = epoll::add(&self.epoll, &connection.socket, EventData::new_u64(token.data()), EVENTS);
        match (added, reason) {
            (Err(_), _) => self.close(held),
            (Ok(()), Some(reason)) => self.refuse(held, reason),
            (Ok(()), None) => {}
        }
    }

    pub(crate) fn accept(&self) {
        let paused = (0..AT_ONCE).find_map(|_| self.accept_one());
        match paused {
            Some(Stop::Failing) => self.reactor.listen_at(Instant::now() + PAUSE, self.number),
            Some(Stop::Closed) => {}
            Some(Stop::Empty) | None => {
                if let Err(error) = self.listen(true) {
                    log::error!("failed to wait for connections: {error}");
                    self.reactor.listen_at(Instant::now() + PAUSE, self.number);
                }
            }
        }
    }

    /// Accepts all connections that wait, and closes the listener. The system refuses later ones.
    pub(crate) fn close_listener(&self) {
        while self.accept_one().is_none() {}
        lock(&self.listener).take();
    }

    /// Accepts one connection. Returns the reason if there is none.
    fn accept_one(&self) -> Option<Stop> {
        let accepted = {
            let listener = lock(&self.listener);
            let Some(listener) = listener.as_ref() else { return Some(Stop::Closed) };
            acceptfrom_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC)
        };
        match accepted {
            Ok((socket, peer)) => {
                if self.failing.swap(false, Ordering::Relaxed) {
                    log::info!("accepting connections again");
                }
                let peer = peer.and_then(|peer| SocketAddr::try_from(peer).ok());
                self.make_room(socket, peer.unwrap_or(self.address));
                None
            }
            Err(Errno::AGAIN) => Some(Stop::Empty),
            // accept(2) takes a descriptor before it looks for a client that waits.
            Err(Errno::MFILE | Errno::NFILE) if !self.somebody_waits() => Some(Stop::Empty),
            Err(error @ (Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM)) => {
                // A client that waits needs the descriptor more than an idle one.
                if !self.close_oldest() {
                    self.fails(error);
                    return Some(Stop::Failing);
                }
                None
            }
            // accept(2) reports network errors of the new connection. They concern that connection only.
            Err(
                Errno::INTR
                | Errno::CONNABORTED
                | Errno::PROTO
                | Errno::PERM
                | Errno::NETDOWN
                | Errno::NOPROTOOPT
                | Errno::HOSTDOWN
                | Errno::NONET
                | Errno::HOSTUNREACH
                | Errno::OPNOTSUPP
                | Errno::NETUNREACH,
            ) => None,
            Err(error) => {
                self.fails(error);
                Some(Stop::Failing)
            }
        }
    }

    fn somebody_waits(&self) -> bool {
        let listener = lock(&self.listener);
        let Some(listener) = listener.as_ref() else { return false };
        let mut listener = [PollFd::new(listener, PollFlags::IN)];
        poll(&mut listener, Some(&timespec(Duration::ZERO))).is_ok_and(|count| count > 0)
    }

    /// Logs the first failure, not each attempt.
    fn fails(&self, error: Errno) {
        if !self.failing.swap(true, Ordering::Relaxed) {
            log::warn!("failed to accept connections, trying again every {} ms: {error}", PAUSE.as_millis());
        }
    }

    /// Admits a connection. Over the limit, it first closes the connection that was idle for longest; if none is idle, the new
    /// client gets 503.
    fn make_room(&self, socket: OwnedFd, peer: SocketAddr) {
        let limit = self.limits.connections;
        let open = self.connections.load(Ordering::Acquire);
        if open < limit + OVERFLOW {
            let room = open < limit || self.close_oldest();
            return self.admit(socket, peer, (!room).then_some(Reason::TooManyConnections));
        }
        // Too many clients are getting 503 already, so this one has no time to take the answer. Its bytes are read, so that a
        // reset doesn't overtake the answer.
        let _ = recv(&socket, &mut [0; 4096][..], RecvFlags::DONTWAIT);
        let refused = Refused { reason: Reason::TooManyConnections, request_line: "", origin: None, peer };
        let _ = send(&socket, &self.page(&refused), SendFlags::NOSIGNAL | SendFlags::DONTWAIT);
    }

    /// Closes the connection that was idle for longest. False if none is idle.
    fn close_oldest(&self) -> bool {
        let mut oldest = lock(&self.oldest);
        if self.close_remembered(&mut oldest) {
            return true;
        }
        let idle = self.slots.stamps().filter(|(phase, ..)| *phase == Phase::Idle);
        let mut idle: Vec<(u64, u32)> = idle.map(|(_, since, index)| (since, index)).collect();
        let count = idle.len().min(REMEMBERED);
        if count == 0 {
            return false;
        }
        idle.sort_unstable();
        idle.truncate(count);
        oldest.extend(
            idle.into_iter().filter_map(|(since, index)| Some((since, self.slots.lock_at(index)?.token()))),
        );
        self.close_remembered(&mut oldest)
    }

    /// Closes the first remembered connection that is still as idle as it was.
    fn close_remembered(&self, oldest: &mut VecDeque<(u64, Token)>) -> bool {
        while let Some((since, token)) = oldest.pop_front() {
            let held = self.slots.lock(token).filter(|held| held.phase() == (Phase::Idle, since));
            if let Some(mut held) = held {
                // A request may have arrived that no worker has read yet.
                if !held.connection().is_some_and(|connection| connection.socket.has_unread()) {
                    self.close(held);
                    return true;
                }
            }
        }
        false
    }

    /// Closes connections that have been idle for `time` or longer, except where a request has arrived already. Returns the
    /// number of idle connections that stay open.
    pub(crate) fn close_idle(&self, time: Duration) -> usize {
        let now = clock::milliseconds();
        let old = |since| now.saturating_sub(since) >= u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let mut left = 0;
        for (_, since, index) in self.slots.stamps().filter(|(phase, ..)| *phase == Phase::Idle) {
            if !old(since) {
                left += 1;
                continue;
            }
            let Some(mut held) = self.slots.lock_at(index) else { continue };
            let unread = held.connection().is_some_and(|connection| connection.socket.has_unread());
            if held.phase().0 != Phase::Idle {
                continue;
            }
            match unread {
                true => left += 1,
                false => self.close(held),
            }
        }
        left
    }
}

/// The reason why accepting stops for now.
enum Stop {
    Empty,
    /// Descriptors or memory are short.
    Failing,
    Closed,
}
