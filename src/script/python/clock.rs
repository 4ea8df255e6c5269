//! `time` and `datetime`: what time it is, as seconds and as text, always in UTC. Holding answers back (`time.sleep`)
//! is not done here.

use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::system::truncate::beginning;
use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};

use std::fmt::Write;
use std::sync::LazyLock;
use std::time::Instant;

/// Longest format in bytes; a directive of two characters becomes up to thirty.
const MAX_FORMAT: usize = 4096;

/// Zero of `time.monotonic()`.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug, Clone)]
pub(crate) struct Time;

#[derive(Debug, Clone)]
pub(crate) struct Datetime;

/// The moment `seconds` after 1970, to the microsecond, or an error as `name` outside of the calendar.
fn moment(name: &str, seconds: f64) -> Fallible<DateTime<Utc>> {
    // A cast saturates; what saturates is outside of the calendar.
    let micros = (seconds * 1e6).round() as i64;
    let known = Some(micros).filter(|micros| seconds.is_finite() && micros.unsigned_abs() < 1 << 62);
    known
        .and_then(DateTime::from_timestamp_micros)
        .ok_or_else(|| format!("{name}: {seconds:?} seconds are outside of the calendar").into())
}

/// Seconds since 1970.
fn now() -> f64 {
    Utc::now().timestamp_micros() as f64 / 1e6
}

fn strftime(format: &str, seconds: f64) -> Fallible<String> {
    let name = "time.strftime";
    if format.len() > MAX_FORMAT {
        return Err(format!("{name}: the format is longer than {MAX_FORMAT} bytes").into());
    }
    let items: Vec<Item> = StrftimeItems::new(format).collect();
    if items.contains(&Item::Error) {
        return Err(format!("{name}: bad format `{}`", format.escape_debug()).into());
    }
    let mut text = String::new();
    write!(text, "{}", moment(name, seconds)?.format_with_items(items.into_iter()))
        .map_err(|_| format!("{name}: bad format `{}`", format.escape_debug()))?;
    Ok(text)
}

/// `time.http_date(seconds)`: IMF-fixdate (RFC 9110, section 5.6.7), which knows years of four digits.
fn http_date(seconds: f64) -> Fallible<String> {
    if !(-62_167_219_200.0..253_402_300_800.0).contains(&seconds.floor()) {
        return Err(format!("time.http_date: {seconds:?} seconds are outside of the years 0 to 9999").into());
    }
    strftime("%a, %d %b %Y %H:%M:%S GMT", seconds.floor())
}

/// RFC 3339 in UTC, with microseconds where there are any.
fn isoformat(seconds: f64) -> Fallible<String> {
    let moment = moment("datetime.isoformat", seconds)?;
    let digits =
        if moment.timestamp_subsec_micros() == 0 { SecondsFormat::Secs } else { SecondsFormat::Micros };
    Ok(moment.to_rfc3339_opts(digits, true))
}

/// `datetime.fromisoformat(text)`: RFC 3339; without a zone it is UTC, without a time midnight.
fn fromisoformat(text: &str) -> Fallible<f64> {
    let local = |format| NaiveDateTime::parse_from_str(text, format).map(|moment| moment.and_utc());
    let moment = DateTime::parse_from_rfc3339(text)
        .map(|moment| moment.to_utc())
        .or_else(|_| local("%Y-%m-%dT%H:%M:%S%.f"))
        .or_else(|_| local("%Y-%m-%d %H:%M:%S%.f"))
        .or_else(|_| local("%Y-%m-%dT%H:%M"))
        .or_else(|_| {
            NaiveDate::parse_from_str(text, "%Y-%m-%d").map(|day| day.and_time(Default::default()).and_utc())
        })
        .map_err(|why| {
            format!("datetime.fromisoformat: bad time `{}`: {why}", beginning(text, 80).escape_debug())
        })?;
    Ok(moment.timestamp_micros() as f64 / 1e6)
}

/// The present in RFC 3339.
fn present() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn register_time(natives: &mut Natives) {
    natives.register_handle("time", Time);
    natives.register_fn("time", |_: Receiver<Time>| now());
    natives.register_fn("time_ns", |_: Receiver<Time>| Utc::now().timestamp_nanos_opt().unwrap_or(i64::MAX));
    natives.register_fn("monotonic", |_: Receiver<Time>| START.elapsed().as_secs_f64());
    natives.register_fn("strftime", |_: Receiver<Time>, format: &str| strftime(format, now()));
    natives
        .register_fn("strftime", |_: Receiver<Time>, format: &str, seconds: f64| strftime(format, seconds));
    natives.register_fn("strftime", |_: Receiver<Time>, format: &str, seconds: i64| {
        strftime(format, seconds as f64)
    });
    natives.register_fn("http_date", |_: Receiver<Time>| http_date(now()));
    natives.register_fn("http_date", |_: Receiver<Time>, seconds: f64| http_date(seconds));
    natives.register_fn("http_date", |_: Receiver<Time>, seconds: i64| http_date(seconds as f64));
}

pub(crate) fn register(natives: &mut Natives) {
    LazyLock::force(&START);
    register_time(natives);
    natives.register_handle("datetime", Datetime);
    natives.register_fn("now", |_: Receiver<Datetime>| present());
    natives.register_fn("utcnow", |_: Receiver<Datetime>| present());
    natives.register_fn("isoformat", |_: Receiver<Datetime>, seconds: f64| isoformat(seconds));
    natives.register_fn("isoformat", |_: Receiver<Datetime>, seconds: i64| isoformat(seconds as f64));
    natives.register_fn("fromisoformat", |_: Receiver<Datetime>, text: &str| fromisoformat(text));
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn times_have_the_forms_of_rfc_3339_and_rfc_9110() {
        yields(&[
            ("time.strftime(\"%Y-%m-%d %H:%M:%S %Z %j %%\", 0)", "\"1970-01-01 00:00:00 UTC 001 %\""),
            ("time.strftime(\"%H:%M\", 3600.5)", "\"01:00\""),
            ("time.strftime(\"%Y\").len()", "4"),
            ("time.http_date(784111777)", "\"Sun, 06 Nov 1994 08:49:37 GMT\""),
            ("time.http_date(784111777.9)", "\"Sun, 06 Nov 1994 08:49:37 GMT\""),
            ("time.http_date().len()", "29"),
            ("datetime.isoformat(0)", "\"1970-01-01T00:00:00Z\""),
            ("datetime.isoformat(1.25)", "\"1970-01-01T00:00:01.250000Z\""),
            ("datetime.isoformat(-1)", "\"1969-12-31T23:59:59Z\""),
            ("datetime.fromisoformat(\"1970-01-01T00:00:01.5Z\")", "1.5"),
            ("datetime.fromisoformat(\"1970-01-01T01:00:00+01:00\")", "0.0"),
            ("datetime.fromisoformat(\"1970-01-02\")", "86400.0"),
            ("datetime.fromisoformat(\"1970-01-01 00:01:00\")", "60.0"),
            ("datetime.fromisoformat(\"1970-01-01T00:01\")", "60.0"),
            ("abs(datetime.fromisoformat(datetime.now()) - time.time()) < 5.0", "true"),
            ("datetime.utcnow().endswith(\"Z\")", "true"),
            ("time.time_ns() / 1000000000 - 1600000000 > 0", "true"),
            ("let a = time.monotonic(); time.monotonic() >= a", "true"),
        ]);
    }

    #[test]
    fn odd_formats_and_times_are_errors() {
        fails(&[
            ("time.strftime(\"%Q\")", "time.strftime: bad format `%Q`"),
            ("time.strftime(\"100%\")", "time.strftime: bad format `100%`"),
            ("time.strftime(\"x\".ljust(5000))", "time.strftime: the format is longer than 4096 bytes"),
            ("time.strftime(\"%Y\", 1e300)", "time.strftime: 1e300 seconds are outside of the calendar"),
            (
                "datetime.isoformat(9223372036854775807)",
                "datetime.isoformat: 9.223372036854776e18 seconds are outside of the calendar",
            ),
            (
                "time.http_date(253402300800)",
                "time.http_date: 253402300800.0 seconds are outside of the years 0 to 9999",
            ),
            (
                "datetime.fromisoformat(\"yesterday\")",
                "datetime.fromisoformat: bad time `yesterday`: input contains invalid characters",
            ),
        ]);
    }
}
