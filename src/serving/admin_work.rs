//! The work of a worker on one request for the administrative port.

use crate::admin::{self, Admin};
use crate::serving::http::{self, Incoming};
use crate::serving::listeners::{Shared, Work};
use std::net::SocketAddr;
use std::sync::Arc;

/// The work of the administrative listener.
pub(crate) struct AdminWork {
    pub shared: Arc<Shared>,
    pub admin: Arc<Admin>,
    pub address: SocketAddr,
}

impl Work for AdminWork {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn serve(&self, mut incoming: Incoming) {
        let line = self.shared.line(&incoming, "admin", self.admin.activation.generation());
        let request = http::receive(&mut incoming, self.address);
        let (client, shared) = (incoming.client(), self.shared.clone());
        let on_gone = Box::new(move |then| _ = client.map(|client| client.on_gone(then)));
        let respond = Box::new(move |reply| shared.send(incoming, reply, line, None));
        admin::handle(&self.admin, request, respond, on_gone);
    }
}
