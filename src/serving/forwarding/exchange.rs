//! One exchange with another server: look up, connect, send, read the head, pass the body on.
//!
//! Any thread may go on with it (`advance`): the worker that has an event of the socket, or the thread that has sent a part of the
//! answer to the client. The state is locked meanwhile, and never while a script runs.

use super::answer::Answer;
use super::connection::{Connection, User};
use super::kept::Kept;
use super::live::{Ends, Live};
use super::order::Order;
use super::state::{State, Step, Then, is_of_client};
use super::upload::Upload;
use crate::message::progress::{Ending, Progress};
use crate::message::stream::{Follow, Relay, Sink};
use crate::message::upstream::Unreachable;
use crate::observing::metrics::{Forwarded, metrics};
use crate::outgoing::Outgoing;
use crate::serving::http::{Client, Server};
use crate::serving::pending::Permit;
use crate::serving::streaming::Streaming;
use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use rustix::io::Errno;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// The parts of the process that exchanges use.
pub(crate) struct Links {
    /// Its workers watch the sockets.
    pub server: Weak<Server>,
    /// Submits jobs to workers.
    pub streaming: Arc<Streaming>,
    pub outgoing: &'static Outgoing,
    /// Connections for later requests.
    pub kept: Arc<Kept>,
    /// The exchanges that have not ended.
    pub live: Arc<Live<Exchange>>,
}

pub(crate) struct Exchange {
    links: Arc<Links>,
    order: Order,
    state: Mutex<State>,
    progress: Arc<Progress>,
}

impl Exchange {
    /// Sends `order`, and calls `then` on a worker. Returns at once. Ends if `client` leaves.
    pub(super) fn start(
        links: Arc<Links>,
        order: Order,
        (client, permit, upload): (Option<Client>, Option<Permit>, Option<Upload>),
        then: Then,
    ) {
        let deadline = Instant::now().checked_add(order.timeout);
        let state = State { then: Some(then), deadline, permit, upload, ..State::default() };
        let exchange =
            Arc::new(Exchange { links, order, state: Mutex::new(state), progress: Arc::default() });
        exchange.links.live.add(&exchange);
        if let Some(client) = client {
            let weak = Arc::downgrade(&exchange);
            // Before the request leaves: the answer may set a closure of its own.
            client.on_gone(move || {
                weak.upgrade().into_iter().for_each(|exchange| exchange.cancel(Ending::Client));
            });
        }
        let url = &exchange.order.url;
        match exchange.links.kept.take(&url.host, url.port, exchange.order.is_idempotent()) {
            Some(connection) => exchange.use_connection(connection, true),
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
        let address = lock(&self.state).addresses.pop_front();
        let (Some(address), Some(server)) = (address, self.links.server.upgrade()) else {
            return self.fail(502, cause);
        };
        let kept = Arc::downgrade(&self.links.kept);
        // An idle server has nothing to say but that it leaves.
        let on_idle = move |connection: &Arc<Connection>| {
            kept.upgrade().into_iter().for_each(|kept| kept.forget(connection));
        };
        let of_server = (self.order.url.host.clone(), self.order.url.port);
        match Connection::open(&server, of_server, address, Box::new(on_idle)) {
            Ok(connection) => self.use_connection(connection, false),
            // Idle connections hold descriptors.
            Err(error) if is_short(&error) && self.links.kept.clear() => {
                lock(&self.state).addresses.push_front(address);
                self.connect(cause);
            }
            Err(error) => self.connect(&describe_io(&error)),
        }
    }

    fn use_connection(self: &Arc<Self>, connection: Arc<Connection>, reused: bool) {
        let mut state = lock(&self.state);
        if state.done {
            return;
        }
        (state.sent, state.answer, state.reused) = (0, Answer::default(), reused);
        state.connection = Some(connection.clone());
        drop(state);
        connection.give_to(Some(self.clone()));
        self.go_on(false);
    }

    /// Goes on as far as the socket allows. `reads` is false where the answer can't be there yet.
    fn go_on(self: &Arc<Self>, reads: bool) {
        let (error, again) = {
            let mut state = lock(&self.state);
            if state.done {
                return;
            }
            // The client may take no part of the answer before it has sent all of its body.
            let reads = reads && !state.passing;
            let wake = || -> Box<dyn FnOnce() + Send> {
                let exchange = self.clone();
                Box::new(move || exchange.go_on(true))
            };
            match state.step(&self.order, reads, &wake) {
                Ok(step) => {
                    drop(state);
                    return self.run(step);
                }
                Err(error) if is_of_client(&error) => {
                    drop(state);
                    return match error.kind() {
                        ErrorKind::InvalidInput => self.fail(400, "the body of the request is malformed"),
                        _ => self.cancel(Ending::Client),
                    };
                }
                Err(error) => {
                    let broke = !matches!(error.kind(), ErrorKind::InvalidData | ErrorKind::OutOfMemory);
                    let again = broke && state.answer.is_untouched() && self.may_repeat(&state);
                    let connection = state.connection.take();
                    drop(state);
                    connection.into_iter().for_each(|connection| connection.give_to(None));
                    (error, again)
                }
            }
        };
        let (reused, has_more) = {
            let state = lock(&self.state);
            (state.reused, !state.addresses.is_empty())
        };
        match () {
            () if again && reused => self.look_up(),
            () if again && has_more => self.connect(&describe_io(&error)),
            () if error.kind() == ErrorKind::OutOfMemory => self.fail(503, &error.to_string()),
            () => self.fail(502, &describe_io(&error)),
        }
    }

    /// Whether the request may be sent once more: the server can't have acted on it, or acting twice does no harm (RFC 9110,
    /// section 9.2.2).
    fn may_repeat(&self, state: &State) -> bool {
        state.sent == 0 || state.reused && self.order.is_idempotent()
    }

    fn run(self: &Arc<Self>, step: Step) {
        match step {
            Step::Wait => {}
            Step::Answer { then, mut upstream, rest } => {
                match rest {
                    None => {
                        self.release(&mut lock(&self.state));
                        metrics().forwarded(Forwarded::Ok);
                    }
                    Some(length) => {
                        if !upstream.body.is_empty() {
                            self.progress.piece(upstream.body.len());
                        }
                        upstream.relay = Some(self.relay(length));
                    }
                }
                then(Ok(upstream));
            }
            Step::Pass(sink, bytes, last) => {
                if !bytes.is_empty() {
                    self.progress.piece(bytes.len());
                    if !sink.add(bytes) {
                        return self.end(Ending::Client, None);
                    }
                }
                if let Some(trailers) = last {
                    sink.end_with(&trailers);
                    return self.end(Ending::Complete, None);
                }
                let passing = Passing(Some(self.clone()));
                sink.when_taken(Box::new(move || passing.taken()));
            }
        }
    }

    /// Returns the rest of the body. If nobody takes it, the exchange ends.
    fn relay(self: &Arc<Self>, length: Option<u64>) -> Relay {
        let taken = Taken(self.clone());
        let follow = move |sink: Box<dyn Sink>| taken.follow(sink.into());
        Relay { length, progress: self.progress.clone(), follow: Follow(Arc::new(follow)) }
    }

    /// Gives the connection back, and ends the exchange.
    fn release(&self, state: &mut State) {
        (state.done, state.permit) = (true, None);
        self.links.live.remove(self);
        let Some(connection) = state.connection.take() else { return };
        connection.give_to(None);
        if state.answer.is_done() && !state.answer.closes && state.has_sent_all(&self.order) {
            self.links.kept.keep(connection);
        }
    }

    fn end(&self, ending: Ending, error: Option<&str>) {
        let mut state = lock(&self.state);
        if state.done {
            return;
        }
        self.release(&mut state);
        let sink = state.sink.take();
        drop(state);
        let is_whole = ending == Ending::Complete;
        metrics().forwarded(if is_whole { Forwarded::Ok } else { Forwarded::Cut });
        self.progress.end(ending, error.map(Into::into));
        // Its end writes the line of the access log.
        drop(sink);
    }

    /// Ends the exchange: the client left, a reset, or a stop.
    pub(super) fn cancel(self: &Arc<Self>, ending: Ending) {
        let (then, sink) = {
            let mut state = lock(&self.state);
            if state.done {
                return;
            }
            // A reset leaves alone a request whose answer has not begun.
            if state.then.is_some() && ending == Ending::Reset {
                return;
            }
            (state.then.take(), state.sink.take())
        };
        self.end(ending, None);
        sink.into_iter().for_each(|sink| sink.break_off());
        let gone = Unreachable { status: 0, message: "the client left".to_owned() };
        if let Some(then) = then {
            self.links.streaming.submit(Box::new(move || then(Err(gone))));
        }
    }

    /// Ends the exchange with an error: that of the whole answer, or of the rest of its body.
    fn fail(self: &Arc<Self>, status: u16, cause: &str) {
        let message = format!("failed to forward to `{}`: {cause}", self.order.url.authority());
        let (then, sink) = {
            let mut state = lock(&self.state);
            if state.done {
                return;
            }
            state.answer.closes = true;
            (state.then.take(), state.sink.take())
        };
        if let Some(then) = then {
            self.release(&mut lock(&self.state));
            metrics().forwarded(if status == 504 { Forwarded::Late } else { Forwarded::Failed });
            // The caller may be no worker, and `then` runs scripts.
            return self.links.streaming.submit(Box::new(move || then(Err(Unreachable { status, message }))));
        }
        sink.into_iter().for_each(|sink| sink.break_off());
        self.end(Ending::Error, Some(&message));
    }
}

/// A relay that somebody takes, or drops.
struct Taken(Arc<Exchange>);

impl Taken {
    fn follow(&self, sink: Arc<dyn Sink>) {
        let first = sink.clone();
        lock(&self.0.state).sink = Some(sink);
        let exchange = self.0.clone();
        // After the sink is there: a reset or a stop that came before has left this exchange alone.
        if let Some(ending) = exchange.links.streaming.over(exchange.order.request.epoch) {
            return exchange.cancel(ending);
        }
        // The first part of the body waits for the client, like each further one.
        exchange.run(Step::Pass(first, Vec::new(), None));
    }
}

/// A part of the body on its way to the client. If the client leaves, it is dropped, and the exchange ends.
struct Passing(Option<Arc<Exchange>>);

impl Passing {
    fn taken(mut self) {
        let Some(exchange) = self.0.take() else { return };
        {
            let mut state = lock(&exchange.state);
            state.passing = false;
            state.deadline = Instant::now().checked_add(exchange.order.timeout);
        }
        exchange.go_on(true);
    }
}

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(|exchange| exchange.cancel(Ending::Client));
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if lock(&self.0.state).sink.is_none() {
            self.0.end(Ending::Client, None);
        }
    }
}

impl User for Exchange {
    fn advance(self: Arc<Self>) {
        self.go_on(true);
    }
}

impl Ends for Exchange {
    fn epoch(&self) -> u64 {
        self.order.request.epoch
    }

    fn is_late(&self, now: Instant) -> bool {
        lock(&self.state).deadline.is_some_and(|deadline| deadline <= now)
    }

    fn end_late(self: Arc<Self>) {
        let (begun, awaits_client) = {
            let state = lock(&self.state);
            (state.then.is_none(), state.upload.as_ref().is_some_and(|upload| upload.awaits_client))
        };
        let time = seconds(self.order.timeout);
        match begun {
            _ if awaits_client => {
                self.fail(408, &format!("the client sent no more of its body within {time}"))
            }
            true => self.fail(504, &format!("no more of its answer within {time}")),
            false => self.fail(504, &format!("no answer within {time}")),
        }
    }
}

/// Returns a time as people write it: `30 s`, `0.25 s`.
fn seconds(time: Duration) -> String {
    format!("{} s", time.as_secs_f64())
}

/// Whether the process has no free descriptors.
fn is_short(error: &io::Error) -> bool {
    let short = [Errno::MFILE, Errno::NFILE].map(Errno::raw_os_error);
    error.raw_os_error().is_some_and(|number| short.contains(&number))
}
