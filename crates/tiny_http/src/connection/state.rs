//! The state of one connection: its socket, the bytes that arrive, the answer that leaves. `core` decides what happens to it.

use crate::connection::socket::Socket;
use crate::parse::inbound::Inbound;
use crate::write::output::Output;
use std::time::Instant;

/// A closure of the program. It is short and doesn't wait.
pub(crate) type Callback = Box<dyn FnOnce() + Send>;

pub(crate) struct Connection {
    pub socket: Socket,
    pub inbound: Inbound,
    pub output: Option<Box<Output>>,
    pub served: usize,
    /// Unread bytes may have arrived.
    pub readable: bool,
    /// The client sends no more.
    pub ended: bool,
    /// The connection may serve another request after the lent one.
    pub keep_alive: bool,
    /// The client asked to close the connection after the lent request.
    pub last: bool,
    /// The socket is registered with the reactor.
    pub watched: bool,
    /// Bytes of memory of the lent request.
    pub lent: usize,
    /// Bytes of memory that count for this connection.
    pub counted: usize,
    /// Bytes that were discarded after the last answer.
    pub discarded: usize,
    /// Called if the client leaves before it has its answer.
    pub on_gone: Option<Callback>,
    /// Called once the kernel has all bytes that the program has added to its answer.
    pub on_taken: Option<Callback>,
    /// Called when more of the body of the lent request may have arrived.
    pub on_readable: Option<Callback>,
    /// Time at which the reactor sends more of the answer.
    pub resumes: Option<Instant>,
    /// Time at which a search first found that no more of the request had arrived.
    pub silent_since: Option<u64>,
}

impl Connection {
    pub(crate) fn new(socket: Socket) -> Connection {
        Connection {
            socket,
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
            on_taken: None,
            on_readable: None,
            resumes: None,
            silent_since: None,
        }
    }

    /// Whether the answer waits: in the program, which asked to be told if the client leaves, or between two slices. An answer
    /// to which the program adds (a stream) doesn't count.
    pub(crate) fn is_held_back(&self) -> bool {
        self.output.as_ref().map_or(self.on_gone.is_some(), |output| output.growth.is_none())
    }

    /// Returns the bytes of memory that the connection holds now.
    pub(crate) fn space(&self) -> usize {
        self.inbound.space() + self.lent + self.output.as_ref().map_or(0, |output| output.space())
    }
}
