//! Connections to other servers that are idle, for later requests.

use super::connection::Connection;
use crate::system::lock::lock;
use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Idle connections and the times since when they are, the latest last, by name and port of their server.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<(String, u16), Vec<Idle>>>);

/// A connection, and the time since which it is idle.
type Idle = (Instant, Arc<Connection>);

/// Most idle connections to one server.
const MOST_IDLE: usize = 64;
/// Longest time for which a connection is kept. Common servers close idle ones after 5 s (Node.js, uvicorn) or later.
const LONGEST: Duration = Duration::from_secs(4);

impl Kept {
    /// Takes an idle connection to the server, the one that was used last. Where the request can't be sent twice, the connection
    /// was looked at: its server has not ended it.
    pub(super) fn take(&self, host: &str, port: u16, idempotent: bool) -> Option<Arc<Connection>> {
        let mut all = lock(&self.0);
        let of_server = all.get_mut(&(host.to_owned(), port))?;
        let mut ended = Vec::new();
        let found = loop {
            let Some((since, connection)) = of_server.pop() else { break None };
            if since.elapsed() < LONGEST && (idempotent || connection.is_silent()) {
                break Some(connection);
            }
            ended.push(connection);
        };
        drop(all);
        drop(ended);
        found
    }

    /// Keeps a connection for the next request.
    pub(super) fn keep(&self, connection: Arc<Connection>) {
        let mut all = lock(&self.0);
        let of_server = all.entry(connection.server.clone()).or_default();
        let old = of_server.iter().take_while(|(since, _)| since.elapsed() >= LONGEST).count();
        let surplus = of_server.len().saturating_sub(MOST_IDLE - 1);
        let ended: Vec<_> = of_server.drain(..old.max(surplus)).collect();
        of_server.push((Instant::now(), connection));
        drop(all);
        drop(ended);
    }

    /// Closes an idle connection, because its server has ended it.
    pub(super) fn forget(&self, connection: &Arc<Connection>) {
        let mut all = lock(&self.0);
        let found = all.get_mut(&connection.server).and_then(|of_server| {
            let place = of_server.iter().position(|(_, known)| Arc::ptr_eq(known, connection))?;
            Some(of_server.remove(place))
        });
        drop(all);
        drop(found);
    }

    /// Closes all idle connections. False if there is none.
    pub(super) fn clear(&self) -> bool {
        let all = mem::take(&mut *lock(&self.0));
        all.values().any(|of_server| !of_server.is_empty())
    }
}
