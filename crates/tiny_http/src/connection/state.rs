//! One connection: its socket, what arrives, what leaves. Decides nothing; `core` does.

use crate::connection::socket::Socket;
use crate::parse::inbound::Inbound;
use crate::write::output::Output;
use std::time::Instant;

/// Runs once a client has left.
pub(crate) type Gone = Box<dyn FnOnce() + Send>;

pub(crate) struct Connection {
    pub socket: Socket,
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
            resumes: None,
            silent_since: None,
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
