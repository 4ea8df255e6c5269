//! An answer that goes on after its beginning: who adds to it, and what it is added to.

use std::fmt;
use std::sync::Arc;

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

impl PartialEq for Follow {
    fn eq(&self, other: &Follow) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}
