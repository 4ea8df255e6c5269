//! Overlays: rules of a test before those of the active provision.

use crate::harness::{Client, Mock, Reply, Stop, eventually};
use serde_json::Value;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

const BASE: &str = r#"fn registerRules() {
    app.get("/orders", || "base");
    app.get("/visits", || `${store.incr("visits")}`);
    app.post("/pay", || "paid");
}"#;
const BUSY: &str = r#"fn registerRules() { app.get("/orders", || ["busy", 503]); }"#;
const PLAIN: &[(&str, &str)] = &[("Content-Type", "text/plain")];

fn post(mock: &Mock, target: &str, source: &str) -> Reply {
    mock.admin(&format!("POST /app/v1/provision/{target}"), PLAIN, source.as_bytes())
}

/// POSTs an overlay that must load. Returns its generation.
#[track_caller]
fn load(mock: &Mock, target: &str, source: &str) -> u64 {
    let reply = post(mock, target, source);
    assert_eq!(reply.status, 201, "{}", reply.text());
    reply.json()["generation"].as_u64().unwrap()
}

fn remove(mock: &Mock, target: &str) -> Reply {
    mock.admin(&format!("DELETE /app/v1/provision/{target}"), &[], b"")
}

fn with_test(mock: &Mock, target: &str, test: &str) -> String {
    mock.send("GET", target, &[("baggage", &format!("test={test}"))], b"").text()
}

fn list(mock: &Mock) -> Value {
    mock.admin("GET /app/v1/provision", &[], b"").json()
}

/// Returns the names and members of the overlays in the list.
fn names(mock: &Mock) -> Vec<String> {
    let list = list(mock);
    let name = |overlay: &Value| match overlay["baggage"].as_str() {
        Some(baggage) => format!("{} {baggage}", overlay["name"].as_str().unwrap()),
        None => overlay["name"].as_str().unwrap().to_owned(),
    };
    list["overlays"].as_array().unwrap().iter().map(name).collect()
}

#[test]
fn an_overlay_serves_from_its_post_to_its_delete() {
    let mock = Mock::serving(BASE);
    let posted = post(&mock, "busy?overlay", BUSY);
    assert_eq!(
        (posted.status, posted.text().as_str()),
        (201, r#"{"result":"success: overlay 'busy' has been loaded","generation":2}"#)
    );
    assert_eq!((mock.get("/orders").status, mock.get("/visits").text()), (503, "1".to_owned()));
    assert_eq!(mock.active(), ("initial".to_owned(), 2));
    assert!(!mock.directory().join("busy").exists(), "the watcher would activate it");
    assert_eq!(
        load(
            &mock,
            "newer?overlay",
            "fn registerRules() { app.get(\"/orders\", || `${store.get(\"visits\")}`); }"
        ),
        3
    );
    assert_eq!(mock.get("/orders").text(), "1");
    assert_eq!(names(&mock), ["newer", "busy"]);
    let listed = list(&mock);
    let row = &listed["overlays"][0]["rules"][0];
    assert_eq!((&row["hits"], &row["file"], &row["line"]), (&1.into(), &"newer".into(), &1.into()));
    assert_eq!(listed["rules"][0]["shadowed_by"], "/orders of overlay `newer`");
    assert_eq!(listed["overlays"][1]["rules"][0]["shadowed_by"], "/orders of overlay `newer`");
    let checked = mock.admin("POST /app/v1/check", PLAIN, BUSY.as_bytes()).json();
    assert_eq!(checked["rules"][0]["shadowed_by"], "/orders of overlay `newer`");
    // The same name again takes the place of the old one.
    assert_eq!(load(&mock, "busy?overlay", &BUSY.replace("busy", "busier")), 4);
    assert_eq!((names(&mock), mock.get("/orders").text()), (vec!["newer".into(), "busy".into()], "1".into()));
    assert_eq!(
        mock.admin("GET /app/v1/source/busy?overlay", &[], b"").text(),
        BUSY.replace("busy", "busier")
    );
    let removed = remove(&mock, "newer?overlay");
    assert_eq!(
        (removed.status, removed.text().as_str()),
        (200, r#"{"result":"success: overlay 'newer' has been removed","generation":5}"#)
    );
    assert_eq!(mock.get("/orders").text(), "busier");
    remove(&mock, "busy?overlay");
    assert_eq!((mock.get("/orders").text(), mock.active().1), ("base".into(), 6));
    assert_eq!(mock.admin("GET /app/v1/wait?generation=6&timeout=0", &[], b"").status, 200);
}

#[test]
fn two_tests_at_once_meet_their_own_overlays_only() {
    let mock = Mock::serving(BASE);
    std::thread::scope(|scope| {
        for test in ["17", "18"] {
            let mock = &mock;
            scope.spawn(move || {
                let mut client = Client::new(&mock.traffic);
                for round in 0..40 {
                    let own = format!("{test} {round}");
                    load(mock, &format!("a?overlay&baggage=test={test}"), &BUSY.replace("busy", &own));
                    for _ in 0..5 {
                        let baggage = format!("test={test}");
                        let reply = client.send("GET", "/orders", &[("baggage", &baggage)], b"");
                        assert_eq!((reply.status, reply.text()), (503, own.clone()));
                        assert_eq!(client.send("GET", "/orders", &[], b"").text(), "base");
                    }
                }
            });
        }
    });
    let mut both = names(&mock);
    both.sort();
    assert_eq!(both, ["a test=17", "a test=18"]);
    let unknown = remove(&mock, "a?overlay");
    assert_eq!(unknown.status, 404);
    assert!(
        unknown.text().contains("there is no overlay `a`: there are `a` for baggage `test=1"),
        "{}",
        unknown.text()
    );
    assert_eq!(remove(&mock, "a?overlay&baggage=test=17").status, 200);
    assert_eq!(with_test(&mock, "/orders", "17"), "base");
    assert_eq!(with_test(&mock, "/orders", "18"), "18 39");
}

#[test]
fn an_overlay_ends_after_its_time_and_with_a_reset() {
    let mock = Mock::serving(BASE);
    let generation = load(&mock, "busy?overlay&for=300ms", BUSY);
    let left = list(&mock)["overlays"][0]["seconds_left"].as_f64();
    assert!(left.is_none_or(|left| left <= 0.3), "{left:?}");
    // Its end is a generation of its own, so a test can wait for it.
    let next = generation + 1;
    let waited = mock.admin(&format!("GET /app/v1/wait?generation={next}"), &[], b"");
    assert_eq!((waited.status, names(&mock).len(), mock.get("/orders").text()), (200, 0, "base".into()));
    load(&mock, "busy?overlay&for=1h", BUSY);
    load(&mock, "busy?overlay&baggage=test=17", BUSY);
    assert_eq!((with_test(&mock, "/orders", "17"), names(&mock).len()), ("busy".into(), 2));
    let reset = mock.admin("DELETE /app/v1/all", &[], b"");
    assert_eq!(
        reset.text(),
        format!(r#"{{"result":"success: all has been reset","generation":{}}}"#, next + 3)
    );
    assert_eq!((with_test(&mock, "/orders", "17"), names(&mock).len()), ("base".into(), 0));
    let again = mock.admin("DELETE /app/v1/all", &[], b"");
    assert_eq!(again.json()["generation"], next + 3, "nothing that serves has changed");
}

#[test]
fn activations_keep_overlays_without_a_gap() {
    let mock = Mock::serving(BASE);
    load(&mock, "busy?overlay", BUSY);
    let (stop, answers) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        let _stop = Stop(&stop);
        for _ in 0..3 {
            scope.spawn(|| {
                let mut client = Client::new(&mock.traffic);
                while !stop.load(Ordering::Relaxed) {
                    assert_eq!(client.send("GET", "/orders", &[], b"").text(), "busy");
                    assert_eq!(client.send("POST", "/pay", &[], b"").status, 200);
                    answers.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..40 {
            mock.activate(&format!("base{}", round % 2), &BASE.replace("paid", &format!("paid {round}")));
            assert_eq!(mock.post("/pay", "text/plain", b"").text(), format!("paid {round}"));
        }
        eventually(|| if answers.load(Ordering::Relaxed) > 100 { Ok(()) } else { Err("few answers") });
    });
    assert_eq!((mock.active(), names(&mock)), (("base1".into(), 42), vec!["busy".into()]));
    // A touch of a file keeps it, too.
    mock.folder.write("provision/base2", BASE);
    eventually(|| if mock.active().0 == "base2" { Ok(()) } else { Err(mock.log()) });
    assert_eq!(mock.get("/orders").text(), "busy");
}

#[test]
fn an_overlay_that_does_not_load_changes_nothing() {
    let mock = Mock::serving(BASE);
    load(&mock, "busy?overlay", BUSY);
    for (source, reason) in [
        ("fn registerRules() {\n  ( }", "failed to load overlay `busy`: line 2, column 5: "),
        ("fn one() { 1 }", "failed to load overlay `busy`: function registerRules() is missing"),
        (
            "fn registerRules() { app.before_request(|| ()); }",
            "failed to load overlay `busy`: the overlay registers no rule",
        ),
        (
            "fn registerRules() { store.set(\"a\", 1); app.get(\"/\", || 1); }",
            "an overlay shares `store` with the active provision: change it while a request is handled, or with PUT /app/v1/store/KEY",
        ),
    ] {
        let refused = post(&mock, "busy?overlay", source);
        assert_eq!(refused.status, 422, "{}", refused.text());
        let result = refused.json()["result"].as_str().unwrap().to_owned();
        assert!(result.contains(reason) && refused.json()["error"]["file"] == "busy", "{}", refused.text());
    }
    assert_eq!((mock.get("/orders").text(), mock.active()), ("busy".into(), ("initial".into(), 2)));
    // A script that loads reads what the active provision has stored.
    mock.get("/visits");
    load(
        &mock,
        "reads?overlay",
        "fn registerRules() { let n = store.get(\"visits\"); app.get(\"/n\", || `${n}`); }",
    );
    assert_eq!(mock.get("/n").text(), "1");
    let unknown = remove(&mock, "other?overlay");
    assert_eq!(
        (unknown.status, unknown.text().as_str()),
        (404, r#"{"result":"failed: there is no overlay `other`: there are `reads`, `busy`"}"#)
    );
    for (line, status, reason) in [
        ("POST /app/v1/provision/a?overlays", 400, "query parameter `overlays` is for overlays"),
        ("POST /app/v1/provision/a?overlay&baggage=test", 400, "write KEY=VALUE"),
        ("POST /app/v1/provision/a?overlay&for=x", 400, "query parameter `for`: `x` is no duration"),
        ("POST /app/v1/provision/a.json?overlay", 400, "is no name of a provision"),
        ("DELETE /app/v1/provision/busy?overlays", 400, "query parameter `overlays` is for overlays"),
        (
            "GET /app/v1/provision/busy?overlay",
            400,
            "GET activates the stored provision `busy`, and no overlay",
        ),
        ("GET /app/v1/source/other?overlay", 404, "there is no overlay `other`"),
    ] {
        let refused = mock.admin(line, PLAIN, BUSY.as_bytes());
        assert_eq!(refused.status, status, "{line}");
        assert!(refused.text().contains(reason), "{line}: {}", refused.text());
    }
}

#[test]
fn the_number_of_overlays_is_limited() {
    let mock = Mock::serving(BASE);
    for number in 0..100 {
        load(&mock, &format!("o{number}?overlay"), BUSY);
    }
    let refused = post(&mock, "more?overlay", BUSY);
    assert_eq!(
        (refused.status, refused.text().as_str()),
        (409, r#"{"result":"failed: 100 overlays serve, which is the most: remove one first, with DELETE"}"#)
    );
    assert_eq!(load(&mock, "o7?overlay", BUSY), 102, "a replacement is not one more");
    remove(&mock, "o7?overlay");
    load(&mock, "more?overlay", BUSY);
}

#[test]
fn chaos_journal_metrics_and_report_know_the_rules_of_overlays() {
    let mock = Mock::serving(BASE);
    load(
        &mock,
        "busy?overlay&baggage=test=17",
        &format!("{} ", BUSY.replace("}", "app.get(\"/new/<id>\", |id| missing(id)); }")),
    );
    let chaos = br#"{"rule": "/new/<id>", "status": 418, "times": 1}"#;
    assert_eq!(mock.admin("PUT /app/v1/chaos", &[], chaos).status, 200);
    let get = |target: &str| mock.send("GET", target, &[("baggage", "test=17")], b"");
    assert_eq!((get("/new/1").status, get("/new/1").status), (418, 500));
    mock.wait_for_log("script error in overlay `busy`: line 1");
    get("/orders");
    mock.get("/orders");
    let chaos =
        br#"[{"overlay": "busy", "delay": 0}, {"overlay": "", "delay": 0}, {"overlay": "b", "delay": 0}]"#;
    assert_eq!(mock.admin("PUT /app/v1/chaos", &[], chaos).status, 200);
    let entries = mock.admin("GET /app/v1/requests", &[], b"").json();
    let entries = entries["requests"].as_array().unwrap();
    let overlays: Vec<Option<&str>> = entries.iter().map(|entry| entry["overlay"].as_str()).collect();
    assert_eq!(overlays, [Some("busy"), Some("busy"), Some("busy"), None]);
    for (filter, count) in
        [("overlay=busy", 3), ("overlay=", 1), ("overlay!=busy&path=/orders", 1), ("overlay=other", 0)]
    {
        let verdict = mock.admin(&format!("GET /app/v1/verify?{filter}&count={count}"), &[], b"").json();
        assert_eq!(verdict["verdict"], "pass", "{filter}: {verdict}");
    }
    get("/orders");
    get("/missing");
    mock.get("/orders");
    let hits = mock.admin("GET /app/v1/chaos", &[], b"").json();
    let hits: Vec<u64> =
        hits["chaos"].as_array().unwrap().iter().map(|entry| entry["hits"].as_u64().unwrap()).collect();
    assert_eq!(hits, [1, 2, 0]);
    let metrics = mock.admin("GET /metrics", &[], b"").text();
    for line in [
        "h1mock_requests_total{rule=\"/new/<id>\",method=\"GET\",status=\"418\"} 1",
        "h1mock_requests_total{rule=\"/orders\",method=\"GET\",status=\"200\"} 2",
        "h1mock_requests_total{rule=\"/orders\",method=\"GET\",status=\"503\"} 2",
        "h1mock_generation 2",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    let unused = mock.admin("GET /app/v1/report", &[], b"").json()["unused"]["rules"].clone();
    assert_eq!(unused, serde_json::json!(["GET /visits", "POST /pay"]));
    load(&mock, "busy?overlay", BUSY);
    let unused = mock.admin("GET /app/v1/report", &[], b"").json()["unused"]["rules"].clone();
    assert_eq!(unused, serde_json::json!(["GET /visits", "POST /pay", "GET /orders of overlay `busy`"]));
}
