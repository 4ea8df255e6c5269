//! Rules with hosts and redirects, and rules without endpoint or methods.

use crate::harness::{Folder, Mock, Reply, binary};

const HOSTS: &str = r#"fn registerRules() {
    app.get("/users", || "any");
    app.get("/users", || "a", #{ host: "a.example", endpoint: "a" });
    app.get("/users", |sub| `sub ${sub}`, #{ host: "<sub>.example.com", endpoint: "s" });
    app.get("/users", || "port", #{ host: "a.example:8001", endpoint: "p" });
    app.add_url_rule("/only/<int:id>", "only", only, #{ methods: ["POST"], host: "b.example" });
    let api = Blueprint("api", #{ url_prefix: "/v1", subdomain: "api" });
    api.get("/items/<int:id>", |id| `item ${id} ${url_for(".next")}`, #{ endpoint: "item" });
    api.get("/next", || "next", #{ endpoint: "next" });
    api.get("/moved", || "other", #{ host: "other.example", endpoint: "other" });
    app.register_blueprint(api);
    let web = Blueprint("web", #{ host: "<name>.web" });
    web.get("/<path:page>", |page, name| #{ page: page, name: name, args: request.view_args });
    app.register_blueprint(web);
    app.get("/tenant", |t| `tenant ${t}`, #{ subdomain: "<t>", endpoint: "tenant" });
}
fn only(id) { `only ${id}` }
"#;

fn ask(mock: &Mock, method: &str, target: &str, host: &str) -> Reply {
    mock.send(method, target, &[("Host", host)], b"")
}

#[test]
fn a_rule_with_a_host_serves_only_that_host() {
    let mock = Mock::serving(HOSTS);
    for (method, target, host, status, body) in [
        ("GET", "/users", "a.example", 200, "a"),
        ("GET", "/users", "A.Example:8000", 200, "a"),
        ("GET", "/users", "a.example:8001", 200, "port"),
        ("GET", "/users", "x.example.com", 200, "sub x"),
        ("GET", "/users", "c.example", 200, "any"),
        ("GET", "http://a.example/users", "c.example", 200, "a"),
        ("POST", "/only/7", "b.example", 200, "only 7"),
        ("POST", "/only/7", "a.example", 404, ""),
        ("GET", "/only/7", "b.example", 405, ""),
        ("GET", "/only/7", "a.example", 404, ""),
        ("GET", "/v1/items/7", "api.example.com:8000", 200, "item 7 /v1/next"),
        ("GET", "/v1/items/7", "api", 200, "item 7 /v1/next"),
        ("GET", "/v1/items/7", "www.example.com", 404, ""),
        ("GET", "/v1/moved", "other.example", 200, "other"),
        ("GET", "/v1/moved", "api.example", 404, ""),
        ("GET", "/tenant", "ann.example", 200, "tenant ann"),
        ("GET", "/tenant", "127.0.0.1:8000", 404, ""),
        ("GET", "/tenant", "[::1]:8000", 404, ""),
        (
            "GET",
            "/x/y",
            "shop.web",
            200,
            "{\"args\":{\"name\":\"shop\",\"page\":\"x/y\"},\"name\":\"shop\",\"page\":\"x/y\"}\n",
        ),
    ] {
        let reply = ask(&mock, method, target, host);
        assert_eq!(reply.status, status, "{target} {host}: {}", reply.text());
        if status == 200 {
            assert_eq!(reply.text(), body, "{target} {host}");
        }
    }
    assert_eq!(ask(&mock, "OPTIONS", "/only/7", "b.example").header("allow"), "OPTIONS, POST");
}

#[test]
fn hosts_are_listed_and_explained() {
    let folder = Folder::new();
    folder.write("provision/initial", HOSTS);
    let output = binary().arg("routes").arg(folder.0.join("provision/initial")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for rule in ["a.example/users ", "<sub>.example.com/users ", "api.*/v1/items/<int:id> ", "\n/users "] {
        assert!(text.contains(rule), "{text}");
    }
    let output = binary().arg("check").arg(folder.0.join("provision/initial")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let mock = Mock::start_with(&["--explain"], |folder| folder.write("provision/initial", HOSTS));
    let page = ask(&mock, "POST", "/only/7", "a.example:81").text();
    let expected =
        "`POST b.example/only/&lt;int:id&gt;`: the host is `a.example:81`, the rule is for `b.example`\n";
    assert!(page.contains(expected), "{page}");
    let page = ask(&mock, "GET", "/v1/item/7", "b").text();
    let expected = "`GET api.*/v1/items/&lt;int:id&gt;`: `item` is nearly `items`; the host is `b`, the rule is for `api.*`\n";
    assert!(page.contains(expected), "{page}");
}

#[test]
fn redirects_and_rules_without_endpoint_or_methods_are_served() {
    let mock = Mock::serving(
        r#"fn registerRules() {
    app.add_url_rule("/old/<int:id>", "old", #{ redirect_to: "/new/<int:id>" });
    app.add_url_rule("/older/<name>", #{ redirect_to: "new/<name>?from=<name>", methods: ["GET", "POST"] });
    app.add_url_rule("/away", "away", away, #{ redirect_to: "https://example.com/" });
    app.add_url_rule("/unnamed", (), unnamed);
    app.add_url_rule("/unnamed-put", (), unnamed, ["PUT"]);
    app.add_url_rule("/silent", "silent", unnamed, #{ methods: [] });
    app.add_url_rule("/dead", "dead", unnamed, #{ methods: [], provide_automatic_options: false });
}
fn away() { "not called" }
fn unnamed() { request.endpoint }
"#,
    );
    for (line, status, header) in [
        ("GET /old/007?a=1", 308, "location: /new/7"),
        ("POST /old/7", 405, "allow: GET, HEAD, OPTIONS"),
        ("POST /older/a%20b", 308, "location: /new/a%20b?from=a%20b"),
        ("GET /away", 308, "location: https://example.com/"),
        ("GET /silent", 405, "allow: OPTIONS"),
        ("OPTIONS /silent", 200, "allow: OPTIONS"),
        ("GET /dead", 404, ""),
        ("OPTIONS /dead", 404, ""),
    ] {
        let (method, target) = line.split_once(' ').unwrap();
        let reply = mock.send(method, target, &[], b"");
        assert_eq!(reply.status, status, "{line}");
        if let Some((name, value)) = header.split_once(": ") {
            assert_eq!(reply.header(name), value, "{line}");
        }
    }
    assert_eq!(mock.get("/unnamed").text(), "unnamed");
    assert_eq!(mock.send("PUT", "/unnamed-put", &[], b"").text(), "unnamed");
}

#[test]
fn wrong_options_fail_at_load() {
    for (line, error) in [
        (
            "app.get(\"/a\", || 1, #{ host: \"http://a\" });",
            "rule `/a`: option `host` is `http://a`: write the name alone, such as `api.example.com`",
        ),
        ("app.get(\"/a\", || 1, #{ host: 7 });", "option `host` must be a text, not i64"),
        (
            "app.get(\"/a\", || 1, #{ host: \"a\", subdomain: \"b\" });",
            "rule `/a`: give `host` or `subdomain`, not both",
        ),
        (
            "app.get(\"/<x>\", |x| x, #{ host: \"<x>.b\" });",
            "rule `/<x>`: variable `x` is used twice, in path and host",
        ),
        (
            "app.add_url_rule(\"/a\", #{ redirect_to: \"/<x>\" });",
            "rule `/a`: option `redirect_to` has `<x>`, which is no variable of the rule",
        ),
        (
            "app.add_url_rule(\"/a\", \"a\", #{ methods: [\"GET\"] });",
            "rule `/a` has no view function: give one, or `#{ redirect_to: \"/new\" }`",
        ),
        (
            "app.add_url_rule(\"/a\", 7, || 1);",
            "the endpoint is a text, or () for the name of the view function, not 7",
        ),
        (
            "Blueprint(\"a\", #{ hosts: \"x\" });",
            "unknown option `hosts`: there are url_prefix, host and subdomain",
        ),
    ] {
        let folder = Folder::new();
        folder.write("p", &format!("fn registerRules() {{ {line} }}"));
        let output = binary().arg("check").arg(folder.0.join("p")).output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(text.contains(&format!(": {error}\n")), "{line}: {text}");
    }
}
