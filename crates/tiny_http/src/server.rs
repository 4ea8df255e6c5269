//! Listening servers. Workers wait here for requests.

use crate::clock::timespec;
use crate::connection::slots::{Slots, Token};
use crate::core::accept::LISTENER;
use crate::core::events::Events;
use crate::core::jobs::{Job, Jobs};
use crate::core::leader::Leader;
use crate::core::reactor::Reactor;
use crate::core::state::Core;
use crate::core::watched::{OnEvent, Sockets};
use crate::limits::Limits;
use crate::listener::{ListenAddr, SslConfig};
use crate::refusal::{Pages, plain_pages};
use crate::request::Request;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, write};
use rustix::net::{listen, sockopt};
use std::error::Error;
use std::io;
use std::net::TcpListener;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// A server. Any number of threads may wait in [`Server::recv`]. Each request goes to one of them.
pub struct Server {
    pub(crate) core: Arc<Core>,
}

/// Most events of one wait.
const BATCH: usize = 16;

/// The number under which epoll reports [`Server::unblock`].
const UNBLOCK: u64 = u64::MAX - 1;
/// The number under which epoll reports that jobs wait.
const JOBS: u64 = u64::MAX - 2;
/// Longest turn of the thread of [`Server::from_listener`], so that it ends soon after its server.
const LONGEST_TURN: Duration = Duration::from_secs(1);
/// Connections that wait in the kernel until they are accepted. The kernel cuts this to its own limit.
const BACKLOG: i32 = 4096;
/// Time without traffic until the kernel checks whether the client is still there, and between two such checks.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

#[expect(clippy::large_enum_variant, reason = "made for each request; a box would cost more than the move")]
enum Woken {
    Request(Request),
    Job(Job),
    Unblocked,
    /// An event that led to no request.
    Nothing,
    /// No event came.
    Empty,
}

/// The result of a wait for events and jobs.
enum Next {
    /// The number of a descriptor in epoll, and its flags.
    Event(u64, EventFlags),
    Job(Job),
    Nothing,
}

/// Work for a worker.
#[expect(clippy::large_enum_variant, reason = "made for each request; a box would cost more than the move")]
pub enum Task {
    /// A request to answer.
    Request(Request),
    /// A job of [`Server::submit`] to run.
    Job(Job),
}

impl Server {
    /// Serves on `listener` with the limits of [`Limits::default`]. Starts a thread that finishes slow writes and keeps the
    /// deadlines. The thread ends within a second after the server.
    ///
    /// # Errors
    /// The system refuses a descriptor or a thread, or the caller asks for TLS.
    pub fn from_listener(
        listener: TcpListener,
        tls: Option<SslConfig>,
    ) -> Result<Server, Box<dyn Error + Send + Sync + 'static>> {
        if tls.is_some() {
            return Err("TLS is not spoken here".into());
        }
        let reactor = Reactor::new()?;
        let turned = Arc::downgrade(&reactor);
        thread::Builder::new().name("reactor".to_owned()).spawn(move || {
            while let Some(reactor) = turned.upgrade() {
                reactor.turn(Some(LONGEST_TURN));
            }
        })?;
        Ok(Server::build(listener, Limits::default(), plain_pages(), reactor)?)
    }

    pub(crate) fn build(
        listener: TcpListener,
        limits: Limits,
        pages: Pages,
        reactor: Arc<Reactor>,
    ) -> io::Result<Server> {
        prepare(&listener)?;
        let address = listener.local_addr()?;
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let unblock = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK | EventfdFlags::SEMAPHORE)?;
        epoll::add(&epoll, &unblock, EventData::new_u64(UNBLOCK), EventFlags::IN)?;
        let jobs = Jobs::new(limits.jobs)?;
        epoll::add(&epoll, &jobs.wake, EventData::new_u64(JOBS), EventFlags::IN | EventFlags::ET)?;
        let core = reactor.clone().register(|number| {
            Arc::new(Core {
                epoll,
                events: Events::default(),
                jobs,
                sockets: Sockets::default(),
                early: OnceLock::new(),
                leader: Leader::new(),
                unblock,
                listener: Mutex::new(Some(listener)),
                oldest: Mutex::default(),
                failing: AtomicBool::new(false),
                slots: Slots::new(),
                limits,
                pages,
                reactor,
                number,
                address,
                connections: AtomicUsize::new(0),
                buffered: AtomicUsize::new(0),
                refusing: Mutex::default(),
            })
        })?;
        core.listen(false)?;
        Ok(Server { core })
    }

    /// Waits for a request. Runs the jobs of [`Server::submit`] meanwhile.
    ///
    /// # Errors
    /// [`Server::unblock`] was called.
    pub fn recv(&self) -> io::Result<Request> {
        loop {
            match self.take()? {
                Task::Request(request) => return Ok(request),
                Task::Job(job) => run(job),
            }
        }
    }

    /// Waits for a request or a job.
    ///
    /// # Errors
    /// [`Server::unblock`] was called.
    pub fn take(&self) -> io::Result<Task> {
        let leader = &self.core.leader;
        loop {
            leader.lead();
            // Each arm returns by itself: a request is large, and a variable for the result would be another move.
            match self.wait(None, || leader.leave()) {
                Ok(Woken::Request(request)) => {
                    self.begin();
                    return Ok(Task::Request(request));
                }
                Ok(Woken::Job(job)) => {
                    self.begin();
                    return Ok(Task::Job(job));
                }
                Ok(Woken::Nothing | Woken::Empty) => {}
                // This worker may not return.
                Ok(Woken::Unblocked) => {
                    leader.call_another();
                    return Err(io::Error::other("thread unblocked"));
                }
                Err(error) => {
                    leader.call_another();
                    return Err(error);
                }
            }
        }
    }

    /// Notes that a handler or a job begins on this worker.
    fn begin(&self) {
        if self.core.leader.begin() {
            self.core.reactor.wake();
        }
    }

    /// Waits for a request, for at most `timeout`.
    ///
    /// # Errors
    /// The system refuses to wait.
    pub fn recv_timeout(&self, timeout: Duration) -> io::Result<Option<Request>> {
        // A timeout that the clock can't count never ends.
        let end = Instant::now().checked_add(timeout);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match self.wait(left, || ())? {
                Woken::Request(request) => return Ok(Some(request)),
                Woken::Job(job) => {
                    // Several threads may wait, and the first job that waited woke only this one.
                    if self.core.jobs.any() {
                        self.core.jobs.call();
                    }
                    run(job);
                }
                Woken::Unblocked => return Ok(None),
                Woken::Empty if left.is_some_and(|left| left.is_zero()) => return Ok(None),
                Woken::Nothing | Woken::Empty => {}
            }
        }
    }

    /// Ends one wait for a request, the present one or the next.
    pub fn unblock(&self) {
        // The write fails only if the counter is full.
        let _ = write(&self.core.unblock, &1_u64.to_ne_bytes());
        self.core.leader.call_another();
    }

    /// Returns the address of the listener.
    pub fn server_addr(&self) -> ListenAddr {
        ListenAddr::IP(self.core.address)
    }

    /// Waits for one event and handles it. Other events of the same wait go to the queue for the next leader. Calls `woken` at
    /// the end of the wait.
    fn wait(&self, timeout: Option<Duration>, woken: impl FnOnce()) -> io::Result<Woken> {
        let waited = self.next(timeout);
        woken();
        let (data, flags) = match waited {
            Ok(Next::Event(data, flags)) => (data, flags),
            Ok(Next::Job(job)) => return Ok(Woken::Job(job)),
            Ok(Next::Nothing) => return Ok(Woken::Empty),
            Err(Errno::INTR) => return Ok(Woken::Nothing),
            Err(error) => return Err(error.into()),
        };
        match data {
            LISTENER => self.core.accept(),
            UNBLOCK if read(&self.core.unblock, &mut [0; 8][..]).is_ok() => return Ok(Woken::Unblocked),
            UNBLOCK => {}
            JOBS => return Ok(self.core.jobs.pop().map_or(Woken::Nothing, Woken::Job)),
            data if Sockets::is_one(data) => {
                let job = |on_event: OnEvent| Woken::Job(Box::new(move || on_event()));
                return Ok(self.core.sockets.find(data).map_or(Woken::Nothing, job));
            }
            _ => {
                let lent = self.core.ready(Token::from_data(data), flags);
                return Ok(
                    lent.map_or(Woken::Nothing, |lent| Woken::Request(Request::new(self.core.clone(), lent)))
                );
            }
        }
        Ok(Woken::Nothing)
    }

    /// Returns the next event: one of the queue, or else one that epoll reports within `timeout`. If jobs wait, every second
    /// call returns a job, and the others only look for an event.
    fn next(&self, timeout: Option<Duration>) -> Result<Next, Errno> {
        let jobs = &self.core.jobs;
        let waits = jobs.any();
        if waits && let Some(job) = jobs.pop_in_turn() {
            return Ok(Next::Job(job));
        }
        if let Some((data, flags)) = self.core.events.pop() {
            return Ok(Next::Event(data, flags));
        }
        let timeout = if waits { Some(Duration::ZERO) } else { timeout };
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; BATCH];
        let count = epoll::wait(&self.core.epoll, &mut events[..], timeout.map(timespec).as_ref())?;
        let mut events = events[..count].iter().map(|event| (event.data.u64(), event.flags));
        let first = events.next();
        self.core.events.put(events);
        Ok(match first {
            Some((data, flags)) => Next::Event(data, flags),
            None => jobs.pop().map_or(Next::Nothing, Next::Job),
        })
    }
}

impl Drop for Server {
    /// Drops the jobs that wait. They may own answers, which own the state of the server.
    fn drop(&mut self) {
        self.core.jobs.clear();
    }
}

/// Runs a job. Its panic must not end the thread that waits for requests.
fn run(job: Job) {
    if catch_unwind(AssertUnwindSafe(job)).is_err() {
        log::error!("a job for the workers panicked");
    }
}

/// Sets options that accepted connections inherit. Without TCP_NODELAY, a body that takes two writes comes 44 ms late. The
/// others detect clients that are gone without having closed their connection.
fn prepare(listener: &TcpListener) -> io::Result<()> {
    sockopt::set_tcp_nodelay(listener, true)?;
    sockopt::set_socket_keepalive(listener, true)?;
    sockopt::set_tcp_keepidle(listener, KEEP_ALIVE)?;
    sockopt::set_tcp_keepintvl(listener, KEEP_ALIVE)?;
    sockopt::set_tcp_keepcnt(listener, 4)?;
    listener.set_nonblocking(true)?;
    // The standard library listens with a backlog of 128, which a burst fills.
    listen(listener, BACKLOG)?;
    Ok(())
}
