//! The body of a request that goes on to another server while the client still sends it.

use super::connection::{Connection, Moved};
use crate::serving::http::{Rest, Rested};
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The rest of a body on its way.
pub(crate) struct Upload {
    rest: Rest,
    /// The other server gets chunks, since the client declared no length.
    in_chunks: bool,
    /// Bytes for the other server, with their framing.
    outbox: Vec<u8>,
    /// Number of these bytes that it has.
    sent: usize,
    /// The client has sent all.
    is_whole: bool,
    /// The client is slower than the other server.
    pub awaits_client: bool,
    /// Bytes of the body that the client has sent behind the beginning.
    taken: Arc<AtomicU64>,
}

impl Upload {
    /// Begins with the `beginning` of the body, which has arrived. `taken` counts the rest.
    pub(crate) fn new(rest: Rest, in_chunks: bool, beginning: &[u8], taken: Arc<AtomicU64>) -> Upload {
        let mut upload = Upload {
            rest,
            in_chunks,
            outbox: Vec::new(),
            sent: 0,
            is_whole: false,
            awaits_client: false,
            taken,
        };
        upload.add(beginning);
        upload
    }

    /// Whether the other server has all of the body.
    pub(super) fn is_done(&self) -> bool {
        self.is_whole && self.sent == self.outbox.len()
    }

    /// Sends as much as client and server allow. Returns whether the other server has got something. `wake` makes a closure to be
    /// called once the client has sent more.
    ///
    /// # Errors
    /// The connection broke, or the client left (`NotConnected`), or sent what is no body (`InvalidInput`).
    pub(super) fn send(
        &mut self,
        connection: &Connection,
        wake: &dyn Fn() -> Box<dyn FnOnce() + Send>,
    ) -> io::Result<bool> {
        let mut moved = false;
        loop {
            while self.sent < self.outbox.len() {
                match connection.send(&self.outbox[self.sent..])? {
                    Moved::Bytes(count) => self.sent += count,
                    Moved::Nothing | Moved::End => return Ok(moved),
                }
                moved = true;
            }
            self.outbox.clear();
            self.sent = 0;
            if self.is_whole {
                return Ok(moved);
            }
            let mut body = Vec::new();
            let rested = self.rest.take(&mut body, wake());
            self.taken.fetch_add(body.len() as u64, Ordering::Relaxed);
            self.add(&body);
            self.awaits_client = false;
            match rested {
                Rested::More => {}
                Rested::Later if body.is_empty() => {
                    self.awaits_client = true;
                    return Ok(moved);
                }
                Rested::Later => {}
                Rested::Whole => self.end(),
                Rested::Malformed => return Err(ErrorKind::InvalidInput.into()),
                Rested::Gone => return Err(ErrorKind::NotConnected.into()),
            }
        }
    }

    fn add(&mut self, body: &[u8]) {
        match self.in_chunks {
            _ if body.is_empty() => {}
            true => {
                self.outbox.extend_from_slice(format!("{:x}\r\n", body.len()).as_bytes());
                self.outbox.extend_from_slice(body);
                self.outbox.extend_from_slice(b"\r\n");
            }
            false => self.outbox.extend_from_slice(body),
        }
    }

    fn end(&mut self) {
        self.is_whole = true;
        if self.in_chunks {
            self.outbox.extend_from_slice(b"0\r\n\r\n");
        }
    }
}
