//! Matches of patterns, and the bounds of a search.

use super::*;
use crate::routing::tests::cpu_time;
use std::time::Duration;

const STRICT: Slashes = Slashes { strict: true, merge: true };

/// Returns the texts of the variables.
#[track_caller]
fn texts<'a>(pattern: &str, path: &'a str, slashes: Slashes) -> Option<Vec<&'a str>> {
    let pattern = Pattern::parse(pattern).unwrap();
    let captures = pattern.captures(path, slashes)?;
    Some(captures.spans.iter().map(|&(start, end)| &path[start..end]).collect())
}

#[test]
fn variables_take_the_texts_that_werkzeug_takes() {
    for (pattern, path, expected) in [
        ("/a-<int:x>.json", "/a-12.json", Some(vec!["12"])),
        ("/a-<int:x>.json", "/a-.json", None),
        ("/<a>.<b>", "/x.y.z", Some(vec!["x.y", "z"])),
        ("/<int:a><b>", "/123", Some(vec!["12", "3"])),
        ("/<a>-<int:b>", "/x-1-2", Some(vec!["x-1", "2"])),
        ("/<float:a>.<b>", "/1.5.x", Some(vec!["1.5", "x"])),
        ("/<any(a,ab):x>b", "/abb", Some(vec!["ab"])),
        ("/<path:p>/edit", "/a/b/edit", Some(vec!["a/b"])),
        ("/<path:p>/edit", "/a/edit/edit", Some(vec!["a/edit"])),
        ("/<path:p>/<path:q>", "/a/b/c", Some(vec!["a", "b/c"])),
        ("/<path:p>", "/a//b/", Some(vec!["a//b/"])),
        ("/<path:p>/", "/a//b//", Some(vec!["a//b"])),
        ("/<path:p>", "/", None),
        ("/f/<path:p>.<ext>", "/f/a.b/c.d", Some(vec!["a.b/c", "d"])),
        ("/<x>", "/a\nb", Some(vec!["a\nb"])),
        ("/ä/<x>é", "/ä/éé", Some(vec!["é"])),
        ("/a%20b", "/a b", None),
        ("/a%20b", "/a%20b", Some(vec![])),
        ("/A", "/a", None),
        ("/a/../b", "/b", None),
    ] {
        assert_eq!(texts(pattern, path, STRICT), expected, "{pattern} {path}");
    }
}

#[test]
fn slashes_match_by_the_options_of_the_rule() {
    for (pattern, path, strict, merge, found) in [
        ("/a", "/a/", true, true, false),
        ("/a", "/a/", false, true, true),
        ("/a", "/a//", false, true, true),
        ("/a", "/a//", false, false, false),
        ("/a/", "/a", true, true, true),
        ("/a/", "/a///", true, true, true),
        ("/a/", "/a//", true, false, false),
        ("/a/b", "/a//b", true, true, true),
        ("/a/b", "/a//b", true, false, false),
        ("/a//b", "/a/b", true, true, true),
        ("/a//b", "/a/b", true, false, false),
        ("/a//b", "/a//b", true, false, true),
        ("/", "/", true, true, true),
        ("/", "//", true, true, true),
    ] {
        let found_here = texts(pattern, path, Slashes { strict, merge }).is_some();
        assert_eq!(found_here, found, "{pattern} {path} strict {strict} merge {merge}");
    }
}

#[test]
fn a_malformed_pattern_is_refused_with_its_fault() {
    for (pattern, message) in [
        ("a", "must start with `/`"),
        ("", "must start with `/`"),
        ("/<int:x", "`<` without `>`"),
        ("/<", "`<` without `>`"),
        ("/x>", "`>` without `<`"),
        ("/x>/<a>", "`>` without `<`"),
        ("/<>", "malformed variable `<>`"),
        ("/<1x>", "malformed variable `<1x>`"),
        ("/<a b>", "malformed variable `<a b>`"),
        ("/<:x>", "malformed variable `<:x>`"),
        ("/<int:>", "malformed variable `<int:>`"),
        ("/<int(1)>", "malformed variable `<int(1)>`"),
        ("/<int(1:x>", "malformed variable `<int(1:x>`"),
        ("/<(1):x>", "malformed variable `<(1):x>`"),
        ("/<int(')'>", "malformed variable `<int(')'>`"),
        ("/<a<b>>", "malformed variable `<a<b>`"),
        ("/<a>/<int:a>", "variable `a` is used twice"),
    ] {
        assert_eq!(Pattern::parse(pattern).map(|_| ()), Err(message.to_owned()), "{pattern}");
    }
    let many: String = (0..101).map(|number| format!("/<v{number}>")).collect();
    assert_eq!(Pattern::parse(&many).map(|_| ()), Err("101 variables are more than 100".to_owned()));
    assert!(Pattern::parse("/<any(\"a)>b\"):x>").is_ok());
}

#[test]
fn a_long_path_does_not_take_long() {
    let start = cpu_time();
    let slashes = "/a".repeat(1_000);
    let dots = format!("/{}", "a.".repeat(700));
    for pattern in ["/<path:a>/<path:b>/<path:c>/<path:d>/z", "/<path:a>a<b>a<path:c>a<d>a<path:e>z"] {
        assert_eq!(texts(pattern, &slashes, STRICT), None);
    }
    for pattern in ["/<a>.<b>.<c>.<d>.<e>z", "/<a><b><c><d><e>z", "/<a><path:b>.<c>z"] {
        assert_eq!(texts(pattern, &dots, STRICT), None);
    }
    // Without the memory of failed matches this takes days. The bound is wide for a debug build.
    let used = cpu_time() - start;
    assert!(used < Duration::from_secs(10), "{used:?}");
}

#[test]
fn a_pattern_of_any_length_takes_bounded_stack() {
    let long = "/a".repeat(200_000) + "/<x>";
    let path = "/a".repeat(200_001);
    assert_eq!(texts(&long, &path, STRICT), Some(vec!["a"]));
}
