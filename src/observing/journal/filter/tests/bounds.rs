//! Limits for the cost of a filter on one entry.

use super::*;

#[test]
fn larger_patterns_search_less_of_a_text() {
    let long = |length: usize| entry(1, "GET /", &[], &"x".repeat(length));
    // A pattern of 16 KiB searches 4 KiB of text, a pattern of 1 KiB all 64 KiB.
    let large = format!("body~={}", "(?:a?){90}b");
    assert_eq!((fit(&large, &long(4 << 10)), fit(&large, &long((4 << 10) + 1))), (Fit::No, Fit::Open));
    assert_eq!(fit("body~=^(a|b)*c$", &long(MAX_SEARCHED)), Fit::No);
    // The patterns of one filter share the limit.
    let two = "body~=x&body~=[a-z]{50}&body~=[a-z]{51}";
    assert_eq!((fit(two, &long(8 << 10)), fit(two, &long(60 << 10))), (Fit::Yes, Fit::Yes));
    let none = "body~=x&body!~=[a-z]{50}1&body!~=[a-z]{51}1";
    assert_eq!((fit(none, &long(4 << 10)), fit(none, &long(60 << 10))), (Fit::Yes, Fit::Open));
}

#[test]
fn many_values_are_searched_as_one_text() {
    let many = |count: usize| entry(1, &format!("GET /?{}", vec!["a=b"; count].join("&")), &[], "");
    assert_eq!(fit("query~=a=c", &many(1000)), Fit::No);
    assert_eq!(fit("query~=a=c", &many(2000)), Fit::Open);
    assert_eq!(fit("query~=a=b", &many(2000)), Fit::Yes);
    assert_eq!(fit("query=a=c", &many(2000)), Fit::No);
}

#[test]
fn a_search_reads_the_beginning_of_a_large_json_value() {
    let list = |count: usize| entry(1, "POST /", &[], &format!("[{}]", vec!["1"; count].join(",")));
    let table =
        [("json~==1]$", 30_000, Fit::Yes), ("json~==2", 30_000, Fit::No), ("json~==2", 40_000, Fit::Open)];
    for (text, count, expected) in table {
        assert_eq!(fit(text, &list(count)), expected, "{text} {count}");
    }
    assert_eq!(fit("json~==^.1,1", &list(40_000)), Fit::Yes);
}
