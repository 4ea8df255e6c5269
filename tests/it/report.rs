//! The report: over HTTP, by `h1mock report`, and as a file and an exit code at the end.

use crate::harness::{Client, Mock, binary, eventually};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;

const SOURCE: &str = r#"
fn registerRules() {
    app.get("/used", || "used");
    app.post("/used", || "posted");
    app.get("/wrong", || { throw "too bad" });
    app.get("/slow", || { time.sleep(0.4); "slow" });
}
"#;

fn report(mock: &Mock) -> Value {
    let reply = mock.admin("GET /app/v1/report", &[], b"");
    assert_eq!((reply.status, reply.header("content-type")), (200, "application/json"));
    assert!(reply.body.len() < 1_024 && reply.text().starts_with(r#"{"verdict":""#), "{}", reply.text());
    reply.json()
}

/// Starts a mock that writes its report to `report` in its folder.
fn reporting(arguments: &[&str]) -> Mock {
    let all = [&["--report", "report"], arguments].concat();
    Mock::start_with(&all, |folder| folder.write("provision/initial", SOURCE))
}

fn file(mock: &Mock) -> PathBuf {
    mock.folder.0.join("report")
}

/// Runs `h1mock report`. Returns its exit code, standard output and standard error.
fn subcommand(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = binary().arg("report").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Tests that share a mock reset it in between. The verdict covers all of them.
#[test]
fn the_report_survives_a_reset() {
    let mock = Mock::serving(SOURCE);
    mock.get("/used");
    mock.get("/missing");
    let before = report(&mock);
    assert_eq!((&before["unmatched"]["count"], &before["unused"]["count"]), (&json!(1), &json!(3)));
    assert_eq!(mock.admin("DELETE /app/v1/all", &[], b"").status, 200);
    assert_eq!(report(&mock), before);
}

#[test]
fn the_report_lists_unmatched_requests_and_unused_rules() {
    let mock = Mock::serving(SOURCE);
    let first = report(&mock);
    assert_eq!(
        (&first["verdict"], &first["requests"], &first["unused"]["count"]),
        (&"pass".into(), &0.into(), &4.into())
    );
    mock.get("/used");
    mock.get("/wrong");
    for _ in 0..3 {
        mock.get("/missing?x=1");
    }
    mock.send("PUT", "/used", &[], b"");
    mock.provision("broken", "fn registerRules() {\n  x\n}");
    let all = report(&mock);
    assert_eq!((&all["verdict"], &all["failed"]), (&json!("fail"), &json!(["unmatched", "errors"])));
    assert_eq!(
        all["unmatched"],
        json!({ "count": 4, "requests": [
            { "method": "GET", "path": "/missing", "count": 3 },
            { "method": "PUT", "path": "/used", "count": 1 },
        ], "left_out": 0 })
    );
    assert_eq!(all["unused"], json!({ "count": 2, "rules": ["POST /used", "GET /slow"], "left_out": 0 }));
    assert_eq!(all["errors"]["count"], 1);
    assert_eq!(all["errors"]["first"], "script error in provision `initial`: line 5, column 28: too bad");
    assert_eq!((&all["loads"]["count"], &all["loads"]["failed"]), (&json!(2), &json!(1)));
    assert_eq!(all["loads"]["last"], "failed to load provision `broken`: line 2, column 3: no variable `x`");
    assert_eq!(
        (&all["requests"], &all["generation"], &all["provision"]),
        (&json!(6), &json!(1), &json!("initial"))
    );
}

#[test]
fn the_report_is_short_with_any_requests() {
    let mock = Mock::serving(SOURCE);
    let mut client = Client::new(&mock.traffic);
    for number in 0..200 {
        client.send("GET", &format!("/{number}/{}", "%22\\".repeat(500)), &[], b"");
    }
    let name = "n".repeat(120);
    let rules: String = (0..100).map(|n| format!("app.get(\"/{n}-{}\", || 1/0);", "r".repeat(900))).collect();
    mock.activate(&name, &format!("fn registerRules() {{ {rules} }}"));
    client.send("GET", &format!("/7-{}", "r".repeat(900)), &[], b"");
    let report = report(&mock);
    assert_eq!((&report["unmatched"]["count"], &report["unused"]["count"]), (&json!(200), &json!(99)));
    let shown = report["unused"]["rules"].as_array().unwrap().len();
    assert_eq!(report["unused"]["left_out"], 99 - shown);
}

#[test]
fn hooks_that_answer_leave_nothing_unmatched() {
    let mock = Mock::serving(
        r#"fn registerRules() { app.before_request(|| if request.path == "/any" { "hook" }); app.register_error_handler(404, |e| ["own", 200]); }"#,
    );
    assert_eq!(mock.get("/any").text(), "hook");
    assert_eq!(report(&mock)["unmatched"]["count"], 0);
    assert_eq!(mock.get("/other").text(), "own");
    assert_eq!(report(&mock)["unmatched"]["count"], 1);
}

#[test]
fn the_subcommand_prints_the_report_and_exits_3_where_a_condition_holds() {
    let mock = Mock::serving(SOURCE);
    let (code, out, err) = subcommand(&[&mock.admin]);
    assert_eq!((code, err.as_str()), (Some(0), ""));
    assert_eq!(serde_json::from_str::<Value>(&out).unwrap(), report(&mock));
    for (fail_on, code) in [("unmatched,errors,loads", 0), ("unused", 3), ("errors,unused", 3)] {
        assert_eq!(subcommand(&["--fail-on", fail_on, &mock.admin]).0, Some(code), "{fail_on}");
    }
    mock.get("/missing");
    let (code, out, _) = subcommand(&["--fail-on", "unmatched", &mock.admin]);
    assert_eq!(
        (code, out.starts_with(r#"{"verdict":"fail","failed":["unmatched"]"#)),
        (Some(3), true),
        "{out}"
    );
    // Without conditions the report is only printed.
    assert_eq!(subcommand(&[&mock.admin]).0, Some(0));
    assert_eq!(subcommand(&["--fail-on", "loads", &mock.admin]).0, Some(0));

    let (code, out, err) = subcommand(&["--fail-on", "unused", "127.0.0.1:1"]);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.starts_with("h1mock: failed to connect to `127.0.0.1:1`: "), "{err}");
    let (code, _, err) = subcommand(&["--fail-on", "nothing", &mock.admin]);
    assert_eq!(code, Some(2));
    assert_eq!(
        err,
        "h1mock: failed to parse `--fail-on`: `nothing` is no condition (unmatched, unused, errors or loads)\n"
    );
    let (code, _, err) = subcommand(&[&mock.traffic]);
    assert_eq!(code, Some(1));
    let port = mock.traffic.rsplit_once(':').unwrap().1;
    let question = format!("; is {port} the admin port, and not the mock's? Try `h1mock report :8074`");
    assert_eq!(
        err,
        format!("h1mock: failed to get the report of `{}`: 404 Not Found{question}\n", mock.traffic)
    );
}

#[test]
fn a_token_is_needed_and_sent() {
    let mock = Mock::start_with(&["--admin-token", "s3cret"], |_| ());
    for line in ["GET /metrics", "GET /app/v1/report", "POST /app/v1/quit"] {
        assert_eq!(mock.admin(line, &[], b"").status, 401, "{line}");
    }
    assert_eq!(subcommand(&["--admin-token", "s3cret", &mock.admin]).0, Some(0));
    let (code, _, err) = subcommand(&[&mock.admin]);
    assert_eq!(code, Some(1));
    assert!(err.contains("a bearer token is missing"), "{err}");
}

#[test]
fn a_stop_writes_the_report_and_the_exit_code_is_that_of_the_signal() {
    let mut mock = reporting(&[]);
    mock.get("/used");
    mock.get("/missing");
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    let text = fs::read_to_string(file(&mock)).unwrap();
    assert!(
        text.starts_with(r#"{"verdict":"fail","failed":["unmatched"],"#) && text.ends_with("}\n"),
        "{text}"
    );
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap()["requests"], 2);
}

#[test]
fn fail_on_decides_the_exit_code_of_signals_and_of_quit() {
    for (fail_on, ends, code) in [
        ("unmatched", "TERM", 3),
        ("unmatched", "INT", 3),
        ("unmatched", "quit", 3),
        ("errors", "TERM", 143),
        ("errors", "INT", 130),
        ("errors", "quit", 0),
        ("errors,unused", "quit", 3),
    ] {
        let mut mock = reporting(&["--fail-on", fail_on]);
        mock.get("/missing");
        if ends == "quit" {
            assert_eq!(mock.admin("POST /app/v1/quit", &[], b"").status, 202);
        } else {
            mock.signal(ends);
        }
        assert_eq!(mock.wait().code(), Some(code), "{fail_on} {ends}");
        let verdict = if code == 3 { r#"{"verdict":"fail""# } else { r#"{"verdict":"pass""# };
        let text = fs::read_to_string(file(&mock)).unwrap();
        assert!(text.starts_with(verdict), "{fail_on} {ends}: {text}");
    }
}

#[test]
fn quit_is_answered_and_lets_requests_finish() {
    let mut mock = Mock::serving(SOURCE);
    let mut client = Client::new(&mock.traffic);
    client.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
    eventually(|| {
        let text = mock.admin("GET /metrics", &[], b"").text();
        if text.contains("h1mock_held_answers 1\n") { Ok(()) } else { Err(text) }
    });
    let quit = mock.admin("POST /app/v1/quit", &[], b"");
    assert_eq!((quit.status, quit.text().as_str()), (202, r#"{"result":"success: the server stops"}"#));
    assert_eq!(client.read(false).text(), "slow");
    assert_eq!(mock.wait().code(), Some(0));
    mock.wait_for_log("stopped");
}

#[test]
fn quit_is_answered_without_any_grace_too() {
    let mut mock = Mock::start_with(&["--grace", "0"], |_| ());
    assert_eq!(mock.admin("POST /app/v1/quit", &[], b"").status, 202);
    assert_eq!(mock.wait().code(), Some(0));
}

#[test]
fn a_report_that_can_not_be_written_is_a_warning() {
    let mut mock = Mock::start_with(&["--report", "none/report"], |_| ());
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(143));
    let expected = "failed to write the report to `none/report`: no such file or directory";
    mock.wait_for_log(expected);
}

#[test]
fn a_variable_names_file_and_conditions() {
    let mut command = binary();
    command.env("H1MOCK_REPORT", "by-variable").env("H1MOCK_FAIL_ON", "loads");
    let mut mock = Mock::start_command(command, &[], |folder| {
        folder.write("provision/initial", "fn registerRules() { x }")
    });
    mock.signal("TERM");
    assert_eq!(mock.wait().code(), Some(3));
    let text = fs::read_to_string(mock.folder.0.join("by-variable")).unwrap();
    assert!(text.starts_with(r#"{"verdict":"fail","failed":["loads"],"provision":"built-in""#), "{text}");
}
