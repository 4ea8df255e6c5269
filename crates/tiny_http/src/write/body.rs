//! The body of an answer.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;

/// Bytes up to which a body is copied behind its head, so that one write sends both.
pub(crate) const ONE_WRITE: usize = 64 << 10;

/// The body of an answer.
pub enum Body {
    /// These bytes.
    Bytes(Vec<u8>),
    /// A range of a file. The thread that writes reads it when the socket takes it; it doesn't move the file's cursor. If the
    /// file is shorter, the connection is reset.
    File(Arc<File>, Range<u64>),
    /// These bodies, one after the other.
    Parts(Vec<Body>),
}

impl Body {
    /// Returns the length in bytes.
    pub fn len(&self) -> u64 {
        match self {
            Body::Bytes(bytes) => bytes.len() as u64,
            Body::File(_, range) => range.end - range.start,
            Body::Parts(parts) => parts.iter().map(Body::len).sum(),
        }
    }

    /// Whether the body has no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of memory that the body holds.
    pub(crate) fn space(&self) -> usize {
        match self {
            Body::Bytes(bytes) => bytes.capacity(),
            Body::File(..) => 0,
            Body::Parts(parts) => parts.iter().map(Body::space).sum(),
        }
    }

    /// Calls `take` with the pieces of `range`, in order.
    pub(crate) fn cut(&self, range: Range<u64>, take: &mut dyn FnMut(Body)) {
        match self {
            Body::Bytes(bytes) => {
                take(Body::Bytes(bytes[range.start as usize..range.end as usize].to_vec()));
            }
            Body::File(file, all) => {
                take(Body::File(file.clone(), all.start + range.start..all.start + range.end));
            }
            Body::Parts(parts) => {
                let mut before = 0;
                for part in parts {
                    let within = |at: u64| at.saturating_sub(before).min(part.len());
                    let (start, end) = (within(range.start), within(range.end));
                    before += part.len();
                    if start < end {
                        part.cut(start..end, take);
                    }
                }
            }
        }
    }

    pub(crate) fn halve(&mut self) {
        let half = self.len() / 2;
        match self {
            Body::Bytes(bytes) => bytes.truncate(bytes.len() / 2),
            Body::File(_, range) => range.end = range.start + half,
            Body::Parts(_) => {
                let mut parts = Vec::new();
                self.cut(0..half, &mut |part| parts.push(part));
                *self = Body::Parts(parts);
            }
        }
    }
}
