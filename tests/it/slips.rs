//! The slips of a first hour, each on every way on which its author may meet it: `h1mock check`, `h1mock try`, a POST, the log, and
//! the 500 at request time. Each text says what to write instead.

mod admin;
mod requests;

use crate::harness::{Folder, Mock, binary};

/// Runs a command in `folder`. Returns its exit code, standard output and standard error.
fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = binary().args(arguments).current_dir(&folder.0).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

const TOP_LEVEL: &str =
    "rules and hooks are registered in a function: write `fn registerRules() { ... }` around the call";
const VIEW: &str =
    "a view is a function: `app.get(\"/x\", hello)`, or a closure: `app.get(\"/x\", || \"hello\")`";

/// A file that does not load, its message, and the hint.
const FAILING: &[(&str, &str, &str)] = &[
    // Calls at the top level.
    ("app.get(\"/x\", || \"x\");", TOP_LEVEL, ""),
    ("app.get(\"/x\", x);\nfn x() { \"x\" }", TOP_LEVEL, ""),
    ("app.route(\"/x\", [\"GET\"], || 1);\nfn registerRules() { }", TOP_LEVEL, ""),
    ("app.add_url_rule(\"/x\", \"x\", || 1);", TOP_LEVEL, ""),
    ("app.before_request(|| ());", TOP_LEVEL, ""),
    ("app.after_request(|r| r);", TOP_LEVEL, ""),
    ("app.errorhandler(404, |e| \"none\");", TOP_LEVEL, ""),
    // Views and hooks that are no functions.
    (
        "fn registerRules() { app.get(\"/x\", \"hello\"); }",
        "a view is a function, not a text",
        "a text is answered by a closure: `app.get(\"/x\", || \"hello\")`",
    ),
    (
        "fn registerRules() { app.get(\"/x\", hello()); }\nfn hello() { \"hello\" }",
        "view `hello()` is called here",
        "name the view without calling it: `app.get(\"/x\", hello)`",
    ),
    (
        "fn registerRules() { let t = \"hello\"; app.get(\"/x\", t); }",
        "`app.get` can't be called with (string, string)",
        VIEW,
    ),
    (
        "fn registerRules() { app.get(\"/x\", #{ a: 1 }); }",
        "`app.get` can't be called with (string, map)",
        VIEW,
    ),
    (
        "fn registerRules() { let b = Blueprint(\"b\"); b.get(\"/x\", \"hello\"); }",
        "`Blueprint.get` can't be called with (string, string)",
        VIEW,
    ),
    (
        "fn registerRules() { app.before_request(check()); }\nfn check() { () }",
        "hook `check()` is called here",
        "name the hook without calling it: `app.before_request(check)`",
    ),
    (
        "fn registerRules() { app.errorhandler(404, gone()); }\nfn gone() { \"gone\" }",
        "error handler `gone()` is called here",
        "name the error handler without calling it: `app.errorhandler(404, gone)`",
    ),
    ("fn registerRules() { app.errorhandler(404); }", "`app.errorhandler` takes 2 arguments, not 1", ""),
    (
        "fn registerRules() { app.listen(8000); }",
        "`app` has no method `listen`",
        "h1mock serves the rules by itself: leave the call out",
    ),
    (
        "fn registerRules() { app.all(\"/x\", || 1); }",
        "`app` has no method `all`",
        "a rule of all methods is `app.route(\"/x\", [\"*\"], view)`",
    ),
    // Rules.
    (
        "fn registerRules() { app.get(\"/x/<id:int>\", |id| id); }",
        "rule `/x/<id:int>`: unknown converter `id`, there are `any`, `default`, `float`, `int`, `path`, `string`, `uuid`",
        "did you mean `/x/<int:id>`?",
    ),
    (
        "fn registerRules() { app.add_url_rule(\"/x/<integer:id>\", |id| id); }",
        "rule `/x/<integer:id>`: unknown converter `integer`, there are `any`, `default`, `float`, `int`, `path`, `string`, `uuid`",
        "did you mean `/x/<int:id>`?",
    ),
    (
        "fn registerRules() { let b = Blueprint(\"b\", #{ url_prefix: \"/b/:tenant\" }); b.get(\"/x\", |tenant| 1); app.register_blueprint(b); }",
        "view function closure takes `(tenant)`, but rule `/b/:tenant/x` gives `()`",
        "a variable is written `<name>`: `/b/<tenant>/x`",
    ),
    (
        "fn registerRules() { app.get(\"/x/*\", |rest| rest); }",
        "view function closure takes `(rest)`, but rule `/x/*` gives `()`",
        "a variable is written `<name>`: `/x/<path:rest>`",
    ),
    // Error handlers.
    (
        "fn registerRules() { app.register_error_handler(\"404\", |e| \"none\"); }",
        "an error handler is not for a text: write the number 404",
        "",
    ),
    (
        "fn registerRules() { app.errorhandler(\"NotFound\", |e| \"none\"); }",
        "an error handler is not for a text: write the class NotFound",
        "",
    ),
];

#[test]
fn a_file_that_does_not_load_says_on_each_way_what_to_write() {
    let (folder, mock) = (Folder::new(), Mock::start());
    for (number, (source, message, hint)) in FAILING.iter().enumerate() {
        let name = format!("p{number}");
        folder.write(&name, source);
        let help = if hint.is_empty() { String::new() } else { format!("  = help: {hint}\n") };
        for arguments in [&["check", &name][..], &["try", &name, "GET", "/x"]] {
            let (code, _, error) = run(&folder, arguments);
            assert_eq!(code, Some(1), "{source}\n{error}");
            assert!(error.contains(&format!(": {message}\n")) && error.contains(&help), "{source}\n{error}");
            assert_eq!(error.contains("= help"), !hint.is_empty(), "{source}\n{error}");
        }
        let refused = mock.provision(&name, source);
        assert_eq!(refused.status, 422, "{source}");
        let error = &refused.json()["error"];
        assert_eq!(error["message"], *message, "{source}");
        assert_eq!(error["hint"].as_str().unwrap_or_default(), *hint, "{source}");
        mock.wait_for_log(&format!("failed to load provision `{name}`: "));
        mock.wait_for_log(&help);
    }
}

/// A file that loads with a warning, the warning, and the hint.
const WARNED: &[(&str, &str, &str)] = &[
    (
        "fn registerRules() { app.get(\"/x/{id}\", || 1); }",
        "`{id}` in rule `/x/{id}` is no variable, but matches itself",
        "a variable is written `<name>`: `/x/<id>`",
    ),
    (
        "fn registerRules() { app.route(\"/x/:id\", [\"GET\"], || 1); }",
        "`:id` in rule `/x/:id` is no variable, but matches itself",
        "a variable is written `<name>`: `/x/<id>`",
    ),
    (
        "fn registerRules() { app.add_url_rule(\"/x/*\", || 1); }",
        "`*` in rule `/x/*` is no variable, but matches itself",
        "a variable is written `<name>`: `/x/<path:rest>`",
    ),
    (
        "fn registerRules() { let b = Blueprint(\"b\", #{ url_prefix: \"/b/{tenant}\" }); b.get(\"/x\", || 1); app.register_blueprint(b); }",
        "`{tenant}` in rule `/b/{tenant}/x` is no variable, but matches itself",
        "a variable is written `<name>`: `/b/<tenant>/x`",
    ),
    (
        "fn registerRules() { app.get(\"/x\", || 1, #{ host: \"{tenant}.example.com\" }); }",
        "`{tenant}` in host `{tenant}.example.com` is no variable, but matches itself",
        "a variable is written `<name>`: `<tenant>.example.com`",
    ),
    (
        "fn registerRules() { app.get(\"/x\", || 1, #{ subdomain: \"*\" }); }",
        "`*` in subdomain `*` is no variable, but matches itself",
        "a variable is written `<name>`: `<sub>`",
    ),
    (
        "fn registerRules() { app.forward(\"/api/*\", \"http://real:8080\"); }",
        "`*` in rule `/api/*` is no variable, but matches itself",
        "a variable is written `<name>`: `/api/<path:rest>`",
    ),
    (
        "fn registerRules() { app.route(\"/x\", [\"GTE\"], || 1); }",
        "unknown method `GTE` of rule `/x`",
        "did you mean `GET`?",
    ),
    (
        "fn registerRules() { app.add_url_rule(\"/x\", || 1, #{ methods: [\"POTS\"] }); }",
        "unknown method `POTS` of rule `/x`",
        "did you mean `POST`?",
    ),
];

#[test]
fn a_file_with_a_slip_that_loads_is_warned_of_on_each_way() {
    let (folder, mock) = (Folder::new(), Mock::start());
    for (number, (source, message, hint)) in WARNED.iter().enumerate() {
        let name = format!("p{number}");
        folder.write(&name, source);
        let (code, _, error) = run(&folder, &["check", &name]);
        assert_eq!(code, Some(0), "{source}\n{error}");
        assert!(error.contains(&format!(": {message}\n")), "{source}\n{error}");
        assert!(error.contains(&format!("  = help: {hint}\n")), "{source}\n{error}");
        assert_eq!(run(&folder, &["check", "--strict", &name]).0, Some(1), "{source}");
        let loaded = mock.provision(&name, source);
        assert_eq!(loaded.status, 201, "{source}: {}", loaded.text());
        let warnings = loaded.json()["warnings"].clone();
        let found = (&warnings[0]["message"], &warnings[0]["hint"], warnings.as_array().unwrap().len());
        assert_eq!(found, (&(*message).into(), &(*hint).into(), 1), "{source}");
        mock.wait_for_log(&format!("provision `{name}`: line 1, "));
        mock.wait_for_log(message);
    }
}

#[test]
fn custom_methods_and_methods_in_small_letters_have_no_warning() {
    let folder = Folder::new();
    folder.write(
        "p",
        "fn registerRules() { app.route(\"/x\", [\"PURGE\", \"REPORT\", \"get\", \"Post\", \"*\"], || 1); app.get(\"/v1/docs:batch\", || 2, #{ endpoint: \"b\" }); }",
    );
    let done = run(&folder, &["check", "--strict", "p"]);
    assert_eq!(done, (Some(0), "p: ok, 2 rules\n".to_owned(), String::new()));
}

/// A file that registers nothing, the warning of `check`, and its hint.
const USELESS: &[(&str, &str, &str)] = &[
    ("", "the file is empty: it defines no function and no variable", ""),
    ("// later\n", "the file is empty: it defines no function and no variable", ""),
    (
        "fn register_rules() { app.get(\"/x\", || 1); }",
        "function `register_rules` registers nothing: h1mock calls `registerRules`",
        "rename it to `registerRules`",
    ),
    (
        "fn registerrules() { app.get(\"/x\", || 1); }",
        "function `registerrules` registers nothing: h1mock calls `registerRules`",
        "rename it to `registerRules`",
    ),
    (
        "fn register_rule() { app.get(\"/x\", || 1); }",
        "function `register_rule` registers nothing: h1mock calls `registerRules`",
        "rename it to `registerRules`",
    ),
    ("app.add_url_rule(\"/x\", \"e\", #{ redirect_to: \"/y\" });", TOP_LEVEL, ""),
    ("app.cors(#{ origins: \"*\" });", TOP_LEVEL, ""),
];

#[test]
fn a_file_that_registers_nothing_says_so_on_each_way() {
    let (folder, mock) = (Folder::new(), Mock::start());
    for (number, (source, message, hint)) in USELESS.iter().enumerate() {
        let name = format!("p{number}");
        folder.write(&name, source);
        let help = if hint.is_empty() { String::new() } else { format!("  = help: {hint}\n") };
        let (code, out, error) = run(&folder, &["check", &name]);
        let shown = format!("warning: provision `{name}`: {message}\n{help}\n");
        assert_eq!((code, out, error), (Some(0), format!("{name}: ok, but it registers nothing\n"), shown));
        assert_eq!(run(&folder, &["check", "--strict", &name]).0, Some(1), "{source}");
        let (code, _, error) = run(&folder, &["try", &name, "GET", "/x"]);
        let library = format!("h1mock: `{name}` is a library: it has no registerRules(): {message}\n{help}");
        assert_eq!((code, error), (Some(1), library), "{source}");
        let missing = format!("function registerRules() is missing: {message}");
        let refused = mock.provision(&name, source);
        assert_eq!(refused.status, 422, "{source}");
        let error = &refused.json()["error"];
        assert_eq!(
            (&error["message"], error["hint"].as_str().unwrap_or_default()),
            (&missing.as_str().into(), *hint)
        );
        mock.wait_for_log(&format!("failed to load provision `{name}`: {missing}\n{help}"));
    }
}
