//! Requests that are not taken: the answer to them, and who is refused for want of memory.

use crate::answer::{self, BodyFraming, Context};
use crate::clock;
use crate::core::{Core, is_incomplete};
use crate::extension::{Page, Refused, plain_pages};
use crate::lock::lock;
use crate::output::{Output, Piece, Then};
use crate::reason::Reason;
use crate::slots::{Held, Phase};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::TryLockError;
use std::sync::atomic::Ordering;

/// A client that takes longer for an answer may be cut where memory is short, in milliseconds.
const STALLED_MS: u64 = 1000;

impl Core {
    /// Answers for the program, and ends the connection.
    pub(crate) fn refuse(&self, mut held: Held<'_>, reason: Reason) {
        let Some(connection) = held.connection() else { return };
        let line = connection.inbound.line();
        let bytes = self.page(reason, &line, connection.peer);
        connection.keep_alive = false;
        connection.inbound = Default::default();
        connection.output =
            Some(Box::new(Output { pieces: VecDeque::from([Piece::Bytes(bytes, 0)]), then: Then::Close }));
        self.advance(held);
    }

    /// The answer to a request that is refused, of whose request line `line` has come.
    pub(crate) fn page(&self, reason: Reason, line: &str, peer: SocketAddr) -> Vec<u8> {
        let (status, why) = (reason.status(), reason.text());
        log::debug!("refused `{}` of {peer}: {status} {why}", line.escape_debug());
        let refused = Refused { reason, request_line: line, peer };
        // The closure is the program's; its panic must not end the thread that keeps the deadlines.
        let page = catch_unwind(AssertUnwindSafe(|| (self.pages)(&refused)));
        let Page { reason: phrase, content_type, body } = page.unwrap_or_else(|_| plain_pages()(&refused));
        let context = Context { old: false, head_only: line.starts_with("HEAD "), keep_alive: false };
        let fields = [(&b"Content-Type"[..], content_type.as_bytes())].into_iter();
        let framing = BodyFraming::new(status, Some(body.len() as u64), context);
        let mut bytes = Vec::new();
        // Only a reason or media type with a line end can fail, and then there is nothing to say.
        let _ = answer::write_head(&mut bytes, (status, phrase.as_deref()), fields, framing, context);
        if answer::has_body(status, context) {
            bytes.extend_from_slice(&body);
        }
        bytes
    }

    /// Frees memory until requests and answers are within their limit again. Answers that their client has not taken for a
    /// second go first. If `requests` may be refused, the newest incomplete ones follow, one after the other: the oldest one
    /// goes on, so somebody is always served.
    pub(crate) fn make_space(&self, requests: bool) {
        // A worker that reads waits for the one that frees memory, or it would read on above the limit. Nobody else waits: this
        // thread may be the one, with a refusal that did not fit into its socket.
        let _one = match requests {
            true => lock(&self.refusing),
            false => match self.refusing.try_lock() {
                Ok(one) => one,
                Err(TryLockError::Poisoned(one)) => one.into_inner(),
                Err(TryLockError::WouldBlock) => return,
            },
        };
        while self.is_full() && self.cut_stalled() {}
        while requests && self.is_full() {
            let arriving = self.slots.stamps().filter(|(phase, ..)| is_incomplete(*phase));
            let newest = arriving.max_by_key(|(phase, since, _)| (*phase == Phase::Body, *since));
            let Some((.., index)) = newest else { return };
            // Another worker may have completed or closed it since.
            let held = self.slots.lock_at(index).filter(|held| is_incomplete(held.phase().0));
            held.into_iter().for_each(|held| self.refuse(held, Reason::TooManyBytes));
        }
    }

    /// Whether requests and answers hold more memory than they may. A body of the full limit fits beside its head.
    pub(crate) fn is_full(&self) -> bool {
        self.buffered.load(Ordering::Relaxed) > self.limits.buffered.saturating_add(self.limits.head)
    }

    /// Cuts the connection that has been taking its answer for longest; false if none has for a second.
    fn cut_stalled(&self) -> bool {
        let now = clock::milliseconds();
        let is_stalled = |(phase, since): (Phase, u64)| phase == Phase::Writing && now >= since + STALLED_MS;
        let stalled = self.slots.stamps().filter(|(phase, since, _)| is_stalled((*phase, *since)));
        let oldest = stalled.min_by_key(|(_, since, _)| *since);
        let held = oldest.and_then(|(.., index)| self.slots.lock_at(index));
        let Some(mut held) = held.filter(|held| is_stalled(held.phase())) else { return false };
        if let Some(connection) = held.connection() {
            log::info!("cut {}: memory is short, and it does not take its answer", connection.peer);
        }
        self.reset(held);
        true
    }

    /// Counts the memory that a connection holds now.
    pub(crate) fn count(&self, held: &mut Held<'_>) {
        let Some(connection) = held.connection() else { return };
        let (before, now) = (connection.counted, connection.space());
        connection.counted = now;
        match now.checked_sub(before) {
            Some(0) => {}
            Some(more) => drop(self.buffered.fetch_add(more, Ordering::Relaxed)),
            None => drop(self.buffered.fetch_sub(before - now, Ordering::Relaxed)),
        }
    }
}
