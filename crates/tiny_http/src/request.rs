//! Requests that have arrived in full. A request owns its connection until it is answered or dropped.

use crate::connection::slots::Lease;
use crate::core::absent::Client;
use crate::core::receive::Lent;
use crate::core::rest::Rest;
use crate::core::state::Core;
use crate::header::Header;
use crate::method::Method;
use crate::parse::head::Framing;
use crate::parse::inbound::Message;
use crate::response::Response;
use crate::status::HTTPVersion;
use crate::write::body::ONE_WRITE;
use crate::write::head::{BodyFraming, Context, Then, has_body, write_head};
use crate::write::output::{Output, Piece, StreamFraming};
use std::cell::{Cell, OnceCell};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read};
use std::mem;
use std::net::SocketAddr;
use std::sync::Arc;

/// A request with its body. Any thread may answer it. If it is dropped unanswered, its client gets 500.
pub struct Request {
    pub(crate) core: Arc<Core>,
    /// The claim on the connection, until the request is answered.
    pub(crate) lease: Option<Lease>,
    pub(crate) message: Message,
    /// The rest of the body has not arrived.
    early: bool,
    /// Bytes of the body that the program has read.
    read: usize,
    headers: OnceCell<Vec<Header>>,
    peer: SocketAddr,
    keep_alive: bool,
}

thread_local! {
    /// Buffer in which the thread assembles its answers, so that not every answer allocates one.
    static OUT: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

impl Request {
    pub(crate) fn new(core: Arc<Core>, lent: Lent) -> Request {
        let Lent { lease, message, peer, keep_alive, early } = lent;
        Request {
            core,
            lease: Some(lease),
            message,
            early,
            read: 0,
            headers: OnceCell::new(),
            peer,
            keep_alive,
        }
    }

    /// Returns the method.
    pub fn method(&self) -> &Method {
        &self.message.head.method
    }

    /// Returns the request target as sent: `/a?b=c`.
    pub fn url(&self) -> &str {
        &self.message.head.target
    }

    /// Returns the header fields in order.
    pub fn headers(&self) -> &[Header] {
        let received =
            || self.message.head.fields().map(|(name, value)| Header::received(name, value)).collect();
        self.headers.get_or_init(received)
    }

    /// Returns the version of HTTP.
    pub fn http_version(&self) -> &HTTPVersion {
        &self.message.head.version
    }

    /// Returns the declared length of the body; `None` if it came in chunks.
    pub fn body_length(&self) -> Option<usize> {
        match self.message.head.framing {
            Framing::Empty => Some(0),
            Framing::Length(length) => usize::try_from(length).ok(),
            Framing::Chunked => None,
        }
    }

    /// Returns the address of the client.
    pub fn remote_addr(&self) -> Option<&SocketAddr> {
        Some(&self.peer)
    }

    /// Returns a reader of the body. It never waits, since the body has arrived.
    pub fn as_reader(&mut self) -> &mut dyn Read {
        self
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            old: *self.http_version() < HTTPVersion(1, 1),
            head_only: *self.method() == Method::Head,
            keep_alive: self.keep_alive,
        }
    }

    pub(crate) fn give_up(&mut self) -> io::Result<(Arc<Core>, Lease)> {
        let lease = self.lease.take().ok_or(io::ErrorKind::BrokenPipe)?;
        Ok((self.core.clone(), lease))
    }

    /// Returns the client, for a program that holds back the answer and wants to know if the client leaves. `None` once the
    /// request is answered.
    pub fn client(&self) -> Option<Client> {
        let Lease { token, served, .. } = *self.lease.as_ref()?;
        Some(Client { core: self.core.clone(), token, served })
    }

    /// Whether the body has arrived in full.
    pub fn is_whole(&self) -> bool {
        !self.early
    }

    /// Returns the rest of the body, which has not arrived; `None` if the request is whole ([`Server::set_early`]).
    ///
    /// [`Server::set_early`]: crate::Server::set_early
    pub fn rest(&self) -> Option<Rest> {
        self.client().filter(|_| self.early).map(Rest::new)
    }

    /// Gives the request back, so that it comes again once its body has arrived.
    pub fn gather(mut self) {
        let (Ok((core, lease)), body) = (self.give_up(), mem::take(&mut self.message.body)) else { return };
        let head = self.message.head.clone();
        core.gather(&lease, Message { head, body });
    }

    /// Answers the request with `response`.
    ///
    /// # Errors
    /// The client is gone.
    pub fn respond<R: Read + Send + 'static>(mut self, response: Response<R>) -> io::Result<()> {
        let mut context = self.context();
        let status = response.status_code().0;
        let length = response.data_length().map(|length| length as u64);
        let framing = BodyFraming::new(status, length, context);
        context.keep_alive &= framing != BodyFraming::UntilClose;
        let then = context.then();
        let (headers, reader) = response.into_parts();
        let write = |out: &mut Vec<u8>| {
            let fields =
                headers.iter().map(|header| (header.field.as_str().as_bytes(), header.value.as_bytes()));
            write_head(out, (status, None), fields, framing, context)
        };
        let framing = match framing {
            _ if !has_body(status, context) => return self.send(write, Vec::new(), then),
            BodyFraming::Length(length) if length <= ONE_WRITE as u64 => {
                let mut body = Vec::with_capacity(length as usize);
                reader.take(length).read_to_end(&mut body)?;
                let whole = body.len() as u64 == length;
                return self.send(write, body, if whole { then } else { Then::Reset });
            }
            BodyFraming::Length(length) => StreamFraming::Length(length),
            BodyFraming::Chunked => StreamFraming::Chunked,
            BodyFraming::None | BodyFraming::UntilClose => StreamFraming::Plain,
        };
        self.send_pieces(write, VecDeque::from([Piece::Stream(Box::new(reader), framing)]), then)
    }

    pub(crate) fn send(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
        body: Vec<u8>,
        then: Then,
    ) -> io::Result<()> {
        if body.len() > ONE_WRITE {
            return self.send_pieces(write, VecDeque::from([Piece::Bytes(body, 0)]), then);
        }
        let write = |out: &mut Vec<u8>| {
            write(out)?;
            out.extend_from_slice(&body);
            Ok(())
        };
        self.send_pieces(write, VecDeque::new(), then)
    }

    pub(crate) fn send_pieces(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
        pieces: VecDeque<Piece>,
        then: Then,
    ) -> io::Result<()> {
        self.send_output(write, Output::new(pieces, then))
    }

    pub(crate) fn send_output(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>,
        output: Output,
    ) -> io::Result<()> {
        let mut out = OUT.take();
        out.clear();
        // On an error the request keeps its claim, and its drop answers 500.
        let sent = write(&mut out).and_then(|()| {
            let lease = self.lease.take().ok_or(io::ErrorKind::BrokenPipe)?;
            self.core.answer(lease, &out, output)
        });
        OUT.set(out);
        sent
    }
}

impl Read for Request {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = (&self.message.body[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

impl Drop for Request {
    fn drop(&mut self) {
        if self.lease.is_none() {
            return;
        }
        let context = self.context();
        let write = |out: &mut Vec<u8>| {
            write_head(
                out,
                (500, None),
                std::iter::empty::<(&[u8], &[u8])>(),
                BodyFraming::Length(0),
                context,
            )
        };
        // Sending fails if the client is gone. Nobody else needs the error.
        let _ = self.send(write, Vec::new(), context.then());
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Request({} {} from {})", self.method(), self.url(), self.peer)
    }
}
