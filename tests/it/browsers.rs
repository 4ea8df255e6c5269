//! Web pages and the admin port of the built program: pages are refused, clients and proxies are not.

use crate::harness::Mock;

const PROVISION: &[u8] = b"fn registerRules() { app.get(\"/x\", || \"theirs\"); }";

/// Requests that pages can send without a preflight: a form or `fetch` that posts text, images, links.
const TRIED: &[(&str, &[u8])] = &[
    ("POST /app/v1/provision/theirs", PROVISION),
    ("GET /app/v1/provision/initial", b""),
    ("POST /app/v1/chaos", b"{\"status\": 500}"),
    ("POST /app/v1/quit", b""),
    ("GET /app/v1/requests", b""),
    ("GET /nowhere", b""),
    ("OPTIONS /app/v1/store/a", b""),
];

#[test]
fn a_page_of_another_origin_changes_and_reads_nothing() {
    let mock = Mock::start();
    let pages: &[&[(&str, &str)]] = &[
        // Browsers send the first to this machine, the second to other addresses over HTTP.
        &[("Host", "localhost:8074"), ("Origin", "http://evil.example"), ("Sec-Fetch-Site", "cross-site")],
        &[("Host", "10.0.0.7:8074"), ("Origin", "http://evil.example")],
        &[("Host", "localhost:8074"), ("Sec-Fetch-Site", "same-site")],
        &[("Host", "localhost:8074"), ("Origin", "null")],
    ];
    for page in pages {
        for (line, body) in TRIED {
            let reply = mock.admin(line, page, body);
            assert_eq!(reply.status, 403, "{line} {page:?}: {}", reply.text());
            assert!(reply.text().contains("failed: a web page sent this request ("), "{}", reply.text());
            assert_eq!(reply.header("Access-Control-Allow-Origin"), "", "{line}");
        }
    }
    // DNS rebinding: the page is of the same origin, under a name that now leads here.
    let rebound: &[(&str, &str)] = &[("Host", "evil.example:8074"), ("Origin", "http://evil.example:8074")];
    for (line, body) in TRIED {
        let reply = mock.admin(line, rebound, body);
        assert_eq!(reply.status, 421, "{line}: {}", reply.text());
        assert!(reply.text().contains("`--admin-host evil.example`"), "{}", reply.text());
    }
    assert_eq!(mock.active(), ("initial".to_owned(), 1));
    assert_eq!(mock.admin("GET /app/v1/chaos", &[], b"").text(), r#"{"chaos":[]}"#);
}

#[test]
fn clients_proxies_and_own_pages_are_let_in() {
    let mock = Mock::start_with(&["--admin-host", "Mock.example.com,*.tests.example"], |_| ());
    let clients: &[&[(&str, &str)]] = &[
        // curl to an address, a Service, a port-forward, `kubectl proxy` to an API server at an address.
        &[("Host", "10.0.0.7:8074")],
        &[("Host", "[::1]:8074")],
        &[("Host", "h1mock:8074")],
        &[("Host", "h1mock.tests.svc.cluster.local:8074")],
        &[
            ("Host", "127.0.0.1:6443"),
            ("X-Forwarded-Uri", "/api/v1/namespaces/a/services/h1mock:8074/proxy/"),
        ],
        // Names of `--admin-host`.
        &[("Host", "mock.example.com")],
        &[("Host", "a.tests.example:8074"), ("Origin", "http://a.tests.example:8074")],
        // The interface's own pages, a typed address, an Ingress that sets its own host.
        &[("Host", "localhost:8074"), ("Origin", "http://localhost:8074"), ("Sec-Fetch-Site", "same-origin")],
        &[("Host", "localhost:8074"), ("Sec-Fetch-Site", "none")],
        &[("Host", "10.0.0.7:8074"), ("Origin", "http://10.0.0.7:8074")],
        &[("Host", "h1mock"), ("Origin", "https://m.example"), ("X-Forwarded-Host", "m.example")],
    ];
    for headers in clients {
        let reply = mock.admin("GET /app/v1/provision", headers, b"");
        assert_eq!(reply.status, 200, "{headers:?}: {}", reply.text());
    }
    let reply = mock.admin("GET /app/v1/provision", &[("Host", "tests.example")], b"");
    assert_eq!(reply.status, 421, "{}", reply.text());
    // Load balancers probe under any name.
    assert_eq!(mock.admin("GET /healthz", &[("Host", "lb.example")], b"").status, 200);
    assert_eq!(mock.admin("GET /readyz", &[("Host", "lb.example")], b"").status, 200);
}

#[test]
fn with_a_token_the_name_of_the_host_does_not_matter() {
    let mock = Mock::start_with(&["--admin-token", "s3cret"], |_| ());
    let host = ("Host", "mock.example.com");
    let token = ("Authorization", "Bearer s3cret");
    assert_eq!(mock.admin("GET /app/v1/provision", &[host], b"").status, 401);
    assert_eq!(mock.admin("GET /app/v1/provision", &[host, token], b"").status, 200);
    let page = ("Sec-Fetch-Site", "cross-site");
    assert_eq!(mock.admin("GET /app/v1/provision", &[host, token, page], b"").status, 403);
}
