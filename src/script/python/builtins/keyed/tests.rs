use crate::script::runtime::json::from_json;
use crate::script::tests::trial::{engine, fails, yields};
use rhai::{Dynamic, Scope};
use std::time::Instant;

/// Runs each script with a frozen list (from JSON) and with a list of the script.
const ITEMS: &str = r#"let l = json.loads("[{\"id\": 1, \"n\": 2, \"kind\": \"b\"}, {\"id\": 2, \"n\": 1, \"kind\": \"a\"}]");
    l += [#{ id: 3, n: 2, kind: "a" }];"#;

#[track_caller]
fn yields_of_items(table: &[(&str, &str)]) {
    for (script, expected) in table {
        yields(&[(&format!("{ITEMS} {script}"), expected)]);
    }
}

#[test]
fn the_name_of_a_key_replaces_a_function() {
    yields_of_items(&[
        ("pluck(sorted(l, \"n\"), \"id\")", "[2, 1, 3]"),
        ("pluck(sorted(l, \"n\", true), \"id\")", "[1, 3, 2]"),
        ("pluck(sorted(l, #{ key: \"n\", reverse: true }), \"id\")", "[1, 3, 2]"),
        ("pluck(sorted(l, #{ key: |x| [x.kind, -x.id] }), \"id\")", "[3, 2, 1]"),
        ("pluck(sorted(l, |x| x.n, true), \"id\")", "[1, 3, 2]"),
        ("[sorted([1, 3, 2], #{ reverse: true }), sorted([2, 1], #{})]", "[[3, 2, 1], [1, 2]]"),
        (
            "let g = group_by(l, \"kind\"); [g.keys(), pluck(g.a, \"id\"), g.b.len()]",
            r#"[["b", "a"], [2, 3], 1]"#,
        ),
        ("let g = group_by(l, \"n\"); g[\"2\"].push(1); [g[\"2\"].len(), g[\"1\"].len()]", "[3, 1]"),
        (
            "group_by([#{ k: () }, #{ k: 1.0 }, #{ k: true }, #{ k: 'c' }], \"k\").keys()",
            r#"["null", "1.0", "true", "c"]"#,
        ),
        ("pluck(where(l, #{ kind: \"a\" }), \"id\")", "[2, 3]"),
        ("pluck(where(l, #{ kind: \"a\", n: 2.0 }), \"id\")", "[3]"),
        ("[where(l, #{}).len(), where(l, #{ none: 1 }), where(l, #{ none: () }).len()]", "[3, [], 3]"),
        ("[sum(l, \"n\"), sum([], \"n\")]", "[5, 0]"),
        ("[min(l, \"n\").id, max(l, \"n\").id]", "[2, 1]"),
        ("l.where(#{ kind: \"b\" }).pluck(\"id\")", "[1]"),
        ("pluck(json.loads(\"[{\\\"a\\\": [1]}]\"), \"a\")", "[[1]]"),
    ]);
}

#[test]
fn items_without_the_key_are_errors() {
    fails(&[
        ("sorted([#{ a: 1 }, #{}], \"a\")", "sorted: item 1 has no key `a`"),
        ("sorted([1], \"a\")", "sorted: item 0 is no map but `i64`"),
        ("sorted([#{ a: 1 }, #{ a: \"x\" }], \"a\")", "sorted: `string` and `i64` can't be compared"),
        ("sorted([1], #{ by: \"a\" })", "sorted: unknown option `by`: there are `key` and `reverse`"),
        ("sorted([1], #{ key: 1 })", "sorted: `key` is a name or a function, not `i64`"),
        ("sorted([1], #{ reverse: 1 })", "sorted: `reverse` is true or false, not `i64`"),
        ("pluck([#{}], \"a\")", "pluck: item 0 has no key `a`"),
        ("group_by([#{}], \"a\")", "group_by: item 0 has no key `a`"),
        (
            "group_by([#{ a: [] }], \"a\")",
            "group_by: a value of type `array` can't be a key: group by text, numbers or booleans",
        ),
        ("where([[]], #{})", "where: item 0 is no map but `array`"),
        ("sum([#{ a: \"x\" }], \"a\")", "sum: needs numbers, not `string`"),
        ("min([], \"a\")", "min: the list is empty"),
    ]);
}

#[test]
fn long_lists_take_little_time() {
    let items: Vec<String> = (0..30_000).map(|i| format!("{{\"n\": {}, \"i\": {i}}}", i % 1000)).collect();
    let mut scope = Scope::new();
    scope.push("l", from_json(format!("[{}]", items.join(",")).as_bytes()).unwrap());
    let before = Instant::now();
    for (script, expected) in [
        ("sorted(l, \"n\")[100].i", "10003"),
        ("sorted(l, \"n\", true)[1].i", "1999"),
        ("group_by(l, \"n\").len()", "1000"),
        ("where(l, #{ n: 7 }).len()", "30"),
        ("sum(l, \"n\")", "14985000"),
        ("max(l, \"i\").n", "999"),
    ] {
        let result = engine().eval_with_scope::<Dynamic>(&mut scope, script).unwrap();
        assert_eq!(result.to_string(), expected, "{script}");
    }
    assert!(before.elapsed().as_secs() < 30, "{:?}", before.elapsed());
}
