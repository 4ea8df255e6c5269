//! Listeners, the fixed pools of workers, the guard against panics, and the stop. Knows neither rules nor scripts.

use crate::admin::{self, Admin};
use crate::chaos::{Chaos, Reply};
use crate::message::answer::Answer;
use crate::message::request::Request;
use crate::observing::access_log::{AccessLog, Line};
use crate::observing::journal::{Begun, Exchange, Journal};
use crate::observing::metrics::metrics;
use crate::provisioning::activation::Activation;
use crate::provisioning::provision::Provision;
use crate::script::runtime::{allocator, budget};
use crate::serving::handler::{self, Outcome, Unmatched};
use crate::serving::http::{self, Incoming, Limits, Reactor, Refuse, Server};
use crate::serving::pending::{PendingBudget, Permit};
use crate::serving::refusal;
use crate::serving::start_error::StartError;
use crate::serving::timer::Timer;
use crate::system::io_error::describe_io;
use crate::system::lock::lock;
use crate::system::renewed_thread::{self, Next};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// A bound listener and the workers on it.
pub(crate) struct Listener {
    server: Arc<Server>,
    pub address: SocketAddr,
    /// Bytes that requests and answers may take up.
    pub buffered: usize,
    /// Those that run.
    workers: usize,
}

pub(crate) struct Shared {
    pub timer: Timer,
    pub access: AccessLog,
    /// Every answer ends its connection.
    pub draining: AtomicBool,
    /// Workers take no more requests.
    pub stopping: AtomicBool,
    /// How many workers are to end, as there are too many threads ([`Listener::start`]).
    pub surplus: AtomicUsize,
    /// The servers, and how many workers each has.
    pub servers: Mutex<Vec<(Weak<Server>, usize)>>,
}

/// Threads that a pool leaves to the container where the system refuses it more: `kubectl exec` and `kubectl cp` start some.
const THREADS_FOR_EXEC: usize = 8;

impl Listener {
    /// Binds `address`:`port`; port 0 takes a free one. `::` serves IPv4 too where the system allows it.
    ///
    /// # Errors
    /// ``failed to listen on `0.0.0.0:8000`: address already in use``
    pub(crate) fn bind(
        (address, port): (IpAddr, u16),
        limits: &Limits,
        refuse: Refuse,
        reactor: &Arc<Reactor>,
    ) -> Result<Listener, StartError> {
        let wanted = SocketAddr::new(address, port);
        let failed = |error| StartError::Listener(wanted, error);
        let listener = TcpListener::bind(wanted).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let server = http::server(listener, limits, refuse, reactor).map_err(failed)?;
        Ok(Listener { server: Arc::new(server), address, buffered: limits.buffered, workers: 0 })
    }

    /// Starts `count` workers with stacks of `stack` bytes. Where the system refuses some, those that started serve, less a few
    /// whose place is left free for other processes of the container.
    ///
    /// # Errors
    /// Not one could be started.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        count: usize,
        stack: usize,
        work: Arc<dyn Work>,
    ) -> Result<(), StartError> {
        lock(&work.shared().servers).push((Arc::downgrade(&self.server), count));
        for number in 0..count {
            let (server, worker) = (self.server.clone(), work.clone());
            let run = move || run(&server, worker.as_ref());
            match renewed_thread::start(format!("{name}-{number}"), stack, Arc::new(run)) {
                Ok(()) => self.workers += 1,
                Err(error) if self.workers == 0 => return Err(StartError::Workers(name, error)),
                Err(error) => {
                    self.leave_threads(work.shared());
                    let (left, why) = (self.workers, describe_io(&error));
                    log::warn!("{left} of {count} {name} workers serve: {why}");
                    break;
                }
            }
        }
        Ok(())
    }

    /// Lets some workers end again.
    fn leave_threads(&mut self, shared: &Shared) {
        let surplus = THREADS_FOR_EXEC.min(self.workers - 1);
        self.workers -= surplus;
        shared.surplus.fetch_add(surplus, Ordering::AcqRel);
        (0..surplus).for_each(|_| self.server.unblock());
    }

    /// Listens no more; connections that were made by then are served.
    pub(crate) fn close(&self) {
        http::close_listener(&self.server);
    }

    /// Closes connections that wait for a request; gives how many requests are not answered in full, and whether connections
    /// are left that may have a request on its way.
    pub(crate) fn close_idle(&self) -> (usize, bool) {
        http::close_idle(&self.server)
    }

    /// Counts the connections that are open, and those that are busy.
    pub(crate) fn connections(&self) -> impl Fn() -> (usize, usize) + Send + Sync + 'static {
        let server: Weak<Server> = Arc::downgrade(&self.server);
        move || server.upgrade().map(|server| http::connections(&server)).unwrap_or_default()
    }

    /// Drops answers that wait for clients which may have left.
    pub(crate) fn close_absent(&self) -> impl Fn() + Send + Sync + 'static {
        let server: Weak<Server> = Arc::downgrade(&self.server);
        move || server.upgrade().iter().for_each(|server| http::close_absent(server))
    }

    /// Lets the workers end. `Shared::stopping` is set before.
    pub(crate) fn stop(self) {
        (0..self.workers).for_each(|_| self.server.unblock());
    }
}

/// What a worker does with a request.
pub(crate) trait Work: Send + Sync {
    /// Answers one request, now or later. Panics are caught outside.
    fn serve(&self, incoming: Incoming);
    fn shared(&self) -> &Shared;
}

fn run(server: &Arc<Server>, work: &dyn Work) -> Next {
    let calling = server.clone();
    budget::when_long(move || http::call_another(&calling));
    while !work.shared().stopping.load(Ordering::Acquire) {
        // A panic costs the request that caused it, and no worker. The engine sends 500 when the request is dropped.
        match catch_unwind(AssertUnwindSafe(|| serve_one(server, work))) {
            Ok(ControlFlow::Continue(())) => {}
            Ok(ControlFlow::Break(())) => break,
            Err(_) => log::error!("a handler panicked; the worker goes on"),
        }
        if allocator::begin_round() {
            work.shared().call_all();
        }
        allocator::give_back();
        if budget::stack_has_grown() {
            return Next::Renew;
        }
    }
    Next::End
}

/// Serves the next request, or tells that this worker is one too many.
fn serve_one(server: &Server, work: &dyn Work) -> ControlFlow<()> {
    match server.recv() {
        Ok(incoming) => work.serve(incoming),
        Err(error) if work.shared().stopping.load(Ordering::Acquire) => log::debug!("worker ends: {error}"),
        Err(_) if work.shared().is_one_too_many() => return ControlFlow::Break(()),
        // Called, to give memory back.
        Err(error) if error.raw_os_error().is_none() => {}
        Err(error) => log::error!("failed to take a request: {}", describe_io(&error)),
    }
    ControlFlow::Continue(())
}

pub(crate) struct MockWork {
    pub shared: Arc<Shared>,
    pub activation: Arc<Activation>,
    pub chaos: Arc<Chaos>,
    pub pending: Arc<PendingBudget>,
    pub journal: Arc<Journal>,
    pub address: SocketAddr,
}

impl Work for MockWork {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn serve(&self, mut incoming: Incoming) {
        let (epoch, began) = (self.activation.epoch().now(), Instant::now());
        let provision = self.activation.current();
        let line = self.shared.line(&incoming, "mock", provision.generation);
        let begun = self.journal.begin();
        let mut request = http::receive(&mut incoming, self.address);
        request.epoch = epoch;
        let mut request = Arc::new(request);
        let outcome =
            catch_unwind(AssertUnwindSafe(|| handler::handle(&provision, &self.chaos, &mut request)));
        let mut outcome = outcome.unwrap_or_else(|_| panicked());
        let permit = self.permit(&incoming, &mut outcome.reply);
        let took = nanoseconds(began.elapsed());
        metrics().answered(&outcome.counted(&provision, (request.method(), request.target()), took));
        if let Some(begun) = begun {
            // Before a byte of the answer leaves: whoever has it finds its entry.
            self.enter(begun, took, &provision, &request, &outcome);
        }
        // Before its client may send the next one: a body may be large.
        if let Some(request) = Arc::into_inner(request) {
            http::give_back(&incoming, request.body);
        }
        let Outcome { reply, rule, .. } = outcome;
        let rule = rule.map(|index| provision.router.rules()[index].pattern());
        let line = line.map(|line| line.served_by(rule.map(str::to_owned)));
        self.shared.leave(incoming, reply, line, permit);
    }
}

impl MockWork {
    /// Takes memory for an answer that has to wait, or that its client may not take at once. Where there is none, 503 replaces
    /// the answer. This comes before metrics and journal, which get what is sent.
    fn permit(&self, incoming: &Incoming, reply: &mut Reply) -> Option<Permit> {
        let waits = reply.takes_time();
        let permit = if waits { self.pending.take(&reply.answer) } else { None };
        if permit.is_none() && (waits || !http::reserve(incoming, reply.answer.body.space())) {
            *reply = refusal::no_room(self.pending.most()).into();
        }
        permit
    }

    /// Enters a request in the journal. An answer that is held back is entered when it is made, not when it leaves: a client that
    /// does not wait for it was there all the same.
    fn enter(&self, begun: Begun, took: u64, provision: &Provision, request: &Request, outcome: &Outcome) {
        let Outcome { reply, rule, unmatched, error } = outcome;
        let Answer { headers, body, .. } = &reply.answer;
        let rule = rule.map(|index| &provision.router.rules()[index]);
        let beginning = body.beginning(self.journal.most_of_body());
        self.journal.record(&Exchange {
            begun,
            took,
            generation: provision.generation,
            request,
            rule: rule.map(|rule| (rule.pattern(), rule.endpoint())),
            unmatched: unmatched.map(Unmatched::words),
            status: reply.status_sent(),
            answer_headers: headers,
            answer_body: &beginning,
            answer_length: body.len(),
            error: error.as_deref(),
            fault: reply.injected.as_ref().map(|injected| injected.words.as_str()),
        });
    }
}

fn nanoseconds(time: Duration) -> u64 {
    // Not `as_nanos`: no request takes the 500 years that overflow, and 128 bits cost more than the clock.
    time.as_secs() * 1_000_000_000 + u64::from(time.subsec_nanos())
}

fn panicked() -> Outcome {
    let text = "a native function panicked while this request was handled: see the log";
    let reply = Answer::text(500, format!("{text}\n")).into();
    Outcome { reply, error: Some(text.into()), ..Outcome::default() }
}

pub(crate) struct AdminWork {
    pub shared: Arc<Shared>,
    pub admin: Arc<Admin>,
    pub address: SocketAddr,
}

impl Work for AdminWork {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn serve(&self, mut incoming: Incoming) {
        let line = self.shared.line(&incoming, "admin", self.admin.activation.generation());
        let request = http::receive(&mut incoming, self.address);
        let (client, shared) = (http::client(&incoming), self.shared.clone());
        let on_gone = Box::new(move |then| http::on_gone(client, then));
        let respond = Box::new(move |reply| shared.send(incoming, reply, line, None));
        admin::handle(&self.admin, request, respond, on_gone);
    }
}

impl Shared {
    /// Has every worker that waits go on once: each one that is called comes to wait behind the others.
    fn call_all(&self) {
        for (server, workers) in lock(&self.servers).iter() {
            if let Some(server) = server.upgrade() {
                (0..*workers).for_each(|_| server.unblock());
            }
        }
    }

    /// Takes one off the surplus, where there is any.
    fn is_one_too_many(&self) -> bool {
        self.surplus
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |surplus| surplus.checked_sub(1))
            .is_ok()
    }

    /// The line of the access log for a request that has come, where there is a log.
    fn line(&self, incoming: &Incoming, listener: &'static str, generation: u64) -> Option<Line> {
        let line = || Line::new(listener, incoming.method().as_str(), incoming.url(), generation);
        self.access.is_on().then(line)
    }

    /// Sends `reply` to the client of `incoming`, from any thread.
    fn send(&self, incoming: Incoming, reply: Reply, line: Option<Line>, permit: Option<Permit>) {
        let (close, status) = (self.draining.load(Ordering::Acquire), reply.status_sent());
        let sent = http::send(incoming, reply, close, permit);
        if let Err(error) = &sent {
            log::debug!("the client did not take its answer: {}", describe_io(error));
        }
        if let Some(line) = line {
            self.access.write(&line, status, sent.is_err());
        }
    }

    /// Sends `reply` now, or lets it wait on the timer for as long as its client does. Where the client leaves, it is sent at once,
    /// to nobody: what it takes up is free, and the access log has its line.
    fn leave(self: &Arc<Self>, incoming: Incoming, reply: Reply, line: Option<Line>, permit: Option<Permit>) {
        if reply.hold.is_zero() {
            return self.send(incoming, reply, line, permit);
        }
        let (hold, client, shared) = (reply.hold, http::client(&incoming), self.clone());
        let key = self.timer.after(hold, Box::new(move || shared.send(incoming, reply, line, permit)));
        let timer = self.timer.clone();
        http::on_gone(client, move || timer.take(key).into_iter().for_each(|send| send()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Settings;
    use crate::serving::limits::EffectiveLimits;
    use crate::serving::refusal;
    use std::io::{Read, Write};
    use std::net::TcpStream;

    struct Panics(Arc<Shared>);

    impl Work for Panics {
        fn serve(&self, _: Incoming) {
            panic!("a handler may panic");
        }

        fn shared(&self) -> &Shared {
            &self.0
        }
    }

    fn shared(reactor: &Arc<Reactor>) -> Arc<Shared> {
        Arc::new(Shared {
            timer: Timer::start(reactor.clone()).unwrap(),
            access: AccessLog::new(false, false),
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            surplus: AtomicUsize::new(0),
            servers: Mutex::default(),
        })
    }

    #[test]
    fn a_panic_costs_its_request_a_500_and_no_worker() {
        let reactor = http::reactor().unwrap();
        let limits = EffectiveLimits::by_system(&Settings::default()).unwrap().mock;
        let address = (IpAddr::from([127, 0, 0, 1]), 0);
        let journal = Arc::new(Journal::new(0, 0).unwrap());
        let refuse = refusal::mock_pages(&limits, AccessLog::new(false, false), journal);
        let mut listener = Listener::bind(address, &limits, refuse, &reactor).unwrap();
        let shared = shared(&reactor);
        listener.start("test", 1, 1 << 20, Arc::new(Panics(shared.clone()))).unwrap();
        for _ in 0..3 {
            let mut client = TcpStream::connect(listener.address).unwrap();
            client.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
            let mut answer = [0; 12];
            client.read_exact(&mut answer).unwrap();
            assert_eq!(&answer, b"HTTP/1.1 500");
        }
        shared.stopping.store(true, Ordering::Release);
        listener.stop();
    }
}
