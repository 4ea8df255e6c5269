//! The test's clock: `/app/v1/clock`, `--clock`, and what keeps real time.

use crate::harness::{Mock, Reply};
use serde_json::Value;
use std::thread;
use std::time::{Duration, Instant};

const PROVISION: &str = r#"
fn registerRules() {
    let loaded = time.time();
    app.get("/loaded", || loaded.to_string());
    app.get("/now", || datetime.now(timezone.utc).isoformat());
    app.get("/monotonic", || time.monotonic().to_string());
    app.get("/slow", || { time.sleep(0.2); "slow" });
    app.post("/token", || (time.time() + 3600).to_string());
    app.get("/me", || if float(request.headers["X-Expires"]) > time.time() { "you" } else { ["expired", 401] });
    app.get("/cookie", || {
        let r = make_response("");
        r.set_cookie("sid", "1", #{ expires: datetime.now() + timedelta(#{ hours: 1 }) });
        r
    });
}
"#;

const FREEZE: &str = r#"{"freeze": "2026-01-01T00:00:00Z"}"#;

fn put(mock: &Mock, query: &str, body: &str) -> Reply {
    mock.admin(&format!("PUT /app/v1/clock{query}"), &[], body.as_bytes())
}

#[track_caller]
fn set(mock: &Mock, query: &str, body: &str) -> Value {
    let reply = put(mock, query, body);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn clock(mock: &Mock) -> Value {
    mock.admin("GET /app/v1/clock", &[], b"").json()
}

fn now(mock: &Mock, baggage: &str) -> String {
    mock.send("GET", "/now", &[("Baggage", baggage)], b"").text()
}

#[test]
fn a_token_expires_without_waiting() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "", FREEZE);
    let token = mock.send("POST", "/token", &[], b"").text();
    assert_eq!(token, "1767229200.0");
    let me = || mock.send("GET", "/me", &[("X-Expires", &*token)], b"").status;
    assert_eq!(me(), 200);
    set(&mock, "", r#"{"advance": "59m"}"#);
    assert_eq!(me(), 200);
    let clock = set(&mock, "", r#"{"advance": 60}"#);
    assert_eq!(me(), 401);
    assert_eq!(clock["now"], "2026-01-01T01:00:00Z");
    let cookie = mock.get("/cookie");
    assert_eq!(cookie.header("Set-Cookie"), "sid=1; Expires=Thu, 01 Jan 2026 02:00:00 GMT; Path=/");
}

#[test]
fn a_clock_is_frozen_shifted_set_and_fast() {
    let mock = Mock::serving(PROVISION);
    assert!(put(&mock, "", FREEZE).text().starts_with(
        r#"{"result":"success: the clock is set","now":"2026-01-01T00:00:00Z","frozen":true,"speed":0,"shift":"#
    ));
    assert_eq!([now(&mock, ""), now(&mock, "")], ["2026-01-01T00:00:00+00:00"; 2]);
    let monotonic = || mock.get("/monotonic").text().parse::<f64>().unwrap();
    let before = monotonic();
    assert_eq!(before, monotonic());
    set(&mock, "", r#"{"advance": "1h"}"#);
    assert!((monotonic() - before - 3600.0).abs() < 0.001);
    let shifted = set(&mock, "", r#"{"shift": "+2h"}"#);
    assert_eq!((&shifted["shift"], &shifted["frozen"]), (&7200.into(), &false.into()));
    assert_eq!(clock(&mock)["shift"], 7200);
    let fast = set(&mock, "", r#"{"at": 0, "speed": 1000000}"#);
    assert_eq!((&fast["now"], &fast["speed"]), (&"1970-01-01T00:00:00Z".into(), &1_000_000.into()));
    // A million seconds pass in one: two requests are hours apart.
    let (one, two) = (now(&mock, ""), now(&mock, ""));
    assert!(one < two && one.starts_with("1970"), "{one} {two}");
    let stopped = set(&mock, "", r#"{"freeze": "now"}"#);
    assert_eq!(clock(&mock)["now"], stopped["now"]);
    let removed = mock.admin("DELETE /app/v1/clock", &[], b"").text();
    assert_eq!(removed, r#"{"result":"success: scripts see the real time"}"#);
    let shown = clock(&mock);
    assert_eq!((&shown["shift"], &shown["speed"], &shown["frozen"]), (&0.into(), &1.into(), &false.into()));
    assert!(!now(&mock, "").starts_with("19"));
}

#[test]
fn members_of_baggage_have_clocks_of_their_own() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "?baggage=test=17", FREEZE);
    set(&mock, "?baggage=test=18", r#"{"freeze": "2030-06-01"}"#);
    set(&mock, "?baggage=run=a%20b", r#"{"freeze": 0}"#);
    thread::scope(|scope| {
        for (baggage, year) in [("test=17", "2026"), ("test=18", "2030"), ("x=y, run=a%20b;p=1", "1970")] {
            let mock = &mock;
            scope.spawn(move || {
                for _ in 0..20 {
                    assert!(now(mock, baggage).starts_with(year), "{baggage}");
                }
            });
        }
    });
    let real = now(&mock, "test=1");
    assert!(!["2026-01-01T00:00:00", "2030", "1970"].iter().any(|other| real.starts_with(other)), "{real}");
    // A member goes on from its own clock; without one, from that of all.
    set(&mock, "", r#"{"freeze": "2000-01-01"}"#);
    set(&mock, "?baggage=test=17", r#"{"advance": "1d"}"#);
    set(&mock, "?baggage=test=19", r#"{"advance": "1d"}"#);
    assert_eq!(now(&mock, "test=17,run=a%20b"), "2026-01-02T00:00:00+00:00");
    assert_eq!(now(&mock, "run=a%20b,test=17"), "1970-01-01T00:00:00+00:00");
    assert_eq!(now(&mock, "test=19"), "2000-01-02T00:00:00+00:00");
    assert_eq!(now(&mock, "test=1"), "2000-01-01T00:00:00+00:00");
    let shown = clock(&mock);
    assert_eq!(shown["now"], "2000-01-01T00:00:00Z");
    let members: Vec<&String> = shown["baggage"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["run=a b", "test=17", "test=18", "test=19"]);
    let own = mock.admin("GET /app/v1/clock?baggage=test=18", &[], b"").json();
    assert_eq!((&own["now"], own.get("baggage")), (&"2030-06-01T00:00:00Z".into(), None));
    let removed = mock.admin("DELETE /app/v1/clock?baggage=test=18", &[], b"").text();
    assert_eq!(removed, r#"{"result":"success: the clock of `test=18` has been removed"}"#);
    assert_eq!(now(&mock, "test=18"), "2000-01-01T00:00:00+00:00");
    mock.admin("DELETE /app/v1/clock", &[], b"");
    assert_eq!(clock(&mock)["baggage"], serde_json::json!({}));
    assert!(!now(&mock, "test=17").starts_with("2026-01-02"));
}

#[test]
fn sleeps_dates_and_the_journal_keep_real_time() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "", r#"{"at": "2001-01-01T00:00:00Z", "speed": 1000}"#);
    let began = Instant::now();
    let reply = mock.get("/slow");
    assert!(began.elapsed() >= Duration::from_millis(200));
    assert!(!reply.header("Date").contains(" 2001 "), "{}", reply.header("Date"));
    let entry = &mock.admin("GET /app/v1/requests?path=/slow", &[], b"").json()["requests"][0];
    let at = entry["time"].as_str().unwrap();
    assert!(!at.starts_with("2001"), "{at}");
}

#[test]
fn a_load_sees_the_clock_of_all() {
    let mock = Mock::serving(PROVISION);
    set(&mock, "?baggage=test=17", r#"{"freeze": 5}"#);
    set(&mock, "", FREEZE);
    mock.activate("again", PROVISION);
    assert_eq!(mock.get("/loaded").text(), "1767225600.0");
}

#[test]
fn flags_set_the_clock_and_a_reset_goes_back_to_them() {
    let mock = Mock::start_with(&["--clock", "2026-01-01T00:00:00Z"], |folder| {
        folder.write("provision/initial", PROVISION);
    });
    assert_eq!(mock.get("/loaded").text(), "1767225600.0");
    set(&mock, "", r#"{"advance": "1d"}"#);
    set(&mock, "?baggage=test=17", r#"{"freeze": 0}"#);
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert_eq!([now(&mock, ""), now(&mock, "test=17")], ["2026-01-01T00:00:00+00:00"; 2]);
    let report = mock.admin("GET /app/v1/report", &[], b"").json();
    assert_eq!(report["clock"], serde_json::json!({"now": "2026-01-01T00:00:00Z", "speed": 0}));
    mock.admin("DELETE /app/v1/clock", &[], b"");
    assert!(clock(&mock)["shift"] == 0);
    assert_eq!(mock.admin("GET /app/v1/report", &[], b"").json().get("clock"), None);
}

#[test]
fn wrong_requests_say_what_to_send() {
    let mock = Mock::serving(PROVISION);
    for (verb, body, status, error) in [
        ("PUT", "{", 400, "the body is not JSON: EOF while parsing an object at line 1 column 1"),
        (
            "PUT",
            "{}",
            400,
            r#"one of `freeze`, `at`, `shift`, `advance` and `speed` is needed, such as {"freeze": "2026-01-01T00:00:00Z"}"#,
        ),
        ("PUT", r#"{"advance": "99999999h"}"#, 400, "the clock would leave the years 1 to 9999"),
        (
            "PUT ?baggage=test",
            FREEZE,
            400,
            "query parameter `baggage`: `test` is no member such as `test=17`",
        ),
        ("PUT ?bagage=test=1", FREEZE, 400, "query parameter `bagage` is unknown: there is baggage"),
        ("PUT ?baggage=a=1&baggage=b=1", FREEZE, 400, "query parameter `baggage` is given twice"),
        ("GET ?baggage=test=1", "", 404, "there is no clock of `test=1`"),
        ("DELETE ?baggage=test=1", "", 404, "there is no clock of `test=1`"),
        (
            "POST",
            FREEZE,
            405,
            "`POST` is not served at `/app/v1/clock`: send DELETE, GET, HEAD, OPTIONS, PUT",
        ),
    ] {
        let (verb, query) = verb.split_once(' ').unwrap_or((verb, ""));
        let reply = mock.admin(&format!("{verb} /app/v1/clock{query}"), &[], body.as_bytes());
        let expected = format!("failed: {error}");
        assert_eq!(
            (reply.status, reply.json()["result"].as_str().unwrap()),
            (status, &*expected),
            "{verb}{query}"
        );
    }
    assert_eq!(clock(&mock)["shift"], 0);
}
