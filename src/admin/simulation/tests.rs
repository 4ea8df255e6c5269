//! JSON of clocks -> changes, and the errors of wrong ones.

use super::*;

fn parsed(body: &str) -> Parsed<ClockChange> {
    change(body.as_bytes())
}

#[test]
fn every_field_is_parsed() {
    let at = |nanoseconds| Some(Start::At(nanoseconds));
    let second = 1_000_000_000;
    for (body, start, advance, speed) in [
        (r#"{"freeze": "2026-01-01T00:00:00Z"}"#, at(1_767_225_600 * second), 0, Some(0.0)),
        (r#"{"freeze": 1767225600}"#, at(1_767_225_600 * second), 0, Some(0.0)),
        (r#"{"freeze": 1767225600.123456}"#, at(1_767_225_600_123_456_000), 0, Some(0.0)),
        (r#"{"freeze": "now"}"#, None, 0, Some(0.0)),
        (r#"{"freeze": "now", "advance": "-1h"}"#, None, -3_600 * second, Some(0.0)),
        (r#"{"at": "2026-01-01"}"#, at(1_767_225_600 * second), 0, None),
        (r#"{"at": 0, "speed": 60, "advance": 1.5}"#, at(0), 1_500_000_000, Some(60.0)),
        (r#"{"shift": "+2h"}"#, Some(Start::Shift(7_200 * second)), 0, None),
        (r#"{"shift": -86400, "speed": 0}"#, Some(Start::Shift(-86_400 * second)), 0, Some(0.0)),
        (r#"{"advance": "1d"}"#, None, 86_400 * second, None),
        (r#"{"speed": 0.5}"#, None, 0, Some(0.5)),
        (r#"{"at": 1e308}"#, at(i128::from(i64::MAX) * 1_000), 0, None),
        (r#"{"advance": -1e308}"#, None, i128::from(i64::MIN) * 1_000, None),
    ] {
        let speed = speed.and_then(Speed::new);
        assert_eq!(parsed(body), Ok(ClockChange { start, advance, speed }), "{body}");
    }
}

#[test]
fn a_wrong_change_says_what_to_send() {
    for (body, error) in [
        ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
        ("[]", "`[]` is no object: send {\"freeze\": \"2026-01-01T00:00:00Z\"}"),
        (
            "{}",
            r#"one of `freeze`, `at`, `shift`, `advance` and `speed` is needed, such as {"freeze": "2026-01-01T00:00:00Z"}"#,
        ),
        (r#"{"froze": 1}"#, "field `froze` is unknown: there are freeze, at, shift, advance, speed"),
        (r#"{"freeze": 1, "at": 1}"#, "fields `freeze` and `at`: only one of them can be given"),
        (r#"{"shift": 1, "at": 1}"#, "fields `at` and `shift`: only one of them can be given"),
        (
            r#"{"freeze": 1, "speed": 1}"#,
            "fields `freeze` and `speed`: a frozen clock has no speed, so send `at` with `speed`",
        ),
        (
            r#"{"freeze": "tomorrow"}"#,
            "field `freeze`: `tomorrow` is no time (try 2026-01-01T00:00:00Z, or seconds since 1970)",
        ),
        (
            r#"{"at": "now"}"#,
            "field `at`: `now` is no time (try 2026-01-01T00:00:00Z, or seconds since 1970)",
        ),
        (
            r#"{"freeze": true}"#,
            "field `freeze`: `true` is no time: send \"2026-01-01T00:00:00Z\", or seconds since 1970",
        ),
        (r#"{"advance": "1w"}"#, "field `advance`: `1w` is no span of time (try +2h, -30m or 1d)"),
        (r#"{"shift": null}"#, "field `shift`: `null` is no span of time: send \"+2h\", or seconds"),
        (r#"{"speed": -1}"#, "field `speed`: -1 is no speed: it is 0, or from 0.000001 to 1000000"),
        (r#"{"speed": "60"}"#, "field `speed`: `\"60\"` is no number"),
    ] {
        assert_eq!(parsed(body).unwrap_err(), error, "{body}");
    }
}

#[test]
fn a_seed_is_an_integer() {
    let parsed = |body: &str| seed(body.as_bytes());
    assert_eq!((parsed(r#"{"seed": -7}"#), parsed(r#"{"seed": 7.0}"#)), (Ok(-7), Ok(7)));
    for (body, error) in [
        ("{}", r#"field `seed` is missing: send {"seed": 7}"#),
        (r#"{"seed": "7"}"#, "field `seed`: `\"7\"` is no integer"),
        (r#"{"seed": 7.5}"#, "field `seed`: `7.5` is no integer"),
        (r#"{"sead": 7}"#, "field `sead` is unknown: there is seed"),
    ] {
        assert_eq!(parsed(body).unwrap_err(), error, "{body}");
    }
}
