//! Access to the interface: the token of `--admin-token`, and no web pages of another origin. A web page must not provision,
//! read or stop the mock of the user who has the page open.

use super::answer::failed;
use crate::message::answer::Answer;
use crate::message::request::Request;
use sha2::{Digest, Sha256};
use std::hint::black_box;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Endings of host names that no public DNS server resolves (RFC 6761, RFC 6762, ICANN's `.internal`; `.svc` are Kubernetes
/// Services).
const PRIVATE: &[&str] = &[".svc", ".local", ".internal", ".localhost", ".test"];

/// Refuses a request that a page of another origin sent: 403.
///
/// Browsers name the origin in `Sec-Fetch-Site` (W3C Fetch Metadata), which a page can't set. They omit the header where the
/// address is neither HTTPS nor this machine. Then `Origin` must be the host of the request, or the host of the request that
/// a proxy received. curl and the clients of tests send neither header.
pub(super) fn refuse_pages(request: &Request) -> Result<(), Answer> {
    let refused = |why: String| {
        let allowed =
            "only pages of this interface itself may use it: send the request from a terminal or a test";
        Err(failed(403, &format!("a web page sent this request ({why}): {allowed}")))
    };
    let (mut sites, mut origins) = (values(request, "sec-fetch-site").peekable(), values(request, "origin"));
    if sites.peek().is_some() {
        let foreign = sites.find(|site| !matches!(*site, "same-origin" | "none"));
        return foreign.map_or(Ok(()), |site| refused(format!("Sec-Fetch-Site: {site}")));
    }
    let foreign = origins.find(|origin| !is_own(origin, request));
    foreign.map_or(Ok(()), |origin| refused(format!("Origin: {origin}")))
}

/// Refuses a host name that may belong to somebody else: 421. This stops DNS rebinding: a page whose own name resolves to
/// this machine is of the same origin, so a browser lets it read every answer. Only the host name shows that the page is foreign.
pub(super) fn refuse_foreign_host(hosts: &[String], request: &Request) -> Result<(), Answer> {
    let Some(name) = request.header("host").map(|host| name(host).to_ascii_lowercase()) else {
        return Ok(());
    };
    let given = |host: &String| match host.strip_prefix('*') {
        Some(end) => name.ends_with(end),
        None => *host == name,
    };
    if is_private(&name) || hosts.iter().any(given) {
        return Ok(());
    }
    let instead = "take an address, `localhost` or the name of a Service";
    let why = format!(
        "host `{name}` is not one of this interface: start it with `--admin-host {name}` (in the chart `admin.hosts`), or {instead}"
    );
    Err(failed(421, &why))
}

/// Returns the values of header `name`, which must be in lower case. A browser sends one value; a proxy may add another.
fn values<'r>(request: &'r Request, name: &'r str) -> impl Iterator<Item = &'r str> {
    request.headers().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether `Origin` is the host of the request, or of the request that a proxy received. A page of another origin can't set
/// `Host`, and can set `X-Forwarded-Host` only after a preflight, which is refused.
fn is_own(origin: &str, request: &Request) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let same =
        |host: &str| host.trim().strip_suffix(port).unwrap_or(host.trim()).eq_ignore_ascii_case(authority);
    let forwarded = || request.header("x-forwarded-host").is_some_and(|hosts| hosts.split(',').any(same));
    !authority.is_empty() && (request.header("host").is_some_and(same) || forwarded())
}

/// Returns the name in `host`, without the port and the final dot of a full name: `A.example.:8074` -> `A.example`.
fn name(host: &str) -> &str {
    let host = host.trim();
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // An IPv6 address without a port ends in `:` and digits, too.
    let name = if host.ends_with(']') { host } else { without_port };
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether no page can come from a host of this name: it is an address, or a name that public DNS does not resolve.
fn is_private(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[') {
        let address = address.strip_suffix(']').and_then(|address| address.split('%').next());
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    !name.contains('.') || name.parse::<Ipv4Addr>().is_ok() || PRIVATE.iter().any(|end| name.ends_with(end))
}

/// Checks the bearer token of the request (RFC 6750, 2.1); 401 with `WWW-Authenticate` without the right one.
pub(super) fn authorize(token: &str, request: &Request) -> Result<(), Answer> {
    let why = match request.header("authorization").and_then(bearer) {
        Some(given) if same(given, token) => return Ok(()),
        Some(_) => "the bearer token is wrong (`--admin-token`)",
        None => "a bearer token is missing (`--admin-token`): send Authorization: Bearer TOKEN",
    };
    let mut answer = failed(401, why);
    answer.headers.push(("WWW-Authenticate".into(), "Bearer".into()));
    Err(answer)
}

/// Returns the token of an `Authorization` value; the scheme may be in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.trim().split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Compares the digests, so that the time reveals neither the length of the token nor the first difference.
fn same(given: &str, token: &str) -> bool {
    let (given, token) = (Sha256::digest(given), Sha256::digest(token));
    let difference = given.iter().zip(token.iter()).fold(0, |sum, (a, b)| black_box(sum | (a ^ b)));
    difference == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &[(&str, &str)]) -> Request {
        Request::from_parts("GET", "/", headers.iter().copied(), Vec::new(), None, None)
    }

    fn status(checked: Result<(), Answer>) -> u16 {
        checked.err().map_or(200, |answer| answer.status)
    }

    #[test]
    fn pages_of_other_origins_are_refused() {
        let table: &[(&[(&str, &str)], u16)] = &[
            (&[("Host", "localhost:8074")], 200),
            (&[], 200),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "same-origin")], 200),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "none")], 200),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "cross-site")], 403),
            // For the user, http://localhost:3000 is another site's page, too.
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "same-site")], 403),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "")], 403),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "Same-Origin")], 403),
            // `Sec-Fetch-Site` decides, whatever host the proxy sends.
            (&[("Host", "h1mock"), ("Origin", "https://m.example"), ("Sec-Fetch-Site", "same-origin")], 200),
            (&[("Host", "10.0.0.1:8074"), ("Origin", "http://10.0.0.1:8074")], 200),
            (&[("Host", "H1Mock:8074"), ("Origin", "http://h1mock:8074")], 200),
            (&[("Host", "h1mock:80"), ("Origin", "http://h1mock")], 200),
            (&[("Host", "h1mock:443"), ("Origin", "https://h1mock")], 200),
            (&[("Host", "h1mock:443"), ("Origin", "http://h1mock")], 403),
            (&[("Host", "10.0.0.1:8074"), ("Origin", "http://10.0.0.1")], 403),
            (&[("Host", "10.0.0.1:8074"), ("Origin", "http://evil.example")], 403),
            (&[("Host", "10.0.0.1:8074"), ("Origin", "null")], 403),
            (&[("Host", "10.0.0.1:8074"), ("Origin", "")], 403),
            (&[("Host", "10.0.0.1:8074"), ("Origin", "file://")], 403),
            (&[("Host", ""), ("Origin", "file://"), ("X-Forwarded-Host", "")], 403),
            (&[("Host", "h1mock"), ("Origin", "https://m.example"), ("X-Forwarded-Host", "m.example")], 200),
            (
                &[
                    ("Host", "h1mock"),
                    ("Origin", "https://m.example"),
                    ("X-Forwarded-Host", "a, M.example:443"),
                ],
                200,
            ),
            (&[("Host", "h1mock"), ("Origin", "https://m.example"), ("X-Forwarded-Host", "n.example")], 403),
            (&[("Origin", "http://localhost:8074")], 403),
            (&[("Host", "h1mock"), ("Sec-Fetch-Site", "none"), ("Sec-Fetch-Site", "cross-site")], 403),
            (&[("Host", "h1mock"), ("Origin", "http://h1mock"), ("Origin", "http://evil.example")], 403),
        ];
        for (headers, expected) in table {
            assert_eq!(status(refuse_pages(&request(headers))), *expected, "{headers:?}");
        }
    }

    #[test]
    fn hosts_are_addresses_private_names_or_those_of_admin_host() {
        let own = [
            "127.0.0.1",
            "127.0.0.1:8074",
            "10.1.2.3:80",
            "[::1]",
            "[::1]:8074",
            "[fe80::1%25eth0]:8074",
            "localhost",
            "LOCALHOST:1",
            "h1mock",
            "h1mock:8074",
            "h1mock.",
            "h1mock.tests.svc",
            "h1mock.tests.svc:8074",
            "h1mock.tests.svc.cluster.local",
            "h1mock.tests.svc.cluster.local.:8074",
            "host.docker.internal",
            "a.localhost",
            "h1mock.test",
            "mock.example.com",
            "MOCK.example.com:443",
            "a.b.example.org",
            "",
        ];
        let foreign = [
            "evil.example",
            "evil.example:8074",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "svc.evil.example",
            "h1mock.tests",
            "evil.local.example",
            "example.org",
            "xexample.org",
            "1.2.3",
            "256.1.1.1",
            "[evil.example]",
            "[::1",
            "mock.example.com.evil",
        ];
        let hosts = ["mock.example.com".to_owned(), "*.example.org".to_owned()];
        for host in own {
            assert_eq!(status(refuse_foreign_host(&hosts, &request(&[("Host", host)]))), 200, "{host}");
        }
        for host in foreign {
            assert_eq!(status(refuse_foreign_host(&hosts, &request(&[("Host", host)]))), 421, "{host}");
        }
        assert_eq!(
            status(refuse_foreign_host(&["*".to_owned()], &request(&[("Host", "evil.example")]))),
            200
        );
        assert_eq!(status(refuse_foreign_host(&hosts, &request(&[]))), 200);
    }

    #[test]
    fn refusals_say_what_to_do() {
        let page = refuse_pages(&request(&[("Origin", "null")])).unwrap_err();
        assert_eq!(
            String::from_utf8_lossy(page.body.bytes()),
            r#"{"result":"failed: a web page sent this request (Origin: null): only pages of this interface itself may use it: send the request from a terminal or a test"}"#
        );
        let host = refuse_foreign_host(&[], &request(&[("Host", "Mock.Example:8074")])).unwrap_err();
        assert_eq!(
            String::from_utf8_lossy(host.body.bytes()),
            r#"{"result":"failed: host `mock.example` is not one of this interface: start it with `--admin-host mock.example` (in the chart `admin.hosts`), or take an address, `localhost` or the name of a Service"}"#
        );
    }

    fn authorized(authorization: Option<&str>) -> u16 {
        let headers = authorization.map(|value| ("Authorization", value));
        let request = Request::from_parts("GET", "/", headers, Vec::new(), None, None);
        authorize("s3cret", &request).err().map_or(200, |answer| answer.status)
    }

    #[test]
    fn only_the_token_as_a_bearer_is_let_in() {
        for value in ["Bearer s3cret", "bearer s3cret", "BEARER   s3cret "] {
            assert_eq!(authorized(Some(value)), 200, "{value}");
        }
        for value in [
            "Bearer s3cre",
            "Bearer s3cret2",
            "Bearer",
            "Bearer ",
            "s3cret",
            "Basic s3cret",
            "",
            "Bearer S3CRET",
        ] {
            assert_eq!(authorized(Some(value)), 401, "{value}");
        }
        assert_eq!(authorized(None), 401);
    }
}
