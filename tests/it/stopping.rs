//! Signals: some stop the mock gracefully, with the exit code that a shell shows; the others do not end the process.

use crate::harness::{Client, Mock, binary_under, eventually};
use crate::metrics::{busy, until_held};
use std::time::{Duration, Instant};

const SLOW: &str =
    r#"fn registerRules() { app.get("/slow", || { time.sleep(2); "slow" }); app.get("/fast", || "fast"); }"#;

/// The fastest of several stops must take less than a second, because a busy machine may delay a single one.
#[test]
fn signals_stop_within_a_second() {
    for (signal, code) in [("TERM", 143), ("INT", 130), ("HUP", 129), ("QUIT", 131), ("XCPU", 152)] {
        eventually(|| {
            let mut mock = Mock::serving(SLOW);
            assert_eq!(mock.get("/fast").text(), "fast");
            let began = Instant::now();
            mock.signal(signal);
            assert_eq!(mock.wait().code(), Some(code));
            let took = began.elapsed();
            if took < Duration::from_secs(1) { Ok(()) } else { Err(format!("{signal} took {took:?}")) }
        });
    }
}

#[test]
fn other_signals_are_logged_and_end_nothing() {
    let mut mock = Mock::serving(SLOW);
    for (number, name) in [
        ("10", "SIGUSR1"),
        ("12", "SIGUSR2"),
        ("14", "SIGALRM"),
        ("16", "SIGSTKFLT"),
        ("26", "SIGVTALRM"),
        ("27", "SIGPROF"),
        ("29", "SIGIO"),
        ("30", "SIGPWR"),
        ("35", "signal 35"),
        ("64", "signal 64"),
    ] {
        mock.signal(number);
        mock.wait_for_log(&format!(
            "WARN  ignored {name}: SIGTERM, SIGINT, SIGQUIT or SIGHUP stops the server\n"
        ));
    }
    // These two signals are not logged.
    ["PIPE", "XFSZ"].iter().for_each(|signal| mock.signal(signal));
    assert_eq!(mock.get("/fast").text(), "fast");
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
}

/// `nohup` and background jobs of a shell start like this.
#[test]
fn hup_and_quit_that_were_ignored_at_the_start_stay_ignored() {
    let mut mock = Mock::start_command(binary_under("trap '' HUP QUIT"), &[], |folder| {
        folder.write("provision/initial", SLOW);
    });
    ["HUP", "QUIT", "USR1"].iter().for_each(|signal| mock.signal(signal));
    mock.wait_for_log("ignored SIGUSR1");
    assert_eq!(mock.get("/fast").text(), "fast");
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    assert!(!mock.log().contains("HUP:"), "{}", mock.log());
}

#[test]
fn a_stop_waits_for_delayed_answers() {
    let mut mock = Mock::serving(SLOW);
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    until_held(&mock, 1.0);
    mock.signal("TERM");
    let reply = client.read(false);
    // An answer that left before the signal would keep the connection.
    assert_eq!((reply.text().as_str(), reply.header("connection")), ("slow", "close"));
    assert_eq!(mock.wait().code(), Some(143));
    mock.wait_for_log("stopped");
}

#[test]
fn a_stop_waits_for_running_scripts() {
    let source = r#"fn registerRules() { app.get("/busy", || { print("it runs"); while !os.listdir().contains("go.txt") { } "done" }); }"#;
    let mut mock =
        Mock::start_with(&["--script-timeout", "60s"], |folder| folder.write("provision/initial", source));
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /busy HTTP/1.1\r\nHost: x\r\n\r\n");
    mock.wait_for_log("it runs");
    mock.signal("TERM");
    mock.wait_for_log("stopping");
    mock.folder.write("provision/go.txt", "");
    assert_eq!(client.read(false).text(), "done");
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn a_stop_does_not_wait_for_waits_for_a_generation() {
    // If the wait delayed the stop, it would do so for all of `--grace`, which is longer than the deadline of this test.
    let mut mock = Mock::start_with(&["--grace", "300s"], |folder| folder.write("provision/initial", SLOW));
    let mut client = Client::new(&mock.admin);
    client.write(b"GET /app/v1/wait?generation=9 HTTP/1.1\r\nHost: x\r\n\r\n");
    // Two connections: the wait, and the request for the metrics itself.
    eventually(|| match busy(&mock, "admin") {
        2.0 => Ok(()),
        other => Err(format!("{other} connections are busy")),
    });
    mock.signal("TERM");
    assert_eq!(client.read(false).status, 503);
    assert_eq!(mock.wait().code(), Some(143));
}

#[test]
fn grace_bounds_the_wait() {
    let source = r#"fn registerRules() { app.get("/hour", || { time.sleep(3600); "" }); }"#;
    let mut mock =
        Mock::start_with(&["--grace", "200ms"], |folder| folder.write("provision/initial", source));
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /hour HTTP/1.1\r\nHost: x\r\n\r\n");
    until_held(&mock, 1.0);
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    mock.wait_for_log("stopped with 1 request unanswered after 200 ms");
}

#[test]
fn a_draining_mock_is_not_ready_but_serves_and_closes() {
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
