//! Times, spans and speeds of a clock, as flags and JSON have them.

use super::{Parsed, text, time};
use crate::script::python::datetime::iso;
use crate::simulation::{Clock, ClockChange, Reading, SECOND, Speed, Start};
use std::ffi::OsStr;

/// Parses a time to nanoseconds since 1970: `2026-01-01T00:00:00Z`, `2026-01-01`, or seconds since 1970. Without an offset, it is
/// UTC.
pub(crate) fn instant(text: &str) -> Parsed<i128> {
    let wrong = || format!("`{text}` is no time (try 2026-01-01T00:00:00Z, or seconds since 1970)");
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(i128::from(seconds) * SECOND);
    }
    let moment = iso::datetime(text).ok_or_else(wrong)?;
    Ok(i128::from(moment.micros()) * 1_000)
}

/// Parses a span to nanoseconds: `+2h`, `-30m`, `1.5s`, `1d`, or seconds.
pub(crate) fn span(text: &str) -> Parsed<i128> {
    let (sign, bare) = match text.strip_prefix('-') {
        Some(bare) => (-1, bare),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let days = bare.strip_suffix('d').and_then(|days| time(&format!("{days}h"))?.checked_mul(24));
    let time = days
        .or_else(|| time(bare))
        .ok_or_else(|| format!("`{text}` is no span of time (try +2h, -30m or 1d)"))?;
    Ok(sign * i128::try_from(time.as_nanos()).unwrap_or(i128::MAX))
}

/// Checks a speed.
pub(crate) fn speed(factor: f64) -> Parsed<Speed> {
    Speed::new(factor).ok_or_else(|| format!("{factor} is no speed: it is 0, or from 0.000001 to 1000000"))
}

/// Parses the clock of the command line: `2026-01-01T00:00:00Z` or `now` freezes it, `+2h` shifts it, `x60` speeds it up. A time or a
/// shift can have a speed after it: `2026-01-01T00:00:00Z x1`. The empty text means the real time.
pub(crate) fn clock(value: &OsStr) -> Parsed<Option<ClockChange>> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || {
        format!(
            "`{text}` is no clock (try 2026-01-01T00:00:00Z to freeze it, +2h to shift it, x60 to speed it up)"
        )
    };
    let (start, fast) = match text.rsplit_once(' ') {
        Some((start, fast)) => (Some(start.trim_end()), Some(fast)),
        None if text.starts_with('x') => (None, Some(text)),
        None => (Some(text), None),
    };
    let fast = fast.map(|fast| fast.strip_prefix('x').and_then(|fast| fast.parse().ok()).ok_or_else(wrong));
    let mut change =
        ClockChange { speed: fast.transpose()?.map(speed).transpose()?, ..ClockChange::default() };
    match start {
        Some("now") if change.speed.is_none() => change.speed = Some(Speed::FROZEN),
        Some(shift) if shift.starts_with(['+', '-']) => {
            change.start = Some(Start::Shift(span(shift).map_err(|_| wrong())?));
        }
        Some(time) => {
            change.start = Some(Start::At(instant(time).map_err(|_| wrong())?));
            change.speed = change.speed.or(Some(Speed::FROZEN));
        }
        None => {}
    }
    change.apply(&Clock::default(), Reading::real()).map_err(|error| format!("`{text}`: {error}"))?;
    Ok(Some(change))
}

/// Parses a seed; the empty text means chance.
pub(crate) fn seed(value: &OsStr) -> Parsed<Option<i64>> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| format!("`{text}` is no seed: it is an integer such as 7"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_parsed_as_utc_and_seconds_as_numbers() {
        for (text, seconds) in [
            ("2026-01-01T00:00:00Z", Some(1_767_225_600)),
            ("2026-01-01", Some(1_767_225_600)),
            ("2026-01-01 00:00:00", Some(1_767_225_600)),
            ("2026-01-01T01:00:00+01:00", Some(1_767_225_600)),
            ("20260101T000000Z", Some(1_767_225_600)),
            ("1767225600", Some(1_767_225_600)),
            ("0", Some(0)),
            ("-1", Some(-1)),
            ("", None),
            ("-", None),
            ("tomorrow", None),
            ("2026-13-01", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(instant(text).ok(), seconds.map(|seconds: i128| seconds * SECOND), "{text}");
        }
        assert_eq!(instant("1970-01-01T00:00:00.000001Z"), Ok(1_000));
        let error = "`tomorrow` is no time (try 2026-01-01T00:00:00Z, or seconds since 1970)";
        assert_eq!(instant("tomorrow").unwrap_err(), error);
    }

    #[test]
    fn spans_have_a_sign_and_a_unit() {
        for (text, milliseconds) in [
            ("+2h", Some(7_200_000)),
            ("-30m", Some(-1_800_000)),
            ("1.5s", Some(1_500)),
            ("250ms", Some(250)),
            ("1d", Some(86_400_000)),
            ("5", Some(5_000)),
            ("", None),
            ("--1s", None),
            ("1w", None),
            ("2 h", None),
        ] {
            let nanoseconds = milliseconds.map(|milliseconds: i128| milliseconds * 1_000_000);
            assert_eq!(span(text).ok(), nanoseconds, "{text}");
        }
        assert_eq!(span("1w").unwrap_err(), "`1w` is no span of time (try +2h, -30m or 1d)");
    }

    #[test]
    fn a_clock_of_the_command_line_is_frozen_shifted_or_fast() {
        let at = |seconds: i128| Some(Start::At(seconds * SECOND));
        let shift = |seconds: i128| Some(Start::Shift(seconds * SECOND));
        for (text, start, speed) in [
            ("2026-01-01T00:00:00Z", at(1_767_225_600), Some(0.0)),
            ("1767225600", at(1_767_225_600), Some(0.0)),
            ("2026-01-01 00:00:00 x1", at(1_767_225_600), Some(1.0)),
            ("now", None, Some(0.0)),
            ("+2h", shift(7_200), None),
            ("-30m x60", shift(-1_800), Some(60.0)),
            ("x0.5", None, Some(0.5)),
        ] {
            let speed = speed.and_then(Speed::new);
            let expected = ClockChange { start, advance: 0, speed };
            assert_eq!(clock(OsStr::new(text)), Ok(Some(expected)), "{text}");
        }
        assert_eq!((clock(OsStr::new(" ")), seed(OsStr::new(""))), (Ok(None), Ok(None)));
        assert_eq!(seed(OsStr::new("-7")), Ok(Some(-7)));
    }

    #[test]
    fn other_clocks_are_refused() {
        let clock = |text: &str| clock(OsStr::new(text)).unwrap_err();
        let forms =
            "is no clock (try 2026-01-01T00:00:00Z to freeze it, +2h to shift it, x60 to speed it up)";
        for text in ["soon", "2h", "+2 h", "x", "xx", "now x2", "2026-01-01T00:00:00Z 2", "x60 +2h"] {
            assert_eq!(clock(text), format!("`{text}` {forms}"));
        }
        assert_eq!(clock("x-1"), "-1 is no speed: it is 0, or from 0.000001 to 1000000");
        assert_eq!(clock("+90000000h"), "`+90000000h`: the clock would leave the years 1 to 9999");
        assert_eq!(seed(OsStr::new("7.5")).unwrap_err(), "`7.5` is no seed: it is an integer such as 7");
    }
}
