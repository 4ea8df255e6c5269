//! The work of a worker on one request for the mock.

use crate::chaos::{Chaos, LONGEST, Reply};
use crate::handling::{self, Outcome, Resumed, Unmatched, Wait, is_forwarded_unread};
use crate::message::answer::Answer;
use crate::message::progress::Progress;
use crate::message::request::Request;
use crate::message::request::reception::Reception;
use crate::message::upstream::Unreachable;
use crate::observing::access_log::Line;
use crate::observing::journal::{Begun, Exchange, Journal, Kind};
use crate::observing::metrics::metrics;
use crate::outgoing::{Caller, Outgoing};
use crate::provisioning::activation::Activation;
use crate::provisioning::layers::Layers;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::key_value_store::nothing;
use crate::serving::callbacks::{Callbacks, Unplanned};
use crate::serving::followed;
use crate::serving::forwarding::{Order, Upload};
use crate::serving::http::{self, Client, EarlyHead, Incoming, Server};
use crate::serving::listeners::{Shared, Work};
use crate::serving::pending::{PendingBudget, Permit};
use crate::serving::refusal;
use crate::serving::waiting::End;
use crate::simulation;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// The work of the mock's listener.
#[derive(Clone)]
pub(crate) struct MockWork {
    pub shared: Arc<Shared>,
    pub activation: Arc<Activation>,
    pub chaos: Arc<Chaos>,
    pub pending: Arc<PendingBudget>,
    pub journal: Arc<Journal>,
    pub reception: Reception,
    pub outgoing: &'static Outgoing,
    pub callbacks: Arc<Callbacks>,
}

/// A request that has no answer yet, beside its [`Incoming`]: that is large, and a struct around it would be moved for each request.
struct Received {
    line: Option<Line>,
    begun: Option<Begun>,
    layers: Arc<Layers>,
    request: Arc<Request>,
    /// Time of the workers, and time of `wait_for`.
    worked: Duration,
    waited: Duration,
    /// The time at which a worker took it up.
    since: Instant,
}

impl Work for MockWork {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn serve(&self, mut incoming: Incoming) {
        let (epoch, since) = (self.activation.epoch.now(), Instant::now());
        let layers = self.activation.layers();
        let is_whole = incoming.is_whole();
        // A provision that was activated since may want the body.
        if !is_whole && !self.is_unread(&layers, &incoming) {
            return incoming.gather();
        }
        let line = self.shared.line(&incoming, "mock", layers.generation);
        let begun = self.journal.begin();
        let mut request = http::receive(&mut incoming, self.reception.address);
        self.reception.receive(&mut request, epoch);
        request.rest = (!is_whole).then(Arc::default);
        let (clock, dice) = self.activation.simulation().find(&request);
        let conditions = Conditions { clock, dice, outgoing: Some(self.outgoing), ..Conditions::default() };
        let mut request = Arc::new(request);
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            handling::handle_layers(&layers, &self.chaos, &conditions, &mut request)
        }));
        let outcome = outcome.unwrap_or_else(|_| panicked(&layers, None, &request));
        let (worked, waited) = (Duration::ZERO, Duration::ZERO);
        let received = Received { line, begun, layers, request, since, worked, waited };
        match outcome.wait {
            Some(_) => self.park(incoming, received, outcome),
            None => self.finish(incoming, received, outcome),
        }
    }
}

/// Returns the outcome of a request whose handling panicked.
fn panicked(layers: &Layers, overlay: Option<usize>, request: &Request) -> Outcome {
    let mut outcome = Outcome { overlay, ..Outcome::panicked() };
    layers.add_cors(overlay, request, &mut outcome.reply.answer);
    outcome
}

/// Bodies up to this arrive in full before their request is handled.
const SMALL: u64 = 64 << 10;

impl MockWork {
    /// Lets `server` hand over large requests before their body has arrived, where they only go on to another server.
    pub(crate) fn take_early(&self, server: &Weak<Server>) {
        let (activation, chaos) = (self.activation.clone(), self.chaos.clone());
        let takes = move |head: &EarlyHead<'_>| {
            let host = head.field("host");
            head.length().is_none_or(|length| length > SMALL)
                && is_forwarded_unread(
                    &activation.layers(),
                    &chaos,
                    head.method(),
                    head.target(),
                    host.as_deref(),
                )
        };
        server.upgrade().into_iter().for_each(|server| server.set_early(takes.clone()));
    }

    /// Whether a request whose body has not arrived can still go on.
    fn is_unread(&self, layers: &Layers, incoming: &Incoming) -> bool {
        let host = incoming.fields().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = host.as_ref().map(|(_, host)| &**host);
        is_forwarded_unread(layers, &self.chaos, incoming.method().as_str(), incoming.url(), host)
    }

    /// Counts a request, enters it in the journal, and answers it.
    ///
    /// It is a part of its callers: moving the arguments would cost 4 % of a request's instructions.
    #[inline(always)]
    fn finish(&self, incoming: Incoming, received: Received, mut outcome: Outcome) {
        let Received { line, begun, layers, request, worked, since, .. } = received;
        let overlay = outcome.overlay;
        let permit =
            self.permit(&incoming, &mut outcome.reply, |page| layers.add_cors(overlay, &request, page));
        let took = nanoseconds(worked + since.elapsed());
        let provision = layers.provision(outcome.overlay);
        metrics().answered(&outcome.counted(provision, (request.method(), request.target()), took));
        let stream = followed::progress(&outcome, &incoming);
        // Before the first byte of the answer leaves: a client that has its answer finds the entry.
        let number = begun.and_then(|begun| self.enter((begun, took), &layers, &request, &outcome, stream));
        if let Some(progress) = stream {
            followed::follow(progress, &self.journal, number, (&outcome, provision));
        }
        let callbacks =
            (!outcome.callbacks.is_empty()).then(|| self.unplanned(&mut outcome, &layers, &request, number));
        // Before the client can send its next request: a body may be large.
        if let Some(request) = Arc::into_inner(request) {
            incoming.give_back(request.body);
        }
        let Outcome { reply, rule, .. } = outcome;
        let rule = rule.map(|index| provision.router.rules()[index].pattern());
        let line = line.map(|line| line.served_by(rule.map(str::to_owned)));
        self.shared.leave(incoming, reply, line, permit, callbacks);
    }

    /// Takes the callbacks of a request, with what they have to know of it.
    #[inline(never)]
    fn unplanned(
        &self,
        outcome: &mut Outcome,
        layers: &Layers,
        request: &Request,
        entry: Option<u64>,
    ) -> Box<Unplanned> {
        let caller = Caller {
            entry: entry.unwrap_or_default(),
            epoch: request.epoch,
            generation: layers.generation,
            overlay: outcome.overlay.map(|index| layers.overlays[index].id.name.clone()),
            members: simulation::members(request),
        };
        let list = std::mem::take(&mut outcome.callbacks);
        Unplanned { callbacks: self.callbacks.clone(), list, caller }.into()
    }

    /// Keeps a request until the key is set for which it waits, or goes on with it at once if there is nothing to wait for.
    #[inline(never)]
    fn park(&self, incoming: Incoming, received: Received, mut outcome: Outcome) {
        while let Some(wait) = outcome.wait.take() {
            if let Some(forward) = wait.forward().cloned() {
                return self.forward(incoming, received, wait, outcome.overlay, &forward);
            }
            let time = wait.time().min(LONGEST.saturating_sub(received.waited));
            let value = match wait.look(received.request.epoch) {
                None if !time.is_zero() => return self.wait(incoming, received, wait, outcome.overlay, time),
                value => value.unwrap_or_else(nothing),
            };
            outcome = received.resume(*wait, outcome.overlay, Resumed::Value(value));
        }
        self.finish(incoming, received, outcome);
    }

    fn wait(
        &self,
        incoming: Incoming,
        mut received: Received,
        wait: Box<Wait>,
        overlay: Option<usize>,
        time: Duration,
    ) {
        let permit = self.pending.take_bytes(received.space() + wait.space());
        let (Some(permit), Some(awaited)) = (permit, wait.awaited(received.request.epoch)) else {
            return self.refuse(incoming, received, overlay);
        };
        let client = received.leave_worker(&incoming);
        let work = self.clone();
        let then = move |end| {
            received.waited += received.since.elapsed();
            received.since = Instant::now();
            let outcome = match end {
                End::Value(value) => received.resume(*wait, overlay, Resumed::Value(value)),
                // The request did come, so the journal has it. Status 0 says that its client got no answer.
                End::Gone => received.outcome(overlay, Answer { status: 0, ..Answer::default() }),
            };
            drop(permit);
            work.park(incoming, received, outcome);
        };
        self.shared.waits.wait(awaited, time, client, Box::new(then));
    }

    /// Answers 503 to a request for which there is no memory.
    fn refuse(&self, incoming: Incoming, received: Received, overlay: Option<usize>) {
        let mut page = refusal::no_room(self.pending.most);
        received.layers.add_cors(overlay, &received.request, &mut page);
        let outcome = received.outcome(overlay, page);
        self.finish(incoming, received, outcome);
    }

    /// Sends the request on to another server, whose answer is then that of `wait`.
    fn forward(
        &self,
        incoming: Incoming,
        mut received: Received,
        wait: Box<Wait>,
        overlay: Option<usize>,
        forward: &Forward,
    ) {
        let order = match Order::new(received.request.clone(), forward) {
            Ok(order) => order,
            Err(round) => {
                let outcome = received.resume(*wait, overlay, Resumed::Upstream(Err(round)));
                return self.park(incoming, received, outcome);
            }
        };
        let Some(permit) = self.pending.take_bytes(received.space() + wait.space()) else {
            return self.refuse(incoming, received, overlay);
        };
        let upload = incoming.rest().zip(received.request.rest.clone()).map(|(rest, taken)| {
            let in_chunks = received.request.header("content-length").is_none();
            Upload::new(rest, in_chunks, &received.request.body, taken)
        });
        let client = received.leave_worker(&incoming);
        let work = self.clone();
        let then = move |result| {
            received.waited += received.since.elapsed();
            received.since = Instant::now();
            let outcome = match result {
                // The request did come, so the journal has it. Status 0 says that its client got no answer.
                Err(Unreachable { status: 0, .. }) => {
                    received.outcome(overlay, Answer { status: 0, ..Answer::default() })
                }
                result => received.resume(*wait, overlay, Resumed::Upstream(result)),
            };
            work.park(incoming, received, outcome);
        };
        self.shared.forwarding.send(order, (client, permit, upload), Box::new(then));
    }

    /// Reserves memory for an answer that is delayed, for a stream, or for an answer so large that its client may not take it at once.
    /// Without memory, 503 replaces the answer, and `complete` adds its headers.
    ///
    /// Runs before metrics and journal, which must see the answer that is really sent.
    fn permit(
        &self,
        incoming: &Incoming,
        reply: &mut Reply,
        complete: impl FnOnce(&mut Answer),
    ) -> Option<Permit> {
        let waits = reply.takes_time();
        let permit = match &reply.stream {
            Some(stream) => self.pending.take_for_stream(&reply.answer, stream),
            None if waits => self.pending.take(&reply.answer),
            None => None,
        };
        if permit.is_none() && (waits || !incoming.reserve(reply.answer.body.space())) {
            *reply = refusal::no_room(self.pending.most).into();
            complete(&mut reply.answer);
        }
        permit
    }

    /// Enters a request in the journal. A delayed answer has its entry when it is made, not when it leaves: its client may leave
    /// before, but it did send the request. Returns the number of the entry.
    fn enter(
        &self,
        (begun, took): (Begun, u64),
        layers: &Layers,
        request: &Request,
        outcome: &Outcome,
        stream: Option<&Arc<Progress>>,
    ) -> Option<u64> {
        let Outcome { reply, overlay, rule, unmatched, error, .. } = outcome;
        let Answer { headers, body, .. } = &reply.answer;
        let forwarded = outcome.forwarded.as_deref();
        let rule = rule.map(|index| &layers.provision(*overlay).router.rules()[index]);
        let beginning = body.beginning(self.journal.most_of_body());
        let first =
            reply.stream.as_ref().filter(|_| stream.is_some()).and_then(|stream| stream.first.as_deref());
        self.journal.record(&Exchange {
            begun,
            took,
            generation: layers.generation,
            overlay: overlay.map(|index| layers.overlays[index].id.name.as_str()),
            request,
            rule: rule.map(|rule| (rule.pattern(), rule.endpoint())),
            unmatched: unmatched.map(Unmatched::words),
            status: reply.status_sent(),
            answer_headers: headers,
            answer_body: first.unwrap_or(&beginning),
            answer_length: first.map_or(body.len(), |first| first.len() as u64),
            error: error.as_deref().or(forwarded.and_then(|forwarded| forwarded.error.as_deref())),
            fault: reply.injected.as_ref().map(|injected| injected.words.as_str()),
            stream,
            forwarded: forwarded.map(|forwarded| (forwarded.url.as_str(), forwarded.error.as_deref())),
            kind: Kind::Request,
        })
    }
}

impl Received {
    /// Returns the memory of a request that waits, in bytes.
    fn space(&self) -> usize {
        let head: usize = self.request.headers().map(|(name, value)| name.len() + value.len()).sum();
        size_of::<Received>() + head + self.request.target().len() + self.request.body.capacity()
    }

    /// Notes that no worker has the request any more. A permit counts its body from now on. Returns its client.
    fn leave_worker(&mut self, incoming: &Incoming) -> Option<Client> {
        incoming.release(self.request.body.capacity());
        self.worked += self.since.elapsed();
        self.since = Instant::now();
        incoming.client()
    }

    /// Goes on with the request after its wait.
    fn resume(&self, wait: Wait, overlay: Option<usize>, resumed: Resumed) -> Outcome {
        let resume = || handling::resume_layers(&self.layers, overlay, &self.request, wait, resumed);
        let outcome = catch_unwind(AssertUnwindSafe(resume));
        outcome.unwrap_or_else(|_| panicked(&self.layers, overlay, &self.request))
    }

    /// Returns the outcome of a request that `answer` ends without a script.
    fn outcome(&self, overlay: Option<usize>, answer: Answer) -> Outcome {
        Outcome { reply: answer.into(), overlay, rule: self.request.rule, ..Outcome::default() }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    // Not `as_nanos`: no request takes the 500 years that overflow, and 128 bits cost more than the clock.
    time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos())
}
