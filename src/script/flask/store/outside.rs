//! The values of `store` as JSON, for those outside of scripts. Knows no HTTP.

use crate::message::epoch::Epoch;
use crate::script::runtime::datetime;
use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::json::{self, Unread};
use crate::script::runtime::key_value_store::{KeyValueStore, Values};
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::size_limits::{self, MAX_DEPTH, MAX_TEXT};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rhai::{Blob, Dynamic, ImmutableString};
use serde_json::Value;
use std::fmt;
use std::sync::MutexGuard;

#[derive(Debug, PartialEq)]
pub enum Refused {
    /// It is no JSON: what is wrong, with line and column.
    Malformed(String),
    /// Scripts could not hold it.
    TooLarge,
}

impl KeyValueStore {
    /// The values of the epoch that it is.
    fn now(&self, epoch: &Epoch) -> MutexGuard<'_, Values> {
        loop {
            // None only where a reset came between the two.
            if let Some(values) = self.lock(Some(epoch.now())) {
                return values;
            }
        }
    }

    /// The values whose key starts with `prefix`, as a JSON object.
    pub fn list(&self, epoch: &Epoch, prefix: &str) -> String {
        let copied: Vec<(ImmutableString, Dynamic)> =
            self.now(epoch).under(prefix).map(|(key, value)| (key.clone(), value.clone())).collect();
        // Written without the lock.
        let mut json = String::new();
        write_all(&mut json, "{}", copied.iter(), |json, (key, value)| write_member(json, key, value, 0));
        json
    }

    /// The value of `key` as JSON.
    pub fn read(&self, epoch: &Epoch, key: &str) -> Option<String> {
        let value = self.now(epoch).look(key).0;
        value.map(|value| to_json(&value))
    }

    /// Sets `key` to what JSON says; tells whether it is new.
    pub fn put(&self, epoch: &Epoch, key: &str, json: &[u8]) -> Result<bool, Refused> {
        if json.len() > MAX_TEXT {
            return Err(Refused::TooLarge);
        }
        let value = json::from_json(json).map_err(|error| match error {
            Unread::Malformed(cause) => Refused::Malformed(cause),
            Unread::TooLarge(_) => Refused::TooLarge,
        })?;
        let old = self.now(epoch).set(key, value);
        Ok(old.is_none())
    }

    /// Removes `key`; tells whether it was there.
    pub fn remove(&self, epoch: &Epoch, key: &str) -> bool {
        let old = self.now(epoch).remove(key);
        old.is_some()
    }

    /// Removes all keys that start with `prefix`; gives their number.
    pub fn clear(&self, epoch: &Epoch, prefix: &str) -> usize {
        let removed = self.now(epoch).clear(prefix);
        removed.len()
    }
}

/// What JSON can't hold is shown as text: bytes in base64, infinite numbers by name, what is nested too deep as dots.
fn to_json(value: &Dynamic) -> String {
    let mut json = String::new();
    write_value(&mut json, value, 0);
    json
}

fn write_value(json: &mut String, value: &Dynamic, depth: usize) {
    let scalar = |value: &dyn fmt::Display| Value::from(value.to_string()).to_string();
    if let Some(text) = value.read_lock::<ImmutableString>() {
        *json += &scalar(&*text);
    } else if depth > MAX_DEPTH {
        *json += "\"...\"";
    } else if let Some(list) = as_list(value) {
        write_all(json, "[]", list.iter(), |json, item| write_value(json, item, depth + 1));
    } else if let Some(map) = as_map(value) {
        write_all(json, "{}", map.iter(), |json, (key, value)| write_member(json, key, value, depth + 1));
    } else if let Some(bytes) = value.read_lock::<Blob>() {
        *json += &scalar(&STANDARD.encode(&*bytes));
    } else if let Some(number) = value.as_float().ok().and_then(serde_json::Number::from_f64) {
        *json += &number.to_string();
    } else if value.is_unit() {
        *json += "null";
    } else if value.is_int() || value.is_bool() || value.is::<LargeInt>() {
        *json += &size_limits::text_of(value, MAX_TEXT);
    } else if let Some(text) = datetime::display(value) {
        *json += &scalar(&text);
    } else {
        *json += &scalar(value);
    }
}

fn write_member(json: &mut String, key: &str, value: &Dynamic, depth: usize) {
    *json += &Value::from(key).to_string();
    json.push(':');
    write_value(json, value, depth);
}

/// Writes `items` between the two brackets.
fn write_all<T>(
    json: &mut String,
    brackets: &str,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut String, T),
) {
    json.push_str(&brackets[..1]);
    for (index, item) in items.enumerate() {
        if index > 0 {
            json.push(',');
        }
        write(json, item);
    }
    json.push_str(&brackets[1..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was_put() {
        let (store, epoch) = (KeyValueStore::default(), Epoch::default());
        let table = [
            "null",
            "true",
            "-7",
            "1.0",
            "\"é\\n\"",
            "[1,[2]]",
            "{\"z\":{\"b\":[]},\"c\":null}",
            "18446744073709551616",
        ];
        for json in table {
            assert_eq!(store.put(&epoch, json, json.as_bytes()), Ok(true));
            assert_eq!(store.read(&epoch, json).unwrap(), json);
            assert_eq!(store.put(&epoch, json, json.as_bytes()), Ok(false));
        }
        assert_eq!(store.list(&epoch, "["), r#"{"[1,[2]]":[1,[2]]}"#);
        assert!(store.remove(&epoch, "null") && !store.remove(&epoch, "null"));
        assert_eq!(store.clear(&epoch, ""), table.len() - 1);
        assert_eq!(store.read(&epoch, "true"), None);
    }

    #[test]
    fn what_json_can_not_hold_is_shown_as_text() {
        let mut deep = Dynamic::from(1_i64);
        for _ in 0..2 * MAX_DEPTH {
            deep = Dynamic::from_array(vec![deep]);
        }
        assert!(to_json(&deep).contains("[[\"...\"]]"));
        for (value, text) in [
            (Dynamic::from_blob(b"hi".to_vec()), "\"aGk=\""),
            (f64::INFINITY.into(), "\"inf\""),
            ('x'.into(), "\"x\""),
        ] {
            assert_eq!(to_json(&value), text);
        }
    }

    #[test]
    fn bad_json_is_refused_with_its_place_and_what_is_too_large_at_all() {
        let (store, epoch) = (KeyValueStore::default(), Epoch::default());
        let put = |json: &str| store.put(&epoch, "k", json.as_bytes()).unwrap_err();
        let malformed = |text: &str| Refused::Malformed(text.to_owned());
        assert_eq!(put(""), malformed("EOF while parsing a value at line 1 column 0"));
        assert_eq!(put("{\"a\": 1,\n x}"), malformed("key must be a string at line 2 column 2"));
        assert_eq!(put("1 2"), malformed("trailing characters at line 1 column 3"));
        assert_eq!(put(&"[".repeat(200)), malformed("recursion limit exceeded at line 1 column 128"));
        assert_eq!(put(&format!("\"{}\"", "x".repeat(MAX_TEXT + 1))), Refused::TooLarge);
        assert_eq!(put(&format!("[{}1]", "{},".repeat(1 << 18))), Refused::TooLarge);
        assert_eq!(store.list(&epoch, ""), "{}");
    }
}
