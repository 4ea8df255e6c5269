use super::*;
use std::net::{IpAddr, Ipv4Addr};

fn to(target: &str, host: Option<&str>) -> Request {
    let headers = host.map(|host| ("Host", host));
    let local = SocketAddr::from(([127, 0, 0, 1], 8000));
    Request::from_parts("GET", target, headers, Vec::new(), None, Some(local))
}

#[test]
fn targets_of_every_form_are_split() {
    let cases = [
        ("/a%20b?x=1", "/a b", "x=1"),
        ("/a?b?c#d", "/a", "b?c"),
        ("/a#?b", "/a", ""),
        ("/%zz/%c3%a9/%ff/+", "/%zz/é/%FF/+", ""),
        ("http://h:1/p?q", "/p", "q"),
        ("HTTPS://u:p@h?q", "/", "q"),
        ("http://", "/", ""),
        ("*", "/*", ""),
        ("", "/", ""),
        ("h:443", "/h:443", ""),
        ("//h/p", "//h/p", ""),
        ("/x?u=http://y", "/x", "u=http://y"),
        ("?", "/", ""),
        ("\u{1}é://%", "/\u{1}é://%", ""),
    ];
    for (target, path, query) in cases {
        let request = to(target, None);
        assert_eq!((request.path(), request.query_string()), (path, query), "{target}");
        assert!(!request.url().is_empty());
    }
}

/// Target, `Host`, then the `url`, `base_url` and `full_path` of Werkzeug 2.0.3.
#[test]
fn urls_are_those_of_werkzeug() {
    let cases = [
        ("/a%20b?x=1", "h:8000", "http://h:8000/a%20b?x=1", "http://h:8000/a%20b", "/a b?x=1"),
        (
            "/%C3%A9/%2F%25?q=%C3%A9&r=%41%2f/?;%ff",
            "h:80",
            "http://h/é//%25?q=é&r=A%2f%2F%3F%3B%FF",
            "http://h/é//%25",
            "/é//%?q=%C3%A9&r=%41%2f/?;%ff",
        ),
        (
            "/a:b@c;d=e,f+g?a b=~!*'()[]",
            "h",
            "http://h/a:b%40c%3Bd%3De%2Cf%2Bg?a%20b=~!*'()%5B%5D",
            "http://h/a:b%40c%3Bd%3De%2Cf%2Bg",
            "/a:b@c;d=e,f+g?a b=~!*'()[]",
        ),
        ("/%ff", "h", "http://h/%FF", "http://h/%FF", "/%FF?"),
        ("/%ff%25C3%25A9", "h", "http://h/%FF%25C3%25A9", "http://h/%FF%25C3%25A9", "/%FF%C3%A9?"),
        ("/", "h", "http://h/", "http://h/", "/?"),
        ("/?%zz%", "h", "http://h/?%zz%", "http://h/", "/?%zz%"),
        ("/?%c3%28é", "h", "http://h/?%C3%28é", "http://h/", "/?%c3%28é"),
    ];
    for (target, host, url, base_url, full_path) in cases {
        let request = to(target, Some(host));
        assert_eq!(request.url(), url, "{target}");
        assert_eq!(request.base_url(), base_url, "{target}");
        assert_eq!(request.full_path(), full_path, "{target}");
    }
}

#[test]
fn the_host_is_that_of_the_target_then_the_header_then_the_listener() {
    let cases = [
        ("http://user@in.target:81/", Some("in.header"), "in.target:81"),
        ("/", Some("in.header:8080"), "in.header:8080"),
        ("/", Some("[::1]:80"), "[::1]"),
        ("/", Some(""), "127.0.0.1:8000"),
        ("/", None, "127.0.0.1:8000"),
    ];
    for (target, host, expected) in cases {
        assert_eq!(to(target, host).host(), expected);
    }
    assert_eq!(Request::default().url_root(), "http:///");
}

#[test]
fn a_mapped_client_is_shown_as_ipv4() {
    let mapped = IpAddr::V6(Ipv4Addr::new(10, 0, 0, 9).to_ipv6_mapped());
    let request = Request { remote_addr: Some(SocketAddr::new(mapped, 1)), ..Request::default() };
    assert_eq!(request.client().as_deref(), Some("10.0.0.9"));
    assert_eq!(Request::default().client(), None);
}

#[test]
fn no_target_causes_a_panic() {
    let pieces = [
        "/", "%", "%c3", "%a9", "%2f", "%F0%9F", "?", "#", "://", "http", "@", ":80", "é", " ", "\0", "+",
        "*",
    ];
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..20_000 {
        let target: String = (0..random.usize(..12)).filter_map(|_| random.choice(pieces)).collect();
        let request = to(&target, random.choice(pieces));
        assert!(request.path().starts_with('/') && request.url().starts_with("http://"), "{target}");
        assert!(request.args().len() <= target.len());
    }
}
