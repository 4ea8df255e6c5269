//! The one file that names the engine, tiny_http, and knows what ours has beyond the published one: limits, refusals, the reactor
//! on the timer thread, answers without `Response`, an orderly stop. To go back to a published engine is to change this file.

use crate::chaos::{Breaking, Reply};
use crate::directory::Content;
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::message::stream::{Follow, Sink};
use crate::script::flask::status;
use crate::serving::pending::Permit;
use crate::serving::start_error::StartError;
use crate::serving::timer::Wait;
use std::borrow::Cow;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;
use tiny_http::extension::{self, Body, Client, Dribble, Open, Page, Step, Then};
use tiny_http::{Header, Response, StatusCode};

pub(crate) use tiny_http::Request as Incoming;
pub(crate) use tiny_http::Server;
pub(crate) use tiny_http::extension::Limits;
/// Finishes what answers and deadlines have to wait for; the timer thread turns it.
pub(crate) use tiny_http::extension::Reactor;
pub(crate) use tiny_http::extension::{Limit, Reason, Refused};

/// Writes the page of a request that the engine refuses.
pub(crate) type Refuse = Box<dyn Fn(&Refused<'_>) -> Answer + Send + Sync>;

/// What the listeners share.
///
/// # Errors
/// ``failed to start the engine: too many open files``
pub(crate) fn reactor() -> Result<Arc<Reactor>, StartError> {
    Reactor::new().map_err(|error| StartError::System("start the engine", error))
}

pub(crate) fn server(
    listener: TcpListener,
    limits: &Limits,
    refuse: Refuse,
    reactor: &Arc<Reactor>,
) -> io::Result<Server> {
    let pages = move |refused: &Refused<'_>| {
        let answer = refuse(refused);
        Page {
            reason: Some(status::reason(answer.status).to_owned()),
            content_type: answer.header("content-type").unwrap_or_default().to_owned(),
            body: answer.body.bytes().to_vec(),
        }
    };
    Server::with_limits(listener, *limits, Arc::new(pages), reactor)
}

/// The request of the program, with the body taken out of the engine's. `local` is where the listener is.
pub(crate) fn receive(incoming: &mut Incoming, local: SocketAddr) -> Request {
    let body = incoming.take_body();
    let remote = incoming.remote_addr().copied();
    Request::from_parts(
        incoming.method().as_str(),
        incoming.url(),
        incoming.fields(),
        body,
        remote,
        Some(local),
    )
}

/// Counts the `bytes` of the answer to `incoming`; false if there is no memory for a large one.
pub(crate) fn reserve(incoming: &Incoming, bytes: usize) -> bool {
    incoming.reserve(bytes)
}

/// Gives the memory of a body back to the engine, for those that come.
pub(crate) fn give_back(incoming: &Incoming, body: Vec<u8>) {
    incoming.give_back(body);
}

/// What is sent in place of an answer for [`Breaking::Garbage`]: no version of HTTP begins so, nor does TLS.
const GARBAGE: &[u8] = b"\x00\xff\xfegarbage\xfe\xff\x00\r\n\r\n";

/// Sends `reply` to the client of `incoming`, or breaks the connection where that is injected; `close` ends the connection after
/// it. `permit` is what the answer takes up while it waits, and freed when all of it has left.
///
/// # Errors
/// The client is gone.
pub(crate) fn send(incoming: Incoming, reply: Reply, close: bool, permit: Option<Permit>) -> io::Result<()> {
    let Reply { answer, injected, follow, source, .. } = reply;
    if let Some(reader) = source.and_then(|source| source.take()) {
        return send_read(incoming, &answer, reader);
    }
    let (mut dribble, mut halve) = (None, false);
    if let Some(injected) = injected {
        match injected.breaking {
            Some(Breaking::Reset) => return incoming.perform(Vec::new(), Then::Reset),
            Some(Breaking::Close) => return incoming.perform(Vec::new(), Then::Close),
            Some(Breaking::Garbage) => {
                return incoming.perform(vec![Step::Bytes(GARBAGE.to_vec())], Then::Close);
            }
            Some(Breaking::Partial) => halve = true,
            None => {}
        }
        dribble = injected.dribble.map(|dribble| Dribble {
            slices: dribble.chunks,
            over: dribble.over,
            keep: Box::new(permit),
        });
    }
    let close = close || answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let Answer { status, reason, headers, body } = answer;
    let body = match body {
        Content::Bytes(bytes) => Body::Bytes(bytes),
        Content::File(opened) => Body::File(opened.file().clone(), opened.length()),
    };
    let answer = extension::Answer {
        status,
        reason: Some(reason.as_deref().unwrap_or_else(|| status::reason(status))),
        fields: headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())),
        body,
        close,
        dribble,
        halve,
    };
    let Some(Follow(follow)) = follow else { return incoming.answer(answer) };
    follow(Box::new(incoming.begin(answer)?));
    Ok(())
}

/// Sends `answer` with the body that `reader` gives, in chunks.
fn send_read(incoming: Incoming, answer: &Answer, reader: Box<dyn Read + Send>) -> io::Result<()> {
    let header =
        |(name, value): &(Cow<str>, Cow<str>)| Header::from_bytes(name.as_bytes(), value.as_bytes()).ok();
    let headers = answer.headers.iter().filter_map(header).collect();
    incoming.respond(Response::new(StatusCode(answer.status), headers, reader, None, None))
}

impl Sink for Open {
    fn waiting(&self) -> Option<usize> {
        Open::waiting(self)
    }

    fn add(&self, bytes: Vec<u8>) -> bool {
        Open::add(self, bytes)
    }

    fn reset(self: Box<Self>) {
        Open::reset(*self);
    }
}

/// The handler on this thread takes longer than most: another worker of `server` waits for requests meanwhile.
pub(crate) fn call_another(server: &Server) {
    server.call_another();
}

/// Connections of `server` that are open, and those of them with a request that arrives or is not answered in full.
pub(crate) fn connections(server: &Server) -> (usize, usize) {
    (server.num_connections(), server.num_busy())
}

/// Takes in the connections that wait at `server`, and listens no more.
pub(crate) fn close_listener(server: &Server) {
    server.close_listener();
}

/// The client of `incoming`, for [`on_gone`].
pub(crate) fn client(incoming: &Incoming) -> Option<Client> {
    incoming.client()
}

/// Calls `then` if the client of a request leaves before it has its answer, or at once if it has left already.
pub(crate) fn on_gone(client: Option<Client>, then: impl FnOnce() + Send + 'static) {
    if let Some(client) = client {
        client.on_gone(then);
    }
}

/// Drops the answers that wait for clients of `server` which may have left: they have said that they send no more.
pub(crate) fn close_absent(server: &Server) {
    server.close_absent();
}

/// How long a connection may be without a request before a stop closes it: one that was just made, or just answered, may have
/// its next request on the way.
const YOUNG: Duration = Duration::from_millis(50);

/// How long a client that has sent a part of a request may send nothing before a stop refuses the request.
const SILENT: Duration = Duration::from_secs(1);

/// Closes the connections of `server` that wait for a request, or whose clients a stop doesn't wait for: those that have left, and
/// those that don't go on with their request. Gives how many requests are not answered in full, and whether connections are left
/// that are too young to be closed.
pub(crate) fn close_idle(server: &Server) -> (usize, bool) {
    let young = server.close_idle(YOUNG);
    server.end_silent(SILENT);
    server.close_absent();
    (server.num_busy(), young > 0)
}

impl Wait for Reactor {
    fn wait(&self, timeout: Option<Duration>) {
        self.turn(timeout);
    }

    fn wake(&self) {
        Reactor::wake(self);
    }
}
