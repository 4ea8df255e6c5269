//! Translates between the engine (`crates/tiny_http`) and the program: a request of the engine becomes a [`Request`], a [`Reply`]
//! becomes bytes or a broken connection. The rest of the room names the engine's types by this file.

use crate::chaos::{Breaking, Reply};
use crate::directory::Content;
use crate::message::answer::{Answer, Fields};
use crate::message::latin1;
use crate::message::request::Request;
use crate::message::stream::{Follow, Sink};
use crate::script::flask::status;
use crate::serving::pending::Permit;
use std::borrow::Cow;
use std::io::{self, Read};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use tiny_http::extension::{self, Body, Dribble, Length, Open, Page, Step, Then};
use tiny_http::{Header, Response, StatusCode};

pub(crate) use tiny_http::Request as Incoming;
pub(crate) use tiny_http::Server;
pub(crate) use tiny_http::extension::{
    Client, EarlyHead, Limit, Limits, Reactor, Reason, Refused, Rest, Rested, Task, Watched,
};

/// Writes the page of a request that the engine refuses.
pub(crate) type Refuse = Box<dyn Fn(&Refused<'_>) -> Answer + Send + Sync>;

/// Starts the engine on a bound `listener`.
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
            fields: answer
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), value.to_string()))
                .collect(),
            body: answer.body.bytes().to_vec(),
        }
    };
    Server::with_limits(listener, *limits, Arc::new(pages), reactor)
}

/// Builds the request that handlers see, and moves the body into it. `local` is the address of the listener.
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

/// The bytes that a client gets instead of an answer for [`Breaking::Garbage`]. No version of HTTP or TLS begins like this.
const GARBAGE: &[u8] = b"\x00\xff\xfegarbage\xfe\xff\x00\r\n\r\n";

/// Sends `reply` to the client of `incoming`, or breaks the connection if chaos or a script asked for that.
///
/// `close` ends the connection after the answer. `permit` is dropped when the whole answer has left.
///
/// # Errors
/// The client is gone.
pub(crate) fn send(incoming: Incoming, reply: Reply, close: bool, permit: Option<Permit>) -> io::Result<()> {
    let Reply { answer, injected, follow, source, stream, relay, .. } = reply;
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
    let (asked, chunked) = framing(&answer);
    let Answer { status, reason, headers, body } = answer;
    let reason = reason.as_deref().unwrap_or_else(|| status::reason(status));
    let answer = extension::Answer {
        status,
        reason: Some(&latin1::bytes(reason)),
        fields: fields(&headers),
        body: body_of(body),
        close: close || asked,
        dribble,
        length: match stream {
            // The answer to HEAD says what GET would send.
            Some(_) => Length::Open,
            None if let Some(length) = relay.as_ref().and_then(|relay| relay.length) => Length::Known(length),
            None if chunked => Length::Chunk,
            None => Length::Declared,
        },
        halve,
    };
    let Some(Follow(follow)) = follow.or(relay.map(|relay| relay.follow)) else {
        return incoming.answer(answer);
    };
    follow(Box::new(incoming.begin(answer)?));
    Ok(())
}

/// Sends `answer` with `first` as the beginning of its body. The sink takes the rest.
///
/// # Errors
/// The client is gone.
pub(crate) fn begin(
    incoming: Incoming,
    answer: Answer,
    first: Vec<u8>,
    close: bool,
) -> io::Result<Box<dyn Sink>> {
    let (asked, _) = framing(&answer);
    let reason = answer.reason.as_deref().unwrap_or_else(|| status::reason(answer.status));
    let answer = extension::Answer {
        status: answer.status,
        reason: Some(&latin1::bytes(reason)),
        fields: fields(&answer.headers),
        body: Body::Bytes(first),
        close: close || asked,
        dribble: None,
        length: Length::Open,
        halve: false,
    };
    Ok(Box::new(incoming.begin(answer)?))
}

/// Returns whether the headers ask to close the connection, and whether they ask for chunks.
fn framing(answer: &Answer) -> (bool, bool) {
    let is = |text: &str, word: &str| text.eq_ignore_ascii_case(word);
    let (mut close, mut chunked) = (false, false);
    for (name, value) in &answer.headers {
        // Most names have another length, so most fields need no further look.
        match name.len() {
            10 => close |= is(name, "connection") && is(value, "close"),
            17 => chunked |= is(name, "transfer-encoding") && is(value, "chunked"),
            _ => {}
        }
    }
    (close, chunked)
}

fn fields(headers: &Fields) -> impl Iterator<Item = (&[u8], Cow<'_, [u8]>)> {
    headers.iter().map(|(name, value)| (name.as_bytes(), latin1::bytes(value)))
}

/// Turns the content of an answer into a body of the engine.
fn body_of(content: Content) -> Body {
    match content {
        Content::Bytes(bytes) => Body::Bytes(bytes),
        Content::File(opened) => Body::File(opened.file().clone(), opened.range()),
        Content::Parts(parts) => Body::Parts(parts.into_iter().map(body_of).collect()),
    }
}

/// Sends `answer` with a chunked body, which is read from `reader`.
fn send_read(incoming: Incoming, answer: &Answer, reader: Box<dyn Read + Send>) -> io::Result<()> {
    let header =
        |(name, value): &(Cow<str>, Cow<str>)| Header::from_bytes(name.as_bytes(), latin1::bytes(value)).ok();
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

    fn when_taken(&self, then: Box<dyn FnOnce() + Send>) {
        Open::when_taken(self, then);
    }

    fn end(&self) {
        Open::end(self);
    }

    fn end_with(&self, trailers: &[(String, String)]) {
        Open::end_with(self, trailers.iter().map(|(name, value)| (name.as_bytes(), latin1::bytes(value))));
    }

    fn break_off(&self) {
        Open::break_off(self);
    }

    fn spoil(&self) {
        Open::break_off_after(self, GARBAGE.to_vec());
    }

    fn reset(&self) {
        Open::reset(self);
    }
}
