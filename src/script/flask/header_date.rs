//! Dates of headers as values of scripts, for `r.last_modified`, `expires=` of a cookie and the like.

use crate::message::answer::check_header;
use crate::message::http_date;
use crate::script::runtime::datetime::{self, DateTime, UTC};
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::full_text;
use rhai::Dynamic;

/// Formats `value` for a header: a datetime, a date, or seconds since 1970. A text stays as it is. Errors begin with `what`.
pub(super) fn header_date(what: &str, value: &Dynamic) -> Fallible<String> {
    if let Some(date) = datetime::http_date(value) {
        return Ok(date);
    }
    match value.as_int().or_else(|_| value.as_float().map(|seconds| seconds.floor() as i64)) {
        Ok(seconds) => {
            Ok(http_date::write(seconds).ok_or_else(|| format!("{what} is out of range: {seconds}"))?)
        }
        Err(_) => {
            let text = full_text(what, value)?;
            check_header("Date", &text)?;
            Ok(text)
        }
    }
}

/// Returns the datetime of a header value, in UTC; `()` if it is missing or no date.
pub(super) fn read(value: Option<&str>) -> Dynamic {
    let micros = value.and_then(http_date::parse).and_then(|seconds| seconds.checked_mul(1_000_000));
    micros.and_then(|micros| DateTime::at(micros, Some(UTC))).map_or(Dynamic::UNIT, Dynamic::from)
}
