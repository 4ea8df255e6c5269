//! Answers refused requests.

use crate::connection::slots::Held;
use crate::core::state::Core;
use crate::refusal::{Page, Reason, Refused, plain_pages};
use crate::write::head::{BodyFraming, Context, Then, has_body, write_head};
use crate::write::output::{Output, Piece};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};

impl Core {
    /// Sends the page for `reason` and ends the connection.
    pub(crate) fn refuse(&self, mut held: Held<'_>, reason: Reason) {
        let Some(connection) = held.connection() else { return };
        let (line, origin) = (connection.inbound.line(), connection.inbound.field("origin"));
        let refused =
            Refused { reason, request_line: &line, origin: origin.as_deref(), peer: connection.socket.peer };
        let bytes = self.page(&refused);
        connection.keep_alive = false;
        connection.inbound = Default::default();
        let pieces = VecDeque::from([Piece::Bytes(bytes, 0)]);
        connection.output = Some(Box::new(Output { pieces, then: Then::Close, in_chunks: false }));
        self.advance(held);
    }

    /// Returns the answer to a refused request.
    pub(crate) fn page(&self, refused: &Refused<'_>) -> Vec<u8> {
        let (status, why, line) = (refused.reason.status(), refused.reason.text(), refused.request_line);
        log::debug!("refused `{}` of {}: {status} {why}", line.escape_debug(), refused.peer);
        // The closure belongs to the program. Its panic must not end the thread that keeps the deadlines.
        let page = catch_unwind(AssertUnwindSafe(|| (self.pages)(refused)));
        let Page { reason: phrase, fields, body } = page.unwrap_or_else(|_| plain_pages()(refused));
        let context = Context { old: false, head_only: line.starts_with("HEAD "), keep_alive: false };
        let fields = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let framing = BodyFraming::new(status, Some(body.len() as u64), context);
        let mut bytes = Vec::new();
        // Writing fails only if the reason or a field has a line end. Then the answer stays empty.
        let _ =
            write_head(&mut bytes, (status, phrase.as_ref().map(String::as_bytes)), fields, framing, context);
        if has_body(status, context) {
            bytes.extend_from_slice(&body);
        }
        bytes
    }
}
