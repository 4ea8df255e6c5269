//! The functions that `request.args`, `form`, `values`, `cookies`, `baggage`, `headers` and `files` have in common, such as
//! `request.args.get("page", 1, "int")`.

mod files;

pub(crate) use files::FileDict;

use crate::script::flask::property::{read_only, unknown_option};
use crate::script::runtime::http_error;
use crate::script::runtime::multi_dict::{Dictionary, Headers, MultiDict, flat};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::same::same;
use crate::script::runtime::size_limits::{full_text, text_of};
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use std::any::TypeId;
use std::ops::Deref;

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<MultiDict>("MultiDict")
        .register_type_with_name::<Headers>("Headers")
        .register_type_with_name::<FileDict>("FileDict")
        .set_iter::<MultiDict>(iterate)
        .set_iter::<Headers>(iterate)
        .set_iter::<FileDict>(iterate);
    natives.in_common(
        &const { [TypeId::of::<MultiDict>(), TypeId::of::<Headers>(), TypeId::of::<FileDict>()] },
        |natives| {
            register_lookup(natives);
            register_listing(natives);
        },
    );
    files::register(natives);
}

/// A dictionary of any of the three types.
enum Any {
    MultiDict(MultiDict),
    Headers(Headers),
    FileDict(FileDict),
}

impl Deref for Any {
    type Target = dyn Dictionary;

    fn deref(&self) -> &Self::Target {
        match self {
            Any::MultiDict(dict) => dict,
            Any::Headers(dict) => dict,
            Any::FileDict(dict) => dict,
        }
    }
}

fn dictionary(value: &Dynamic) -> Any {
    fn cloned<T: Dictionary + Clone>(value: &Dynamic) -> Option<T> {
        Some(value.read_lock::<T>()?.clone())
    }
    let found = cloned(value).map(Any::MultiDict).or_else(|| cloned(value).map(Any::Headers));
    let found = found.or_else(|| cloned(value).map(Any::FileDict));
    found.expect("Rhai calls these functions only on the types that they are registered for")
}

fn iterate(dict: Dynamic) -> Box<dyn Iterator<Item = Dynamic>> {
    let dict = dictionary(&dict);
    Box::new(dict.entries().into_iter().map(move |(name, values)| dict.item(name, values)))
}

/// Registers `["k"]`, `"k" in`, `get` and `getlist`.
fn register_lookup(natives: &mut Natives) {
    natives
        .register_indexer_get(|dict: &mut Dynamic, key: &str| {
            let dict = dictionary(dict);
            dict.first(key).ok_or_else(|| dict.missing(key))
        })
        .register_fn("contains", |dict: &mut Dynamic, key: &str| dictionary(dict).first(key).is_some())
        .register_fn("get", |dict: &mut Dynamic, key: &str| dictionary(dict).first(key).unwrap_or_default())
        .register_fn("get", |dict: &mut Dynamic, key: &str, default: Dynamic| {
            dictionary(dict).first(key).unwrap_or(default)
        })
        .register_fn(
            "get",
            |context: NativeCallContext, dict: &mut Dynamic, key: &str, default: Dynamic, kind: Dynamic| {
                let Some(value) = dictionary(dict).first(key) else { return Ok(default) };
                Fallible::Ok(convert(&context, value, &kind)?.unwrap_or(default))
            },
        )
        .register_fn("getlist", |dict: &mut Dynamic, key: &str| -> Array { dictionary(dict).all(key) })
        .register_fn(
            "getlist",
            |context: NativeCallContext, dict: &mut Dynamic, key: &str, kind: Dynamic| -> Fallible<Array> {
                let values = dictionary(dict).all(key).into_iter();
                values.filter_map(|value| convert(&context, value, &kind).transpose()).collect()
            },
        );
    // Rhai also calls the setter after a method call on the value, with the same value: `request.args["k"].trim()`.
    natives.register_indexer_set_of_constant(|dict: &mut Dynamic, key: &str, value: Dynamic| {
        let dict = dictionary(dict);
        match dict.first(key) {
            Some(current) if same(&current, &value) => Ok(()),
            _ => Err(read_only(dict.label())),
        }
    });
}

/// Registers `keys`, `values`, `items`, `lists`, `to_dict`, `len` and the conversion to text.
fn register_listing(natives: &mut Natives) {
    natives
        .register_fn("keys", |dict: &mut Dynamic| each(&*dictionary(dict), |_, name, _| name.into()))
        .register_fn("values", |dict: &mut Dynamic| {
            each(&*dictionary(dict), |dict, _, values| dict.pick(values))
        })
        .register_fn("items", |dict: &mut Dynamic| {
            each(&*dictionary(dict), |dict, name, values| pair(name, dict.pick(values)))
        })
        .register_fn("lists", |dict: &mut Dynamic| {
            each(&*dictionary(dict), |_, name, values| pair(name, values.into()))
        })
        .register_optional("to_dict", true, |dict: &mut Dynamic, is_flat: bool| {
            if is_flat { flat(&*dictionary(dict)) } else { lists(&*dictionary(dict)) }
        })
        .register_fn("len", |dict: &mut Dynamic| length(&*dictionary(dict)))
        .register_fn("is_empty", |dict: &mut Dynamic| length(&*dictionary(dict)) == 0)
        .register_fn("bool", |dict: &mut Dynamic| length(&*dictionary(dict)) > 0)
        .register_get("length", |dict: &mut Dynamic| length(&*dictionary(dict)))
        .register_fn("to_string", |dict: &mut Dynamic| display(&*dictionary(dict)))
        .register_fn("to_debug", |dict: &mut Dynamic| display(&*dictionary(dict)));
}

type Entry = fn(&dyn Dictionary, ImmutableString, Vec<Dynamic>) -> Dynamic;

fn each(dict: &dyn Dictionary, entry: Entry) -> Array {
    dict.entries().into_iter().map(|(name, values)| entry(dict, name, values)).collect()
}

fn pair(name: ImmutableString, value: Dynamic) -> Dynamic {
    let pair: Array = vec![name.into(), value];
    pair.into()
}

fn lists(dict: &dyn Dictionary) -> Map {
    dict.entries().into_iter().map(|(name, all)| (name.as_str().into(), all.into())).collect()
}

fn length(dict: &dyn Dictionary) -> i64 {
    i64::try_from(dict.entries().len()).unwrap_or(i64::MAX)
}

fn display(dict: &dyn Dictionary) -> String {
    format!("{:?}", flat(dict))
}

/// Converts a value to `kind`, the third argument of `get`: `"int"`, `"float"`, `"str"` or a function. Returns `None` where that
/// fails.
fn convert(context: &NativeCallContext, value: Dynamic, kind: &Dynamic) -> Fallible<Option<Dynamic>> {
    if let Some(function) = kind.read_lock::<FnPtr>() {
        let result = function.call_within_context(context, (value,));
        return result.map(Some).or_else(|error| if is_refusal(&error) { Ok(None) } else { Err(error) });
    }
    let text = full_text("get", &value)?;
    match kind.read_lock::<ImmutableString>().as_deref().map(ImmutableString::as_str) {
        Some("int") => Ok(text.trim().parse::<i64>().ok().map(Dynamic::from)),
        Some("float") => Ok(text.trim().parse::<f64>().ok().map(Dynamic::from)),
        Some("str") => Ok(Some(value)),
        _ => Err(unknown_option(
            "get",
            "type",
            &text_of(kind, 80),
            &["\"int\"", "\"float\"", "\"str\"", "a function"],
        )),
    }
}

/// Whether a conversion function refused its input, like Python's `ValueError`. `abort` and exceeded budgets are passed on.
fn is_refusal(error: &EvalAltResult) -> bool {
    error.is_catchable() && http_error::find(error).is_none()
}

#[cfg(test)]
mod tests;
