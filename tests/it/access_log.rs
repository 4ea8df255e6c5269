//! The access log, and the formats of the log.

use crate::harness::{Client, Mock, eventually};

const SOURCE: &str = "fn registerRules() { app.get(\"/a/<int:id>\", |id| `${id}`); }";

#[test]
fn verbose_writes_a_line_for_each_request() {
    let mock = Mock::start_with(&["--verbose"], |folder| folder.write("provision/initial", SOURCE));
    mock.get("/a/7?q=1");
    mock.get("/none");
    mock.admin("GET /healthz", &[], b"");
    let line = eventually(|| {
        let log = mock.log();
        log.lines().find(|line| line.contains("/a/7")).map(str::to_owned).ok_or(log)
    });
    let (_, text) = line.split_once("access: ").unwrap();
    let words: Vec<&str> = text.split(' ').collect();
    assert_eq!(words[..5], ["mock", "GET", "/a/7?q=1", "200", "/a/<int:id>"]);
    assert!(words[5].parse::<u64>().is_ok());
    assert_eq!(words[6..], ["us", "generation", "1"]);
    mock.wait_for_log("access: mock GET /none 404 - ");
    mock.wait_for_log("access: admin GET /healthz 200 - ");
}

#[test]
fn refused_requests_have_a_line_too() {
    for json in [false, true] {
        let format = if json { "json" } else { "text" };
        let mock = Mock::start_with(&["--verbose", "--log-format", format, "--max-body", "9"], |folder| {
            folder.write("provision/initial", SOURCE)
        });
        assert_eq!(mock.post("/a/7", "text/plain", b"0123456789").status, 413);
        let why = "the body of the request is longer than 9 bytes (--max-body)";
        if json {
            mock.wait_for_log(why);
            let log = mock.log();
            let line = log.lines().find(|line| line.contains(why)).unwrap();
            let line: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!((line["method"].as_str(), line["target"].as_str()), (Some("POST"), Some("/a/7")));
            assert_eq!((line["status"].as_u64(), line["refused"].as_str()), (Some(413), Some(why)));
        } else {
            mock.wait_for_log("access: mock refused `POST /a/7 HTTP/1.1` of 127.0.0.1:");
            mock.wait_for_log(why);
        }
    }
}

/// A TLS handshake is not text, so the line shows none of it.
#[test]
fn a_refused_line_that_is_not_text_is_not_shown() {
    let mock = Mock::start_with(&["--verbose"], |folder| folder.write("provision/initial", SOURCE));
    for (sent, shown) in [
        (&b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xaa\xbb"[..], "a connection"),
        (b"GET /a\x1b[2J HTTP/1.1\r\nHost: x\r\n\r\n", "`GET /a`"),
    ] {
        let mut client = Client::new(&mock.traffic);
        client.write(sent);
        assert_eq!(client.read(false).status, 400);
        mock.wait_for_log(&format!("access: mock refused {shown} of 127.0.0.1:"));
    }
    mock.wait_for_log(
        ": 400 this is TLS, and this port speaks plain HTTP: use `http://`, or put a proxy in front that ends TLS\n",
    );
}

/// The bytes that a client of another protocol sends first, and the answer.
const OTHER_PROTOCOLS: [(&[u8], &str); 2] = [
    (
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\xaa\xbb",
        "400 this is TLS, and this port speaks plain HTTP: use `http://`, or put a proxy in front that ends TLS",
    ),
    (
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "505 this is HTTP/2, and this port speaks HTTP/1.1: let the client use that (curl --http1.1)",
    ),
];

#[test]
fn the_first_client_of_another_protocol_has_a_line_without_verbose() {
    for (sent, why) in OTHER_PROTOCOLS {
        let mock = Mock::serving(SOURCE);
        for (listener, address) in [("mock", &mock.traffic), ("admin", &mock.admin)] {
            for _ in 0..2 {
                let mut client = Client::new(address);
                client.write(sent);
                let reply = client.read(false);
                assert!(why.starts_with(&reply.status.to_string()), "{}", reply.text());
                let escaped = reply.text().replace("&#39;", "'");
                assert!(escaped.contains(&why[4..]), "{escaped}");
            }
            mock.wait_for_log(&format!("WARN  {listener} refused a connection of 127.0.0.1:"));
        }
        assert_eq!(mock.log().matches(why).count(), 2, "{}", mock.log());
    }
}

#[test]
fn the_entry_of_a_tls_handshake_has_none_of_its_bytes() {
    let mock = Mock::serving(SOURCE);
    let mut client = Client::new(&mock.traffic);
    client.write(OTHER_PROTOCOLS[0].0);
    client.read(false);
    let entry = mock.admin("GET /app/v1/requests/1", &[], b"").json();
    assert_eq!((entry["method"].as_str(), entry["target"].as_str()), (Some(""), Some("")));
    assert_eq!(entry["unmatched"].as_str(), Some(&OTHER_PROTOCOLS[0].1[4..]));
}

#[test]
fn json_lines_have_fields() {
    let mock = Mock::start_with(&["--verbose", "--log-format", "json"], |folder| {
        folder.write("provision/initial", SOURCE)
    });
    mock.get("/a/7");
    let line = eventually(|| {
        let log = mock.log();
        log.lines().find(|line| line.contains("/a/7")).map(str::to_owned).ok_or(log)
    });
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!((line["target"].as_str(), line["rule"].as_str()), (Some("/a/7"), Some("/a/<int:id>")));
    assert_eq!((line["status"].as_u64(), line["generation"].as_u64()), (Some(200), Some(1)));
    assert!(line["microseconds"].is_u64());
    let all = mock.log();
    assert!(all.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{all}");
}

#[test]
fn without_verbose_no_line_is_written() {
    let mock = Mock::serving(SOURCE);
    mock.get("/a/7");
    mock.activate("x", SOURCE);
    mock.wait_for_log("provision `x` is active, generation 2");
    assert!(!mock.log().contains("/a/7"), "{}", mock.log());
}
