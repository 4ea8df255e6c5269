//! Conditions in JSON: a text, a number, or an object of names and values.

use super::key::{Form, Key};
use super::value::bad;
use super::{Flaw, Reading};
use crate::message::json::Json;
use crate::observing::journal::filter::part::Aspect;

/// The value of one condition, as it was written.
#[derive(Clone, Copy)]
pub(super) enum Given<'v> {
    /// One text. It begins with the name or pointer, where the part needs one.
    Text(&'v str),
    /// A name and its value; of a multipart part, the value of one of its aspects.
    Named(&'v str, Option<Aspect>, &'v str),
    /// A pointer and the value at that place.
    Member(&'v str, &'v Json),
}

impl Reading {
    /// Parses the value of a member, or one item of its list.
    pub(super) fn item(&mut self, key: &str, item: &Json) -> Result<(), Flaw> {
        let key = Key::parse(key, self.names, Form::Json)?;
        let is_number = self.names.contains(&key.name);
        match item {
            other if is_number && !other.is_number() => bad(format!("`{other}` is no number")),
            Json::Text(text) => self.pair(key, Given::Text(text)),
            number if number.is_number() => self.pair(key, Given::Text(&number.to_string())),
            Json::Boolean(truth) if key.name == "forwarded" => {
                self.pair(key, Given::Text(&truth.to_string()))
            }
            Json::Map(members) if has_names(key) => {
                members.iter().try_for_each(|(name, value)| self.member(key, name, value))
            }
            other => bad(format!("`{other}` is no text")),
        }
    }

    /// Parses one member of an object.
    fn member(&mut self, key: Key, name: &str, value: &Json) -> Result<(), Flaw> {
        match (key.name, value) {
            // A list has several patterns; any other value is the one at the pointer.
            ("json", Json::List(items)) if key.search => {
                items.iter().try_for_each(|item| self.pair(key, Given::Member(name, item)))
            }
            ("json", _) => self.pair(key, Given::Member(name, value)),
            ("part", Json::Map(aspects)) => {
                aspects.iter().try_for_each(|(written, value)| {
                    match Aspect::NAMED.into_iter().find(|(known, _)| known == written) {
                        Some((_, aspect)) => self.texts(key, name, Some(aspect), value),
                        None => bad(format!("`{written}` of a part: known are filename, type, content")),
                    }
                })
            }
            ("part", other) => bad(format!(
                "`{other}` is no object such as {{\"filename\": \"a.png\"}}, with filename, type or content"
            )),
            _ => self.texts(key, name, None, value),
        }
    }

    /// Adds a condition for `value`, or one for each item of a list.
    fn texts(&mut self, key: Key, name: &str, aspect: Option<Aspect>, value: &Json) -> Result<(), Flaw> {
        let mut add = |text: &str| self.pair(key, Given::Named(name, aspect, text));
        let single = std::slice::from_ref(value);
        match value.as_list().unwrap_or(single) {
            [] => bad("an empty list has no value".into()),
            items => items.iter().try_for_each(|item| match item {
                Json::Text(text) => add(text),
                Json::Null => bad(format!(
                    "`null` is no text: for one that is not there write {{\"{}!\": \"{name}\"}}",
                    key.name
                )),
                Json::List(_) | Json::Map(_) => bad(format!("`{item}` is no text")),
                scalar => add(&scalar.to_string()),
            }),
        }
    }
}

/// Whether the part has names, so that an object can give them.
fn has_names(key: Key) -> bool {
    matches!(key.name, "header" | "query" | "baggage" | "json" | "form" | "cookie" | "part")
}
