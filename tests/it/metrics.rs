//! `/metrics` of the built program, checked by a strict parser.

#[path = "../../src/observing/metrics/tests/parser.rs"]
#[allow(dead_code)]
mod parser;

use crate::harness::{Client, Mock, eventually};
use parser::Page;
use std::collections::BTreeMap;
use std::fs;

const SOURCE: &str = r#"
fn registerRules() {
    app.add_url_rule("/items/<int:id>", "item", item, ["GET", "POST"]);
    app.get("/wrong", || { throw "too bad" });
    app.get("/held", || { time.sleep(0.6); "held" });
    app.get("/tea", || ["", 418]);
    app.get("/lost", || make_response("made").fault("close"));
    app.get("/cut", || make_response("made").fault("partial"));
}
fn item(id) { if request.method == "POST" { ["made", 201] } else { "item" } }
"#;

#[track_caller]
fn page(mock: &Mock) -> Page {
    let reply = mock.admin("GET /metrics", &[], b"");
    assert_eq!(
        (reply.status, reply.header("content-type")),
        (200, "text/plain; version=0.0.4; charset=utf-8")
    );
    parser::parse(&reply.text()).unwrap_or_else(|error| panic!("{error}\n{}", reply.text()))
}

/// Returns the value of a metric.
#[track_caller]
pub(crate) fn value(mock: &Mock, name: &str, labels: &[(&str, &str)]) -> f64 {
    page(mock).value(name, labels).unwrap()
}

/// Returns how many connections of `listener` have a request that is arriving or not answered in full.
pub(crate) fn busy(mock: &Mock, listener: &str) -> f64 {
    page(mock).value("h1mock_connections_busy", &[("listener", listener)]).unwrap()
}

/// Returns how many answers are held or dribble.
pub(crate) fn held(mock: &Mock) -> f64 {
    page(mock).value("h1mock_held_answers", &[]).unwrap()
}

/// Returns how many requests wait for a key of `store`.
pub(crate) fn waits(mock: &Mock) -> f64 {
    page(mock).value("h1mock_waits_open", &[]).unwrap()
}

/// Returns how many lines of the log were dropped.
pub(crate) fn dropped_lines(mock: &Mock) -> f64 {
    page(mock).value("h1mock_log_dropped_total", &[]).unwrap()
}

/// Waits until `count` answers are held or dribble.
#[track_caller]
pub(crate) fn until_held(mock: &Mock, count: f64) {
    eventually(|| match held(mock) {
        held if held == count => Ok(()),
        held => Err(format!("{held} of {count} answers are held")),
    });
}

fn requests(page: &Page, rule: &str, method: &str, status: &str) -> Option<f64> {
    page.value("h1mock_requests_total", &[("rule", rule), ("method", method), ("status", status)])
}

#[test]
fn requests_are_counted_by_rule_method_and_status() {
    let mock = Mock::serving(SOURCE);
    assert_eq!(page(&mock).value("h1mock_request_duration_seconds_count", &[]), Some(0.0));
    for id in 0..3 {
        mock.get(&format!("/items/{id}"));
    }
    mock.post("/items/7", "text/plain", b"x");
    mock.send("BREW", "/tea", &[], b"");
    mock.get("/tea");
    mock.get("/wrong");
    mock.get("/nowhere?x=1");
    for path in ["/lost", "/cut"] {
        assert!(Client::new(&mock.traffic).try_send("GET", path, &[], b"").is_err());
    }
    let read = page(&mock);
    for (rule, method, status, count) in [
        ("/items/<int:id>", "GET", "200", 3.0),
        ("/items/<int:id>", "POST", "201", 1.0),
        ("/tea", "GET", "418", 1.0),
        ("/wrong", "GET", "500", 1.0),
        ("/lost", "GET", "0", 1.0),
        ("/cut", "GET", "0", 1.0),
        ("none", "GET", "404", 1.0),
        ("none", "other", "405", 1.0),
    ] {
        assert_eq!(requests(&read, rule, method, status), Some(count), "{rule} {method} {status}");
    }
    assert_eq!(read.value("h1mock_request_duration_seconds_count", &[]), Some(10.0));
    assert_eq!(read.value("h1mock_unmatched_requests_total", &[]), Some(2.0));
    assert_eq!(read.value("h1mock_script_errors_total", &[("rule", "/wrong")]), Some(1.0));
    assert_eq!(read.value("h1mock_script_errors_total", &[("rule", "/tea")]), Some(0.0));
    assert!(read.value("h1mock_script_seconds_total", &[("rule", "/wrong")]) > Some(0.0));
    assert!(read.value("process_cpu_seconds_total", &[]) > Some(0.0));
    assert!(read.value("process_resident_memory_bytes", &[]) > Some(1e6));
    assert!(read.value("process_open_fds", &[]) > Some(5.0));
    assert!(read.value("process_start_time_seconds", &[]) > Some(1.7e9));
    assert_eq!(read.value("h1mock_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
    assert_eq!(read.value("h1mock_connections_busy", &[("listener", "admin")]), Some(1.0));
}

#[test]
fn no_counter_goes_back_at_an_activation() {
    let mock = Mock::serving(SOURCE);
    let mut before: BTreeMap<String, f64> = BTreeMap::new();
    let mut client = Client::new(&mock.traffic);
    let mut check = || {
        let now: BTreeMap<String, f64> =
            page(&mock).counters().map(|(name, value)| (name.clone(), value)).collect();
        for (name, value) in &before {
            assert!(now.get(name) >= Some(value), "{name} was {value}, is {:?}", now.get(name));
        }
        before = now;
    };
    for round in 0..6 {
        client.send("GET", "/items/1", &[], b"");
        client.send("GET", "/nowhere", &[], b"");
        check();
        let source =
            if round % 2 == 0 { "fn registerRules() { app.get(\"/other\", || \"x\"); }" } else { SOURCE };
        mock.activate(&format!("v{round}"), source);
        check();
    }
    let read = page(&mock);
    assert_eq!(requests(&read, "/items/<int:id>", "GET", "200"), Some(3.0));
    assert_eq!(requests(&read, "none", "GET", "404"), Some(9.0));
    assert_eq!(read.value("h1mock_loads_total", &[]), Some(7.0));
    assert_eq!(read.value("h1mock_generation", &[]), Some(7.0));
}

#[test]
fn labels_are_bounded_for_any_clients_and_provisions() {
    let mock = Mock::start();
    let mut client = Client::new(&mock.traffic);
    let mut asked = 0;
    for round in 0..2 {
        let rules: String =
            (0..1_200).map(|number| format!("app.get(\"/r{round}-{number}\", || [\"\", 200]);\n")).collect();
        mock.activate("many", &format!("fn registerRules() {{ {rules} }}"));
        for number in (0..1_200).step_by(2) {
            assert_eq!(client.send("GET", &format!("/r{round}-{number}"), &[], b"").status, 200);
            client.send(&format!("METHOD{number}"), &format!("/missing/{number}"), &[], b"");
            asked += 2;
        }
    }
    let text = mock.admin("GET /metrics", &[], b"").text();
    let read = parser::parse(&text).unwrap();
    let series: Vec<&str> = text.lines().filter(|line| line.starts_with("h1mock_requests_total")).collect();
    assert!(series.len() <= 1_064, "{}", series.len());
    let total: f64 = series.iter().map(|line| line.rsplit(' ').next().unwrap().parse::<f64>().unwrap()).sum();
    assert_eq!(total, f64::from(asked));
    assert_eq!(requests(&read, "none", "other", "404"), Some(1_200.0));
    assert!(requests(&read, "other", "GET", "200") > Some(0.0));
}

#[test]
fn held_answers_connections_and_refusals_are_counted() {
    let mock = Mock::serving(SOURCE);
    let mut waiting: Vec<Client> = (0..3).map(|_| Client::new(&mock.traffic)).collect();
    for client in &mut waiting {
        client.write(b"GET /held HTTP/1.1\r\nHost: x\r\n\r\n");
    }
    eventually(|| {
        let read = page(&mock);
        let busy = read.value("h1mock_connections_busy", &[("listener", "mock")]);
        let held = read.value("h1mock_held_answers", &[]);
        if (held, busy) == (Some(3.0), Some(3.0)) { Ok(()) } else { Err(format!("{held:?} {busy:?}")) }
    });
    for client in &mut waiting {
        assert_eq!(client.read(false).text(), "held");
    }
    eventually(|| {
        let held = page(&mock).value("h1mock_held_answers", &[]);
        if held == Some(0.0) { Ok(()) } else { Err(format!("{held:?}")) }
    });
    assert_eq!(page(&mock).value("h1mock_connections", &[("listener", "mock")]), Some(3.0));
    for address in [&mock.traffic, &mock.admin] {
        let mut client = Client::new(address);
        client.write(b"GET / HTTP/1.1\r\n\r\n");
        assert_eq!(client.read(false).status, 400);
    }
    for listener in ["mock", "admin"] {
        let labels = [("listener", listener), ("status", "400")];
        assert_eq!(page(&mock).value("h1mock_refused_requests_total", &labels), Some(1.0), "{listener}");
    }
}

#[test]
fn a_gauge_shows_that_the_configured_provision_does_not_serve() {
    let mock = Mock::serving(SOURCE);
    let differs = || page(&mock).value("h1mock_configured_differs_from_serving", &[]);
    let until = |value: f64| {
        eventually(|| {
            let now = differs();
            if now == Some(value) { Ok(()) } else { Err(format!("{now:?}")) }
        });
    };
    assert_eq!(differs(), Some(0.0));
    assert_eq!(mock.provision("broken", "fn registerRules() { x }").status, 422);
    assert_eq!((differs(), page(&mock).value("h1mock_load_failures_total", &[])), (Some(1.0), Some(1.0)));
    mock.activate("good", SOURCE);
    assert_eq!(differs(), Some(0.0));
    // This provision is stored, but another one is active.
    mock.admin("PUT /app/v1/file/other", &[], SOURCE.as_bytes());
    assert_eq!(differs(), Some(0.0));
    mock.folder.write("provision/good", "fn registerRules() { y }");
    until(1.0);
    mock.folder.write("provision/good", SOURCE);
    until(0.0);
    fs::remove_file(mock.directory().join("good")).unwrap();
    until(1.0);
}

#[test]
fn a_stand_in_for_a_provision_that_failed_to_load_is_not_the_configured_one() {
    let broken = Mock::serving("fn registerRules() { x }");
    let read = page(&broken);
    assert_eq!(read.value("h1mock_configured_differs_from_serving", &[]), Some(1.0));
    assert_eq!(read.value("h1mock_load_failures_total", &[]), Some(1.0));
    let mock = Mock::start_with(&["--on-error", "initial"], |_| ());
    assert_eq!(page(&mock).value("h1mock_configured_differs_from_serving", &[]), Some(0.0));
    mock.activate("good", SOURCE);
    mock.provision("broken", "fn registerRules() { x }");
    assert_eq!(mock.active().0, "initial");
    assert_eq!(page(&mock).value("h1mock_configured_differs_from_serving", &[]), Some(1.0));
}
