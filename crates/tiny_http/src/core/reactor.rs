//! The reactor does later what can't be done at once: it sends answers that did not fit into their socket or that pause, keeps
//! deadlines, and accepts again after a failure. One thread of the program turns it, so it works while all workers run scripts.

use crate::clock::{self, timespec};
use crate::connection::slots::{Phase, Token};
use crate::connection::socket::Socket;
use crate::core::alarm::Alarm;
use crate::core::leader::CHECK;
use crate::core::state::Core;
use crate::lock::lock;
use crate::parse::body_pool;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{Errno, read, write};
use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

/// Finishes writes and keeps deadlines for any number of servers, up to 256.
pub struct Reactor {
    /// Full sockets, whose answers wait.
    epoll: OwnedFd,
    wake: OwnedFd,
    /// Ends a wait that is no whole number of milliseconds.
    alarm: Alarm,
    servers: Mutex<Vec<Weak<Core>>>,
    errands: Mutex<BTreeSet<(Instant, Errand)>>,
    /// Time of the next search for connections that are over their deadline, in milliseconds.
    look: AtomicU64,
    /// No connection is open, so nothing searches for late ones.
    asleep: AtomicBool,
    /// The leader of a server must be checked: handlers run.
    checking: AtomicBool,
}

/// A task for a given time.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Errand {
    /// Send more of an answer: the server's number, and the connection.
    Resume(u8, Token),
    /// Accept again: the server's number.
    Listen(u8),
}

const WAKE: u64 = u64::MAX;
const ALARM: u64 = u64::MAX - 1;
/// Events that one wait takes. Handling one takes little time.
const EVENTS: usize = 32;

impl Reactor {
    /// Returns a reactor without servers.
    ///
    /// # Errors
    /// The system refuses a descriptor.
    pub fn new() -> io::Result<Arc<Reactor>> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let wake = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &wake, EventData::new_u64(WAKE), EventFlags::IN)?;
        let alarm = Alarm::new()?;
        // The alarm is edge-triggered, so nothing has to read it.
        epoll::add(&epoll, alarm.descriptor(), EventData::new_u64(ALARM), EventFlags::IN | EventFlags::ET)?;
        Ok(Arc::new(Reactor {
            epoll,
            wake,
            alarm,
            servers: Mutex::default(),
            errands: Mutex::default(),
            look: AtomicU64::new(0),
            asleep: AtomicBool::new(true),
            checking: AtomicBool::new(false),
        }))
    }

    /// Waits for work, for at most `timeout` or until [`Reactor::wake`], and does it. One thread of the program calls it in a
    /// loop.
    pub fn turn(&self, timeout: Option<Duration>) {
        self.take_events([timeout, self.until_next()].into_iter().flatten().min());
        self.run_errands();
        let servers: Vec<Arc<Core>> = lock(&self.servers).iter().filter_map(Weak::upgrade).collect();
        let now = Instant::now();
        let checks = servers.iter().filter(|core| core.leader.check(now)).count();
        self.checking.store(checks > 0, Ordering::Release);
        self.keep_deadlines(&servers);
    }

    /// Waits for events and handles them.
    fn take_events(&self, timeout: Option<Duration>) {
        let mut events = [Event { flags: EventFlags::empty(), data: EventData::new_u64(0) }; EVENTS];
        let timeout = self.alarm.take_over(timeout);
        let count = match epoll::wait(&self.epoll, &mut events[..], timeout.map(timespec).as_ref()) {
            Ok(count) => count,
            Err(Errno::INTR) => 0,
            Err(error) => {
                log::error!("failed to wait for sockets: {error}");
                0
            }
        };
        for event in &events[..count] {
            let (data, flags) = (event.data.u64(), event.flags);
            if data == WAKE {
                let _ = read(&self.wake, &mut [0; 8][..]);
            } else if data != ALARM {
                self.writable(data, flags);
            }
        }
    }

    /// Ends the wait of [`Reactor::turn`].
    pub fn wake(&self) {
        // The write fails only if the counter is full. Then the reactor is awake already.
        let _ = write(&self.wake, &1_u64.to_ne_bytes());
    }

    /// Starts the search for late connections again, when the first one opens.
    pub(crate) fn rouse(&self) {
        fence(Ordering::SeqCst);
        if self.asleep.load(Ordering::Relaxed) && self.asleep.swap(false, Ordering::AcqRel) {
            self.wake();
        }
    }

    /// Adds a server. `core` makes it from its number.
    pub(crate) fn register(&self, core: impl FnOnce(u8) -> Arc<Core>) -> io::Result<Arc<Core>> {
        let mut servers = lock(&self.servers);
        let free = servers.iter().position(|server| server.strong_count() == 0);
        let place = free.unwrap_or(servers.len());
        let number =
            u8::try_from(place).map_err(|_| io::Error::other("a reactor serves at most 256 servers"))?;
        let core = core(number);
        match servers.get_mut(place) {
            Some(server) => *server = Arc::downgrade(&core),
            None => servers.push(Arc::downgrade(&core)),
        }
        Ok(core)
    }

    /// Calls [`Core::advance`] once the socket takes more.
    pub(crate) fn watch(
        &self,
        socket: &Socket,
        number: u8,
        token: Token,
        again: bool,
    ) -> rustix::io::Result<()> {
        let data = EventData::new_u64(u64::from(number) << 56 | token.data());
        let flags = EventFlags::OUT | EventFlags::ONESHOT;
        match again {
            true => epoll::modify(&self.epoll, socket, data, flags),
            false => epoll::add(&self.epoll, socket, data, flags),
        }
    }

    pub(crate) fn resume_at(&self, at: Instant, number: u8, token: Token) {
        self.schedule(at, Errand::Resume(number, token));
    }

    /// Drops the task of a closed connection.
    pub(crate) fn forget(&self, at: Instant, number: u8, token: Token) {
        lock(&self.errands).remove(&(at, Errand::Resume(number, token)));
    }

    pub(crate) fn listen_at(&self, at: Instant, number: u8) {
        self.schedule(at, Errand::Listen(number));
    }

    fn schedule(&self, at: Instant, errand: Errand) {
        let mut errands = lock(&self.errands);
        let first = errands.first().is_none_or(|(next, _)| at < *next);
        errands.insert((at, errand));
        drop(errands);
        if first {
            self.wake();
        }
    }

    /// Returns the time until the next task, search or check.
    fn until_next(&self) -> Option<Duration> {
        let errand = lock(&self.errands).first().map(|(at, _)| at.saturating_duration_since(Instant::now()));
        let look = (!self.asleep.load(Ordering::Acquire)).then(|| {
            let wait = self.look.load(Ordering::Relaxed).saturating_sub(clock::milliseconds());
            Duration::from_millis(wait)
        });
        let check = self.checking.load(Ordering::Acquire).then_some(CHECK);
        [errand, look, check].into_iter().flatten().min()
    }

    fn server(&self, number: u8) -> Option<Arc<Core>> {
        lock(&self.servers).get(usize::from(number))?.upgrade()
    }

    fn writable(&self, data: u64, flags: EventFlags) {
        let Some(core) = self.server((data >> 56) as u8) else { return };
        let Some(held) = core.slots.lock(Token::from_data(data)) else { return };
        if flags.intersects(EventFlags::ERR | EventFlags::HUP) {
            core.close(held);
        } else if held.phase().0 == Phase::Writing {
            core.advance(held);
        }
    }

    fn run_errands(&self) {
        while let Some((at, errand)) = self.next_errand() {
            match errand {
                Errand::Resume(number, token) => {
                    let Some(core) = self.server(number) else { continue };
                    if let Some(held) = core.slots.lock(token) {
                        core.resume(held, at);
                    }
                }
                Errand::Listen(number) => {
                    let Some(core) = self.server(number) else { continue };
                    if core.listen(true).is_err() {
                        self.listen_at(Instant::now() + Duration::from_secs(1), number);
                    }
                }
            }
        }
    }

    fn next_errand(&self) -> Option<(Instant, Errand)> {
        let mut errands = lock(&self.errands);
        let due = errands.first().is_some_and(|(at, _)| *at <= Instant::now());
        due.then(|| errands.pop_first()).flatten()
    }

    /// Closes late connections. It searches all of them from time to time, since a timer for each request would cost more.
    fn keep_deadlines(&self, servers: &[Arc<Core>]) {
        let now = clock::milliseconds();
        if now < self.look.load(Ordering::Relaxed) || self.asleep.load(Ordering::Acquire) {
            return;
        }
        self.asleep.store(true, Ordering::Release);
        // Pairs with the fence in `rouse`: a connection that this search misses sees `asleep`, and wakes the reactor.
        fence(Ordering::SeqCst);
        let open: usize = servers.iter().map(|core| core.expire(now)).sum();
        let pause = servers.iter().map(|core| core.look_interval()).min().unwrap_or(1000);
        self.look.store(now + pause, Ordering::Relaxed);
        match open {
            0 => body_pool::clear(),
            _ => self.asleep.store(false, Ordering::Release),
        }
    }
}
