//! Mistakes with the warning for each, and correct lines without one.

use super::MOST_FINDINGS;
use crate::directory::fixture::Folder;
use crate::provisioning::provision::{Loaded, Provision};
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::fault::Fault;
use crate::script::runtime::files::Files;
use std::fs;
use std::sync::Arc;

const LIBRARY: &str =
    "const LIMIT = 3; let names = []; fn double(n) { n * 2 } private fn own() { 1 } fn area() { this.w }";

/// Returns a provision with `line` in its view, as line 7.
pub(super) fn provision(line: &str) -> String {
    format!(
        r#"import "library" as lib;
const DB = #{{}}; const LIST = [1]; let total = 0; const SCOPE = store.scope("a");
fn registerRules() {{ app.get("/view", view); }}
fn hello(name) {{ name }}
fn half() {{ this / 2 }}
fn view() {{ let item = #{{ id: 1 }}; let items = [1]; let f = |x| x;
{line}
}}"#
    )
}

pub(super) fn load(source: &str) -> Result<Vec<Fault>, Fault> {
    let (folder, budget) = (Folder::new(), Budget::default());
    let directory = folder.directory();
    fs::write(folder.root().join("library"), LIBRARY).unwrap();
    let files = Files::new(directory.into(), "p", Some(source.into()), Arc::default());
    match Provision::load(&script::engine(budget).into(), budget, files)? {
        Loaded::Provision(provision) => Ok(provision.warnings),
        Loaded::Library(warnings) => Ok(warnings),
    }
}

/// A line of a view, the message, and the hint.
const MISTAKES: &[(&str, &str, &str)] = &[
    // Variables.
    ("itms", "no variable `itms`", "did you mean `items`?"),
    ("itm.id", "no variable `itm`", "did you mean `item`?"),
    ("requets.args", "no variable `requets`", "did you mean `request`?"),
    ("nothing_like_it", "no variable `nothing_like_it`", ""),
    ("[1].map(|n| m + 1)", "no variable `m`", ""),
    ("[1].map(|number| numbr + 1)", "no variable `numbr`", "did you mean `number`?"),
    ("[1].map(|a| [2].map(|b| a + itemz))", "no variable `itemz`", "did you mean `items`?"),
    ("`${itemz}`", "no variable `itemz`", "did you mean `items`?"),
    ("{ let inner = 1; } inner", "no variable `inner`", ""),
    ("for i in items { } i", "no variable `i`", ""),
    ("try { 1 } catch (problem) { } problem", "no variable `problem`", ""),
    ("LISTE[0]", "no variable `LISTE`", "did you mean `LIST`?"),
    ("let x = none;", "no variable `none`", "nothing is written `()` or `None`"),
    ("return lib.double(1);", "no variable `lib`", "`lib` is an import: write `lib::function(...)`"),
    (
        "items.map(jsonify)",
        "no variable `jsonify`",
        "`jsonify` is a function of h1mock: call it, or wrap it in a closure, `|x| jsonify(x)`",
    ),
    (
        "let hello = 1; [1].map(|n| n + hello)",
        "`hello` in this closure is the function, not the variable",
        "give the variable another name: `let my_hello = ...`",
    ),
    (
        "let hello = 1; [1].map(|n| { hello += n; n })",
        "`hello` in this closure is the function, not the variable",
        "give the variable another name: `let my_hello = ...`",
    ),
    ("`${items}\\n`", "in back-ticks `\\n` is a backslash and an n", "add the line end: `...` + \"\\n\""),
    ("count = 1;", "no variable `count`", "declare it: `let count = ...`"),
    ("itms = 1;", "no variable `itms`", "did you mean `items`? A new variable is declared: `let itms = ...`"),
    // Functions.
    ("helo(1)", "no function `helo`", "did you mean `hello`?"),
    ("Hello(1)", "no function `Hello`", "did you mean `hello`?"),
    ("jsonfy(1)", "no function `jsonfy`", "did you mean `jsonify`?"),
    ("makeResponse(1)", "no function `makeResponse`", "did you mean `make_response`?"),
    (
        "open(\"a\")",
        "no function `open`",
        "read a file of the provision directory by read_text(name), read_json(name) or read_blob(name)",
    ),
    ("double(1)", "no function `double`", "write `lib::double(...)`"),
    ("f(1)", "no function `f`", "`f` is a variable: the function in it is called by `f.call(...)`"),
    ("Fn(\"helo\")", "no function `helo`", "did you mean `hello`?"),
    ("hello()", "function `hello` takes 1 argument, not 0", ""),
    ("hello(1, 2)", "function `hello` takes 1 argument, not 2", ""),
    ("round(1, 2, 3)", "function `round` takes 1 or 2 arguments, not 3", ""),
    // Imports.
    ("lib::dubble(1)", "`library` has no function `dubble`", "did you mean `lib::double`?"),
    ("lib::double()", "function `lib::double` takes 1 argument, not 0", ""),
    ("lib::own()", "function `own` of `library` is private", "drop the word `private` before `fn own`"),
    ("lib::LIMTI", "no variable `lib::LIMTI`", "did you mean `lib::LIMIT`?"),
    ("libb::double(1)", "no import `libb`", "did you mean `lib`?"),
    ("tools::double(1)", "no import `tools`", "write `import \"tools\" as tools;` at the top of the file"),
    // Methods and properties.
    ("app.gett(\"/x\", hello)", "`app` has no method `gett`", "did you mean `get`?"),
    ("json.dump(1)", "`json` has no method `dump`", "did you mean `dumps`?"),
    ("json.dumps()", "`json.dumps` takes 1 or 2 arguments, not 0", ""),
    ("request.jsn", "`request` has no property `jsn`: did you mean `json`?", ""),
    (
        "request.json()",
        "`request` has no method `json`",
        "it is a property: write `request.json` without parentheses",
    ),
    ("json.dumps", "`json.dumps` is a method, not a property", "call it: `json.dumps(...)`"),
    ("urllib.parse.qoute(\"x\")", "`urllib.parse` has no method `qoute`", "did you mean `quote`?"),
    ("status.HTTP_200_OKAY", "status: unknown name `HTTP_200_OKAY`: did you mean `HTTP_200_OK`?", ""),
    ("status::HTTP_404", "status: unknown name `HTTP_404`: did you mean `HTTP_404_NOT_FOUND`?", ""),
    ("items.pushh(1)", "no method `pushh`", "did you mean `push`?"),
    ("\"a\".strp()", "no method `strp`", "did you mean `strip`?"),
    ("\"a\".strip(1, 2, 3)", "method `strip` takes 0 or 1 arguments, not 3", ""),
    (
        "items.hello()",
        "no method `hello`: it is a function of this file",
        "write `hello(x, ...)`: only functions without that parameter, which use `this`, are methods",
    ),
    // Conditions.
    (
        "if items.len() { 1 }",
        "a condition is true or false, not a number",
        "compare it, as in `n != 0`, or write `bool(n)` for Python's truth",
    ),
    (
        "if !\"a\" { 1 }",
        "a condition is true or false, not a text",
        "compare it, as in `x.len() > 0`, or write `bool(x)` for Python's truth",
    ),
    (
        "if request.args.get(\"q\") { 1 }",
        "a condition is true or false, not a text or ()",
        "compare it, as in `x != ()`, or write `bool(x)` for Python's truth",
    ),
    (
        "while items.len() - 1 { }",
        "a condition is true or false, not a number",
        "compare it, as in `n != 0`, or write `bool(n)` for Python's truth",
    ),
    (
        "let x = items.is_empty() && request.form;",
        "a condition is true or false, not a dictionary",
        "write `bool(x)` for Python's truth, or compare it",
    ),
    // Writes.
    (
        "DB[\"a\"] = 1;",
        "a function can't change top-level variable `DB`: the write is an error",
        "keep in `store` what changes, as in `store[\"DB\"] = ...`, or copy it: `let copy = DB;`",
    ),
    (
        "LIST.push(2);",
        "a function can't change top-level variable `LIST`: the write is an error",
        "keep in `store` what changes, as in `store[\"LIST\"] = ...`, or copy it: `let copy = LIST;`",
    ),
    (
        "total += 1;",
        "a function can't change top-level variable `total`: the write is an error",
        "keep in `store` what changes, as in `store.incr(\"total\")`, or copy it: `let copy = total;`",
    ),
    (
        "[1].map(|x| DB.a = x);",
        "a function can't change top-level variable `DB`: the write is an error",
        "keep in `store` what changes, as in `store[\"DB\"] = ...`, or copy it: `let copy = DB;`",
    ),
    (
        "request = 1;",
        "`request` is h1mock's and can't be assigned to",
        "give your variable another name: `let my_request = ...`",
    ),
    ("hello = 1;", "`hello` is a function and can't be assigned to", "declare a variable: `let hello = ...`"),
];

#[test]
fn a_mistake_is_warned_of_with_a_hint() {
    for (line, message, hint) in MISTAKES {
        let warnings = load(&provision(line)).unwrap_or_else(|error| panic!("{line}: {}", error.report()));
        let found: Vec<(&str, &str, Option<usize>)> = warnings
            .iter()
            .map(|found| (found.message.as_str(), found.hint.as_deref().unwrap_or_default(), found.line))
            .collect();
        assert_eq!(found, [(*message, *hint, Some(7))], "{line}");
    }
}

/// Lines of a view that are right, or may be.
const RIGHT: &[&str] = &[
    "item.id",
    "item.anything",
    "item[\"a\"].b[items[0]].c",
    "let x = items.map(|i| i + item.id + total).filter(|n| n > 1); x",
    "items.map(hello)",
    "items.map(|n| hello(n))",
    "for (item, i) in items { print(`${i}: ${item}`); }",
    "try { throw \"x\" } catch (e) { print(e) }",
    "let i = 0; while i < 3 { i += 1; } do { i -= 1; } until i == 0; loop { break; }",
    "switch item.id { 1 if items.is_empty() => 1, 2..5 => 2, _ => 3 }",
    "let x = if items.len() > 0 { 1 } else if items.is_empty() { 2 } else { 3 }; x",
    "stream(hello, #{ every: 0.1, status: item.id })",
    "stream(|n| item.id + n)",
    "sse(items); sse(f); stream(Fn(\"hello\")); stream(lib::names)",
    "hello(1)",
    "4.half()",
    "item.area()",
    "lib::double(2) + lib::LIMIT",
    "lib::names",
    "import \"library\" as inner; inner::double(1)",
    "import \"nowhere\" as gone; gone::anything(1)",
    "let n = \"library\"; import n as dynamic; dynamic::anything(1)",
    "f.call(1)",
    "call(f, 1)",
    "let g = Fn(\"hello\"); g.call(1)",
    "let g = Fn(\"len\"); g.call(items)",
    "let g = f.curry(1); g.call()",
    "let c = DB; c[\"a\"] = 1; c",
    "let copy = LIST; copy.push(1); copy",
    "items.push(1); items += [2]; items[0] = 3; item.x = 4; item.y.z = 5;",
    "SCOPE[\"n\"] = 1; SCOPE.set(\"a\", 2); SCOPE.incr(\"n\")",
    "let DB = #{}; DB[\"a\"] = 1; DB",
    "let request = #{ anything: 1 }; request.anything",
    "let m = #{ run: |x| x }; m.run(1)",
    "let m = #{}; m.later = |x| x; m.later(1)",
    "store[\"k\"] = 1; store[\"k\"].anything",
    "store.incr(\"a\") + store.update(\"b\", 0, |n| n + 1)",
    "request.args.get(\"q\", 1, \"int\")",
    "if request.args.get(\"q\", true) == true { 1 }",
    "if request.json.flag { 1 }",
    "if request.is_json && !items.is_empty() && \"a\" in DB { 1 }",
    "if bool(items) { 1 }",
    "if item.flag || hello(true) { 1 }",
    "let r = make_response(\"a\", 201); r.headers[\"X\"] = 1; r.status_code = 202; r",
    "jsonify(#{ a: [1, ()], get: 2 })",
    "[\"x\", status.HTTP_200_OK]",
    "[\"x\", status::HTTP_200_OK]",
    "time.time() + datetime.fromisoformat(\"1970-01-01\")",
    "urllib.parse.quote(\"a b\") + urllib.quote(\"c\")",
    "os.environ.get(\"HOME\") ?? os.getenv(\"X\", \"y\")",
    "hashlib.sha256(\"a\").hexdigest() + \"{} {}\".format(1, 2)",
    "type_of(item) + item.type_of() + item.to_string() + items.to_debug()",
    "if is_def_fn(\"maybe\", 1) { maybe(1) }",
    "if is_def_var(\"perhaps\") { perhaps }",
    "global::DB",
    "print(1); debug(2); print(\"a\" * 3, ); -item.id + 2 ** 3 % 4",
    "abort(404, `no ${item?.id ?? \"x\"}`)",
];

#[test]
fn a_correct_line_has_no_warning() {
    for line in RIGHT {
        let warnings = load(&provision(line)).unwrap_or_else(|error| panic!("{line}: {}", error.report()));
        let found: Vec<String> = warnings.iter().map(Fault::as_warning).collect();
        assert!(found.is_empty(), "{line}: {found:?}");
    }
}

/// A whole file, its message at load, and the hint.
const FAILING: &[(&str, &str, &str)] = &[
    (
        "fn registerRules() { app.get(\"/x\", \"hi\"); }",
        "a view is a function, not a text",
        "a text is answered by a closure: `app.get(\"/x\", || \"hi\")`",
    ),
    (
        "fn registerRules() { app.get(\"/x\", hi()); } fn hi() { \"hi\" }",
        "view `hi()` is called here",
        "name the view without calling it: `app.get(\"/x\", hi)`",
    ),
    (
        "fn registerRules() {\napp.get(\"/x\", hi()); } fn hi() { request.method }",
        "`request` is there only while a request is handled",
        "line 2: name the view without calling it: `app.get(\"/x\", hi)`",
    ),
    (
        "fn registerRules() { let t = \"a\"; app.get(\"/x\", t); }",
        "`app.get` can't be called with (string, string)",
        "a view is a function: `app.get(\"/x\", hello)`, or a closure: `app.get(\"/x\", || \"hello\")`",
    ),
    (
        "app.get(\"/x\", || 1);",
        "rules and hooks are registered in a function: write `fn registerRules() { ... }` around the call",
        "",
    ),
    ("fn registerRules() { ap.get(\"/x\", || 1); }", "no variable `ap`", "did you mean `app`?"),
    (
        "fn registerRules() { app.get(\"/x\", helo); } fn hello() {}",
        "no variable `helo`",
        "did you mean `hello`?",
    ),
    ("fn registerRules() { app.gett(\"/x\", || 1); }", "`app` has no method `gett`", "did you mean `get`?"),
    (
        "fn registerRules() { app.get(\"/x/{id}\", |id| id); }",
        "view function closure takes `(id)`, but rule `/x/{id}` gives `()`",
        "a variable is written `<name>`: `/x/<id>`",
    ),
    (
        "fn registerRules() { app.register_error_handler(\"404\", |e| e); }",
        "an error handler is not for a text: write the number 404",
        "",
    ),
];

#[test]
fn a_load_that_fails_has_a_hint() {
    for (source, message, hint) in FAILING {
        let error = load(source).expect_err(source);
        let found = (error.message.as_str(), error.hint.as_deref().unwrap_or_default());
        assert_eq!(found, (*message, *hint), "{source}");
    }
}

#[test]
fn a_file_as_a_whole_is_checked() {
    let rules = "fn registerRules() { app.get(\"/a/{id}\", || 1);\napp.route(\"/b\", [\"GTE\"], || 1, ); }";
    for (source, message, hint) in [
        ("", "the file is empty: it defines no function and no variable", ""),
        ("// later\n", "the file is empty: it defines no function and no variable", ""),
        (
            "fn register_rules() { app.get(\"/\", || 1); }",
            "function `register_rules` registers nothing: h1mock calls `registerRules`",
            "rename it to `registerRules`",
        ),
        (
            rules,
            "`{id}` in rule `/a/{id}` is no variable, but matches itself",
            "a variable is written `<name>`: `/a/<id>`",
        ),
    ] {
        let warnings = load(source).unwrap();
        let found = (warnings[0].message.as_str(), warnings[0].hint.as_deref().unwrap_or_default());
        assert_eq!(found, (message, hint), "{source}");
    }
    let warnings = load(rules).unwrap();
    assert_eq!((warnings.len(), warnings[1].line), (2, Some(2)));
    assert_eq!(warnings[1].message, "unknown method `GTE` of rule `/b`");
    for library in ["const A = 1;", "fn f() { 1 }"] {
        assert_eq!(load(library).unwrap(), []);
    }
}

#[test]
fn each_place_of_a_file_is_checked_once() {
    let source =
        "let a = x1;\nfn registerRules() { }\nfn int.double() { x2 }\nfn f() { #{ a: || x3, b: [x4] } }";
    let error = load(source).unwrap_err();
    assert_eq!((error.line, error.message.as_str()), (Some(1), "no variable `x1`"));
    let warnings = load(&source.replace("x1", "1")).unwrap();
    let found: Vec<(&str, Option<usize>)> =
        warnings.iter().map(|found| (found.message.as_str(), found.line)).collect();
    let expected =
        [("no variable `x2`", Some(3)), ("no variable `x3`", Some(4)), ("no variable `x4`", Some(4))];
    assert_eq!(found, expected);
}

#[test]
fn warnings_have_a_most_number_and_no_long_source_line() {
    let warnings = load(&provision(&"hello(1, 2);".repeat(MOST_FINDINGS + 100))).unwrap();
    assert_eq!(warnings.len(), MOST_FINDINGS);
    assert!(warnings.iter().all(|warning| warning.source.is_none() && warning.column.is_some()));
}

#[test]
fn a_comment_without_an_end_is_warned_of() {
    let warnings = load("fn registerRules() {}\n /* app.get(\"/\", view);\nfn view() {}").unwrap();
    let found: Vec<_> = warnings.iter().map(|it| (it.line, it.column, it.message.as_str())).collect();
    assert_eq!(found, [(Some(2), Some(2), "this comment has no end")]);
    assert!(warnings[0].hint.as_deref().unwrap().starts_with("end it by `*/`"));
}

#[test]
fn a_native_that_changes_a_top_level_variable_is_warned_of() {
    let calls = "append(1); chop(1); clear(); crop(1); dedup(); drain(|x| true); extend([1]); fill_with(#{}); insert(0, 1); \
        mixin(#{}); pad(3, 0); pop(); push(1); remove(0); retain(|x| true); reverse(); set(0, 1); setdefault(1, 1); \
        shift(); sort(); splice(0, 1, []); truncate(1); update(#{})";
    for call in calls.split("; ") {
        let warnings = load(&provision(&format!("LIST.{call};"))).unwrap();
        let message = "a function can't change top-level variable `LIST`: the write is an error";
        assert!(warnings.iter().any(|warning| warning.message == message), "{call}: {warnings:?}");
    }
}

#[test]
fn a_part_of_the_request_is_no_condition() {
    for part in ["args", "form", "values", "cookies", "baggage", "files"] {
        let warnings = load(&provision(&format!("if request.{part} {{ 1 }}"))).unwrap();
        let messages: Vec<&str> = warnings.iter().map(|warning| warning.message.as_str()).collect();
        assert_eq!(messages, ["a condition is true or false, not a dictionary"], "{part}");
    }
}
