//! Methods, errors, URLs and matches of single rules.

use super::*;

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn pairs(pairs: &[(&str, Value)]) -> Vec<(String, Value)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn with_methods(methods: &[&str]) -> RuleOptions {
    RuleOptions {
        methods: Some(methods.iter().map(|method| (*method).to_owned()).collect()),
        ..RuleOptions::default()
    }
}

fn with_defaults(defaults: &[(&str, Value)]) -> RuleOptions {
    RuleOptions { defaults: pairs(defaults), ..RuleOptions::default() }
}

#[test]
fn get_brings_head_and_options_is_automatic_unless_listed() {
    for (methods, automatic, expected, answers) in [
        (None, None, "GET HEAD OPTIONS", true),
        (Some(vec!["post"]), None, "OPTIONS POST", true),
        (Some(vec!["GET", "get", "POST"]), None, "GET HEAD OPTIONS POST", true),
        (Some(vec!["GET", "OPTIONS"]), None, "GET HEAD OPTIONS", false),
        (Some(vec!["GET", "OPTIONS"]), Some(true), "GET HEAD OPTIONS", true),
        (Some(vec!["GET"]), Some(false), "GET HEAD", false),
        (Some(vec!["PURGE"]), None, "OPTIONS PURGE", true),
        (Some(vec![]), None, "OPTIONS", true),
    ] {
        let mut options = methods.as_deref().map(with_methods).unwrap_or_default();
        options.provide_automatic_options = automatic;
        let rule = Rule::parse("/", "e", options).unwrap();
        assert_eq!((rule.methods().join(" "), rule.automatic_options()), (expected.to_owned(), answers));
        assert!(rule.methods().iter().all(|method| rule.serves(method)));
        assert!(!rule.serves("PATCH") && !rule.serves("get") && !rule.serves(""));
    }
}

#[test]
fn an_error_names_the_rule() {
    let defaults = |name: &str, value: Value| with_defaults(&[(name, value)]);
    for (pattern, options, message) in [
        ("a", RuleOptions::default(), "rule `a`: must start with `/`"),
        (
            "/<int(mim=1):x>",
            RuleOptions::default(),
            "rule `/<int(mim=1):x>`: converter `int` has no option `mim`",
        ),
        ("/a", with_methods(&["GET", "G ET"]), "rule `/a`: method `G ET` is no token"),
        ("/a", with_methods(&[""]), "rule `/a`: method `` is no token"),
        ("/<int:x>", defaults("x", text("a")), "rule `/<int:x>`: default `x` is `a`, which is no `int`"),
        ("/", with_defaults(&[("x", text("a")), ("x", text("b"))]), "rule `/`: default `x` is given twice"),
    ] {
        assert_eq!(Rule::parse(pattern, "e", options).unwrap_err().to_string(), message);
    }
}

#[test]
fn variables_of_the_url_come_before_the_other_defaults() {
    let options = with_defaults(&[("c", Value::Int(1)), ("b", text("x"))]);
    let rule = Rule::parse("/<a>/<int(min=1):d>/<b>", "e", options).unwrap();
    assert_eq!(rule.variables(), ["a", "d", "b", "c"]);
    assert_eq!(rule.converters(), "a: string, d: int(min=1), b: string");
    // A default wins over the text in the URL.
    let values = vec![text("p"), Value::Int(2), text("x"), Value::Int(1)];
    assert_eq!(rule.matches("/p/2/q"), Some(Match { values, redirect: None }));
}

#[test]
fn a_redirect_goes_to_the_right_path() {
    let leaf = RuleOptions { strict_slashes: Some(false), ..RuleOptions::default() };
    let unmerged = RuleOptions { merge_slashes: Some(false), ..RuleOptions::default() };
    for (pattern, options, path, redirect) in [
        ("/a/", RuleOptions::default(), "/a", Some(Some("/a/"))),
        ("/a/", RuleOptions::default(), "/a/", Some(None)),
        ("/a/", RuleOptions::default(), "/a///", Some(Some("/a/"))),
        ("/a/b/", RuleOptions::default(), "/a//b", Some(Some("/a/b/"))),
        ("/a/<x>", RuleOptions::default(), "/a//é", Some(Some("/a/é"))),
        ("/a/<int:x>", RuleOptions::default(), "/a//007", Some(Some("/a/7"))),
        ("/a/<path:x>", RuleOptions::default(), "/a/b//c", Some(None)),
        ("/a/<path:x>", RuleOptions::default(), "/a//b//c", Some(Some("/a/b//c"))),
        ("/a/<path:x>/z", RuleOptions::default(), "/a/b//z", Some(Some("/a/b/z"))),
        ("/a/", leaf.clone(), "/a", Some(None)),
        ("/a", leaf.clone(), "/a/", Some(None)),
        ("/a", leaf, "/a//", Some(Some("/a/"))),
        ("/a//b", RuleOptions::default(), "/a//b", Some(Some("/a/b"))),
        ("/a//b", unmerged.clone(), "/a//b", Some(None)),
        ("/a/b", unmerged, "/a//b", None),
    ] {
        let found = Rule::parse(pattern, "e", options).unwrap().matches(path).map(|found| found.redirect);
        assert_eq!(found, redirect.map(|path| path.map(str::to_owned)), "{pattern} {path}");
    }
}

#[test]
fn redirect_to_is_a_path_or_a_whole_url() {
    for (target, url) in [
        ("/new/<id>", "/new/7"),
        ("new/<int:id>", "new/7"),
        ("https://new.example/<id>?name=<name>", "https://new.example/7?name=a%20b"),
    ] {
        let options = RuleOptions { redirect_to: Some(target.to_owned()), ..RuleOptions::default() };
        let rule = Rule::parse("/old/<int:id>/<name>", "e", options).unwrap();
        assert_eq!(rule.redirect_to(&[Value::Int(7), text("a b")]).as_deref(), Some(url), "{target}");
    }
}

#[test]
fn urls_are_built_as_by_url_for() {
    let none = RuleOptions::default;
    for (pattern, options, values, url) in [
        ("/a/<int:id>", none(), vec![("id", Value::Int(7))], Some("/a/7")),
        ("/a/<int:id>", none(), vec![], None),
        ("/a/<int:id>", none(), vec![("id", text("x"))], None),
        ("/a/<int(fixed_digits=3):id>/", none(), vec![("id", text("7"))], Some("/a/007/")),
        ("/ä/<x>", none(), vec![("x", text("a b/c?|+:é"))], Some("/%C3%A4/a%20b/c%3F%7C%2B:%C3%A9")),
        ("/<x>", none(), vec![("x", text("/h"))], Some("/h")),
        (
            "/",
            none(),
            vec![("q", text("a b&c")), ("q", Value::Float(1.0)), ("ü", text("/"))],
            Some("/?q=a+b%26c&q=1.0&%C3%BC=%2F"),
        ),
        ("//a//b", none(), vec![], Some("/a/b")),
        ("/p", with_defaults(&[("page", Value::Int(1))]), vec![("page", Value::Int(1))], Some("/p")),
        ("/p", with_defaults(&[("page", Value::Int(1))]), vec![("page", Value::Float(1.0))], Some("/p")),
        ("/p", with_defaults(&[("page", Value::Int(1))]), vec![("page", Value::Int(2))], None),
        ("/p/<int:n>", with_defaults(&[("n", Value::Int(1))]), vec![], Some("/p/1")),
    ] {
        let rule = Rule::parse(pattern, "e", options).unwrap();
        assert_eq!(rule.build(&pairs(&values)).as_deref(), url, "{pattern} {values:?}");
    }
}
