//! Filters for absent parts, forms, cookies, multipart parts and packed bodies, from the request to the verdict.

use crate::harness::{Client, Mock, binary};
use serde_json::{Value, json};

const SOURCE: &str = r#"
fn registerRules() {
  app.post("/orders", || ["made", 201]);
  app.post("/photos", || "thanks");
}
"#;

const MULTIPART: &[u8] = b"--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\na cat\r\n--b\r\n\
    Content-Disposition: form-data; name=\"photo\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\nPNG\r\n--b--\r\n";

/// `{"id":9}`.
const GZIP: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xab\x56\xca\x4c\x51\xb2\xb2\xac\x05\x00\xcd\x72\x84\x8c\x08\x00\x00\x00";

fn mock() -> Mock {
    let mock = Mock::serving(SOURCE);
    let send = |path: &str, fields: &[(&str, &str)], body: &[u8]| mock.send("POST", path, fields, body);
    send("/orders", &[("X-Trace", "1"), ("Cookie", "session=7")], b"{\"id\":7}");
    send("/orders?dry=1&dry=2", &[("Content-Type", "application/x-www-form-urlencoded")], b"title=a+cat");
    send("/photos", &[("Content-Type", "multipart/form-data; boundary=b")], MULTIPART);
    send("/orders", &[("Content-Encoding", "gzip")], GZIP);
    send("/orders", &[("Content-Encoding", "br")], b"who knows");
    mock
}

fn get(mock: &Mock, query: &str) -> Value {
    mock.admin(&format!("GET /app/v1/verify?{query}"), &[], b"").json()
}

fn post(mock: &Mock, question: &Value) -> Value {
    mock.admin("POST /app/v1/verify", &[], question.to_string().as_bytes()).json()
}

#[test]
fn negated_conditions_count_the_same_as_query_and_as_json() {
    let mock = mock();
    // A query, the same filter as JSON, how many requests fit, and how many may fit.
    let table = [
        ("path=/orders&header!=X-Trace", json!({"path": "/orders", "header!": "X-Trace"}), 3, 0),
        ("header!=X-Trace:+1", json!({"header!": {"X-Trace": 1}}), 4, 0),
        ("status!=201", json!({"status!": 201}), 1, 0),
        ("status!=200&path!=/photos", json!({"status!": 200, "path!": "/photos"}), 4, 0),
        ("query=dry=1&query=dry=2", json!({"query": {"dry": ["1", "2"]}}), 1, 0),
        ("query!=dry=1", json!({"query!": {"dry": "1"}}), 4, 0),
        ("cookie=session=7", json!({"cookie": {"session": 7}}), 1, 0),
        ("cookie!=session", json!({"cookie!": "session"}), 4, 0),
        ("form=title=a+cat", json!({"form": {"title": "a cat"}}), 2, 0),
        ("part=photo;filename=a.png", json!({"part": {"photo": {"filename": "a.png"}}}), 1, 0),
        (
            "part!~=photo;type=png&form=title",
            json!({"part!~": {"photo": {"type": "png"}}, "form": "title"}),
            1,
            0,
        ),
        ("target=/orders?dry=1%26dry=2", json!({"target": "/orders?dry=1&dry=2"}), 1, 0),
        ("json=/id=9", json!({"json": {"/id": 9}}), 1, 1),
        ("json!=/id=9", json!({"json!": {"/id": 9}}), 3, 1),
        ("json=/id", json!({"json": "/id"}), 2, 1),
        ("body!~=who", json!({"body!~": "who"}), 4, 0),
    ];
    for (query, question, count, undecided) in table {
        for verdict in [get(&mock, query), post(&mock, &question)] {
            let found = (&verdict["count"], &verdict["undecided"]);
            assert_eq!(found, (&json!(count), &json!(undecided)), "{query} {verdict}");
        }
        let mut wait = binary();
        wait.args(["wait", "--timeout", "5s", "--count", &count.to_string(), "--for"]);
        let written = query.replace("X-Trace:+1", "X-Trace: 1").replace("a+cat", "a cat");
        wait.arg(format!("/<path:any>?{}", written.replace("path=/orders", "rule=/orders"))).arg(&mock.admin);
        let output = wait.output().unwrap();
        assert!(output.status.success(), "{query} {}", String::from_utf8_lossy(&output.stderr));
    }
    // An unknown part leaves a condition open, and its opposite, too.
    assert_eq!(get(&mock, "json=/id&count=2")["verdict"], "unknown");
    assert_eq!(get(&mock, "json!=/id&max=2")["verdict"], "unknown");
}

#[test]
fn a_near_miss_shows_the_part_that_was_excluded() {
    let mock = mock();
    for (query, expected) in [
        ("header!=X-Trace&cookie=session", "header X-Trace is there: `1`"),
        ("status!=2xx&path=/photos", "status is `200`, expected: not 2xx"),
        ("body!~=cat&form=title&path=/orders", "body is `title=a+cat`, expected: no match of cat"),
        ("cookie=session=8&path=/orders&header=X-Trace", "cookie session is `7`, not `8`"),
        ("part=photo;type=image/gif&path=/photos", "type of part photo is `image/png`, not `image/gif`"),
        ("json=/id=1&header=Content-Encoding: br", "json /id is `packed with br`, not `1`"),
    ] {
        let verdict = get(&mock, &query.replace(' ', "+"));
        let result = verdict["result"].as_str().unwrap();
        assert!(result.ends_with(&format!(": {expected}")), "{query}: {result}");
    }
}

#[test]
fn a_wait_for_nothing_answers_with_the_last_number() {
    let mock = mock();
    let answer = mock.admin("GET /app/v1/requests/wait?count=0", &[], b"").json();
    assert_eq!((&answer["verdict"], &answer["last"]), (&json!("pass"), &json!(5)));
}

#[test]
fn only_the_request_line_of_a_refused_request_is_known() {
    let mock = Mock::serving(SOURCE);
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /c HTTP/1.1\r\nX-Trace: 1\r\n\r\n");
    assert_eq!(client.read(false).status, 400);
    let entry = mock.admin("GET /app/v1/requests/1", &[], b"").json();
    for part in ["headers", "body", "body_length", "body_cut"] {
        assert_eq!(entry[part], json!(null), "{part} {entry}");
    }
    assert_eq!((&entry["gone"], &entry["target"]), (&json!([]), &json!("/c")));
    let verdict = get(&mock, "header!=X-Trace&path=/c&max=0");
    assert_eq!((&verdict["verdict"], &verdict["undecided"]), (&json!("unknown"), &json!(1)));
    let expected = "failed: not known: 0 requests came, 1 of which too little is known; expected: 0";
    assert_eq!(verdict["result"], expected);
    assert_eq!(get(&mock, "header!=X-Trace&path=/d&max=0")["verdict"], "pass");
}
