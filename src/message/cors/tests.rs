//! Policies and requests as tables. Rows that differ from flask-cors 6.0.5 say so.

use super::*;

fn policy(change: impl FnOnce(&mut Policy)) -> Policy {
    let mut policy = Policy::default();
    change(&mut policy);
    policy
}

fn of(origins: &[&str]) -> Policy {
    policy(|policy| policy.origins = origins.iter().map(|text| origin(text).unwrap()).collect())
}

/// Returns the headers that `policies` add to the answer of a request, sorted, without the common part of their names.
fn added(
    policies: Vec<Policy>,
    line: &str,
    headers: &[(&str, &str)],
    own: &[(&'static str, &str)],
) -> String {
    let (method, path) = line.split_once(' ').unwrap();
    let request = Request::from_parts(method, path, headers.iter().copied(), Vec::new(), None, None);
    let own = own.iter().map(|(name, value)| ((*name).into(), (*value).to_owned().into()));
    let mut answer = Answer { headers: own.collect(), ..Answer::default() };
    Cors::new(policies).unwrap().apply(&request, &mut answer);
    let mut lines: Vec<String> = answer
        .headers
        .iter()
        .map(|(name, value)| format!("{}: {value}", name.trim_start_matches("Access-Control-")))
        .collect();
    lines.sort();
    lines.join("; ")
}

/// Header fields of a request.
type Sent = &'static [(&'static str, &'static str)];

const A: (&str, &str) = ("Origin", "https://a.example");
const B: (&str, &str) = ("Origin", "https://b.example");

#[test]
fn an_allowed_origin_gets_its_headers() {
    let credentials = |policy: Policy| Policy { credentials: true, ..policy };
    let wildcard = policy(|policy| policy.send_wildcard = true);
    let silent = |policy: Policy| Policy { always_send: false, ..policy };
    let ab = ["https://a.example", "https://b.example"];
    let all = "Allow-Origin: https://a.example; Vary: Origin";
    let cases: Vec<(Policy, Sent, &str)> = vec![
        (Policy::default(), &[A], all),
        (Policy::default(), &[("Origin", "null")], "Allow-Origin: null; Vary: Origin"),
        // flask-cors leaves out `Vary`, though another request gets another answer.
        (Policy::default(), &[], "Allow-Origin: *; Vary: Origin"),
        (wildcard.clone(), &[A], "Allow-Origin: *"),
        (wildcard.clone(), &[], "Allow-Origin: *"),
        (silent(wildcard), &[], "Vary: Origin"),
        (
            credentials(Policy::default()),
            &[A],
            "Allow-Credentials: true; Allow-Origin: https://a.example; Vary: Origin",
        ),
        (credentials(Policy::default()), &[], "Vary: Origin"),
        // flask-cors leaves out `Vary` in these four.
        (of(&ab[..1]), &[A], all),
        (of(&ab[..1]), &[], all),
        (of(&ab[..1]), &[B], "Vary: Origin"),
        (of(&ab), &[("Origin", "https://c.example")], "Vary: Origin"),
        (of(&ab), &[B], "Allow-Origin: https://b.example; Vary: Origin"),
        // flask-cors sends the first one.
        (of(&ab), &[], "Vary: Origin"),
        (of(&["https://A.example"]), &[A], all),
        (of(&["https://*.a.example"]), &[A], "Vary: Origin"),
        (
            of(&["https://*.a.example"]),
            &[("Origin", "https://x.y.a.example")],
            "Allow-Origin: https://x.y.a.example; Vary: Origin",
        ),
        (of(&["https://*.a.example"]), &[("Origin", "https://x.a.example.evil")], "Vary: Origin"),
        (
            of(&["http://localhost:*"]),
            &[("Origin", "http://localhost:3000")],
            "Allow-Origin: http://localhost:3000; Vary: Origin",
        ),
        (of(&["null"]), &[("Origin", "null")], "Allow-Origin: null; Vary: Origin"),
        (silent(of(&ab[..1])), &[], "Vary: Origin"),
        (policy(|policy| policy.vary_header = false), &[A], "Allow-Origin: https://a.example"),
        (Policy::default(), &[("Origin", "a\u{e9} b")], "Allow-Origin: *; Vary: Origin"),
        (
            policy(|policy| policy.expose_headers = vec!["X-A".to_owned(), "X-B".to_owned()]),
            &[A],
            "Allow-Origin: https://a.example; Expose-Headers: X-A, X-B; Vary: Origin",
        ),
        (
            Policy::default(),
            &[A, ("Access-Control-Request-Private-Network", "true")],
            "Allow-Origin: https://a.example; Allow-Private-Network: true; Vary: Origin",
        ),
        (
            policy(|policy| policy.private_network = false),
            &[A, ("access-control-request-private-network", "true")],
            "Allow-Origin: https://a.example; Allow-Private-Network: false; Vary: Origin",
        ),
    ];
    for (policy, headers, expected) in cases {
        assert_eq!(added(vec![policy.clone()], "GET /", headers, &[]), expected, "{policy:?} {headers:?}");
    }
}

#[test]
fn a_preflight_learns_what_it_may_send() {
    const METHOD: &str = "Access-Control-Request-Method";
    const HEADERS: &str = "Access-Control-Request-Headers";
    let all = "Allow-Methods: DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT; Allow-Origin: https://a.example; Vary: Origin";
    let refused = "Allow-Origin: https://a.example; Vary: Origin";
    let aged = |age| policy(|policy| policy.max_age = Some(age));
    let methods = policy(|policy| policy.methods = Some(vec!["GET".to_owned(), "PUT".to_owned()]));
    let headers = policy(|policy| policy.allow_headers = vec!["content-type".to_owned(), "x-*".to_owned()]);
    let cases: Vec<(Policy, Sent, String)> = vec![
        (Policy::default(), &[A, (METHOD, "PUT")], all.to_owned()),
        (Policy::default(), &[A], refused.to_owned()),
        (Policy::default(), &[A, (METHOD, "P UT")], refused.to_owned()),
        // flask-cors allows no other methods.
        (Policy::default(), &[A, (METHOD, "PURGE")], all.replace("PUT;", "PUT, PURGE;")),
        (methods.clone(), &[A, (METHOD, "PUT")], format!("Allow-Methods: GET, PUT; {refused}")),
        (methods, &[A, (METHOD, "DELETE")], refused.to_owned()),
        (
            Policy::default(),
            &[A, (METHOD, "PUT"), (HEADERS, "x-b, content-type,X-A")],
            format!("Allow-Headers: X-A, content-type, x-b; {all}"),
        ),
        (
            headers.clone(),
            &[A, (METHOD, "PUT"), (HEADERS, "X-A, Content-Type, authorization")],
            format!("Allow-Headers: Content-Type, X-A; {all}"),
        ),
        (headers, &[A, (METHOD, "PUT"), (HEADERS, "authorization")], all.to_owned()),
        (Policy::default(), &[A, (METHOD, "PUT"), (HEADERS, "a b, ,c\u{7f}")], all.to_owned()),
        (aged(600), &[A, (METHOD, "PUT")], all.replace("Vary", "Max-Age: 600; Vary")),
        // flask-cors leaves out 0, and the browser keeps the result for 5 s.
        (aged(0), &[A, (METHOD, "PUT")], all.replace("Vary", "Max-Age: 0; Vary")),
        (of(&["https://a.example"]), &[B, (METHOD, "PUT")], "Vary: Origin".to_owned()),
    ];
    for (policy, headers, expected) in cases {
        let found = added(vec![policy.clone()], "OPTIONS /", headers, &[]);
        assert_eq!(found, expected, "{policy:?} {headers:?}");
    }
    // Only OPTIONS asks.
    assert_eq!(added(vec![Policy::default()], "GET /", &[A, (METHOD, "PUT")], &[]), refused);
}

#[test]
fn headers_of_the_script_are_kept_and_vary_is_merged() {
    let exposing = || policy(|policy| policy.expose_headers = vec!["X-A".to_owned()]);
    let plain = "Allow-Origin: https://a.example; Expose-Headers: X-A";
    let cases: [(&[(&'static str, &str)], &str); 7] = [
        (&[("access-control-allow-origin", "https://own")], "access-control-allow-origin: https://own"),
        (
            &[("Access-Control-Expose-Headers", "X-Own")],
            "Allow-Origin: https://a.example; Expose-Headers: X-Own; Vary: Origin",
        ),
        (&[("vary", "Accept")], &format!("{plain}; vary: Accept, Origin")),
        (&[("Vary", "Accept, origin")], &format!("{plain}; Vary: Accept, origin")),
        (&[("Vary", "*")], &format!("{plain}; Vary: *")),
        (&[("Vary", "A"), ("Vary", "B")], &format!("{plain}; Vary: A, Origin; Vary: B")),
        (&[("Vary", "")], &format!("{plain}; Vary: ; Vary: Origin")),
    ];
    for (own, expected) in cases {
        assert_eq!(added(vec![exposing()], "GET /", &[A], own), expected, "{own:?}");
    }
}

#[test]
fn the_most_specific_path_counts_and_then_the_last_policy() {
    let at = |path: &str, name: &str| {
        let origins = vec![format!("https://{name}")];
        Policy { paths: paths(path).unwrap(), origins, ..Policy::default() }
    };
    let policies = || {
        vec![
            at("*", "all"),
            at("/api/*", "first"),
            at("/api/*", "api"),
            at("/api/v1/*", "v1"),
            at("/api/x", "x"),
        ]
    };
    let cases = [
        ("/", "all"),
        ("/api", "all"),
        ("/api/", "api"),
        ("/api/y", "api"),
        ("/api/v1/y", "v1"),
        ("/api/x", "x"),
        ("/%61pi/x", "x"),
    ];
    for (path, name) in cases {
        let found = added(policies(), &format!("GET {path}"), &[], &[]);
        assert_eq!(found, format!("Allow-Origin: https://{name}; Vary: Origin"), "{path}");
    }
    assert_eq!(added(vec![at("/api/*", "a")], "GET /", &[A], &[]), "");
}

#[test]
fn texts_that_match_nothing_are_refused() {
    let regex = |what: &str, text: &str, example: &str| {
        format!("{what} `{text}` looks like a regular expression: `*` stands for any text, as in `{example}`")
    };
    let origins = [
        ("a.example", "origin `a.example` has no scheme: write `https://a.example`".to_owned()),
        (
            "https://a.example/",
            "origin `https://a.example/` has a path: write `https://a.example`".to_owned(),
        ),
        ("https://a/b?c", "origin `https://a/b?c` has a path: write `https://a`".to_owned()),
        ("https://", "`https://` is no origin: write `https://a.example`".to_owned()),
        ("https://a b", "`https://a b` is no origin: write `https://a.example`".to_owned()),
        (".*", regex("origin", ".*", "https://*.a.example")),
        (r"https://.*\.a\.example", regex("origin", r"https://.*\.a\.example", "https://*.a.example")),
    ];
    for (text, error) in origins {
        assert_eq!(origin(text), Err(error), "{text}");
    }
    let wrong = [
        ("api", "path `api` must start with a slash".to_owned()),
        ("/api/.*", regex("path", "/api/.*", "/api/*")),
        ("^/api", regex("path", "^/api", "/api/*")),
    ];
    for (text, error) in wrong {
        assert_eq!(paths(text), Err(error), "{text}");
    }
    for known in ["http://[::1]:3000", "http://10.0.*", "*", "null", "app://x"] {
        assert_eq!(origin(known), Ok(known.to_owned()));
    }
    assert_eq!(Cors::parse(""), Ok(None));
    let none = "names no origin: write `*` for all, or `https://a.example`";
    assert_eq!(Cors::parse(" , ").unwrap_err(), none);
    assert!(Cors::parse("https://a, b").unwrap_err().starts_with("origin `b` has no scheme"));
}
