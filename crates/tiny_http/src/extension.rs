//! Interface of the engine that the published tiny_http lacks: limits, pages for refused requests, answers without a
//! [`Response`](crate::Response), answers that go on, jobs for the workers, deliberately broken connections, an orderly stop.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use tiny_http::Server;
//! use tiny_http::extension::{Limits, Reactor, plain_pages};
//!
//! # fn main() -> std::io::Result<()> {
//! // A thread of the program turns the reactor. It finishes slow writes and keeps the deadlines.
//! let reactor = Reactor::new()?;
//! let turned = reactor.clone();
//! std::thread::spawn(move || loop { turned.turn(None) });
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let limits = Limits { body: 4, ..Limits::default() };
//! let server = Server::with_limits(listener, limits, plain_pages(), &reactor)?;
//!
//! let mut client = TcpStream::connect(address)?;
//! client.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello")?;
//! let mut answer = String::new();
//! std::thread::scope(|scope| {
//!     // The engine refuses the request by itself, so no worker gets it.
//!     scope.spawn(|| assert!(server.recv().is_err()));
//!     client.read_to_string(&mut answer)?;
//!     server.unblock();
//!     assert!(answer.starts_with("HTTP/1.1 413 Content Too Large\r\n"));
//!     assert!(answer.ends_with("\r\n\r\nthe body of the request is too long\n"));
//!     Ok(())
//! })
//! # }
//! ```
//!
//! An answer that goes on. A job of the workers makes its second piece once the kernel has the first:
//!
//! ```
//! # use std::io::{Read, Write};
//! # use std::net::{TcpListener, TcpStream};
//! # use std::sync::Arc;
//! # use tiny_http::Server;
//! use tiny_http::extension::{Answer, Body, Length, Task};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! # let listener = TcpListener::bind("127.0.0.1:0")?;
//! # let address = listener.local_addr()?;
//! let server = Arc::new(Server::from_listener(listener, None)?);
//! let worker = server.clone();
//! std::thread::spawn(move || {
//!     while let Ok(task) = worker.take() {
//!         match task {
//!             Task::Job(job) => job(),
//!             Task::Request(request) => {
//!                 let fields = std::iter::empty::<(&[u8], &[u8])>();
//!                 let (body, length) = (Body::Bytes(b"one".to_vec()), Length::Open);
//!                 let answer = Answer { status: 200, reason: None, fields, body, length, close: true, dribble: None, halve: false };
//!                 let Ok(open) = request.begin(answer) else { continue };
//!                 let open = Arc::new(open);
//!                 let (jobs, next) = (worker.clone(), open.clone());
//!                 open.when_taken(move || {
//!                     let job = move || if next.add(b", two".to_vec()) { next.end() };
//!                     // If the queue is full, the job is dropped, and the answer breaks off.
//!                     let _ = jobs.submit(Box::new(job));
//!                 });
//!             }
//!         }
//!     }
//! });
//! # let mut client = TcpStream::connect(address)?;
//! # client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")?;
//! # let mut answer = String::new();
//! # client.read_to_string(&mut answer)?;
//! assert!(answer.ends_with("\r\n\r\n3\r\none\r\n5\r\n, two\r\n0\r\n\r\n"));
//! # server.unblock();
//! # Ok(())
//! # }
//! ```

pub use crate::core::absent::Client;
pub use crate::core::jobs::Job;
pub use crate::core::reactor::Reactor;
pub use crate::core::rest::{Rest, Rested};
pub use crate::core::watched::Watched;
pub use crate::early::EarlyHead;
pub use crate::limits::Limits;
pub use crate::open::Open;
pub use crate::refusal::{Limit, Page, Pages, Reason, Refused, plain_pages};
pub use crate::server::Task;
pub use crate::write::body::Body;
pub use crate::write::dribble::Dribble;
pub use crate::write::head::Then;

use crate::clock;
use crate::connection::slots::Phase;
use crate::header;
use crate::parse::body_pool;
use crate::request::Request;
use crate::server::Server;
use crate::write::body::ONE_WRITE;
use crate::write::chunks::{LAST_CHUNK, chunk};
use crate::write::head::{BodyFraming, Context, has_body, write_head};
use crate::write::output::{Growth, Output, Piece, StreamFraming};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::io::{self, Read};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// An answer in parts. It saves making the objects of [`Response`](crate::Response).
pub struct Answer<'a, F> {
    /// Status code, 200 to 999.
    pub status: u16,
    /// Reason phrase; `None` for the standard one.
    pub reason: Option<&'a [u8]>,
    /// Names and values of the fields. Those of the connection (`Connection`, `Content-Length`, ...) are dropped, except the
    /// `Content-Length` of an answer to HEAD.
    pub fields: F,
    /// The whole body, even if the method or the status leaves it out.
    pub body: Body,
    /// Whether the connection ends after the answer.
    pub close: bool,
    /// The head leaves at once, and the body slice by slice.
    pub dribble: Option<Dribble>,
    /// How the client learns the length of the body.
    pub length: Length,
    /// Whether the connection ends after half of the answer: half of the body, or half of the head if there is no body to send.
    /// The head declares the whole body.
    pub halve: bool,
}

/// How a client learns the length of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// The head declares it.
    Declared,
    /// The body is one chunk. For HTTP/1.0, which has no chunks, the head declares the length.
    Chunk,
    /// The head leaves it open: the body comes in chunks, or ends with the connection.
    Open,
    /// The head declares this length, and [`Request::begin`] sends the beginning of the body.
    Known(u64),
}

impl Length {
    fn known(self) -> Option<u64> {
        match self {
            Length::Known(length) => Some(length),
            _ => None,
        }
    }
}

/// A part of the bytes that are sent in place of an answer.
pub enum Step {
    /// Bytes, sent unchanged.
    Bytes(Vec<u8>),
    /// The bytes of a reader, unchanged, to its end. The thread that writes reads them, so the reader must not wait for long.
    Stream(Box<dyn Read + Send>),
    /// A pause. No thread waits for its end.
    Pause(Duration),
}

impl Server {
    /// Returns a server for which `reactor` finishes slow writes and keeps the deadlines, on the thread that turns it.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn with_limits(
        listener: TcpListener,
        limits: Limits,
        pages: Pages,
        reactor: &Arc<Reactor>,
    ) -> io::Result<Server> {
        Server::build(listener, limits, pages, reactor.clone())
    }

    /// Says that the handler on this thread takes longer than most, so that another worker waits for requests. Without this
    /// call, another worker does so after a millisecond.
    pub fn call_another(&self) {
        self.core.leader.call_another();
    }

    /// Adds a job for the workers. While requests wait too, they take one of each in turn.
    ///
    /// # Errors
    /// [`Limits::jobs`] wait already. The caller gets its job back.
    pub fn submit(&self, job: Job) -> Result<(), Job> {
        self.core.jobs.submit(job)
    }

    /// Hands requests over before their body has arrived where `takes` says so. It is called with the head of each request that has a
    /// body, and only the first call of this function counts. [`Request::rest`] has the rest of such a body, which may be longer than
    /// [`Limits::body`].
    pub fn set_early(&self, takes: impl Fn(&EarlyHead<'_>) -> bool + Send + Sync + 'static) {
        let _ = self.core.early.set(Box::new(move |head| takes(&EarlyHead(head))));
    }

    /// Lets the workers watch `socket`, which must not block, beside the connections of the server. A worker calls `on_event` for
    /// each change: bytes to read, room to write, the end. Changes are reported once, so `on_event` reads until the socket has no
    /// more. Two workers may call it at the same time. It must not wait.
    ///
    /// # Errors
    /// The system refuses to watch the socket.
    pub fn watch(&self, socket: OwnedFd, on_event: Arc<dyn Fn() + Send + Sync>) -> io::Result<Watched> {
        Watched::new(&self.core, socket, on_event)
    }

    /// Returns the number of open connections.
    pub fn num_connections(&self) -> usize {
        self.core.connections.load(Ordering::Acquire)
    }

    /// Returns the number of connections with a request that is arriving or not fully answered.
    pub fn num_busy(&self) -> usize {
        let rests = |phase| matches!(phase, Phase::Idle | Phase::Lingering);
        self.core.slots.stamps().filter(|(phase, ..)| !rests(*phase)).count()
    }

    /// Accepts the connections that wait, and closes the listener.
    pub fn close_listener(&self) {
        self.core.close_listener();
    }

    /// Closes the connections that have been idle for `time` or longer, except where a request has arrived already. Returns the
    /// number of idle connections that stay open.
    pub fn close_idle(&self, time: Duration) -> usize {
        self.core.close_idle(time)
    }

    /// Closes the connections whose client sends no more and whose answer is held back ([`Client::on_gone`]) or dribbles.
    pub fn close_absent(&self) {
        self.core.close_absent(Duration::ZERO);
    }

    /// Answers 408 to clients that have sent a part of a request and then nothing for `time`, counted from the first call.
    pub fn end_silent(&self, time: Duration) {
        self.core.end_silent(time);
    }
}

impl Request {
    /// Returns name and value of each header field as text of ISO 8859-1, in which each byte is a character, without making
    /// objects of them.
    pub fn fields(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        // Of ASCII, which nearly all heads are, all encodings make the same, and UTF-8 makes it without a copy.
        let text = if self.message.head.bytes.is_ascii() { header::text } else { header::latin1 };
        self.message.head.fields().map(move |(name, value)| (text(name), text(value)))
    }

    /// Takes the body out of the request.
    pub fn take_body(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.message.body)
    }

    /// Reserves memory for an answer of `bytes`, until its client has taken it. False if answers and requests hold more than
    /// [`Limits::buffered`]: then the answer must not be sent. Short answers always fit.
    pub fn reserve(&self, bytes: usize) -> bool {
        bytes <= ONE_WRITE || self.lease.as_ref().is_none_or(|lease| self.core.reserve(lease, bytes))
    }

    /// Stops counting `bytes` of the request: the program counts them itself from now on.
    pub fn release(&self, bytes: usize) {
        if let Some(lease) = &self.lease {
            self.core.release(lease, bytes);
        }
    }

    /// Gives the memory of a body to later bodies.
    pub fn give_back(&self, body: Vec<u8>) {
        let space = body.capacity();
        body_pool::give_back(body, self.core.limits.buffered);
        // Released only now: releasing it before the memory is free would admit the next body beside it.
        self.release(space);
    }

    /// Sends `answer`, in one write if the socket takes it. The reactor sends the rest.
    ///
    /// # Errors
    /// The client is gone. Or the status comes before an answer, or a field has a line end: then the client gets 500.
    pub fn answer<'f, F, V>(mut self, answer: Answer<'f, F>) -> io::Result<()>
    where
        F: Iterator<Item = (&'f [u8], V)>,
        V: AsRef<[u8]>,
    {
        let mut context = self.context();
        context.keep_alive &= !answer.close;
        let declares = match answer.length {
            Length::Declared => true,
            Length::Chunk => context.old,
            Length::Open | Length::Known(_) => false,
        };
        let known = answer.length.known();
        let framing =
            BodyFraming::new(answer.status, known.or_else(|| declares.then(|| answer.body.len())), context);
        context.keep_alive &= framing != BodyFraming::UntilClose;
        let mut body = match has_body(answer.status, context) {
            true if framing == BodyFraming::Chunked => chunk(answer.body, LAST_CHUNK),
            true => answer.body,
            false => Body::Bytes(Vec::new()),
        };
        let then = if answer.halve { Then::Close } else { context.then() };
        let halve_head = answer.halve && body.is_empty();
        let write = |out: &mut Vec<u8>| {
            // The client would wait for another answer, and take the next one for it.
            if answer.status < 200 {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the status comes before an answer"));
            }
            write_head(out, (answer.status, answer.reason), answer.fields, framing, context)?;
            out.truncate(if halve_head { out.len() / 2 } else { out.len() });
            Ok(())
        };
        if answer.halve {
            body.halve();
        }
        let mut pieces = VecDeque::new();
        match (answer.dribble, body) {
            (Some(dribble), body) if !body.is_empty() => {
                pieces.push_back(Piece::Slices(dribble.slices(body)))
            }
            (_, Body::Bytes(bytes)) => return self.send(write, bytes, then),
            (_, body) => Piece::push(&mut pieces, body),
        }
        self.send_pieces(write, pieces, then)
    }

    /// Whether an answer with this status may go on after its beginning: it has a body.
    pub fn has_body(&self, status: u16) -> bool {
        has_body(status, self.context())
    }

    /// Sends `answer` as the beginning of an answer. Without a [`Length::Known`] it goes on in chunks, or for HTTP/1.0 until the
    /// connection ends. No thread waits for the rest.
    ///
    /// # Errors
    /// The same as for [`Request::answer`]. Or the method or the status allow no body ([`Request::has_body`]).
    pub fn begin<'f, F, V>(mut self, answer: Answer<'f, F>) -> io::Result<Open>
    where
        F: Iterator<Item = (&'f [u8], V)>,
        V: AsRef<[u8]>,
    {
        let context = self.context();
        let framing = BodyFraming::new(answer.status, answer.length.known(), context);
        let (in_chunks, until_close) = (framing == BodyFraming::Chunked, framing == BodyFraming::UntilClose);
        let context = Context { keep_alive: context.keep_alive && !until_close && !answer.close, ..context };
        let (mut small, mut pieces) = (Vec::new(), VecDeque::new());
        match if in_chunks { chunk(answer.body, b"") } else { answer.body } {
            Body::Bytes(bytes) if bytes.len() <= ONE_WRITE => small = bytes,
            body => Piece::push(&mut pieces, body),
        }
        let write = |out: &mut Vec<u8>| {
            if !has_body(answer.status, context) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "the answer has no body to begin"));
            }
            write_head(out, (answer.status, answer.reason), answer.fields, framing, context)?;
            out.extend_from_slice(&small);
            Ok(())
        };
        let client = self.client().ok_or(io::ErrorKind::BrokenPipe)?;
        let growth = Some(Growth { in_chunks, since: clock::milliseconds(), zeros: 0 });
        self.send_output(write, Output { growth, ..Output::new(pieces, context.then()) })?;
        Ok(Open::new(client, (in_chunks, !until_close), context.then()))
    }

    /// Sends `steps` in place of an answer, unchecked: to break a connection on purpose, or to dribble.
    ///
    /// # Errors
    /// The client is gone.
    pub fn perform(mut self, steps: Vec<Step>, then: Then) -> io::Result<()> {
        let piece = |step| match step {
            Step::Bytes(bytes) => Piece::Bytes(bytes, 0),
            Step::Stream(reader) => Piece::Stream(reader, StreamFraming::Plain),
            Step::Pause(time) => Piece::Pause(time),
        };
        let pieces: VecDeque<Piece> = steps.into_iter().map(piece).collect();
        let (core, lease) = self.give_up()?;
        core.answer(lease, &[], Output::new(pieces, then))
    }
}
