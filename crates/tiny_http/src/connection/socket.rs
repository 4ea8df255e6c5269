//! The socket of a connection, and the buffer into which a thread reads.

use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, recv, send};
use std::cell::Cell;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// A socket that never blocks. Closing it takes it out of every epoll instance.
pub(crate) struct Socket {
    descriptor: OwnedFd,
    pub peer: SocketAddr,
}

/// Most bytes of one read.
pub(crate) const READ: usize = 64 << 10;

thread_local! {
    /// Each thread reads into this buffer first. A request that arrives in one piece needs no buffer of its connection.
    static READ_BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// Calls `look` with the thread's read buffer, or with a new one if the thread uses it already. That happens when `look`
/// refuses a request and discards the bytes behind it.
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

impl Socket {
    pub(crate) fn new(descriptor: OwnedFd, peer: SocketAddr) -> Socket {
        Socket { descriptor, peer }
    }

    pub(crate) fn receive(&self, buffer: &mut [u8]) -> Received {
        loop {
            return match recv(&self.descriptor, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => Received::End,
                Ok((count, _)) => Received::Bytes(count),
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Received::Nothing,
                Err(_) => Received::Gone,
            };
        }
    }

    /// Whether bytes have arrived that no thread has read. Reads none of them.
    pub(crate) fn has_unread(&self) -> bool {
        let peeked = recv(&self.descriptor, &mut [0; 1][..], RecvFlags::DONTWAIT | RecvFlags::PEEK);
        peeked.is_ok_and(|(count, _)| count > 0)
    }

    /// Writes as much of `bytes` as the socket takes, and returns the number. `more` says that more bytes follow at once.
    pub(crate) fn send(&self, bytes: &[u8], more: bool) -> Result<usize, Errno> {
        let more = if more { SendFlags::MORE } else { SendFlags::empty() };
        loop {
            return match send(&self.descriptor, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL | more) {
                Err(Errno::INTR) => continue,
                Err(Errno::AGAIN) => Ok(0),
                sent => sent,
            };
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}
