use super::*;
use crate::script::flask::request::tests::request;
use crate::script::tests::trial::{answer, load};

#[test]
fn prefix_and_rule_are_joined_with_one_slash() {
    for (prefix, rule, joined) in [
        ("", "/b", "/b"),
        ("/a", "", "/a"),
        ("/a", "/b", "/a/b"),
        ("/a/", "/b", "/a/b"),
        ("/a/", "b", "/a/b"),
        ("/a", "b/", "/a/b/"),
    ] {
        assert_eq!(join(prefix, rule), joined);
    }
}

#[test]
fn a_blueprint_that_is_registered_twice_runs_its_hooks_once() {
    let source = r#"
        fn registerRules() {
            let shop = Blueprint("shop", #{ url_prefix: "/one" });
            shop.get("/n", count);
            shop.before_request(enter);
            app.register_blueprint(shop);
            app.register_blueprint(shop, #{ url_prefix: "/two/" });
        }
        fn enter() { store.incr("entered"); }
        fn count() { [store["entered"]] }
    "#;
    let (_folder, provision) = load(source.to_owned(), &[]);
    assert_eq!(answer(&provision, request("GET", "/one/n", &[], b"")), "200 [1]\n");
    assert_eq!(answer(&provision, request("GET", "/two/n", &[], b"")), "200 [2]\n");
}

/// `a.org` and `b` stand for the blueprint's host and subdomain, `registered.org` for that of its registration.
#[test]
fn the_nearest_host_or_subdomain_counts() {
    let place = |host: &str, subdomain: &str| Place {
        prefix: None,
        host: (!host.is_empty()).then(|| host.to_owned()),
        subdomain: (!subdomain.is_empty()).then(|| subdomain.to_owned()),
    };
    let show = |host: Option<String>, subdomain: Option<String>| {
        format!("{}|{}", host.unwrap_or_default(), subdomain.unwrap_or_default())
    };
    for (own, other, expected) in [
        (place("", ""), place("a.org", ""), "a.org|"),
        (place("", ""), place("", "b"), "|b"),
        (place("registered.org", ""), place("a.org", ""), "registered.org|"),
        (place("", "registered"), place("a.org", ""), "|registered"),
        (place("registered.org", ""), place("", "b"), "registered.org|"),
    ] {
        let of_rule = other.of_rule(crate::routing::rule::RuleOptions {
            host: own.host.clone(),
            subdomain: own.subdomain.clone(),
            ..Default::default()
        });
        assert_eq!(show(of_rule.host, of_rule.subdomain), expected);
        let place = own.or(&other);
        assert_eq!(show(place.host, place.subdomain), expected);
    }
}

#[test]
fn the_endpoint_is_a_text_or_unit() {
    let load = |endpoint: &str| {
        let source = format!(
            "fn registerRules() {{ app.add_url_rule(\"/\", {endpoint}, view); }} fn view() {{ request.endpoint }}"
        );
        load(source, &[])
    };
    for (endpoint, expected) in [("()", "200 view"), ("\"other\"", "200 other")] {
        let (_folder, provision) = load(endpoint);
        assert_eq!(answer(&provision, request("GET", "/", &[], b"")), expected);
    }
    let error = std::panic::catch_unwind(|| load("7")).err().unwrap();
    let error = error.downcast_ref::<String>().unwrap();
    let expected = "the endpoint is a text, or () for the name of the view function, not 7";
    assert!(error.contains(expected), "{error}");
}

#[test]
fn etags_and_headers_of_a_response_are_replaced_only_where_a_script_says_so() {
    let source = r#"
        fn registerRules() { app.get("/etag/<int:overwrite>", etag); app.get("/headers", headers); }
        fn etag(overwrite) {
            let response = make_response("a");
            response.set_etag("mine");
            if overwrite == 1 { response.add_etag(true) } else { response.add_etag() }
            [response.get_etag()[0].len()]
        }
        fn headers() {
            let response = make_response("a");
            let many = [];
            for n in 0..1001 { many.push(["X-A", "b"]); }
            response.headers = many;
            response
        }
    "#;
    let (_folder, provision) = load(source.to_owned(), &[]);
    assert_eq!(answer(&provision, request("GET", "/etag/0", &[], b"")), "200 [4]\n");
    assert_eq!(answer(&provision, request("GET", "/etag/1", &[], b"")), "200 [40]\n");
    let error = answer(&provision, request("GET", "/headers", &[], b""));
    assert!(error.starts_with("500"), "{error}");
}
