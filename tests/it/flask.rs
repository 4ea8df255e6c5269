//! Rules, return values, errors and hooks work as in Flask: one provision, and a table of requests.

use crate::harness::Mock;

const PROVISION: &str = r#"
const GREETING = "hello";
fn registerRules() {
    app.add_url_rule("/text", "text", text, ["GET"]);
    app.add_url_rule("/text", "text_post", || "posted", ["POST"]);
    app.add_url_rule("/users/<int:id>", "user", user);
    app.get("/users/me", || "static first");
    app.get("/folder/", || "folder");
    app.get("/files/<path:name>/raw", |name| name);
    app.get("/loose", || "loose", #{ strict_slashes: false });
    app.get("/page/<int:page>", page, #{ defaults: #{ size: 10 } });
    app.get("/tuple", || ["made", 201]);
    app.get("/headers", || ["x", 202, #{ "X-One": "1", "X-Many": ["a", "b"] }]);
    app.get("/pair", || ["x", #{ "X-One": "1" }]);
    app.get("/reason", || ["gone", "404 NOT HERE"]);
    app.get("/list", || [#{ id: 1 }, #{ id: 2 }]);
    app.get("/numbers", || [1, 200]);
    app.get("/map", || #{ b: 1.0, a: (), c: [true, "ü"] });
    app.get("/blob", || blob(3, 0x41));
    app.get("/nothing", || ());
    app.get("/number", || 7);
    app.get("/empty", || ["", 204]);
    app.get("/abort/<int:code>", |code| abort(code, "because <b>"));
    app.get("/plain404", || ["own", 404]);
    app.get("/redirect", || redirect("/text"));
    app.get("/url", || url_for("user", #{ id: 7, q: "a b", none: () }));
    app.get("/constant", || GREETING);
    app.get("/before", || "not reached");
    app.get("/response", response);
    app.get("/cookie", cookie);
    app.get("/key", || request.args["name"]);
    app.post("/json", || request.json ?? "none");
    app.post("/form", || `${request.form.get("a", "-")}|${request.form.getlist("a").len()}|${request.values.get("q")}`);
    app.register_error_handler(404, |e| [`${e.code} ${e.name}`, 404]);
    app.register_error_handler(418, |e| "a teapot without a status");
    app.before_request(|| if request.path == "/before" { "from before" });
    app.after_request(|r| { r.headers["X-After"] = "1"; r });
    app.after_request(|r| { r.headers["X-Order"] = r.headers.get("X-After", "not yet"); r });
    let v2 = Blueprint("v2", #{ url_prefix: "/v2" });
    v2.add_url_rule("/item/<id>", "item", |id| `${id} ${request.endpoint} ${request.url_rule}`);
    v2.before_request(|| if "stop" in request.args { ["stopped", 403] });
    app.register_blueprint(v2);
}
fn text() { `${GREETING} ${request.method}` }
fn user(id) { `user ${id + 1}` }
fn page(size, page) { `${page} of ${size}` }
fn response() {
    let r = make_response("body", 200);
    r.status_code = 203;
    r.headers["X-A"] = "1";
    r.headers.add("X-A", "2");
    r.mimetype = "text/plain";
    r.status(206).header("X-B", "3")
}
fn cookie() {
    let r = make_response("set");
    r.set_cookie("a", "1", #{ max_age: 60, path: "/", secure: true, httponly: true, samesite: "Lax" });
    r.delete_cookie("b");
    r
}
"#;

/// Columns: request line, status, body (after `~`: a part of it), a header that the answer must have.
const CASES: &[(&str, u16, &str, &str)] = &[
    ("GET /text", 200, "hello GET", "content-type: text/html; charset=utf-8"),
    ("POST /text", 200, "posted", ""),
    ("HEAD /text", 200, "", "content-length: 10"),
    ("OPTIONS /text", 200, "", "allow: GET, HEAD, OPTIONS, POST"),
    ("DELETE /text", 405, "~Method Not Allowed", "allow: GET, HEAD, OPTIONS, POST"),
    ("GET /text/", 404, "404 Not Found", ""),
    ("GET /users/007", 200, "user 8", ""),
    ("GET /users/-1", 404, "404 Not Found", ""),
    ("GET /users/me", 200, "static first", ""),
    ("GET /folder?a=1", 308, "~/folder/", "location: /folder/?a=1"),
    ("GET /users//me", 308, "~/users/me", "location: /users/me"),
    ("GET /loose/", 200, "loose", ""),
    ("GET /files/a//b%2Fc/raw", 200, "a//b/c", ""),
    ("GET /page/3", 200, "3 of 10", ""),
    ("GET /tuple", 201, "made", ""),
    ("GET /headers", 202, "x", "x-many: a|b"),
    ("GET /pair", 200, "x", "x-one: 1"),
    ("GET /reason", 404, "gone", ""),
    ("GET /list", 200, "[{\"id\":1},{\"id\":2}]\n", "content-type: application/json"),
    ("GET /numbers", 200, "[1,200]\n", "content-type: application/json"),
    ("GET /map", 200, "{\"a\":null,\"b\":1.0,\"c\":[true,\"ü\"]}\n", "content-type: application/json"),
    ("GET /blob", 200, "AAA", "content-type: text/html; charset=utf-8"),
    ("GET /nothing", 500, "~the view function returned nothing", ""),
    ("GET /number", 500, "~the view function returned an integer", ""),
    ("GET /empty", 204, "", ""),
    ("GET /abort/403", 403, "~<p>because &lt;b&gt;</p>", ""),
    ("GET /abort/404", 404, "404 Not Found", ""),
    ("GET /abort/418", 200, "a teapot without a status", ""),
    ("GET /abort/200", 500, "~abort takes an error code (400 to 599), not 200", ""),
    ("GET /plain404", 404, "own", ""),
    ("GET /redirect", 302, "~/text", "location: /text"),
    ("GET /url", 200, "/users/7?q=a+b", ""),
    ("GET /constant", 200, "hello", ""),
    ("GET /before", 200, "from before", ""),
    ("GET /response", 206, "body", "x-a: 1|2"),
    ("GET /response", 206, "body", "content-type: text/plain; charset=utf-8"),
    ("GET /response", 206, "body", "x-b: 3"),
    (
        "GET /cookie",
        200,
        "set",
        "set-cookie: a=1; Expires=Thu, 01 Jan 2026 00:01:00 GMT; Max-Age=60; Secure; HttpOnly; Path=/; SameSite=Lax|b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/",
    ),
    ("GET /key", 400, "~Bad Request", ""),
    ("GET /key?name=x+y", 200, "x y", ""),
    ("GET /unknown", 404, "404 Not Found", "x-after: 1"),
    ("HEAD /unknown", 404, "", "x-order: not yet"),
    ("OPTIONS /unknown", 404, "404 Not Found", ""),
    ("GET /v2/item/5", 200, "5 v2.item /v2/item/&lt;id&gt;", ""),
    ("GET /v2/item/5?stop", 403, "stopped", ""),
    ("GET /text?stop", 200, "hello GET", ""),
];

#[test]
fn each_request_is_answered_as_by_flask() {
    // The clock is for the expiry of the cookie.
    let flags = ["--clock", "2026-01-01T00:00:00Z"];
    let mock = Mock::start_with(&flags, |folder| folder.write("provision/initial", PROVISION));
    for (line, status, body, header) in CASES {
        let (method, target) = line.split_once(' ').unwrap();
        let reply = mock.send(method, target, &[], b"");
        assert_eq!(reply.status, *status, "{line}: {}", reply.text());
        let body = body.replace("&lt;id&gt;", "<id>").replace("because <b>", "because &lt;b&gt;");
        match body.strip_prefix('~') {
            Some(part) => assert!(
                reply.text().contains(&part.replace("because <b>", "because &lt;b&gt;")),
                "{line}: {}",
                reply.text()
            ),
            None => assert_eq!(reply.text(), body, "{line}"),
        }
        if let Some((name, value)) = header.split_once(": ") {
            assert_eq!(reply.all(name).join("|"), value, "{line}");
        }
    }
}

#[test]
fn a_status_text_sets_the_reason_phrase() {
    let mock = Mock::serving(PROVISION);
    assert_eq!(mock.get("/reason").reason, "NOT HERE");
    assert_eq!(mock.get("/tuple").reason, "Created");
    let empty = mock.get("/empty");
    assert_eq!((empty.reason.as_str(), empty.header("content-length")), ("No Content", ""));
}

#[test]
fn bodies_are_parsed_by_their_content_type() {
    let mock = Mock::serving(PROVISION);
    let cases: &[(&str, &str, &[u8], u16, &str)] = &[
        ("/json", "application/json", b"{\"a\": [1, 2.5]}", 200, "{\"a\":[1,2.5]}\n"),
        ("/json", "application/vnd.api+json; charset=utf-8", b"[1]", 200, "[1]\n"),
        ("/json", "text/plain", b"{}", 200, "none"),
        ("/json", "application/json", b"{\"a\": ", 400, "~Bad Request"),
        ("/json", "application/json", b"", 400, "~Bad Request"),
        ("/form?q=1", "application/x-www-form-urlencoded", b"a=1+2&a=3;4", 200, "1 2|2|1"),
        (
            "/form?q=1",
            "multipart/form-data; boundary=X",
            b"--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nv\r\n--X--\r\n",
            200,
            "v|1|1",
        ),
    ];
    for (target, kind, body, status, expected) in cases {
        let reply = mock.post(target, kind, body);
        assert_eq!(reply.status, *status, "{kind}: {}", reply.text());
        match expected.strip_prefix('~') {
            Some(part) => assert!(reply.text().contains(part), "{kind}: {}", reply.text()),
            None => assert_eq!(reply.text(), *expected, "{kind}"),
        }
    }
}

#[test]
fn error_handlers_that_fail_are_a_plain_500() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.get("/throw", || throw "oops");
    app.get("/handled", || abort(503));
    app.register_error_handler(500, |e| [`handled: ${e.original}`, 500]);
    app.register_error_handler(503, |e| abort(400));
    app.register_error_handler(404, |e| e.nothing.at_all);
}"#,
    );
    let text = mock.get("/throw").text();
    assert_eq!(text, "handled: script error in provision `initial`: line 2, column 26: oops");
    for target in ["/handled", "/unknown"] {
        let reply = mock.get(target);
        assert_eq!(reply.status, 500);
        assert!(reply.text().starts_with("script error in provision `initial`: line "), "{}", reply.text());
    }
}

#[test]
fn hooks_and_error_handlers_run_after_a_view_that_exceeded_its_time() {
    let source = r#"fn registerRules() {
    app.get("/slow", || {
        let n = 0;
        loop { n += 1; }
    });
    app.register_error_handler(500, |e| { let n = 0; while n < 500 { n += 1; } [e.original, 500] });
    app.after_request(|r| { let n = 0; while n < 500 { n += 1; } r.headers["X-After"] = "1"; r });
}"#;
    let mock =
        Mock::start_with(&["--script-timeout", "300ms"], |folder| folder.write("provision/initial", source));
    let reply = mock.get("/slow");
    assert!(
        reply.text().starts_with("script error in provision `initial`: line 4, column "),
        "{}",
        reply.text()
    );
    assert_eq!((reply.status, reply.header("x-after")), (500, "1"));
}
