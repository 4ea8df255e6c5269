//! Answers refused requests.

use crate::connection::slots::Held;
use crate::core::state::Core;
use crate::refusal::{Page, Reason, Refused, plain_pages};
use crate::write::head::{BodyFraming, Context, Then, has_body, write_head};
use crate::write::output::{Output, Piece};
use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Core {
    /// Sends the page for `reason` and ends the connection.
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

    /// Returns the answer to a refused request. `line` is the part of its request line that has arrived.
    pub(crate) fn page(&self, reason: Reason, line: &str, peer: SocketAddr) -> Vec<u8> {
        let (status, why) = (reason.status(), reason.text());
        log::debug!("refused `{}` of {peer}: {status} {why}", line.escape_debug());
        let refused = Refused { reason, request_line: line, peer };
        // The closure belongs to the program. Its panic must not end the thread that keeps the deadlines.
        let page = catch_unwind(AssertUnwindSafe(|| (self.pages)(&refused)));
        let Page { reason: phrase, content_type, body } = page.unwrap_or_else(|_| plain_pages()(&refused));
        let context = Context { old: false, head_only: line.starts_with("HEAD "), keep_alive: false };
        let fields = [(&b"Content-Type"[..], content_type.as_bytes())].into_iter();
        let framing = BodyFraming::new(status, Some(body.len() as u64), context);
        let mut bytes = Vec::new();
        // Writing fails only if the reason or the media type has a line end. Then the answer stays empty.
        let _ = write_head(&mut bytes, (status, phrase.as_deref()), fields, framing, context);
        if has_body(status, context) {
            bytes.extend_from_slice(&body);
        }
        bytes
    }
}
