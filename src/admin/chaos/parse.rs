//! Parses the JSON of chaos to its entries. An error names the field, and the entry where there is a list.

use crate::admin::fields::{
    Parsed, an_object, display, integer, json, number, optional, refuse_unknown, required, text,
};
use crate::chaos::{
    Act, Breaking, Course, Cut, Delay, Dribble, Entry, Paths, StreamAct, Target, Text, probability,
};
use crate::cli::value;
use crate::message::answer::{Answer, Fields, JSON, check_count, check_header};
use fastrand::Rng;
use serde_json::{Map, Value};
use std::ffi::OsStr;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// The fields of an entry, as the error for an unknown field lists them.
const FIELDS: &str = "rule, method, endpoint, path, overlay, delay, dribble, fault, stream, status, body, headers, probability, seed, for, times";
/// Longest time of `for`.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Parses a body: an entry, or a list of them.
///
/// # Errors
/// The first fault.
pub(super) fn entries(body: &[u8]) -> Parsed<Vec<Entry>> {
    match json(body)? {
        value @ Value::Object(_) => Ok(vec![entry(value)?]),
        Value::Array(list) => (1..)
            .zip(list)
            .map(|(number, value)| entry(value).map_err(|error| format!("entry {number}: {error}")))
            .collect(),
        _ => Err("the body is neither an entry nor a list of entries".to_owned()),
    }
}

fn entry(given: Value) -> Parsed<Entry> {
    let Some(object) = given.as_object() else { return Err(format!("{} is no object", display(&given))) };
    refuse_unknown(object, FIELDS)?;
    let act = Act {
        delay: optional(object, "delay", delay)?,
        dribble: optional(object, "dribble", dribble)?,
        breaking: optional(object, "fault", |value| Breaking::named(text(value)?))?,
        stream: optional(object, "stream", stream)?,
        replacement: replacement(object)?,
    };
    if act == Act::default() {
        return Err("one of `delay`, `dribble`, `fault`, `stream` and `status` is needed".to_owned());
    }
    if act.stream.is_some()
        && let Some(other) = ["fault", "status"].into_iter().find(|key| object.contains_key(*key))
    {
        return Err(format!(
            "fields `stream` and `{other}` exclude each other: an answer with `{other}` is no stream"
        ));
    }
    let target = Target {
        method: optional(object, "method", |value| Ok(text(value)?.to_owned()))?,
        rule: optional(object, "rule", |value| Target::rule(text(value)?))?,
        endpoint: optional(object, "endpoint", |value| Text::new(text(value)?))?,
        path: optional(object, "path", |value| Paths::new(text(value)?))?,
        overlay: optional(object, "overlay", |value| Ok(text(value)?.to_owned()))?,
    };
    let lasts = optional(object, "for", |given| {
        value::duration(OsStr::new(text(given)?), Duration::from_millis(1)..=LONGEST)
    })?;
    let seed = optional(object, "seed", integer)?;
    let random = seed.map_or_else(Rng::new, |seed| Rng::with_seed(seed.cast_unsigned()));
    Ok(Entry {
        target,
        act,
        probability: optional(object, "probability", |value| probability(number(value)?))?.unwrap_or(1.0),
        times: optional(object, "times", times)?,
        until: lasts.map(|time| Instant::now() + time),
        course: Mutex::new(Course { random, hits: 0 }),
        size: given.to_string().len(),
        given,
    })
}

fn delay(value: &Value) -> Parsed<Delay> {
    if value.is_number() {
        return Delay::fixed(number(value)?);
    }
    let forms = || {
        format!(
            "{} is neither a number nor {{\"uniform\":[LOW,HIGH]}} nor {{\"lognormal\":{{\"median\":MS,\"sigma\":S}}}}",
            display(value)
        )
    };
    let object = value.as_object().filter(|object| object.len() == 1).ok_or_else(forms)?;
    let uniform = optional(object, "uniform", |value| match value.as_array().map(Vec::as_slice) {
        Some([low, high]) => Delay::uniform(number(low)?, number(high)?),
        _ => Err(format!("{} is no list of two numbers", display(value))),
    })?;
    let lognormal = optional(object, "lognormal", |value| {
        let object = an_object(value)?;
        refuse_unknown(object, "median, sigma")?;
        Delay::lognormal(required(object, "median", number)?, required(object, "sigma", number)?)
    })?;
    uniform.or(lognormal).ok_or_else(forms)
}

fn dribble(value: &Value) -> Parsed<Dribble> {
    let object = an_object(value)?;
    refuse_unknown(object, "chunks, ms")?;
    Dribble::new(required(object, "chunks", integer)?, required(object, "ms", number)?)
}

fn stream(value: &Value) -> Parsed<StreamAct> {
    let object = an_object(value)?;
    refuse_unknown(object, "delay, break_after, garbage_after")?;
    let cut = |key, garbage| optional(object, key, |value| Cut::new(integer(value)?, garbage));
    let (ends, spoils) = (cut("break_after", false)?, cut("garbage_after", true)?);
    if ends.is_some() && spoils.is_some() {
        return Err("fields `break_after` and `garbage_after` exclude each other".to_owned());
    }
    let act = StreamAct { delay: optional(object, "delay", delay)?, cut: ends.or(spoils) };
    match act == StreamAct::default() {
        true => Err("one of `delay`, `break_after` and `garbage_after` is needed".to_owned()),
        false => Ok(act),
    }
}

fn replacement(object: &Map<String, Value>) -> Parsed<Option<Answer>> {
    let Some(status) = optional(object, "status", status)? else {
        let alone = ["body", "headers"].into_iter().find(|key| object.contains_key(*key));
        return alone.map_or(Ok(None), |key| Err(format!("field `{key}`: `status` is needed with it")));
    };
    let mut headers = optional(object, "headers", fields)?.unwrap_or_default();
    let body = object.get("body");
    let typed = headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if !typed && let Some(body) = body {
        let kind = if body.is_string() { "text/plain; charset=utf-8" } else { JSON };
        headers.push(("Content-Type".into(), kind.into()));
    }
    let body = match body {
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(other) => other.to_string().into_bytes(),
        None => Vec::new(),
    };
    Ok(Some(Answer { status, headers, body: body.into(), ..Answer::default() }))
}

fn fields(value: &Value) -> Parsed<Fields> {
    let mut fields = Fields::new();
    for (name, value) in an_object(value)? {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let value = match value {
                Value::Number(number) => number.to_string(),
                other => text(other).map_err(|error| format!("`{name}`: {error}"))?.to_owned(),
            };
            check_header(name, &value)?;
            fields.push((name.clone().into(), value.into()));
        }
    }
    check_count(fields.len())?;
    Ok(fields)
}

fn status(value: &Value) -> Parsed<u16> {
    let code = value.as_u64().and_then(|code| u16::try_from(code).ok());
    code.filter(|code| (200..1_000).contains(code))
        .ok_or_else(|| format!("{} is no status from 200 to 999", display(value)))
}

fn times(value: &Value) -> Parsed<u64> {
    value
        .as_u64()
        .filter(|times| *times > 0)
        .ok_or_else(|| format!("{} is no number from 1 on", display(value)))
}

#[cfg(test)]
mod tests {
    use super::entries;
    use crate::chaos::{Cut, Delay, StreamAct};

    #[test]
    fn every_field_is_parsed() {
        let list = br#"[
            {"rule": "/orders/<int:id>", "method": "POST", "delay": 100},
            {"overlay": "busy", "path": "/orders/*", "endpoint": "shop.*", "delay": {"uniform": [50, 150.5]}, "times": 3},
            {"delay": {"lognormal": {"median": 100, "sigma": 0.5}}, "for": "1.5m", "seed": -1},
            {"dribble": {"chunks": 5, "ms": 1000}, "fault": "partial", "probability": 0},
            {"status": 503, "headers": {"Retry-After": 5, "X": ["a", "b"]}, "body": {"error": "busy"}},
            {"status": 200},
            {"stream": {"delay": {"uniform": [50, 150]}, "break_after": 3}, "dribble": {"chunks": 5, "ms": 1}},
            {"stream": {"garbage_after": 0}}
        ]"#;
        let entries = entries(list).unwrap();
        assert_eq!(entries.len(), 8);
        let answer = entries[4].act.replacement.as_ref().unwrap();
        let fields: Vec<String> =
            answer.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(fields, ["Retry-After=5", "X=a", "X=b", "Content-Type=application/json"]);
        assert_eq!((answer.status, answer.body.bytes()), (503, &br#"{"error":"busy"}"#[..]));
        assert_eq!(entries[5].act.replacement.as_ref().unwrap().headers, []);
        let stream = |index: usize| entries[index].act.stream.unwrap();
        let cut = |after, garbage| Some(Cut { after, garbage });
        assert_eq!(stream(6), StreamAct { delay: Some(Delay::Uniform(50.0, 150.0)), cut: cut(3, false) });
        assert_eq!(stream(7), StreamAct { delay: None, cut: cut(0, true) });
        assert!(super::entries(br#"{"delay": 0}"#).is_ok_and(|one| one.len() == 1));
        assert!(super::entries(b"[]").is_ok_and(|none| none.is_empty()));
    }

    #[test]
    fn an_error_names_the_wrong_field() {
        let cases = [
            ("", "the body is not JSON: EOF while parsing a value at line 1 column 0"),
            ("7", "the body is neither an entry nor a list of entries"),
            (r#"[{"delay":1},7]"#, "entry 2: `7` is no object"),
            (
                r#"[{"dealy":1}]"#,
                "entry 1: field `dealy` is unknown: there are rule, method, endpoint, path, overlay, delay, dribble, fault, \
                 stream, status, body, headers, probability, seed, for, times",
            ),
            ("{}", "one of `delay`, `dribble`, `fault`, `stream` and `status` is needed"),
            (
                r#"{"stream":{}}"#,
                "field `stream`: one of `delay`, `break_after` and `garbage_after` is needed",
            ),
            (r#"{"stream":3}"#, "field `stream`: `3` is no object"),
            (
                r#"{"stream":{"after":3}}"#,
                "field `stream`: field `after` is unknown: there are delay, break_after, garbage_after",
            ),
            (
                r#"{"stream":{"break_after":3,"garbage_after":0}}"#,
                "field `stream`: fields `break_after` and `garbage_after` exclude each other",
            ),
            (
                r#"{"stream":{"break_after":-1}}"#,
                "field `stream`: field `break_after`: -1 is no number of pieces from 0 to 1000000000",
            ),
            (
                r#"{"stream":{"garbage_after":1.5}}"#,
                "field `stream`: field `garbage_after`: `1.5` is no integer",
            ),
            (
                r#"{"stream":{"delay":-1}}"#,
                "field `stream`: field `delay`: -1 is no time from 0 to 3600000 ms",
            ),
            (
                r#"{"stream":{"delay":{"uniform":[9,5]}}}"#,
                "field `stream`: field `delay`: field `uniform`: 9 is above 5",
            ),
            (
                r#"{"stream":{"delay":1},"fault":"close"}"#,
                "fields `stream` and `fault` exclude each other: an answer with `fault` is no stream",
            ),
            (
                r#"{"stream":{"delay":1},"status":503}"#,
                "fields `stream` and `status` exclude each other: an answer with `status` is no stream",
            ),
            (r#"{"delay":-1}"#, "field `delay`: -1 is no time from 0 to 3600000 ms"),
            (
                r#"{"delay":"1s"}"#,
                "field `delay`: `\"1s\"` is neither a number nor {\"uniform\":[LOW,HIGH]} nor \
                 {\"lognormal\":{\"median\":MS,\"sigma\":S}}",
            ),
            (
                r#"{"delay":{"normal":5}}"#,
                "field `delay`: `{\"normal\":5}` is neither a number nor {\"uniform\":[LOW,HIGH]} nor \
                 {\"lognormal\":{\"median\":MS,\"sigma\":S}}",
            ),
            (r#"{"delay":{"uniform":[9,5]}}"#, "field `delay`: field `uniform`: 9 is above 5"),
            (r#"{"delay":{"uniform":5}}"#, "field `delay`: field `uniform`: `5` is no list of two numbers"),
            (
                r#"{"delay":{"lognormal":{"median":5}}}"#,
                "field `delay`: field `lognormal`: field `sigma` is missing",
            ),
            (
                r#"{"delay":{"lognormal":{"median":5,"sigma":"x"}}}"#,
                "field `delay`: field `lognormal`: field `sigma`: `\"x\"` is no number",
            ),
            (r#"{"dribble":{"chunks":5}}"#, "field `dribble`: field `ms` is missing"),
            (
                r#"{"dribble":{"chunks":0,"ms":1}}"#,
                "field `dribble`: 0 is no number of chunks from 1 to 10000",
            ),
            (
                r#"{"dribble":{"chunk":0,"ms":1}}"#,
                "field `dribble`: field `chunk` is unknown: there are chunks, ms",
            ),
            (r#"{"fault":"boom"}"#, "field `fault`: `boom` is none of reset, close, garbage and partial"),
            (r#"{"fault":7}"#, "field `fault`: `7` is no text"),
            (r#"{"status":99}"#, "field `status`: `99` is no status from 200 to 999"),
            (r#"{"status":"503"}"#, "field `status`: `\"503\"` is no status from 200 to 999"),
            (r#"{"delay":1,"body":"x"}"#, "field `body`: `status` is needed with it"),
            (
                &format!(r#"{{"status":503,"headers":{{"X":[{}1]}}}}"#, "1,".repeat(1_000)),
                "field `headers`: an answer has at most 1000 headers, and this one would have 1001",
            ),
            (r#"{"delay":1,"headers":{}}"#, "field `headers`: `status` is needed with it"),
            (r#"{"status":503,"headers":{"X":true}}"#, "field `headers`: `X`: `true` is no text"),
            (
                r#"{"status":503,"headers":{"X":"a\r\nb"}}"#,
                "field `headers`: header `X` has a line end or control character in its value `a\\r\\nb`",
            ),
            (r#"{"delay":1,"probability":2}"#, "field `probability`: 2 is no probability from 0 to 1"),
            (r#"{"delay":1,"seed":1.5}"#, "field `seed`: `1.5` is no integer"),
            (r#"{"delay":1,"for":"soon"}"#, "field `for`: `soon` is no duration (try 500ms, 2s or 1m)"),
            (r#"{"delay":1,"for":"25h"}"#, "field `for`: `25h` is out of range (1ms to 24h)"),
            (r#"{"delay":1,"for":30}"#, "field `for`: `30` is no text"),
            (r#"{"delay":1,"times":0}"#, "field `times`: `0` is no number from 1 on"),
            (r#"{"delay":1,"overlay":7}"#, "field `overlay`: `7` is no text"),
            (r#"{"delay":1,"rule":""}"#, "field `rule`: it is empty"),
            (
                r#"{"delay":1,"rule":"/a/<int:7>"}"#,
                "field `rule`: rule `/a/<int:7>`: malformed variable `<int:7>`",
            ),
            (
                r#"{"delay":1,"path":"/a/*/<b>"}"#,
                "field `path`: it has both `*` and `<`: `<path:rest>` stands for any text",
            ),
        ];
        for (body, error) in cases {
            assert_eq!(entries(body.as_bytes()).unwrap_err(), error, "{body}");
        }
    }
}
