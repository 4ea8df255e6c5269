use super::Anchor;
use crate::script::runtime::budget::Budget;
use crate::script::tests::trial::{engine, fails, yields};
use std::time::Duration;

#[test]
fn searches_give_a_match_or_nothing() {
    yields(&[
        (
            r#"let m = re.search("(\\d+)-(\\d+)", "ä 12-34"); [m.group(), m.group(1), m.group(2)]"#,
            r#"["12-34", "12", "34"]"#,
        ),
        (r#"re.search("x", "abc")"#, "()"),
        (r#"if re.search("x", "abc") == () { "none" } else { "some" }"#, r#""none""#),
        (r#"if re.search("b", "abc") != () { "some" } else { "none" }"#, r#""some""#),
        (
            r#"let m = re.search("(?P<key>\\w+)=(\\w+)?", "a="); [m.group("key"), m["key"], m[1], m.group(2)]"#,
            r#"["a", "a", "a", ()]"#,
        ),
        (r#"re.search("(?P<key>\\w+)=(\\w+)", "a=b").groups()"#, r#"["a", "b"]"#),
        (r#"re.search("(?P<key>\\w+)=(\\w+)", "a=b").groupdict()"#, r#"#{"key": "a"}"#),
        (
            r#"let m = re.search("b(c)?", "äb"); [m.start(), m.end(), m.span(), m.span(1)]"#,
            "[1, 2, [1, 2], [-1, -1]]",
        ),
        (r#"re.fullmatch("a|ab", "ab").group()"#, r#""ab""#),
        (r#"re.fullmatch("ab", "abc")"#, "()"),
        (r#"re.prefix("b", "ab")"#, "()"),
        (r#"re.prefix("a", "ab").group()"#, r#""a""#),
        (r#"re.search("(?i)ABC", "xabc").group()"#, r#""abc""#),
    ]);
}

#[test]
fn matches_are_listed_split_and_replaced() {
    yields(&[
        (r#"re.findall("\\d+", "1 22 x 3")"#, r#"["1", "22", "3"]"#),
        (r#"re.findall("(\\w)=", "a=1 b=2")"#, r#"["a", "b"]"#),
        (r#"re.findall("(\\w)=(\\d)?", "a=1 b=")"#, r#"[["a", "1"], ["b", ""]]"#),
        (r#"re.split(",\\s*", "a, b,c")"#, r#"["a", "b", "c"]"#),
        (r#"re.split(",", "a,b,c", 1)"#, r#"["a", "b,c"]"#),
        (r#"re.split("(,)", "a,b")"#, r#"["a", ",", "b"]"#),
        (r#"re.sub("a(b)", "<\\1>", "ab xab")"#, r#""<b> x<b>""#),
        (r#"re.sub("(?P<n>\\d)", "\\g<n>\\g<1>\\\\\\n", "7")"#, r#""77\\\n""#),
        (r#"re.sub("a", "b", "aaa", 2)"#, r#""bba""#),
        (r#"re.sub("a(b)?", "[\\1]", "a ab")"#, r#""[] [b]""#),
        (r#"re.sub("\\d", |m| `${parse_int(m.group()) + 1}`, "a1b2")"#, r#""a2b3""#),
        (r#"re.sub("x", "$0", "x")"#, r#""$0""#),
        (r#"re.sub("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)", "\\10", "abcdefghij")"#, r#""j""#),
        (r#"re.search("(a)" * 99, "a" * 99).groups().len()"#, "99"),
        (r#"re.fullmatch(re.escape("a.b"), "a.b").group()"#, r#""a.b""#),
    ]);
}

#[test]
fn bad_patterns_groups_and_templates_are_errors() {
    fails(&[
        (r#"re.search("a(b", "x")"#, "re.search: bad pattern `a(b`: found open group without closing ')'"),
        (
            r#"re.fullmatch("a)(b", "x")"#,
            "re.fullmatch: bad pattern `a)(b`: found closing ')' without matching '('",
        ),
        (r#"re.search("(?=a)", "x")"#, "re.search: bad pattern `(?=a)`: look-around is not supported"),
        (
            r#"re.findall("((a{100}){100}){100}", "x")"#,
            "re.findall: bad pattern `((a{100}){100}){100}`: compiled regex exceeded size limit",
        ),
        (
            r#"re.search("a".ljust(5000, "a"), "x")"#,
            &format!("re.search: bad pattern `{}`: longer than 4096 bytes", "a".repeat(80)),
        ),
        (r#"re.search("a", "x".ljust(1048577))"#, "re.search: the text is longer than 1048576 bytes"),
        (r#"re.search("a", "a").group(1)"#, "re: the pattern has no group `1`"),
        (r#"re.search("a", "a")["n"]"#, "re: the pattern has no group `n`"),
        (r#"re.sub("a", "\\1", "a")"#, "re.sub: the pattern has no group `1`"),
        (r#"re.sub("a", "\\g<n>", "a")"#, "re.sub: the pattern has no group `n`"),
        (
            r#"re.sub("a", "\\g", "a")"#,
            "re.sub: `\\g` in the replacement needs a group: `\\g<1>` or `\\g<name>`",
        ),
        (r#"re.sub("a", "\\q", "a")"#, "re.sub: bad escape `\\q` in the replacement"),
        (r#"re.sub("a", "\\", "a")"#, "re.sub: a `\\` ends the replacement: write it twice"),
        (
            r#"re.sub("a", "x".ljust(100), "a".ljust(100000, "a"))"#,
            "re.sub: the result is longer than 8388608 bytes",
        ),
        (r#"re.findall("", "x".ljust(600000))"#, "re.findall: the result has more than 524288 items"),
    ]);
}

#[test]
fn a_search_of_quadratic_time_ends_with_the_budget_of_the_script() {
    let start = std::time::Instant::now();
    let budget = Budget { time: Duration::from_millis(200), ..Budget::default() };
    // The search for each match reads the whole rest of the text.
    let script =
        r#"let s = "x".ljust(100000, "x"); loop { try { re.findall(".*[0-9]|[a-z]", s) } catch {} }"#;
    let error = budget.run(|| engine().run(script)).unwrap_err();
    assert!(error.to_string().starts_with("Script terminated"), "{error}");
    assert!(start.elapsed().as_secs() < 10);
}

#[test]
fn the_cache_of_patterns_is_bounded() {
    engine().run(r#"for i in 0..100 { re.search(`a${i}`, "x"); }"#).unwrap();
    assert_eq!(super::CACHE.with_borrow(|cache| cache.len()), super::CACHED);
}

/// The time budget is the default of `--script-timeout`.
#[test]
fn ordinary_patterns_search_a_megabyte() {
    let text = "x".repeat(1_000_000);
    let is_searched = |pattern: &str| super::compiled("re.search", pattern, Anchor::Anywhere, &text).is_ok();
    for pattern in [
        "[a-z]+",
        r"\d{4}-\d{2}-\d{2}",
        r"[\w.+-]+@[\w-]+\.[\w.]+",
        "(?i)content-type: *([^;]+)",
        "(?m)^([A-Za-z0-9_-]+): *(.*)$",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
        r"(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})",
        r"(?:GET|POST|PUT|DELETE) (/[^ ]*) HTTP/1\.[01]",
    ] {
        assert!(is_searched(pattern), "{pattern}");
    }
    for pattern in ["(?:a?){60}b", "(?:a|b|c|d){20}"] {
        assert!(!is_searched(pattern), "{pattern}");
    }
}
