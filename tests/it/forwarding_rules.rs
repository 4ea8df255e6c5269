//! Forwarding as scripts write it: `forward`, `app.forward`, `app.forward_unmatched` and `--forward-unmatched`.

mod seen;
mod upstream;

use crate::harness::{Mock, Reply};
use upstream::{LARGE, Upstream};

const RULES: &str = r#"fn registerRules() {
    app.get("/api/own", || "own");
    app.forward("/api/<path:rest>", "URL");
    app.forward("/v1/<path:rest>", "URL/base", #{ strip: "/v1/" });
    app.forward("/only/<path:rest>", "URL", #{ methods: ["GET", "put"] });
    app.forward("/two/<path:a>/<b>", "URL");
    app.forward("/fixed", "URL/base", #{ path: "/here?a=1" });
    app.get("/item/<name>", |name| forward("URL", #{ path: `/items/${urllib.parse.quote(name)}` }));
    app.post("/choose", || if request.get_json().real { forward("URL") } else { ["mine", 202] });
    app.get("/slash/", || "own");
    let shop = Blueprint("shop", #{ url_prefix: "/shop" });
    shop.forward("/<path:rest>", "URL");
    app.register_blueprint(shop);
    app.before_request(|| if "hook" in request.args { forward("URL", #{ path: "/of-hook" }) });
}"#;

fn summary(reply: &Reply) -> String {
    format!("{} {}", reply.status, reply.text())
}

#[test]
fn requests_go_on_with_their_method_path_query_and_body() {
    let upstream = Upstream::start();
    let mock = Mock::serving(&upstream.provision(RULES));
    for (line, body, expected, gone) in [
        ("GET /api/a%20b/c%2Fd?x=%20&y", "", "200 real /api/a%20b/c%2Fd", "GET /api/a%20b/c%2Fd?x=%20&y"),
        ("GET /api", "", "200 real /api", "GET /api"),
        ("DELETE /api/", "", "200 real /api/", "DELETE /api/"),
        ("BREW /api/pot", "", "200 real /api/pot", "BREW /api/pot"),
        ("OPTIONS /api/x", "", "200 real /api/x", "OPTIONS /api/x"),
        ("HEAD /api/x", "", "200 ", "HEAD /api/x"),
        // Other methods of a path with a view of its own.
        ("GET /api/own", "", "200 own", ""),
        ("POST /api/own", "body", "200 real /api/own", "POST /api/own"),
        ("GET /v1/x?y", "", "200 real /base/x", "GET /base/x?y"),
        ("GET /v1", "", "200 real /base/", "GET /base/"),
        ("PUT /only/x", "", "200 real /only/x", "PUT /only/x"),
        ("GET /two/a/b/c", "", "200 real /two/a/b/c", "GET /two/a/b/c"),
        ("GET /fixed?b=2", "", "200 real /base/here", "GET /base/here?a=1"),
        ("GET /item/a%20b?c", "", "200 real /items/a%20b", "GET /items/a%20b"),
        ("POST /choose", r#"{"real": true}"#, "200 real /choose", "POST /choose"),
        ("POST /choose", r#"{"real": false}"#, "202 mine", ""),
        ("GET /shop/a", "", "200 real /shop/a", "GET /shop/a"),
        ("GET /shop", "", "200 real /shop", "GET /shop"),
        ("GET /slash/?hook", "", "200 real /of-hook", "GET /of-hook"),
        ("GET /none?hook", "", "200 real /of-hook", "GET /of-hook"),
    ] {
        let (method, target) = line.split_once(' ').unwrap();
        let json = [("Content-Type", "application/json")];
        let reply = mock.send(method, target, &json, body.as_bytes());
        assert_eq!(summary(&reply), expected, "{line}");
        let requests = upstream.taken();
        let request = requests.first().cloned().unwrap_or_default();
        let (head, sent) = request.split_once("\r\n\r\n").unwrap_or_default();
        assert_eq!(head.split(" HTTP/1.1").next(), Some(gone), "{line}");
        assert!(gone.is_empty() || sent == body, "{line}: {request}");
    }
    for (method, target, status, allow) in [
        ("POST", "/only/x", 405, "GET, HEAD, OPTIONS, PUT"),
        ("OPTIONS", "/api/own", 200, "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
        ("GET", "/two/", 404, ""),
        ("GET", "/none", 404, ""),
        ("GET", "/slash", 308, ""),
    ] {
        let reply = mock.send(method, target, &[], b"");
        assert_eq!((reply.status, reply.header("allow")), (status, allow), "{method} {target}");
    }
    assert_eq!(upstream.lines(), [""; 0]);
}

#[test]
fn fields_of_an_option_replace_those_of_the_client() {
    let upstream = Upstream::start();
    let mock = Mock::serving(&upstream.provision(
        r#"fn registerRules() {
            app.forward("/<path:rest>", "URL", #{
                headers: #{ "Host": "real.example", "User-Agent": (), "X-A": "mine", "Via": () },
            });
        }"#,
    ));
    let fields = [
        ("User-Agent", "test"),
        ("x-a", "1"),
        ("X-B", "2"),
        ("X-B", "3"),
        ("Connection", "close, x-c"),
        ("X-C", "4"),
    ];
    assert_eq!(mock.send("GET", "/a", &fields, b"").status, 200);
    let requests = upstream.taken();
    let head: Vec<&str> = requests[0].trim_end().lines().collect();
    let expected = [
        "GET /a HTTP/1.1",
        "X-B: 2",
        "X-B: 3",
        "X-Forwarded-For: 127.0.0.1",
        "X-Forwarded-Host: mock.test",
        "X-Forwarded-Proto: http",
        "Host: real.example",
        "X-A: mine",
    ];
    assert_eq!(head, expected);
}

#[test]
fn an_answer_goes_back_as_it_came() {
    let upstream = Upstream::start();
    let mock = Mock::serving(&upstream.provision(
        r#"fn registerRules() {
            app.forward("/<path:rest>", "URL");
            app.errorhandler(418, |e| "not for answers of others");
            app.errorhandler(502, |e| [`sorry: ${e.description}`, 502, #{ "Retry-After": "1" }]);
            app.get("/nobody", || forward("http://127.0.0.1:1"));
        }"#,
    ));
    let reply = mock.get("/teapot");
    assert_eq!((reply.status, reply.reason.as_str(), reply.text().as_str()), (418, "Short and Stout", "tea"));
    assert_eq!(reply.all("set-cookie"), ["a=1", "b=2"]);
    let reply = mock.get("/moved");
    assert_eq!((reply.status, reply.header("location")), (302, "http://elsewhere/x"));
    let reply = mock.get("/large");
    assert_eq!((reply.body.len(), reply.header("content-length")), (LARGE, "300000"));
    let reply = mock.send("HEAD", "/large", &[], b"");
    assert_eq!((reply.status, reply.header("content-length")), (200, "300000"));
    let reply = mock.get("/nobody");
    assert_eq!(summary(&reply), "502 sorry: failed to forward to `127.0.0.1:1`: connection refused");
    assert_eq!(reply.header("retry-after"), "1");
}

const CHANGES: &str = r#"fn registerRules() {
    app.get("/status", || forward("URL", #{ path: "/json", change: |r| { r.status = 201; } }));
    app.get("/header", || forward("URL", #{ path: "/teapot", change: |r| { r.headers.remove("Set-Cookie"); r.header("X-A", "b") } }));
    app.get("/json", || forward("URL", #{ change: |r| { let data = r.get_json(); data.a.push(7); r.set_data(json.dumps(data)); } }));
    app.get("/other", || forward("URL", #{ path: "/teapot", change: |r| [`was ${r.status_code}`, 202] }));
    app.get("/length", || forward("URL", #{ path: "/large", change: |r| `${r.get_data().len()} bytes` }));
    app.get("/caught/<n>", |n| forward("URL", #{ path: "/x", change: |r| `${n} ${request.args.get("q")}` }));
    app.get("/fails", || forward("URL", #{ path: "/x", change: |r| { r.nothing; } }));
    app.get("/aborts", || forward("URL", #{ path: "/x", change: |r| abort(409, "no") }));
    app.get("/handled", || forward("URL", #{ path: "/x", change: |r| abort(410) }));
    app.get("/again", || forward("URL", #{ path: "/away", change: second }));
    app.get("/endless", || forward("URL", #{ path: "/away", change: endless }));
    app.get("/waits", || forward("URL", #{ path: "/x", change: |r| wait_for("never", 0.01, |v| "waited") }));
    app.get("/nobody", || forward("http://127.0.0.1:1", #{ change: |r| "changed" }));
    app.forward("/rule", "URL", #{ path: "/x", change: |r| r.header("X-Rule", "1") });
    app.errorhandler(410, |e| ["of the handler", 410]);
    app.after_request(|r| r.header("X-After", "1"));
}
fn second(r) { if r.status_code == 503 { forward("URL", #{ path: "/spare" }) } else { r } }
fn endless(r) { forward("URL", #{ path: "/away", change: endless }) }"#;

#[test]
fn change_gets_the_whole_answer_and_makes_another() {
    let upstream = Upstream::start();
    let mock = Mock::serving(&upstream.provision(CHANGES));
    let json = r#"{"b":1,"a":[true]}"#;
    for (path, expected) in [
        ("/status", format!("201 {json}")),
        ("/header", "418 tea".to_owned()),
        ("/json", r#"200 {"a": [true, 7], "b": 1}"#.to_owned()),
        ("/other", "202 was 418".to_owned()),
        ("/length", "200 300000 bytes".to_owned()),
        ("/caught/7?q=z", "200 7 z".to_owned()),
        ("/handled", "410 of the handler".to_owned()),
        ("/again", "200 real /spare".to_owned()),
        ("/waits", "200 waited".to_owned()),
        ("/rule", "200 real /x".to_owned()),
    ] {
        let reply = mock.get(path);
        assert_eq!(summary(&reply), expected, "{path}");
        assert_eq!(reply.header("x-after"), "1", "{path}");
        let length = reply.body.len().to_string();
        assert_eq!(reply.all("content-length"), [length.as_str()], "{path}");
    }
    let reply = mock.get("/header");
    assert_eq!((reply.header("x-a"), reply.all("set-cookie").len()), ("b", 0));
    assert_eq!(mock.get("/rule").header("x-rule"), "1");
    for (path, status, part) in [
        ("/fails", 500, "has no property `nothing`"),
        ("/aborts", 409, "<p>no</p>"),
        (
            "/endless",
            500,
            "forward was called more than 10 times for one request, last for `http://127.0.0.1:",
        ),
        // There is no answer to change.
        ("/nobody", 502, "failed to forward to `127.0.0.1:1`: connection refused"),
    ] {
        let reply = mock.get(path);
        assert!(reply.status == status && reply.text().contains(part), "{path}: {}", summary(&reply));
    }
}

#[test]
fn change_does_not_get_an_answer_over_max_body() {
    let upstream = Upstream::start();
    let source = upstream.provision(
        r#"fn registerRules() {
            app.get("/changed", || forward("URL", #{ path: "/large", change: |r| "changed" }));
            app.forward("/large", "URL");
        }"#,
    );
    let mock = Mock::start_with(&["--max-body", "100k"], |folder| folder.write("provision/initial", &source));
    let reply = mock.get("/changed");
    let error = "its body is over --max-body, and `change` needs all of it";
    assert!(reply.status == 502 && reply.text().contains(error), "{}", summary(&reply));
    assert_eq!(mock.get("/large").body.len(), LARGE);
}

#[test]
fn requests_without_a_rule_go_on() {
    let (upstream, other) = (Upstream::start(), Upstream::start());
    let own = r#"fn registerRules() { app.get("/own", || "own"); app.get("/dir/", || "own"); }"#;
    let flag = ["--explain", "--forward-unmatched", &format!("{}/base", upstream.url)];
    let mock = Mock::start_with(&flag, |folder| folder.write("provision/initial", own));
    for (line, expected) in [
        ("GET /own", "200 own"),
        ("POST /own", "200 real /base/own"),
        ("GET /none/at%20all?x", "200 real /base/none/at%20all"),
        ("GET /dir", "308 "),
        ("GET /", "200 real /base/"),
        ("GET /none", "200 real /base/none"),
    ] {
        let (method, target) = line.split_once(' ').unwrap();
        let reply = mock.send(method, target, &[], b"");
        assert!(summary(&reply).starts_with(expected), "{line}: {}", summary(&reply));
    }
    // The provision decides before the flag.
    mock.activate(
        "other",
        &other.provision(
            r#"fn registerRules() {
                app.get("/own", || "own");
                app.forward_unmatched("URL", #{ strip: "/x", change: |r| `changed ${r.get_data().decode()}` });
            }"#,
        ),
    );
    assert_eq!(summary(&mock.get("/x/y")), "200 changed real /y");
    mock.activate("own", own);
    upstream.taken();
    assert_eq!(summary(&mock.get("/y")), "200 real /base/y");
    assert_eq!(
        (upstream.lines(), other.lines()),
        (vec!["GET /base/y".to_owned()], vec!["GET /y".to_owned()])
    );
}

#[test]
fn a_rule_of_app_forward_is_used_once_one_of_its_paths_is() {
    let upstream = Upstream::start();
    let source = r#"fn registerRules() { app.forward("/a/<path:rest>", "URL"); app.forward("/b/<path:rest>", "URL"); }"#;
    let mock = Mock::serving(&upstream.provision(source));
    let unused = || mock.admin("GET /app/v1/report", &[], b"").json()["unused"]["rules"].clone();
    assert_eq!(unused(), serde_json::json!(["* /a/<path:rest>", "* /b/<path:rest>"]));
    assert_eq!(mock.get("/b/").status, 200);
    assert_eq!(unused(), serde_json::json!(["* /a/<path:rest>"]));
    assert_eq!(mock.get("/a/x").status, 200);
    assert_eq!(unused(), serde_json::json!([]));
}
