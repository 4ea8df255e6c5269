//! One request as the mock and the admin interface see it: owned, its body read, its path decoded.

use std::collections::BTreeMap;
use std::net::SocketAddr;

/// A request whose body has arrived.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Method as sent (`GET`).
    pub method: String,
    /// Request-target as sent (`/a%20b?x=1`).
    pub target: String,
    /// Path of the target, percent-decoded, invalid UTF-8 replaced.
    pub path: String,
    /// Query string as sent, without the `?`.
    pub query_string: String,
    /// Header fields as received, in order.
    pub headers: Vec<(String, String)>,
    /// Body, decoded from its transfer coding.
    pub body: Vec<u8>,
    /// Address of the client.
    pub remote_addr: Option<SocketAddr>,
    /// Address of the listener that took it, for `request.host` where no `Host` was sent.
    pub local_addr: Option<SocketAddr>,
    /// What the router found, set before a view function runs.
    pub matched: Option<Matched>,
}

/// The rule that serves a request.
#[derive(Debug, Clone, Default)]
pub struct Matched {
    /// Endpoint of the rule.
    pub endpoint: String,
    /// The rule as registered (`/a/<int:id>`).
    pub rule: String,
    /// Blueprint of the endpoint, where it has one.
    pub blueprint: Option<String>,
    /// URL variables by name.
    pub view_args: BTreeMap<String, rhai::Dynamic>,
}

impl Request {
    /// PLACEHOLDER of branch `admin`: the real one comes from branch `request`.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
    }
}
