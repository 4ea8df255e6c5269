//! Requests of web pages are told from those of tests here: a page must not provision, read or end the mock of whoever has it open.
//! Knows no resource and no token.

use super::answer::failed;
use crate::message::answer::Answer;
use crate::message::request::Request;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Ends of names that no public DNS server gives to anybody (RFC 6761, RFC 6762, ICANN's `.internal`; `.svc` are Services).
const PRIVATE: &[&str] = &[".svc", ".local", ".internal", ".localhost", ".test"];

/// Refuses what a page of another origin sends: 403.
///
/// Browsers say so in `Sec-Fetch-Site` (W3C Fetch Metadata), which a page can't set. They leave it out where the address is neither
/// HTTPS nor this machine; then `Origin` has to be the host that was asked, or the one that a proxy was asked. curl and the clients of
/// tests send neither.
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

/// Refuses a host that may be somebody else's: 421. A page whose name leads to this machine (DNS rebinding) is of the same origin,
/// so a browser lets it read everything; only the name gives it away.
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

/// The values of header `name`, which is in lower case. A browser sends one; a proxy may add another.
fn values<'r>(request: &'r Request, name: &'r str) -> impl Iterator<Item = &'r str> {
    request.headers().filter(move |(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Whether `Origin` is the host of the request, or of the request that a proxy got. A page of another origin can set neither
/// `X-Forwarded-Host` without a preflight, which is refused, nor `Host`.
fn is_own(origin: &str, request: &Request) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    let same =
        |host: &str| host.trim().strip_suffix(port).unwrap_or(host.trim()).eq_ignore_ascii_case(authority);
    let forwarded = || request.header("x-forwarded-host").is_some_and(|hosts| hosts.split(',').any(same));
    !authority.is_empty() && (request.header("host").is_some_and(same) || forwarded())
}

/// The name in `host`, without port and the dot at the end of a full name: `A.example.:8074` -> `A.example`.
fn name(host: &str) -> &str {
    let host = host.trim();
    let without_port = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    // A lone IPv6 address ends in digits, too.
    let name = if host.ends_with(']') { host } else { without_port };
    name.strip_suffix('.').unwrap_or(name)
}

/// Whether no page can come from a host of this name: it is an address, or a name that public DNS does not know.
fn is_private(name: &str) -> bool {
    if let Some(address) = name.strip_prefix('[') {
        let address = address.strip_suffix(']').and_then(|address| address.split('%').next());
        return address.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    }
    !name.contains('.') || name.parse::<Ipv4Addr>().is_ok() || PRIVATE.iter().any(|end| name.ends_with(end))
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
            // http://localhost:3000, too, is another site's page for who runs it.
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "same-site")], 403),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "")], 403),
            (&[("Host", "localhost:8074"), ("Sec-Fetch-Site", "Same-Origin")], 403),
            // The browser's own word counts, whatever the host is behind a proxy.
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
    fn hosts_are_addresses_names_inside_or_those_that_were_given() {
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
}
