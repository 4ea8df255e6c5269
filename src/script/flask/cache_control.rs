//! `r.cache_control`: the directives of the `Cache-Control` header, for example `r.cache_control.max_age = 60`.

use super::response::Response;
use crate::routing::method::is_token;
use crate::script::flask::property::{nearest, unknown_property};
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::full_text;
use rhai::Dynamic;

/// The header of a response. Each change is made in the header itself.
#[derive(Debug, Clone)]
pub(crate) struct CacheControl(Response);

impl ScriptValue for CacheControl {}

/// Names of the properties. A directive has hyphens in place of the underscores.
const DIRECTIVES: [&str; 13] = [
    "no_cache",
    "no_store",
    "no_transform",
    "max_age",
    "s_maxage",
    "public",
    "private",
    "must_revalidate",
    "proxy_revalidate",
    "must_understand",
    "immutable",
    "stale_while_revalidate",
    "stale_if_error",
];

/// Directives whose value is a number; without a value they are `()`, and the others `false`.
const NUMBERS: [&str; 4] = ["max_age", "s_maxage", "stale_while_revalidate", "stale_if_error"];

/// Returns the directives of a header and their values, without quotes.
fn directives(header: &str) -> Vec<(String, Option<String>)> {
    let mut quoted = false;
    let mut item = |letter: char| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    };
    let items: Vec<&str> = header.split(&mut item).map(str::trim).filter(|item| !item.is_empty()).collect();
    let split = |item: &&str| match item.split_once('=') {
        Some((name, value)) => {
            (name.trim().to_ascii_lowercase(), Some(value.trim().trim_matches('"').to_owned()))
        }
        None => (item.to_ascii_lowercase(), None),
    };
    items.iter().map(split).collect()
}

fn known(name: &str) -> Fallible<&'static str> {
    let found = DIRECTIVES.iter().find(|known| **known == name);
    Ok(*found.ok_or_else(|| {
        unknown_property("`cache_control`", name, nearest(name, DIRECTIVES.iter().copied()))
    })?)
}

impl CacheControl {
    fn all(&self) -> Vec<(String, Option<String>)> {
        self.0.lock().answer.header("cache-control").map(directives).unwrap_or_default()
    }

    fn get(&self, property: &str) -> Dynamic {
        let directive = property.replace('_', "-");
        let is_number = NUMBERS.contains(&property);
        match self.all().into_iter().find(|(name, _)| *name == directive) {
            Some((_, Some(value))) if is_number => value.parse().map_or(Dynamic::UNIT, Dynamic::from_int),
            Some((_, Some(value))) => value.into(),
            Some((_, None)) => true.into(),
            None if is_number => Dynamic::UNIT,
            None => false.into(),
        }
    }

    /// Sets a directive: `true` for one without a value; `false` and `()` remove it.
    fn set(&self, property: &str, value: &Dynamic) -> Fallible<()> {
        let directive = property.replace('_', "-");
        let mut all = self.all();
        let at = all.iter().position(|(name, _)| *name == directive);
        let value = match value.as_bool() {
            Ok(true) => Some(None),
            Ok(false) => None,
            Err(_) if value.is_unit() => None,
            Err(_) => Some(Some(full_text(property, value)?)),
        };
        if let Some(Some(text)) = &value
            && text.contains('"')
        {
            return Err(format!("`{property}` is `{text}`: leave the quotes out, they are added").into());
        }
        match (at, value) {
            (Some(at), Some(value)) => all[at].1 = value,
            (Some(at), None) => drop(all.remove(at)),
            (None, Some(value)) => all.push((directive, value)),
            (None, None) => {}
        }
        let write = |(name, value): &(String, Option<String>)| match value {
            Some(value) if is_token(value) => format!("{name}={value}"),
            Some(value) => format!("{name}=\"{value}\""),
            None => name.clone(),
        };
        self.0.set_or_remove("Cache-Control", all.iter().map(write).collect::<Vec<_>>().join(", "))
    }
}

pub(crate) fn register(natives: &mut Natives) {
    natives
        .register_type_with_name::<CacheControl>("ResponseCacheControl")
        .register_get("cache_control", |response: &mut Response| CacheControl(response.clone()))
        // After `r.cache_control.max_age = 60` Rhai assigns the value to `r.cache_control` again.
        .register_set("cache_control", |response: &mut Response, value: Dynamic| -> Fallible<()> {
            let text = match value.read_lock::<CacheControl>() {
                Some(other) if other.0.is(response) => return Ok(()),
                Some(other) => other.header(),
                None if value.is_unit() => String::new(),
                None => full_text("cache_control", &value)?,
            };
            response.set_or_remove("Cache-Control", text)
        })
        .register_indexer_get(|control: &mut CacheControl, name: &str| -> Fallible<Dynamic> {
            Ok(control.get(known(&name.replace('-', "_"))?))
        })
        .register_indexer_set(|control: &mut CacheControl, name: &str, value: Dynamic| -> Fallible<()> {
            control.set(known(&name.replace('-', "_"))?, &value)
        });
    // `public` and `private` are keywords of Rhai, so they can only be indexes: `r.cache_control["public"]`.
    for name in DIRECTIVES.into_iter().filter(|name| !matches!(*name, "public" | "private")) {
        natives
            .register_get(name, move |control: &mut CacheControl| control.get(name))
            .register_set(name, move |control: &mut CacheControl, value: Dynamic| control.set(name, &value));
    }
    for name in ["to_header", "to_string", "to_debug"] {
        natives.register_fn(name, |control: &mut CacheControl| control.header());
    }
}

impl CacheControl {
    fn header(&self) -> String {
        self.0.lock().answer.header("cache-control").unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_split_outside_of_quotes() {
        let expected = [("a", None), ("private", Some("x, y")), ("max-age", Some("60"))];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
        assert_eq!(directives("A,, private=\"x, y\" ,Max-Age = 60"), expected);
        assert_eq!(directives(" , "), []);
    }
}
