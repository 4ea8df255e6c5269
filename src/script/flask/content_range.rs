//! `r.content_range`: the `Content-Range` header of a response, as Werkzeug's `ContentRange`.

use super::response::Response;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::full_text;
use rhai::Dynamic;

/// A parsed header: `bytes 0-4/10` has start 0, stop 5 and length 10. Without units, there is no header.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContentRange {
    /// The response whose header changes with the value.
    response: Option<Response>,
    units: Option<String>,
    bounds: Option<(i64, i64)>,
    length: Option<i64>,
}

impl ScriptValue for ContentRange {}

impl ContentRange {
    /// Makes a value of `range`, which is not the header of a response.
    pub(super) fn new(range: (i64, i64), length: i64) -> ContentRange {
        let units = Some("bytes".to_owned());
        ContentRange { response: None, units, bounds: Some(range), length: Some(length) }
    }

    pub(super) fn of(response: &Response) -> ContentRange {
        let parsed = response.lock().answer.header("content-range").and_then(parse).unwrap_or_default();
        ContentRange { response: Some(response.clone()), ..parsed }
    }

    /// Sets the header to a text or to another value of this type; `()` removes it.
    pub(super) fn assign(response: &Response, value: &Dynamic) -> Fallible<()> {
        let text = match value.read_lock::<ContentRange>() {
            Some(range) => range.header(),
            None if value.is_unit() => String::new(),
            None => full_text("content_range", value)?,
        };
        response.set_or_remove("Content-Range", text)
    }

    pub(super) fn header(&self) -> String {
        let Some(units) = &self.units else { return String::new() };
        let length = self.length.map_or_else(|| "*".to_owned(), |length| length.to_string());
        match self.bounds {
            Some((start, stop)) => format!("{units} {start}-{}/{length}", stop - 1),
            None => format!("{units} */{length}"),
        }
    }

    /// Changes the value, and the header of its response.
    fn change(&mut self, to: ContentRange) -> Fallible<()> {
        let response = self.response.take();
        *self = ContentRange { response: response.clone(), ..to };
        response.map_or(Ok(()), |response| ContentRange::assign(&response, &Dynamic::from(self.clone())))
    }

    /// `set(start, stop, length)`; `()` for a bound or a length that is unknown.
    fn set(&mut self, start: &Dynamic, stop: &Dynamic, length: &Dynamic) -> Fallible<()> {
        let number = |value: &Dynamic| match value.as_int() {
            Ok(number) => Ok(Some(number)),
            Err(_) if value.is_unit() => Ok(None),
            Err(kind) => Err(format!("`content_range.set` takes whole numbers or (), not {kind}")),
        };
        let (start, stop, length) = (number(start)?, number(stop)?, number(length)?);
        let valid = match (start, stop) {
            (Some(start), Some(stop)) => 0 <= start && start < stop && length.is_none_or(|all| stop <= all),
            (None, None) => length.is_none_or(|length| length >= 0),
            _ => false,
        };
        if !valid {
            return Err("`content_range.set` takes a range within the length: `set(0, 5, 10)`".into());
        }
        let bounds = start.zip(stop);
        self.change(ContentRange { units: Some("bytes".to_owned()), bounds, length, response: None })
    }
}

fn parse(header: &str) -> Option<ContentRange> {
    let (units, rest) = header.trim().split_once(' ')?;
    let (range, length) = rest.split_once('/')?;
    let length = if length == "*" { None } else { Some(length.parse().ok()?) };
    let bounds = match range.split_once('-') {
        Some((start, last)) => Some((start.parse().ok()?, last.parse::<i64>().ok()?.checked_add(1)?)),
        None if range == "*" => None,
        None => return None,
    };
    Some(ContentRange { response: None, units: Some(units.to_owned()), bounds, length })
}

fn optional(number: Option<i64>) -> Dynamic {
    number.map_or(Dynamic::UNIT, Dynamic::from)
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<ContentRange>("ContentRange")
        .register_get("units", |range: &mut ContentRange| {
            range.units.clone().map_or(Dynamic::UNIT, Dynamic::from)
        })
        .register_get("start", |range: &mut ContentRange| optional(range.bounds.map(|(start, _)| start)))
        .register_get("stop", |range: &mut ContentRange| optional(range.bounds.map(|(_, stop)| stop)))
        .register_get("length", |range: &mut ContentRange| optional(range.length))
        .register_optional(
            "set",
            Dynamic::UNIT,
            |range: &mut ContentRange, start: Dynamic, stop: Dynamic, length: Dynamic| {
                range.set(&start, &stop, &length)
            },
        )
        .register_fn("unset", |range: &mut ContentRange| range.change(ContentRange::default()));
    for name in ["to_header", "to_string", "to_debug"] {
        natives.register_fn(name, |range: &mut ContentRange| range.header());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_parsed_and_written() {
        for (header, start, stop, length) in [
            ("bytes 0-4/10", Some(0), Some(5), Some(10)),
            ("bytes 5-9/*", Some(5), Some(10), None),
            ("bytes */10", None, None, Some(10)),
            ("items 1-1/2", Some(1), Some(2), Some(2)),
        ] {
            let range = parse(header).unwrap();
            let bounds = (range.bounds.map(|(start, _)| start), range.bounds.map(|(_, stop)| stop));
            assert_eq!((bounds, range.length, range.header()), ((start, stop), length, header.to_owned()));
        }
        for header in
            ["", "bytes", "bytes 0-4", "bytes x-4/10", "bytes 4/10", "bytes 0-9223372036854775807/*"]
        {
            assert!(parse(header).is_none(), "{header}");
        }
    }
}
