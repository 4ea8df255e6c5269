//! CORS on every answer, by `app.cors` and by `--cors`. The table of policies is in `src/message/cors/tests.rs`.

use crate::harness::{Client, Mock, Reply, binary};

const RULES: &str = r#"
    app.get("/ok", || "ok");
    app.get("/items/", || [1], #{ endpoint: "items" });
    app.add_url_rule("/posted", "posted", || "posted", ["POST"]);
    app.get("/thrown", || throw "x");
    app.get("/nothing", || ());
    app.get("/forbidden", || abort(403), #{ endpoint: "forbidden" });
    app.get("/teapot", || abort(make_response("tea", 418)), #{ endpoint: "teapot" });
    app.get("/gone", || abort(410), #{ endpoint: "gone" });
    app.get("/own", own);
    app.get("/vary", || ["v", 200, #{ "Vary": "Accept" }], #{ endpoint: "vary" });
    app.get("/away", || redirect("/ok"), #{ endpoint: "away" });
    app.get("/large", large);
    app.get("/headers", |name| "h", #{ defaults: #{ name: "n" }, endpoint: "headers" });
    app.add_url_rule("/served", "served", || ["by the rule", 202], ["GET", "OPTIONS"]);
    app.add_url_rule("/none", "none", || "none", #{ provide_automatic_options: false });
    app.before_request(guard);
    app.errorhandler(410, |e| "handled");
}
fn own() { ["o", 200, #{ "Access-Control-Allow-Origin": "https://own.example" }] }
fn large() { time.sleep(0.001); let r = make_response(blob(2_000_000, 120)); r }
fn guard() {
    store.incr("guarded");
    if request.path == "/guarded" { return ["no token", 401]; }
    if request.path == "/broken" { throw "hook"; }
}
"#;

fn provision(cors: &str) -> String {
    format!("fn registerRules() {{\n    {cors}{RULES}")
}

fn serving(cors: &str, arguments: &[&str]) -> Mock {
    Mock::start_with(arguments, |folder| folder.write("provision/initial", &provision(cors)))
}

const TWO: &str =
    r#"app.cors(#{ origins: ["https://a.example", "https://b.example"], credentials: true, max_age: 600 });"#;
const A: (&str, &str) = ("Origin", "https://a.example");
const EVIL: (&str, &str) = ("Origin", "https://evil.example");
const PUT: (&str, &str) = ("Access-Control-Request-Method", "PUT");

#[track_caller]
fn assert_open(reply: &Reply, line: &str) {
    let sent = ["Allow-Origin", "Allow-Credentials"].map(|name| reply.all(&format!("Access-Control-{name}")));
    assert_eq!(sent, [vec!["https://a.example"], vec!["true"]], "{line}: {:?}", reply.headers);
    assert!(reply.header("vary").split(", ").any(|name| name == "Origin"), "{line}: {:?}", reply.headers);
}

#[test]
fn every_answer_has_the_headers() {
    let mock = serving(TWO, &["--max-body", "64k", "--max-buffered", "1M", "--max-headers", "20"]);
    let chaos =
        br#"[{ "path": "/chaos", "status": 503 }, { "path": "/posted", "method": "POST", "status": 502 }]"#;
    assert_eq!(mock.admin("PUT /app/v1/chaos", &[], chaos).status, 200);
    for (line, status) in [
        ("GET /ok", 200),
        ("HEAD /ok", 200),
        ("GET /items", 308),
        ("GET /items/", 200),
        ("GET /away", 302),
        ("GET /thrown", 500),
        ("GET /nothing", 500),
        ("GET /forbidden", 403),
        ("GET /teapot", 418),
        ("GET /gone", 200),
        ("GET /unknown", 404),
        ("DELETE /ok", 405),
        ("GET /guarded", 401),
        ("GET /broken", 500),
        ("GET /chaos", 503),
        ("POST /posted", 502),
        ("GET /large", 503),
        ("GET /vary", 200),
        ("OPTIONS /ok", 200),
        ("OPTIONS /unknown", 404),
    ] {
        let (method, target) = line.split_once(' ').unwrap();
        let mut client = Client::new(&mock.traffic);
        let reply = client.send(method, target, &[A], b"");
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        assert_open(&reply, line);
        let reply = client.send(method, target, &[EVIL], b"");
        assert_eq!(reply.header("Access-Control-Allow-Origin"), "", "{line}");
        assert!(reply.header("Vary").ends_with("Origin"), "{line}: a cache must not take it for all origins");
    }
    assert_eq!(mock.send("GET", "/vary", &[A], b"").all("Vary"), ["Accept, Origin"]);
    let own = mock.send("GET", "/own", &[A], b"");
    assert_eq!(own.all("Access-Control-Allow-Origin"), ["https://own.example"]);
    assert_eq!(own.header("Access-Control-Allow-Credentials"), "");
}

#[test]
fn refusals_have_the_headers_where_the_origin_has_arrived() {
    let mock = serving(TWO, &["--max-body", "64k", "--max-head", "1k", "--max-headers", "5"]);
    let origin = "Origin: https://a.example\r\n";
    let many: String = (0..9).map(|number| format!("X-{number}: 1\r\n")).collect();
    let long = "x".repeat(2000);
    let cases = [
        (format!("POST /posted HTTP/1.1\r\nHost: x\r\n{origin}Content-Length: 70000\r\n\r\n"), 413, true),
        (format!("GET /ok HTTP/1.1\r\nHost: x\r\n{origin}{many}\r\n"), 431, true),
        (format!("GET /ok HTTP/1.1\r\nHost: x\r\n{origin}X: {long}\r\n\r\n"), 431, true),
        (format!("GET /ok HTTP/1.1\r\n{origin}\r\n"), 400, true),
        (
            format!(
                "POST /posted HTTP/1.1\r\nHost: x\r\n{origin}Transfer-Encoding: chunked\r\n\r\nno size\r\n"
            ),
            400,
            true,
        ),
        // The head is too long before `Origin` has arrived.
        (format!("GET /{long}"), 414, false),
        (format!("GET /ok HTTP/1.1\r\nHost: x\r\nX: {long}"), 431, false),
    ];
    for (number, (bytes, status, open)) in (1..).zip(cases) {
        let mut client = Client::new(&mock.traffic);
        client.write(bytes.as_bytes());
        let reply = client.read(false);
        let line = &bytes[..20];
        assert_eq!(reply.status, status, "{line}: {}", reply.text());
        let entry = mock.admin(&format!("GET /app/v1/requests/{number}"), &[], b"").json();
        match open {
            true => {
                assert_open(&reply, line);
                assert!(entry.to_string().contains("Access-Control-Allow-Origin"), "{entry}");
            }
            false => {
                assert_eq!(reply.header("Access-Control-Allow-Origin"), "", "{line}");
                assert_eq!(reply.header("Vary"), "Origin");
            }
        }
    }
    let open = Mock::start_with(&["--cors", "*", "--max-head", "1k"], |_| ());
    let reply = open.get(&format!("/{long}"));
    assert_eq!((reply.status, reply.header("Access-Control-Allow-Origin")), (414, "*"));
}

#[test]
fn preflights_are_answered_without_scripts() {
    let mock = serving(TWO, &["--explain"]);
    let wanted = ("Access-Control-Request-Headers", "authorization, x-test");
    let private = ("Access-Control-Request-Private-Network", "true");
    for (target, allow) in [
        ("/ok", "GET, HEAD, OPTIONS"),
        ("/posted", "OPTIONS, POST"),
        ("/items", "GET, HEAD, OPTIONS"),
        ("/none", "GET, HEAD"),
        ("/unknown", ""),
        ("/guarded", ""),
        ("/broken", ""),
    ] {
        let reply = mock.send("OPTIONS", target, &[A, PUT, wanted, private], b"");
        assert_eq!((reply.status, reply.text().as_str()), (200, ""), "{target}");
        assert_open(&reply, target);
        for (name, value) in [
            ("Allow", allow),
            ("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
            ("Access-Control-Allow-Headers", "authorization, x-test"),
            ("Access-Control-Max-Age", "600"),
            ("Access-Control-Allow-Private-Network", "true"),
        ] {
            assert_eq!(reply.header(name), value, "{target} {name}");
        }
        let reply = mock.send("OPTIONS", target, &[EVIL, PUT], b"");
        assert_eq!((reply.status, reply.header("Access-Control-Allow-Origin")), (200, ""), "{target}");
        assert_eq!(reply.header("Access-Control-Allow-Methods"), "", "{target}");
    }
    assert_eq!(mock.admin("GET /app/v1/store/guarded", &[], b"").status, 404, "no hook ran");
    // A rule that serves OPTIONS answers itself, and its answer has the headers.
    let reply = mock.send("OPTIONS", "/served", &[A, PUT], b"");
    assert_eq!((reply.status, reply.text().as_str()), (202, "by the rule"));
    assert_open(&reply, "/served");
    assert_eq!(reply.header("Access-Control-Max-Age"), "600");
    // `--fail-on unmatched` counts the request that follows, and not its preflight.
    let report = mock.admin("GET /app/v1/report", &[], b"").json();
    assert_eq!(report["unmatched"]["count"], 0, "{report}");
}

#[test]
fn chaos_waits_for_the_request_behind_the_preflight() {
    let mock = serving(TWO, &[]);
    let set = |chaos: &[u8]| assert_eq!(mock.admin("PUT /app/v1/chaos", &[], chaos).status, 200);
    set(br#"{ "path": "/ok", "status": 503, "times": 1 }"#);
    assert_eq!(mock.send("OPTIONS", "/ok", &[A, PUT], b"").status, 200);
    assert_eq!(mock.send("GET", "/ok", &[A], b"").status, 503);
    assert_eq!(mock.send("GET", "/ok", &[A], b"").status, 200);
    set(br#"{ "path": "/ok", "method": "OPTIONS", "status": 503 }"#);
    let reply = mock.send("OPTIONS", "/ok", &[A, PUT], b"");
    assert_eq!(reply.status, 503);
    assert_open(&reply, "OPTIONS /ok");
}

#[test]
fn the_flag_holds_for_provisions_without_a_policy() {
    let origin = |reply: &Reply| reply.header("Access-Control-Allow-Origin").to_owned();
    let mock = serving("", &["--cors", "*"]);
    for (target, status) in [("/ok", 200), ("/unknown", 404), ("/thrown", 500)] {
        let reply = mock.send("GET", target, &[EVIL], b"");
        assert_eq!((reply.status, origin(&reply).as_str(), reply.header("Vary")), (status, "*", ""));
        assert_eq!(origin(&mock.get(target)), "*");
    }
    assert_eq!(origin(&mock.send("OPTIONS", "/unknown", &[EVIL, PUT], b"")), "*");
    mock.activate("own", &provision(TWO));
    assert_eq!(origin(&mock.send("GET", "/ok", &[EVIL], b"")), "");
    assert_open(&mock.send("GET", "/ok", &[A], b""), "/ok");
    let mock = serving("", &["--cors", "https://a.example, http://localhost:*"]);
    for (sent, expected) in [
        ("https://a.example", "https://a.example"),
        ("http://localhost:3000", "http://localhost:3000"),
        ("http://localhost.evil.example", ""),
    ] {
        assert_eq!(origin(&mock.send("GET", "/ok", &[("Origin", sent)], b"")), expected);
    }
    // The administrative port has a protection of its own.
    assert_eq!(origin(&mock.admin("GET /app/v1/provision", &[A], b"")), "");
}

#[test]
fn without_a_policy_nothing_changes() {
    let mock = serving("", &[]);
    for (line, status) in [("GET /ok", 200), ("OPTIONS /ok", 200), ("OPTIONS /unknown", 404)] {
        let (method, target) = line.split_once(' ').unwrap();
        let reply = mock.send(method, target, &[A, PUT], b"");
        assert_eq!((reply.status, reply.header("Vary")), (status, ""), "{line}");
        assert_eq!(reply.header("Access-Control-Allow-Origin"), "", "{line}");
    }
    assert_eq!(mock.admin("GET /app/v1/store/guarded", &[], b"").text().trim(), "3");
}

#[test]
fn policies_differ_by_path() {
    let resources = r#"app.cors(#{ max_age: 1, resources: #{ "/ok": #{ origins: "https://b.example" }, "/ite*": #{} } });
        app.cors(#{ resources: ["/v*", "/own"], origins: "null" });"#;
    let mock = serving(resources, &[]);
    for (target, expected) in [
        ("/ok", "https://b.example"),
        ("/items/", "*"),
        ("/vary", "null"),
        ("/own", "https://own.example"),
        ("/unknown", ""),
    ] {
        let origin = mock.get(target);
        assert_eq!(origin.header("Access-Control-Allow-Origin"), expected, "{target}");
    }
    assert_eq!(mock.send("OPTIONS", "/unknown", &[A, PUT], b"").status, 404);
}

#[test]
fn a_wrong_option_is_an_error_of_the_load() {
    let mock = Mock::start();
    for (options, error) in [
        (
            r#"#{ origin: "*" }"#,
            "`app.cors` has no option `origin`: it takes origins, methods, allow_headers",
        ),
        (r#"#{ origins: "a.example" }"#, "origin `a.example` has no scheme: write `https://a.example`"),
        (r#""*""#, "the options are a map: `app.cors(#{ origins: "),
        (r#"#{ origins: "" }"#, "option `origins` names no origin: write `*` for all"),
        (r#"#{ origins: 7 }"#, "option `origins` must be a text or a list of texts, not "),
        (r#"#{ methods: ["GET "] }"#, "option `methods` has `GET `, which is no name"),
        (r#"#{ max_age: -1 }"#, "option `max_age` must be a number of seconds, not `-1`"),
        (r#"#{ credentials: 1 }"#, "option `credentials` must be true or false, not "),
        (
            r#"#{ credentials: true, send_wildcard: true }"#,
            "browsers refuse `*` for requests with credentials: leave out `send_wildcard`",
        ),
        (r#"#{ resources: "api" }"#, "path `api` must start with a slash"),
        (r#"#{ resources: #{ "/a": 1 } }"#, "the options of path `/a` must be a map, not "),
    ] {
        let reply = mock.provision("wrong", &provision(&format!("app.cors({options});")));
        assert_eq!(reply.status, 422, "{options}");
        assert!(
            reply.text().contains(error) && reply.text().contains("line 2"),
            "{options}: {}",
            reply.text()
        );
    }
    let output = binary().args(["--cors", "a.example"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(text.contains("--cors") && text.contains("has no scheme: write `https://a.example`"), "{text}");
}
