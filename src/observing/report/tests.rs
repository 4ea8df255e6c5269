//! Reports as text, and the files that they are written to.

use super::*;
use crate::observing::metrics::UnmatchedRow;
use crate::simulation::{Reading, Speed};
use std::fs;

fn conditions(words: &str) -> FailOn {
    FailOn::parse(words).unwrap()
}

fn row(method: &str, path: &str, count: u64) -> UnmatchedRow {
    UnmatchedRow { method: method.into(), path: path.into(), count }
}

fn report() -> Report {
    Report {
        provision: "foo-bar".into(),
        generation: 3,
        unused: vec!["GET /a".into()],
        summary: Summary {
            requests: 9,
            unmatched: 4,
            unmatched_rows: vec![row("GET", "/x", 3), row("POST", "/\"y\"\n", 1)],
            errors: 1,
            first_error: Some(
                "script error in provision `foo-bar`: line 3, column 7: no variable `x`".into(),
            ),
            loads: 3,
            failed_loads: 1,
            last_failure: Some("failed to load provision `z`: line 1: syntax error".into()),
            departed: Departed { callbacks: 5, failed_callbacks: 1, forwarded: 7, failed_forwarded: 3 },
        },
        waiting_callbacks: 2,
        ..Report::default()
    }
}

#[test]
fn the_verdict_comes_first_and_all_counts_are_there() {
    let expected = concat!(
        r#"{"verdict":"fail","failed":["unmatched","unused"],"provision":"foo-bar","generation":3,"requests":9,"#,
        r#""unmatched":{"count":4,"requests":[{"method":"GET","path":"/x","count":3},{"method":"POST","path":"/\"y\" ","count":1}],"left_out":0},"#,
        r#""unused":{"count":1,"rules":["GET /a"],"left_out":0},"#,
        r#""errors":{"count":1,"first":"script error in provision `foo-bar`: line 3, column 7: no variable `x`"},"#,
        r#""loads":{"count":3,"failed":1,"last":"failed to load provision `z`: line 1: syntax error"},"#,
        r#""callbacks":{"sent":5,"failed":1,"waiting":2},"forwarded":{"sent":7,"failed":3}}"#
    );
    assert_eq!(report().text(conditions("unmatched,unused")), expected);
    let expected = r#"{"verdict":"pass","failed":[],"provision":"","generation":0,"requests":0,"unmatched":{"count":0,"requests":[],"left_out":0},"unused":{"count":0,"rules":[],"left_out":0},"errors":{"count":0,"first":null},"loads":{"count":0,"failed":0,"last":null},"callbacks":{"sent":0,"failed":0,"waiting":0},"forwarded":{"sent":0,"failed":0}}"#;
    assert_eq!(Report::default().text(conditions("unmatched,unused,errors,loads")), expected);
}

#[test]
fn a_clock_and_a_seed_come_last() {
    let report = Report { clock: Some(Clock::frozen(0)), seed: Some(-7), ..Report::default() };
    let end =
        r#""forwarded":{"sent":0,"failed":0},"clock":{"now":"1970-01-01T00:00:00Z","speed":0},"seed":-7}"#;
    assert!(report.text(FailOn::default()).ends_with(end));
}

#[test]
fn each_condition_depends_on_its_count() {
    for (words, failed) in [
        ("unmatched", &["unmatched"][..]),
        ("unused", &["unused"]),
        ("errors", &["errors"]),
        ("loads", &["loads"]),
        ("errors,unmatched", &["unmatched", "errors"]),
    ] {
        assert_eq!(report().failed(conditions(words)), failed);
        assert!(Report::default().failed(conditions(words)).is_empty());
    }
    let mut without = report();
    without.summary.unmatched = 0;
    assert_eq!(without.failed(conditions("unmatched,loads")), ["loads"]);
}

#[test]
fn a_report_is_below_1_kib_with_any_names() {
    let names = ["x", "\u{1}", "\"", "\\", "\u{1f600}", "\u{2028}", "\u{e9}"];
    for name in names {
        for (length, count) in [(1, 1_000), (40, 40), (300, 64), (10_000, 64), (0, 0)] {
            let long = name.repeat(length);
            let report = Report {
                provision: long.clone(),
                generation: u64::MAX,
                unused: vec![long.clone(); count],
                summary: Summary {
                    requests: u64::MAX,
                    unmatched: u64::MAX,
                    unmatched_rows: vec![row(&long, &long, 1 << 50); count],
                    errors: u64::MAX,
                    first_error: Some(long.clone()),
                    loads: u64::MAX,
                    failed_loads: u64::MAX,
                    last_failure: Some(long.clone()),
                    departed: Departed {
                        callbacks: u64::MAX,
                        failed_callbacks: u64::MAX,
                        forwarded: u64::MAX,
                        failed_forwarded: u64::MAX,
                    },
                },
                waiting_callbacks: u64::MAX,
                clock: Some(Clock::new(
                    Reading::real(),
                    Reading { wall: 1, steady: 0 },
                    Speed::new(0.123_456).unwrap(),
                )),
                seed: Some(i64::MIN),
            };
            let text = report.text(conditions("unmatched,unused,errors,loads"));
            assert!(text.len() < LONGEST, "{} {name:?} {length} {count}", text.len());
            let json: Value = serde_json::from_str(&text).unwrap();
            assert!(text.starts_with(r#"{"verdict":"fail","failed":"#));
            let shown = json["unused"]["rules"].as_array().unwrap().len() as u64;
            assert_eq!(json["unused"]["left_out"], count as u64 - shown);
        }
    }
}

#[test]
fn a_truncated_text_ends_in_an_ellipsis() {
    assert_eq!(excerpt("abc", 3), "abc");
    assert_eq!(excerpt("ab\u{e9}d", 3), "ab\u{e9}\u{2026}");
}

#[test]
fn a_file_is_made_or_replaced_and_a_pipe_without_a_reader_is_an_error() {
    let folder = std::env::temp_dir().join(format!("h1mock-report-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("report");
    write(&path, "a longer text than the next").unwrap();
    write(&path, "short").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "short\n");
    write(Path::new("/dev/null"), "x").unwrap();
    let missing = folder.join("none").join("report");
    assert_eq!(write(&missing, "x").unwrap_err().kind(), io::ErrorKind::NotFound);
    let pipe = folder.join("pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert!(write(&pipe, "x").is_err());
    fs::remove_dir_all(folder).unwrap();
}
