//! `h1mock check --format`: JSON, and the workflow commands of GitHub Actions.

use crate::harness::{Folder, binary};
use serde_json::{Value, json};

const BAD: &str = "fn registerRules() {\n    app.get(\"/a/<int:id>\", show);\n}\nfn show() { 1 }\n";
const SUSPECT: &str = "fn registerRules() {\n    app.get(\"/a\", || helo());\n    app.get(\"/<x>\", |x| x, #{ endpoint: \"x\" });\n    app.get(\"/<y>\", |y| y, #{ endpoint: \"y\" });\n}\nfn hello() { 1 }\n";

/// Runs `check` in a folder with files of each kind.
fn check(arguments: &[&str]) -> (Option<i32>, String, String) {
    let folder = Folder::new();
    folder.write("mocks/good", "fn registerRules() { app.get(\"/a\", || 1); }\n");
    folder.write("mocks/library.rhai", "fn f() { 1 }\n");
    folder.write("mocks/bad", BAD);
    folder.write("mocks/suspect", SUSPECT);
    let output = binary().arg("check").args(arguments).current_dir(&folder.0).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn json_is_one_document_with_a_row_for_each_file() {
    let (code, out, error) = check(&["--format", "json", "mocks", "none"]);
    assert_eq!((code, error.as_str()), (Some(1), ""));
    assert!(out.ends_with("}\n"), "{out}");
    let files = serde_json::from_str::<Value>(&out).unwrap()["files"].as_array().unwrap().clone();
    let message = "view function `show` takes `()`, but rule `/a/<int:id>` gives `(id)`";
    let expected = [
        json!({ "file": "mocks/bad", "ok": false, "kind": null, "rules": null, "warnings": [], "error": {
            "file": "mocks/bad", "line": 2, "column": 9, "message": message,
            "source": "    app.get(\"/a/<int:id>\", show);",
        } }),
        json!({ "file": "mocks/good", "ok": true, "kind": "provision", "rules": 1, "error": null, "warnings": [] }),
        json!({ "file": "mocks/library.rhai", "ok": true, "kind": "library", "rules": null, "error": null, "warnings": [] }),
        json!({ "file": "mocks/suspect", "ok": true, "kind": "provision", "rules": 3, "error": null, "warnings": [
            {
                "file": "mocks/suspect", "line": 2, "column": 22, "message": "no function `helo`",
                "source": "    app.get(\"/a\", || helo());", "hint": "did you mean `hello`?",
            },
            {
                "file": "mocks/suspect", "line": 4, "column": null, "source": null,
                "message": "rule `/<y>` (suspect:4) never serves: `/<x>` (suspect:3) comes first",
            },
        ] }),
        json!({ "file": "none", "ok": false, "kind": null, "rules": null, "warnings": [], "error": {
            "file": "none", "line": null, "column": null, "message": "there is no such file", "source": null,
        } }),
    ];
    assert_eq!(files, expected, "{out}");
}

#[test]
fn github_gets_the_place_of_each_error_and_warning() {
    let (code, out, error) = check(&["--format=github", "mocks", "none"]);
    let expected = "\
::error file=mocks/bad,line=2,col=9,title=h1mock check::view function `show` takes `()`, but rule `/a/<int:id>` gives `(id)`
mocks/good: ok, 1 rule
mocks/library.rhai: ok, a library (no registerRules)
::warning file=mocks/suspect,line=2,col=22,title=h1mock check::no function `helo`%0Ahelp: did you mean `hello`?
::warning file=mocks/suspect,line=4,title=h1mock check::rule `/<y>` (suspect:4) never serves: `/<x>` (suspect:3) comes first
mocks/suspect: ok, 3 rules
::error file=none,title=h1mock check::there is no such file
";
    assert_eq!((code, out.as_str(), error.as_str()), (Some(1), expected, "2 of 5 files failed\n"));
}

#[test]
fn exit_codes_are_those_of_the_text() {
    for format in ["text", "json", "github"] {
        let code = |arguments: &[&str]| check(&[&["--format", format], arguments].concat()).0;
        assert_eq!(code(&["mocks/good"]), Some(0), "{format}");
        assert_eq!(code(&["mocks/suspect"]), Some(0), "{format}");
        assert_eq!(code(&["--strict", "mocks/suspect"]), Some(1), "{format}");
        assert_eq!(code(&["mocks/bad"]), Some(1), "{format}");
        assert_eq!(code(&[]), Some(2), "{format}");
    }
    let expected =
        "h1mock: failed to parse `--format`: `jsn` is none of text, json and github: did you mean `json`?\n";
    assert_eq!(check(&["--format=jsn", "mocks"]), (Some(2), String::new(), expected.to_owned()));
}
