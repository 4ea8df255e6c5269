//! `--explain`: the default pages of 404 and 405 list the closest rules. The ledger and `check` list rules that never serve.

use crate::harness::{Folder, Mock, binary};
use serde_json::{Value, json};

const PROVISION: &str = r#"
fn registerRules() {
    app.get("/orders/<int:id>", |id| id.to_string(), #{ endpoint: "order" });
    app.post("/orders", || abort(404, "sold out"), #{ endpoint: "new" });
}
"#;

fn page(code: &str, name: &str, text: &str, more: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=en>\n<title>{code} {name}</title>\n<h1>{name}</h1>\n<p>{text}</p>\n{more}"
    )
}

fn not_found(more: &str) -> String {
    page("404", "Not Found", "The requested URL was not found on this server.", more)
}

fn started(source: &str) -> Mock {
    Mock::start_with(&["--explain"], |folder| folder.write("provision/initial", source))
}

#[test]
fn pages_list_the_closest_rules_with_the_flag() {
    let mock = started(PROVISION);
    let closest = |lines: &str| format!("<p>The closest rules:</p>\n<pre>\n{lines}</pre>\n");
    let reply = mock.get("/orders/%3Cb%3E");
    let line = "`GET /orders/&lt;int:id&gt;`: `&lt;b&gt;` is no int\n`POST /orders`: a segment too many: `&lt;b&gt;`; the method is GET, the rule takes POST\n";
    assert_eq!((reply.status, reply.text()), (404, not_found(&closest(line))));
    let reply = mock.send("PUT", "/orders/7", &[], b"");
    let text = "The method is not allowed for the requested URL.";
    let line = "`GET /orders/&lt;int:id&gt;`: the method is PUT, the rule takes GET\n`POST /orders`: a segment too many: `7`; the method is PUT, the rule takes POST\n";
    let expected = page("405", "Method Not Allowed", text, &closest(line));
    assert_eq!((reply.status, reply.text()), (405, expected));
    assert_eq!(reply.header("allow"), "GET, HEAD, OPTIONS");
    assert_eq!(mock.get("/nothing/like/it").text(), not_found("<p>No rule is close to it.</p>\n"));
    // A view that aborts had a matching rule, so nothing is explained.
    assert_eq!(mock.post("/orders", "text/plain", b"").text(), page("404", "Not Found", "sold out", ""));
}

#[test]
fn pages_are_plain_without_the_flag_and_error_handlers_replace_them() {
    let mock = Mock::serving(PROVISION);
    assert_eq!(mock.get("/orders/x").text(), not_found(""));
    let handled =
        PROVISION.replace("Rules() {", "Rules() { app.register_error_handler(404, |e| [\"mine\", 404]);");
    assert_eq!(started(&handled).get("/orders/x").text(), "mine");
    let hooked = PROVISION
        .replace("Rules() {", "Rules() { app.before_request(|| abort(make_response(\"hook\", 404)));");
    assert_eq!(started(&hooked).get("/orders/x").text(), "hook");
}

/// The journal has the closest rules also without the flag.
#[test]
fn entries_without_a_rule_have_the_closest_rules() {
    let mock = Mock::serving(PROVISION);
    mock.get("/orders/abc");
    mock.send("PUT", "/orders/7", &[], b"");
    mock.get("/orders/7");
    mock.get("/nothing/like/it");
    let list = || mock.admin("GET /app/v1/requests", &[], b"").json()["requests"].clone();
    let closest = [
        Some(json!([
            "`GET /orders/<int:id>`: `abc` is no int",
            "`POST /orders`: a segment too many: `abc`; the method is GET, the rule takes POST"
        ])),
        Some(json!([
            "`GET /orders/<int:id>`: the method is PUT, the rule takes GET",
            "`POST /orders`: a segment too many: `7`; the method is PUT, the rule takes POST"
        ])),
        None,
        Some(json!([])),
    ];
    let entries = list();
    for (index, expected) in closest.iter().enumerate() {
        assert_eq!(entries[index].get("closest"), expected.as_ref(), "{index}");
        let alone = mock.admin(&format!("GET /app/v1/requests/{}", index + 1), &[], b"").json();
        assert_eq!(alone.get("closest"), expected.as_ref(), "{index}");
        assert_eq!(alone["unmatched"].is_null(), expected.is_none());
    }
    // After an activation the old rules are no longer listed.
    mock.activate("other", "fn registerRules() { app.get(\"/orders\", || \"\"); }");
    let entries = list();
    for (index, expected) in closest.iter().enumerate() {
        assert_eq!(entries[index].get("closest"), expected.as_ref().map(|_| &Value::Null), "{index}");
    }
}

#[test]
fn a_provision_that_is_activated_later_is_explained_too() {
    let mock = started(PROVISION);
    mock.activate("other", "fn registerRules() { app.get(\"/items\", || \"\"); }");
    assert!(mock.get("/itmes").text().ends_with("`GET /items`: `itmes` is nearly `items`\n</pre>\n"));
}

#[test]
fn ledger_and_check_list_rules_that_never_serve() {
    let source = "fn registerRules() {\n  app.get(\"/a/<x>\", |x| x, #{ endpoint: \"a\" });\n  app.get(\"/a/<y>\", |y| y, #{ endpoint: \"b\" });\n}\n";
    let mock = Mock::serving(source);
    mock.get("/a/1");
    let rules = mock.admin("GET /app/v1/provision", &[], b"").json()["rules"].clone();
    let marks = |at: usize| {
        [&rules[at]["hits"], &rules[at]["never_hit"], &rules[at]["shadowed_by"]].map(ToString::to_string)
    };
    assert_eq!(marks(0), ["1", "false", "null"]);
    assert_eq!(marks(1), ["0", "true", "\"/a/<x>\""]);
    let folder = Folder::new();
    folder.write("shadow", source);
    let output = binary().args(["check", "shadow"]).current_dir(&folder.0).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let expected = "warning: rule `/a/<y>` (shadow:3) never serves: `/a/<x>` (shadow:2) comes first\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "shadow: ok, 2 rules\n");
}
