//! The values of `store` as JSON, for those outside of scripts. Knows no HTTP.

use crate::message::epoch::Epoch;
use crate::script::runtime::budget::{MAX_ENTRIES, MAX_ITEMS, MAX_TEXT};
use crate::script::runtime::json;
use crate::script::runtime::key_value_store::{KeyValueStore, Values};
use crate::script::runtime::size_limits::MAX_DEPTH;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rhai::{Array, Blob, Dynamic, ImmutableString, Map};
use serde_json::Value;
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

    pub fn list(&self, epoch: &Epoch, prefix: &str) -> serde_json::Map<String, Value> {
        let copied: Vec<(ImmutableString, Dynamic)> =
            self.now(epoch).under(prefix).map(|(key, value)| (key.clone(), value.clone())).collect();
        // Written without the lock.
        let mut map = serde_json::Map::new();
        for (key, value) in copied {
            map.insert(key.to_string(), to_json(&value, 0));
        }
        map
    }

    pub fn read(&self, epoch: &Epoch, key: &str) -> Option<Value> {
        let value = self.now(epoch).look(key).0;
        value.map(|value| to_json(&value, 0))
    }

    /// Sets `key` to what JSON says; tells whether it is new.
    pub fn put(&self, epoch: &Epoch, key: &str, json: &[u8]) -> Result<bool, Refused> {
        if !json::fits(json) {
            return Err(Refused::TooLarge);
        }
        let value = json::from_json(json).map_err(Refused::Malformed)?;
        let mut sizes = Sizes::default();
        sizes.add(&value);
        if sizes.text > MAX_TEXT || sizes.items > MAX_ITEMS || sizes.entries > MAX_ENTRIES {
            return Err(Refused::TooLarge);
        }
        Ok(self.now(epoch).set(key, value))
    }

    /// Removes `key`; tells whether it was there.
    pub fn remove(&self, epoch: &Epoch, key: &str) -> bool {
        self.now(epoch).remove(key).is_some()
    }

    /// Removes all keys that start with `prefix`; gives their number.
    pub fn clear(&self, epoch: &Epoch, prefix: &str) -> usize {
        self.now(epoch).clear(prefix)
    }
}

/// What JSON can't hold is shown as text: bytes in base64, infinite numbers by name, what is nested too deep as dots.
fn to_json(value: &Dynamic, depth: usize) -> Value {
    if let Some(text) = value.read_lock::<ImmutableString>() {
        return text.as_str().into();
    }
    if depth > MAX_DEPTH {
        return "...".into();
    }
    if let Some(items) = value.read_lock::<Array>() {
        return items.iter().map(|item| to_json(item, depth + 1)).collect();
    }
    if let Some(map) = value.read_lock::<Map>() {
        let mut object = serde_json::Map::new();
        for (key, value) in &*map {
            object.insert(key.to_string(), to_json(value, depth + 1));
        }
        return object.into();
    }
    if let Some(bytes) = value.read_lock::<Blob>() {
        return STANDARD.encode(&*bytes).into();
    }
    if let Ok(number) = value.as_int() {
        return number.into();
    }
    if let Ok(number) = value.as_float() {
        return serde_json::Number::from_f64(number).map_or_else(|| number.to_string().into(), Value::Number);
    }
    match value.as_bool() {
        Ok(truth) => truth.into(),
        Err(_) if value.is_unit() => Value::Null,
        Err(_) => value.to_string().into(),
    }
}

/// Sizes of a value with all that is in it, as the engine counts them.
#[derive(Default)]
struct Sizes {
    text: usize,
    items: usize,
    entries: usize,
}

impl Sizes {
    /// JSON is not nested deeper than 128 levels.
    fn add(&mut self, value: &Dynamic) {
        if let Some(text) = value.read_lock::<ImmutableString>() {
            self.text += text.len();
        } else if let Some(items) = value.read_lock::<Array>() {
            self.items += items.len();
            items.iter().for_each(|item| self.add(item));
        } else if let Some(map) = value.read_lock::<Map>() {
            self.entries += map.len();
            map.values().for_each(|value| self.add(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_comes_back_as_it_was_put() {
        let (store, epoch) = (KeyValueStore::default(), Epoch::default());
        let table = ["null", "true", "-7", "1.0", "\"é\\n\"", "[1,[2]]", "{\"a\":{\"b\":[]},\"c\":null}"];
        for json in table {
            assert_eq!(store.put(&epoch, json, json.as_bytes()), Ok(true));
            assert_eq!(store.read(&epoch, json).unwrap().to_string(), json);
            assert_eq!(store.put(&epoch, json, json.as_bytes()), Ok(false));
        }
        assert_eq!(store.list(&epoch, "[").len(), 1);
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
        assert!(to_json(&deep, 0).to_string().contains("[[\"...\"]]"));
        for (value, text) in [
            (Dynamic::from_blob(b"hi".to_vec()), "\"aGk=\""),
            (f64::INFINITY.into(), "\"inf\""),
            ('x'.into(), "\"x\""),
        ] {
            assert_eq!(to_json(&value, 0).to_string(), text);
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
        assert_eq!(put(&format!("[{}1]", "{},".repeat(1 << 17))), Refused::TooLarge);
        assert_eq!(store.list(&epoch, "").len(), 0);
    }
}
