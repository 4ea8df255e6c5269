//! `sse(events, options)`: a stream of server-sent events (HTML Standard, section 9.2), for `EventSource` in browsers.
//!
//! `sse([#{ event: "tick", id: 7, data: #{ n: 1 } }])` sends
//!
//! ```text
//! event: tick
//! id: 7
//! data: {"n":1}
//! ```
//!
//! and an empty line. A plain text is the data of an event.

use super::stream::{self, Options};
use crate::script::runtime::analysis::streams::OF_SSE;
use crate::script::runtime::frozen::{as_map, is_list};
use crate::script::runtime::json;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{MAX_TEXT, text_of, type_name};
use crate::system::truncate::beginning;
use rhai::{Blob, Dynamic, ImmutableString, Map, NativeCallContext};

/// The keys of an event, in the order in which they are sent.
const KEYS: [&str; 5] = ["comment", "event", "id", "retry", "data"];

/// Returns the lines of an event and the empty line at its end.
fn event(value: &Dynamic) -> Fallible<Vec<u8>> {
    let mut lines = Vec::new();
    if let Some(map) = as_map(value) {
        let unknown = map.iter().find(|(key, _)| !KEYS.contains(key));
        if let Some((key, _)) = unknown {
            let (key, known) = (beginning(key, 80), KEYS.join(", "));
            return Err(format!("an event has no key `{key}`: there are {known}").into());
        }
        for key in KEYS {
            if let Some(value) = map.get(key) {
                field(&mut lines, key, value)?;
            }
        }
        if lines.is_empty() {
            return Err("an event without keys sends nothing: give it `data`, or a `comment`".into());
        }
    } else if let Some(text) = value.read_lock::<ImmutableString>() {
        check_is_data(&text)?;
        write_lines(&mut lines, "data", &text);
    } else if value.is_blob() {
        data(&mut lines, value)?;
    } else if let Some(given) = stream::of_view(value) {
        return Err(format!("an event is a map or a text, not {given}").into());
    } else {
        let (kind, shown) = (type_name(value), text_of(value, 80));
        let instead = if is_list(value) { "give each event on its own" } else { "write `#{ data: x }`" };
        return Err(format!("an event is a map or a text, not {kind} `{shown}`: {instead}").into());
    }
    lines.push(b'\n');
    Ok(lines)
}

/// Refuses a text that is an event with its field names, as Flask views write it: its data would begin with `data: `. In back-ticks
/// `\n` is a backslash and a letter.
fn check_is_data(text: &str) -> Fallible<()> {
    let has_field = ["data:", "event:", "id:", "retry:", ": "].iter().any(|field| text.starts_with(field));
    if has_field && ["\n\n", r"\n\n"].iter().any(|end| text.ends_with(end)) {
        let begin = beginning(text.lines().next().unwrap_or_default(), 80);
        return Err(format!(
            "sse writes `data: ` and the line ends itself, and `{begin}` has them: give the data alone, or send ready events by \
             stream(..., #{{ mimetype: \"text/event-stream\" }})"
        )
        .into());
    }
    Ok(())
}

/// Adds the lines of one key. A value of `()` is none, except as data, where it is JSON's `null`.
fn field(lines: &mut Vec<u8>, key: &str, value: &Dynamic) -> Fallible<()> {
    match key {
        "data" => return data(lines, value),
        _ if value.is_unit() => {}
        "comment" => write_lines(lines, "", &text(key, value)?),
        "retry" => match value.as_int() {
            Ok(ms) if ms >= 0 => write_lines(lines, key, &ms.to_string()),
            _ => {
                let (kind, shown) = (type_name(value), text_of(value, 80));
                return Err(format!(
                    "`retry` of an event takes milliseconds, such as 3000, not {kind} `{shown}`"
                )
                .into());
            }
        },
        _ => write_lines(lines, key, &one_line(key, value)?),
    }
    Ok(())
}

/// Adds the data: a text as it is, any other value as JSON.
fn data(lines: &mut Vec<u8>, value: &Dynamic) -> Fallible<()> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        write_lines(lines, "data", &text);
    } else if let Some(bytes) = value.read_lock::<Blob>() {
        let text = str::from_utf8(&bytes)
            .map_err(|_| "the data of an event is UTF-8, and this blob is not: write base64.b64encode(x)")?;
        write_lines(lines, "data", text);
    } else {
        let json = json::to_json(value, MAX_TEXT)?;
        write_lines(lines, "data", &String::from_utf8_lossy(&json));
    }
    Ok(())
}

/// Returns a text, or the digits of a number.
fn text(key: &str, value: &Dynamic) -> Fallible<ImmutableString> {
    if let Ok(number) = value.as_int() {
        return Ok(number.to_string().into());
    }
    let text = value.read_lock::<ImmutableString>().map(|text| text.clone());
    Ok(text.ok_or_else(|| format!("`{key}` of an event is a text, not {}", text_of(value, 80)))?)
}

/// Returns the text of a key that stands in one line. The standard ignores an `id` with a NUL.
fn one_line(key: &str, value: &Dynamic) -> Fallible<ImmutableString> {
    let text = text(key, value)?;
    let refused = match () {
        () if text.contains(['\r', '\n']) => "a line end",
        () if key == "id" && text.contains('\0') => "a NUL",
        () => return Ok(text),
    };
    let shown = beginning(&text, 80).escape_debug().to_string();
    Err(format!("`{key}` of an event can't have {refused}: `{shown}`").into())
}

/// Adds `text` as field `name`, one field for each of its lines. A line ends with CR LF, LF or CR.
fn write_lines(lines: &mut Vec<u8>, name: &str, text: &str) {
    let mut rest = text;
    loop {
        let end = rest.find(['\r', '\n']);
        let line = &rest[..end.unwrap_or(rest.len())];
        lines.extend_from_slice(name.as_bytes());
        lines.extend_from_slice(if line.is_empty() { b":" } else { b": " });
        lines.extend_from_slice(line.as_bytes());
        lines.push(b'\n');
        let Some(end) = end else { return };
        rest = &rest[end..];
        rest = rest.strip_prefix("\r\n").unwrap_or(&rest[1..]);
    }
}

pub(crate) fn register(natives: &mut Natives) {
    let sse = |context: NativeCallContext, events: Dynamic, options: Dynamic| {
        let options = Options::read("sse", &options, &OF_SSE)?;
        let response =
            stream::respond(&context, "sse", events, event, ("text/event-stream; charset=utf-8", options))?;
        let answer = &mut response.lock().answer;
        if answer.header("cache-control").is_none() {
            answer.set_header("Cache-Control", "no-cache");
        }
        Fallible::Ok(response.clone())
    };
    natives.register_fn("sse", sse).register_fn("sse", move |context: NativeCallContext, events: Dynamic| {
        sse(context, events, Map::new().into())
    });
}
