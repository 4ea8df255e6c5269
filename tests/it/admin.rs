//! The admin interface of the built program, against a provision directory on disk.

use crate::harness::Mock;
use std::fs;
use std::thread;

const PLAIN: &[(&str, &str)] = &[("Content-Type", "text/plain")];
const FOO: &[u8] = b"fn registerRules() { app.get(\"/foo\", foo); }\nfn foo() { `foo` }\n";
const BROKEN: &[u8] = b"fn registerRules() {\n  app.get(\"/foo\", missing);\n}\n";
const LIBRARY: &[u8] = b"fn answer() { `one` }\n";
const IMPORTER: &[u8] =
    b"import \"common\" as common;\nfn registerRules() { app.get(\"/foo\", foo); }\nfn foo() { common::answer() }\n";

#[track_caller]
fn check(mock: &Mock, line: &str, headers: &[(&str, &str)], body: &[u8], status: u16, expected: &str) {
    let reply = mock.admin(line, headers, body);
    assert_eq!(reply.status, status, "{line}: {}", reply.text());
    assert!(reply.text().contains(expected), "{line}: {}", reply.text());
}

#[test]
fn calls_are_answered_in_order_by_one_process() {
    let mock = Mock::start();
    let form = &[("Content-Type", "application/x-www-form-urlencoded")][..];
    let upper = &[("content-type", "TEXT/PLAIN; charset=utf-8")][..];
    let loaded = |name: &str, n: u64| {
        format!(r#"{{"result":"success: basename file '{name}' has been loaded","generation":{n}}}"#)
    };
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u8], u16, &'a str);
    let table: &[Case] = &[
        ("GET /app/v1/provision", &[], b"", 200, r#""active":{"name":"initial","generation":1}"#),
        ("POST /app/v1/provision/foo-bar", PLAIN, FOO, 201, &loaded("foo-bar", 2)),
        ("POST /app/v1/provision/v2/foo.rhai", upper, FOO, 201, &loaded("v2/foo.rhai", 3)),
        ("POST /app/v1/provision/untyped", &[], FOO, 201, &loaded("untyped", 4)),
        ("POST /app/v1/provision/broken", PLAIN, BROKEN, 422, r#""file":"broken","line":2"#),
        ("GET /app/v1/source/broken", &[], b"", 404, "failed: "),
        ("POST /app/v1/provision/empty", PLAIN, b"", 422, "failed to load provision `empty`"),
        ("POST /app/v1/provision/binary", PLAIN, b"\xff\xfe", 422, "failed to load provision `binary`"),
        ("POST /app/v1/provision/library", PLAIN, LIBRARY, 422, "registerRules"),
        ("POST /app/v1/provision/foo-bar", form, FOO, 415, "Content-Type: text/plain"),
        ("POST /app/v1/provision/data.json", PLAIN, b"{}", 400, "PUT /app/v1/file/data.json"),
        ("POST /app/v1/provision/..%2Fescaped", PLAIN, FOO, 400, "failed: "),
        ("PUT /app/v1/file/%2e%2e/escaped", &[], b"x", 400, "failed: "),
        ("PUT /app/v1/file/.hidden", &[], b"x", 400, "failed: "),
        ("GET /app/v1/provision", &[], b"", 200, r#""active":{"name":"untyped","generation":4}"#),
        ("GET /app/v1/provision/foo-bar", &[], b"", 200, &loaded("foo-bar", 5)),
        ("GET /app/v1/provision/none", &[], b"", 404, "failed: "),
        ("DELETE /app/v1/provision/foo-bar", &[], b"", 409, "foo-bar"),
        (
            "DELETE /app/v1/provision/untyped",
            &[],
            b"",
            200,
            r#"{"result":"success: file 'untyped' has been removed"}"#,
        ),
        ("DELETE /app/v1/provision/untyped", &[], b"", 404, "untyped"),
        ("PUT /app/v1/file/data.json", &[], b"{}", 201, r#""generation":5"#),
        ("PUT /app/v1/file/data.json", &[], b"[]", 200, r#""generation":5"#),
        ("GET /app/v1/provision/data.json", &[], b"", 400, "data.json"),
        ("GET /healthz", &[], b"", 200, ""),
        ("GET /readyz", &[], b"", 200, ""),
        ("GET /app/v1/openapi.json", &[], b"", 200, r#""openapi":"3.1.0""#),
        ("GET /app/v1/wait?generation=5", &[], b"", 200, r#""generation":5"#),
        ("GET /app/v1/wait?generation=6&timeout=0", &[], b"", 408, "generation 6 does not serve"),
        ("GET /app/v1/wait?timeout=1", &[], b"", 400, "`generation` is missing"),
        ("GET /app/v1/provision/", &[], b"", 404, "failed: "),
    ];
    for (line, headers, body, status, expected) in table {
        check(&mock, line, headers, body, *status, expected);
    }
    assert_eq!(fs::read(mock.directory().join("v2/foo.rhai")).unwrap(), FOO);
    assert_eq!(mock.admin("GET /app/v1/source/foo-bar", &[], b"").body, FOO);
    assert!(!mock.folder.0.join("escaped").exists());
    let refused = mock.admin("PATCH /app/v1/provision/foo-bar", &[], b"");
    assert_eq!((refused.status, refused.header("Allow")), (405, "DELETE, GET, OPTIONS, POST"));
    let head = mock.admin("HEAD /app/v1/source/foo-bar", &[], b"");
    assert_eq!((head.status, head.body.len()), (200, 0));
}

#[test]
fn a_provision_that_the_admin_port_stores_is_not_activated_again_by_its_file_event() {
    let mock = Mock::start();
    check(&mock, "POST /app/v1/provision/foo-bar", PLAIN, FOO, 201, r#""generation":2"#);
    check(&mock, "PUT /app/v1/file/other", &[], FOO, 201, r#""generation":2"#);
    check(&mock, "GET /app/v1/wait?generation=3&timeout=1", &[], b"", 408, "does not serve");
    assert_eq!(mock.active(), ("foo-bar".to_owned(), 2));
}

#[test]
fn a_library_that_changes_reloads_the_provision_that_imports_it() {
    let mock = Mock::start();
    check(&mock, "PUT /app/v1/file/common.rhai", &[], LIBRARY, 201, r#""generation":1"#);
    check(&mock, "POST /app/v1/provision/foo-bar", PLAIN, IMPORTER, 201, r#""generation":2"#);
    check(&mock, "PUT /app/v1/file/common.rhai", &[], b"fn answer() { `two` }\n", 200, r#""generation":3"#);
    check(&mock, "PUT /app/v1/file/common.rhai", &[], b"fn answer( {", 200, r#""generation":3"#);
    let ledger = mock.admin("GET /app/v1/provision", &[], b"").json();
    let row = ledger["files"].as_array().unwrap().iter().find(|row| row["name"] == "foo-bar").unwrap();
    assert!(row["error"]["message"].is_string(), "{row}");
    assert_eq!(ledger["active"]["generation"], 3);
}

#[test]
fn a_wait_is_answered_while_others_post() {
    let mock = Mock::start();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| mock.admin("GET /app/v1/wait?generation=3&timeout=20", &[], b""));
        for wanted in [2, 3] {
            check(
                &mock,
                "POST /app/v1/provision/foo-bar",
                PLAIN,
                FOO,
                201,
                &format!(r#""generation":{wanted}"#),
            );
        }
        let answered = waiting.join().unwrap();
        assert_eq!(
            (answered.status, answered.text()),
            (200, r#"{"result":"success: generation 3 serves","generation":3}"#.into())
        );
    });
    assert_eq!(mock.active().1, 3);
}

#[test]
fn a_token_guards_all_but_the_probes() {
    let mock = Mock::start_with(&["--admin-token", "s3cret", "--require-provision", "foo-bar"], |_| ());
    let refused = mock.admin("POST /app/v1/provision/foo-bar", PLAIN, FOO);
    assert_eq!((refused.status, refused.header("WWW-Authenticate")), (401, "Bearer"));
    check(&mock, "GET /healthz", &[], b"", 200, "");
    check(
        &mock,
        "GET /readyz",
        &[],
        b"",
        503,
        "provision `foo-bar` is required (`--require-provision`), but `initial` is active: there is no file `foo-bar` in the provision directory",
    );
    check(
        &mock,
        "POST /app/v1/provision/foo-bar",
        &[("Authorization", "Bearer s3cret")],
        FOO,
        201,
        "success: ",
    );
    check(&mock, "GET /readyz", &[], b"", 200, "");
}

#[test]
fn a_body_over_the_limit_is_refused_and_changes_nothing() {
    let mock = Mock::start_with(&["--max-body", "100"], |_| ());
    check(&mock, "POST /app/v1/provision/foo-bar", PLAIN, &[b' '; 101], 413, "100 bytes");
    check(&mock, "PUT /app/v1/file/data.json", &[], &[b' '; 101], 413, "100 bytes");
    assert_eq!(mock.active().1, 1);
}
