//! One call, one answer: method, path, header and body -> status and text.

use super::{BROKEN, GOOD, LIBRARY, PLAIN, activation, answer, header, started, text};
use crate::directory::Name;
use crate::directory::fixture::Folder;

#[test]
fn each_call_gets_its_status_and_text() {
    let broken = r#""error":{"file":"x","line":3,"column":9,"message":"no variable `broken`","source":"let x = broken;"}"#;
    let table: &[(&str, &str, &[u8], u16, &str)] = &[
        (
            "POST /app/v1/provision/x",
            PLAIN,
            GOOD,
            201,
            r#"{"result":"success: basename file 'x' has been loaded","generation":2}"#,
        ),
        (
            "POST /app/v1/provision/x",
            "",
            GOOD,
            201,
            r#"{"result":"success: basename file 'x' has been loaded","generation":2}"#,
        ),
        (
            "POST /app/v1/provision/a/b%20c.rhai",
            "content-type: Text/PLAIN;charset=UTF-8",
            GOOD,
            201,
            r#"{"result":"success: basename file 'a/b c.rhai' has been loaded","generation":2}"#,
        ),
        (
            "POST /app/v1/provision/x",
            PLAIN,
            BROKEN,
            422,
            &format!(
                r#"{{"result":"failed: failed to load provision `x`: line 3, column 9: no variable `broken`",{broken}}}"#
            ),
        ),
        ("POST /app/v1/provision/x", PLAIN, b"", 422, "failed to load provision `x`"),
        ("POST /app/v1/provision/x", PLAIN, b"\xff\xfe", 422, "failed to load provision `x`"),
        ("POST /app/v1/provision/x", PLAIN, LIBRARY, 422, "function registerRules() is missing"),
        (
            "POST /app/v1/provision/x",
            "Content-Type: application/x-www-form-urlencoded",
            GOOD,
            415,
            "{\"result\":\"failed: content type `application/x-www-form-urlencoded` is not supported: send the provision as text/plain, for example curl --data-binary @foo-bar -H 'Content-Type: text/plain' http://localhost:8074/app/v1/provision/foo-bar\"}",
        ),
        (
            "POST /app/v1/provision/x.json",
            PLAIN,
            b"{}",
            400,
            "{\"result\":\"failed: `x.json` is no name of a provision, which has no extension or ends in `.rhai`: send other files with PUT /app/v1/file/x.json\"}",
        ),
        (
            "GET /app/v1/provision/initial",
            "",
            b"",
            200,
            r#"{"result":"success: basename file 'initial' has been loaded","generation":2}"#,
        ),
        (
            "HEAD /app/v1/provision/initial",
            "",
            b"",
            405,
            "failed: `HEAD` is not served at `/app/v1/provision/initial`: send DELETE, GET, OPTIONS, POST",
        ),
        ("GET /app/v1/provision/none", "", b"", 404, "none"),
        ("GET /app/v1/provision/stale", "", b"", 422, "failed to load provision `stale`: line 3, column 9"),
        ("GET /app/v1/provision/lib.rhai", "", b"", 422, "function registerRules() is missing"),
        ("GET /app/v1/provision/data.json", "", b"", 400, "data.json"),
        (
            "DELETE /app/v1/provision/stale",
            "",
            b"",
            200,
            r#"{"result":"success: file 'stale' has been removed"}"#,
        ),
        ("DELETE /app/v1/provision/none", "", b"", 404, "none"),
        ("DELETE /app/v1/provision/initial", "", b"", 409, "initial"),
        ("GET /app/v1/source/stale", "", b"", 200, "broken"),
        ("GET /app/v1/source/none", "", b"", 404, "none"),
        (
            "PUT /app/v1/file/page.html",
            "Content-Type: text/html",
            b"<p>",
            201,
            r#"{"result":"success: file 'page.html' has been stored","generation":1}"#,
        ),
        (
            "PUT /app/v1/file/data.json",
            "",
            b"\xff",
            200,
            r#"{"result":"success: file 'data.json' has been stored","generation":1}"#,
        ),
        ("GET /healthz", "", b"", 200, ""),
        ("HEAD /readyz", "", b"", 200, ""),
        ("GET /app/v1/provision/x/", "", b"", 400, "failed: "),
        ("GET /app/v1/provision//etc/passwd", "", b"", 400, "failed: "),
        ("GET /app/v1/provision/..%2f..%2fetc%2fpasswd", "", b"", 400, "failed: "),
        ("GET /app/v1/source/%2e%2e/x", "", b"", 400, "failed: "),
        ("PUT /app/v1/file/a%00b", "", b"", 400, "failed: "),
        ("PUT /app/v1/file/%ff", "", b"", 400, "{\"result\":\"failed: name `%FF` is not UTF-8\"}"),
        ("GET /", "", b"", 404, "{\"result\":\"failed: path `/` is unknown: see /app/v1/openapi.json\"}"),
        ("GET /healthz/", "", b"", 404, "path `/healthz/` is unknown"),
        ("GET /app/v1/provision/", "", b"", 404, "path `/app/v1/provision/` is unknown"),
        ("GET /app/v1/requests/1/2", "", b"", 404, "path `/app/v1/requests/1/2` is unknown"),
        ("GET /app/v1/other/x", "", b"", 404, "path `/app/v1/other/x` is unknown"),
        ("GET /app/v1/report", "", b"", 200, r#"{"verdict":"pass"}"#),
        ("GET /app/v1/report?fail-on=unused%2Cerrors", "", b"", 200, r#"{"verdict":"unused,errors"}"#),
        (
            "GET /app/v1/report?fail-on=erors",
            "",
            b"",
            400,
            "{\"result\":\"failed: query parameter `fail-on`: `erors` is no condition (unmatched, unused, errors or loads)\"}",
        ),
        ("OPTIONS *", "", b"", 404, "path `/*` is unknown"),
        (
            "TRACE /app/v1/wait",
            "",
            b"",
            405,
            "{\"result\":\"failed: `TRACE` is not served at `/app/v1/wait`: send GET, HEAD, OPTIONS\"}",
        ),
        ("get /healthz", "", b"", 405, "`get` is not served at `/healthz`"),
        (
            "GET /app/v1/wait?generation=x",
            "",
            b"",
            400,
            "{\"result\":\"failed: query parameter `generation` is `x`: not a whole number from 0 to 9223372036854775807\"}",
        ),
        (
            "GET /app/v1/wait?generation=1",
            "",
            b"",
            200,
            r#"{"result":"success: generation 1 serves","generation":1}"#,
        ),
    ];
    for (line, header, body, status, expected) in table {
        let (admin, jobs) = started();
        let answer = answer(&admin, line, header, body);
        let text = text(&answer);
        assert_eq!(answer.status, *status, "{line} {text}");
        let whole = expected.is_empty() || expected.starts_with('{');
        assert!(if whole { text == *expected } else { text.contains(expected) }, "{line} {text}");
        assert_eq!(jobs.lock().unwrap().len(), 0, "{line}");
    }
}

#[test]
fn a_sequence_has_up_to_100_steps() {
    let (admin, _) = started();
    for (steps, status) in [(1, 200), (100, 200), (101, 400)] {
        let body = format!("[{}]", vec!["{}"; steps].join(","));
        assert_eq!(answer(&admin, "POST /app/v1/verify", "", body.as_bytes()).status, status, "{steps}");
    }
}

#[test]
fn a_stream_is_not_cached() {
    let (admin, _) = started();
    let stream = answer(&admin, "GET /app/v1/requests/stream", "", b"");
    assert_eq!(header(&stream, "Content-Type"), Some("text/event-stream"));
    assert_eq!(header(&stream, "Cache-Control"), Some("no-store"));
}

/// The worker with the first turn may hand over its request last.
#[test]
fn a_library_reloads_the_active_provision_whatever_the_order_of_the_turns() {
    let folder = Folder::new();
    let activation = activation(&folder, None);
    let (first, second) = (activation.turn(), activation.turn());
    let source = b"import \"lib\" as lib; fn registerRules() { app.get(\"/\", || lib::one()); }";
    let name = |name: &str| Name::parse(name).unwrap();
    assert_eq!(activation.post(&second, &name("new"), source).unwrap(), 2);
    assert_eq!(activation.put_file(&first, &name("lib.rhai"), b"fn one() { 2 }").unwrap(), 3);
    assert_eq!(activation.current().name, "new");
    // A load with an earlier turn does not replace the active provision.
    assert_eq!(activation.post(&second, &name("newer"), GOOD).unwrap(), 4);
    assert_eq!(activation.post(&first, &name("older"), GOOD).unwrap(), 4);
}
