//! Listeners: the sockets, the pool of worker threads on each of them, and the stop. A worker of a listener runs [`Work`].

use crate::message::epoch::Epoch;
use crate::observing::access_log::AccessLog;
use crate::observing::metrics::metrics;
use crate::outgoing::Outgoing;
use crate::script::runtime::{allocator, budget};
use crate::serving::forwarding::{Forwarding, Links, Live};
use crate::serving::http::{self, Incoming, Limits, Reactor, Refuse, Server, Task};
use crate::serving::streaming::Streaming;
use crate::serving::timer::Timer;
use crate::serving::waiting::Waits;
use crate::system::io_error::{describe_io, failed_to};
use crate::system::lock::lock;
use crate::system::renewed_thread::{self, Next};
use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

/// A bound listener and its workers.
pub(crate) struct Listener {
    server: Arc<Server>,
    pub address: SocketAddr,
    /// Most bytes of requests and answers that the engine keeps in memory.
    pub buffered: usize,
    /// Number of running workers.
    workers: usize,
}

/// State that the workers of both listeners share.
pub(crate) struct Shared {
    pub timer: Timer,
    pub streaming: Arc<Streaming>,
    /// The requests that go on to other servers.
    pub forwarding: Forwarding,
    /// The requests that wait for a key of `store`.
    pub waits: Arc<Waits>,
    pub access: AccessLog,
    /// Whether each answer closes its connection.
    pub draining: AtomicBool,
    /// Whether workers end instead of taking another request.
    pub stopping: AtomicBool,
    /// Number of workers that must end, because the system has too few threads ([`Listener::start`]).
    pub surplus: AtomicUsize,
    /// The servers, each with its number of workers.
    pub servers: Mutex<Vec<(Weak<Server>, usize)>>,
}

/// Threads that h1mock leaves to other processes of its container where threads are short: `kubectl exec` and `kubectl cp` need some.
const THREADS_FOR_EXEC: usize = 8;

/// A stop closes a connection only after it had no request for this long. The next request of a connection that was just opened, or
/// just answered, may be on its way.
const YOUNG: Duration = Duration::from_millis(50);

/// A stop refuses a partial request if its client has sent nothing for this long.
const SILENT: Duration = Duration::from_secs(1);

impl Listener {
    /// Binds `address`:`port`; port 0 takes a free one. `::` also serves IPv4 where the system allows it.
    ///
    /// # Errors
    /// ``failed to listen on `0.0.0.0:8000`: address already in use``, and how to choose another port by `flag`.
    pub(crate) fn bind(
        flag: &str,
        (address, port): (IpAddr, u16),
        limits: &Limits,
        refuse: Refuse,
        reactor: &Arc<Reactor>,
    ) -> Result<Listener, String> {
        let wanted = SocketAddr::new(address, port);
        let failed = failed_to(format!("listen on `{wanted}`"));
        let listener = TcpListener::bind(wanted).map_err(|error| match error.kind() {
            ErrorKind::AddrInUse => {
                format!("{}, perhaps by another h1mock; `{flag} PORT` chooses another port", failed(error))
            }
            _ => failed(error),
        })?;
        let address = listener.local_addr().map_err(&failed)?;
        let server = http::server(listener, limits, refuse, reactor).map_err(&failed)?;
        Ok(Listener { server: Arc::new(server), address, buffered: limits.buffered, workers: 0 })
    }

    /// Starts `count` workers with stacks of `stack` bytes. If the system refuses some, the others serve, except for
    /// [`THREADS_FOR_EXEC`] of them.
    ///
    /// # Errors
    /// The system refuses the first worker.
    pub(crate) fn start(
        &mut self,
        name: &'static str,
        count: usize,
        stack: usize,
        work: Arc<dyn Work>,
    ) -> Result<(), String> {
        lock(&work.shared().servers).push((self.server(), count));
        for number in 0..count {
            let (server, worker) = (self.server.clone(), work.clone());
            let run = move || run(&server, worker.as_ref());
            match renewed_thread::start(format!("{name}-{number}"), stack, Arc::new(run)) {
                Ok(()) => self.workers += 1,
                Err(error) if self.workers == 0 => {
                    return Err(failed_to(format!("start {name} workers"))(error));
                }
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

    /// Ends some workers, so that other processes can start threads.
    fn leave_threads(&mut self, shared: &Shared) {
        let surplus = THREADS_FOR_EXEC.min(self.workers - 1);
        self.workers -= surplus;
        shared.surplus.fetch_add(surplus, Ordering::AcqRel);
        (0..surplus).for_each(|_| self.server.unblock());
    }

    /// Returns the number of running workers.
    pub(crate) fn workers(&self) -> usize {
        self.workers
    }

    /// Returns the server, for callers that must not keep it alive.
    pub(crate) fn server(&self) -> Weak<Server> {
        Arc::downgrade(&self.server)
    }

    /// Stops listening. Connections that clients made before are served.
    pub(crate) fn close(&self) {
        self.server.close_listener();
    }

    /// Closes the connections for which a stop does not wait: idle ones, those whose client has left, and those whose client does
    /// not finish its request.
    ///
    /// Returns the number of requests without a full answer, and whether connections are left that are too young to be closed.
    pub(crate) fn close_idle(&self) -> (usize, bool) {
        let young = self.server.close_idle(YOUNG);
        self.server.end_silent(SILENT);
        self.server.close_absent();
        (self.server.num_busy(), young > 0)
    }

    /// Ends the workers. The caller sets `Shared::stopping` before.
    pub(crate) fn stop(self) {
        (0..self.workers).for_each(|_| self.server.unblock());
        // The engine's jobs may hold values of scripts, and this thread has no stack for dropping them.
        std::mem::forget(self.server);
    }
}

/// The work of a listener.
pub(crate) trait Work: Send + Sync {
    /// Answers one request, now or later. The caller catches panics.
    fn serve(&self, incoming: Incoming);
    fn shared(&self) -> &Shared;
}

fn run(server: &Arc<Server>, work: &dyn Work) -> Next {
    let calling = server.clone();
    // While a script runs for long on this thread, another worker has to wait for requests.
    budget::when_long(move || calling.call_another());
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

/// Serves the next request, or runs the next job; breaks if this worker is part of the surplus.
fn serve_one(server: &Server, work: &dyn Work) -> ControlFlow<()> {
    match server.take() {
        Ok(Task::Request(incoming)) => work.serve(incoming),
        Ok(Task::Job(job)) => job(),
        Err(error) if work.shared().stopping.load(Ordering::Acquire) => log::debug!("worker ends: {error}"),
        Err(_) if work.shared().takes_surplus() => return ControlFlow::Break(()),
        // `Shared::call_all` woke this worker, so that it gives memory back.
        Err(error) if error.raw_os_error().is_none() => {}
        Err(error) => log::error!("failed to take a request: {}", describe_io(&error)),
    }
    ControlFlow::Continue(())
}

impl Shared {
    /// Starts without servers. The workers of `mock` run the jobs of streams and waits.
    pub(crate) fn new(
        timer: Timer,
        (mock, epoch): (Weak<Server>, Arc<Epoch>),
        access: AccessLog,
        outgoing: &'static Outgoing,
    ) -> Shared {
        let streaming = Streaming::new(timer.clone(), mock.clone(), epoch);
        outgoing.slots.set_count(|sent| metrics().sent(sent));
        Shared {
            forwarding: Forwarding::new(Links {
                server: mock,
                live: Live::new(timer.clone()),
                streaming: streaming.clone(),
                outgoing,
                kept: Arc::default(),
            }),
            waits: Waits::new(timer.clone(), streaming.clone()),
            streaming,
            timer,
            access,
            draining: AtomicBool::new(false),
            stopping: AtomicBool::new(false),
            surplus: AtomicUsize::new(0),
            servers: Mutex::default(),
        }
    }

    /// Wakes each waiting worker once. A woken worker waits behind the others afterwards, so none is woken twice.
    fn call_all(&self) {
        for (server, workers) in lock(&self.servers).iter() {
            if let Some(server) = server.upgrade() {
                (0..*workers).for_each(|_| server.unblock());
            }
        }
    }

    /// Takes one worker off the surplus; false if there is none.
    fn takes_surplus(&self) -> bool {
        let less_one = |surplus: usize| surplus.checked_sub(1);
        self.surplus.fetch_update(Ordering::AcqRel, Ordering::Acquire, less_one).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Settings;
    use crate::observing::journal::Journal;
    use crate::outgoing::Allowed;
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
        let timer = Timer::start(reactor.clone()).unwrap();
        Arc::new(Shared::new(
            timer,
            (Weak::new(), Arc::default()),
            AccessLog::new(false, false),
            Outgoing::new(Allowed::default(), 1).leak(),
        ))
    }

    #[test]
    fn a_panic_costs_its_request_a_500_and_no_worker() {
        let reactor = Reactor::new().unwrap();
        let limits = EffectiveLimits::by_system(&Settings::default()).unwrap().mock;
        let address = (IpAddr::from([127, 0, 0, 1]), 0);
        let journal = Arc::new(Journal::new(0, 0).unwrap());
        let refuse = refusal::mock_pages(&limits, AccessLog::new(false, false), journal, Arc::default());
        let mut listener = Listener::bind("--traffic-port", address, &limits, refuse, &reactor).unwrap();
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
