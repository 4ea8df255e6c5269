//! Answers that continue after their beginning: [`Follow`] adds to a [`Sink`], the [`Pieces`] of a [`Stream`] are made one by one.
//! And bodies that are made while they are sent ([`Source`]).

use super::answer::Answer;
use super::progress::Progress;
use crate::system::lock::lock;
use std::fmt;
use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// An answer that is being sent and has no known length. Dropping the sink without [`Sink::end`] breaks the answer off.
pub trait Sink: Send + Sync {
    /// Returns the number of bytes that the client has not read yet; `None` once the client is gone.
    fn waiting(&self) -> Option<usize>;
    /// Adds `bytes`. Returns false once the client is gone.
    fn add(&self, bytes: Vec<u8>) -> bool;
    /// Calls `then` once the kernel has all bytes; not at all if the client leaves before.
    fn when_taken(&self, then: Box<dyn FnOnce() + Send>);
    /// Ends the answer, so that the client has all of it.
    fn end(&self);
    /// Ends the answer with fields after its last chunk; without chunks they are left out.
    fn end_with(&self, _trailers: &[(String, String)]) {
        self.end();
    }
    /// Ends the connection, so that the client takes the answer for broken.
    fn break_off(&self);
    /// Sends bytes that are neither a part of the answer nor HTTP, then ends the connection as [`Sink::break_off`] does.
    fn spoil(&self);
    /// Resets the connection and drops all bytes that wait.
    fn reset(&self);
}

/// A function that gets the sink of an answer. The thread that sends the beginning of the answer calls it.
#[derive(Clone)]
pub struct Follow(pub Arc<dyn Fn(Box<dyn Sink>) + Send + Sync>);

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Follow")
    }
}

/// The rest of a body that another server sends.
#[derive(Clone)]
pub struct Relay {
    /// Bytes of the whole body; `None` where the server did not say.
    pub length: Option<u64>,
    pub progress: Arc<Progress>,
    /// Gets the sink once the beginning was sent.
    pub follow: Follow,
}

impl fmt::Debug for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Relay")
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

/// Makes the pieces of a stream. A worker calls it for each piece, one after the other.
pub(crate) trait Pieces: Send {
    /// Makes the next piece; `None` at the end.
    fn next(&mut self) -> Made;

    /// Returns the bytes of memory that the pieces keep more than at the beginning.
    fn grown(&self) -> usize {
        0
    }

    /// Whether it is known that no piece is left: then the answer ends with the last piece, and not when another would be due.
    fn is_over(&self) -> bool;

    /// Whether the pieces exist already, so that [`Stream::space`] counts them.
    fn are_made(&self) -> bool {
        false
    }
}

/// The result of making a piece.
#[derive(Debug)]
pub(crate) struct Made {
    /// Time until the piece leaves: the sum of the script's `time.sleep` calls.
    pub hold: Duration,
    /// The piece; `None` at the end. An empty piece sends nothing.
    pub piece: Result<Option<Vec<u8>>, Failure>,
}

/// The reason why the script makes no piece.
#[derive(Debug)]
pub(crate) struct Failure {
    /// Provision, line, column and message. `None` for an `abort` before the first piece: that is an answer.
    pub error: Option<Box<str>>,
    /// The answer in place of the stream, where it has not begun.
    pub answer: Answer,
}

/// The body of a streamed answer. Copies of a reply share it; the first that is sent takes the pieces.
#[derive(Clone)]
pub struct Stream {
    /// Time between two pieces.
    pub every: Duration,
    /// The first piece, once it was made: the answer begins with it.
    pub first: Option<Vec<u8>>,
    /// Bytes that the pieces hold in memory.
    pub space: usize,
    /// The epoch in which the request began: a reset ends the streams of earlier epochs.
    pub epoch: u64,
    pub progress: Arc<Progress>,
    pieces: Arc<Mutex<Option<Box<dyn Pieces>>>>,
}

impl Stream {
    /// Creates a stream of `pieces`, which hold `space` bytes in memory.
    pub(crate) fn new(every: Duration, space: usize, pieces: impl Pieces + 'static) -> Stream {
        let pieces: Box<dyn Pieces> = Box::new(pieces);
        Stream {
            every,
            first: None,
            space,
            epoch: 0,
            progress: Arc::default(),
            pieces: Arc::new(Mutex::new(Some(pieces))),
        }
    }

    /// Takes the pieces out, to make them.
    pub(crate) fn take(&self) -> Option<Box<dyn Pieces>> {
        lock(&self.pieces).take()
    }

    /// Puts the pieces back.
    pub(crate) fn put(&self, pieces: Box<dyn Pieces>) {
        *lock(&self.pieces) = Some(pieces);
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stream")
    }
}
