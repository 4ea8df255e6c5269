//! `json.dumps` and `json.loads`, and `parse_json` and `to_json`, which are Rhai's names for them.

use super::unknown_option;
use crate::script::runtime::frozen::as_list;
use crate::script::runtime::json::{Style, from_json, to_text};
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::type_name;
use rhai::{Blob, Dynamic, ImmutableString, Map};

#[derive(Debug, Clone)]
pub(crate) struct Json;

const OPTIONS: [&str; 4] = ["indent", "separators", "ensure_ascii", "sort_keys"];

/// Most bytes of an indentation, and of a separator.
const MAX_PIECE: usize = 16;

fn dumps(value: &Dynamic, style: &Style) -> Fallible<ImmutableString> {
    to_text(value, style).map_err(|why| format!("json.dumps: {why}").into())
}

fn parsed(name: &str, text: &[u8]) -> Fallible<Dynamic> {
    from_json(text).map_err(|why| format!("{name}: {why}").into())
}

/// Returns the text of `value`, if it has at most [`MAX_PIECE`] bytes.
fn piece(value: &Dynamic) -> Option<String> {
    let text = value.as_immutable_string_ref().ok()?;
    (text.len() <= MAX_PIECE).then(|| text.to_string())
}

/// Parses the options of `json.dumps`.
fn style_of(options: &Map) -> Fallible<Style> {
    let mut style = Style::python();
    for (name, value) in options {
        match (name.as_str(), value.as_bool()) {
            ("indent", _) => style.indent = indent(value)?,
            ("separators", _) => {}
            ("ensure_ascii", Ok(flag)) => style.ascii = flag,
            ("sort_keys", Ok(flag)) => style.sorted = flag,
            ("ensure_ascii" | "sort_keys", Err(_)) => {
                let found = type_name(value);
                return Err(format!("json.dumps: `{name}` is true or false, not `{found}`").into());
            }
            (name, _) => return Err(unknown_option("json.dumps", name, &OPTIONS)),
        }
    }
    if style.indent.is_some() {
        style.item_separator = ",".into();
    }
    if let Some(value) = options.get("separators").filter(|value| !value.is_unit()) {
        (style.item_separator, style.key_separator) = separators(value)?;
    }
    Ok(style)
}

/// Parses the option `indent`: a number of blanks, or a text.
fn indent(value: &Dynamic) -> Fallible<Option<String>> {
    match value.as_int() {
        _ if value.is_unit() => Ok(None),
        Ok(blanks @ 0..=16) => Ok(Some(" ".repeat(usize::try_from(blanks).unwrap_or(0)))),
        _ => piece(value)
            .map(Some)
            .ok_or_else(|| "json.dumps: `indent` is 0 to 16 blanks, or a text of at most 16 bytes".into()),
    }
}

fn separators(value: &Dynamic) -> Fallible<(String, String)> {
    let pair = as_list(value).and_then(|list| {
        let (item, key) = list.pair()?;
        Some((piece(item)?, piece(key)?))
    });
    pair.ok_or_else(|| "json.dumps: `separators` is a list of two short texts: `[\",\", \":\"]`".into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("json", Json);
    natives.register_fn("dumps", |_: Receiver<Json>, value: Dynamic| dumps(&value, &Style::python()));
    natives.register_fn("dumps", |_: Receiver<Json>, value: Dynamic, options: Map| {
        dumps(&value, &style_of(&options)?)
    });
    natives.register_fn("loads", |_: Receiver<Json>, text: &str| parsed("json.loads", text.as_bytes()));
    natives.register_fn("loads", |_: Receiver<Json>, bytes: Blob| parsed("json.loads", &bytes));
    // Rhai's own functions accept and write invalid JSON, and have no limits.
    natives.register_fn("parse_json", |text: &str| parsed("parse_json", text.as_bytes()));
    natives.register_fn("to_json", |map: Map| -> Fallible<ImmutableString> {
        to_text(&map.into(), &Style::compact()).map_err(|why| format!("to_json: {why}").into())
    });
}

#[cfg(test)]
mod tests;
