//! The rest of a body that the program takes piece by piece, while it has the request already.

use crate::clock;
use crate::connection::slots::{Lease, Phase};
use crate::connection::socket::{Received, with_read_buffer};
use crate::core::absent::Client;
use crate::core::state::Core;
use crate::parse::inbound::Message;
use crate::refusal::Reason;
use std::mem;

/// The rest of the body of one request.
pub struct Rest {
    client: Client,
}

/// The result of [`Rest::take`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rested {
    /// More may be there already.
    More,
    /// More has not arrived. The closure is called when it has.
    Later,
    /// The body is complete.
    Whole,
    /// The client sent what is no body.
    Malformed,
    /// The client has left, or has its answer.
    Gone,
}

/// Reads of one call.
const READS_AT_ONCE: usize = 2;

impl Rest {
    pub(crate) fn new(client: Client) -> Rest {
        Rest { client }
    }

    /// Appends what has arrived to `out`, at most 128 KiB, without its framing. If nothing is left, `then` is called when more has
    /// arrived, on any thread; it must be short and must not wait. The first call asks a client for its body that waits for that
    /// (`Expect: 100-continue`).
    pub fn take(&self, out: &mut Vec<u8>, then: impl FnOnce() + Send + 'static) -> Rested {
        let core = &self.client.core;
        let Some(mut held) = self.client.answered() else { return Rested::Gone };
        let waits = held.connection().is_some_and(|connection| mem::take(&mut connection.inbound.waits));
        if waits && held.phase().0 == Phase::Lent && !core.ask_for_body(&mut held) {
            // The connection stays until the program has answered. Closing it here would call the closure of `Client::on_gone`, which may
            // wait for the caller.
            return Rested::Gone;
        }
        let Some(connection) = held.connection() else { return Rested::Gone };
        let rested = with_read_buffer(|buffer| {
            for _ in 0..READS_AT_ONCE {
                match connection.socket.receive(buffer) {
                    Received::Bytes(count) => {
                        match connection.inbound.take_rest(&buffer[..count], out, &core.limits) {
                            Ok(true) => return Rested::Whole,
                            Ok(false) => {}
                            Err(_) => return Rested::Malformed,
                        }
                    }
                    Received::Nothing => return Rested::Later,
                    Received::End | Received::Gone => {
                        connection.ended = true;
                        return Rested::Gone;
                    }
                }
            }
            Rested::More
        });
        if rested == Rested::Later {
            let before = connection.on_readable.replace(Box::new(then));
            // First the lock, since the end of what a closure owns may take it.
            drop((held, before));
        }
        rested
    }
}

impl Core {
    /// Takes a request back whose body has not arrived in full.
    pub(crate) fn gather(&self, lease: &Lease, message: Message) {
        let Some(mut held) = self.slots.lock(lease.token) else {
            return self.uncount(lease.bytes.get());
        };
        let Some(connection) = held.connection() else { return };
        (connection.lent, connection.readable) = (0, false);
        let waits = mem::take(&mut connection.inbound.waits);
        let fits = connection.inbound.gather_rest(message, &self.limits);
        held.enter(Phase::Body, clock::milliseconds());
        self.count(&mut held);
        if !fits {
            return self.refuse(held, Reason::BodyTooLong);
        }
        if waits && !self.ask_for_body(&mut held) {
            return self.close(held);
        }
        self.look_again(held);
    }
}
