//! `urllib.*`: percent-encoding and query strings of Python's `urllib.parse` (RFC 3986, section 2).

use crate::script::runtime::budget;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::script::runtime::size_limits::{MAX_ITEMS, Text, too_many, write_value};
use percent_encoding::{percent_decode_str, percent_encode_byte};
use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};

/// The handle `urllib`, and also `urllib.parse`.
#[derive(Debug, Clone)]
pub(crate) struct Urllib;

impl ScriptValue for Urllib {}

/// Appends `text`. All characters except letters, digits, `_.-~` and those in `safe` become `%XX`.
fn write_quoted(name: &str, text: &str, safe: &str, out: &mut Text) -> Fallible<()> {
    for (place, letter) in text.char_indices() {
        let plain = letter.is_ascii_alphanumeric() || "_.-~".contains(letter);
        let bytes = &text[place..place + letter.len_utf8()];
        budget::work(safe.len())?;
        if plain || (letter.is_ascii() && safe.contains(letter)) {
            out.push(name, bytes)?;
        } else {
            bytes.bytes().try_for_each(|byte| out.push(name, percent_encode_byte(byte)))?;
        }
    }
    Ok(())
}

/// Does the same as [`write_quoted`] with `+` for blanks, as in forms.
fn write_quoted_plus(name: &str, text: &str, safe: &str, out: &mut Text) -> Fallible<()> {
    for (index, word) in text.split(' ').enumerate() {
        if index > 0 {
            out.push(name, "+")?;
        }
        write_quoted(name, word, safe, out)?;
    }
    Ok(())
}

/// Decodes `%XX`. An incomplete `%XX` stays as it is; invalid UTF-8 becomes U+FFFD.
fn unquote(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn unquote_plus(text: &str) -> String {
    unquote(&text.replace('+', " "))
}

/// A query string under construction.
struct Query<'a, 'b> {
    /// The name in errors.
    name: &'static str,
    context: &'a NativeCallContext<'b>,
    out: Text,
    follows: bool,
}

impl Query<'_, '_> {
    /// Appends a field. A list becomes one field for each item.
    fn field(&mut self, key: &str, value: &Dynamic) -> Fallible<()> {
        if let Some(list) = as_list(value) {
            return list.iter().try_for_each(|item| self.single(key, item));
        }
        self.single(key, value)
    }

    fn single(&mut self, key: &str, value: &Dynamic) -> Fallible<()> {
        let name = self.name;
        if self.follows {
            self.out.push(name, "&")?;
        }
        self.follows = true;
        write_quoted_plus(name, key, "", &mut self.out)?;
        self.out.push(name, "=")?;
        let mut text = Text::new();
        write_value(name, &mut text, self.context, value)?;
        write_quoted_plus(name, &text.finish(), "", &mut self.out)
    }
}

/// Encodes a map or a list of pairs `[key, value]`, in its order; fields with `()` are left out, as in Python's `requests`. `None`
/// for any other value.
pub(super) fn query_of(
    context: &NativeCallContext,
    name: &'static str,
    fields: &Dynamic,
) -> Fallible<Option<ImmutableString>> {
    let mut query = Query { name, context, out: Text::new(), follows: false };
    let mut add = |key: &str, value: &Dynamic| match value.is_unit() {
        true => Ok(()),
        false => query.field(key, value),
    };
    if let Some(map) = as_map(fields) {
        map.iter().try_for_each(|(key, value)| add(key, value))?;
    } else if let Some(list) = as_list(fields) {
        for pair in list.iter() {
            let pair = as_list(pair);
            let Some((key, value)) = pair.as_ref().and_then(|pair| pair.pair()) else { return Ok(None) };
            let Ok(key) = key.as_immutable_string_ref() else { return Ok(None) };
            add(&key, value)?;
        }
    } else {
        return Ok(None);
    }
    Ok(Some(query.out.finish()))
}

/// The name in errors.
const URLENCODE: &str = "urllib.urlencode";

/// Returns `fields` as the body of a form. Errors name the function `name`.
pub(crate) fn form<'f>(
    name: &'static str,
    context: &NativeCallContext,
    mut fields: impl Iterator<Item = (&'f str, &'f Dynamic)>,
) -> Fallible<ImmutableString> {
    let mut query = Query { name, context, out: Text::new(), follows: false };
    fields.try_for_each(|(key, value)| query.field(key, value))?;
    Ok(query.out.finish())
}

/// `urllib.urlencode(map)`: the fields are in the order of the map.
fn urlencode(context: NativeCallContext, _: Receiver<Urllib>, fields: Map) -> Fallible<ImmutableString> {
    let mut query = Query { name: URLENCODE, context: &context, out: Text::new(), follows: false };
    fields.iter().try_for_each(|(key, value)| query.field(key, value))?;
    Ok(query.out.finish())
}

/// `urllib.urlencode(list)`: the fields are in the order of the pairs `[key, value]`.
fn urlencode_pairs(
    context: NativeCallContext,
    _: Receiver<Urllib>,
    pairs: Array,
) -> Fallible<ImmutableString> {
    let mut query = Query { name: URLENCODE, context: &context, out: Text::new(), follows: false };
    for pair in &pairs {
        let pair = as_list(pair).filter(|pair| pair.len() == 2 && pair[0].is_string());
        let Some(pair) = pair else { return Err("urllib.urlencode: needs pairs of `[key, value]`".into()) };
        let key = pair[0].as_immutable_string_ref()?;
        query.field(&key, &pair[1])?;
    }
    Ok(query.out.finish())
}

/// `urllib.parse_qs(text)`: a list of values for each key. Fields without a value are left out, as in Python.
fn parse_qs(text: &str) -> Fallible<Map> {
    let mut fields = Map::new();
    for (index, field) in text.split('&').enumerate() {
        if index > MAX_ITEMS / 16 {
            return Err(too_many("urllib.parse_qs"));
        }
        let Some((key, value)) = field.split_once('=').filter(|(_, value)| !value.is_empty()) else {
            continue;
        };
        let slot = fields.entry(unquote_plus(key).into()).or_insert_with(|| Array::new().into());
        slot.as_array_mut()?.push(unquote_plus(value).into());
    }
    Ok(fields)
}

type Quote = fn(&str, &str, &mut Text) -> Fallible<()>;

fn register_quote(natives: &mut Natives, name: &str, safe: &'static str, write: Quote) {
    let quoted = move |text: &str, safe: &str| -> Fallible<ImmutableString> {
        let mut out = Text::new();
        write(text, safe, &mut out)?;
        Ok(out.finish())
    };
    natives
        .register_optional(name, safe, move |_: Receiver<Urllib>, text: &str, safe: &str| quoted(text, safe));
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("urllib", Urllib);
    natives.register_get("parse", |_: Receiver<Urllib>| Urllib);
    register_quote(natives, "quote", "/", |text, safe, out| write_quoted("urllib.quote", text, safe, out));
    register_quote(natives, "quote_plus", "", |text, safe, out| {
        write_quoted_plus("urllib.quote_plus", text, safe, out)
    });
    natives.register_fn("unquote", |_: Receiver<Urllib>, text: &str| unquote(text));
    natives.register_fn("unquote_plus", |_: Receiver<Urllib>, text: &str| unquote_plus(text));
    natives.register_fn("urlencode", urlencode);
    natives.register_fn("urlencode", urlencode_pairs);
    natives.register_fn("parse_qs", |_: Receiver<Urllib>, text: &str| parse_qs(text));
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn text_is_quoted_and_unquoted_as_in_python() {
        yields(&[
            (r#"urllib.quote("a b/ä?~")"#, r#""a%20b/%C3%A4%3F~""#),
            (r#"urllib.quote("a/b", "")"#, r#""a%2Fb""#),
            (r#"urllib.quote("a ä", "ä ")"#, r#""a %C3%A4""#),
            (r#"urllib.parse.quote("x y")"#, r#""x%20y""#),
            (r#"urllib.quote_plus("a b+/")"#, r#""a+b%2B%2F""#),
            (r#"urllib.unquote("a%20b+%C3%A4%zz%")"#, r#""a b+ä%zz%""#),
            (r#"urllib.unquote("%ff")"#, "\"\u{fffd}\""),
            (r#"urllib.unquote_plus("a+b%2B")"#, r#""a b+""#),
        ]);
    }

    #[test]
    fn queries_are_written_and_read() {
        yields(&[
            (r#"urllib.urlencode(#{b: "x y", a: 1, c: [1, "2"]})"#, r#""a=1&b=x+y&c=1&c=2""#),
            (r#"urllib.urlencode([["z", 1.5], ["a", true]])"#, r#""z=1.5&a=true""#),
            (r#"urllib.parse_qs("&" * 32768)"#, "#{}"),
            (r#"urllib.parse_qs("a=1&b=x+y&a=%26&c=&d")"#, r##"#{"a": ["1", "&"], "b": ["x y"]}"##),
        ]);
        fails(&[
            (r#"urllib.urlencode([1])"#, "urllib.urlencode: needs pairs of `[key, value]`"),
            (
                r#"urllib.quote("ä".ljust(3000000, "ä"))"#,
                "urllib.quote: the result is longer than 8388608 bytes",
            ),
            (r#"urllib.parse_qs("&" * 32769)"#, "urllib.parse_qs: the result has more than 524288 items"),
        ]);
    }
}
