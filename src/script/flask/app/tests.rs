use super::*;
use crate::directory::fixture::Folder;
use crate::provisioning::provision::Provision;
use crate::script;
use crate::script::flask::request::tests::request;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::files::Files;
use crate::script::tests::trial::{answer, load};

/// Loads a provision whose `registerRules()` runs `script`, and returns its error.
fn load_error(script: &str) -> String {
    let source = format!("fn registerRules() {{ {script} }} fn view(a) {{ a }}");
    let folder = Folder::new();
    let files = Files::new(folder.directory().into(), "p", Some(source.into()), Arc::default());
    let budget = Budget::default();
    Provision::load(&script::engine(budget).into(), budget, files).err().unwrap().message
}

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
        fn enter() { store.incr("entered"); () }
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
    let error = load_error("app.add_url_rule(\"/\", 7, view);");
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

#[test]
fn a_view_takes_all_variables_of_its_rule() {
    for (rule, gives) in [("/<a>/<b>", "(a, b)"), ("/<b>", "(b)"), ("/", "()")] {
        let error = load_error(&format!("app.get(\"{rule}\", view);"));
        assert_eq!(error, format!("view function `view` takes `(a)`, but rule `{rule}` gives `{gives}`"));
    }
}

#[test]
fn a_provision_that_is_not_on_disk_can_import_itself_in_a_function() {
    let source = r#"
        fn registerRules() { import "p" as own; app.get(own::path(), view); }
        fn path() { "/path" }
        fn view() { "found" }
    "#;
    let (_folder, provision) = load(source.to_owned(), &[]);
    assert_eq!(answer(&provision, request("GET", "/path", &[], b"")), "200 found");
}

#[test]
fn a_thrown_class_is_an_error_with_its_code() {
    let source = r#"
        fn registerRules() { app.get("/<int:n>", view); app.errorhandler(NotFound, |e| [`no: ${e.code}`, 404]); }
        fn view(n) { if n == 404 { throw NotFound } throw Conflict }
    "#;
    let (_folder, provision) = load(source.to_owned(), &[]);
    assert_eq!(answer(&provision, request("GET", "/404", &[], b"")), "404 no: 404");
    assert!(answer(&provision, request("GET", "/409", &[], b"")).starts_with("409 <!doctype html>"));
}
