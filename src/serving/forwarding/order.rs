//! The request that goes on to another server: that of the client, without the fields of its connection (RFC 9110, section 7.6.1),
//! and with those of a gateway: `Via`, `X-Forwarded-For`, `X-Forwarded-Host`, `X-Forwarded-Proto`.

use crate::http_client::Url;
use crate::message::latin1;
use crate::message::request::Request;
use crate::message::upstream::Unreachable;
use crate::script::runtime::forward::Forward;
use std::sync::Arc;
use std::time::Duration;

/// A request for another server.
pub(crate) struct Order {
    pub url: Url,
    /// The request line and the fields.
    pub head: Vec<u8>,
    /// The request of the client, which has the body.
    pub request: Arc<Request>,
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
/// Fields that this gateway writes itself. It has asked the client for the body already, so `Expect` is done with.
const OWN: [&str; 7] =
    ["host", "content-length", "expect", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"];
/// This gateway in `Via`.
const VIA: &str = "1.1 h1mock";
/// Most times that a request passes h1mock. A server that forwards to itself would go on without end.
const MOST_PASSES: usize = 10;

/// Whether a field of this `name` belongs to one connection. `own` are those that the field `Connection` names.
pub(super) fn is_hop_by_hop(name: &str, own: &[String]) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    HOP_BY_HOP.into_iter().any(is) || own.iter().any(|other| is(other))
}

impl Order {
    /// Makes the request for `forward` from that of a client.
    ///
    /// # Errors
    /// The request goes round in a circle.
    pub(crate) fn new(request: Arc<Request>, forward: &Forward) -> Result<Order, Unreachable> {
        let url = forward.url_for(&request);
        let via = request.header_joined("via", ", ");
        if via.as_deref().unwrap_or_default().matches("h1mock").count() >= MOST_PASSES {
            let message = format!(
                "failed to forward to `{}`: the request has passed h1mock {MOST_PASSES} times already",
                url.authority()
            );
            return Err(Unreachable { status: 508, message });
        }
        let mut head = Lines(format!("{} {} HTTP/1.1\r\n", request.method(), url.target).into_bytes());
        let given = |name: &str| forward.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        if !given("host") {
            head.add("Host", &url.host_field());
        }
        let own: Vec<String> = request
            .header_joined("connection", ",")
            .into_iter()
            .flat_map(|names| names.split(',').map(|name| name.trim().to_owned()).collect::<Vec<_>>())
            .collect();
        let is_own = |name: &str| OWN.iter().any(|own| name.eq_ignore_ascii_case(own));
        for (name, value) in request.headers() {
            if !is_own(name) && !given(name) && !is_hop_by_hop(name, &own) {
                head.add(name, value);
            }
        }
        let before = |name: &str| request.header_joined(name, ", ").map(|value| value.into_owned());
        let peer = request.remote_addr.map(|peer| peer.ip().to_canonical().to_string());
        let joined = |first: Option<String>, last: Option<String>| match (first, last) {
            (Some(first), Some(last)) => Some(format!("{first}, {last}")),
            (first, last) => first.or(last),
        };
        let gateway = [
            ("X-Forwarded-For", joined(before("x-forwarded-for"), peer)),
            ("X-Forwarded-Host", before("x-forwarded-host").or_else(|| before("host"))),
            ("X-Forwarded-Proto", before("x-forwarded-proto").or_else(|| Some("http".to_owned()))),
            ("Via", joined(before("via"), Some(VIA.to_owned()))),
        ];
        for (name, value) in gateway.iter().filter(|(name, _)| !given(name)) {
            value.iter().for_each(|value| head.add(name, value));
        }
        for (name, value) in &forward.headers {
            value.iter().for_each(|value| head.add(name, value));
        }
        // A request with an empty body says so where the client did.
        let length = request.header("content-length");
        match &request.rest {
            None if request.body.is_empty() && length.is_none() => {}
            None => head.add("Content-Length", &request.body.len().to_string()),
            Some(_) => match length {
                Some(length) => head.add("Content-Length", length),
                None => head.add("Transfer-Encoding", "chunked"),
            },
        }
        head.0.extend_from_slice(b"\r\n");
        let whole = forward.change.is_some().then_some(request.max_content);
        Ok(Order { url, head: head.0, request, timeout: forward.timeout, whole })
    }

    /// Returns the body that is sent with the head; none where the client still sends it.
    pub(super) fn body(&self) -> &[u8] {
        if self.request.rest.is_some() { &[] } else { &self.request.body }
    }

    /// Returns the bytes of the request, without a body that the client still sends.
    pub(super) fn len(&self) -> usize {
        self.head.len() + self.body().len()
    }

    /// Whether the request can be sent twice, with the effect of sending it once (RFC 9110, section 9.2.2).
    pub(super) fn is_idempotent(&self) -> bool {
        self.request.rest.is_none()
            && matches!(self.request.method(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
    }
}

/// The lines of a head.
struct Lines(Vec<u8>);

impl Lines {
    fn add(&mut self, name: &str, value: &str) {
        let parts: [&[u8]; 4] = [name.as_bytes(), b": ", &latin1::bytes(value), b"\r\n"];
        parts.iter().for_each(|part| self.0.extend_from_slice(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(target: &str, fields: &[(&str, &str)], forward: &Forward) -> Result<String, Unreachable> {
        let peer = "10.0.0.9:1234".parse().ok();
        let request =
            Request::from_parts("POST", target, fields.iter().copied(), b"abc".to_vec(), peer, None);
        Order::new(Arc::new(request), forward).map(|order| String::from_utf8_lossy(&order.head).into_owned())
    }

    fn to(url: &str) -> Forward {
        Forward::to(Url::absolute(url).unwrap())
    }

    #[test]
    fn path_and_query_go_on_as_they_came_unless_told() {
        let cases = [
            ("http://real:8080", "/a//b%2Fc?x=%20&y", None, None, "/a//b%2Fc?x=%20&y"),
            ("http://real:8080/", "/", None, None, "/"),
            ("http://real:8080/v2", "/a?b", None, None, "/v2/a?b"),
            ("http://real:8080/v2/", "/a", None, None, "/v2/a"),
            ("http://real:8080", "/api/x?y", Some("/api"), None, "/x?y"),
            ("http://real:8080", "/api/x", Some("/api/"), None, "/x"),
            ("http://real:8080", "/api", Some("/api"), None, "/"),
            ("http://real:8080", "/api?q=1", Some("/api"), None, "/?q=1"),
            ("http://real:8080", "/apis", Some("/api"), None, "/apis"),
            ("http://real:8080/v2", "/api/x", Some("/api"), None, "/v2/x"),
            ("http://real:8080", "/api/x?y", None, Some("/other?z"), "/other?z"),
            ("http://real:8080", "http://mock:8000/a?b", None, None, "/a?b"),
        ];
        for (url, target, strip, path, expected) in cases {
            let (strip, path) = (strip.map(str::to_owned), path.map(str::to_owned));
            let head = order(target, &[], &Forward { strip, path, ..to(url) }).unwrap();
            assert_eq!(head.lines().next().unwrap(), format!("POST {expected} HTTP/1.1"), "{url} {target}");
        }
    }

    #[test]
    fn fields_go_on_in_their_order_without_those_of_the_connection() {
        let fields = [
            ("Host", "mock:8000"),
            ("A", "1"),
            ("Connection", "close, X-Own"),
            ("X-Own", "gone"),
            ("Cookie", "caf\u{e9}"),
            ("a", "2"),
            ("Expect", "100-continue"),
            ("Transfer-Encoding", "chunked"),
            ("X-Forwarded-For", "1.2.3.4"),
            ("Upgrade", "h2c"),
            ("Via", "1.0 first"),
        ];
        let head = order("/", &fields, &to("http://real:8080")).unwrap();
        let lines: Vec<&str> = head.split_terminator("\r\n").skip(1).collect();
        let expected = [
            "Host: real:8080",
            "A: 1",
            "Cookie: caf\u{fffd}",
            "a: 2",
            "X-Forwarded-For: 1.2.3.4, 10.0.0.9",
            "X-Forwarded-Host: mock:8000",
            "X-Forwarded-Proto: http",
            "Via: 1.0 first, 1.1 h1mock",
            "Content-Length: 3",
            "",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn headers_replace_those_of_the_client_or_leave_them_out() {
        let headers = [("Host", Some("virtual")), ("cookie", None), ("X-New", Some("n")), ("via", None)];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).to_vec();
        let head = order(
            "/",
            &[("Host", "mock"), ("Cookie", "a"), ("B", "b")],
            &Forward { headers, ..to("http://real") },
        );
        let head = head.unwrap();
        let names: Vec<&str> = head.lines().skip(1).filter_map(|line| line.split(':').next()).collect();
        let expected = [
            "B",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "X-Forwarded-Proto",
            "Host",
            "X-New",
            "Content-Length",
            "",
        ];
        assert_eq!(names, expected);
        assert!(head.contains("\r\nHost: virtual\r\n"));
    }

    #[test]
    fn a_request_that_goes_round_ends() {
        let via = ["1.1 h1mock"; MOST_PASSES].join(", ");
        let refused = order("/", &[("Via", &via)], &to("http://real:8080")).unwrap_err();
        let message = "failed to forward to `real:8080`: the request has passed h1mock 10 times already";
        assert_eq!((refused.status, refused.message.as_str()), (508, message));
    }
}
