//! `h1mock check` and `h1mock routes`.

use crate::harness::{Folder, Mock, binary};

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
fn check_names_rules_that_never_serve_and_files_that_are_missing() {
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

#[test]
fn routes_prints_the_rules_of_all_layers_in_the_order_in_which_they_are_tried() {
    let folder = Folder::new();
    folder.write(
        "api",
        "fn registerRules() {\n    store.set(\"n\", 1);\n    app.get(\"/a/<int:id>\", |id| 1);\n    app.get(\"/b\", || 1, #{ endpoint: \"b\" });\n}\n",
    );
    folder
        .write("old", "fn registerRules() { app.get(\"/<path:all>\", |all| 1, #{ endpoint: \"all\" }); }\n");
    folder.write(
        "new",
        "fn registerRules() { let n = store.get(\"n\"); app.get(\"/b\", || `${n}`, #{ endpoint: \"b\" }); }\n",
    );
    folder.write("writes", "fn registerRules() { store.set(\"n\", 2); app.get(\"/b\", || 1); }\n");
    folder.write("hooks", "fn registerRules() { app.before_request(|| ()); }\n");
    let routes = |overlays: &[&str]| {
        let overlays = overlays.iter().flat_map(|overlay| ["--overlay", overlay]);
        let output = binary().args(["routes", "api"]).args(overlays).current_dir(&folder.0).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let expected = "\
LAYER        RULE         METHODS           ENDPOINT     CONVERTERS  LINE   SHADOWED BY
overlay new  /b           GET,HEAD,OPTIONS  b                        new:1
overlay old  /<path:all>  GET,HEAD,OPTIONS  all          all: path   old:1
base         /b           GET,HEAD,OPTIONS  b                        api:4  /b of overlay `new`
base         /a/<int:id>  GET,HEAD,OPTIONS  closure_3_9  id: int     api:3  /<path:all> of overlay `old`
";
    assert_eq!(routes(&["old", "new"]), (Some(0), expected.to_owned(), String::new()));
    for (overlay, reason) in [
        ("writes", "failed to load overlay `writes`: line 1, column 28: an overlay shares `store`"),
        ("hooks", "failed to load overlay `hooks`: the overlay registers no rule"),
        ("none", "`none`: there is no such file"),
    ] {
        let (code, _, error) = routes(&[overlay]);
        assert!(code == Some(1) && error.contains(reason), "{error}");
    }
}

const SUSPECT: &str =
    "fn registerRules() {\n    app.get(\"/a\", show);\n}\nfn show() {\n    helo(1)\n}\nfn hello(n) { n }\n";

#[test]
fn check_prints_warnings_and_fails_for_them_only_where_it_is_strict() {
    let folder = Folder::new();
    folder.write("suspect", SUSPECT);
    folder
        .write("many", &format!("fn registerRules() {{ }}\nfn f() {{\n{}}}\n", "    nobody();\n".repeat(25)));
    folder.write("misspelt", "fn register_rules() { 1 }\n");
    folder.write("empty", "\n");
    let check = |args: &[&str]| {
        let output = binary().arg("check").args(args).current_dir(&folder.0).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let warning = "warning: provision `suspect`: line 5, column 5: no function `helo`
  --> suspect:5:5
  |
5 |     helo(1)
  |     ^
  = help: did you mean `hello`?

"
    .to_owned();
    let ok = "suspect: ok, 1 rule\n".to_owned();
    assert_eq!(check(&["suspect"]), (Some(0), ok.clone(), warning.clone()));
    let counted = format!("{warning}1 warning, which --strict takes for failures\n");
    assert_eq!(check(&["--strict", "suspect"]), (Some(1), ok, counted));
    let (code, _, error) = check(&["many"]);
    assert_eq!((code, error.matches("no function `nobody`").count()), (Some(0), 20));
    assert!(error.ends_with("warning: and 5 more warnings\n\n"), "{error}");
    let (_, out, error) = check(&["misspelt", "empty"]);
    assert_eq!(out, "misspelt: ok, but it registers nothing\nempty: ok, but it registers nothing\n");
    assert!(
        error.contains("function `register_rules` registers nothing: h1mock calls `registerRules`"),
        "{error}"
    );
    assert!(error.contains("the file is empty"), "{error}");
}

#[test]
fn warnings_are_in_the_answer_of_a_load_and_once_in_the_log() {
    let mock = Mock::start();
    let reply = mock.provision("suspect", SUSPECT);
    assert_eq!(reply.status, 201);
    let expected = r#"{"result":"success: basename file 'suspect' has been loaded","generation":2,"warnings":[{"file":"suspect","line":5,"column":5,"message":"no function `helo`","source":"    helo(1)","hint":"did you mean `hello`?"}]}"#;
    assert_eq!(reply.text(), expected);
    // The same warning again is not logged.
    let again = mock.provision("suspect", SUSPECT).json();
    assert_eq!(again["warnings"][0]["line"], 5);
    let failed = mock.get("/a");
    assert_eq!(failed.status, 500);
    assert!(failed.text().ends_with("  = help: did you mean `hello`?\n"), "{}", failed.text());
    assert_eq!(
        mock.log().matches("WARN  provision `suspect`: line 5, column 5: no function `helo`").count(),
        1
    );
    let good = mock.provision("suspect", &SUSPECT.replace("helo", "hello")).text();
    assert_eq!(good, r#"{"result":"success: basename file 'suspect' has been loaded","generation":4}"#);
}

#[test]
fn a_hint_explains_json_that_is_ignored_for_its_content_type() {
    let mock = Mock::serving(
        "fn registerRules() { app.post(\"/a\", add); }\nfn add() {\n    let item = request.json;\n    item.name\n}\n",
    );
    let reply = mock.post("/a", "application/x-www-form-urlencoded", b"{\"name\": 1}");
    assert_eq!(reply.status, 500);
    let hint = "  = help: `request.json` is `()`, for the Content-Type of this request is `application/x-www-form-urlencoded`: send `-H 'Content-Type: application/json'`, or read it by `request.get_json(#{ force: true })`\n";
    assert!(reply.text().ends_with(hint), "{}", reply.text());
    assert_eq!(mock.post("/a", "application/json", b"{\"name\": \"x\"}").text(), "x");
}

#[test]
fn routes_of_a_folder_are_those_of_each_provision_in_it() {
    let folder = Folder::new();
    for (name, text) in [
        ("a.rhai", "fn registerRules() { app.get(\"/a\", a); }\nfn a() { 1 }"),
        ("b", "fn registerRules() {\n    app.post(\"/b\", b);\n}\nfn b() { 2 }"),
        ("lib.rhai", "fn one() { 1 }"),
        ("data.json", "{}"),
    ] {
        folder.write(&format!("mocks/{name}"), text);
    }
    let routes = |arguments: &[&str]| {
        let output = binary().arg("routes").args(arguments).current_dir(&folder.0).output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
        (output.status.code().unwrap(), out, err)
    };
    let tables = "mocks/a.rhai:\n\
                  RULE  METHODS           ENDPOINT  CONVERTERS  LINE\n\
                  /a    GET,HEAD,OPTIONS  a                     a.rhai:1\n\n\
                  mocks/b:\n\
                  RULE  METHODS       ENDPOINT  CONVERTERS  LINE\n\
                  /b    OPTIONS,POST  b                     b:2\n";
    let (code, out, err) = routes(&["mocks"]);
    assert_eq!((code, out, err), (0, tables.to_owned(), String::new()));
    folder.write("mocks/c", "fn registerRules() { ( }");
    let (code, out, err) = routes(&["mocks"]);
    assert_eq!((code, out.as_str()), (1, tables));
    assert!(err.starts_with("error: failed to load provision `c`: line 1, column 24: "), "{err}");
    let (code, _, err) = routes(&["mocks", "--overlay", "mocks/a.rhai"]);
    assert_eq!(
        (code, &*err),
        (1, "h1mock: failed to use `--overlay`: `mocks` is a folder; name a file in it\n")
    );
}
