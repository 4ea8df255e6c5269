//! Forwards requests to other servers. No thread waits: the workers watch the sockets of the other servers beside those of the
//! clients, and whoever has an event goes on with its exchange.
//!
//! 1. `order.rs` makes the request that goes on, without the fields of the client's connection.
//! 2. `exchange.rs` sends it, and passes the answer on. `state.rs` has its state, and `answer.rs` reads the answer.
//!    `upload.rs` sends the rest of a body that has not arrived.
//! 3. `live.rs` keeps the deadlines.
//! 4. `connection.rs` has the sockets, and `kept.rs` keeps them for later requests.

mod answer;
mod connection;
mod exchange;
mod kept;
mod live;
mod order;
mod state;
mod upload;

pub(crate) use exchange::Links;
pub(crate) use live::Live;
pub(crate) use order::Order;
pub(crate) use state::Then;
pub(crate) use upload::Upload;

use crate::message::progress::Ending;
use crate::serving::http::Client;
use crate::serving::pending::Permit;
use exchange::Exchange;
use live::Ends;
use std::sync::Arc;

/// The exchanges with other servers.
pub(crate) struct Forwarding(Arc<Links>);

impl Forwarding {
    pub(crate) fn new(links: Links) -> Forwarding {
        Forwarding(Arc::new(links))
    }

    /// Sends `order` to its server, and calls `then` on a worker once the head of the answer is there. Returns at once. If
    /// `client` leaves, the exchange ends. `permit` counts its memory. `upload` has the rest of a body that has not arrived.
    pub(crate) fn send(
        &self,
        order: Order,
        (client, permit, upload): (Option<Client>, Permit, Option<Upload>),
        then: Then,
    ) {
        Exchange::start(self.0.clone(), order, (client, Some(permit), upload), then);
    }

    /// Returns the number of exchanges that have not ended.
    pub(crate) fn open(&self) -> usize {
        self.0.live.count()
    }

    /// Breaks off the answers of earlier epochs (`ending` is a reset), or all exchanges (a stop).
    pub(crate) fn end_all(&self, ending: Ending) {
        let is_over = |exchange: &&Arc<Exchange>| self.0.streaming.over(exchange.epoch()).is_some();
        self.0.live.all().iter().filter(is_over).for_each(|exchange| exchange.cancel(ending));
    }
}
