//! Memory, workers and stacks that streams take.

use super::*;

const CLIENTS: usize = 200;

/// The kernel's buffers of one connection hold up to some megabytes.
const BUFFERED: f64 = 40e6;

#[test]
fn pieces_are_made_only_as_the_client_takes_them() {
    let mock = mock(&[]);
    let memory = || metric(&mock, "process_resident_memory_bytes", None);
    let before = memory();
    let slow = asked(&mock, "/flood", "1.1");
    eventually(|| mock.get("/made").text().parse::<u32>().map(|made| assert!(made > 0)));
    // While another client takes 2,000 pieces, a stream without a bound would make as many.
    assert_eq!(mock.get("/all").text().len(), 2000);
    let made: f64 = mock.get("/made").text().parse().unwrap();
    assert!(made * 100_000.0 < BUFFERED, "{made}");
    assert!(memory() - before < BUFFERED, "{before} {}", memory());
    drop(slow);
    until(&mock, 0.0, "client", 1.0);
}

#[test]
fn many_streams_hold_no_worker() {
    let mock = mock(&["--workers", "1"]);
    let mut clients: Vec<Client> = (0..CLIENTS).map(|_| asked(&mock, "/ticks", "1.1")).collect();
    for client in &mut clients {
        assert_eq!((client.read(true).status, piece(client).unwrap().as_str()), (200, "0 "));
    }
    assert_eq!(metric(&mock, "h1mock_streams_open", None), CLIENTS as f64);
    let mut other = Client::new(&mock.traffic);
    for _ in 0..20 {
        assert_eq!(other.send("GET", "/fast", &[], b"").text(), "fast");
    }
    for client in &mut clients {
        assert_eq!(piece(client).unwrap(), "1 ");
    }
    drop(clients);
    until(&mock, 0.0, "client", CLIENTS as f64);
}

#[test]
fn a_stream_without_memory_is_a_503() {
    let mock = mock(&["--max-buffered", "1M", "--max-body", "64k"]);
    let clients: Vec<Client> = (0..3).map(|_| begun(&mock, "/large")).collect();
    let reply = mock.get("/large");
    assert_eq!(reply.status, 503);
    let text = "too many bytes of answers wait here: over 1048576 (--max-buffered)";
    assert!(reply.text().contains(text), "{}", reply.text());
    assert_eq!(mock.get("/fast").text(), "fast");
    drop(clients);
    until(&mock, 0.0, "client", 3.0);
    assert_eq!(mock.get("/list").text(), "abbccc");
}

/// Dropping this chain of closures takes more stack than the timer has. Only workers may drop it.
const DEEP: &str = r#"fn registerRules() {
    app.get("/fast", || "fast");
    app.get("/now", || deep(0));
    app.get("/late", || deep(3600));
    app.get("/soon", || deep(0.05));
    app.get("/broken", || deep(0.05).fault("reset"));
}
fn deep(seconds) {
    let f = || 0;
    for i in 0..20000 { let g = f; f = || g; }
    time.sleep(seconds);
    stream(|n| if n == 0 { "x" } else { f; "y" }, #{ every: 3600 })
}"#;

#[test]
fn values_of_scripts_are_dropped_on_workers() {
    let mut mock = Mock::start_with(&["--grace", "100ms"], |folder| folder.write("provision/initial", DEEP));
    assert_eq!(mock.send("HEAD", "/soon", &[], b"").status, 200);
    assert!(asked(&mock, "/broken", "1.1").rest().is_err());
    drop(asked(&mock, "/late", "1.1"));
    until(&mock, 0.0, "client", 1.0);
    drop(begun(&mock, "/now"));
    until(&mock, 0.0, "client", 2.0);
    let clients = [begun(&mock, "/now"), begun(&mock, "/soon"), asked(&mock, "/late", "1.1")];
    until(&mock, 3.0, "client", 2.0);
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    until(&mock, 0.0, "reset", 3.0);
    drop(clients);
    let _clients = [begun(&mock, "/now"), asked(&mock, "/late", "1.1")];
    until(&mock, 2.0, "reset", 3.0);
    assert_eq!(mock.get("/fast").text(), "fast");
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
}

/// The variables of a function may grow from piece to piece.
#[test]
fn what_a_function_keeps_counts_as_memory_of_answers() {
    let mock = mock(&["--max-buffered", "8m"]);
    let ends = "ended a stream: too many bytes of answers wait here: over 8388608 (--max-buffered)";
    let clients: Vec<Client> = (0..3).map(|_| begun(&mock, "/grows")).collect();
    mock.wait_for_log(ends);
    until(&mock, 0.0, "error", 3.0);
    drop(clients);
    // The memory is free again.
    let _client = begun(&mock, "/grows");
    until(&mock, 0.0, "error", 4.0);
}
