//! One connection: its socket, what arrives, what leaves. Decides nothing; `core` does.

use crate::absent::Gone;
use crate::inbound::Inbound;
use crate::output::Output;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

pub(crate) struct Connection {
    /// The socket; closing it takes it out of every epoll instance.
    pub socket: OwnedFd,
    pub peer: SocketAddr,
    pub inbound: Inbound,
    pub output: Option<Box<Output>>,
    pub served: usize,
    /// More may have arrived than was read.
    pub readable: bool,
    /// The client sends no more.
    pub ended: bool,
    /// The request that the program has may be followed by another one.
    pub keep_alive: bool,
    /// The client said that this request is its last.
    pub last: bool,
    /// The reactor knows the socket.
    pub watched: bool,
    /// Bytes of memory of the request that the program has.
    pub lent: usize,
    /// Bytes of memory that count for this connection.
    pub counted: usize,
    /// Bytes that were thrown away after the end.
    pub discarded: usize,
    /// Called if the client leaves before it has its answer.
    pub on_gone: Option<Gone>,
    /// When the reactor goes on with the answer.
    pub resumes: Option<Instant>,
    /// When a look found that no more of the request had come since its last bytes.
    pub silent_since: Option<u64>,
}

/// Bytes that one read takes at most.
pub(crate) const READ: usize = 64 << 10;

thread_local! {
    /// What is read is looked at here first: a request that came in one piece needs no buffer of its connection.
    static READ_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Runs `look` with the thread's read buffer, or with another one where that is in use already: a request may be refused while
/// it is looked at, and what follows it is thrown away then.
pub(crate) fn with_read_buffer<T>(look: impl FnOnce(&mut [u8]) -> T) -> T {
    let mut buffer = READ_BUFFER.take();
    buffer.resize(READ, 0);
    let result = look(&mut buffer);
    READ_BUFFER.set(buffer);
    result
}

pub(crate) enum Received {
    Bytes(usize),
    Nothing,
    /// The client sends no more.
    End,
    Gone,
}

impl Connection {
    pub(crate) fn new(socket: OwnedFd, peer: SocketAddr) -> Connection {
        Connection {
            socket,
            peer,
            inbound: Inbound::default(),
            output: None,
            served: 0,
            readable: false,
            ended: false,
            keep_alive: true,
            last: false,
            watched: false,
            lent: 0,
            counted: 0,
            discarded: 0,
            on_gone: None,
            resumes: None,
            silent_since: None,
        }
    }

    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Received {
        loop {
            return match recv(&self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => Received::End,
                Ok((count, _)) => Received::Bytes(count),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Received::Nothing,
                Err(_) => Received::Gone,
            };
        }
    }

    /// Whether something has arrived that was not read, without reading it.
    pub(crate) fn has_unread(&self) -> bool {
        let peeked = recv(&self.socket, &mut [0; 1][..], RecvFlags::DONTWAIT | RecvFlags::PEEK);
        peeked.is_ok_and(|(count, _)| count > 0)
    }

    /// Writes as much of `bytes` as the socket takes; gives how much. `more` follows at once.
    pub(crate) fn send(&self, bytes: &[u8], more: bool) -> Result<usize, Errno> {
        let more = if more { SendFlags::MORE } else { SendFlags::empty() };
        loop {
            return match send(&self.socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL | more) {
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(0),
                sent => sent,
            };
        }
    }

    /// Whether its answer waits for a time: with the program, which wants to know if the client leaves, or between two slices.
    /// Where the program adds to an answer (a stream), no piece of it is left, and it does not count as held back.
    pub(crate) fn is_held_back(&self) -> bool {
        self.output.as_ref().map_or(self.on_gone.is_some(), |output| !output.pieces.is_empty())
    }

    /// Bytes of memory that it holds now.
    pub(crate) fn space(&self) -> usize {
        self.inbound.space() + self.lent + self.output.as_ref().map_or(0, |output| output.space())
    }
}
