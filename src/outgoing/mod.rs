//! Requests that leave: where they may go ([`Allowed`]), the threads that wait for them ([`Pool`]), and the addresses of names
//! ([`Names`]), which those threads look up.

pub(crate) mod allowed;
pub(crate) mod callback;
pub(crate) mod names;
pub(crate) mod pool;

pub(crate) use allowed::Allowed;
pub(crate) use callback::{Callback, Caller};

use callback::Places;
use names::Names;
use pool::Pool;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The parts that all outgoing requests of the process share. It lives as long as the process ([`Outgoing::leak`]), so a request
/// that is handled needs no counter for it.
pub(crate) struct Outgoing {
    pub allowed: Allowed,
    pub pool: Arc<Pool>,
    /// The places for callbacks.
    pub places: Places,
    names: Names,
}

impl Outgoing {
    /// Starts without threads. Up to `workers` start when they are needed.
    pub(crate) fn new(allowed: Allowed, workers: usize) -> Outgoing {
        let pool = Arc::new(Pool::new(workers));
        Outgoing { allowed, names: Names::new(pool.clone()), pool, places: Places::default() }
    }

    /// Returns it for the rest of the process.
    pub(crate) fn leak(self) -> &'static Outgoing {
        Box::leak(Box::new(self))
    }

    /// Returns the addresses of `host` that may be used, in the resolver's order. Waits until `deadline` at most.
    ///
    /// # Errors
    /// The reason why there is none.
    pub(crate) fn addresses(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, String> {
        self.allowed.name(host)?;
        self.allowed.of(host, self.names.wait(host, port, deadline)?)
    }

    /// Calls `then` with the result of [`Outgoing::addresses`], on any thread; at once for an address.
    pub(crate) fn addresses_then(
        &'static self,
        host: &str,
        port: u16,
        then: impl FnOnce(Result<Vec<SocketAddr>, String>) + Send + 'static,
    ) {
        if let Err(error) = self.allowed.name(host) {
            return then(Err(error));
        }
        let name = host.to_owned();
        let then = move |found: Result<Vec<SocketAddr>, String>| {
            then(found.and_then(|addresses| self.allowed.of(&name, addresses)));
        };
        self.names.then(host, port, Box::new(then));
    }
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outgoing")
    }
}

/// The default of `--callback-workers`.
pub(crate) const DEFAULT_WORKERS: usize = 4;
