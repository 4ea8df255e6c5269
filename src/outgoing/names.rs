//! Names of hosts -> addresses. `getaddrinfo` has no deadline, so threads of the pool call it, and the caller stops waiting.

use super::pool::Pool;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

pub(crate) struct Names {
    pool: Arc<Pool>,
}

/// The addresses, or the resolver's reason.
pub(crate) type Found = Result<Vec<SocketAddr>, String>;

impl Names {
    pub(crate) fn new(pool: Arc<Pool>) -> Names {
        Names { pool }
    }

    /// Looks `host` up and waits, until `deadline` at most.
    ///
    /// # Errors
    /// The resolver's reason, or the time is over.
    pub(crate) fn wait(&self, host: &str, port: u16, deadline: Instant) -> Found {
        let (send, receive) = sync_channel(1);
        self.then(host, port, Box::new(move |found| _ = send.send(found)));
        let left = deadline.saturating_duration_since(Instant::now());
        receive.recv_timeout(left).unwrap_or_else(|_| Err("the resolver did not answer in time".to_owned()))
    }

    /// Looks `host` up and calls `then`: on a thread of the pool, or at once if `host` is an address.
    pub(crate) fn then(&self, host: &str, port: u16, then: Box<dyn FnOnce(Found) + Send>) {
        if let Ok(address) = host.parse::<IpAddr>() {
            return then(Ok(vec![SocketAddr::new(address, port)]));
        }
        let host = host.to_owned();
        let job = Box::new(move || then(look_up(&host, port)));
        if self.pool.submit(job).is_err() {
            log::warn!("too many outgoing requests wait: a name is not looked up");
        }
    }
}

fn look_up(host: &str, port: u16) -> Found {
    let found = (host, port).to_socket_addrs();
    found.map(Iterator::collect).map_err(|error| {
        let text = error.to_string();
        text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_owned()
    })
}
