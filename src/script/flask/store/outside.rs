//! Access to the values of `store` as JSON, for the administrative port.

use super::json_reader::JsonReader;
use crate::message::epoch::Epoch;
use crate::script::runtime::json::{self, Unread};
use crate::script::runtime::key_value_store::{KeyValueStore, Locked};
use crate::script::runtime::size_limits::MAX_TEXT;

#[derive(Debug, PartialEq)]
pub enum Refused {
    /// The text is not JSON; with the reason, line and column.
    Malformed(String),
    /// The value is larger than scripts can hold.
    TooLarge,
    /// The store has no room for the value; with the key, the sizes in bytes and the flag.
    Full(String),
}

impl KeyValueStore {
    /// Locks the values of the current epoch.
    fn now(&self, epoch: &Epoch) -> Locked<'_> {
        loop {
            // `lock` returns `None` only if a reset came after `now`.
            if let Some(values) = self.lock(Some(epoch.now())) {
                return values;
            }
        }
    }

    /// Returns the values whose keys start with `prefix` as a JSON object. The lock is released before the JSON is written.
    pub fn list(&self, epoch: &Epoch, prefix: &str) -> JsonReader {
        let values = self.now(epoch);
        JsonReader::of_pairs(values.under(prefix).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    /// Returns the value of `key` as JSON.
    pub fn read(&self, epoch: &Epoch, key: &str) -> Option<JsonReader> {
        let value = self.now(epoch).look(key).0;
        value.map(|value| JsonReader::of_value(&value))
    }

    /// Sets `key` to a JSON value. Returns whether the key is new.
    pub fn put(&self, epoch: &Epoch, key: &str, json: &[u8]) -> Result<bool, Refused> {
        if json.len() > MAX_TEXT {
            return Err(Refused::TooLarge);
        }
        let value = json::from_json(json).map_err(|error| match error {
            Unread::Malformed(cause) | Unread::TooDeep(cause) => Refused::Malformed(cause),
            Unread::TooLarge(_) => Refused::TooLarge,
        })?;
        let old = self.now(epoch).set(key, value);
        old.map(|old| old.is_none()).map_err(|full| Refused::Full(full.to_string()))
    }

    /// Removes `key`. Returns whether it was set.
    pub fn remove(&self, epoch: &Epoch, key: &str) -> bool {
        let old = self.now(epoch).remove(key);
        old.is_some()
    }

    /// Removes all keys that start with `prefix`, and returns their number.
    pub fn clear(&self, epoch: &Epoch, prefix: &str) -> usize {
        let removed = self.now(epoch).clear(prefix);
        removed.len()
    }
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
            assert_eq!(store.read(&epoch, json).unwrap().into_text(), json);
            assert_eq!(store.put(&epoch, json, json.as_bytes()), Ok(false));
        }
        assert_eq!(store.list(&epoch, "[").into_text(), r#"{"[1,[2]]":[1,[2]]}"#);
        assert!(store.remove(&epoch, "null") && !store.remove(&epoch, "null"));
        assert_eq!(store.clear(&epoch, ""), table.len() - 1);
        assert!(store.read(&epoch, "true").is_none());
    }

    #[test]
    fn bad_json_is_refused_with_line_and_column_and_too_large_values_without() {
        let (store, epoch) = (KeyValueStore::default(), Epoch::default());
        let put = |json: &str| store.put(&epoch, "k", json.as_bytes()).unwrap_err();
        let malformed = |text: &str| Refused::Malformed(text.to_owned());
        assert_eq!(put(""), malformed("EOF while parsing a value at line 1 column 0"));
        assert_eq!(put("{\"a\": 1,\n x}"), malformed("key must be a string at line 2 column 2"));
        assert_eq!(put("1 2"), malformed("trailing characters at line 1 column 3"));
        assert_eq!(
            put(&"[".repeat(200)),
            malformed("lists and maps are nested deeper than 127 levels at line 1 column 128")
        );
        assert_eq!(put(&format!("\"{}\"", "x".repeat(MAX_TEXT + 1))), Refused::TooLarge);
        assert_eq!(put(&format!("[{}1]", "{},".repeat(1 << 18))), Refused::TooLarge);
        assert_eq!(store.list(&epoch, "").into_text(), "{}");
    }

    #[test]
    fn a_value_without_room_changes_nothing() {
        let (store, epoch) = (KeyValueStore::new(1_000), Epoch::default());
        assert_eq!(store.put(&epoch, "k", b"1"), Ok(true));
        let long = format!("\"{}\"", "x".repeat(1_000));
        let full = "store: no room for `k`: it takes 1169 bytes, and 1000 of 1000 are left (--store-bytes)";
        assert_eq!(store.put(&epoch, "k", long.as_bytes()), Err(Refused::Full(full.to_owned())));
        assert_eq!(store.list(&epoch, "").into_text(), r#"{"k":1}"#);
    }
}
