//! `repr(x)`: values in Python's notation, such as `['a', 1.0, None, {'k': True}]`.

use crate::script::runtime::budget::watched;
use crate::script::runtime::frozen::{Items, as_list, as_map};
use crate::script::runtime::json::python_float;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{MAX_DEPTH, Text, write_value};
use rhai::{Dynamic, FnPtr, NativeCallContext};

/// Appends the `repr` of `value`.
///
/// # Errors
/// The text is full; the error names `name`.
pub(crate) fn write_repr(
    name: &str,
    out: &mut Text,
    context: &NativeCallContext,
    value: &Dynamic,
) -> Fallible<()> {
    Repr { name, out, context }.value(value, 0)
}

struct Repr<'a, 'b> {
    name: &'a str,
    out: &'a mut Text,
    context: &'a NativeCallContext<'b>,
}

impl Repr<'_, '_> {
    fn push(&mut self, part: &str) -> Fallible<()> {
        self.out.push(self.name, part)
    }

    fn value(&mut self, value: &Dynamic, depth: usize) -> Fallible<()> {
        if depth > MAX_DEPTH {
            return self.push("...");
        }
        if let Ok(text) = value.as_immutable_string_ref() {
            return self.text(&text);
        }
        if let Some(list) = as_list(value) {
            return self.list(list.iter(), depth);
        }
        if let Some(map) = as_map(value) {
            return self.map(&mut map.iter(), depth);
        }
        if let Ok(flag) = value.as_bool() {
            return self.push(if flag { "True" } else { "False" });
        }
        if let Ok(number) = value.as_float() {
            return self.push(&python_float(number));
        }
        if let Ok(letter) = value.as_char() {
            return self.text(letter.encode_utf8(&mut [0; 4]));
        }
        if let Ok(blob) = value.as_blob_ref() {
            return self.bytes(&blob);
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            return self.push(&format!("<function {}>", function.fn_name()));
        }
        if value.is_unit() {
            return self.push("None");
        }
        if let Ok(number) = value.as_int() {
            return self.push(&number.to_string());
        }
        // Types of h1mock, such as datetimes, write their notation in `to_debug`.
        match self.context.call_native_fn_raw("to_debug", true, &mut [&mut value.clone()]) {
            Ok(text) if text.is_string() => self.push(&text.into_immutable_string().unwrap_or_default()),
            _ => write_value(self.name, self.out, self.context, value),
        }
    }

    fn list(&mut self, list: Items<'_>, depth: usize) -> Fallible<()> {
        self.push("[")?;
        for (index, item) in list.enumerate() {
            self.push(if index > 0 { ", " } else { "" })?;
            self.value(item, depth + 1)?;
        }
        self.push("]")
    }

    fn map(&mut self, map: &mut dyn Iterator<Item = (&str, &Dynamic)>, depth: usize) -> Fallible<()> {
        self.push("{")?;
        for (index, (key, item)) in map.enumerate() {
            self.push(if index > 0 { ", " } else { "" })?;
            self.text(key)?;
            self.push(": ")?;
            self.value(item, depth + 1)?;
        }
        self.push("}")
    }

    fn text(&mut self, text: &str) -> Fallible<()> {
        self.quoted(quote_for(text.as_bytes()), text.chars(), is_printable)
    }

    fn bytes(&mut self, blob: &[u8]) -> Fallible<()> {
        self.push("b")?;
        self.quoted(quote_for(blob), blob.iter().map(|byte| char::from(*byte)), |_| false)
    }

    /// Writes `letters` in quotes. Letters beyond ASCII are escaped unless they are `printable`.
    fn quoted(
        &mut self,
        quote: char,
        letters: impl Iterator<Item = char>,
        printable: fn(char) -> bool,
    ) -> Fallible<()> {
        self.push(quote.encode_utf8(&mut [0; 4]))?;
        for letter in letters {
            match letter {
                '\n' => self.push("\\n")?,
                '\r' => self.push("\\r")?,
                '\t' => self.push("\\t")?,
                '\\' => self.push("\\\\")?,
                _ if letter == quote => self.push(&format!("\\{letter}"))?,
                ' '..='~' => self.push(letter.encode_utf8(&mut [0; 4]))?,
                _ if printable(letter) => self.push(letter.encode_utf8(&mut [0; 4]))?,
                _ => self.push(&escaped(letter))?,
            }
        }
        self.push(quote.encode_utf8(&mut [0; 4]))
    }
}

/// Returns a double quote if the text has single quotes and no double ones, else a single quote.
fn quote_for(text: &[u8]) -> char {
    if text.contains(&b'\'') && !text.contains(&b'"') { '"' } else { '\'' }
}

/// Whether Rust's `escape_debug` keeps the letter. The letter comes second, since combining marks are kept after another letter.
fn is_printable(letter: char) -> bool {
    let text: String = ['a', letter].iter().collect();
    text.escape_debug().nth(1) == Some(letter)
}

/// Escapes a character: `\xe4`, `\u20ac` or `\U0001f600`.
pub(crate) fn escaped(letter: char) -> String {
    match u32::from(letter) {
        code @ ..=0xFF => format!("\\x{code:02x}"),
        code @ ..=0xFFFF => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    }
}

/// Escapes all characters beyond ASCII.
pub(super) fn ascii(text: &str) -> String {
    let shown = |letter: char| if letter.is_ascii() { letter.to_string() } else { escaped(letter) };
    watched(text.chars()).map(shown).collect()
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_fn("repr", |context: NativeCallContext, value: Dynamic| -> Fallible<_> {
        let mut out = Text::new();
        write_repr("repr", &mut out, &context, &value)?;
        Ok(out.finish())
    });
}
