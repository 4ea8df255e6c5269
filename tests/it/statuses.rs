//! Statuses that a script may give, and the bytes that follow them, on one connection with pipelined requests.

use crate::harness::{Client, Mock};

const SOURCE: &str = r#"
fn registerRules() {
    app.get("/list/<int(signed=True):code>", |code| ["x", code]);
    app.get("/text/<code>", |code| ["x", code + " Odd Words"]);
    app.get("/code/<int(signed=True):code>", |code| { let r = make_response("x"); r.status_code = code; r });
    app.get("/status/<int(signed=True):code>", |code| { let r = make_response("x"); r.status = code; r });
    app.get("/line/<code>", |code| { let r = make_response("x"); r.status = code + " Odd"; r });
    app.get("/chain/<int(signed=True):code>", |code| make_response("x").status(code));
    app.get("/response/<int(signed=True):code>", |code| Response("x", #{ status: code }));
    app.get("/json/<int(signed=True):code>", |code| jsonify(#{ a: 1 }, code));
    app.get("/abort/<int(signed=True):code>", |code| abort(code));
    app.get("/redirect/<int(signed=True):code>", |code| redirect("/ok", code));
    app.get("/handled/<int(signed=True):code>", |code| abort(418, code.to_string()));
    app.errorhandler(418, |e| ["x", e.description.parse_int()]);
    app.get("/after/<int(signed=True):code>", |code| ["x", 200, #{ "X-Code": code }]);
    app.after_request(|r| { if r.headers["X-Code"] != () { r.status_code = r.headers["X-Code"].parse_int(); } r });
    app.get("/ok", || "ok");
    app.get("/length", || ["hello", 200, #{ "Content-Length": "1234" }]);
    app.get("/no-length", || ["", 200, #{ "Content-Length": "1234" }]);
    app.route("/head", ["HEAD"], || ["", 200, #{ "Content-Length": "1234" }]);
    app.route("/head-real", ["HEAD"], || "hello");
    app.route("/head-odd", ["HEAD"], || ["hello", 200, #{ "Content-Length": "many" }]);
    app.route("/both", ["GET", "HEAD"], || if request.method == "HEAD" { ["", 200, #{ "Content-Length": "1234" }] } else { "hello" });
    app.get("/chunked", || ["hello", 200, #{ "Transfer-Encoding": "chunked" }]);
    app.get("/framed", || ["x", 200, #{ "Connection": "close", "Upgrade": "h2c" }]);
}
"#;

/// Sends `GET target` and `GET /ok` at once, and returns the first answer. The second one must follow right behind it.
#[track_caller]
fn pipelined(mock: &Mock, method: &str, target: &str) -> String {
    let mut client = Client::new(&mock.traffic);
    let second = "GET /ok HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    client.write(format!("{method} {target} HTTP/1.1\r\nHost: h\r\n\r\n{second}").as_bytes());
    let both = String::from_utf8(client.rest().unwrap()).unwrap();
    let at = both.rfind("HTTP/1.1 200 OK\r\n").unwrap_or_else(|| panic!("{target}: {both}"));
    assert!(both.ends_with("Content-Length: 2\r\nConnection: close\r\n\r\nok"), "{target}: {both}");
    let first = both[..at].to_owned();
    assert_eq!(first.matches("HTTP/1.1 ").count(), 1, "{target}: {both}");
    first
}

const WAYS: [&str; 11] =
    ["list", "text", "code", "status", "line", "chain", "response", "json", "abort", "redirect", "handled"];

#[test]
fn an_interim_status_is_refused_and_the_next_answer_is_its_own() {
    let mock = Mock::serving(SOURCE);
    for way in WAYS.iter().chain(&["after"]) {
        for code in [100, 101, 102, 103, 199] {
            let answer = pipelined(&mock, "GET", &format!("/{way}/{code}"));
            assert!(answer.starts_with("HTTP/1.1 500 "), "{way} {code}: {answer}");
            let why = match *way {
                "abort" => format!("abort takes an error code (400 to 599), not {code}"),
                "redirect" => format!("redirect takes 301, 302, 303, 305, 307 or 308, not {code}"),
                _ => format!("status {code} comes before an answer, it can't be one: take 200 to 999"),
            };
            assert!(answer.contains(&why), "{way} {code}: {answer}");
        }
    }
}

#[test]
fn a_number_that_is_no_status_is_refused() {
    let mock = Mock::serving(SOURCE);
    for way in ["list", "code", "status", "chain", "response", "json", "handled", "after"] {
        for code in [0, 99, 1000, -1, 65_736, i64::MAX] {
            let answer = pipelined(&mock, "GET", &format!("/{way}/{code}"));
            assert!(answer.starts_with("HTTP/1.1 500 "), "{way} {code}: {answer}");
            assert!(answer.contains("from 200 to 999"), "{way} {code}: {answer}");
        }
    }
}

#[test]
fn statuses_without_a_meaning_are_sent() {
    let mock = Mock::serving(SOURCE);
    for code in [299, 600, 777, 999] {
        for way in ["list", "code", "status", "chain", "response", "json", "handled", "after"] {
            let answer = pipelined(&mock, "GET", &format!("/{way}/{code}"));
            assert!(answer.starts_with(&format!("HTTP/1.1 {code} Unknown\r\n")), "{way} {code}: {answer}");
        }
        let answer = pipelined(&mock, "GET", &format!("/text/{code}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {code} Odd Words\r\n")), "{answer}");
        assert!(answer.ends_with("\r\nContent-Length: 1\r\n\r\nx"), "{answer}");
    }
    let chaos = mock.admin("PUT /app/v1/chaos", &[], br#"[{"path": "/ok2", "status": 601}]"#);
    assert_eq!(chaos.status, 200, "{}", chaos.text());
    assert_eq!(mock.get("/ok2").status, 601);
    for code in [100, 199, 1000] {
        let chaos = mock.admin("PUT /app/v1/chaos", &[], format!(r#"[{{"status": {code}}}]"#).as_bytes());
        let why = format!("`{code}` is no status from 200 to 999");
        assert!(chaos.status == 400 && chaos.text().contains(&why), "{}", chaos.text());
    }
}

#[test]
fn a_status_without_a_body_has_none() {
    let mock = Mock::serving(SOURCE);
    for (code, length) in [(204, None), (205, Some("0")), (304, Some("1"))] {
        for way in ["list", "text", "code", "status", "line", "chain", "response", "handled", "after"] {
            let answer = pipelined(&mock, "GET", &format!("/{way}/{code}"));
            let (head, body) = answer.split_once("\r\n\r\n").unwrap();
            let lengths: Vec<&str> =
                head.split("\r\n").filter_map(|line| line.strip_prefix("Content-Length: ")).collect();
            assert_eq!((lengths.as_slice(), body), (length.as_slice(), ""), "{way} {code}: {answer}");
        }
    }
}

#[test]
fn a_head_rule_declares_a_length_and_a_get_view_has_its_own() {
    let mock = Mock::serving(SOURCE);
    for (method, target, length, body) in [
        ("HEAD", "/head", 1234, ""),
        ("HEAD", "/both", 1234, ""),
        ("GET", "/both", 5, "hello"),
        ("HEAD", "/head-real", 5, ""),
        ("HEAD", "/head-odd", 5, ""),
        ("GET", "/length", 5, "hello"),
        ("HEAD", "/length", 5, ""),
        ("GET", "/no-length", 0, ""),
        ("HEAD", "/no-length", 0, ""),
        ("HEAD", "/ok", 2, ""),
        ("HEAD", "/list/205", 0, ""),
    ] {
        let answer = pipelined(&mock, method, target);
        let end = format!("\r\nContent-Length: {length}\r\n\r\n{body}");
        assert!(answer.ends_with(&end), "{method} {target}: {answer}");
        assert_eq!(answer.matches("Content-Length").count(), 1, "{method} {target}: {answer}");
    }
}

#[test]
fn a_script_does_not_frame_its_answer() {
    let mock = Mock::serving(SOURCE);
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /framed HTTP/1.1\r\nHost: h\r\n\r\n");
    let answer = String::from_utf8(client.rest().unwrap()).unwrap();
    assert!(answer.ends_with("\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx"), "{answer}");
    assert!(!answer.contains("Upgrade"), "{answer}");
}

#[test]
fn a_script_can_ask_for_chunks() {
    let mock = Mock::serving(SOURCE);
    let answer = pipelined(&mock, "GET", "/chunked");
    assert!(answer.ends_with("\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    assert!(!answer.contains("Content-Length"), "{answer}");
}
