//! An answer on its way to a socket: bytes, streams, files and pauses, written piece by piece as the socket takes them.

use crate::connection::socket::{Socket, with_read_buffer};
use crate::write::body::Body;
use crate::write::dribble::Slices;
use crate::write::head::Then;
use std::collections::VecDeque;
use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

pub(crate) struct Output {
    /// The pieces that are left.
    pub pieces: VecDeque<Piece>,
    pub then: Then,
    /// The program adds to the answer, in chunks.
    pub in_chunks: bool,
}

pub(crate) enum Piece {
    /// Bytes, and the number of them that were sent.
    Bytes(Vec<u8>, usize),
    Stream(Box<dyn Read + Send>, StreamFraming),
    /// A range of a file. Its bytes don't wait in memory.
    File(Arc<File>, Range<u64>),
    Pause(Duration),
    Slices(Slices),
}

impl Piece {
    /// Adds `body` to the end of `pieces`.
    pub(crate) fn push(pieces: &mut VecDeque<Piece>, body: Body) {
        match body {
            Body::Bytes(bytes) => pieces.push_back(Piece::Bytes(bytes, 0)),
            Body::File(file, range) => pieces.push_back(Piece::File(file, range)),
            Body::Parts(parts) => parts.into_iter().for_each(|part| Piece::push(pieces, part)),
        }
    }

    /// Returns the bytes of memory that the piece holds.
    pub(crate) fn space(&self) -> usize {
        match self {
            Piece::Bytes(bytes, _) => bytes.capacity(),
            Piece::Slices(slices) => slices.space(),
            Piece::Stream(..) | Piece::File(..) | Piece::Pause(_) => 0,
        }
    }
}

/// A pause until the program adds to the answer.
pub(crate) const FOREVER: Duration = Duration::MAX;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StreamFraming {
    /// Unchanged, to the end of the stream.
    Plain,
    /// Unchanged. The number of declared bytes that are missing.
    Length(u64),
    /// In chunks (RFC 9112, section 7.1).
    Chunked,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    All,
    /// The socket is full, or [`AT_ONCE`] bytes were written.
    Some,
    Paused(Duration),
    /// The connection is gone, or a stream failed.
    Broken,
}

/// Bytes of one read from a stream.
const SLICE: usize = 16 << 10;
/// Bytes that one call writes. More would let a client with a fast connection keep a thread.
const AT_ONCE: usize = 1 << 20;

impl Output {
    /// Returns the bytes of memory that wait to be sent.
    pub(crate) fn space(&self) -> usize {
        self.pieces.iter().map(Piece::space).sum()
    }

    /// Writes as much as `socket` takes.
    pub(crate) fn write(&mut self, socket: &Socket) -> Written {
        let mut written = 0;
        while let Some(piece) = self.pieces.pop_front() {
            match piece {
                Piece::Pause(time) => return Written::Paused(time),
                Piece::Slices(mut slices) => {
                    let Some((pause, part)) = slices.next(Instant::now()) else { continue };
                    let mut before = VecDeque::new();
                    slices.body().cut(part, &mut |body| Piece::push(&mut before, body));
                    before.push_back(Piece::Slices(slices));
                    before.append(&mut self.pieces);
                    self.pieces = before;
                    if !pause.is_zero() {
                        return Written::Paused(pause);
                    }
                }
                Piece::Stream(reader, framing) => {
                    if !self.read(reader, framing) {
                        return Written::Broken;
                    }
                }
                Piece::File(_, left) if left.is_empty() => {}
                Piece::File(file, left) => {
                    let Some((sent, full)) = send_part(socket, &file, &left) else {
                        return Written::Broken;
                    };
                    written += sent;
                    self.pieces.push_front(Piece::File(file, left.start + sent as u64..left.end));
                    if full {
                        return Written::Some;
                    }
                }
                Piece::Bytes(bytes, at) => {
                    let more = matches!(self.pieces.front(), Some(Piece::Bytes(..)));
                    let Ok(sent) = socket.send(&bytes[at..], more) else { return Written::Broken };
                    written += sent;
                    if at + sent < bytes.len() {
                        self.pieces.push_front(Piece::Bytes(bytes, at + sent));
                        return Written::Some;
                    }
                }
            }
            if written >= AT_ONCE && !self.pieces.is_empty() {
                return Written::Some;
            }
        }
        Written::All
    }

    /// Reads the next slice of a stream, and puts it before the rest. False if the stream fails or is shorter than declared.
    fn read(&mut self, mut reader: Box<dyn Read + Send>, framing: StreamFraming) -> bool {
        let most = match framing {
            StreamFraming::Length(left) => usize::try_from(left).unwrap_or(SLICE).min(SLICE),
            StreamFraming::Plain | StreamFraming::Chunked => SLICE,
        };
        if most == 0 {
            return true;
        }
        let mut slice = vec![0; most];
        // The reader belongs to the program. Its panic must not end the thread that writes for all connections.
        let read = catch_unwind(AssertUnwindSafe(|| reader.read(&mut slice)));
        let Ok(Ok(count)) = read else { return false };
        slice.truncate(count);
        let (bytes, framing) = match framing {
            StreamFraming::Length(_) if count == 0 => return false,
            StreamFraming::Length(left) => (slice, StreamFraming::Length(left.saturating_sub(count as u64))),
            StreamFraming::Plain => (slice, framing),
            StreamFraming::Chunked if count == 0 => (b"0\r\n\r\n".to_vec(), framing),
            StreamFraming::Chunked => {
                let mut chunk = format!("{count:x}\r\n").into_bytes();
                chunk.extend_from_slice(&slice);
                chunk.extend_from_slice(b"\r\n");
                (chunk, framing)
            }
        };
        if count > 0 {
            self.pieces.push_front(Piece::Stream(reader, framing));
        }
        self.pieces.push_front(Piece::Bytes(bytes, 0));
        true
    }
}

/// Sends the next part of a file. Returns the number of bytes that the socket took, and whether it is full. Bytes that it
/// doesn't take are read again later, so a slow client holds no memory. `None` if the connection is gone, or if the file can't
/// be read to its declared end.
fn send_part(socket: &Socket, file: &File, left: &Range<u64>) -> Option<(usize, bool)> {
    with_read_buffer(|buffer| {
        let most = usize::try_from(left.end - left.start).unwrap_or(usize::MAX).min(buffer.len());
        let part = &mut buffer[..most];
        if let Err(error) = file.read_exact_at(part, left.start) {
            let peer = socket.peer;
            log::warn!("cut {peer}: the file of its answer has become shorter, or can't be read: {error}");
            return None;
        }
        let sent = socket.send(part, false).ok()?;
        Some((sent, sent < most))
    })
}
