//! Requests that are not taken: the answer to them, and who is refused for want of memory.

use crate::connection::slots::Held;
use crate::core::state::Core;
use crate::refusal::{Page, Reason, Refused, plain_pages};
use crate::write::head::{BodyFraming, Context, Then, has_body, write_head};
use crate::write::output::{Output, Piece};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Core {
    /// Answers for the program, and ends the connection.
    pub(crate) fn refuse(&self, mut held: Held<'_>, reason: Reason) {
        let Some(connection) = held.connection() else { return };
        let line = connection.inbound.line();
        let bytes = self.page(reason, &line, connection.socket.peer);
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
        let _ = write_head(&mut bytes, (status, phrase.as_deref()), fields, framing, context);
        if has_body(status, context) {
            bytes.extend_from_slice(&body);
        }
        bytes
    }
}
