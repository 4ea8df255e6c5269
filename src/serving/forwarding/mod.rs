//! Forwards requests to other servers. No thread waits: the workers watch the sockets of the other servers beside those of the
//! clients, and whoever has an event goes on with its exchange.
//!
//! 1. `order.rs` makes the request that goes on, without the fields of the client's connection.
//! 2. `exchange.rs` sends it and reads the answer.
//! 3. `connection.rs` has the sockets, and `kept.rs` keeps them for later requests.

mod connection;
mod exchange;
mod kept;
mod order;

pub(crate) use exchange::{Links, Then};
pub(crate) use order::Order;

use exchange::Exchange;
use std::sync::Arc;

/// The exchanges with other servers.
pub(crate) struct Forwarding(Arc<Links>);

impl Forwarding {
    pub(crate) fn new(links: Links) -> Forwarding {
        Forwarding(Arc::new(links))
    }

    /// Sends `order` to its server, and calls `then` on a worker once the head of the answer is there. Returns at once.
    pub(crate) fn send(&self, order: Order, then: Then) {
        Exchange::start(self.0.clone(), order, then);
    }
}
