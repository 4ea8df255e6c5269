//! Values as text: `to_string`, `print`, `debug` and `"text" + value` of lists and maps. Ten references to one long text print
//! as ten long texts, so all output ends at a limit.

use super::{MAX_DEPTH, MAX_TEXT, Text, fits, too_long, type_name};
use crate::script::runtime::frozen::{FrozenList, FrozenMap, Items, as_list, as_map, is_list, is_map};
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::names;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::{budget, datetime};
use itoa::Buffer as Digits;
use rhai::{Array, Blob, Dynamic, FnPtr, ImmutableString, Map, NativeCallContext};
use std::fmt::{self, Write};

/// Returns the text of any value, for logs and error messages: at most `limit` bytes, truncated with `...`. A value of a type
/// of h1mock appears as the last part of the type's name.
pub(crate) fn text_of(value: &Dynamic, limit: usize) -> ImmutableString {
    let mut out = Text::with_limit(limit);
    match (Writer { out: &mut out, context: None }).top(value) {
        Ok(()) => out.finish(),
        Err(fmt::Error) => out.truncated(),
    }
}

/// Returns the whole text of any value, for use in a header, an option or a name. Rhai's own `to_string` of a list prints all
/// values that its functions have captured: with it, three lines of a script end the process.
///
/// # Errors
/// The text does not fit into the memory of the script. The error has `name` in front.
pub(crate) fn full_text(name: &str, value: &Dynamic) -> Fallible<String> {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        fits(name, text.len())?;
        return Ok(text.as_str().to_owned());
    }
    // A growing text takes up to twice its bytes.
    let mut out = Text::with_limit(MAX_TEXT.min(budget::room() / 2));
    match (Writer { out: &mut out, context: None }).top(value) {
        Ok(()) => Ok(out.written),
        Err(fmt::Error) => Err(format!("{name}: the text of the {} is too long", type_name(value)).into()),
    }
}

/// Appends `value` to `out` as `to_string` shows it.
///
/// # Errors
/// The text is full. The error has `name` in front.
pub(crate) fn write_value(
    name: &str,
    out: &mut Text,
    context: &NativeCallContext,
    value: &Dynamic,
) -> Fallible<()> {
    Writer { out, context: Some(context) }.top(value).map_err(|_| too_long(name))
}

/// Writes values in Rhai's own notation: `[1, "a", #{"k": ()}]`.
struct Writer<'a, 'b> {
    out: &'a mut Text,
    /// The context to call `to_string` of types of h1mock, if there is one.
    context: Option<&'a NativeCallContext<'b>>,
}

impl Writer<'_, '_> {
    /// Writes a value on its own: a text without quotes.
    fn top(&mut self, value: &Dynamic) -> fmt::Result {
        if value.is_string() || value.is_char() || value.is_unit() {
            return write!(self.out, "{value}");
        }
        if self.context.is_none() || is_list(value) || is_map(value) {
            return self.nested(value, 0);
        }
        self.other("to_string", value)
    }

    /// Writes a value within another one: a text in quotes.
    fn nested(&mut self, value: &Dynamic, depth: usize) -> fmt::Result {
        if depth > MAX_DEPTH {
            return self.out.write_str("...");
        }
        if let Some(list) = as_list(value) {
            return self.list(list.iter(), depth);
        }
        if let Some(map) = as_map(value) {
            return self.map(&mut map.iter(), depth);
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            // The `Debug` form would show captured values, without a limit.
            return self.out.write_str(&names::shown(&function.to_string()));
        }
        self.other("to_debug", value)
    }

    fn list(&mut self, list: Items<'_>, depth: usize) -> fmt::Result {
        self.out.write_char('[')?;
        for (index, item) in list.enumerate() {
            if index > 0 {
                self.out.write_str(", ")?;
            }
            self.nested(item, depth + 1)?;
        }
        self.out.write_char(']')
    }

    fn map(&mut self, map: &mut dyn Iterator<Item = (&str, &Dynamic)>, depth: usize) -> fmt::Result {
        self.out.write_str("#{")?;
        for (index, (key, item)) in map.enumerate() {
            if index > 0 {
                self.out.write_str(", ")?;
            }
            write!(self.out, "{key:?}: ")?;
            self.nested(item, depth + 1)?;
        }
        self.out.write_char('}')
    }

    /// Writes the hexadecimal digits of bytes, in groups of eight bytes.
    fn blob(&mut self, blob: &[u8]) -> fmt::Result {
        self.out.write_char('[')?;
        for (index, bytes) in blob.chunks(8).enumerate() {
            self.out.write_str(if index > 0 { " " } else { "" })?;
            let digits = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
            write!(self.out, "{digits:0width$x}", width = 2 * bytes.len())?;
        }
        self.out.write_char(']')
    }

    /// Writes a scalar, or a value of a type of h1mock, which may have registered `native` for itself.
    fn other(&mut self, native: &str, value: &Dynamic) -> fmt::Result {
        let scalar = value.is_string() || value.is_char() || value.is_unit() || value.is_bool();
        if scalar || value.is_int() || value.is_float() {
            return write!(self.out, "{value:?}");
        }
        if let Ok(blob) = value.as_blob_ref() {
            return self.blob(&blob);
        }
        if let Some(number) = value.read_lock::<LargeInt>() {
            return self.out.write_str(number.as_str());
        }
        if let Some(text) = datetime::display(value).filter(|_| self.context.is_none()) {
            return self.out.write_str(&text);
        }
        if value.is_shared() {
            // Lists and functions, whose text may be long, are handled before.
            return write!(self.out, "{value}");
        }
        let Some(context) = self.context else {
            let text = value.to_string();
            return self.out.write_str(text.rsplit("::").next().unwrap_or(&text));
        };
        let result = context.call_native_fn_raw(native, true, &mut [&mut value.clone()]);
        match result.map(Dynamic::into_immutable_string) {
            Ok(Ok(text)) => self.out.write_str(&text),
            _ => self.out.write_str(context.engine().map_type_name(value.type_name())),
        }
    }
}

/// Writes a list or map, which Rhai would print without a limit.
type Show<T> = fn(&mut Writer, &T) -> fmt::Result;

/// Returns `before + value + after` as one text, or an error as `name`.
fn whole<T>(
    name: &str,
    context: &NativeCallContext,
    show: Show<T>,
    (before, value, after): (&str, &T, &str),
) -> Fallible<ImmutableString> {
    let mut out = Text::new();
    out.push(name, before)?;
    show(&mut Writer { out: &mut out, context: Some(context) }, value).map_err(|_| too_long(name))?;
    out.push(name, after)?;
    Ok(out.finish())
}

/// Returns the text of a list or map, truncated at the limit. It must not fail: when `to_string` fails, Rhai falls back to a
/// form without a limit (for `${value}` and for items of lists).
fn display_truncated<T>(context: &NativeCallContext, show: Show<T>, value: &T) -> ImmutableString {
    let mut out = Text::new();
    match show(&mut Writer { out: &mut out, context: Some(context) }, value) {
        Ok(()) => out.finish(),
        Err(fmt::Error) => out.truncated(),
    }
}

/// Registers the bounded forms of one type for printing.
fn register_shown<T: ScriptValue>(natives: &mut Natives, show: Show<T>) {
    for name in ["to_string", "to_debug"] {
        natives.register_fn(name, move |context: NativeCallContext, value: &mut T| {
            display_truncated(&context, show, value)
        });
    }
    for name in ["print", "debug"] {
        natives.register_fn(name, move |context: NativeCallContext, value: &mut T| {
            whole(name, &context, show, ("", value, ""))
        });
    }
}

/// Registers the bounded forms of one type for printing and as parts of texts.
fn register_for<T: ScriptValue>(natives: &mut Natives, show: Show<T>) {
    register_shown(natives, show);
    natives.register_fn("+", move |context: NativeCallContext, before: &str, value: T| {
        whole("+", &context, show, (before, &value, ""))
    });
    natives.register_fn("+", move |context: NativeCallContext, value: &mut T, after: &str| {
        whole("+", &context, show, ("", value, after))
    });
    for name in ["+=", "append"] {
        natives.register_change(
            name,
            move |context: NativeCallContext, before: &mut ImmutableString, value: T| -> Fallible<()> {
                *before = whole(name, &context, show, (before, &value, ""))?;
                Ok(())
            },
        );
    }
}

/// Registers the concatenation of texts and whole numbers. Rhai has one function for all types, which looks up `to_string` at
/// each call: ten times the work.
fn register_numbers(natives: &mut Natives) {
    natives.register_fn("+", |before: &str, number: i64| [before, Digits::new().format(number)].concat());
    natives.register_fn("+", |number: i64, after: &str| [Digits::new().format(number), after].concat());
    natives.register_change("+=", |before: &mut ImmutableString, number: i64| {
        before.make_mut().push_str(Digits::new().format(number));
    });
    natives.register_fn("to_string", |number: i64| ImmutableString::from(Digits::new().format(number)));
}

/// Returns the text in quotes. An escape takes up to ten bytes.
fn quoted(name: &str, text: &str) -> Fallible<ImmutableString> {
    let mut out = Text::new();
    write!(out, "{text:?}").map_err(|_| too_long(name))?;
    Ok(out.finish())
}

/// Replaces Rhai's forms for lists, maps and quoted texts.
pub(super) fn register(natives: &mut Natives) {
    register_for::<Array>(natives, |writer, list| writer.list(Items::of(list), 0));
    register_for::<FrozenList>(natives, |writer, list| writer.list(list.iter(), 0));
    register_for::<Map>(natives, |writer, map| {
        writer.map(&mut map.iter().map(|(key, value)| (key.as_str(), value)), 0)
    });
    register_for::<FrozenMap>(natives, |writer, map| {
        writer.map(&mut map.pairs().iter().map(|(key, value)| (key.as_str(), value)), 0)
    });
    // Rhai's own function takes a second for a blob of 8 MB.
    register_shown::<Blob>(natives, |writer, blob| writer.blob(blob));
    register_numbers(natives);
    for name in ["debug", "to_debug"] {
        natives.register_fn(name, move |text: &str| quoted(name, text));
    }
}
