//! What scripts look things up in by name: Werkzeug's `MultiDict` (`request.args`, `form`, `values`, `cookies`), and the
//! functions that it shares with headers and files. Knows the parsed request, no bytes.

mod files;
mod headers;

pub use files::FileDict;
pub use headers::Headers;

use crate::request::Request;
use crate::script::abort::{HttpError, http_error};
use crate::script::natives::Natives;
use crate::script::request::property::{read_only, same, unknown_option};
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, ImmutableString, Map, NativeCallContext};
use std::collections::HashMap;
use std::sync::Arc;

type Thrown = Box<EvalAltResult>;

/// Registers the types behind `request.args`, `headers` and `files`, with their iterators in `globals`.
pub fn register(natives: &mut Natives) {
    register_dictionary::<MultiDict>(natives, "MultiDict");
    register_dictionary::<Headers>(natives, "Headers");
    register_dictionary::<FileDict>(natives, "FileDict");
    files::register(natives);
}

/// The map that Flask makes JSON of, where `value` is a [`MultiDict`] or [`Headers`]: one text for each name.
pub fn to_dict(value: &Dynamic) -> Option<Map> {
    fn one<T: Dictionary>(value: &Dynamic) -> Option<Map> {
        value.read_lock::<T>().map(|dict| flat(&*dict))
    }
    one::<MultiDict>(value).or_else(|| one::<Headers>(value))
}

/// Names with one or more values each.
pub trait Dictionary: Clone + Send + Sync + 'static {
    /// Where it hangs, for messages: `request.args`.
    fn label(&self) -> &'static str;
    /// All values of `key` in order.
    fn all(&self, key: &str) -> Vec<Dynamic>;
    /// Every name once, in order, with all of its values. Takes time in proportion to their number.
    fn entries(&self) -> Vec<(ImmutableString, Vec<Dynamic>)>;

    /// What `["k"]` gives for a name with these values (one at least): the first.
    fn pick(values: Vec<Dynamic>) -> Dynamic {
        values.into_iter().next().unwrap_or_default()
    }
    /// What a `for` loop gives for one name: the name.
    fn item(name: ImmutableString, _values: Vec<Dynamic>) -> Dynamic {
        name.into()
    }
    /// What `["k"]` gives.
    fn first(&self, key: &str) -> Option<Dynamic> {
        let values = self.all(key);
        (!values.is_empty()).then(|| Self::pick(values))
    }
}

/// Which names and values of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Part {
    /// Query parameters.
    Args,
    /// Fields of a form.
    Form,
    /// Query parameters, then the fields of a form unless the method is GET.
    Values,
    /// Cookies.
    Cookies,
}

/// Names and texts of one part of a request.
#[derive(Debug, Clone)]
pub struct MultiDict {
    request: Arc<Request>,
    part: Part,
}

impl MultiDict {
    /// The given part of `request`.
    ///
    /// # Errors
    /// 413 where the form exceeds a limit.
    pub fn new(request: &Arc<Request>, part: Part) -> Result<Self, Thrown> {
        if matches!(part, Part::Form | Part::Values) {
            request.form().map_err(|error| http_error(413, error.to_string()))?;
        }
        Ok(Self { request: request.clone(), part })
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        let form = || self.request.form().map(|form| form.fields.as_slice()).unwrap_or_default();
        let (pairs, more): (&[_], &[_]) = match self.part {
            Part::Args => (self.request.args(), &[]),
            Part::Cookies => (self.request.cookies(), &[]),
            Part::Form => (form(), &[]),
            // Werkzeug 2.0: a body must not change what a cacheable request means.
            Part::Values if self.request.method() == "GET" => (self.request.args(), &[]),
            Part::Values => (self.request.args(), form()),
        };
        pairs.iter().chain(more).map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl Dictionary for MultiDict {
    fn label(&self) -> &'static str {
        match self.part {
            Part::Args => "request.args",
            Part::Form => "request.form",
            Part::Values => "request.values",
            Part::Cookies => "request.cookies",
        }
    }

    fn all(&self, key: &str) -> Vec<Dynamic> {
        self.pairs().filter(|(name, _)| *name == key).map(|(_, value)| value.into()).collect()
    }

    fn entries(&self) -> Vec<(ImmutableString, Vec<Dynamic>)> {
        group(self.pairs().map(|(name, value)| (name.into(), value.into())))
    }

    fn first(&self, key: &str) -> Option<Dynamic> {
        self.pairs().find(|(name, _)| *name == key).map(|(_, value)| value.into())
    }
}

/// Values by name, names in the order in which they first appear.
fn group(pairs: impl Iterator<Item = (ImmutableString, Dynamic)>) -> Vec<(ImmutableString, Vec<Dynamic>)> {
    let mut entries: Vec<(ImmutableString, Vec<Dynamic>)> = Vec::new();
    let mut places: HashMap<ImmutableString, usize> = HashMap::new();
    for (name, value) in pairs {
        let place = *places.entry(name.clone()).or_insert(entries.len());
        match entries.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => entries.push((name, vec![value])),
        }
    }
    entries
}

fn flat<T: Dictionary>(dict: &T) -> Map {
    let entries = dict.entries().into_iter();
    entries.map(|(name, values)| (name.as_str().into(), T::pick(values))).collect()
}

fn register_dictionary<T: Dictionary>(natives: &mut Natives, name: &str) {
    natives.register_type_with_name::<T>(name);
    register_lookup::<T>(natives);
    register_listing::<T>(natives);
    natives.set_iter::<T>(|dict| {
        let entries = dict.try_cast::<T>().map(|dict| dict.entries()).unwrap_or_default();
        Box::new(entries.into_iter().map(|(name, values)| T::item(name, values)))
    });
}

/// `["k"]`, `"k" in`, `get` and `getlist`.
fn register_lookup<T: Dictionary>(natives: &mut Natives) {
    let missing = |dict: &T, key: &str| http_error(400, format!("`{}` has no `{key}`", dict.label()));
    natives
        .register_indexer_get(move |dict: &mut T, key: &str| {
            dict.first(key).ok_or_else(|| missing(dict, key))
        })
        .register_fn("contains", |dict: &mut T, key: &str| !dict.all(key).is_empty())
        .register_fn("get", |dict: &mut T, key: &str| dict.first(key).unwrap_or_default())
        .register_fn("get", |dict: &mut T, key: &str, default: Dynamic| dict.first(key).unwrap_or(default))
        .register_fn(
            "get",
            |context: NativeCallContext, dict: &mut T, key: &str, default: Dynamic, kind: Dynamic| {
                let Some(value) = dict.first(key) else { return Ok(default) };
                Ok::<_, Thrown>(convert(&context, value, &kind)?.unwrap_or(default))
            },
        )
        .register_fn("getlist", |dict: &mut T, key: &str| -> Array { dict.all(key) })
        .register_fn("getlist", |context: NativeCallContext, dict: &mut T, key: &str, kind: Dynamic| {
            let values = dict.all(key).into_iter();
            values.filter_map(|v| convert(&context, v, &kind).transpose()).collect::<Result<Array, _>>()
        });
    // Rhai also calls it with the value it has just read, after a method was called on that.
    natives.register_indexer_set_of_constant(|dict: &mut T, key: &str, value: Dynamic| {
        match dict.first(key) {
            Some(current) if same(&current, &value) => Ok(()),
            _ => Err(read_only(dict.label())),
        }
    });
}

/// `keys`, `values`, `items`, `lists`, `to_dict`, `len` and text.
fn register_listing<T: Dictionary>(natives: &mut Natives) {
    fn pair(name: ImmutableString, value: impl Into<Dynamic>) -> Dynamic {
        let pair: Array = vec![name.into(), value.into()];
        pair.into()
    }
    fn each<T: Dictionary>(dict: &T, f: impl Fn(ImmutableString, Vec<Dynamic>) -> Dynamic) -> Array {
        dict.entries().into_iter().map(|(name, values)| f(name, values)).collect()
    }
    natives
        .register_fn("keys", |dict: &mut T| each(dict, |name, _| name.into()))
        .register_fn("values", |dict: &mut T| each(dict, |_, values| T::pick(values)))
        .register_fn("items", |dict: &mut T| each(dict, |name, values| pair(name, T::pick(values))))
        .register_fn("lists", |dict: &mut T| each(dict, pair))
        .register_fn("to_dict", |dict: &mut T| flat(dict))
        .register_fn("to_dict", |dict: &mut T, is_flat: bool| match is_flat {
            true => flat(dict),
            false => {
                dict.entries().into_iter().map(|(name, all)| (name.as_str().into(), all.into())).collect()
            }
        })
        .register_fn("len", |dict: &mut T| i64::try_from(dict.entries().len()).unwrap_or(i64::MAX))
        .register_fn("is_empty", |dict: &mut T| dict.entries().is_empty())
        .register_get("length", |dict: &mut T| i64::try_from(dict.entries().len()).unwrap_or(i64::MAX))
        .register_fn("to_string", |dict: &mut T| format!("{:?}", flat(dict)))
        .register_fn("to_debug", |dict: &mut T| format!("{:?}", flat(dict)));
}

/// The third argument of `get`: `"int"`, `"float"`, `"str"` or a function. None where the value does not convert.
fn convert(context: &NativeCallContext, value: Dynamic, kind: &Dynamic) -> Result<Option<Dynamic>, Thrown> {
    if let Some(function) = kind.read_lock::<FnPtr>() {
        let result = function.call_within_context(context, (value,));
        return result.map(Some).or_else(|error| if is_refusal(&error) { Ok(None) } else { Err(error) });
    }
    let text = value.to_string();
    match kind.read_lock::<ImmutableString>().as_deref().map(ImmutableString::as_str) {
        Some("int") => Ok(text.trim().parse::<i64>().ok().map(Dynamic::from)),
        Some("float") => Ok(text.trim().parse::<f64>().ok().map(Dynamic::from)),
        Some("str") => Ok(Some(value)),
        _ => Err(unknown_option(
            "get",
            "type",
            &kind.to_string(),
            &["\"int\"", "\"float\"", "\"str\"", "a function"],
        )),
    }
}

/// Whether a conversion failed for its input, as Python's `ValueError` says; `abort` and spent budgets go on up.
fn is_refusal(error: &EvalAltResult) -> bool {
    let aborts = match error.unwrap_inner() {
        EvalAltResult::ErrorRuntime(thrown, _) => thrown.is::<HttpError>(),
        _ => false,
    };
    error.is_catchable() && !aborts
}

#[cfg(test)]
mod tests;
