//! The index offers all rules that may match, and few others.

use super::*;
use crate::routing::pattern::Pattern;

fn tree(patterns: impl Iterator<Item = String>) -> RuleIndex {
    let mut tree = RuleIndex::default();
    for (rank, text) in (0..).zip(patterns) {
        let pattern = Pattern::parse(&text).unwrap();
        tree.insert(RankedRule { rank, index: rank }, pattern.tokens(), pattern.variables().next().is_none());
    }
    tree
}

fn offered(tree: &RuleIndex, path: &str) -> Vec<u32> {
    let key = key_of(path);
    tree.fixed(&key).chain(tree.variable(&key)).map(|place| place.index).collect()
}

#[test]
fn the_index_offers_one_of_ten_thousand_rules() {
    for (pattern, path) in [
        ("/r#/a", "/r#//a/"),
        ("/r#/<int:id>", "/r#/1"),
        ("/<int:id>/r#", "/1/r#"),
        ("/<a>/<b>/r#/<c>", "/x/y/r#/z"),
        ("/<path:p>/r#", "/a/b//c/r#"),
        ("/<path:p>/r#/<int:id>", "/a/b/r#/1"),
        ("/<path:p>/m/<path:q>/r#", "/a/m/b/r#"),
        ("/r#/<path:p>", "/r#/a/b"),
        ("/x-r#-<id>.json", "/x-r#-1.json"),
        ("/<id>.r#", "/1.r#"),
        ("/r#-<path:p>", "/r#-a/b"),
        ("/<path:p>.r#", "/a/b.r#"),
        ("/<any('x/y',z):p>/r#", "/x/y/r#"),
    ] {
        let number = |text: &str, number: u32| text.replace('#', &format!("{number:05}"));
        let tree = tree((0..10_000).map(|rank| number(pattern, rank)));
        for rank in [0, 1, 4_999, 9_999] {
            assert_eq!(offered(&tree, &number(path, rank)), [rank], "{pattern}");
        }
        assert_eq!(offered(&tree, &number(path, 10_000)), [0; 0], "{pattern}");
    }
}

#[test]
fn the_index_offers_rules_of_all_kinds_in_their_order() {
    let patterns = [
        "/a/b",
        "/<x>/b",
        "/a/<y>",
        "/<x>/<y>",
        "/a/b<z>",
        "/a/<p>b",
        "/<path:p>",
        "/a/<path:p>",
        "/<path:p>/b",
        "/a",
    ];
    let tree = tree(patterns.into_iter().map(str::to_owned));
    assert_eq!(offered(&tree, "/a/b"), [0, 1, 2, 3, 6, 7, 8]);
    assert_eq!(offered(&tree, "/a/bcb"), [2, 3, 4, 5, 6, 7]);
    assert_eq!(offered(&tree, "/a"), [9, 6]);
    assert_eq!(offered(&tree, "/"), [0; 0]);
}

#[test]
fn rules_deeper_than_the_tree_are_found() {
    let long = "/a".repeat(100_000);
    let tree = tree([format!("{long}/<x>"), format!("/<path:p>{long}"), long.clone()].into_iter());
    assert_eq!(offered(&tree, &format!("{long}/x")), [0]);
    assert_eq!(offered(&tree, &format!("/b{long}")), [1]);
    assert_eq!(offered(&tree, &long), [2, 0, 1]);
}

#[test]
fn the_key_has_neither_doubled_slashes_nor_any_at_the_ends() {
    for (path, key) in
        [("/", ""), ("//", ""), ("/a", "a"), ("/a/b/", "a/b"), ("//a///b//", "a/b"), ("*", "*"), ("", "")]
    {
        assert_eq!(key_of(path), key);
    }
}
