//! Requests through layers, without sockets.

use super::*;
use crate::directory::fixture::Folder;
use crate::provisioning::layers::OverlayId;
use crate::provisioning::rule_row::RuleRow;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::files::Files;
use std::time::{Duration, Instant};

const BASE: &str = r#"fn registerRules() {
    app.get("/orders", || "base");
    app.get("/orders/<int:id>", |id| `base ${id} ${store.get("paid", "open")}`);
    app.add_url_rule("/own", "own", || "base's own OPTIONS", ["GET", "OPTIONS"]);
    app.get("/exact", || "base exact");
    app.errorhandler(404, |error| ["base 404", 404]);
    app.after_request(|r| { r.headers["X-Hook"] = "base"; r });
}"#;

fn provision(name: &str, source: &str) -> Arc<Provision> {
    let folder = Folder::new();
    let directory = Arc::new(folder.directory());
    let files = Files::new(directory, name, Some(source.into()), Arc::default());
    let files = if name == "base" { files } else { files.sharing() };
    let engine = Arc::new(script::engine(Budget::default()));
    let loaded = Provision::load(&engine, Budget::default(), files).unwrap_or_else(|error| panic!("{error}"));
    let mut provision = loaded.into_provision(name).unwrap();
    provision.explain = true;
    Arc::new(provision)
}

fn rules(text: &str) -> String {
    format!("fn registerRules() {{ {text} }}")
}

/// An overlay for all requests, or for those with the member `test=` and `test`.
fn overlay(name: &str, test: Option<&str>, source: &str) -> Overlay {
    let member = test.map(|value| Member { key: "test".to_owned(), value: value.to_owned() });
    let id = OverlayId { name: name.to_owned(), member };
    Overlay { id, provision: provision(name, &rules(source)), until: None }
}

fn layers(overlays: Vec<Overlay>) -> Layers {
    Layers { generation: 1, base: provision("base", BASE), overlays }
}

fn send(layers: &Layers, line: &str, baggage: &str) -> Outcome {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::from_parts(method, path, [("baggage", baggage)], Vec::new(), None, None);
    handle_layers(layers, &Chaos::default(), &Conditions::default(), &mut Arc::new(request))
}

/// Status, body, the header `name`, and the name of the overlay that answered.
fn answered(layers: &Layers, line: &str, baggage: &str, name: &str) -> (u16, String, String, String) {
    let outcome = send(layers, line, baggage);
    let answer = &outcome.reply.answer;
    let header = answer.headers.iter().find(|(key, _)| *key == *name);
    (
        answer.status,
        String::from_utf8_lossy(answer.body.bytes()).into_owned(),
        header.map(|(_, value)| value.to_string()).unwrap_or_default(),
        outcome.overlay.map(|index| layers.overlays[index].id.to_string()).unwrap_or_default(),
    )
}

fn expected(status: u16, body: &str, header: &str, overlay: &str) -> (u16, String, String, String) {
    (status, body.to_owned(), header.to_owned(), overlay.to_owned())
}

#[test]
fn the_newest_overlay_with_a_rule_answers_by_its_own_functions() {
    let layers = layers(vec![
        overlay("new", None, r#"app.get("/orders", || "new");"#),
        overlay(
            "old",
            None,
            r#"app.get("/orders", || "old"); app.get("/orders/7", || abort(503));
               app.errorhandler(503, |error| ["old's handler", 503]); app.after_request(|r| { r.headers["X-Hook"] = "old"; r });"#,
        ),
    ]);
    for (line, answer) in [
        ("GET /orders", expected(200, "new", "", "`new`")),
        ("GET /orders/7", expected(503, "old's handler", "old", "`old`")),
        ("GET /orders/8", expected(200, "base 8 open", "base", "")),
        ("GET /nowhere", expected(404, "base 404", "base", "")),
    ] {
        assert_eq!(answered(&layers, line, "", "X-Hook"), answer, "{line}");
    }
    let hits = |overlay: Option<usize>| layers.provision(overlay).views[0].hits(0);
    assert_eq!((hits(Some(0)), hits(Some(1)), hits(None)), (1, 0, 0));
}

#[test]
fn an_overlay_for_a_member_serves_only_requests_that_carry_it() {
    let layers = layers(vec![
        overlay("a", Some("17"), r#"app.get("/orders", || "seventeen");"#),
        overlay("a", Some("18"), r#"app.get("/orders", || "eighteen");"#),
    ]);
    for (baggage, body) in [
        ("", "base"),
        ("test=17", "seventeen"),
        ("test=18", "eighteen"),
        ("test=1", "base"),
        ("Test=17", "base"),
        ("user=5, test=18;p=1", "eighteen"),
        ("test=%31%37", "seventeen"),
        ("test=18,test=17", "seventeen"),
    ] {
        assert_eq!(answered(&layers, "GET /orders", baggage, "").1, body, "{baggage}");
    }
}

#[test]
fn an_ended_overlay_serves_no_request() {
    let mut layers = layers(vec![overlay("a", None, r#"app.get("/orders", || "overlay");"#)]);
    layers.overlays[0].until = Some(Instant::now() + Duration::from_secs(3600));
    assert_eq!(answered(&layers, "GET /orders", "", "").1, "overlay");
    layers.overlays[0].until = Some(Instant::now());
    assert_eq!(answered(&layers, "GET /orders", "", "").1, "base");
    assert_eq!((layers.names(), layers.rows(0).1.len()), (String::new(), 0));
}

#[test]
fn methods_of_all_layers_are_allowed() {
    let layers = layers(vec![overlay(
        "a",
        None,
        r#"app.post("/orders", || "posted"); app.put("/new", || 1); app.get("/own", || "overlay's");
           app.post("/exact/", || 1);"#,
    )]);
    for (line, answer) in [
        ("GET /orders", expected(200, "base", "", "")),
        ("POST /orders", expected(200, "posted", "", "`a`")),
        ("DELETE /orders", (405, String::new(), "GET, HEAD, OPTIONS, POST".into(), String::new())),
        // The base answers, with its hooks: they may add headers that browsers need.
        ("OPTIONS /orders", expected(200, "", "GET, HEAD, OPTIONS, POST", "")),
        ("GET /new", (405, String::new(), "OPTIONS, PUT".into(), String::new())),
        ("OPTIONS /new", expected(200, "", "OPTIONS, PUT", "`a`")),
        ("OPTIONS /orders/7", expected(200, "", "GET, HEAD, OPTIONS", "")),
        ("GET /own", expected(200, "overlay's", "", "`a`")),
        // A rule that answers OPTIONS itself wins over an answer that only lists methods.
        ("OPTIONS /own", expected(200, "base's own OPTIONS", "", "")),
        // A redirect to the path with a slash would hide the rule of the base.
        ("GET /exact", expected(200, "base exact", "", "")),
        ("POST /exact", (308, String::new(), String::new(), "`a`".into())),
    ] {
        let (status, body, allow, overlay) = answered(&layers, line, "", "Allow");
        let body = if answer.1.is_empty() { String::new() } else { body };
        assert_eq!((status, body, allow, overlay), answer, "{line}");
    }
    let outcome = send(&layers, "GET /new", "");
    assert_eq!(
        outcome.unmatched.map(|unmatched| unmatched.words()),
        Some("no rule for the path serves the method")
    );
}

#[test]
fn an_overlay_with_a_policy_of_cors_answers_preflights() {
    let cors = r#"app.cors(#{ origins: ["https://a.example"] });"#;
    for (policy, overlay_name) in [("", ""), (cors, "`a`")] {
        let source = format!(r#"{policy} app.post("/orders", || 1);"#);
        let layers = layers(vec![overlay("a", None, &source)]);
        let answer = expected(200, "", "GET, HEAD, OPTIONS, POST", overlay_name);
        assert_eq!(answered(&layers, "OPTIONS /orders", "", "Allow"), answer, "{policy}");
    }
}

#[test]
fn url_for_knows_the_endpoints_of_the_overlay_and_of_the_base() {
    let layers = layers(vec![overlay(
        "a",
        None,
        r#"app.add_url_rule("/orders/new", "fresh", || url_for("fresh") + " " + url_for("own"));
           app.get("/wrong", || url_for("nothing"));"#,
    )]);
    assert_eq!(answered(&layers, "GET /orders/new", "", "").1, "/orders/new /own");
    let error = send(&layers, "GET /wrong", "").error.unwrap();
    let error_text =
        "script error in overlay `a`: line 2, column 33: url_for: no rule has endpoint `nothing`";
    assert_eq!(&*error, error_text);
}

#[test]
fn an_overlay_shares_the_store_of_the_base() {
    let layers = layers(vec![overlay(
        "pay",
        None,
        r#"app.post("/orders/<int:id>", |id| { store.set("paid", `paid ${id}`); "thanks" });"#,
    )]);
    assert_eq!(answered(&layers, "POST /orders/7", "", "").1, "thanks");
    assert_eq!(answered(&layers, "GET /orders/8", "", "").1, "base 8 paid 7");
}

#[test]
fn near_misses_name_the_overlay() {
    let without = provision("base", &rules(r#"app.get("/orders", || 1);"#));
    let overlays = vec![overlay("a", Some("17"), r#"app.get("/order/<int:id>", |id| 1);"#)];
    let layers = Layers { generation: 1, base: without, overlays };
    let page = answered(&layers, "GET /order/x", "test=17", "").1;
    let overlay = "`GET /order/&lt;int:id&gt;`: `x` is no int (overlay `a` for baggage `test=17`)";
    assert!(page.contains(overlay), "{page}");
    let page = answered(&layers, "GET /order/x", "", "").1;
    assert!(!page.contains("overlay"), "{page}");
}

/// Returns `rule by rule of overlay` for each shadowed rule.
fn shadowed(rows: &[RuleRow]) -> Vec<String> {
    let shadowed = |row: &RuleRow| Some(format!("{} by {}", row.rule, row.shadowed_by.as_ref()?));
    rows.iter().filter_map(shadowed).collect()
}

#[test]
fn a_rule_of_an_overlay_shadows_those_below_it() {
    let layers = layers(vec![
        overlay("newest", None, r#"app.get("/orders/<any>", |any| 1);"#),
        overlay("some", Some("17"), r#"app.get("/orders", || 1); app.get("/orders/<int:id>", |id| 1);"#),
        overlay("post", None, r#"app.post("/exact", || 1);"#),
    ]);
    let (base, overlays) = layers.rows(0);
    let by = |rule: &str| format!("{rule} by /orders/<any> of overlay `newest`");
    assert_eq!(shadowed(&base), [by("/orders/<int:id>")]);
    let of_overlays: Vec<String> = overlays.iter().flat_map(|row| shadowed(&row.rules)).collect();
    assert_eq!(of_overlays, [by("/orders/<int:id>")]);
    let unused = layers.unused();
    assert!(unused.contains(&"GET /orders".to_owned()), "{unused:?}");
    assert!(unused.contains(&"GET /orders of overlay `some` for baggage `test=17`".to_owned()), "{unused:?}");
}

#[test]
fn a_wider_rule_of_an_overlay_shadows_others() {
    for (rule, expected) in [
        (r#"app.get("/orders", || 1);"#, &["/orders"][..]),
        (r#"app.get("/<path:all>", |all| 1);"#, &["/orders", "/orders/<int:id>", "/exact"]),
        (r#"app.get("/orders/<path:rest>", |rest| 1);"#, &["/orders/<int:id>"]),
        (r#"app.get("/orders/<float:id>", |id| 1);"#, &[]),
        (r#"app.get("/<string(length=6):any>", |any| 1);"#, &[]),
        (r#"app.post("/<path:all>", |all| 1);"#, &[]),
    ] {
        let base = layers(vec![overlay("a", None, rule)]).rows(0).0;
        let rows = base.iter().filter(|row| row.shadowed_by.is_some() && row.rule != "/own");
        assert_eq!(rows.map(|row| row.rule.as_str()).collect::<Vec<_>>(), expected, "{rule}");
    }
}
