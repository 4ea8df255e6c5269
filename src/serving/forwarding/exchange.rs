//! One exchange with another server: connect, send, read the head, pass the body on.

use super::connection::{Connection, Moved, User};
use super::kept::Kept;
use super::order::{Order, is_hop_by_hop};
use crate::http_client::body::Decoder;
use crate::http_client::head::{Framing, Head};
use crate::message::answer::Fields;
use crate::message::progress::{Ending, Progress};
use crate::message::stream::{Follow, Relay, Sink};
use crate::message::upstream::{Unreachable, Upstream};
use crate::outgoing::Outgoing;
use crate::serving::http::Server;
use crate::serving::streaming::Streaming;
use crate::serving::timer::{Key, Timer};
use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};

/// The parts of the process that exchanges use.
pub(crate) struct Links {
    /// Its workers watch the sockets.
    pub server: Weak<Server>,
    pub timer: Timer,
    /// Submits jobs to workers.
    pub streaming: Arc<Streaming>,
    pub outgoing: &'static Outgoing,
    /// Connections for later requests.
    pub kept: Arc<Kept>,
}

/// Gets the answer, on a worker. It holds values of a script.
pub(crate) type Then = Box<dyn FnOnce(Result<Upstream, Unreachable>) + Send>;

pub(super) struct Exchange {
    links: Arc<Links>,
    order: Order,
    state: Mutex<State>,
    progress: Arc<Progress>,
}

#[derive(Default)]
struct State {
    connection: Option<Arc<Connection>>,
    /// Addresses that were not tried yet.
    addresses: VecDeque<SocketAddr>,
    /// The connection served another exchange before.
    reused: bool,
    /// Bytes of head and body that the other server has.
    sent: usize,
    /// Bytes of the answer before its head is complete.
    received: Vec<u8>,
    answer: Option<Answer>,
    then: Option<Then>,
    /// Takes the body; `None` before the answer to the client has begun.
    sink: Option<Arc<dyn Sink>>,
    /// A part of the body is on its way to the client, which has not taken it yet.
    passing: bool,
    timer: Option<Key>,
    done: bool,
}

/// An answer whose head is there.
struct Answer {
    head: Option<Head>,
    decoder: Decoder,
    /// Bytes of the body that nobody has taken yet.
    body: Vec<u8>,
    closes: bool,
}

/// The part that is left to do once the state is not locked any more.
enum Step {
    Wait,
    Answer(Then, Result<Upstream, Unreachable>),
    /// Pass bytes on; the end of the body follows where `true`.
    Pass(Arc<dyn Sink>, Vec<u8>, bool),
    Fail(Arc<dyn Sink>, String),
}

/// Bytes of one read.
const READ: usize = 32 << 10;
/// Longest head of an answer.
const MOST_HEAD: usize = 64 << 10;
/// Bodies of a known length up to this are passed on whole, so that journal and faults see all of them.
const SMALL: u64 = 64 << 10;

impl Exchange {
    pub(super) fn start(links: Arc<Links>, order: Order, then: Then) {
        let state = State { then: Some(then), ..State::default() };
        let exchange =
            Arc::new(Exchange { links, order, state: Mutex::new(state), progress: Arc::default() });
        let late = exchange.clone();
        let timeout = exchange.order.timeout;
        let key = exchange.links.timer.after(timeout, Box::new(move || late.is_late()));
        lock(&exchange.state).timer = Some(key);
        let url = &exchange.order.url;
        match exchange.links.kept.take(&url.host, url.port) {
            Some(connection) => {
                connection.give_to(Some(exchange.clone()));
                let mut state = lock(&exchange.state);
                (state.connection, state.reused) = (Some(connection), true);
                drop(state);
                exchange.advance();
            }
            None => exchange.look_up(),
        }
    }

    fn look_up(self: &Arc<Self>) {
        let exchange = self.clone();
        let then = move |found: Result<Vec<SocketAddr>, String>| match found {
            Ok(addresses) => {
                lock(&exchange.state).addresses = addresses.into();
                exchange.connect("it has no address");
            }
            Err(cause) => exchange.fail(502, &cause),
        };
        self.links.outgoing.addresses_then(&self.order.url.host, self.order.url.port, then);
    }

    /// Connects to the next address. `cause` is the reason why the last one failed.
    fn connect(self: &Arc<Self>, cause: &str) {
        let Some(address) = lock(&self.state).addresses.pop_front() else { return self.fail(502, cause) };
        let url = &self.order.url;
        let Some(server) = self.links.server.upgrade() else { return self.fail(502, "the process stops") };
        let kept = self.links.kept.clone();
        // An idle server has nothing to say but that it leaves.
        let on_idle = Box::new(move |connection: &Arc<Connection>| kept.forget(connection));
        match Connection::open(&server, (url.host.clone(), url.port), address, self.clone(), on_idle) {
            Ok(connection) => {
                let mut state = lock(&self.state);
                state.sent = 0;
                state.received.clear();
                (state.connection, state.reused) = (Some(connection), false);
                drop(state);
                self.advance();
            }
            Err(error) => self.connect(&describe_io(&error)),
        }
    }

    /// Goes on as far as the socket allows. Any thread may call it.
    fn advance(self: &Arc<Self>) {
        let step = {
            let mut state = lock(&self.state);
            if state.done || state.passing {
                return;
            }
            match self.step(&mut state) {
                Ok(step) => step,
                Err(error) => {
                    let fresh = state.answer.is_none() && state.received.is_empty();
                    let connection = state.connection.take();
                    let (reused, has_more) = (state.reused, !state.addresses.is_empty());
                    drop(state);
                    connection.into_iter().for_each(|connection| connection.give_to(None));
                    return match () {
                        () if fresh && reused => self.look_up(),
                        () if fresh && has_more => self.connect(&describe_io(&error)),
                        () => self.fail(502, &describe_io(&error)),
                    };
                }
            }
        };
        self.run(step);
    }

    fn run(self: &Arc<Self>, step: Step) {
        match step {
            Step::Wait => {}
            Step::Answer(then, result) => then(result),
            Step::Pass(sink, bytes, last) => {
                self.progress.piece(bytes.len());
                if !bytes.is_empty() && !sink.add(bytes) {
                    return self.end(Ending::Client, None);
                }
                if last {
                    sink.end();
                    return self.end(Ending::Complete, None);
                }
                let exchange = self.clone();
                sink.when_taken(Box::new(move || {
                    lock(&exchange.state).passing = false;
                    exchange.advance();
                }));
            }
            Step::Fail(sink, cause) => {
                sink.break_off();
                self.end(Ending::Error, Some(&cause));
            }
        }
    }

    fn step(self: &Arc<Self>, state: &mut State) -> io::Result<Step> {
        let Some(connection) = state.connection.clone() else { return Ok(Step::Wait) };
        connection.error()?;
        let (head, body) = (&self.order.head, &self.order.body);
        while state.sent < head.len() + body.len() {
            let rest = match state.sent.checked_sub(head.len()) {
                Some(at) => &body[at..],
                None => &head[state.sent..],
            };
            match connection.send(rest)? {
                Moved::Bytes(count) => state.sent += count,
                Moved::Nothing | Moved::End => break,
            }
        }
        self.read(state, &connection)
    }

    fn read(self: &Arc<Self>, state: &mut State, connection: &Arc<Connection>) -> io::Result<Step> {
        let mut buffer = [0; READ];
        loop {
            match connection.receive(&mut buffer)? {
                Moved::Nothing => return Ok(Step::Wait),
                Moved::Bytes(count) => self.take(state, &buffer[..count])?,
                Moved::End => match &mut state.answer {
                    Some(answer) => {
                        answer.decoder.end().map_err(invalid)?;
                        answer.closes = true;
                    }
                    None => {
                        return Err(io::Error::new(
                            io::ErrorKind::UnexpectedEof,
                            "the connection closed early",
                        ));
                    }
                },
            }
            if let Some(step) = self.ready(state) {
                return Ok(step);
            }
        }
    }

    fn take(&self, state: &mut State, bytes: &[u8]) -> io::Result<()> {
        if let Some(answer) = &mut state.answer {
            answer.decoder.take(bytes, &mut answer.body).map_err(invalid)?;
            return Ok(());
        }
        state.received.extend_from_slice(bytes);
        while let Some((head, length)) = Head::parse(&state.received).map_err(invalid)? {
            state.received.drain(..length);
            if head.status < 200 {
                continue;
            }
            let framing = head.framing(&self.order.method).map_err(invalid)?;
            let closes = head.closes() || framing == Framing::UntilClose;
            let mut answer =
                Answer { head: Some(head), decoder: Decoder::new(framing), body: Vec::new(), closes };
            let rest = std::mem::take(&mut state.received);
            let used = answer.decoder.take(&rest, &mut answer.body).map_err(invalid)?;
            answer.closes |= used < rest.len();
            state.answer = Some(answer);
            return Ok(());
        }
        if state.received.len() > MOST_HEAD {
            return Err(invalid("its head is over 64 KiB"));
        }
        Ok(())
    }

    /// Returns the next step if there is something to pass on.
    fn ready(self: &Arc<Self>, state: &mut State) -> Option<Step> {
        let answer = state.answer.as_mut()?;
        let done = answer.decoder.is_done();
        if let Some(sink) = &state.sink {
            let bytes = std::mem::take(&mut answer.body);
            state.passing = done || !bytes.is_empty();
            return state.passing.then(|| Step::Pass(sink.clone(), bytes, done));
        }
        let head = answer.head.as_ref()?;
        let length = head.all("content-length").next().and_then(|length| length.parse::<u64>().ok());
        let small = length.is_some_and(|length| length <= SMALL);
        let whole = self.order.whole.is_some() || small;
        if !done && (whole || state.then.is_none()) {
            return None;
        }
        let head = answer.head.take()?;
        let body = std::mem::take(&mut answer.body);
        let relay = (!done).then(|| self.relay(length));
        // Until the sink is there.
        state.passing = !done;
        let then = state.then.take()?;
        let upstream =
            Upstream { status: head.status, headers: fields(&head), reason: head.reason, body, relay };
        if done {
            self.release(state);
        }
        Some(Step::Answer(then, Ok(upstream)))
    }

    fn relay(self: &Arc<Self>, length: Option<u64>) -> Relay {
        let exchange = self.clone();
        let follow = move |sink: Box<dyn Sink>| {
            let mut state = lock(&exchange.state);
            (state.sink, state.passing) = (Some(sink.into()), false);
            drop(state);
            Exchange::advance(&exchange);
        };
        Relay { length, progress: self.progress.clone(), follow: Follow(Arc::new(follow)) }
    }

    /// Gives the connection back, and ends the exchange.
    fn release(&self, state: &mut State) {
        state.done = true;
        state.timer.take().into_iter().for_each(|key| drop(self.links.timer.take(key)));
        let Some(connection) = state.connection.take() else { return };
        connection.give_to(None);
        if state.answer.as_ref().is_some_and(|answer| !answer.closes) {
            self.links.kept.keep(connection);
        }
    }

    fn end(&self, ending: Ending, error: Option<&str>) {
        self.release(&mut lock(&self.state));
        self.progress.end(ending, error.map(Into::into));
    }

    fn is_late(self: &Arc<Self>) {
        self.fail(504, &format!("no answer within {:?}", self.order.timeout));
    }

    /// Ends the exchange with an error: that of the whole answer, or of the rest of its body.
    fn fail(self: &Arc<Self>, status: u16, cause: &str) {
        let message = format!("failed to forward to `{}`: {cause}", self.order.url.authority());
        let (then, sink) = {
            let mut state = lock(&self.state);
            if state.done {
                return;
            }
            state.answer = None;
            self.release(&mut state);
            (state.then.take(), state.sink.take())
        };
        if let Some(then) = then {
            // The caller may be no worker, and `then` runs scripts.
            self.links.streaming.submit(Box::new(move || then(Err(Unreachable { status, message }))));
        } else if let Some(sink) = sink {
            self.run(Step::Fail(sink, message));
        }
    }
}

impl User for Exchange {
    fn advance(self: Arc<Self>) {
        Exchange::advance(&self);
    }
}

fn invalid(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

/// Returns the fields of an answer that go on to the client.
fn fields(head: &Head) -> Fields {
    let connection = head.all("connection").next();
    let kept = head.fields.iter().filter(|(name, _)| !is_hop_by_hop(name, connection));
    kept.map(|(name, value)| (name.clone().into(), value.clone().into())).collect()
}
