//! Views that fail for the request that they got.

use super::run;
use crate::harness::{Folder, Mock};

const JSON: &str =
    "send `-H 'Content-Type: application/json'`, or read it by `request.get_json(#{ force: true })`";

/// The body of a view, the Content-Type and the body of the request, the message of the 500, and its hint.
const REQUESTS: &[(&str, &str, &str, &str, &str)] = &[
    (
        "request.json.name",
        "application/x-www-form-urlencoded",
        "{\"name\": 1}",
        "`()` has no property `name`",
        "`request.json` is `()`, for the Content-Type of this request is `application/x-www-form-urlencoded`: {JSON}",
    ),
    (
        "request.json[\"name\"]",
        "application/x-www-form-urlencoded",
        "[1]",
        "`()` has no items, and none by string",
        "`request.json` is `()`, for the Content-Type of this request is `application/x-www-form-urlencoded`: {JSON}",
    ),
    (
        "let item = request.json; item.name",
        "application/x-www-form-urlencoded",
        "name=1",
        "`()` has no property `name`",
        "`request.json` is `()`, for the Content-Type of this request is `application/x-www-form-urlencoded`: read a form by `request.form`, or send JSON with `-H 'Content-Type: application/json'`",
    ),
    (
        "request.json.name",
        "",
        "{}",
        "`()` has no property `name`",
        "`request.json` is `()`, for this request has no Content-Type: {JSON}",
    ),
    (
        "request.json.len()",
        "text/plain",
        "{}",
        "no function `len (())`",
        "`request.json` is `()`, for the Content-Type of this request is `text/plain`: {JSON}",
    ),
    (
        "request.json.a.b",
        "application/json",
        "{}",
        "`()` has no property `b`",
        "where a value may be `()`, write `?.` or `?[`: `x?.name ?? \"none\"`",
    ),
    (
        "store[\"none\"][0]",
        "application/json",
        "",
        "`()` has no items, and none by i64",
        "where a value may be `()`, write `?.` or `?[`: `x?.name ?? \"none\"`",
    ),
    (
        "store.orders[7] = #{ id: 7 }",
        "application/json",
        "",
        "`()` has no items, and none by i64",
        "begin with a map, `#{}`; in `store` give each value a key of its own: `store[\"order:\" + id] = order`",
    ),
    (
        "let order = store[\"none\"]; order.paid = true;",
        "application/json",
        "",
        "`()` has no property `paid`",
        "begin with a map, `#{}`; in `store` give each value a key of its own: `store[\"order:\" + id] = order`",
    ),
    (
        "store.orders = #{}; store.orders[7] = 1;",
        "application/json",
        "",
        "map has no items, and none by i64",
        "the keys of a map are texts: `map[\"\" + id]`",
    ),
    ("request.json.a.b.c", "application/json", "{\"a\": {\"b\": 1}}", "i64 has no property `c`", ""),
];

#[test]
fn a_view_that_fails_for_a_missing_value_says_what_to_send_or_to_write() {
    let (folder, mock) = (Folder::new(), Mock::start());
    for (number, (view, kind, body, message, hint)) in REQUESTS.iter().enumerate() {
        let (name, hint) = (format!("p{number}"), hint.replace("{JSON}", JSON));
        let source = format!("fn registerRules() {{ app.post(\"/x\", x); }}\nfn x() {{ {view} }}\n");
        folder.write(&name, &source);
        mock.activate(&name, &source);
        let headers: Vec<(&str, &str)> =
            Some(("Content-Type", *kind)).filter(|_| !kind.is_empty()).into_iter().collect();
        let failed = mock.send("POST", "/x", &headers, body.as_bytes());
        assert_eq!(failed.status, 500, "{view}");
        let text = failed.text();
        assert!(text.starts_with(&format!("script error in provision `{name}`: line 2, column ")), "{text}");
        assert!(text.contains(&format!(": {message}\n")), "{view}\n{text}");
        let help = if hint.is_empty() { String::new() } else { format!("  = help: {hint}\n") };
        assert_eq!(text.split_once("  = help").is_some(), !hint.is_empty(), "{text}");
        assert!(text.ends_with(&help), "{view}\n{text}");
        let header =
            if kind.is_empty() { "Content-Type:".to_owned() } else { format!("Content-Type: {kind}") };
        let tried = ["try", &name, "POST", "/x", "-H", &header, "-d", body];
        let (code, out, error) = run(&folder, &tried);
        assert!(code == Some(1) && out.ends_with(&help), "{view}\n{out}\n{error}");
        let help = if hint.is_empty() { String::new() } else { format!(" (help: {hint})") };
        mock.wait_for_log(&format!("ERROR POST /x: script error in provision `{name}`: line 2, "));
        mock.wait_for_log(&format!(": {message}{help}\n"));
    }
}

#[test]
fn json_that_is_empty_or_malformed_is_a_400() {
    let mock = Mock::serving("fn registerRules() { app.post(\"/x\", || request.json.name); }");
    for (body, why) in [("", "the body is empty"), ("{\"name\":", "EOF"), ("name=1", "expected")] {
        let reply = mock.post("/x", "application/json", body.as_bytes());
        assert_eq!(reply.status, 400, "{body}");
        let text = reply.text();
        assert!(text.contains("failed to decode json: ") && text.contains(why), "{text}");
    }
}
