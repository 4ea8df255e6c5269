//! Dates of headers: `r.last_modified`, `r.expires`, `r.date`, and the options that take a date.

use super::response::Response;
use crate::message::answer::check_header;
use crate::message::http_date;
use crate::script::runtime::datetime::{self, DateTime, UTC};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::full_text;
use rhai::Dynamic;

/// Properties of responses, and their headers.
const PROPERTIES: [(&str, &str); 3] =
    [("last_modified", "Last-Modified"), ("expires", "Expires"), ("date", "Date")];

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

pub(crate) fn register(natives: &mut Natives) {
    for (property, header) in PROPERTIES {
        natives
            .register_get(property, move |response: &mut Response| {
                read(response.lock().answer.header(header))
            })
            .register_set(property, move |response: &mut Response, value: Dynamic| -> Fallible<()> {
                if value.is_unit() {
                    response.lock().answer.remove_header(header);
                    return Ok(());
                }
                let date = header_date(&format!("`{property}`"), &value)?;
                response.lock().answer.set_header(header, date);
                Ok(())
            });
    }
}
