//! Answers that continue after their beginning ([`Follow`] adds to a [`Sink`]), and bodies that are made while they are sent
//! ([`Source`]).

use crate::system::lock::lock;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex};

/// An answer that is being sent and has no known length. The answer ends when the sink is dropped.
pub trait Sink: Send {
    /// Returns the number of bytes that the client has not read yet; `None` once the client is gone.
    fn waiting(&self) -> Option<usize>;
    /// Adds `bytes`. Returns false once the client is gone.
    fn add(&self, bytes: Vec<u8>) -> bool;
    /// Resets the connection and drops all bytes that wait.
    fn reset(self: Box<Self>);
}

/// A function that gets the sink of an answer. The thread that sends the beginning of the answer calls it.
#[derive(Clone)]
pub struct Follow(pub Arc<dyn Fn(Box<dyn Sink>) + Send + Sync>);

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}

/// A body that is made while the client reads it. Its reader must not block: the thread also serves other clients.
#[derive(Clone)]
pub struct Source(Arc<Mutex<Option<Box<dyn Read + Send>>>>);

impl Source {
    pub(crate) fn new(reader: impl Read + Send + 'static) -> Source {
        Source(Arc::new(Mutex::new(Some(Box::new(reader)))))
    }

    /// Takes the reader out, to send the body.
    pub(crate) fn take(&self) -> Option<Box<dyn Read + Send>> {
        lock(&self.0).take()
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}
