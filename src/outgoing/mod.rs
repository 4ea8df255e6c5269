//! Requests that leave: where they may go ([`Allowed`]), the addresses of names ([`Names`]), and the threads that send callbacks
//! ([`Pool`]).

pub(crate) mod allowed;
pub(crate) mod callback;
pub(crate) mod names;
pub(crate) mod pool;
pub(crate) mod slots;

pub(crate) use allowed::Allowed;
pub(crate) use callback::{Callback, Caller};
pub(crate) use slots::Sent;

use callback::Places;
use names::Names;
use pool::Pool;
use slots::Slots;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

/// The parts that all outgoing requests of the process share. It lives as long as the process ([`Outgoing::leak`]), so a request
/// that is handled needs no counter for it.
pub(crate) struct Outgoing {
    pub allowed: Allowed,
    pub pool: Arc<Pool>,
    /// For callbacks that have not ended.
    pub places: Places,
    /// For mock workers that wait.
    pub slots: Slots,
    names: Names,
}

impl Outgoing {
    /// Starts without threads. Up to `workers` start when they are needed.
    pub(crate) fn new(allowed: Allowed, workers: usize) -> Outgoing {
        let pool = Arc::new(Pool::new("callbacks", workers));
        Outgoing { allowed, names: Names::new(), pool, places: Places::default(), slots: Slots::default() }
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
        let found = self.names.wait(host, port, deadline).map_err(|cause| unresolved(host, &cause))?;
        self.allowed.of(host, found)
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
            let found = found.map_err(|cause| unresolved(&name, &cause));
            then(found.and_then(|addresses| self.allowed.of(&name, addresses)));
        };
        self.names.then(host, port, then);
    }
}

fn unresolved(host: &str, cause: &str) -> String {
    format!("failed to resolve `{host}`: {cause}")
}

impl fmt::Debug for Outgoing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outgoing")
    }
}

/// The default of `--callback-workers`.
pub(crate) const DEFAULT_WORKERS: usize = 4;
