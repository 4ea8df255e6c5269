//! Connections to other servers that are idle, for later requests.

use super::connection::Connection;
use crate::system::lock::lock;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Idle connections, by name and port of their server.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<(String, u16), Vec<Arc<Connection>>>>);

/// Most idle connections to one server.
const MOST_IDLE: usize = 64;

impl Kept {
    /// Takes an idle connection to the server.
    pub(super) fn take(&self, host: &str, port: u16) -> Option<Arc<Connection>> {
        lock(&self.0).get_mut(&(host.to_owned(), port))?.pop()
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(&self, connection: Arc<Connection>) {
        let mut idle = lock(&self.0);
        let of_server = idle.entry(connection.server.clone()).or_default();
        if of_server.len() < MOST_IDLE {
            return of_server.push(connection);
        }
        // The connection is dropped without the lock.
        drop(idle);
    }

    /// Closes an idle connection, because its server has ended it.
    pub(super) fn forget(&self, connection: &Arc<Connection>) {
        let mut idle = lock(&self.0);
        let found = idle.get_mut(&connection.server).and_then(|all| {
            let place = all.iter().position(|known| Arc::ptr_eq(known, connection))?;
            Some(all.swap_remove(place))
        });
        drop(idle);
        drop(found);
    }
}
