//! Werkzeug's `MultiDict` for `request.args`, `form`, `values`, `cookies` and `baggage`, and `Headers`. In these dictionaries a name can
//! have several values.

mod headers;

pub(crate) use headers::Headers;

use super::content::form;
use super::http_error::http_error;
use super::natives::Fallible;
use crate::message::form::Indexed;
use crate::message::request::Request;
use crate::system::truncate::beginning;
use rhai::{Dynamic, EvalAltResult, ImmutableString, Map};
use std::collections::HashMap;
use std::sync::Arc;

/// Names with one or more values each.
pub(crate) trait Dictionary: Send + Sync + 'static {
    /// Returns its name for error messages, for example `request.args`.
    fn label(&self) -> &'static str;
    /// Returns all values of `key` in order.
    fn all(&self, key: &str) -> Vec<Dynamic>;
    /// Returns each name once, in order, with all of its values. Takes linear time.
    fn entries(&self) -> Vec<(ImmutableString, Vec<Dynamic>)>;

    /// Returns the result of `["k"]` for a name with these values (at least one): the first.
    fn pick(&self, values: Vec<Dynamic>) -> Dynamic {
        values.into_iter().next().unwrap_or_default()
    }
    /// Returns the item of a `for` loop for one name: the name.
    fn item(&self, name: ImmutableString, _values: Vec<Dynamic>) -> Dynamic {
        name.into()
    }
    /// Returns the error of `["k"]` where `key` is missing.
    fn missing(&self, key: &str) -> Box<EvalAltResult> {
        http_error(400, format!("`{}` has no `{}`", self.label(), beginning(key, 80)))
    }
    /// Returns the result of `["k"]`.
    fn first(&self, key: &str) -> Option<Dynamic> {
        let values = self.all(key);
        (!values.is_empty()).then(|| self.pick(values))
    }
}

/// A part of a request that is a dictionary.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Part {
    /// Query parameters.
    Args,
    Form,
    /// Query parameters, then the form fields unless the method is GET.
    Values,
    Cookies,
    /// Members of the `baggage` header (W3C Baggage).
    Baggage,
}

/// Names and values of one part of a request.
#[derive(Debug, Clone)]
pub(crate) struct MultiDict {
    request: Arc<Request>,
    part: Part,
}

impl MultiDict {
    /// Creates the dictionary of one part of `request`.
    ///
    /// # Errors
    /// Those of [`form`].
    pub(crate) fn new(request: &Arc<Request>, part: Part) -> Fallible<Self> {
        if matches!(part, Part::Form | Part::Values) {
            form(request)?;
        }
        Ok(Self { request: request.clone(), part })
    }

    /// Returns the parsed parts in order: two for [`Part::Values`], one for the others.
    fn parts(&self) -> impl Iterator<Item = &Indexed> {
        let form = || self.request.form().map(|form| &form.fields).ok();
        let (one, more) = match self.part {
            Part::Args => (Some(self.request.args()), None),
            Part::Cookies => (Some(self.request.cookies()), None),
            Part::Baggage => (Some(self.request.baggage()), None),
            Part::Form => (form(), None),
            // Werkzeug 2.0 does the same: caches ignore the body of a GET request.
            Part::Values if self.request.method() == "GET" => (Some(self.request.args()), None),
            Part::Values => (Some(self.request.args()), form()),
        };
        one.into_iter().chain(more)
    }
}

impl Dictionary for MultiDict {
    fn label(&self) -> &'static str {
        match self.part {
            Part::Args => "request.args",
            Part::Form => "request.form",
            Part::Values => "request.values",
            Part::Cookies => "request.cookies",
            Part::Baggage => "request.baggage",
        }
    }

    fn all(&self, key: &str) -> Vec<Dynamic> {
        self.parts().flat_map(|part| part.values(key)).map(Into::into).collect()
    }

    fn entries(&self) -> Vec<(ImmutableString, Vec<Dynamic>)> {
        let pairs = self.parts().flat_map(|part| part.iter());
        group(pairs.map(|(name, value)| (name.into(), value.into())))
    }

    fn first(&self, key: &str) -> Option<Dynamic> {
        self.parts().find_map(|part| part.values(key).next()).map(Into::into)
    }
}

/// Groups values by name, in the order in which the names first appear.
pub(crate) fn group(
    pairs: impl Iterator<Item = (ImmutableString, Dynamic)>,
) -> Vec<(ImmutableString, Vec<Dynamic>)> {
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

/// Returns a map with one value for each name.
pub(crate) fn flat(dict: &dyn Dictionary) -> Map {
    let entries = dict.entries().into_iter();
    entries.map(|(name, values)| (name.as_str().into(), dict.pick(values))).collect()
}

/// Returns the map that `jsonify` writes for a [`MultiDict`] or [`Headers`], with one text for each name. Returns `None` for other
/// values.
pub(crate) fn to_dict(value: &Dynamic) -> Option<Map> {
    fn one<T: Dictionary + Clone>(value: &Dynamic) -> Option<Map> {
        value.read_lock::<T>().map(|dict| flat(&*dict))
    }
    one::<MultiDict>(value).or_else(|| one::<Headers>(value))
}
