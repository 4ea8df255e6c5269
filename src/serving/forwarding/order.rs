//! The request that goes on to another server: that of the client, without the fields of its connection (RFC 9110, section 7.6.1).

use crate::http_client::Url;
use crate::message::latin1;
use crate::message::request::Request;
use crate::script::runtime::forward::Forward;
use std::time::Duration;

/// A request for another server.
pub(crate) struct Order {
    pub url: Url,
    pub method: String,
    /// The request line and the fields.
    pub head: Vec<u8>,
    pub body: Vec<u8>,
    pub timeout: Duration,
    /// The answer is handed over whole, up to so many bytes: `change` wants all of it.
    pub whole: Option<usize>,
}

/// Fields that belong to one connection.
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Whether a field of this `name` belongs to one connection. `connection` is the value of the field that names further ones.
pub(super) fn is_hop_by_hop(name: &str, connection: Option<&str>) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    HOP_BY_HOP.into_iter().any(is) || connection.is_some_and(|names| names.split(',').map(str::trim).any(is))
}

impl Order {
    /// Makes the request for `forward` from that of a client.
    pub(crate) fn new(request: &Request, forward: &Forward) -> Order {
        let target = forward.path.as_deref().unwrap_or(request.target()).to_owned();
        let url = forward.url.with_target(target);
        let connection = request.header("connection");
        let mut head =
            format!("{} {} HTTP/1.1\r\nHost: {}\r\n", request.method(), url.target, url.host_field())
                .into_bytes();
        for (name, value) in request.headers() {
            let own = ["host", "content-length"].iter().any(|own| name.eq_ignore_ascii_case(own));
            if !own && !is_hop_by_hop(name, connection) {
                head.extend_from_slice(name.as_bytes());
                head.extend_from_slice(b": ");
                head.extend_from_slice(&latin1::bytes(value));
                head.extend_from_slice(b"\r\n");
            }
        }
        if !request.body.is_empty() {
            head.extend_from_slice(format!("Content-Length: {}\r\n", request.body.len()).as_bytes());
        }
        head.extend_from_slice(b"\r\n");
        Order {
            url,
            method: request.method().to_owned(),
            head,
            body: request.body.clone(),
            timeout: forward.timeout,
            whole: forward.change.is_some().then_some(usize::MAX),
        }
    }
}
