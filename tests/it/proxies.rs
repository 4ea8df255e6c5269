//! `--trust-proxy`: what scripts see of a request that came through proxies. The rows are answers of Flask 3.1 behind Werkzeug
//! 3.1.9's `ProxyFix(app, x_for=N, x_proto=N, x_host=N, x_port=N, x_prefix=N)`, except where a comment says so.

use crate::harness::Mock;

const PROVISION: &str = r#"fn registerRules() {
    app.get("/show/<name>", show);
    app.get("/dir/", || "d", #{ endpoint: "dir" });
    app.add_url_rule("/old/<id>", "old", #{ redirect_to: "/new/<id>" });
    app.add_url_rule("/older/<id>", "older", #{ redirect_to: "new/<id>" });
    app.get("/go", || redirect(url_for("dir")), #{ endpoint: "go" });
    app.get("/cookie", cookie);
    app.get("/only", || "only", #{ host: "pub.example", endpoint: "only" });
}
fn show(name) {
    let r = request;
    [r.remote_addr, `${r.is_secure}`, r.host, r.host_url, r.url, r.base_url, r.url_root,
     r.script_root + r.root_path, r.full_path, r.headers["Host"], url_for("show", #{ name: "b" }),
     url_for("show", #{ name: "b", _external: true })]
}
fn cookie() { let r = make_response("1"); r.set_cookie("a", "1"); r }
"#;

fn behind(proxies: &str) -> Mock {
    Mock::start_with(&["--trust-proxy", proxies], |folder| folder.write("provision/initial", PROVISION))
}

const FOR: &str = "X-Forwarded-For";
const PROTO: &str = "X-Forwarded-Proto";
const HOST: &str = "X-Forwarded-Host";
const PORT: &str = "X-Forwarded-Port";
const PREFIX: &str = "X-Forwarded-Prefix";

/// Headers of a request to `/show/a?q=1`, and the properties that differ from those without a proxy, in any order.
type Row = (&'static [(&'static str, &'static str)], &'static [(&'static str, &'static str)]);

/// With one trusted proxy.
const ONE: &[Row] = &[
    (&[], &[]),
    (&[(FOR, "10.0.0.1")], &[("remote_addr", "10.0.0.1")]),
    (&[(FOR, "6.6.6.6, 10.0.0.1")], &[("remote_addr", "10.0.0.1")]),
    (&[(FOR, "6.6.6.6"), (FOR, "10.0.0.1")], &[("remote_addr", "10.0.0.1")]),
    (&[(FOR, "unknown")], &[("remote_addr", "unknown")]),
    (&[(FOR, "\"[2001:db8::1]:47\"")], &[("remote_addr", "[2001:db8::1]:47")]),
    (&[(FOR, "10.0.0.1,")], &[("remote_addr", "10.0.0.1")]),
    (&[(FOR, "")], &[]),
    (&[(FOR, "\"a, b")], &[]),
    (&[("Forwarded", "for=10.0.0.1;proto=https")], &[]),
    (&[(PROTO, "https")], &[("root", "https://in.local:8000"), ("is_secure", "true")]),
    (
        &[(PROTO, "https"), (HOST, "pub.example:443")],
        &[("root", "https://pub.example"), ("is_secure", "true"), ("header", "pub.example:443")],
    ),
    (
        &[(PROTO, "https"), (HOST, "pub.example:8443")],
        &[("root", "https://pub.example:8443"), ("is_secure", "true"), ("header", "pub.example:8443")],
    ),
    (&[(HOST, "pub.example:80")], &[("root", "http://pub.example"), ("header", "pub.example:80")]),
    (&[(HOST, "a.example, pub.example")], &[("root", "http://pub.example"), ("header", "pub.example")]),
    (&[(PORT, "9000")], &[("root", "http://in.local:9000"), ("header", "in.local:9000")]),
    (
        &[(HOST, "pub.example:1"), (PORT, "9000")],
        &[("root", "http://pub.example:9000"), ("header", "pub.example:9000")],
    ),
    (&[(HOST, "[::1]"), (PORT, "9000")], &[("root", "http://[::1]:9000"), ("header", "[::1]:9000")]),
    (&[(HOST, "[::1]:5"), (PORT, "9000")], &[("root", "http://[::1]:9000"), ("header", "[::1]:9000")]),
    (
        &[(PROTO, "https"), (HOST, "pub.example"), (PORT, "443")],
        &[("root", "https://pub.example"), ("is_secure", "true"), ("header", "pub.example:443")],
    ),
    (&[(PREFIX, "/api")], &[("prefix", "/api")]),
    (&[(PREFIX, "/api/v1/")], &[("prefix", "/api/v1")]),
    (&[(PREFIX, "/a, /b")], &[("prefix", "/b")]),
    (&[(PREFIX, "/")], &[]),
    // Werkzeug's own answers: 500; another host in `url_for`; a blank in URLs; `HTTPS` as a scheme that is not secure; an empty host.
    (&[(PREFIX, "api")], &[("prefix", "/api")]),
    (&[(PREFIX, "//evil.example")], &[("prefix", "/evil.example")]),
    (&[(PREFIX, "/a b")], &[("prefix", "/a%20b")]),
    (&[(PROTO, "HTTPS")], &[("root", "https://in.local:8000"), ("is_secure", "true")]),
    (&[(HOST, "a/b")], &[]),
];

/// With two trusted proxies.
const TWO: &[Row] = &[
    (&[(FOR, "10.0.0.1")], &[]),
    (&[(FOR, "10.0.0.1, 10.0.0.2")], &[("remote_addr", "10.0.0.1")]),
    (
        &[
            (FOR, "6.6.6.6, 10.0.0.1, 10.0.0.2"),
            (PROTO, "https, http"),
            (HOST, "pub.example, mid.example"),
            (PORT, "443"),
            (PREFIX, "/x, /y"),
        ],
        &[
            ("remote_addr", "10.0.0.1"),
            ("root", "https://pub.example"),
            ("is_secure", "true"),
            ("header", "pub.example"),
            ("prefix", "/x"),
        ],
    ),
];

/// Without the flag.
const NONE: &[Row] =
    &[(&[(FOR, "10.0.0.1"), (PROTO, "https"), (HOST, "a"), (PORT, "1"), (PREFIX, "/p")], &[])];

#[test]
fn a_script_sees_what_the_trusted_proxies_received() {
    for (proxies, rows) in [("0", NONE), ("1", ONE), ("2", TWO)] {
        let mock = behind(proxies);
        for (headers, differences) in rows {
            let part = |name: &str, default: &'static str| {
                differences.iter().find(|(known, _)| *known == name).map_or(default, |(_, value)| *value)
            };
            let (root, prefix) = (part("root", "http://in.local:8000"), part("prefix", ""));
            let host = root.split_once("://").unwrap().1;
            let base = format!("{root}{prefix}/show/a");
            let expected = serde_json::json!([
                part("remote_addr", "127.0.0.1"),
                part("is_secure", "false"),
                host,
                format!("{root}/"),
                format!("{base}?q=1"),
                base,
                format!("{root}{prefix}/"),
                format!("{prefix}{prefix}"),
                "/show/a?q=1",
                part("header", "in.local:8000"),
                format!("{prefix}/show/b"),
                format!("{root}{prefix}/show/b"),
            ]);
            let all = [&[("Host", "in.local:8000")], *headers].concat();
            let reply = mock.send("GET", "/show/a?q=1", &all, b"");
            assert_eq!(reply.json(), expected, "{proxies} {headers:?}");
        }
    }
}

#[test]
fn redirects_rules_and_cookies_know_the_proxy() {
    let mock = behind("1");
    type Case = (&'static str, &'static [(&'static str, &'static str)], u16, &'static str);
    let cases: &[Case] = &[
        // Flask puts scheme and host in front of the first five.
        ("/dir", &[], 308, "location: /dir/"),
        ("/dir?x=1", &[(PREFIX, "/api"), (HOST, "pub.example")], 308, "location: /api/dir/?x=1"),
        ("/old/7", &[(PREFIX, "/api")], 308, "location: /new/7"),
        ("/older/7", &[(PREFIX, "/api")], 308, "location: /api/new/7"),
        ("/older/7", &[], 308, "location: /new/7"),
        ("/go", &[(PREFIX, "/api")], 302, "location: /api/dir/"),
        ("/cookie", &[(PREFIX, "/api")], 200, "set-cookie: a=1; Path=/"),
        ("/only", &[], 404, ""),
        ("/only", &[(HOST, "pub.example")], 200, ""),
        // The proxy takes the prefix off the path.
        ("/api/go", &[(PREFIX, "/api")], 404, ""),
    ];
    for (target, headers, status, header) in cases {
        let reply = mock.send("GET", target, headers, b"");
        let (name, value) = header.split_once(": ").unwrap_or_default();
        assert_eq!((reply.status, reply.header(name)), (*status, value), "{target} {headers:?}");
    }
}

#[test]
fn the_journal_keeps_the_address_of_the_peer_and_the_headers_as_received() {
    let mock = behind("1");
    mock.send("GET", "/show/a", &[("Host", "in.local"), (FOR, "10.0.0.1"), (HOST, "pub.example")], b"");
    let entry = mock.admin("GET /app/v1/requests/1", &[], b"").json();
    let text = entry.to_string();
    assert!(text.contains("127.0.0.1") && text.contains("in.local"), "{text}");
    assert!(text.contains("10.0.0.1") && text.contains("X-Forwarded-For"), "{text}");
}
