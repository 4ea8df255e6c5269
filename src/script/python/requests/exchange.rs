//! An order -> the response of the last server to which redirects lead.

use super::order::Order;
use super::response::Response;
use crate::http_client::url::encoded;
use crate::http_client::{ClientError, Request, Url};
use crate::outgoing::Outgoing;
use crate::script::runtime::budget;
use crate::script::runtime::request_error::{Class, RequestError};
use crate::script::runtime::server_url::server_url;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

/// Most redirects, as in Python.
const MOST_REDIRECTS: usize = 30;
/// Time of the script that is left after a request in any case, so that the script can catch the error and answer.
const SPARE: Duration = Duration::from_millis(100);
/// Fields for the first server that another one must not see.
const PRIVATE: [&str; 4] = ["Authorization", "Cookie", "Host", "Proxy-Authorization"];

/// The time for all requests of a call.
struct Limit {
    deadline: Instant,
    /// `within 5s`, or which time is over instead.
    words: String,
}

impl Limit {
    fn new(timeout: Duration) -> Limit {
        let left = budget::time_left();
        let most = left.saturating_sub(SPARE.min(left / 10));
        let words = match timeout <= most {
            true => format!("within {timeout:?}"),
            false => "within the time of the script: raise --script-timeout".to_owned(),
        };
        Limit { deadline: Instant::now() + timeout.min(most), words }
    }
}

/// Sends `order`, and follows redirects where it says so. The calling worker waits.
pub(super) fn send(outgoing: &Outgoing, mut order: Order) -> Result<Response, RequestError> {
    let limit = Limit::new(order.timeout);
    let url = order.url.to_string();
    let place = outgoing.slots.take();
    let _place = place.map_err(|why| RequestError::new(Class::ConnectionError, &url, why))?;
    // Another worker takes the next request.
    budget::waits();
    for _ in 0..=MOST_REDIRECTS {
        let response = once(outgoing, &order, &limit)?;
        match response.location().filter(|_| order.follows) {
            Some(location) => redirect(&mut order, response.status, location)?,
            None => return Ok(response),
        }
    }
    let why = format!("`{url}` leads to more than {MOST_REDIRECTS} redirects");
    Err(RequestError::new(Class::TooManyRedirects, &order.url.to_string(), why))
}

/// Sends one request and reads its answer.
fn once(outgoing: &Outgoing, order: &Order, limit: &Limit) -> Result<Response, RequestError> {
    let began = Instant::now();
    let addresses = addresses(outgoing, order, limit)?;
    let headers: Vec<(&str, Option<&str>)> =
        order.headers.iter().map(|(name, value)| (&**name, value.as_deref())).collect();
    let request = Request {
        method: &order.method,
        url: &order.url,
        headers: &headers,
        body: order.body.as_deref(),
        addresses: &addresses,
        timeout: limit.deadline.saturating_duration_since(Instant::now()),
    };
    // The bytes are held twice while they are read, and once more as `text` or `content`.
    let reply = request.send_within(budget::room() / 4).map_err(|error| failure(order, limit, error))?;
    Ok(Response::new(order.url.to_string(), reply, began.elapsed()))
}

fn addresses(outgoing: &Outgoing, order: &Order, limit: &Limit) -> Result<Vec<SocketAddr>, RequestError> {
    let Url { host, port, .. } = &order.url;
    outgoing.addresses(host, *port, limit.deadline).map_err(|why| {
        let late = Instant::now() >= limit.deadline;
        let class = if late { Class::ConnectTimeout } else { Class::ConnectionError };
        RequestError::new(class, &order.url.to_string(), why)
    })
}

fn failure(order: &Order, limit: &Limit, error: ClientError) -> RequestError {
    let (class, message) = match &error {
        ClientError::ConnectLate { address, .. } => {
            (Class::ConnectTimeout, format!("no connection to `{address}` {}", limit.words))
        }
        ClientError::Late { address, .. } => {
            (Class::ReadTimeout, format!("no whole answer from `{address}` {}", limit.words))
        }
        ClientError::TooLarge { .. } => (
            Class::RequestException,
            format!("{error}: raise --script-memory, of which an answer gets a quarter"),
        ),
        ClientError::Header { .. } | ClientError::Url { .. } => (Class::RequestException, error.to_string()),
        _ => (Class::ConnectionError, error.to_string()),
    };
    RequestError::new(class, &order.url.to_string(), message)
}

/// Changes `order` to the one that follows a redirect with `status`, by the rules of Python's library, which are those of browsers.
fn redirect(order: &mut Order, status: u16, location: &str) -> Result<(), RequestError> {
    let from = order.url.to_string();
    let to = resolve(&order.url, location).map_err(|why| {
        RequestError::new(Class::InvalidUrl, location, format!("`{from}` redirects to a wrong URL: {why}"))
    })?;
    let becomes_get = match status {
        303 | 302 => order.method != "HEAD",
        301 => order.method == "POST",
        _ => false,
    };
    if becomes_get {
        order.method = "GET".to_owned();
    }
    if !matches!(status, 307 | 308) {
        order.body = None;
        order.drop_header("Content-Type");
    }
    if (&to.host, to.port) != (&order.url.host, order.url.port) {
        PRIVATE.iter().for_each(|name| order.drop_header(name));
    }
    order.url = to;
    Ok(())
}

/// Resolves the reference `location` against `base` (RFC 3986, section 5.2).
fn resolve(base: &Url, location: &str) -> Result<Url, String> {
    let location = location.split('#').next().unwrap_or_default();
    let scheme = location.split_once("://").filter(|(scheme, _)| !scheme.contains(['/', '?']));
    if scheme.is_some() {
        return server_url(location);
    }
    if location.starts_with("//") {
        return server_url(&format!("http:{location}"));
    }
    let own = base.target.split('?').next().unwrap_or_default();
    let target = match location.as_bytes().first() {
        None => base.target.clone(),
        Some(b'/') => location.to_owned(),
        Some(b'?') => format!("{own}{location}"),
        Some(_) => format!("{}{location}", &own[..own.rfind('/').map_or(0, |slash| slash + 1)]),
    };
    Ok(base.with_target(encoded(&without_dots(&target))))
}

/// Removes `.` and `..` from the path of `target` (RFC 3986, section 5.2.4).
fn without_dots(target: &str) -> String {
    let (path, query) = target.split_at(target.find('?').unwrap_or(target.len()));
    let mut kept: Vec<&str> = Vec::new();
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        match *segment {
            ".." => _ = kept.pop(),
            "." => {}
            segment => kept.push(segment),
        }
        if is_last && matches!(*segment, "." | "..") {
            kept.push("");
        }
    }
    format!("/{}{query}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_resolved_against_the_url_that_redirects() {
        for (location, expected) in [
            ("http://other/x?y", "http://other/x?y"),
            ("//other:81/x", "http://other:81/x"),
            ("/x y", "http://here:8080/x%20y"),
            ("?z=1", "http://here:8080/a/b?z=1"),
            ("c", "http://here:8080/a/c"),
            ("../c/./d", "http://here:8080/c/d"),
            ("../../..", "http://here:8080/"),
            (".", "http://here:8080/a/"),
            ("/x?to=http://y/../z", "http://here:8080/x?to=http://y/../z"),
            ("#top", "http://here:8080/a/b?q=1"),
            ("", "http://here:8080/a/b?q=1"),
            ("/x\r\nEvil: 1", "http://here:8080/x%0D%0AEvil:%201"),
        ] {
            let base = server_url("http://here:8080/a/b?q=1").unwrap();
            assert_eq!(resolve(&base, location).unwrap().to_string(), expected, "{location}");
        }
        let base = server_url("http://here/").unwrap();
        assert_eq!(
            resolve(&base, "https://other/").unwrap_err(),
            "`https://other/` needs TLS, which h1mock does not speak: take `http://` and a sidecar that adds TLS (docs/forwarding.md)"
        );
        assert_eq!(
            resolve(&base, "ftp://other/").unwrap_err(),
            "failed to use URL `ftp://other/`: `ftp` is not supported, use http"
        );
    }

    #[test]
    fn redirects_change_the_method_and_keep_secrets_for_the_first_server() {
        let order = |method: &str| Order {
            method: method.to_owned(),
            url: server_url("http://here/a").unwrap(),
            headers: ["Authorization", "Content-Type", "X-A"]
                .map(|name| (name.to_owned(), Some("v".to_owned())))
                .into(),
            body: Some(b"body".to_vec()),
            timeout: Duration::from_secs(1),
            follows: true,
        };
        for (method, status, location, expected) in [
            ("POST", 301, "/b", "GET false Authorization X-A"),
            ("PUT", 301, "/b", "PUT false Authorization X-A"),
            ("POST", 302, "/b", "GET false Authorization X-A"),
            ("DELETE", 303, "/b", "GET false Authorization X-A"),
            ("HEAD", 303, "/b", "HEAD false Authorization X-A"),
            ("POST", 307, "/b", "POST true Authorization Content-Type X-A"),
            ("PUT", 308, "http://here:80/b", "PUT true Authorization Content-Type X-A"),
            ("POST", 308, "http://here:81/b", "POST true Content-Type X-A"),
            ("GET", 302, "http://there/b", "GET false X-A"),
        ] {
            let mut order = order(method);
            redirect(&mut order, status, location).unwrap();
            let names: Vec<&str> = order.headers.iter().map(|(name, _)| name.as_str()).collect();
            let found = format!("{} {} {}", order.method, order.body.is_some(), names.join(" "));
            assert_eq!(found, expected, "{method} {status} {location}");
        }
    }
}
