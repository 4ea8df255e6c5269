//! Why a request is not taken: the status that its sender gets, and the words; the answer to it; who is refused for want of
//! memory.

use crate::answer::{self, BodyFraming, Context};
use crate::core::{Core, is_incomplete};
use crate::extension::{Page, Refused, plain_pages};
use crate::output::{Output, Piece, Then};
use crate::slots::{Held, Phase};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

/// A request that the engine answers by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// Status of the answer.
    pub status: u16,
    /// What is wrong, lower case, without a full stop.
    pub why: &'static str,
}

impl Refusal {
    /// `status` with the reason `why`.
    pub const fn new(status: u16, why: &'static str) -> Refusal {
        Refusal { status, why }
    }

    /// 400 (RFC 9110, section 15.5.1).
    pub const fn bad(why: &'static str) -> Refusal {
        Refusal::new(400, why)
    }
}

impl Core {
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
        let peer = connection.peer;
        let refused = Refused { status: refusal.status, why: refusal.why, request_line: &line, peer };
        // The closure is the program's; its panic must not end the thread that keeps the deadlines.
        let page = catch_unwind(AssertUnwindSafe(|| (self.pages)(&refused)));
        let Page { content_type, body } = page.unwrap_or_else(|_| plain_pages()(&refused));
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
    pub fn refuse_newest(&self) {
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
    pub fn count(&self, held: &mut Held<'_>) -> usize {
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
}
