//! Names of hosts -> addresses. `getaddrinfo` has no deadline, so threads of its own call it, and the caller stops waiting.

use super::pool::Pool;
use crate::system::lock::lock;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::mem;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The lookups. Those who ask for a name that is being looked up share the result, and so do those who ask shortly after.
pub(crate) struct Names {
    /// Not the pool of callbacks, whose threads wait for names.
    pool: Arc<Pool>,
    known: Arc<Mutex<HashMap<String, Lookup>>>,
}

/// The addresses, or the resolver's reason.
pub(crate) type Found = Result<Vec<SocketAddr>, String>;

type Then = Box<dyn FnOnce(Result<Vec<IpAddr>, String>) + Send>;

enum Lookup {
    /// These callers wait for it.
    Running(Vec<Then>),
    /// Since this time.
    Done(Instant, Result<Vec<IpAddr>, String>),
}

/// Threads that look names up. They start when they are needed.
const THREADS: usize = 4;
/// Time for which a result is kept. A name server behind it has its own, longer one.
const KEPT: Duration = Duration::from_secs(1);
/// Most names that are known or looked up.
const MOST_NAMES: usize = 1_024;
/// Most callers that wait for one name.
const MOST_CALLERS: usize = 10_000;
const TOO_MANY: &str = "too many names are looked up at once";

impl Names {
    pub(crate) fn new() -> Names {
        Names { pool: Arc::new(Pool::new("names", THREADS)), known: Arc::default() }
    }

    /// Looks `host` up and waits, until `deadline` at most.
    ///
    /// # Errors
    /// The resolver's reason, or the time is over.
    pub(crate) fn wait(&self, host: &str, port: u16, deadline: Instant) -> Found {
        let (send, receive) = sync_channel(1);
        self.then(host, port, move |found| _ = send.send(found));
        let left = deadline.saturating_duration_since(Instant::now());
        receive.recv_timeout(left).unwrap_or_else(|_| Err("the resolver did not answer in time".to_owned()))
    }

    /// Looks `host` up and calls `then`: on a thread of its own, or at once if the result is known.
    pub(crate) fn then(&self, host: &str, port: u16, then: impl FnOnce(Found) + Send + 'static) {
        let with_port = move |found: Result<Vec<IpAddr>, String>| {
            then(found.map(|all| all.into_iter().map(|address| SocketAddr::new(address, port)).collect()));
        };
        if let Ok(address) = host.parse::<IpAddr>() {
            return with_port(Ok(vec![address]));
        }
        self.share(host, Box::new(with_port));
    }

    fn share(&self, host: &str, then: Then) {
        let mut known = lock(&self.known);
        if known.len() >= MOST_NAMES {
            known.retain(|_, lookup| !lookup.is_over());
        }
        let is_full = known.len() >= MOST_NAMES;
        let answer = match known.entry(host.to_owned()) {
            Entry::Occupied(mut entry) if !entry.get().is_over() => match entry.get_mut() {
                Lookup::Running(callers) if callers.len() < MOST_CALLERS => return callers.push(then),
                Lookup::Running(_) => Err(TOO_MANY.to_owned()),
                Lookup::Done(_, found) => found.clone(),
            },
            Entry::Vacant(_) if is_full => Err(TOO_MANY.to_owned()),
            entry => {
                entry.insert_entry(Lookup::Running(vec![then]));
                drop(known);
                return self.start(host.to_owned());
            }
        };
        drop(known);
        then(answer);
    }

    fn start(&self, host: String) {
        let (known, name) = (self.known.clone(), host.clone());
        let submitted = self.pool.submit(Box::new(move || {
            let found = look_up(&name);
            end(&known, name, found);
        }));
        if submitted.is_err() {
            end(&self.known, host, Err(TOO_MANY.to_owned()));
        }
    }
}

impl Lookup {
    fn is_over(&self) -> bool {
        matches!(self, Lookup::Done(since, _) if since.elapsed() >= KEPT)
    }
}

/// Keeps a result, and tells those who wait for it.
fn end(known: &Mutex<HashMap<String, Lookup>>, host: String, found: Result<Vec<IpAddr>, String>) {
    let done = Lookup::Done(Instant::now(), found.clone());
    let before = lock(known).insert(host, done);
    if let Some(Lookup::Running(callers)) = before {
        let last = callers.len().saturating_sub(1);
        let mut found = found;
        for (index, then) in callers.into_iter().enumerate() {
            let own = if index == last { mem::replace(&mut found, Ok(Vec::new())) } else { found.clone() };
            then(own);
        }
    }
}

fn look_up(host: &str) -> Result<Vec<IpAddr>, String> {
    let found = (host, 0).to_socket_addrs();
    found.map(|all| all.map(|address| address.ip()).collect()).map_err(|error| {
        let text = error.to_string();
        let cause = text.strip_prefix("failed to lookup address information: ").unwrap_or(&text);
        // The C library's words begin in capitals: `Name does not resolve`.
        let mut letters = cause.chars();
        letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    #[test]
    fn addresses_need_no_lookup_and_names_are_looked_up_once() {
        let names = Names::new();
        assert_eq!(names.wait("127.0.0.1", 80, soon()), Ok(vec!["127.0.0.1:80".parse().unwrap()]));
        assert_eq!(names.wait("::1", 80, soon()), Ok(vec!["[::1]:80".parse().unwrap()]));
        assert!(names.wait("localhost", 8000, soon()).unwrap().iter().all(|found| found.port() == 8000));
        assert!(matches!(lock(&names.known).get("localhost"), Some(Lookup::Done(..))));
    }

    #[test]
    fn callers_of_one_name_share_its_lookup_and_a_late_one_stops_waiting() {
        let names = Names::new();
        lock(&names.known).insert("slow".to_owned(), Lookup::Running(Vec::new()));
        let told = Arc::new(AtomicUsize::new(0));
        for _ in 0..3 {
            let told = told.clone();
            names.then("slow", 80, move |found| _ = told.fetch_add(found.unwrap().len(), Ordering::Relaxed));
        }
        let late = names.wait("slow", 80, Instant::now());
        assert_eq!(late, Err("the resolver did not answer in time".to_owned()));
        end(&names.known, "slow".to_owned(), Ok(vec!["10.0.0.1".parse().unwrap()]));
        assert_eq!(told.load(Ordering::Relaxed), 3);
        assert_eq!(names.wait("slow", 1, soon()), Ok(vec!["10.0.0.1:1".parse().unwrap()]));
    }

    #[test]
    fn names_beyond_the_bound_are_an_error_and_old_ones_make_room() {
        let names = Names::new();
        for number in 0..MOST_NAMES {
            lock(&names.known).insert(format!("n{number}"), Lookup::Running(Vec::new()));
        }
        assert_eq!(names.wait("localhost", 80, soon()), Err(TOO_MANY.to_owned()));
        let old = Instant::now().checked_sub(KEPT).unwrap();
        lock(&names.known).insert("n0".to_owned(), Lookup::Done(old, Ok(Vec::new())));
        assert!(names.wait("localhost", 80, soon()).is_ok());
    }
}
