//! A connection to another server: a socket that the workers watch, and the exchange that uses it.

use crate::serving::http::{Server, Watched};
use crate::system::lock::lock;
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

pub(crate) struct Connection {
    /// Name and port of the server, as in the URL.
    pub server: (String, u16),
    watched: OnceLock<Watched>,
    /// `None` while the connection is idle.
    user: Mutex<Option<Arc<dyn User>>>,
    /// Called with an event of an idle connection: its server leaves.
    on_idle: OnIdle,
}

/// The exchange that uses a connection.
pub(super) trait User: Send + Sync {
    /// Goes on as far as the socket allows.
    fn advance(self: Arc<Self>);
}

pub(super) type OnIdle = Box<dyn Fn(&Arc<Connection>) + Send + Sync>;

/// Bytes of one read.
const READ: usize = 32 << 10;

thread_local! {
    /// The buffer into which this thread reads.
    static BUFFER: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// The result of a read or a write that does not wait.
pub(super) enum Moved {
    Bytes(usize),
    /// The socket has no more bytes, or no room.
    Nothing,
    End,
}

impl Connection {
    /// Begins to connect to `address`. The workers of `watching` watch it.
    pub(super) fn open(
        watching: &Server,
        server: (String, u16),
        address: SocketAddr,
        on_idle: OnIdle,
    ) -> io::Result<Arc<Connection>> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&socket, true)?;
        match net::connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(error) => return Err(error.into()),
        }
        let connection =
            Arc::new(Connection { server, watched: OnceLock::new(), user: Mutex::new(None), on_idle });
        let weak = Arc::downgrade(&connection);
        let on_event = move || weak.upgrade().into_iter().for_each(|connection| connection.on_event());
        let watched = watching.watch(socket, Arc::new(on_event))?;
        let _ = connection.watched.set(watched);
        Ok(connection)
    }

    fn on_event(self: &Arc<Self>) {
        let user = lock(&self.user).clone();
        match user {
            Some(user) => user.advance(),
            None => (self.on_idle)(self),
        }
    }

    /// Gives the connection to `user`; to none once it is idle.
    pub(super) fn give_to(&self, user: Option<Arc<dyn User>>) {
        let before = std::mem::replace(&mut *lock(&self.user), user);
        drop(before);
    }

    /// Whether an idle connection has neither bytes nor an end to read.
    pub(super) fn is_silent(&self) -> bool {
        let peek = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = self.watched.get().map(|watched| net::recv(watched, &mut [0; 1][..], peek));
        matches!(peeked, Some(Err(Errno::AGAIN)))
    }

    pub(super) fn send(&self, bytes: &[u8]) -> io::Result<Moved> {
        let watched = self.watched.get().ok_or(io::ErrorKind::NotConnected)?;
        match net::send(watched, bytes, SendFlags::NOSIGNAL) {
            Ok(count) => Ok(Moved::Bytes(count)),
            Err(Errno::AGAIN | Errno::INTR) => Ok(Moved::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads once, and gives the bytes to `take`.
    pub(super) fn receive(&self, take: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<Moved> {
        let watched = self.watched.get().ok_or(io::ErrorKind::NotConnected)?;
        let mut buffer = BUFFER.take();
        buffer.resize(READ, 0);
        let received = loop {
            match net::recv(watched, &mut buffer[..], RecvFlags::empty()) {
                Err(Errno::INTR) => {}
                received => break received,
            }
        };
        let moved = match received {
            Ok((0, _)) => Ok(Moved::End),
            Ok((count, _)) => take(&buffer[..count]).map(|()| Moved::Bytes(count)),
            Err(Errno::AGAIN) => Ok(Moved::Nothing),
            Err(error) => Err(error.into()),
        };
        BUFFER.set(buffer);
        moved
    }
}
