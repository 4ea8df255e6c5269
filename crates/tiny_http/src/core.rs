//! What happens to a connection: an event leads to a request, an answer to the next request or to the end. All of a server's
//! state is here; `accept` fills it, `reactor` finishes what has to wait.

use crate::accept::Accepting;
use crate::answer::{self, BodyFraming, Context};
use crate::clock;
use crate::connection::{Connection, Received, with_read_buffer};
use crate::extension::{Limits, Page, Pages, Refused};
use crate::inbound::{Message, Progress};
use crate::leader::Leader;
use crate::output::{Output, Piece, Then, Written};
use crate::reactor::Reactor;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::slots::{Held, Phase, Slots, Token};
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::net::{Shutdown, shutdown, sockopt};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The state of a server.
pub struct Core {
    /// What workers wait on.
    pub epoll: OwnedFd,
    /// Who waits on it.
    pub leader: Leader,
    /// Wakes one worker for each time that it was written to.
    pub unblock: OwnedFd,
    /// The listener.
    pub accepting: Accepting,
    /// The connections.
    pub slots: Slots,
    /// What clients may ask for.
    pub limits: Limits,
    /// What refused clients get to read.
    pub pages: Pages,
    /// Finishes what has to wait.
    pub reactor: Arc<Reactor>,
    /// The server's number there.
    pub number: u8,
    /// Where it listens.
    pub address: SocketAddr,
    /// Connections that are open.
    pub connections: AtomicUsize,
    /// Bytes of memory that requests and answers hold.
    buffered: AtomicUsize,
    /// Held while a connection is chosen that has to go for want of memory.
    refusing: Mutex<()>,
}

/// A client that closes its side later than this after its request has left; one that does so at once may only have said that
/// it sends no more (`printf ... | nc -N`), and waits for its answer. TCP tells both in the same way.
const HALF_CLOSE_MS: u64 = 100;
/// Bytes that are thrown away after the last answer of a connection, until it is cut.
const MOST_DISCARDED: usize = 64 << 20;
/// Bytes of them in one go.
const DISCARDED_AT_ONCE: usize = 1 << 20;

/// Edge-triggered and registered once: a request needs no further call to epoll.
const EVENTS: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);

impl Core {
    /// A server's state without connections.
    pub fn new(
        (epoll, unblock): (OwnedFd, OwnedFd),
        (accepting, address): (Accepting, SocketAddr),
        (limits, pages): (Limits, Pages),
        (reactor, number): (Arc<Reactor>, u8),
    ) -> Core {
        Core {
            epoll,
            leader: Leader::new(),
            unblock,
            accepting,
            slots: Slots::new(),
            limits,
            pages,
            reactor,
            number,
            address,
            connections: AtomicUsize::new(0),
            buffered: AtomicUsize::new(0),
            refusing: Mutex::default(),
        }
    }

    /// Takes in a connection that was accepted.
    pub fn admit(&self, socket: OwnedFd, peer: SocketAddr, refusal: Option<Refusal>) {
        self.connections.fetch_add(1, Ordering::AcqRel);
        let Some(mut held) = self.slots.insert(Connection::new(socket, peer), clock::milliseconds()) else {
            self.connections.fetch_sub(1, Ordering::AcqRel);
            return;
        };
        self.reactor.rouse();
        let token = held.token();
        let Some(connection) = held.connection() else { return };
        let added = epoll::add(&self.epoll, &connection.socket, EventData::new_u64(token.data()), EVENTS);
        match (added, refusal) {
            (Err(_), _) => self.close(held),
            (Ok(()), Some(refusal)) => self.refuse(held, refusal),
            (Ok(()), None) => {}
        }
    }

    /// An event of a connection; gives the request that is complete with it.
    pub fn ready(self: &Arc<Self>, token: Token, flags: EventFlags) -> Option<Request> {
        let mut held = self.slots.open(token)?;
        if flags.intersects(EventFlags::HUP | EventFlags::ERR) {
            self.close(held);
            return None;
        }
        let (phase, since) = held.phase();
        let connection = held.connection()?;
        connection.ended |= flags.contains(EventFlags::RDHUP);
        match phase {
            Phase::Idle | Phase::Head | Phase::Body => return self.receive(held),
            Phase::Lingering => self.discard(held),
            Phase::Lent if connection.ended && clock::milliseconds() > since + HALF_CLOSE_MS => {
                self.close(held)
            }
            _ => connection.readable = true,
        }
        None
    }

    /// Reads until nothing is left or a request is there.
    fn receive<'s>(self: &'s Arc<Self>, mut held: Held<'s>) -> Option<Request> {
        let connection = held.connection()?;
        if connection.inbound.has_bytes() {
            // What came together with the request before this one.
            let progress = connection.inbound.take(&[], &self.limits);
            match self.progressed(held, progress, true) {
                Ok(still) => held = still,
                Err(request) => return request,
            }
        }
        with_read_buffer(|buffer| {
            loop {
                let connection = held.connection()?;
                match connection.receive(buffer) {
                    Received::Bytes(count) => {
                        // A short read tells that nothing is left; the next bytes make an event of their own.
                        let more = count == buffer.len() || connection.ended;
                        let progress = connection.inbound.take(&buffer[..count], &self.limits);
                        match self.progressed(held, progress, more) {
                            Ok(still) if more => held = still,
                            Ok(_) => return None,
                            Err(request) => return request,
                        }
                    }
                    Received::Nothing => return None,
                    Received::End | Received::Gone => {
                        self.close(held);
                        return None;
                    }
                }
            }
        })
    }

    /// What follows from bytes that came in: `Ok` to go on reading, else the request, if any.
    fn progressed<'s>(
        self: &'s Arc<Self>,
        mut held: Held<'s>,
        progress: Progress,
        more: bool,
    ) -> Result<Held<'s>, Option<Request>> {
        match progress {
            Progress::Whole(message) => Err(self.lend(held, message, more)),
            Progress::Refused(refusal) => {
                self.refuse(held, refusal);
                Err(None)
            }
            Progress::Continue if !self.ask_for_body(&mut held) => {
                self.close(held);
                Err(None)
            }
            Progress::Continue | Progress::More => self.incomplete(held).ok_or(None),
        }
    }

    /// RFC 9110, section 15.2.1. False if the connection is gone.
    fn ask_for_body(&self, held: &mut Held<'_>) -> bool {
        const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
        held.enter(Phase::Body, clock::milliseconds());
        // The answer before this one has left, so there is room.
        held.connection().is_some_and(|connection| connection.send(CONTINUE, false) == Ok(CONTINUE.len()))
    }

    /// Notes how far the request has come; gives the connection back unless it had to go for want of memory.
    fn incomplete<'s>(&'s self, mut held: Held<'s>) -> Option<Held<'s>> {
        let phase = held.phase().0;
        let connection = held.connection()?;
        let next = match (connection.inbound.is_gathering(), connection.inbound.has_bytes()) {
            (true, _) => Phase::Body,
            (false, true) => Phase::Head,
            (false, false) => Phase::Idle,
        };
        if next != phase {
            held.enter(next, clock::milliseconds());
        }
        if self.count(&mut held) <= self.limits.buffered {
            return Some(held);
        }
        let token = held.token();
        drop(held);
        self.refuse_newest();
        let mut held = self.slots.open(token)?;
        if is_incomplete(held.phase().0) || held.phase().0 == Phase::Idle {
            return Some(held);
        }
        // Another worker has completed the request meanwhile.
        held.connection()?.readable = true;
        None
    }

    /// Hands a request to the program.
    fn lend(self: &Arc<Self>, mut held: Held<'_>, message: Message, more: bool) -> Option<Request> {
        held.enter(Phase::Lent, clock::milliseconds());
        let token = held.token();
        let connection = held.connection()?;
        connection.lent = message.body.capacity();
        connection.readable = more;
        let allowed = self.limits.requests == 0 || connection.served + 1 < self.limits.requests;
        connection.keep_alive = message.head.keep_alive && allowed;
        connection.last = !message.head.keep_alive;
        let (peer, keep_alive) = (connection.peer, connection.keep_alive);
        self.count(&mut held);
        Some(Request::new(self.clone(), token, message, peer, keep_alive))
    }

    /// Sends the answer to the request that the program had: `head`, then `pieces`. `head` may hold all of it.
    ///
    /// # Errors
    /// The client is gone.
    pub fn answer(
        &self,
        token: Token,
        head: &[u8],
        mut pieces: VecDeque<Piece>,
        then: Then,
    ) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let mut held = self.slots.open(token).ok_or_else(gone)?;
        let connection = held.connection().ok_or_else(gone)?;
        connection.lent = 0;
        let more = matches!(pieces.front(), Some(Piece::Bytes(..) | Piece::Stream(..)));
        match connection.send(head, more) {
            Ok(sent) if sent == head.len() && pieces.is_empty() => {
                self.finish(held, then);
                return Ok(());
            }
            Ok(sent) if sent == head.len() => {}
            Ok(sent) => pieces.push_front(Piece::Bytes(head[sent..].to_vec(), 0)),
            Err(error) => {
                self.close(held);
                return Err(error.into());
            }
        }
        connection.output = Some(Box::new(Output { pieces, then }));
        match self.advance(held) {
            true => Ok(()),
            false => Err(gone()),
        }
    }

    /// Writes on; false if the connection broke.
    pub fn advance(&self, mut held: Held<'_>) -> bool {
        let (phase, token) = (held.phase().0, held.token());
        let Some(connection) = held.connection() else { return false };
        let Some(mut output) = connection.output.take() else { return true };
        let written = output.write(connection);
        let then = output.then;
        connection.output = Some(output);
        match written {
            Written::All => {
                connection.output = None;
                self.finish(held, then);
            }
            Written::Some => {
                if self.reactor.watch(&connection.socket, self.number, token, connection.watched).is_err() {
                    self.close(held);
                    return false;
                }
                connection.watched = true;
                if phase != Phase::Writing {
                    held.enter(Phase::Writing, clock::milliseconds());
                }
                self.count(&mut held);
            }
            Written::Paused(time) => {
                held.enter(Phase::Pausing, clock::milliseconds());
                self.count(&mut held);
                self.reactor.resume_at(Instant::now() + time, self.number, token);
            }
            Written::Broken => {
                self.close(held);
                return false;
            }
        }
        true
    }

    /// The answer has left.
    fn finish(&self, mut held: Held<'_>, then: Then) {
        self.count(&mut held);
        let token = held.token();
        let Some(connection) = held.connection() else { return };
        connection.served += 1;
        let more = connection.readable || connection.inbound.has_bytes();
        match then {
            Then::Reset => self.reset(held),
            Then::Next if connection.keep_alive && (more || !connection.ended) => {
                connection.readable = false;
                // An event makes some worker look at what is there already: this thread may not be one.
                let called = !more
                    || epoll::modify(
                        &self.epoll,
                        &connection.socket,
                        EventData::new_u64(token.data()),
                        EVENTS | EventFlags::OUT,
                    )
                    .is_ok();
                held.enter(Phase::Idle, clock::milliseconds());
                if !called {
                    self.close(held);
                }
            }
            Then::Next | Then::Close => self.end(held),
        }
    }

    /// Ends a connection so that the client can read all of its last answer: with bytes unread, closing would reset it
    /// (RFC 9112, section 9.6).
    fn end(&self, mut held: Held<'_>) {
        let Some(connection) = held.connection() else { return };
        let unread = connection.readable || connection.inbound.has_bytes();
        let done = (connection.last || connection.ended) && !unread;
        if done || shutdown(&connection.socket, Shutdown::Write).is_err() {
            return self.close(held);
        }
        held.enter(Phase::Lingering, clock::milliseconds());
        self.discard(held);
    }

    /// Throws away what still arrives.
    fn discard(&self, mut held: Held<'_>) {
        let token = held.token();
        let Some(connection) = held.connection() else { return };
        let mut went = 0;
        let goes_on = with_read_buffer(|buffer| {
            while went < DISCARDED_AT_ONCE {
                match connection.receive(buffer) {
                    Received::Bytes(count) => went += count,
                    Received::Nothing => return true,
                    Received::End | Received::Gone => return false,
                }
            }
            let data = EventData::new_u64(token.data());
            epoll::modify(&self.epoll, &connection.socket, data, EVENTS | EventFlags::OUT).is_ok()
        });
        connection.discarded += went;
        if !goes_on || connection.discarded > MOST_DISCARDED {
            self.close(held);
        }
    }

    /// Answers for the program, and ends the connection.
    pub fn refuse(&self, mut held: Held<'_>, refusal: Refusal) {
        let Some(connection) = held.connection() else { return };
        let line = connection.inbound.line();
        log::debug!(
            "refused `{}` of {}: {} {}",
            line.escape_debug(),
            connection.peer,
            refusal.status,
            refusal.why
        );
        let Page { content_type, body } = (self.pages)(&Refused {
            status: refusal.status,
            why: refusal.why,
            request_line: &line,
            peer: connection.peer,
        });
        let context = Context { old: false, head_only: line.starts_with("HEAD "), keep_alive: false };
        let fields = [(&b"Content-Type"[..], content_type.as_bytes())].into_iter();
        let framing = BodyFraming::of(refusal.status, Some(body.len() as u64), context);
        let mut bytes = Vec::new();
        // Only a media type with a line end can fail, and then there is nothing to say.
        let _ = answer::write_head(&mut bytes, (refusal.status, None), fields, framing, context);
        if answer::has_body(refusal.status, context) {
            bytes.extend_from_slice(&body);
        }
        connection.keep_alive = false;
        connection.inbound = Default::default();
        connection.output =
            Some(Box::new(Output { pieces: VecDeque::from([Piece::Bytes(bytes, 0)]), then: Then::Close }));
        self.advance(held);
    }

    /// The newest incomplete body goes: to let all of them wait would let all of them fail.
    fn refuse_newest(&self) {
        const FULL: Refusal = Refusal::new(503, "too many bytes of requests wait here");
        // Others may have come here for the same bytes: one refusal may do for all of them.
        let _one = self.refusing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.buffered.load(Ordering::Relaxed) <= self.limits.buffered {
            return;
        }
        let arriving = self.slots.stamps().filter(|(phase, ..)| is_incomplete(*phase));
        let newest = arriving.max_by_key(|(phase, since, _)| (*phase == Phase::Body, *since));
        let held = newest.and_then(|(.., index)| self.slots.at(index));
        if let Some(held) = held.filter(|held| is_incomplete(held.phase().0)) {
            self.refuse(held, FULL);
        }
    }

    /// Counts the memory that a connection holds; gives that of all.
    fn count(&self, held: &mut Held<'_>) -> usize {
        let Some(connection) = held.connection() else { return 0 };
        let (before, now) = (connection.counted, connection.space());
        if now == before {
            return self.buffered.load(Ordering::Relaxed);
        }
        connection.counted = now;
        match now.checked_sub(before) {
            Some(more) => self.buffered.fetch_add(more, Ordering::Relaxed) + more,
            None => self.buffered.fetch_sub(before - now, Ordering::Relaxed) - (before - now),
        }
    }

    /// Cuts a connection: the client sees a reset.
    pub fn reset(&self, mut held: Held<'_>) {
        if let Some(connection) = held.connection() {
            // Where it can't be set, closing has to do.
            let _ = sockopt::set_socket_linger(&connection.socket, Some(Duration::ZERO));
        }
        self.close(held);
    }

    /// Closes a connection, and frees its place.
    pub fn close(&self, held: Held<'_>) {
        let Some(connection) = self.slots.remove(held) else { return };
        self.buffered.fetch_sub(connection.counted, Ordering::Relaxed);
        drop(connection);
        self.connections.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A request has begun to arrive.
fn is_incomplete(phase: Phase) -> bool {
    matches!(phase, Phase::Head | Phase::Body)
}
