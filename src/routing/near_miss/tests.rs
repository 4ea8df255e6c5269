//! Near misses of small tables, and the time that a large table takes.

use crate::routing::router::Router;
use crate::routing::rule::{Rule, RuleOptions};
use crate::routing::tests::cpu_time;
use std::time::Duration;

/// Makes a table of rules as `GET,POST /a/<x>`; the method is GET if not given.
fn table<T: AsRef<str>>(rules: &[T]) -> Router {
    let rule = |text: &T| {
        let (methods, pattern) = match text.as_ref().split_once(' ') {
            Some((methods, pattern)) => (Some(methods.split(',').map(str::to_owned).collect()), pattern),
            None => (None, text.as_ref()),
        };
        Rule::parse(pattern, "e", RuleOptions { methods, ..RuleOptions::default() }).unwrap()
    };
    Router::new(rules.iter().map(rule).collect())
}

fn misses(router: &Router, request: &str) -> Vec<String> {
    let (method, path) = request.split_once(' ').unwrap_or(("GET", request));
    router.explain(method, path, None).iter().map(ToString::to_string).collect()
}

#[test]
fn each_difference_has_its_reason() {
    let table: &[(&str, &str, &str)] = &[
        ("/orders/<int:id>", "/orders/abc", "`abc` is no int"),
        ("/orders/<int(min=1):id>", "/orders/0", "`0` is no int(min=1)"),
        ("/c/<any(red,green):c>", "/c/blue", "`blue` is no any(red, green)"),
        ("/orders", "POST /orders", "the method is POST, the rule takes GET"),
        ("PUT,DELETE /orders/<id>", "get /orders/7", "the method is GET, the rule takes DELETE, PUT"),
        ("/orders/", "POST /orders", "the method is POST, the rule takes GET"),
        ("/orders/<id>", "/orders", "a segment too few: `<string:id>`"),
        ("/orders/<id>/lines", "/orders", "2 segments too few: `<string:id>/lines`"),
        ("/orders", "/orders/7", "a segment too many: `7`"),
        ("/orders", "/orders/7/lines", "2 segments too many: `7/lines`"),
        ("/api/v1/orders/<int:id>", "/api/orders/7", "a segment too few: `v1`"),
        ("/api/orders/<int:id>", "/api/v1/orders/7", "a segment too many: `v1`"),
        ("/orders", "/orders/", "a slash too many at the end"),
        ("/orders/new", "/orders//new/", "a slash too many at the end"),
        ("/Orders/<id>", "/orders/7", "`orders` is `Orders` in other case"),
        ("/orders", "/ordres", "`ordres` is nearly `orders`"),
        ("/customers", "/costumer", "`costumer` is nearly `customers`"),
        (
            "/orders/<int:id>",
            "POST /order/7",
            "`order` is nearly `orders`; the method is POST, the rule takes GET",
        ),
        ("/api/users", "/api/orders", "`orders` is not `users`"),
        ("/report-<int:n>.json", "/report-x.json", "`report-x.json` does not fit `report-<int:n>.json`"),
        ("/f/<path:p>/raw", "/f/a/b", "`a/b` does not fit `<path:p>/raw`"),
        ("/f/<path:p>", "/f", "nothing is there for `<path:p>`"),
        ("/<name>", "/a/b", "a segment too many: `b`"),
        ("/", "/a", "a segment too many: `a`"),
    ];
    for (rule, request, reason) in table {
        let router = self::table(&[rule]);
        let shown =
            if rule.contains(' ') { rule.replace("PUT,DELETE", "DELETE,PUT") } else { format!("GET {rule}") };
        assert_eq!(misses(&router, request), [format!("`{shown}`: {reason}")], "{rule} {request}");
    }
}

#[test]
fn a_rule_that_serves_or_has_nothing_in_common_is_no_miss() {
    for (rule, request) in [
        ("/orders", "/orders"),
        ("/orders/", "/orders"),
        ("/orders", "/completely/other"),
        ("/orders/<id>", "/users/7"),
        ("/", "/a/b"),
        ("/a", "/b"),
        ("/a/<path:p>", "/b/c"),
    ] {
        assert_eq!(misses(&table(&[rule]), request), [""; 0], "{rule} {request}");
    }
    assert_eq!(misses(&table::<&str>(&[]), "/"), [""; 0]);
    assert_eq!(misses(&table(&["/orders"]), &format!("/orders/{}", "x".repeat(2000))), [""; 0]);
}

#[test]
fn the_closest_rules_come_first_and_far_ones_are_left_out() {
    let router =
        table(&["/api/users/<int:id>", "POST /orders", "/order", "/orders/<int:id>", "/ordering", "/x"]);
    let expected = [
        "`POST /orders`: the method is GET, the rule takes POST",
        "`GET /order`: `orders` is nearly `order`",
        "`GET /orders/<int:id>`: a segment too few: `<int:id>`",
    ];
    assert_eq!(misses(&router, "/orders"), expected);
    let router = table(&["POST /orders", "/orders/a/b", "/orders/a/b/c"]);
    let expected = [
        "`POST /orders`: the method is GET, the rule takes POST",
        "`GET /orders/a/b`: 2 segments too few: `a/b`",
    ];
    assert_eq!(misses(&router, "/orders"), expected);
    let router = table(&["/api/orders", "/api/v1/some/other/thing"]);
    assert_eq!(misses(&router, "/api/ordrs"), ["`GET /api/orders`: `ordrs` is nearly `orders`"]);
}

#[test]
fn only_the_method_is_a_reason_if_the_path_matches() {
    let router = table(&["/docs/", "/orders/<int:id>"]);
    assert_eq!(misses(&router, "/x/y"), [""; 0]);
    let closest =
        router.explain("PUT", "/orders/7", None).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(closest, ["`GET /orders/<int:id>`: the method is PUT, the rule takes GET"]);
}

/// The limits are wide for a debug build. `--nocapture` shows the times.
#[test]
fn ten_thousand_rules_take_little_time() {
    let rules: Vec<String> = (0..10_000).map(|n| format!("/api/v1/resource-{n:05}/<int:id>/lines")).collect();
    let router = table(&rules);
    let expected = |rule: &str, reason: &str| format!("`GET /api/v1/{rule}/<int:id>/lines`: {reason}");
    for (path, nearest) in [
        ("/api/v1/resource-07000/x/lines", expected("resource-07000", "`x` is no int")),
        (
            "/api/v1/resuorce-07000/7/lines",
            expected("resource-07000", "`resuorce-07000` is nearly `resource-07000`"),
        ),
        ("/api/v1/resource-07000/7", expected("resource-07000", "a segment too few: `lines`")),
        ("/nothing/of/all/this", String::new()),
    ] {
        let start = cpu_time();
        let first = misses(&router, path).into_iter().next().unwrap_or_default();
        println!("{path}: {:?}", cpu_time() - start);
        assert_eq!(first, nearest);
        assert!(cpu_time() - start < Duration::from_secs(2));
    }
    let long = format!("/{}", "a/".repeat(500));
    let start = cpu_time();
    assert_eq!(misses(&router, &long), [""; 0]);
    println!("500 segments: {:?}", cpu_time() - start);
}
