//! Forwarding beside other parts: chaos, journal, overlays, lists of rules, trials and replays.

use super::upstream::{LARGE, Upstream};
use super::{RULES, summary};
use crate::harness::{Client, Folder, Mock, Reply, binary, eventually};
use serde_json::{Value, json};
use std::process::Command;

const PLAIN: &[(&str, &str)] = &[("Content-Type", "text/plain")];

fn chaos(mock: &Mock, act: &Value) {
    let body = json!([act]).to_string();
    let reply = mock.admin("PUT /app/v1/chaos", &[("Content-Type", "application/json")], body.as_bytes());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// Returns the last entry of the journal, once the answer of its stream has ended.
fn last_entry(mock: &Mock) -> Value {
    eventually(|| {
        let list = mock.admin("GET /app/v1/requests", &[], b"").json();
        let entry =
            list["requests"].as_array().and_then(|entries| entries.last()).cloned().unwrap_or_default();
        if entry["stream"].is_object() && entry["stream"]["ended"].is_null() { Err(entry) } else { Ok(entry) }
    })
}

/// Returns the status and the number of bytes that a client gets; `None` where the connection broke before the answer or in it.
fn got(mock: &Mock, path: &str) -> Option<(u16, usize)> {
    let reply = Client::new(&mock.traffic).try_send("GET", path, &[], b"").ok()?;
    Some((reply.status, reply.body.len()))
}

#[test]
fn chaos_and_the_journal_treat_forwarded_answers_like_others() {
    let upstream = Upstream::start();
    let mock = Mock::serving(&upstream.provision(
        r#"fn registerRules() {
            app.forward("/large", "URL");
            app.forward("/<path:rest>", "URL");
            app.after_request(|r| { if request.args.get("status") != () { r.status = request.args.status } });
        }"#,
    ));
    for (path, act, expected, status, fault) in [
        ("/small", json!({ "delay": 20 }), Some((200, 11)), 200, json!("delay 20 ms (chaos 1)")),
        ("/small", json!({ "fault": "reset" }), None, 0, json!("fault reset (chaos 2)")),
        ("/small", json!({ "fault": "partial" }), None, 0, json!("fault partial (chaos 3)")),
        (
            "/small",
            json!({ "dribble": { "chunks": 2, "ms": 10 } }),
            Some((200, 11)),
            200,
            json!("dribble 2 chunks in 10 ms (chaos 4)"),
        ),
        // The other server is not asked.
        ("/small", json!({ "status": 503 }), Some((503, 0)), 503, json!("status 503 (chaos 5)")),
        ("/large", json!({ "delay": 20 }), Some((200, LARGE)), 200, json!("delay 20 ms (chaos 6)")),
        ("/large", json!({ "fault": "reset" }), None, 0, json!("fault reset (chaos 7)")),
        ("/large", json!({ "fault": "partial" }), None, 200, json!("fault partial (chaos 8)")),
        (
            "/large",
            json!({ "stream": { "break_after": 0 } }),
            None,
            200,
            json!("stream break after 0 (chaos 9)"),
        ),
        (
            "/large?status=404",
            json!({ "path": "/other", "status": 500 }),
            Some((404, LARGE)),
            404,
            json!(null),
        ),
        ("/large?status=204", json!({ "path": "/other", "status": 500 }), Some((204, 0)), 204, json!(null)),
    ] {
        chaos(&mock, &act);
        assert_eq!(got(&mock, path), expected, "{path} {act}");
        let entry = last_entry(&mock);
        let rule = if path.starts_with("/large") { "/large" } else { "/<path:rest>" };
        assert_eq!(
            (&entry["status"], &entry["fault"], &entry["rule"]),
            (&json!(status), &fault, &json!(rule)),
            "{act}"
        );
        let ended = if fault.as_str().is_some_and(|fault| !fault.starts_with("delay")) {
            "chaos"
        } else {
            "complete"
        };
        assert!(entry["stream"].is_null() || entry["stream"]["ended"] == ended, "{entry}");
    }
    let gone = upstream.lines();
    assert_eq!((gone.len(), gone.iter().filter(|line| *line == "GET /small").count()), (10, 4));
}

#[test]
fn overlays_forward_their_rules_and_nothing_else() {
    let (upstream, base) = (Upstream::start(), Upstream::start());
    let own = r#"fn registerRules() { app.get("/orders", || "own"); app.forward_unmatched("URL/base"); }"#;
    let mock = Mock::serving(&base.provision(own));
    let load = |target: &str, source: &str| -> Reply {
        mock.admin(&format!("POST /app/v1/provision/{target}"), PLAIN, upstream.provision(source).as_bytes())
    };
    let rules = r#"fn registerRules() { app.forward("/orders", "URL", #{ methods: ["GET"] }); }"#;
    assert_eq!(load("real?overlay&baggage=test%3Da", rules).status, 201);
    let with_test = |line: &str| {
        let (method, target) = line.split_once(' ').unwrap();
        summary(&mock.send(method, target, &[("baggage", "test=a")], b""))
    };
    assert_eq!(with_test("GET /orders"), "200 real /orders");
    assert_eq!(with_test("POST /orders"), "200 real /base/orders");
    assert_eq!(with_test("GET /x"), "200 real /base/x");
    assert_eq!(summary(&mock.get("/orders")), "200 own");
    assert_eq!((upstream.lines(), base.lines().len()), (vec!["GET /orders".to_owned()], 2));
    let reply = load("all?overlay", r#"fn registerRules() { app.forward_unmatched("URL"); }"#);
    let error = "an overlay can't have app.forward_unmatched";
    assert!(reply.status == 422 && reply.text().contains(error), "{}", summary(&reply));
}

#[test]
fn lists_of_rules_show_the_server() {
    let folder = Folder::new();
    let source = RULES
        .replace("URL", "http://real:8080")
        .replace("app.before_request", "app.forward_unmatched(\"http://real\"); app.before_request");
    folder.write("rules", &source);
    let output = binary().args(["routes", "rules"]).current_dir(&folder.0).output().unwrap();
    let table = String::from_utf8_lossy(&output.stdout).into_owned();
    let cells = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>().join(" ");
    let lines: Vec<String> = table.lines().map(cells).collect();
    for line in [
        "RULE METHODS ENDPOINT CONVERTERS LINE FORWARDS TO",
        "/api/own GET,HEAD,OPTIONS closure_2_9 rules:2",
        "/api/<path:rest> * forward /api/<path:rest> rest: path rules:3 http://real:8080/",
        "/api/ * forward /api/ rules:3 http://real:8080/",
        "/v1/ * forward /v1/ rules:4 http://real:8080/base",
        "(unmatched) * http://real/",
    ] {
        assert!(lines.iter().any(|other| other == line), "{line}\n{table}");
    }
    let mock = Mock::serving(&source);
    let list = mock.admin("GET /app/v1/provision", &[], b"").json();
    assert_eq!(list["unmatched_forwards_to"], "http://real/");
    let to: Vec<&Value> = list["rules"].as_array().unwrap().iter().map(|row| &row["forwards_to"]).collect();
    assert_eq!(to[..3], [&json!(null), &json!("http://real:8080/"), &json!("http://real:8080/")]);
    // Another server is a change.
    let next = source.replace("real:8080/base", "other");
    let checked = mock.admin("POST /app/v1/check", PLAIN, next.as_bytes()).json();
    let before = |index: usize| checked["changes"]["rules"]["changed"][index]["before"].clone();
    assert_eq!(before(0), json!({ "forwards_to": "http://real:8080/base" }));
    assert_eq!((before(2), before(3)), (json!({ "forwards_to": "http://real:8080/base" }), json!(null)));
}

fn attempt(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command: Command = binary();
    let output = command.arg("try").args(arguments).current_dir(&folder.0).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_trial_says_where_the_request_would_go() {
    let folder = Folder::new();
    folder.write("rules", &RULES.replace("URL", "http://real:8080"));
    let sends_nothing = "`h1mock try` sends nothing\n";
    for (arguments, expected) in [
        (
            &["rules", "GET", "/api/x?y"][..],
            "rule `/api/<path:rest>` (rules:3)\nforwards to `http://real:8080/api/x?y`: ",
        ),
        (
            &["rules", "GET", "/item/a"],
            "rule `/item/<name>` (rules:8)\nforwards to `http://real:8080/items/a`: ",
        ),
        (&["rules", "GET", "/no?hook"], "no rule\nforwards to `http://real:8080/of-hook`: "),
        (
            &["--forward-unmatched", "http://other/x", "rules", "GET", "/no"],
            "no rule\nforwards to `http://other/x/no`: ",
        ),
    ] {
        let expected = (Some(0), String::new(), format!("{expected}{sends_nothing}"));
        assert_eq!(attempt(&folder, arguments), expected, "{arguments:?}");
    }
}

#[test]
fn a_replay_compares_where_requests_go() {
    let upstream = Upstream::start();
    let source = upstream.provision(
        r#"fn registerRules() {
        app.forward("/same", "URL");
        app.forward("/moved-on", "URL");
        app.get("/mocked", || "mine");
    }"#,
    );
    let mock = Mock::serving(&source);
    for path in ["/same", "/moved-on", "/mocked"] {
        assert_eq!(mock.get(path).status, 200);
    }
    upstream.taken();
    let next = source
        .replace(r#"app.forward("/moved-on", "#, r#"app.get("/moved-on", || "mine"); let gone = ("#)
        .replace(r#"app.get("/mocked", || "mine")"#, r#"app.forward("/mocked", "http://other")"#);
    let checked = mock.admin("POST /app/v1/check?replay=10", PLAIN, next.as_bytes()).json();
    let replay = &checked["replay"];
    let counts = ["same", "different", "unknown", "recorded_otherwise"].map(|name| replay[name].as_u64());
    assert_eq!(counts, [Some(0), Some(2), Some(1), Some(0)], "{checked}");
    let url = &upstream.url;
    let why = format!("it is forwarded to `{url}/same`, and a replay sends nothing");
    assert_eq!(replay["unknowns"][0]["why"], why);
    let forwarded = |index: usize| replay["differences"][index]["forwarded"].clone();
    assert_eq!(forwarded(0), json!({ "before": format!("{url}/moved-on"), "after": null }));
    assert_eq!(forwarded(1), json!({ "before": null, "after": "http://other/mocked" }));
    assert_eq!(upstream.lines(), [""; 0]);
}
