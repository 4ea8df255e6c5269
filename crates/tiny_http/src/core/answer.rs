//! Sends answers, and ends connections or makes them ready for their next request.

use crate::clock;
use crate::connection::slots::{Held, Lease, Phase, Token};
use crate::connection::socket::{READ, Received, with_read_buffer};
use crate::connection::state::{Callback, Connection};
use crate::core::state::Core;
use crate::write::head::Then;
use crate::write::output::{Output, Piece, Written};
use rustix::net::{Shutdown, shutdown, sockopt};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use std::{io, mem};

/// Bytes from the client that the server discards after the last answer. A connection that gets more is closed.
const MOST_DISCARDED: usize = 64 << 20;
/// Bytes that the server discards for one event.
const DISCARDED_AT_ONCE: usize = READ;

impl Core {
    /// Answers a request: sends `head`, then `pieces`. `head` may hold the whole answer.
    pub(crate) fn answer(
        &self,
        lease: Lease,
        head: &[u8],
        pieces: VecDeque<Piece>,
        then: Then,
    ) -> io::Result<()> {
        self.start(lease, head, Output { pieces, then, in_chunks: false })
    }

    /// Begins an answer to which the program adds: the last of `pieces` is a pause without end.
    pub(crate) fn begin(
        &self,
        lease: Lease,
        head: &[u8],
        pieces: VecDeque<Piece>,
        in_chunks: bool,
    ) -> io::Result<()> {
        self.start(lease, head, Output { pieces, then: Then::Reset, in_chunks })
    }

    fn start(&self, lease: Lease, head: &[u8], mut output: Output) -> io::Result<()> {
        let pieces = &mut output.pieces;
        let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
        let Some(mut held) = self.slots.lock(lease.token) else {
            drop(output);
            self.uncount(lease.bytes.get());
            return Err(gone());
        };
        let connection = held.connection().ok_or_else(gone)?;
        let space = pieces.iter().map(Piece::space).sum();
        if mem::replace(&mut connection.lent, space) != space {
            // Counted before a byte leaves, since the client may send its next large body as soon as it has the status.
            self.count(&mut held);
        }
        let connection = held.connection().ok_or_else(gone)?;
        let more = match pieces.front() {
            Some(Piece::File(_, left)) => !left.is_empty(),
            front => matches!(front, Some(Piece::Bytes(..))),
        };
        match connection.socket.send(head, more) {
            Ok(sent) if sent == head.len() && pieces.is_empty() => {
                self.finish(held, output.then);
                return Ok(());
            }
            Ok(sent) if sent == head.len() => {}
            Ok(sent) => pieces.push_front(Piece::Bytes(head[sent..].to_vec(), 0)),
            Err(error) => {
                connection.lent = 0;
                self.close(held);
                return Err(error.into());
            }
        }
        connection.output = Some(Box::new(output));
        connection.lent = 0;
        match self.advance(held) {
            true => Ok(()),
            false => Err(gone()),
        }
    }

    /// Sends more of an answer. False if the connection broke.
    pub(crate) fn advance(&self, mut held: Held<'_>) -> bool {
        let (phase, token) = (held.phase().0, held.token());
        let Some(connection) = held.connection() else { return false };
        let Some(mut output) = connection.output.take() else { return true };
        let written = output.write(&connection.socket);
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
                if self.is_full() {
                    drop(held);
                    self.make_space(false);
                }
            }
            Written::Paused(time) => {
                // A time that the clock can't count is a pause without end.
                let until = Instant::now().checked_add(time);
                // An answer to which the program adds pauses from its beginning on. A client that ends its side later has left,
                // however short ago it got a piece.
                if until.is_some() || phase != Phase::Pausing {
                    held.enter(Phase::Pausing, clock::milliseconds());
                }
                self.count(&mut held);
                let Some(connection) = held.connection() else { return false };
                match until {
                    Some(at) => {
                        connection.resumes = Some(at);
                        self.reactor.resume_at(at, self.number, token);
                    }
                    None => {
                        let taken = connection.on_taken.take();
                        drop(held);
                        taken.into_iter().for_each(call);
                    }
                }
            }
            Written::Broken => {
                // A plain end would look like the end of the answer.
                self.reset(held);
                return false;
            }
        }
        true
    }

    /// Returns the bytes of an open answer that wait to be sent; `None` if the client is gone.
    pub(crate) fn waiting(&self, token: Token) -> Option<usize> {
        let mut held = self.slots.lock(token)?;
        held.connection()?.output.as_ref().map(|output| output.space())
    }

    /// Calls `taken` once the kernel has all bytes of an open answer.
    pub(crate) fn when_taken(&self, token: Token, taken: Callback) {
        let Some(mut held) = self.slots.lock(token) else { return };
        let waits = held.phase().0 == Phase::Pausing;
        let Some(connection) = held.connection() else { return };
        let Some(output) = &connection.output else { return };
        if waits && output.pieces.is_empty() {
            drop(held);
            return taken();
        }
        connection.on_taken = Some(taken);
    }

    /// Adds `pieces` to an open answer, in place of the pause without end that is its last piece. Ends it with `then`, if that is
    /// given. False if the client is gone.
    pub(crate) fn append<const N: usize>(
        &self,
        token: Token,
        pieces: [Piece; N],
        then: Option<Then>,
    ) -> bool {
        let Some(mut held) = self.slots.lock(token) else { return false };
        let waits = held.phase().0 == Phase::Pausing;
        let output = held.connection().and_then(|connection| connection.output.as_mut());
        let Some(output) = output else { return false };
        if !waits {
            output.pieces.pop_back();
        }
        output.pieces.extend(pieces);
        output.then = then.unwrap_or(output.then);
        if waits {
            return self.advance(held);
        }
        self.count(&mut held);
        true
    }

    fn finish(&self, mut held: Held<'_>, then: Then) {
        self.count(&mut held);
        let Some(connection) = held.connection() else { return };
        connection.served += 1;
        connection.on_gone = None;
        let more = connection.readable || connection.inbound.has_bytes();
        match then {
            Then::Reset => self.reset(held),
            Then::Next if connection.keep_alive && (more || !connection.ended) => {
                connection.readable = false;
                held.enter(Phase::Idle, clock::milliseconds());
                if more {
                    self.look_again(held);
                }
            }
            Then::Next | Then::Close => self.end(held),
        }
    }

    /// Ends a connection so that the client can read its whole last answer: closing it with unread bytes would reset it (RFC
    /// 9112, section 9.6).
    fn end(&self, mut held: Held<'_>) {
        let Some(connection) = held.connection() else { return };
        let unread = connection.readable || connection.inbound.has_bytes();
        let done = (connection.last || connection.ended) && !unread && !connection.socket.has_unread();
        if done || shutdown(&connection.socket, Shutdown::Write).is_err() {
            return self.close(held);
        }
        held.enter(Phase::Lingering, clock::milliseconds());
        self.discard(held);
    }

    /// Discards the bytes that still arrive.
    pub(crate) fn discard(&self, mut held: Held<'_>) {
        let Some(connection) = held.connection() else { return };
        let (mut went, mut last) = (0, None);
        with_read_buffer(|buffer| {
            while went < DISCARDED_AT_ONCE && last.is_none() {
                match connection.socket.receive(buffer) {
                    Received::Bytes(count) => went += count,
                    end => last = Some(end),
                }
            }
        });
        connection.discarded += went;
        match last {
            _ if connection.discarded > MOST_DISCARDED => self.close(held),
            Some(Received::Nothing) => {}
            Some(_) => self.close(held),
            None => self.look_again(held),
        }
    }

    /// Closes a connection with a reset.
    pub(crate) fn reset(&self, mut held: Held<'_>) {
        if let Some(connection) = held.connection() {
            // If the option can't be set, a plain close must do.
            let _ = sockopt::set_socket_linger(&connection.socket, Some(Duration::ZERO));
        }
        self.close(held);
    }

    /// Closes a connection, frees its slot, and calls the closure of `Client::on_gone` if there is one. The memory of a lent
    /// request counts until the program drops the request.
    pub(crate) fn close(&self, held: Held<'_>) {
        let token = held.token();
        let Some(connection) = self.slots.remove(held) else { return };
        let Connection { counted, lent, resumes, on_gone, .. } = connection;
        drop((connection.socket, connection.inbound, connection.output));
        self.uncount(counted - lent);
        self.connections.fetch_sub(1, Ordering::AcqRel);
        if let Some(at) = resumes {
            self.reactor.forget(at, self.number, token);
        }
        on_gone.into_iter().for_each(call);
    }
}

/// Calls a closure of the program. Its panic must not end the thread that keeps the deadlines.
fn call(callback: Callback) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        log::error!("a closure for a client panicked");
    }
}
