//! `h1mock check` and `h1mock routes`.

use crate::harness::{Folder, binary};

#[test]
fn check_prints_as_a_compiler_does() {
    let folder = Folder::new();
    folder.write("good", "fn registerRules() { app.get(\"/a\", || 1); }\n");
    folder.write("library.rhai", "fn f() { 1 }\n");
    folder.write("bad", "fn registerRules() {\n\tapp.get(\"/a/<int:id>\", show);\n}\nfn show() { 1 }\n");
    folder.write("data.json", "no script");
    let output = binary().arg("check").arg(".").current_dir(&folder.0).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let expected = "error: failed to load provision `bad`: line 2, column 6: view function `show` takes `()`, but rule `/a/<int:id>` gives `(id)`
  --> bad:2:6
  |
2 | \tapp.get(\"/a/<int:id>\", show);
  | \t    ^

1 of 3 files failed
";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "./good: ok, 1 rule\n./library.rhai: ok, a library (no registerRules)\n"
    );
}

#[test]
fn check_tells_rules_that_never_serve_and_files_that_are_missing() {
    let folder = Folder::new();
    folder.write("shadow", "fn registerRules() {\n    app.get(\"/a/<x>\", |x| x, #{ endpoint: \"a\" });\n    app.get(\"/a/<y>\", |y| y, #{ endpoint: \"b\" });\n}\n");
    let output = binary().args(["check", "shadow"]).current_dir(&folder.0).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let expected = "warning: rule `/a/<y>` (shadow:3) never serves: `/a/<x>` (shadow:2) comes first\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), expected);
    let output = binary().args(["check", "none"]).current_dir(&folder.0).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("`none`: there is no such file"));
}

#[test]
fn routes_prints_the_table() {
    let folder = Folder::new();
    folder.write("api", "fn registerRules() {\n    app.get(\"/a/<int(min=1):id>\", show);\n    app.post(\"/b\", |  | 1, #{ endpoint: \"b\" });\n}\nfn show(id) { id }\n");
    let output = binary().args(["routes", "api"]).current_dir(&folder.0).output().unwrap();
    let expected = "\
RULE                METHODS           ENDPOINT  CONVERTERS      LINE
/a/<int(min=1):id>  GET,HEAD,OPTIONS  show      id: int(min=1)  api:2
/b                  OPTIONS,POST      b                         api:3
";
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected);
}
