//! Answers to which the program adds after they have begun ([`Open`](crate::extension::Open)). Between two pieces their
//! connection is in phase Pausing, and no thread waits for it.

use crate::clock;
use crate::connection::slots::{Held, Phase};
use crate::connection::state::Callback;
use crate::core::absent::Client;
use crate::core::answer::call;
use crate::core::state::Core;
use crate::write::body::Body;
use crate::write::head::Then;
use crate::write::output::{Output, Piece};
use std::time::{Duration, Instant};

/// Time within which a client may end its side after its request and still get its answer, as `printf ... | nc -N` does. A
/// client that ends its side later counts as gone, except where [`Core::probe`] can ask it. TCP shows both in the same way.
const HALF_CLOSE_MS: u64 = 100;
/// Zeros that are sent to a client that has ended its side. One reaches a client that has left. A proxy in user space (of
/// Docker, of `kubectl port-forward`) passes the end on, but stays: it needs a second one to see that its client has left, and
/// the third one finds it gone too.
const ZEROS: u8 = 3;
/// Time between two zeros.
const ZERO_EVERY: Duration = Duration::from_millis(25);

impl Client {
    /// Returns the bytes of memory that wait to be sent; `None` once the client is gone, or has all of the answer.
    pub(crate) fn waiting(&self) -> Option<usize> {
        self.answered()?.connection()?.output.as_ref().map(|output| output.space())
    }

    /// Adds `body` to the answer, and ends it with `then`, if that is given. False once the client is gone, or the answer has
    /// ended.
    pub(crate) fn append(&self, body: Body, then: Option<Then>) -> bool {
        let Some(mut held) = self.answered() else { return false };
        let waits = held.phase().0 == Phase::Pausing;
        let Some(output) = growing(&mut held) else { return false };
        if !body.is_empty() {
            Piece::push(&mut output.pieces, body);
        }
        if let Some(then) = then {
            (output.then, output.growth) = (then, None);
        }
        let core = &self.core;
        if waits {
            return output.is_drained() || core.advance(held);
        }
        core.count(&mut held);
        if core.is_full() {
            drop(held);
            core.make_space(false);
        }
        true
    }

    /// Calls `taken` once the kernel has all bytes.
    pub(crate) fn when_taken(&self, taken: Callback) {
        let Some(mut held) = self.answered() else { return };
        let Some(output) = growing(&mut held) else { return };
        if output.is_drained() {
            drop(held);
            return call(taken);
        }
        let before = held.connection().map(|connection| connection.on_taken.replace(taken));
        // First the lock, since the end of what a closure owns may take it.
        drop((held, before));
    }

    /// Resets the connection, unless the answer has ended.
    pub(crate) fn reset(&self) {
        if let Some(mut held) = self.answered()
            && growing(&mut held).is_some()
        {
            self.core.reset(held);
        }
    }
}

/// Returns the answer of a connection, if the program may add to it.
fn growing<'h>(held: &'h mut Held<'_>) -> Option<&'h mut Output> {
    let output = held.connection()?.output.as_mut()?;
    output.growth.is_some().then_some(&mut **output)
}

impl Core {
    /// Acts on the end of a client's side while its answer is held back since `since`, or pauses. Closes the connection if the
    /// client counts as gone.
    pub(crate) fn ended(&self, mut held: Held<'_>, since: u64) {
        let growth = growing(&mut held).and_then(|output| output.growth.as_ref());
        let since = match growth {
            Some(growth) if growth.in_chunks => return self.probe(held),
            Some(growth) => growth.since,
            None => since,
        };
        if clock::milliseconds() > since + HALF_CLOSE_MS {
            self.close(held);
        }
    }

    /// Goes on with an answer whose pause ends at `at`.
    pub(crate) fn resume(&self, mut held: Held<'_>, at: Instant) {
        let Some(connection) = held.connection() else { return };
        let is_due = connection.resumes.take_if(|due| *due == at).is_some();
        if !is_due || held.phase().0 != Phase::Pausing {
            return;
        }
        match growing(&mut held) {
            Some(_) => self.probe(held),
            None => drop(self.advance(held)),
        }
    }

    /// Sends a zero to a client that sends no more. It begins the size of the next chunk (RFC 9112, section 7.1, allows zeros in
    /// front). A client that has only ended its side takes it. One that has left answers with a reset, which ends the stream.
    fn probe(&self, mut held: Held<'_>) {
        let token = held.token();
        let Some(output) = growing(&mut held).filter(|output| output.is_drained()) else { return };
        let Some(growth) = output.growth.as_mut().filter(|growth| growth.zeros < ZEROS) else { return };
        growth.zeros += 1;
        let Some(connection) = held.connection() else { return };
        if connection.socket.send(b"0", false).is_err() {
            return self.close(held);
        }
        if let Some(at) = Instant::now().checked_add(ZERO_EVERY) {
            connection.resumes = Some(at);
            self.reactor.resume_at(at, self.number, token);
        }
    }
}
