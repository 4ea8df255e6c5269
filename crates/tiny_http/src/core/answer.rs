//! Sends answers, and ends connections or makes them ready for their next request.

use crate::clock;
use crate::connection::slots::{Held, Lease, Phase};
use crate::connection::socket::{READ, Received, with_read_buffer};
use crate::connection::state::{Callback, Connection};
use crate::core::state::Core;
use crate::write::head::Then;
use crate::write::output::{Output, Piece, Written};
use rustix::net::{Shutdown, shutdown, sockopt};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use std::{io, mem};

/// Bytes from the client that the server discards after the last answer. A connection that gets more is closed.
const MOST_DISCARDED: usize = 64 << 20;
/// Bytes that the server discards for one event.
const DISCARDED_AT_ONCE: usize = READ;

impl Core {
    /// Answers a request, or begins to: sends `head`, then `output`. `head` may hold the whole answer.
    pub(crate) fn answer(&self, lease: Lease, head: &[u8], mut output: Output) -> io::Result<()> {
        let (pieces, grows) = (&mut output.pieces, output.growth.is_some());
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
            Ok(sent) if sent == head.len() && pieces.is_empty() && !grows => {
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
        if written == Written::All {
            self.finish(held, output.then);
            return true;
        }
        connection.output = Some(output);
        match written {
            Written::All => {}
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
                held.enter(Phase::Pausing, clock::milliseconds());
                self.count(&mut held);
                // A time that the clock can't count is a pause without end.
                if let Some(at) = Instant::now().checked_add(time)
                    && let Some(connection) = held.connection()
                {
                    connection.resumes = Some(at);
                    self.reactor.resume_at(at, self.number, token);
                }
            }
            Written::Drained => {
                held.enter(Phase::Pausing, clock::milliseconds());
                self.count(&mut held);
                let taken = held.connection().and_then(|connection| connection.on_taken.take());
                drop(held);
                taken.into_iter().for_each(call);
            }
            Written::Broken => {
                // A plain end would look like the end of the answer.
                self.reset(held);
                return false;
            }
        }
        true
    }

    fn finish(&self, mut held: Held<'_>, then: Then) {
        self.count(&mut held);
        let Some(connection) = held.connection() else { return };
        connection.served += 1;
        let closures = (connection.on_gone.take(), connection.on_taken.take(), connection.on_readable.take());
        connection.keep_alive &= !connection.inbound.has_rest();
        let more = connection.readable || connection.inbound.has_bytes();
        match then {
            Then::Reset => self.reset(held),
            Then::Next if connection.keep_alive && (more || !connection.ended) => {
                connection.readable = false;
                held.enter(Phase::Idle, clock::milliseconds());
                match more {
                    true => self.look_again(held),
                    false => drop(held),
                }
            }
            Then::Next | Then::Close => self.end(held),
        }
        // After the lock on the connection, which the end of what a closure owns may take.
        drop(closures);
    }

    /// Ends a connection so that the client can read its whole last answer: closing it with unread bytes would reset it (RFC
    /// 9112, section 9.6).
    fn end(&self, mut held: Held<'_>) {
        let Some(connection) = held.connection() else { return };
        let unread = connection.readable || connection.inbound.has_bytes() || connection.inbound.has_rest();
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
pub(crate) fn call(callback: Callback) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        log::error!("a closure for a client panicked");
    }
}
