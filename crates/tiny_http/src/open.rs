//! Answers that go on after their beginning. The program adds to them piece by piece, and no thread waits in between.

use crate::connection::slots::Token;
use crate::core::state::Core;
use crate::write::body::Body;
use crate::write::head::Then;
use crate::write::output::{FOREVER, Piece};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// An answer that has begun, and that any thread may add to. Dropping it without [`Open::end`] breaks it off.
pub struct Open {
    core: Arc<Core>,
    token: Token,
    chunked: bool,
    /// The answer ends as the client expects it: with a last chunk, or with the connection.
    then: Then,
    /// The program has ended the answer.
    ended: AtomicBool,
}

/// The empty chunk that ends an answer (RFC 9112, section 7.1).
const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Returns the bytes of one chunk; nothing for an empty one, which would be the last.
pub(crate) fn chunk(content: &[u8]) -> Vec<u8> {
    if content.is_empty() {
        return Vec::new();
    }
    let mut chunk = format!("{:x}\r\n", content.len()).into_bytes();
    chunk.reserve_exact(content.len() + 2);
    chunk.extend_from_slice(content);
    chunk.extend_from_slice(b"\r\n");
    chunk
}

/// Returns `body` as one chunk and the end.
pub(crate) fn in_chunks(body: Body) -> Body {
    match body {
        Body::Bytes(bytes) => Body::Bytes([chunk(&bytes), LAST_CHUNK.to_vec()].concat()),
        body if body.is_empty() => Body::Bytes(LAST_CHUNK.to_vec()),
        body => {
            let size = format!("{:x}\r\n", body.len()).into_bytes();
            Body::Parts(vec![Body::Bytes(size), body, Body::Bytes([b"\r\n", LAST_CHUNK].concat())])
        }
    }
}

impl Open {
    pub(crate) fn new(core: Arc<Core>, token: Token, chunked: bool, then: Then) -> Open {
        Open { core, token, chunked, then, ended: AtomicBool::new(false) }
    }

    /// Returns the bytes that the client has not taken yet; `None` once the client is gone.
    pub fn waiting(&self) -> Option<usize> {
        self.core.waiting(self.token)
    }

    /// Adds `bytes`, which wait in memory for the client; in chunks, they are one chunk. False once the client is gone.
    pub fn add(&self, bytes: Vec<u8>) -> bool {
        let bytes = if self.chunked { chunk(&bytes) } else { bytes };
        self.core.append(self.token, [Piece::Bytes(bytes, 0), Piece::Pause(FOREVER)], None)
    }

    /// Calls `then` once the kernel has all bytes, on any thread; at once if it has them already. Not at all if the client leaves
    /// before. `then` must be short and must not wait. A second call replaces the first.
    pub fn when_taken(&self, then: impl FnOnce() + Send + 'static) {
        self.core.when_taken(self.token, Box::new(then));
    }

    /// Ends the answer: its client has all of it once the bytes that wait have left.
    pub fn end(&self) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            let last = if self.chunked { LAST_CHUNK } else { b"" };
            self.core.append(self.token, [Piece::Bytes(last.to_vec(), 0)], Some(self.then));
        }
    }

    /// Ends the connection after the bytes that wait, so that the client takes the answer for broken: without the last chunk, or
    /// by a reset if there are no chunks.
    pub fn break_off(&self) {
        self.break_off_after(Vec::new());
    }

    /// Adds `bytes` as they are, so that they are no chunk, and then does as [`Open::break_off`].
    pub fn break_off_after(&self, bytes: Vec<u8>) {
        if !self.ended.swap(true, Ordering::AcqRel) {
            let then = if self.chunked { Then::Close } else { Then::Reset };
            self.core.append(self.token, [Piece::Bytes(bytes, 0)], Some(then));
        }
    }

    /// Resets the connection. Bytes that wait are lost.
    pub fn reset(&self) {
        if !self.ended.swap(true, Ordering::AcqRel)
            && let Some(held) = self.core.slots.lock(self.token)
        {
            self.core.reset(held);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.break_off();
    }
}
