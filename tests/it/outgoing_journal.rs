//! Forwarded requests in the journal, in metrics and in the report.

use crate::harness::{Mock, eventually};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

/// A mock that forwards to `upstream`, to a port without a server, and to `broken`.
fn forwarding(upstream: &str, broken: &str) -> Mock {
    Mock::serving(&format!(
        r#"
fn registerRules() {{
    app.get("/own", || "own");
    app.forward("/real/<path:rest>", "http://{upstream}", #{{ strip: "/real" }});
    app.forward("/gone/<path:rest>", "http://127.0.0.1:1");
    app.forward("/broken/<path:rest>", "http://{broken}");
}}
"#
    ))
}

fn ask(mock: &Mock, path: &str) -> Value {
    mock.admin(&format!("GET /app/v1/{path}"), &[], b"").json()
}

/// Answers one request with the beginning of a long answer, and closes the connection.
fn breaks_off() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]);
        let body = "x".repeat(100_000);
        write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n{body}").unwrap();
    });
    address
}

#[test]
fn forwarded_requests_are_told_apart() {
    let upstream = Mock::serving(
        r#"fn registerRules() { app.get("/small", || "small"); app.get("/large", || { let body = ""; body.pad(200000, "y"); body }); }"#,
    );
    let mock = forwarding(&upstream.traffic, &breaks_off());
    mock.get("/own");
    assert_eq!(mock.get("/real/small?a=1").text(), "small");
    assert_eq!(mock.get("/real/large").body.len(), 200_000);
    assert_eq!(mock.get("/gone/x").status, 502);
    let entry = |number: u64| ask(&mock, &format!("requests/{number}"));
    assert_eq!((&entry(1)["kind"], entry(1).get("forwarded")), (&json!("request"), None));
    let url = format!("http://{}/small?a=1", upstream.traffic);
    assert_eq!(entry(2)["forwarded"], json!({ "url": url, "error": null }));
    assert_eq!((&entry(2)["answer_body"], entry(2).get("stream")), (&json!("small"), None));
    eventually(|| match entry(3)["stream"]["ended"].as_str() {
        Some("complete") => Ok(()),
        other => Err(format!("{other:?}")),
    });
    assert_eq!(
        (&entry(3)["answer_body_length"], &entry(3)["stream"]["bytes"]),
        (&json!(200_000), &json!(200_000))
    );
    let error = "failed to forward to `127.0.0.1:1`: connection refused";
    assert_eq!(entry(4)["forwarded"], json!({ "url": "http://127.0.0.1:1/gone/x", "error": error }));
    assert_eq!(entry(4)["error"], error);
    for (filter, count) in [
        ("forwarded=true", 3),
        ("forwarded=false", 1),
        ("forwarded=true&status=502", 1),
        ("kind=all", 4),
        ("kind=callback", 0),
        ("forwarded=true&stream=complete", 1),
    ] {
        let verdict = ask(&mock, &format!("verify?count={count}&{filter}"));
        assert_eq!(verdict["verdict"], "pass", "{filter}: {verdict}");
    }
    let near = ask(&mock, "verify?forwarded=true&path=/own");
    let why = "nearest: number 1 `GET /own`: forwarded is `false`, not `true`";
    assert!(near["result"].as_str().unwrap().ends_with(why), "{near}");
    let archive = ask(&mock, "requests.har?forwarded=true&limit=1");
    assert_eq!(archive["log"]["entries"][0]["_forwarded"]["error"], error);
}

#[test]
fn metrics_and_report_count_what_was_forwarded() {
    let upstream = Mock::serving(r#"fn registerRules() { app.get("/a", || "a"); }"#);
    let mock = forwarding(&upstream.traffic, &breaks_off());
    mock.get("/real/a");
    mock.get("/gone/x");
    let mut client = std::net::TcpStream::connect(&mock.traffic).unwrap();
    write!(client, "GET /broken/x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let _ = client.read_to_end(&mut Vec::new());
    let wait = ask(&mock, "requests/wait?path=/broken/x&stream=error&timeout=20");
    assert_eq!(wait["verdict"], "pass", "{wait}");
    let entry = ask(&mock, "requests/3");
    assert!(
        entry["forwarded"]["error"].is_string() && entry["error"] == entry["forwarded"]["error"],
        "{entry}"
    );
    let page = mock.admin("GET /metrics", &[], b"").text();
    for line in [
        r#"h1mock_forwarded_total{result="ok"} 1"#,
        r#"h1mock_forwarded_total{result="502"} 1"#,
        r#"h1mock_forwarded_total{result="504"} 0"#,
        r#"h1mock_forwarded_total{result="cut"} 1"#,
        r#"h1mock_callbacks_total{result="ok"} 0"#,
        r#"h1mock_outgoing_total{result="ok"} 0"#,
        "h1mock_forwards_open 0",
        "h1mock_callbacks_waiting 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}: {page}");
    }
    let report = ask(&mock, "report");
    assert_eq!(report["forwarded"], json!({ "sent": 3, "failed": 2 }));
    assert_eq!(report["callbacks"], json!({ "sent": 0, "failed": 0, "waiting": 0 }));
    // The errors of other servers are none of the scripts.
    assert_eq!((&report["verdict"], &report["errors"]["count"]), (&json!("pass"), &json!(0)));
}
