//! The body of an answer.

use std::fs::File;
use std::sync::Arc;

/// The body of an answer.
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The first bytes of a file, as many as given. The thread that writes reads them when the socket takes them; it doesn't
    /// move the file's cursor. If the file is shorter, the connection is reset.
    File(Arc<File>, u64),
}

impl Body {
    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, length) => *length,
        }
    }

    /// Whether the body has no bytes.
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
