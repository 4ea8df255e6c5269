//! `json.dumps` and `json.loads`, and Rhai's own names for them.

use crate::script::runtime::json::{from_json, to_text};
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use rhai::{Dynamic, ImmutableString, Map};

#[derive(Debug, Clone)]
pub(crate) struct Json;

fn dumps(value: &Dynamic, indent: &str) -> Fallible<ImmutableString> {
    to_text(value, indent).map_err(|why| format!("json.dumps: {why}").into())
}

/// The indentation that the options of `json.dumps` ask for: a number of blanks, or the text itself.
fn indent_of(options: &Map) -> Result<String, String> {
    let mut indent = String::new();
    for (name, value) in options {
        match (name.as_str(), value.as_int(), value.as_immutable_string_ref()) {
            ("indent", Ok(blanks @ 0..=16), _) => indent = " ".repeat(usize::try_from(blanks).unwrap_or(0)),
            ("indent", _, Ok(text))
                if text.len() <= 16 && text.bytes().all(|byte| b" \t".contains(&byte)) =>
            {
                indent = text.to_string();
            }
            ("indent", ..) if value.is_unit() => {}
            ("indent", ..) => return Err("`indent` is 0 to 16 blanks".into()),
            ("sort_keys", ..) if value.is_bool() => {}
            (name, ..) => return Err(format!("unknown option `{name}`: there are `indent` and `sort_keys`")),
        }
    }
    Ok(indent)
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("json", Json);
    natives.register_fn("dumps", |_: Receiver<Json>, value: Dynamic| dumps(&value, ""));
    natives.register_fn(
        "dumps",
        |_: Receiver<Json>, value: Dynamic, options: Map| -> Fallible<ImmutableString> {
            let indent = indent_of(&options).map_err(|why| format!("json.dumps: {why}"))?;
            dumps(&value, &indent)
        },
    );
    natives.register_fn("loads", |_: Receiver<Json>, text: &str| -> Fallible<Dynamic> {
        from_json(text.as_bytes()).map_err(|why| format!("json.loads: {why}").into())
    });
    natives.register_fn("loads", |_: Receiver<Json>, bytes: rhai::Blob| -> Fallible<Dynamic> {
        from_json(&bytes).map_err(|why| format!("json.loads: {why}").into())
    });
    // Rhai's own reader and writer of JSON are no JSON, and have no limits.
    natives.register_fn("parse_json", |text: &str| -> Fallible<Dynamic> {
        from_json(text.as_bytes()).map_err(|why| format!("parse_json: {why}").into())
    });
    natives.register_fn("to_json", |map: Map| -> Fallible<ImmutableString> {
        to_text(&map.into(), "").map_err(|why| format!("to_json: {why}").into())
    });
}

#[cfg(test)]
mod tests;
