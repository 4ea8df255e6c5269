//! The body of an answer.

use std::fs::File;
use std::sync::Arc;

/// What follows the head of an answer.
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// So many bytes of a file, from its beginning. They are read as the socket takes them, on the thread that writes, wherever
    /// the file is read from meanwhile. Where it ends before, the connection is reset.
    File(Arc<File>, u64),
}

impl Body {
    /// How many bytes there are.
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn halve(&mut self) {
        match self {
            Body::Bytes(bytes) => bytes.truncate(bytes.len() / 2),
            Body::File(_, length) => *length /= 2,
        }
    }
}
