//! `docs/editors.md` and `docs/h1mock.d.rhai`: editors find the errors of `h1mock check`, and the language server can read the
//! definitions.

use crate::harness::{Folder, binary, project};
use regex_lite::Regex;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;

fn page() -> String {
    fs::read_to_string(project().join("docs/editors.md")).unwrap()
}

/// Applies the problem matcher of the page as VS Code does: the second pattern must match a line after the first one. Returns severity,
/// message, file, line and column of each problem.
fn problems(output: &str) -> Vec<[String; 5]> {
    let page = page();
    let json = page.split("```json\n").nth(1).unwrap().split("```").next().unwrap();
    let tasks: Value = serde_json::from_str(json).unwrap();
    let matcher = &tasks["tasks"][0]["problemMatcher"];
    let pattern = |place: usize| Regex::new(matcher["pattern"][place]["regexp"].as_str().unwrap()).unwrap();
    let (first, second) = (pattern(0), pattern(1));
    let mut found = Vec::new();
    let lines: Vec<&str> = output.lines().collect();
    for pair in lines.windows(2) {
        if let (Some(what), Some(place)) = (first.captures(pair[0]), second.captures(pair[1])) {
            let texts = [&what[1], &what[2], &place[1], &place[2], &place[3]];
            found.push(texts.map(str::to_owned));
        }
    }
    found
}

#[test]
fn the_problem_matcher_of_the_page_finds_errors_and_warnings_with_their_places() {
    let folder = Folder::new();
    folder.write("syntax.rhai", "fn registerRules() {\n    app.get(\"/a\", || 1 + );\n}\n");
    folder.write("common.rhai", "fn f() {\n    let x = ;\n}\n");
    folder.write("import.rhai", "import \"common\" as common;\nfn registerRules() { }\n");
    folder.write("warning.rhai", "fn registerRules() { app.get(\"/a\", show); }\nfn show() { jsonfy(1) }\n");
    for (file, expected) in [
        ("syntax.rhai", ["error", "unexpected ')'", "syntax.rhai", "2", "26"]),
        ("import.rhai", ["error", "unexpected ';'", "common.rhai", "2", "13"]),
        ("warning.rhai", ["warning", "no function `jsonfy`", "warning.rhai", "2", "13"]),
    ] {
        let [severity, message, name, line, column] = expected;
        // An editor gives the whole path, and finds it in the place.
        let place = folder.0.join(name).display().to_string();
        let output = binary().arg("check").arg(folder.0.join(file)).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(problems(&printed), [[severity, message, &place, line, column]], "{printed}");
    }
}

/// Checks the shape that the language server's parser demands. Its crates are not published, so CI does not have it.
#[test]
fn each_line_of_the_definitions_is_a_comment_or_a_definition() {
    let text = fs::read_to_string(project().join("docs/h1mock.d.rhai")).unwrap();
    let ty = r"(?:\?|\(\)|[A-Za-z][A-Za-z0-9]*(?:<[a-z]+>)?)";
    let parameter = format!(r"(?:\.\.\.)?[a-z_]+[0-9]*: {ty}");
    let definition = format!(
        r"^(?:    )?(?:module static;|module status \{{|\}}|const \w+: {ty};|fn (?:get )?\w+\((?:{parameter}(?:, {parameter})*)?\) -> {ty};)$"
    );
    let definition = Regex::new(&definition).unwrap();
    let (mut functions, mut seen) = (0, BTreeSet::new());
    for (number, line) in (1..).zip(text.lines()) {
        if line.is_empty() || line.trim_start().starts_with("//") {
            continue;
        }
        assert!(definition.is_match(line), "docs/h1mock.d.rhai:{number}: {line}");
        assert!(line.contains('}') || seen.insert(line), "docs/h1mock.d.rhai:{number}: twice: {line}");
        functions += usize::from(line.starts_with("fn "));
    }
    assert!(functions > 700, "{functions}");
    for name in ["const app: App;", "const request: Request;", "fn get args(request: Request) -> ?;"] {
        assert!(seen.contains(name), "{name}");
    }
}

/// Editors know the language by the ending.
#[test]
fn only_the_provisions_of_the_original_have_no_ending() {
    let folder = fs::read_dir(project().join("provisions")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    let bare: BTreeSet<String> = names.filter(|name| !name.contains('.')).collect();
    let expected = ["default", "foo-bar", "healthz", "initial"].map(str::to_owned);
    assert_eq!(bare, BTreeSet::from(expected), "a new example ends in .rhai");
}
