//! `time`: the current time as seconds and as text, always in UTC. `time.sleep` is in `script/flask/sleep.rs`.

use super::datetime::from_seconds;
use super::datetime::strftime::strftime;
use crate::script::runtime::call;
use crate::script::runtime::datetime::UTC;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};

#[derive(Debug, Clone)]
pub(crate) struct Time;

/// Returns the current time in seconds since 1970.
fn now() -> f64 {
    call::now().div_euclid(1_000) as f64 / 1e6
}

/// Returns the current time in nanoseconds since 1970; the nearest one that is an integer before 1677 and after 2262.
fn nanoseconds() -> i64 {
    let now = call::now();
    i64::try_from(now).unwrap_or(if now < 0 { i64::MIN } else { i64::MAX })
}

fn shown(name: &str, format: &str, seconds: f64) -> Fallible<String> {
    strftime(name, format, from_seconds(name, seconds, None)?.local, Some(UTC))
}

/// `time.http_date(seconds)`: a date in the form IMF-fixdate (RFC 9110, section 5.6.7).
fn http_date(seconds: f64) -> Fallible<String> {
    shown("time.http_date", "%a, %d %b %Y %H:%M:%S GMT", seconds.floor())
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("time", Time);
    natives.register_fn("time", |_: Receiver<Time>| now());
    natives.register_fn("time_ns", |_: Receiver<Time>| nanoseconds());
    natives.register_fn("monotonic", |_: Receiver<Time>| call::clock().steady() as f64 / 1e9);
    let name = "time.strftime";
    natives.register_fn("strftime", move |_: Receiver<Time>, format: &str| shown(name, format, now()));
    natives.register_fn("strftime", move |_: Receiver<Time>, format: &str, seconds: f64| {
        shown(name, format, seconds)
    });
    natives.register_fn("strftime", move |_: Receiver<Time>, format: &str, seconds: i64| {
        shown(name, format, seconds as f64)
    });
    natives.register_fn("http_date", |_: Receiver<Time>| http_date(now()));
    natives.register_fn("http_date", |_: Receiver<Time>, seconds: f64| http_date(seconds));
    natives.register_fn("http_date", |_: Receiver<Time>, seconds: i64| http_date(seconds as f64));
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn times_have_the_forms_of_python_and_rfc_9110() {
        yields(&[
            ("time.strftime(\"%Y-%m-%d %H:%M:%S %Z %j %%\", 0)", "\"1970-01-01 00:00:00 UTC 001 %\""),
            ("time.strftime(\"%H:%M\", 3600.5)", "\"01:00\""),
            ("time.strftime(\"%Y\").len()", "4"),
            ("time.http_date(784111777)", "\"Sun, 06 Nov 1994 08:49:37 GMT\""),
            ("time.http_date(784111777.9)", "\"Sun, 06 Nov 1994 08:49:37 GMT\""),
            ("time.http_date().len()", "29"),
            ("time.strftime(\"%S.%f\", 1.25)", "\"01.250000\""),
            ("time.time_ns() / 1000000000 - 1600000000 > 0", "true"),
            ("let a = time.monotonic(); time.monotonic() >= a", "true"),
        ]);
    }

    #[test]
    fn odd_formats_and_times_are_errors() {
        fails(&[
            ("time.strftime(\"%Q\")", "time.strftime: bad directive `%Q` in the format `%Q`"),
            ("time.strftime(\"100%\")", "time.strftime: bad directive `%` in the format `100%`"),
            ("time.strftime(\"x\".ljust(5000))", "time.strftime: the format is longer than 4096 bytes"),
            ("time.strftime(\"%Y\", 1e300)", "time.strftime: 1e300 seconds are outside of the calendar"),
            (
                "time.http_date(253402300800)",
                "time.http_date: 253402300800.0 seconds are outside of the calendar",
            ),
        ]);
    }
}
