//! Whole tables: order, methods, redirects and URLs.

use super::*;
use crate::routing::rule::RuleOptions;

mod random;

/// Makes a table of rules as `GET,POST /a/<x>`; the method is GET if not given. The endpoint is `e` and the place of the rule.
fn table(rules: &[&str]) -> Router {
    Router::new(
        rules
            .iter()
            .enumerate()
            .map(|(at, text)| rule(text, &format!("e{at}"), RuleOptions::default()))
            .collect(),
    )
}

fn rule(text: &str, endpoint: &str, options: RuleOptions) -> Rule {
    let (methods, pattern) = match text.split_once(' ') {
        Some((methods, pattern)) => (Some(methods.split(',').map(str::to_owned).collect()), pattern),
        None => (None, text),
    };
    Rule::parse(pattern, endpoint, RuleOptions { methods, ..options }).unwrap()
}

/// Returns `3 7 x` for rule 3 with its values, `308 /a/`, `405 GET,HEAD` or `404`.
fn found(router: &Router, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap_or(("GET", request));
    match router.find(method, path) {
        Found::Rule { index, values } => {
            values.iter().fold(index.to_string(), |text, value| format!("{text} {value}"))
        }
        Found::Redirect { path } => format!("308 {path}"),
        Found::MethodNotAllowed { allow } => format!("405 {}", allow.join(",")),
        Found::Moved { url, .. } => format!("308 {url}"),
        Found::NotFound => "404".to_owned(),
    }
}

#[track_caller]
fn check(rules: &[&str], requests: &[(&str, &str)]) {
    let router = table(rules);
    for (request, expected) in requests {
        assert_eq!(found(&router, request), *expected, "{rules:?} {request}");
    }
}

#[test]
fn static_rules_come_first_then_more_static_parts_then_lighter_converters() {
    let rules = [
        "/<path:p>",
        "/<x>",
        "/<uuid:x>",
        "/<float:x>",
        "/<int:x>",
        "/a",
        "/<x>/b",
        "/a/<x>",
        "/<int:x>/b",
        "/a/<path:p>/b",
    ];
    check(
        &rules,
        &[
            ("/a", "5"),
            ("/7", "4 7"),
            ("/7.5", "3 7.5"),
            ("/x", "1 x"),
            // Of rules with equal weight the first registered serves.
            ("/12345678-1234-1234-1234-1234567890ab", "1 12345678-1234-1234-1234-1234567890ab"),
            ("/7/b", "8 7"),
            // Both rules have one static part; the rule with the earlier one serves.
            ("/a/b", "7 b"),
            ("/x/b", "6 x"),
            ("/a/x/b", "9 x"),
            ("/a/x/c", "0 a/x/c"),
        ],
    );
}

#[test]
fn a_rule_with_the_wrong_method_is_skipped() {
    check(
        &["GET /a", "POST /<x>", "PUT,DELETE /<path:p>", "OPTIONS /o"],
        &[
            ("GET /a", "0"),
            ("get /a", "0"),
            ("HEAD /a", "0"),
            ("OPTIONS /a", "0"),
            ("POST /a", "1 a"),
            ("PUT /a", "2 a"),
            ("PATCH /a", "405 DELETE,GET,HEAD,OPTIONS,POST,PUT"),
            ("GET /b", "405 DELETE,OPTIONS,POST,PUT"),
            ("GET /b/c", "405 DELETE,OPTIONS,PUT"),
            ("OPTIONS /o", "3"),
            ("GET /", "404"),
        ],
    );
}

#[test]
fn of_two_equal_rules_the_first_wins() {
    check(&["/a/<x>", "/a/<y>", "GET,POST /a/<z>"], &[("/a/1", "0 1"), ("POST /a/1", "2 1")]);
}

#[test]
fn slashes_redirect_only_where_the_method_is_served() {
    check(
        &["/a/", "POST /b/", "/c", "/d/<x>/e/", "POST /b/<path:p>"],
        &[
            ("/a", "308 /a/"),
            ("HEAD /a", "308 /a/"),
            ("POST /a", "405 GET,HEAD,OPTIONS"),
            ("/a/", "0"),
            ("/a//", "308 /a/"),
            ("/b", "405 OPTIONS,POST"),
            ("POST /b", "308 /b/"),
            ("/c/", "404"),
            ("/c//", "404"),
            ("//c", "2"),
            ("/d//x//e", "308 /d/x/e/"),
            ("POST /d//x//e", "405 GET,HEAD,OPTIONS"),
            ("POST /b//x", "308 /b/x"),
            ("POST /b/x//y", "4 x//y"),
        ],
    );
}

#[test]
fn a_redirect_of_an_earlier_rule_comes_before_a_later_rule() {
    check(&["/a/", "/a"], &[("/a", "308 /a/"), ("/a/", "0")]);
    check(&["/a", "/a/"], &[("/a", "0"), ("/a/", "1")]);
    check(&["/<path:p>", "/a/"], &[("/a", "308 /a/"), ("/b", "0 b")]);
}

#[test]
fn a_path_is_decoded_before_and_only_once() {
    let router = table(&["/a/<x>", "/<path:p>"]);
    for (raw, expected) in [
        ("/a%2Fb", "0 b"),
        ("/a/b+c", "0 b+c"),
        ("/a/%252F", "0 %2F"),
        ("/a/%zz", "0 %zz"),
        ("/a/../b", "1 a/../b"),
        ("/A/b", "1 A/b"),
        ("/a/b?", "0 b?"),
    ] {
        assert_eq!(found(&router, &decode_path(raw)), expected, "{raw}");
    }
}

#[test]
fn odd_targets_are_answered() {
    check(
        &["/", "POST /<x>"],
        &[("OPTIONS *", "1 *"), ("", "0"), ("//", "0"), ("GET x", "405 OPTIONS,POST")],
    );
    let empty = table(&[]);
    assert_eq!(
        (found(&empty, "/"), empty.allowed("*", None), empty.url_for("e", &[])),
        ("404".to_owned(), vec![], None)
    );
}

#[test]
fn allowed_is_the_union_of_all_rules_that_match() {
    let router = table(&["/a/", "POST /<x>/", "PURGE /<path:p>", "/b"]);
    assert_eq!(router.allowed("/a/", None).join(" "), "GET HEAD OPTIONS POST PURGE");
    assert_eq!(router.allowed("/a", None).join(" "), "GET HEAD OPTIONS POST PURGE");
    assert_eq!(router.allowed("/", None), Vec::<String>::new());
}

#[test]
fn values_of_defaults_have_one_url() {
    let options =
        RuleOptions { defaults: vec![("page".to_owned(), Value::Int(1))], ..RuleOptions::default() };
    let pages = |options| {
        vec![
            rule("/all/<c>/", "all", options),
            rule("/all/<c>/page/<int:page>", "all", RuleOptions::default()),
        ]
    };
    let router = Router::new(pages(options));
    for (path, expected) in [
        ("/all/ü/", "0 ü 1"),
        ("/all/ü/page/1", "308 /all/ü/"),
        ("/all/ü/page/2", "1 ü 2"),
        ("POST /all/ü/page/1", "405 GET,HEAD,OPTIONS"),
    ] {
        assert_eq!(found(&router, path), expected);
    }
    let url = |page| {
        router.url_for(
            "all",
            &[("c".to_owned(), Value::Text("x".into())), ("page".to_owned(), Value::Int(page))],
        )
    };
    assert_eq!((url(1).as_deref(), url(2).as_deref()), (Some("/all/x/"), Some("/all/x/page/2")));
    assert_eq!(found(&Router::new(pages(RuleOptions::default())), "/all/x/page/1"), "1 x 1");
}

/// `ct/routing_answers.py` recorded the answers.
#[test]
fn requests_get_the_answers_of_werkzeug() {
    let lines = include_str!("tests/werkzeug.txt").lines().filter(|line| !line.starts_with('#'));
    let (mut rules, mut answers) = (Vec::new(), 0);
    for line in lines {
        if line.is_empty() {
            rules.clear();
        } else if let Some((request, expected)) = line.split_once(" = ") {
            let router = Router::new(rules.clone());
            assert_eq!(found_by_name(&router, request), expected, "{request} {rules:#?}");
            answers += 1;
        } else {
            rules.push(recorded_rule(line));
        }
    }
    assert!(answers > 40, "{answers}");
}

/// Parses a rule as `endpoint METHOD,METHOD /pattern default=1`.
fn recorded_rule(line: &str) -> Rule {
    let mut words = line.split(' ');
    let (endpoint, methods, pattern) = (words.next().unwrap(), words.next().unwrap(), words.next().unwrap());
    let default = |word: &str| {
        let (name, value) = word.split_once('=').unwrap();
        (name.to_owned(), Value::Int(value.parse().unwrap()))
    };
    let options = RuleOptions { defaults: words.map(default).collect(), ..RuleOptions::default() };
    rule(&format!("{methods} {pattern}"), endpoint, options)
}

/// Returns the answer of [`found`] with the values by name: `1 c=x page=2`.
fn found_by_name(router: &Router, request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap();
    let Found::Rule { index, values } = router.find(method, path) else { return found(router, request) };
    let names = router.rules()[index].variables();
    let mut named: Vec<String> =
        names.iter().zip(&values).map(|(name, value)| format!(" {name}={value}")).collect();
    named.sort();
    format!("{index}{}", named.concat())
}

#[test]
fn url_for_takes_the_rule_that_uses_most_values() {
    let rules = ["/", "/<a>", "POST /p/<a>/<b>", "/g/<a>/<b>"];
    let router = Router::new(rules.iter().map(|text| rule(text, "e", RuleOptions::default())).collect());
    let values =
        |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Value::Int(1))).collect::<Vec<_>>();
    assert_eq!(router.url_for("e", &values(&["a", "b", "q"])).as_deref(), Some("/g/1/1?q=1"));
    assert_eq!(router.url_for("e", &values(&["a"])).as_deref(), Some("/1"));
    assert_eq!(router.url_for("e", &values(&["b"])).as_deref(), Some("/?b=1"));
    assert_eq!(router.url_for("other", &[]), None);
}

#[test]
fn rules_that_never_serve_are_shadowed() {
    for (rules, shadowed) in [
        (vec!["/a", "/a"], vec![(1, 0)]),
        (vec!["/a", "POST /a"], vec![]),
        (vec!["GET,POST /a", "POST /a", "OPTIONS /a"], vec![(1, 0), (2, 0)]),
        (vec!["/a", "POST /a", "GET,POST /a"], vec![(2, 0)]),
        (vec!["/a/<x>", "/a/<string:y>", "/a/<int:z>"], vec![(1, 0)]),
        (vec!["/a/<int:x>", "/a/<int(min=1):x>"], vec![(1, 0)]),
        (vec!["/a/<int(min=1):x>", "/a/<int:x>"], vec![]),
        (vec!["/a/<int:x>", "/a/<int(signed=True):x>"], vec![]),
        (vec!["/a/<x>", "/a/<uuid:y>", "/a/<any(b,c):z>", "/a/<any(\"b/c\"):z>"], vec![(1, 0), (2, 0)]),
        (vec!["/<x>/a-<y>.json", "/<string(length=2):x>/a-<uuid:y>.json"], vec![(1, 0)]),
        (vec!["/a/<path:x>", "/a/<y>"], vec![]),
        (vec!["/a/", "/a"], vec![(1, 0)]),
        (vec!["/a", "/a/"], vec![]),
        (vec!["/a", "/b"], vec![]),
        (vec!["/a", "/a", "/a"], vec![(1, 0), (2, 0)]),
    ] {
        assert_eq!(table(&rules).shadowed(), shadowed, "{rules:?}");
    }
}

#[test]
fn a_rule_that_refuses_doubled_slashes_shadows_no_other() {
    let rules = |merge: [bool; 2]| {
        let options = merge.map(|merge| RuleOptions { merge_slashes: Some(merge), ..RuleOptions::default() });
        Router::new(options.into_iter().map(|options| rule("/a/b", "e", options)).collect())
    };
    assert_eq!(rules([true, false]).shadowed(), [(1, 0)]);
    assert_eq!(rules([false, false]).shadowed(), [(1, 0)]);
    assert!(rules([false, true]).shadowed().is_empty());
}
