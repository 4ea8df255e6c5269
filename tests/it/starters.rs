//! `h1mock new`: each starter passes `check --strict`, and answers the requests that the command prints.

use crate::harness::{Folder, Mock, binary, eventually, skip_without};
use std::path::Path;
use std::process::{Command, Output};

/// The kinds, each with what its requests print: the status of each answer, and the body of the last one.
const KINDS: [(&str, &[&str], &str); 6] = [
    ("rest", &["200 OK", "200 OK", "201 Created"], r#"{"id":3,"name":"milk"}"#),
    ("crud", &["201 Created", "200 OK", "200 OK", "204 No Content"], ""),
    ("oauth2", &["200 OK"], r#"{"hello":"tester"}"#),
    ("sse", &[], "id: 5\ndata: {\"tea\":305}"),
    ("webhook", &["202 Accepted", "200 OK"], r#"[{"job":1,"status":"done"}]"#),
    ("blank", &["200 OK"], r#"{"hello":"you"}"#),
];

fn run(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let Output { status, stdout, stderr } = binary().args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code(), text(stdout), text(stderr))
}

/// Writes a starter, and returns its source and the requests that the command prints.
fn new(kind: &str) -> (String, Vec<String>) {
    let folder = Folder::new();
    let (code, out, error) = run(&["new", "shop", "--kind", kind], &folder.0);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{kind}");
    let requests = out.strip_prefix(
        "shop.rhai is written. Serve it:\n\n  h1mock shop.rhai\n\nThen, in another terminal:\n\n",
    );
    let requests = requests.unwrap_or_else(|| panic!("{out}")).lines();
    let requests = requests.map(|line| line.strip_prefix("  ").unwrap().to_owned()).collect();
    let (code, out, error) = run(&["check", "--strict", "shop.rhai"], &folder.0);
    assert_eq!((code, error.as_str()), (Some(0), ""), "{kind}");
    assert!(out.starts_with("shop.rhai: ok, "), "{out}");
    (std::fs::read_to_string(folder.0.join("shop.rhai")).unwrap(), requests)
}

#[test]
fn each_starter_answers_the_requests_that_new_prints() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skip_without("curl");
    }
    for (kind, statuses, body) in KINDS {
        let (source, requests) = new(kind);
        let mock = Mock::serving(&source);
        let send = |requests: &[String]| {
            let script =
                requests.join("\n").replace("localhost:8000", &mock.traffic).replace("curl ", "curl -s ");
            let output = Command::new("bash").args(["-c", &script]).output().unwrap();
            let printed = String::from_utf8(output.stdout).unwrap().replace('\r', "");
            assert!(output.status.success(), "{kind}: {printed}{}", String::from_utf8_lossy(&output.stderr));
            printed
        };
        let printed = send(&requests);
        let found: Vec<&str> = printed.lines().filter_map(|line| line.strip_prefix("HTTP/1.1 ")).collect();
        assert_eq!(found, statuses, "{kind}: {printed}");
        // The last request of a webhook may come before the webhook.
        eventually(|| {
            let printed = if kind == "webhook" { send(&requests[1..]) } else { printed.clone() };
            if printed.trim_end().ends_with(body) { Ok(()) } else { Err(format!("{kind}: {printed}")) }
        });
    }
}

#[test]
fn starters_refuse_what_they_do_not_understand() {
    for (kind, path, body) in [
        ("rest", "/items", "[1]"),
        ("crud", "/items", "[1]"),
        ("webhook", "/jobs", "{}"),
        ("rest", "/items", "x"),
    ] {
        let mock = Mock::serving(&new(kind).0);
        assert_eq!(mock.post(path, "application/json", body.as_bytes()).status, 400, "{kind} {body}");
    }
    let mock = Mock::serving(&new("crud").0);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(mock.send(method, "/items/7", &[("Content-Type", "application/json")], b"{}").status, 404);
    }
}

#[test]
fn new_writes_one_file_and_overwrites_none() {
    let folder = Folder::new();
    folder.write("mine.rhai", "// mine");
    let (code, out, _) = run(&["new", "my mocks/shop.rhai"], &folder.0);
    assert_eq!((code, out.as_str()), (Some(1), ""));
    std::fs::create_dir(folder.0.join("my mocks")).unwrap();
    let (code, out, error) = run(&["new", "my mocks/shop.rhai"], &folder.0);
    assert_eq!((code, error.as_str()), (Some(0), ""));
    assert!(out.contains("\n  h1mock 'my mocks/shop.rhai'\n"), "{out}");
    let (code, out, error) = run(&["new", "-"], &folder.0);
    let rest = std::fs::read_to_string(folder.0.join("my mocks/shop.rhai")).unwrap();
    assert_eq!((code, out, error.as_str()), (Some(0), rest, ""));

    for (arguments, code, expected) in [
        (
            &["new", "mine"][..],
            1,
            "failed to write `mine.rhai`: the file exists: choose another name, or remove it first",
        ),
        (
            &["new", "no mocks/shop"],
            1,
            "failed to write `no mocks/shop.rhai`: there is no folder `no mocks`: `mkdir -p 'no mocks'` makes it",
        ),
        (&["new", ".x"], 2, "invalid name `.x`: hidden (try shop.rhai)"),
        (&["new"], 2, "missing argument: `h1mock new NAME`"),
        (
            &["new", "a", "--kind", "curd"],
            2,
            "failed to parse `--kind`: `curd` is none of rest, crud, oauth2, sse, webhook and blank: did you mean `crud`?",
        ),
        (
            &["new", "a", "--kind=graphql"],
            2,
            "failed to parse `--kind`: `graphql` is none of rest, crud, oauth2, sse, webhook and blank",
        ),
    ] {
        let printed = run(arguments, &folder.0);
        assert_eq!(printed, (Some(code), String::new(), format!("h1mock: {expected}\n")), "{arguments:?}");
    }
    assert_eq!(std::fs::read_to_string(folder.0.join("mine.rhai")).unwrap(), "// mine");
    assert_eq!(std::fs::read_dir(&folder.0).unwrap().count(), 2);
}
