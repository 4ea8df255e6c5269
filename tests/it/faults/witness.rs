//! A client that sends requests all the time while a fault goes on: on one connection that it keeps, and on new ones.

use crate::harness::{Client, Mock};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Deadline for an answer. A mock that hangs never answers; a busy machine takes some tenths of a second.
const SLOWEST: Duration = Duration::from_secs(5);
/// Pause between two requests of the witness, which leaves the machine to the fault.
const PAUSE: Duration = Duration::from_millis(5);
/// Number of requests that must be answered after the fault.
const AFTERWARDS: usize = 3;

pub(super) struct Witness {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<Duration>>>,
}

impl Witness {
    /// Starts a client of `/ping`.
    pub(super) fn of(mock: &Mock) -> Witness {
        Witness::asking(&mock.traffic, "/ping")
    }

    /// Starts a client of the admin port, for tests that fill the mock's own port.
    pub(super) fn of_admin(mock: &Mock) -> Witness {
        Witness::asking(&mock.admin, "/healthz")
    }

    fn asking(address: &str, target: &'static str) -> Witness {
        let over = Arc::new(AtomicBool::new(false));
        let (address, told) = (address.to_owned(), over.clone());
        let thread = Some(thread::spawn(move || watch(&address, target, &told)));
        Witness { over, thread }
    }

    /// Checks that every answer was right, and that some more come after the fault. Returns the time of the slowest.
    #[track_caller]
    pub(super) fn testify(mut self) -> Duration {
        self.over.store(true, Ordering::Release);
        let seen = self.thread.take().unwrap().join().unwrap();
        seen.unwrap_or_else(|error| panic!("the witness was not served: {error}"))
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
    }
}

fn watch(address: &str, target: &str, over: &AtomicBool) -> io::Result<Duration> {
    let mut kept = Client::connect(address, SLOWEST)?;
    let (mut slowest, mut left) = (Duration::ZERO, AFTERWARDS);
    while left > 0 {
        if over.load(Ordering::Acquire) {
            left -= 1;
        }
        slowest = slowest.max(timed("on its old connection", || ask(&mut kept, target))?);
        let new = || ask(&mut Client::connect(address, SLOWEST)?, target);
        slowest = slowest.max(timed("on a new connection", new)?);
        thread::sleep(PAUSE);
    }
    Ok(slowest)
}

fn timed(place: &str, ask: impl FnOnce() -> io::Result<()>) -> io::Result<Duration> {
    let began = Instant::now();
    let asked = ask().and_then(|()| match began.elapsed() {
        took if took > SLOWEST => Err(io::Error::other("right but too late")),
        took => Ok(took),
    });
    asked.map_err(|error| io::Error::other(format!("{place}, after {:?}: {error}", began.elapsed())))
}

fn ask(client: &mut Client, target: &str) -> io::Result<()> {
    let reply = client.try_send("GET", target, &[], b"")?;
    let body = if target == "/ping" { "pong" } else { "" };
    if reply.status == 200 && reply.text() == body {
        Ok(())
    } else {
        Err(io::Error::other(format!("{reply:?}")))
    }
}
