//! Turns events of a connection into requests: reads what has arrived, and hands complete requests to the program.

use crate::clock;
use crate::connection::slots::{Held, Lease, Phase, Token};
use crate::connection::socket::{Received, with_read_buffer};
use crate::core::answer::call;
use crate::core::memory::SMALL;
use crate::core::state::{Core, EVENTS};
use crate::parse::inbound::{Early, Message, Progress};
use crate::refusal::Reason;
use rustix::event::epoll::{self, EventData, EventFlags};
use std::cell::Cell;
use std::net::SocketAddr;

/// A request that has arrived in full. The program gets it, and its connection waits for the answer.
pub(crate) struct Lent {
    pub lease: Lease,
    pub message: Message,
    pub peer: SocketAddr,
    pub keep_alive: bool,
    /// The rest of its body has not arrived.
    pub early: bool,
}

/// Reads of one connection for one event. More would keep other events waiting, since no worker leads meanwhile.
const READS_AT_ONCE: usize = 4;
/// RFC 9112, section 8. The text helps people who type a request by hand and forget the empty line.
const ENDS_EARLY: Reason = Reason::Malformed("the request ends before it is complete");

impl Core {
    /// Handles an event of a connection. Returns the request that is complete with it.
    pub(crate) fn ready(&self, token: Token, flags: EventFlags) -> Option<Lent> {
        let mut held = self.slots.lock(token)?;
        let (phase, since) = held.phase();
        // A connection that lingers stays open: closing it with unread bytes would reset it.
        if flags.intersects(EventFlags::HUP | EventFlags::ERR) && phase != Phase::Lingering {
            self.close(held);
            return None;
        }
        let connection = held.connection()?;
        let ends = flags.contains(EventFlags::RDHUP) && !connection.ended;
        connection.ended |= ends;
        match phase {
            Phase::Idle | Phase::Head | Phase::Body => return self.receive(held),
            Phase::Lingering => self.discard(held),
            _ => {
                connection.readable = true;
                // The program reads the rest of a body, and finds its end.
                if connection.inbound.has_rest() {
                    let readable = connection.on_readable.take();
                    drop(held);
                    readable.into_iter().for_each(call);
                } else if ends && matches!(phase, Phase::Lent | Phase::Pausing) {
                    self.ended(held, since);
                }
            }
        }
        None
    }

    fn early(&self) -> Option<&Early> {
        self.early.get().map(|early| &**early)
    }

    /// Reads until the socket is empty or a request is complete.
    fn receive<'s>(&'s self, mut held: Held<'s>) -> Option<Lent> {
        let connection = held.connection()?;
        if connection.inbound.has_bytes() {
            // Bytes that arrived together with the request before this one.
            let progress = connection.inbound.take_early(&[], &self.limits, self.early());
            match self.progressed(held, progress, true) {
                Ok(still) => held = still,
                Err(request) => return request,
            }
        }
        with_read_buffer(|buffer| {
            for _ in 0..READS_AT_ONCE {
                let connection = held.connection()?;
                match connection.socket.receive(buffer) {
                    Received::Bytes(count) => {
                        // A short read means that the socket is empty. Later bytes make an event of their own.
                        let more = count == buffer.len() || connection.ended;
                        let progress =
                            connection.inbound.take_early(&buffer[..count], &self.limits, self.early());
                        match self.progressed(held, progress, more) {
                            Ok(still) if more => held = still,
                            Ok(_) => return None,
                            Err(request) => return request,
                        }
                    }
                    Received::Nothing => return None,
                    Received::End => {
                        connection.ended = true;
                        match held.phase().0.is_incomplete() {
                            true => self.refuse(held, ENDS_EARLY),
                            false => self.close(held),
                        }
                        return None;
                    }
                    Received::Gone => {
                        self.close(held);
                        return None;
                    }
                }
            }
            self.look_again(held);
            None
        })
    }

    /// Makes epoll report the connection again, so that a worker handles it after events of other connections. The calling
    /// thread may be no worker.
    pub(crate) fn look_again(&self, mut held: Held<'_>) {
        let data = EventData::new_u64(held.token().data());
        let Some(connection) = held.connection() else { return };
        if epoll::modify(&self.epoll, &connection.socket, data, EVENTS | EventFlags::OUT).is_err() {
            self.close(held);
        }
    }

    /// Acts on the progress of a request. `Ok` means to read on; `Err` has the request, if there is one.
    fn progressed<'s>(
        &'s self,
        mut held: Held<'s>,
        progress: Progress,
        more: bool,
    ) -> Result<Held<'s>, Option<Lent>> {
        match progress {
            Progress::Whole(message) => Err(self.lend(held, message, more)),
            Progress::Early(message) => Err(self.lend(held, message, true)),
            Progress::Refused(reason) => {
                self.refuse(held, reason);
                Err(None)
            }
            Progress::Continue if !self.ask_for_body(&mut held) => {
                self.close(held);
                Err(None)
            }
            Progress::Continue | Progress::More => self.incomplete(held).ok_or(None),
        }
    }

    /// Sends `100 Continue` (RFC 9110, section 15.2.1). False if the connection is gone.
    pub(crate) fn ask_for_body(&self, held: &mut Held<'_>) -> bool {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        if held.phase().0 != Phase::Lent {
            held.enter(Phase::Body, clock::milliseconds());
        }
        // The socket has room, since the answer before this one has left.
        held.connection()
            .is_some_and(|connection| connection.socket.send(CONTINUE, false) == Ok(CONTINUE.len()))
    }

    /// Notes the phase of an incomplete request. Returns the connection, unless it was closed to free memory.
    fn incomplete<'s>(&'s self, mut held: Held<'s>) -> Option<Held<'s>> {
        let phase = held.phase().0;
        let connection = held.connection()?;
        connection.silent_since = None;
        let next = match (connection.inbound.is_gathering(), connection.inbound.has_bytes()) {
            (true, _) => Phase::Body,
            (false, true) => Phase::Head,
            (false, false) => Phase::Idle,
        };
        if next != phase {
            held.enter(next, clock::milliseconds());
        }
        self.count(&mut held);
        if !self.is_full() {
            return Some(held);
        }
        let token = held.token();
        drop(held);
        self.make_space(true);
        let mut held = self.slots.lock(token)?;
        if held.phase().0.is_incomplete() || held.phase().0 == Phase::Idle {
            return Some(held);
        }
        // Another worker has completed the request meanwhile.
        held.connection()?.readable = true;
        None
    }

    /// Hands a request to the program.
    fn lend(&self, mut held: Held<'_>, message: Message, more: bool) -> Option<Lent> {
        held.enter(Phase::Lent, clock::milliseconds());
        let token = held.token();
        let connection = held.connection()?;
        connection.lent = Some(message.space()).filter(|space| *space > SMALL).unwrap_or(0);
        connection.readable = more;
        let allowed = self.limits.requests == 0 || connection.served + 1 < self.limits.requests;
        connection.keep_alive = message.head.keep_alive && allowed;
        connection.last = !message.head.keep_alive;
        let (peer, keep_alive) = (connection.socket.peer, connection.keep_alive);
        let early = connection.inbound.has_rest();
        let lease = Lease { token, served: connection.served, bytes: Cell::new(connection.lent) };
        self.count(&mut held);
        Some(Lent { lease, message, peer, keep_alive, early })
    }
}
