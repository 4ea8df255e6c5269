//! An answer that goes on after its beginning: who adds to it, and what it is added to; or a body that is made while it leaves.

use crate::system::lock::lock;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex};

/// An answer under way, of no known length. It ends when this is dropped.
pub trait Sink: Send {
    /// Bytes that the client has not taken yet; `None` once it is gone.
    fn waiting(&self) -> Option<usize>;
    /// Adds `bytes`; false once the client is gone.
    fn add(&self, bytes: Vec<u8>) -> bool;
    /// Breaks the connection, with all that waits.
    fn reset(self: Box<Self>);
}

/// Takes an answer that goes on. Called by the thread that sends its beginning.
#[derive(Clone)]
pub struct Follow(pub Arc<dyn Fn(Box<dyn Sink>) + Send + Sync>);

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}

/// A body that is read as the client takes it, on a thread that must not wait for it.
#[derive(Clone)]
pub struct Source(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Source {
    pub(crate) fn new(reader: impl Read + Send + 'static) -> Source {
        Source(Arc::new(Mutex::new(Some(Box::new(reader)))))
    }

    /// The reader, for the one who sends it.
    pub(crate) fn take(&self) -> Option<Box<dyn Read + Send>> {
        lock(&self.0).take()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}
