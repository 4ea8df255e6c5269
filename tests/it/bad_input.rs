//! Invalid input of every kind: the text of its error, which is pinned, and the state afterwards.

use crate::harness::{Folder, Mock, binary, eventually};

/// Name, source, and the message after ``failed to load provision `NAME`: ``.
const BROKEN: &[(&str, &str, &str)] = &[
    (
        "syntax",
        "fn registerRules() {\n    app.get(\"/x\" show);\n}\n",
        "line 2, column 18: expecting ',' to separate the arguments to function call 'get'",
    ),
    ("unclosed", "fn registerRules() {\n", "line 2, column 1: expecting '}' to terminate this block"),
    ("nothing", "fn other() { 1 }\n", "function registerRules() is missing"),
    (
        "empty",
        "",
        "function registerRules() is missing: the file is empty: it defines no function and no variable",
    ),
    (
        "parameters",
        "fn registerRules(app) { }\n",
        "line 1: registerRules() must take no parameters and not be private",
    ),
    (
        "no-view",
        "fn registerRules() {\n    app.get(\"/x\", nowhere);\n}\n",
        "line 2, column 19: no variable `nowhere`",
    ),
    (
        "no-view-by-name",
        "fn registerRules() {\n    app.get(\"/x\", Fn(\"nowhere\"));\n}\n",
        "line 2, column 9: no function `nowhere`: define it by `fn nowhere(...) { ... }`",
    ),
    (
        "private-view",
        "fn registerRules() {\n    app.get(\"/x\", hidden);\n}\nprivate fn hidden() { 1 }\n",
        "line 2, column 9: function `hidden` is private: drop the word `private` before `fn hidden`",
    ),
    (
        "wrong-parameter",
        "fn registerRules() {\n    app.get(\"/a/<int:id>\", show);\n}\nfn show(name) { name }\n",
        "line 2, column 9: view function `show` takes `(name)`, but rule `/a/<int:id>` gives `(id)`",
    ),
    (
        "missing-parameter",
        "fn registerRules() {\n    app.get(\"/a/<int:id>\", || 1);\n}\n",
        "line 2, column 9: view function closure takes `()`, but rule `/a/<int:id>` gives `(id)`",
    ),
    (
        "converter",
        "fn registerRules() {\n    app.get(\"/a/<date:d>\", |d| d);\n}\n",
        "line 2, column 9: rule `/a/<date:d>`: unknown converter `date`, there are `any`, `default`, `float`, `int`, `path`, `string`, `uuid`",
    ),
    (
        "no-slash",
        "fn registerRules() {\n    app.get(\"a\", || 1);\n}\n",
        "line 2, column 9: rule `a`: must start with `/`",
    ),
    (
        "endpoint-twice",
        "fn registerRules() {\n    app.add_url_rule(\"/a\", \"e\", one);\n    app.add_url_rule(\"/b\", \"e\", two);\n}\nfn one() { 1 }\nfn two() { 2 }\n",
        "line 3, column 9: endpoint `e` is `one` already (line 2): give `two` another name, or an endpoint of its own",
    ),
    (
        "methods",
        "fn registerRules() {\n    app.add_url_rule(\"/a\", \"a\", || 1, \"GET\");\n}\n",
        "line 2, column 9: methods must be a list of texts: `[\"GET\"]`",
    ),
    (
        "option",
        "fn registerRules() {\n    app.get(\"/a\", || 1, #{ strict: true });\n}\n",
        "line 2, column 9: unknown option `strict`: there are methods, strict_slashes, merge_slashes, defaults, endpoint, provide_automatic_options, host, subdomain, redirect_to",
    ),
    (
        "error-code",
        "fn registerRules() {\n    app.register_error_handler(200, |e| 1);\n}\n",
        "line 2, column 9: an error handler is for a code from 400 to 599 or a class such as `NotFound`, `HTTPException`, `Exception`, not 200",
    ),
    ("endless", "fn registerRules() {\n    loop { }\n}\n", "line 1: the script ran longer than 300 ms"),
    (
        "endless-top",
        "let n = 0;\nwhile true { n += 1; }\nfn registerRules() { }\n",
        "line 2, column 14: the script ran longer than 300 ms",
    ),
    (
        "cycle",
        "import \"cycle-b\" as b;\nfn registerRules() { }\n",
        "imported `cycle-b`: line 1, column 8: failed to import `cycle`: import cycle: cycle -> cycle-b -> cycle",
    ),
    (
        "itself",
        "import \"itself\" as me;\nfn registerRules() { }\n",
        "line 1, column 8: failed to import `itself`: import cycle: itself -> itself",
    ),
    (
        "missing-import",
        "import \"no-such\" as n;\nfn registerRules() { }\n",
        "line 1, column 8: failed to import `no-such`: neither `no-such` nor `no-such.rhai` is in the provision directory",
    ),
    ("throws", "fn registerRules() {\n    throw \"no\";\n}\n", "line 2, column 5: no"),
    (
        "request-at-load",
        "fn registerRules() {\n    request.path;\n}\n",
        "line 2, column 13: `request` is there only while a request is handled",
    ),
    (
        "python",
        "def registerRules():\n  app.add_url_rule(\"/foo\", \"foo_get\", view_func=foo_get, methods=['GET'])\n\ndef foo_get():\n  return \"x\"\n",
        "line 1, column 1: this is Python; provisions are Rhai scripts: its rules in Rhai are `fn registerRules() { app.add_url_rule(\"/foo\", \"foo_get\", foo_get, [\"GET\"]); }`",
    ),
];

const GOOD: &str = "fn registerRules() { app.get(\"/ok\", || \"ok\"); }";

/// `--script-timeout` for scripts that never end. On a slow machine any other script may take this long too.
const SHORT: &str = "300ms";
/// `--script-timeout` for all other scripts, which end by their own fault.
const LONG: &str = "60s";

/// The `--script-timeout` for a script that fails with `message`.
fn time(message: &str) -> &'static str {
    if message.contains("ran longer than 300 ms") { SHORT } else { LONG }
}

fn start() -> Mock {
    start_with_time(LONG)
}

fn start_with_time(time: &str) -> Mock {
    Mock::start_with(&["--script-timeout", time], |folder| {
        folder.write("provision/initial", GOOD);
        folder.write("provision/cycle-b.rhai", "");
        folder.write("provision/cycle-b", "import \"cycle\" as a;\n");
    })
}

#[test]
fn a_broken_provision_has_the_same_error_everywhere() {
    let mocks = [SHORT, LONG].map(start_with_time);
    let mock_for = |message: &str| &mocks[usize::from(time(message) == LONG)];
    let checked = Folder::new();
    checked.write("cycle-b", "import \"cycle\" as a;\n");
    let result = |(name, source, message): &(&str, &str, &str)| {
        mock_for(message).provision(name, source).json()["result"].as_str().unwrap().to_owned()
    };
    let all: Vec<String> = BROKEN.iter().map(result).collect();
    let expected = BROKEN
        .iter()
        .map(|(name, _, message)| format!("failed: failed to load provision `{name}`: {message}"));
    assert_eq!(all.join("\n"), expected.collect::<Vec<_>>().join("\n"));
    for (name, source, message) in BROKEN {
        let mock = mock_for(message);
        let expected = format!("failed to load provision `{name}`: {message}");
        assert_eq!(mock.provision(name, source).status, 422);
        assert_eq!(
            mock.admin(&format!("GET /app/v1/source/{name}"), &[], b"").status,
            404,
            "{name}: nothing is stored"
        );

        checked.write(name, source);
        let output = binary()
            .args(["check", "--script-timeout", time(message)])
            .arg(name)
            .current_dir(&checked.0)
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        if *name == "nothing" || *name == "empty" {
            continue; // a file without registerRules is a library, and no failure when it is checked or copied
        }
        assert_eq!(output.status.code(), Some(1), "{name}");
        assert!(text.starts_with(&format!("error: {expected}\n")), "{text}");

        mock.folder.write(&format!("provision/{name}"), source);
        mock.wait_for_log(&expected);
        eventually(|| {
            let ledger = mock.admin("GET /app/v1/provision", &[], b"").json();
            let files = ledger["files"].as_array().unwrap();
            let file = files.iter().find(|file| file["name"] == *name).cloned().unwrap_or_default();
            let error = file["error"]["message"].as_str().unwrap_or("no error").to_owned();
            if message.ends_with(&error) { Ok(()) } else { Err(format!("{name}: {error}")) }
        });
        std::fs::remove_file(mock.directory().join(name)).unwrap();
    }
    for mock in mocks {
        assert_eq!(mock.get("/ok").text(), "ok");
        assert_eq!(mock.active(), ("initial".to_owned(), 1));
    }
}

#[test]
fn the_report_shows_the_line_and_a_hint() {
    let mock = start();
    let unclosed = mock.provision("unclosed", "fn registerRules() {\n").json();
    assert_eq!(
        (unclosed["error"]["line"].as_u64(), unclosed["error"]["source"].as_str()),
        (Some(2), Some(""))
    );
    let reply = mock.provision("hinted", "fn registerRules() {\n    app.get('/x', show);\n}\n").json();
    let error = &reply["error"];
    assert_eq!(error["file"], "hinted");
    assert_eq!(
        (error["line"].as_u64(), error["source"].as_str()),
        (Some(2), Some("    app.get('/x', show);"))
    );
    assert_eq!(error["hint"], "text takes double quotes: \"abc\"; single quotes hold one character");
}

#[test]
fn hints_are_right_or_absent() {
    let mock = start();
    let hint =
        |source: &str| mock.provision("hinted", source).json()["error"]["hint"].as_str().map(str::to_owned);
    let in_text = "fn registerRules() {\n    app.get(\"/and\" \"not\", show); // def f(): lambda\n}\n";
    assert_eq!(hint(in_text), None);
    let behind_text = "fn registerRules() {\n    let t = `\n 'and' ${1}`; if t and 1 { }\n}\n";
    assert_eq!(hint(behind_text).as_deref(), Some("write `&&`"));
    mock.folder.write("provision/lib", "// f\nfn f() { return 1, 201; }\n");
    let imported = "import \"lib\" as lib;\nfn registerRules() { }\n";
    let list = "body, status and headers are returned as a list: `return [body, 201]`";
    assert_eq!(hint(imported).as_deref(), Some(list));

    let lost = "fn registerRules() { app.get(\"/x\", show); }\nfn show() {\n    try { throw 1 } catch (e) { \"caught\" }\n}\n";
    mock.activate("lost", lost);
    let text = mock.get("/x").text();
    assert!(
        text.starts_with("script error in provision `lost`: line 2: the view function returned nothing"),
        "{text}"
    );
    assert!(text.ends_with("  = help: a `try` has no value of its own: write `return` in both blocks, `try { return a; } catch { return b; }`\n"), "{text}");
}

#[test]
fn imports_and_files_outside_are_refused() {
    let mock = start();
    mock.folder.write("outside", "fn f() { 1 }");
    mock.folder.write("outside.rhai", "fn f() { 1 }");
    for path in ["../outside", "/etc/passwd", "sub/../../outside"] {
        let reply = mock.provision("x", &format!("import \"{path}\" as o;\nfn registerRules() {{ }}"));
        assert_eq!(reply.status, 422, "{path}");
        let result = reply.json()["result"].as_str().unwrap().to_owned();
        assert!(
            result.starts_with(&format!(
                "failed: failed to load provision `x`: line 1, column 8: failed to import `{path}`: "
            )),
            "{result}"
        );
    }
    std::os::unix::fs::symlink(mock.folder.0.join("outside"), mock.directory().join("link.rhai")).unwrap();
    let reply = mock.provision("x", "import \"link\" as o;\nfn registerRules() { }");
    assert_eq!(reply.status, 422, "{}", reply.text());
}

/// A view's body, and what the 500 says after ``script error in provision `x`: ``.
const FAILING: &[(&str, &str)] = &[
    ("loop { }", "line 2: the script ran longer than 300 ms"),
    ("deep(0)", "line 6, column 19: calls are nested deeper than 64"),
    ("let s = \"x\"; loop { s += s; }", "the script used more than 33554432 bytes"),
    ("let a = [1]; loop { a += a; }", "the script used more than"),
    (
        "let m = #{}; let n = 0; loop { m[n.to_string()] = blob(1000000); n += 1; }",
        "the script used more than",
    ),
    (
        "let a = []; a.pad(100000, 1); let b = a; a.filter(|x| b.filter(|y| y == 2).len() > 0)",
        "the script ran longer than 300 ms",
    ),
    ("let a = \"x\"; for n in range(0, 500) { a = [a, 200]; } a", "levels deep"),
    ("blob(1 << 60)", "line 3, column 5: blob: the result is longer than 8388608 bytes"),
    ("let a = 1; loop { let b = a; a = || b; }", "the script used more than"),
    ("throw \"my words\"", "line 3, column 5: my words"),
    ("throw #{ code: 7 }", "line 3, column 5: {\"code\":7}"),
    ("()", "line 2: the view function returned nothing: return a text, a map, a list or make_response(...)"),
    ("1.5", "line 2: the view function returned a float: return a text, a map, a list or make_response(...)"),
    ("#{ f: |x| x }", "line 2: "),
    (
        "[\"x\", 200, #{ \"X-A\": \"a\\r\\nSet-Cookie: b\" }]",
        "line 2: header `X-A` has a line end or control character in its value `a\\r\\nSet-Cookie: b`",
    ),
    ("[\"x\", 200, #{ \"X A\": \"a\" }]", "line 2: header name `X A` has characters that headers can't have"),
    (
        "redirect(\"/a\\r\\nX: y\")",
        "line 3, column 5: header `Location` has a line end or control character in its value `/a\\r\\nX: y`",
    ),
    (
        "make_response(\"x\", 99)",
        "line 3, column 5: status `99` is neither a number from 200 to 999 nor text such as \"404 NOT FOUND\"",
    ),
    ("nowhere()", "line 3, column 5: no function `nowhere ()`"),
    ("request.nothing", "line 3, column 12: `request` has no property `nothing`"),
    ("url_for(\"nowhere\")", "line 3, column 5: url_for: no rule has endpoint `nowhere`"),
];

#[test]
fn a_failing_view_is_answered_by_a_500_that_names_the_line() {
    let mocks = [SHORT, LONG].map(start_with_time);
    let mut wrong = Vec::new();
    for (body, expected) in FAILING {
        let mock = &mocks[usize::from(time(expected) == LONG)];
        let source = format!(
            "fn registerRules() {{\n    app.get(\"/x\", view); app.get(\"/ok\", || \"ok\"); }} fn view() {{\n    {body}\n}}\n// line five\nfn deep(n) {{ deep(n + 1) }}\n"
        );
        mock.activate("x", &source);
        let reply = mock.get("/x");
        let text = reply.text();
        let line = text.lines().next().unwrap_or_default();
        if reply.status != 500
            || !line.starts_with("script error in provision `x`: line ")
            || !line.contains(expected)
        {
            wrong.push(format!("{body}\n  expected: {expected}\n  answered: {} {line}", reply.status));
        }
        assert_eq!(mock.get("/ok").text(), "ok", "{body}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    mocks.iter().for_each(|mock| mock.wait_for_log("GET /x: script error in provision `x`: "));
}

#[test]
fn invalid_utf8_and_names_outside_of_the_directory_are_refused() {
    let mock = start();
    let headers = [("Content-Type", "text/plain")];
    let reply =
        mock.admin("POST /app/v1/provision/latin", &headers, b"// a\n// \xe4\nfn registerRules() { }");
    assert_eq!(reply.status, 422);
    assert_eq!(reply.json()["error"]["message"], "not UTF-8 text: invalid byte in line 2");
    for name in ["..", "../x", "a/../../x", "%2e%2e%2fx", "/etc/x", ".hidden", "a/.b/c", "", "a//b", "x%00y"]
    {
        let reply = mock.admin(&format!("POST /app/v1/provision/{name}"), &headers, GOOD.as_bytes());
        assert!(matches!(reply.status, 400 | 404), "{name}: {} {}", reply.status, reply.text());
        assert!(reply.json()["result"].as_str().unwrap().starts_with("failed: "));
    }
    assert!(!mock.folder.0.join("x").exists());
}

#[test]
fn large_provisions_and_odd_names_work() {
    let mock = start();
    let large = format!("{GOOD}\n{}", "// a comment to fill the line, which is long\n".repeat(23_000));
    assert!(large.len() > 1_000_000);
    mock.activate("large", &large);
    for name in
        ["with%20blank", "%C3%BCml%C3%A4ut", "percent%2525", "quote'%22", "a+b", "sub/folder/x", "x.rhai"]
    {
        let reply = mock.provision(name, GOOD);
        assert_eq!(reply.status, 201, "{name}: {}", reply.text());
        assert_eq!(mock.admin(&format!("GET /app/v1/source/{name}"), &[], b"").text(), GOOD);
    }
    eventually(|| if mock.directory().join("with blank").exists() { Ok(()) } else { Err("no file") });
}
