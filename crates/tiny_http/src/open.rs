//! Answers that go on after their beginning. The program adds to them piece by piece, and no thread waits in between.

use crate::core::absent::Client;
use crate::header::{is_name, is_value};
use crate::write::body::Body;
use crate::write::chunks::{LAST_CHUNK, chunk};
use crate::write::head::Then;

/// An answer that has begun, and that any thread may add to. Dropping it without [`Open::end`] breaks it off. After its end it
/// takes nothing more.
pub struct Open {
    client: Client,
    chunked: bool,
    /// Whether the client sees that the answer breaks off without a reset: it knows the length, or waits for the last chunk.
    framed: bool,
    /// The answer ends as the client expects it: with a last chunk, or with the connection.
    then: Then,
}

impl Open {
    pub(crate) fn new(client: Client, (chunked, framed): (bool, bool), then: Then) -> Open {
        Open { client, chunked, framed, then }
    }

    /// Returns the bytes of memory that wait for the client to take them; `None` once the client is gone or has all.
    pub fn waiting(&self) -> Option<usize> {
        self.client.waiting()
    }

    /// Adds `bytes`, which wait in memory for the client; in chunks, they are one chunk. False once the client is gone, or the
    /// answer has ended.
    pub fn add(&self, bytes: Vec<u8>) -> bool {
        let body = Body::Bytes(bytes);
        self.client.append(if self.chunked { chunk(body, b"") } else { body }, None)
    }

    /// Calls `then` once the kernel has all bytes, on any thread; at once if it has them already. Not at all if the client leaves
    /// or the answer ends before. `then` must be short and must not wait. A second call replaces the first.
    pub fn when_taken(&self, then: impl FnOnce() + Send + 'static) {
        self.client.when_taken(Box::new(then));
    }

    /// Ends the answer: its client has all of it once the bytes that wait have left.
    pub fn end(&self) {
        let last = if self.chunked { LAST_CHUNK } else { b"" };
        self.client.append(Body::Bytes(last.to_vec()), Some(self.then));
    }

    /// Ends the answer with fields after its last chunk. Without chunks they are dropped, and so are fields that HTTP can't carry.
    pub fn end_with<'f, V: AsRef<[u8]>>(&self, trailers: impl Iterator<Item = (&'f [u8], V)>) {
        if !self.chunked {
            return self.end();
        }
        let mut last = b"0\r\n".to_vec();
        for (name, value) in trailers {
            let value = value.as_ref();
            if is_name(name) && is_value(value) {
                [name, b": ", value, b"\r\n"].iter().for_each(|part| last.extend_from_slice(part));
            }
        }
        last.extend_from_slice(b"\r\n");
        self.client.append(Body::Bytes(last), Some(self.then));
    }

    /// Ends the connection after the bytes that wait, so that the client takes the answer for broken: before its length, without
    /// the last chunk, or by a reset if there is neither.
    pub fn break_off(&self) {
        self.break_off_after(Vec::new());
    }

    /// Adds `bytes` as they are, so that they are no chunk, and then does as [`Open::break_off`].
    pub fn break_off_after(&self, bytes: Vec<u8>) {
        let then = if self.framed { Then::Close } else { Then::Reset };
        self.client.append(Body::Bytes(bytes), Some(then));
    }

    /// Resets the connection. Bytes that wait are lost.
    pub fn reset(&self) {
        self.client.reset();
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.break_off();
    }
}
