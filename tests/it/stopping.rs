//! Signals: a graceful stop, with the exit code that a shell gives.

use crate::harness::{Client, Mock, eventually};
use std::time::{Duration, Instant};

const SLOW: &str = r#"fn registerRules() { app.get("/slow", || { time.sleep(0.4); "slow" }); app.get("/fast", || "fast"); }"#;

#[test]
fn both_signals_stop_within_a_second() {
    for (signal, code) in [("TERM", 143), ("INT", 130)] {
        let mut mock = Mock::serving(SLOW);
        assert_eq!(mock.get("/fast").text(), "fast");
        let began = Instant::now();
        mock.signal(signal);
        assert_eq!(mock.wait().code(), Some(code));
        assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    }
}

#[test]
fn requests_that_run_are_answered_first() {
    let mut mock = Mock::serving(SLOW);
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    // The request has arrived when another one that came later is answered.
    assert_eq!(mock.get("/fast").text(), "fast");
    std::thread::sleep(Duration::from_millis(100));
    mock.signal("TERM");
    let reply = client.read(false);
    assert_eq!((reply.text().as_str(), reply.header("connection")), ("slow", "close"));
    assert_eq!(mock.wait().code(), Some(143));
    mock.wait_for_log("stopped");
}

#[test]
fn scripts_that_run_finish_first() {
    let source =
        r#"fn registerRules() { app.get("/busy", || { let n = 0; while n < 100000 { n += 1; } "done" }); }"#;
    let mut mock =
        Mock::start_with(&["--script-timeout", "30s"], |folder| folder.write("provision/initial", source));
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    std::thread::sleep(Duration::from_millis(30));
    mock.signal("TERM");
    assert_eq!(client.read(false).text(), "done");
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn clients_that_wait_for_a_generation_hold_up_no_stop() {
    let mut mock = Mock::serving(SLOW);
    let mut client = Client::new(&mock.admin);
    client.write(b"GET /app/v1/wait?generation=9 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    mock.signal("TERM");
    assert_eq!(client.read(false).status, 503);
    assert_eq!(mock.wait().code(), Some(143));
    // A wait that held it up would do so for all of `--grace`: 5 s.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
}

#[test]
fn grace_bounds_the_wait() {
    let source = r#"fn registerRules() { app.get("/hour", || { time.sleep(3600); "" }); app.get("/fast", || "fast"); }"#;
    let mut mock =
        Mock::start_with(&["--grace", "200ms"], |folder| folder.write("provision/initial", source));
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /hour HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_eq!(mock.get("/fast").text(), "fast");
    std::thread::sleep(Duration::from_millis(100));
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    mock.wait_for_log("stopped with 1 request unanswered after 200 ms");
}

#[test]
fn while_draining_it_is_not_ready_but_serves_and_closes() {
    let mut mock = Mock::start_with(&["--drain", "1s"], |folder| folder.write("provision/initial", SLOW));
    mock.signal("TERM");
    let not_ready = eventually(|| {
        let reply = mock.admin("GET /readyz", &[], b"");
        if reply.status == 503 { Ok(reply) } else { Err(reply.status.to_string()) }
    });
    assert!(not_ready.json()["result"].as_str().unwrap().starts_with("failed: "));
    let reply = mock.get("/fast");
    assert_eq!((reply.status, reply.header("connection")), (200, "close"));
    assert_eq!(mock.wait().code(), Some(143));
}
