//! Filters, verification and waits, from the request to the verdict.

use crate::harness::{Client, Folder, Mock, Reply, binary, eventually, project};
use serde_json::{Value, json};
use std::process::Output;
use std::thread;
use std::time::Instant;

const SOURCE: &str = r#"
fn registerRules() {
  app.post("/orders", create);
  app.get("/orders/<int:id>", show);
}
fn create() { ["made", 201] }
fn show(id) { `order ${id}` }
"#;

const JSON: &str = "application/json";

fn orders() -> Mock {
    let mock = Mock::serving(SOURCE);
    mock.post("/orders", JSON, br#"{"id":7,"name":"seven"}"#);
    mock.post("/orders?dry=1", JSON, br#"{"id":8}"#);
    mock.get("/orders/7");
    mock.send("GET", "/order/7", &[("X-Run", "a"), ("baggage", "run=t1")], b"");
    mock
}

/// Sends a GET to the admin port. The query is given as typed, and encoded here.
fn ask(mock: &Mock, path: &str, query: &str) -> Reply {
    let encoded: String = query
        .bytes()
        .map(|byte| match byte {
            b'<' | b'>' | b' ' | b'"' | b'{' | b'}' | b'^' | b'|' | b'\\' | b'%' => format!("%{byte:02X}"),
            _ => char::from(byte).to_string(),
        })
        .collect();
    mock.admin(&format!("GET /app/v1/{path}?{encoded}"), &[], b"")
}

fn numbers(requests: &Value) -> Vec<u64> {
    requests.as_array().unwrap().iter().map(|entry| entry["number"].as_u64().unwrap()).collect()
}

#[test]
fn lists_archives_and_verdicts_take_the_same_filters() {
    let mock = orders();
    let table: &[(&str, &[u64])] = &[
        ("method=POST", &[1, 2]),
        ("path=/orders/<int:id>", &[3]),
        ("path=/<path:any>&status=404", &[4]),
        ("rule=/orders", &[1, 2]),
        ("rule=", &[4]),
        ("endpoint=show", &[3]),
        ("status=2xx&generation=1", &[1, 2, 3]),
        ("header=X-Run:a", &[4]),
        ("header=content-type", &[1, 2]),
        ("baggage=run=t1", &[4]),
        ("query=dry=1", &[2]),
        ("body~=\"name\"", &[1]),
        ("json=/id=7", &[1]),
        ("json~=/name=^se", &[1]),
        ("method=POST&since=1", &[2]),
        ("method=DELETE", &[]),
    ];
    for (query, expected) in table {
        let list = ask(&mock, "requests", query).json();
        assert_eq!(numbers(&list["requests"]), *expected, "{query}");
        assert_eq!(list["last"], 4);
        let archive = ask(&mock, "requests.har", query).json();
        assert_eq!(archive["log"]["entries"].as_array().unwrap().len(), expected.len(), "{query}");
        let verdict = ask(&mock, "verify", &format!("{query}&count={}", expected.len())).json();
        assert_eq!((&verdict["verdict"], &verdict["numbers"]), (&json!("pass"), &json!(expected)), "{query}");
    }
}

#[test]
fn a_failed_verification_names_the_parts_that_differ() {
    let mock = orders();
    let verdict = ask(&mock, "verify", "method=PUT&path=/orders&json=/id=8");
    assert_eq!(verdict.status, 200);
    assert_eq!(
        verdict.text(),
        r#"{"verdict":"fail","result":"failed: 0 requests came, not at least 1; nearest: number 2 `POST /orders?dry=1`: method is `POST`, not `PUT`","expected":{"min":1,"max":null},"count":0,"numbers":[],"undecided":0,"missed":0,"near":[{"number":2,"method":"POST","target":"/orders?dry=1","score":75,"differs":[{"part":"method","expected":"PUT","found":"POST"}]},{"number":1,"method":"POST","target":"/orders","score":57,"differs":[{"part":"method","expected":"PUT","found":"POST"},{"part":"json /id","expected":"8","found":"7"}]},{"number":3,"method":"GET","target":"/orders/7","score":22,"differs":[{"part":"method","expected":"PUT","found":"GET"},{"part":"path","expected":"/orders","found":"/orders/7"},{"part":"json /id","expected":"8","found":null}]}],"first":1,"last":4,"evicted":0}"#
    );
    let many = ask(&mock, "verify", "method=POST&max=1").json();
    assert_eq!(many["result"], "failed: 2 requests came, not at most 1");
    assert_eq!((&many["numbers"], &many["near"]), (&json!([1, 2]), &json!([])));
}

#[test]
fn json_is_posted_for_typed_values_and_sequences() {
    let mock = orders();
    let post = |body: Value| mock.admin("POST /app/v1/verify", &[], body.to_string().as_bytes()).json();
    let verdict = post(json!({"method": "POST", "json": {"/id": 7, "/name": "seven"}, "count": 1}));
    assert_eq!((&verdict["verdict"], &verdict["count"]), (&json!("pass"), &json!(1)));
    assert_eq!(post(json!({"json": {"/id": "7"}}))["verdict"], "fail");
    let (made, shown) = (json!({"method": "POST"}), json!({"path": "/orders/<int:id>"}));
    let right = post(json!({"sequence": [made, shown], "status": "2xx"}));
    assert_eq!((&right["verdict"], &right["numbers"]), (&json!("pass"), &json!([1, 3])));
    assert_eq!(post(json!([made, shown])), right, "a list by itself");
    let wrong = post(json!({"sequence": [shown, made]}));
    assert_eq!(
        wrong["result"],
        "failed: step 2 of 2 did not come; nearest: number 2 `POST /orders?dry=1`: order is `number 2`, not `after number 3`"
    );
    let late = post(json!({"sequence": [made, shown], "since": 2}));
    assert_eq!((&late["verdict"], &late["count"]), (&json!("fail"), &json!(0)));
}

#[test]
fn evicted_entries_make_a_verdict_unknown_and_deleted_entries_do_not() {
    let mock = Mock::start_with(&["--journal-bytes", "64k", "--journal-body", "16"], |folder: &Folder| {
        folder.write("provision/initial", SOURCE);
    });
    mock.post("/orders", "text/plain", b"first");
    let mut client = Client::new(&mock.traffic);
    let mut get = |count| (0..count).for_each(|_| _ = client.send("GET", "/orders/1", &[], b""));
    get(2000);
    mock.post("/orders", "text/plain", b"a body of more than 16 bytes");
    let verdict = |query: &str| ask(&mock, "verify", query).json();
    // Headers and bodies were evicted; the line of each request is kept.
    let first = verdict("body~=first");
    assert_eq!((&first["verdict"], &first["count"]), (&json!("unknown"), &json!(0)));
    let undecided = first["undecided"].as_u64().unwrap();
    assert!(undecided > 1000 && first["missed"] == 0 && first["first"] == 1, "{first}");
    let expected =
        format!("failed: not known: 0 requests came, {undecided} of which too little is known; expected: ");
    assert!(first["result"].as_str().unwrap().starts_with(&expected), "{first}");
    for (query, expected) in [
        ("path=/orders&count=2", "pass"),
        ("path=/orders/1&count=2000", "pass"),
        ("rule=/orders&method=POST&status=201&count=2", "pass"),
        ("since=1&rule=/orders&count=1", "pass"),
        ("status=404&count=0", "pass"),
        ("header=X-Trace&count=0", "unknown"),
        ("header=X-Trace&path=/orders/2&count=0", "pass"),
    ] {
        assert_eq!(verdict(query)["verdict"], expected, "{query}");
    }
    let cut = verdict("body~=bytes&since=2001");
    assert_eq!((&cut["verdict"], &cut["undecided"]), (&json!("unknown"), &json!(1)));
    assert_eq!(verdict("body~=a body&since=2001")["verdict"], "pass");
    // The lines of the first requests are evicted, too.
    get(3000);
    let first = verdict("path=/orders&count=2");
    let evicted = first["evicted"].as_u64().unwrap();
    assert!(evicted > 100 && first["missed"] == evicted && first["first"] == evicted + 1);
    assert_eq!(first["verdict"], "unknown");
    assert_eq!(verdict(&format!("path=/orders&count=1&since={evicted}"))["verdict"], "pass");
    mock.admin("DELETE /app/v1/requests", &[], b"");
    let empty = verdict("count=0");
    assert_eq!((&empty["verdict"], &empty["missed"]), (&json!("pass"), &json!(0)));
}

#[test]
fn filters_that_do_not_parse_are_400_with_their_place() {
    let mock = orders();
    for (path, query, expected) in [
        (
            "verify",
            "json~=/a",
            "failed to parse filter `json~=/a`: character 9: no `=` between the pointer and the pattern",
        ),
        ("verify", "header=X-A=1", "character 8: `X-A=1` is no name of a header: write `X-A: 1`"),
        ("verify", "status=200&status=404", "status is `200`; a pattern takes both: `status~=^(200|404)$`"),
        ("requests", "path=/o?x=1", "write `/o` and beside it `query=x=1`, or `target=/o?x=1` alone"),
        ("requests/stream", "method=get", "methods are in capitals: write `GET`"),
        (
            "requests",
            "method=GET&path=x",
            "failed to parse filter `path=x`: character 17: rule `x`: must start with `/`: write `/x`",
        ),
        ("requests.har", "body~=(", "failed to parse filter `body~=(`: character 7: bad pattern: "),
        (
            "requests/stream",
            "limit=1",
            "failed to parse filter `limit=1`: character 1: unknown parameter `limit`",
        ),
        (
            "requests/wait",
            "cuont=1",
            "character 1: unknown parameter `cuont`: did you mean `count`, or `query=cuont=1` for",
        ),
        (
            "verify",
            "count=1&min=1",
            "failed to parse the numbers: `count` stands alone, without `min` and `max`",
        ),
    ] {
        let reply = ask(&mock, path, query);
        let json = reply.json();
        let result = json["result"].as_str().unwrap();
        assert!(reply.status == 400 && result.contains(expected), "{path} {query}: {result}");
        assert_eq!(json["last"], 4, "{path}");
    }
    let post = |body: &str| mock.admin("POST /app/v1/verify", &[], body.as_bytes()).json()["result"].clone();
    assert_eq!(
        post("{"),
        "failed: failed to parse the body as JSON: EOF while parsing an object at line 1 column 1"
    );
    assert_eq!(post("5"), "failed: failed to parse filter `5`: not a JSON object");
    assert_eq!(post("[]"), "failed: failed to parse `sequence`: not a list of 1 to 100 filters");
    assert_eq!(
        post(r#"{"sequence":[{},{"method":1},{"pth":"/"}]}"#),
        "failed: failed to parse step 3 of `sequence`: failed to parse filter `pth=/`: unknown parameter `pth`: did you mean `path`?"
    );
    assert_eq!(
        post(r#"{"sequence":[]}"#),
        "failed: failed to parse `sequence`: not a list of 1 to 100 filters"
    );
}

#[test]
fn a_wait_is_answered_by_the_request_that_makes_it_hold() {
    let mock = orders();
    assert_eq!(
        ask(&mock, "requests/wait", "method=POST&count=2").text(),
        r#"{"verdict":"pass","result":"success: 2 requests came","expected":{"min":2,"max":null},"count":2,"numbers":[1,2],"undecided":0,"missed":0,"near":[],"first":1,"last":2,"evicted":0}"#
    );
    let late = ask(&mock, "requests/wait", "path=/orders&method=GET&timeout=0.05");
    assert_eq!(late.status, 408);
    assert_eq!(
        late.json()["result"],
        "failed: 0 of 1 request came within 50ms; nearest: number 2 `POST /orders?dry=1`: method is `POST`, not `GET`"
    );
    let mut waiting = Client::new(&mock.admin);
    waiting.write(b"GET /app/v1/requests/wait?path=/orders&count=3&timeout=20 HTTP/1.1\r\nHost: x\r\n\r\n");
    mock.get("/orders/1");
    mock.post("/orders", JSON, b"{}");
    let reply = waiting.read(false);
    assert_eq!((reply.status, &reply.json()["numbers"]), (200, &json!([1, 2, 6])));
}

#[test]
fn a_wait_counts_from_a_reset_on() {
    for reset in ["DELETE /app/v1/all", "DELETE /app/v1/requests"] {
        let mock = orders();
        mock.admin("DELETE /app/v1/requests", &[], b"");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| ask(&mock, "requests/wait", "path=/orders/1&count=2&timeout=1"));
            let by_command = scope.spawn(|| {
                let wanted = ["--for", "GET /orders/1", "--count", "2", "--timeout", "2s"];
                wait_for(&mock, &wanted).status.code()
            });
            // Both clients wait.
            eventually(|| {
                let page = mock.admin("GET /metrics", &[], b"").text();
                page.contains("busy{listener=\"admin\"} 3").then_some(()).ok_or(page)
            });
            mock.get("/orders/1");
            mock.admin(reset, &[], b"");
            mock.get("/orders/1");
            let reply = waiting.join().unwrap();
            assert_eq!((reply.status, &reply.json()["count"]), (408, &json!(1)), "{reset}");
            assert_eq!(by_command.join().unwrap(), Some(1), "{reset}");
        });
    }
}

#[test]
fn the_example_for_pytest_is_one_of_the_component_tests() {
    let page = std::fs::read_to_string(project().join("docs/testing.md")).unwrap();
    let tests = std::fs::read_to_string(project().join("ct/src/test_journal.py")).unwrap();
    let example = page.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    assert!(example.contains("def test_") && tests.contains(example), "{example}");
}

/// All clients wait while one worker answers other requests. One request ends all waits.
#[test]
fn five_hundred_clients_wait_on_one_worker() {
    let mock =
        Mock::start_with(&["--admin-workers", "1"], |folder| folder.write("provision/initial", SOURCE));
    let waiting: Vec<Client> = (0..500)
        .map(|number| {
            let mut client = Client::new(&mock.admin);
            let path = if number % 2 == 0 { "/orders/<int:id>" } else { "/orders/7" }
                .replace('<', "%3C")
                .replace('>', "%3E");
            let head = format!(
                "GET /app/v1/requests/wait?path={path}&count=2&timeout=60 HTTP/1.1\r\nHost: x\r\n\r\n"
            );
            client.write(head.as_bytes());
            client
        })
        .collect();
    assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
    mock.get("/orders/7");
    mock.get("/orders/7");
    let started = Instant::now();
    for mut client in waiting {
        let reply = client.read(false);
        assert_eq!((reply.status, &reply.json()["count"]), (200, &json!(2)), "{}", reply.text());
    }
    println!("500 waits answered within {:?}", started.elapsed());
}

/// Searching a body may take long, but delays neither held answers nor probes.
#[test]
fn an_expensive_pattern_of_a_wait_delays_no_other_answer() {
    let mock = Mock::serving(
        r#"fn registerRules() { app.post("/", || "ok"); app.get("/held", || { time.sleep(0.05); "held" }); }"#,
    );
    let body = [&[b'a'; 8_000][..], b"b"].concat();
    mock.post("/", "text/plain", &body);
    thread::scope(|scope| {
        // The first filter is evaluated at its first look, the second when the next request comes.
        let search = "body~=(?:a?a?){20}b";
        let mock = &mock;
        let waiting: Vec<_> = ["count=1&timeout=300", "since=1&timeout=300"]
            .map(|beside| scope.spawn(move || ask(mock, "requests/wait", &format!("{search}&{beside}"))))
            .into();
        eventually(|| {
            let page = mock.admin("GET /metrics", &[], b"").text();
            let waits = ["2", "3"].map(|busy| format!("busy{{listener=\"admin\"}} {busy}"));
            waits.iter().any(|busy| page.contains(busy)).then_some(()).ok_or(page)
        });
        mock.post("/", "text/plain", &body);
        assert_eq!(mock.get("/held").text(), "held");
        assert_eq!(mock.admin("GET /healthz", &[], b"").status, 200);
        assert!(waiting.iter().any(|waiting| !waiting.is_finished()));
        waiting.into_iter().for_each(|waiting| assert_eq!(waiting.join().unwrap().status, 200));
    });
}

#[test]
fn a_wait_is_answered_when_the_process_stops() {
    let mut mock = orders();
    let mut waiting = Client::new(&mock.admin);
    waiting.write(b"GET /app/v1/requests/wait?method=PUT HTTP/1.1\r\nHost: x\r\n\r\n");
    let mut second = Client::new(&mock.admin);
    second.send("GET", "/healthz", &[], b"");
    mock.signal("TERM");
    let reply = waiting.read(false);
    assert_eq!((reply.status, &reply.json()["result"]), (503, &json!("failed: the process is stopping")));
    mock.wait();
}

fn wait_for(mock: &Mock, arguments: &[&str]) -> Output {
    binary().arg("wait").args(arguments).arg(&mock.admin).output().unwrap()
}

#[test]
fn the_subcommand_waits_for_requests() {
    let mock = orders();
    let (code, error) = {
        // The client waits for whole seconds, and asks without a wait in the rest of the time.
        let output = wait_for(&mock, &["--for", "POST /orders", "--count", "3", "--timeout", "1900ms"]);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(code, Some(1));
    assert!(
        error.starts_with("h1mock: failed to wait for 3 requests `POST /orders` within 1.9s: 408 Request Timeout: 2 of 3 requests came so far; nearest: number 3 `GET /orders/7`: method is `GET`, not `POST`"),
        "{error}"
    );
    for arguments in [
        &["--for", "POST /orders", "--count=2"][..],
        &["--for=/orders/<int:id>"],
        &["--for", "GET /order/<int:id>?status=404&header=X-Run:a", "--since", "3"],
        &["--for", "POST /orders?json~=/name=^se"],
        &["--for", "/orders/7", "--generation", "1"],
    ] {
        let output = wait_for(&mock, arguments);
        assert!(output.status.success() && output.stderr.is_empty(), "{arguments:?} {output:?}");
    }
    let wrong = wait_for(&mock, &["--for", "/orders?page=2"]);
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(wrong.stderr).unwrap(),
        "h1mock: failed to wait for 1 request `/orders?page=2`: 400 Bad Request: failed to parse filter `page=2`: character 43: unknown parameter `page`: for a parameter of the request's query write `query=page=2`; known are method, path, target, rule, endpoint, overlay, status, header, body, json, query, form, part, cookie, baggage, generation, stream, pieces, forwarded, kind, cause, attempt, since, count, timeout\n"
    );
    let usage = wait_for(&mock, &["--for", "orders"]);
    assert_eq!(usage.status.code(), Some(2));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| wait_for(&mock, &["--for", "PUT /orders", "--timeout=20s"]));
        mock.send("PUT", "/orders", &[], b"");
        assert!(waiting.join().unwrap().status.success());
    });
}
