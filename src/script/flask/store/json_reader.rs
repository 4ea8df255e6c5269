//! Serializes values of `store` to JSON step by step, while a client reads. JSON that is not read yet takes no memory, and no
//! lock is held meanwhile.

use crate::script::runtime::datetime;
use crate::script::runtime::frozen::{Facts, FrozenList, FrozenMap};
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::size_limits;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rhai::{Blob, Dynamic, ImmutableString};
use serde_json::Value;
use std::io::{self, Read};
use std::sync::Arc;
use std::vec;

/// A reader of the JSON for values from one moment. Values without a JSON form become text: blobs in base64, infinite numbers by
/// name (`"inf"`).
pub struct JsonReader {
    /// The values that are written in part, outermost first.
    open: Vec<Part>,
    /// JSON that is written; the part from `read` on is not read yet.
    written: String,
    read: usize,
    /// Size of the values in bytes, by [`Facts`].
    bytes: usize,
}

/// A value, and how much of it is written.
enum Part {
    Pairs(vec::IntoIter<(ImmutableString, Arc<Dynamic>)>, bool),
    List(FrozenList, usize),
    Map(FrozenMap, usize),
    Text(ImmutableString, usize),
}

/// Bytes that are written in one step. A longer text takes several steps.
const SLICE: usize = 16 << 10;
/// Maximum length in bytes of a number, a character or another scalar.
const SHORT: usize = 1 << 10;

impl JsonReader {
    /// Creates a reader of an object with these keys and values.
    pub(super) fn of_pairs(pairs: Vec<(ImmutableString, Arc<Dynamic>)>) -> JsonReader {
        let bytes = pairs.iter().fold(0, |sum: usize, (_, value)| sum.saturating_add(Facts::of(value).bytes));
        JsonReader {
            open: vec![Part::Pairs(pairs.into_iter(), true)],
            written: "{".to_owned(),
            read: 0,
            bytes,
        }
    }

    pub(super) fn of_value(value: &Dynamic) -> JsonReader {
        let mut written = String::new();
        let open = Part::begin(&mut written, value).into_iter().collect();
        JsonReader { open, written, read: 0, bytes: Facts::of(value).bytes }
    }

    /// Returns the size of the values in bytes. The length of the JSON may differ from it by a small factor.
    pub fn size(&self) -> usize {
        self.bytes
    }

    /// Returns all of the JSON.
    pub fn into_text(mut self) -> String {
        while self.step() {}
        self.written
    }

    /// Writes the next piece. Returns false where nothing is left.
    fn step(&mut self) -> bool {
        let Some(part) = self.open.last_mut() else { return false };
        match part.step(&mut self.written) {
            Step::Inside(inner) => self.open.extend(inner),
            Step::End => drop(self.open.pop()),
        }
        true
    }
}

impl Read for JsonReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.read == self.written.len() {
            // A blob is written in one step; its memory is freed here.
            self.written.clear();
            self.written.shrink_to(2 * SLICE);
            self.read = 0;
            while self.written.len() < SLICE && self.step() {}
        }
        let count = (&self.written.as_bytes()[self.read..]).read(buffer)?;
        self.read += count;
        Ok(count)
    }
}

/// The next step after a piece was written.
enum Step {
    /// An inner value begins; `None` where it is complete already.
    Inside(Option<Part>),
    End,
}

impl Part {
    /// Writes `value`. Writes only the beginning of a long value, and returns the rest.
    fn begin(json: &mut String, value: &Dynamic) -> Option<Part> {
        if let Some(text) = value.read_lock::<ImmutableString>() {
            if text.len() > SLICE {
                json.push('"');
                return Some(Part::Text(text.clone(), 0));
            }
            *json += &quoted(&text);
        } else if let Some(list) = value.read_lock::<FrozenList>() {
            json.push('[');
            return Some(Part::List(list.clone(), 0));
        } else if let Some(map) = value.read_lock::<FrozenMap>() {
            json.push('{');
            return Some(Part::Map(map.clone(), 0));
        } else if let Some(bytes) = value.read_lock::<Blob>() {
            json.push('"');
            STANDARD.encode_string(&*bytes, json);
            json.push('"');
        } else if let Some(number) = value.as_float().ok().and_then(serde_json::Number::from_f64) {
            *json += &number.to_string();
        } else if value.is_unit() {
            *json += "null";
        } else if let Some(number) = value.read_lock::<LargeInt>() {
            *json += number.as_str();
        } else if value.is_int() || value.is_bool() {
            *json += &size_limits::text_of(value, SHORT);
        } else if let Some(text) = datetime::display(value) {
            *json += &quoted(&text);
        } else {
            *json += &quoted(&size_limits::text_of(value, SHORT));
        }
        None
    }

    fn step(&mut self, json: &mut String) -> Step {
        match self {
            Part::Pairs(pairs, is_first) => match pairs.next() {
                Some((key, value)) => {
                    begin_pair(json, &key, std::mem::take(is_first));
                    Step::Inside(Part::begin(json, &value))
                }
                None => end(json, '}'),
            },
            Part::List(list, next) => match list.get(*next) {
                Some(item) => {
                    if *next > 0 {
                        json.push(',');
                    }
                    *next += 1;
                    Step::Inside(Part::begin(json, item))
                }
                None => end(json, ']'),
            },
            Part::Map(map, next) => match map.pairs().get(*next) {
                Some((key, value)) => {
                    begin_pair(json, key, *next == 0);
                    *next += 1;
                    Step::Inside(Part::begin(json, value))
                }
                None => end(json, '}'),
            },
            Part::Text(text, from) => {
                let to = text.floor_char_boundary(*from + SLICE);
                let slice = quoted(&text[*from..to]);
                *json += &slice[1..slice.len() - 1];
                *from = to;
                if to < text.len() { Step::Inside(None) } else { end(json, '"') }
            }
        }
    }
}

fn begin_pair(json: &mut String, key: &str, is_first: bool) {
    if !is_first {
        json.push(',');
    }
    *json += &quoted(key);
    json.push(':');
}

fn end(json: &mut String, bracket: char) -> Step {
    json.push(bracket);
    Step::End
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::frozen::freeze;

    #[test]
    fn values_without_a_json_form_become_text() {
        for (value, text) in [
            (Dynamic::from_blob(b"hi".to_vec()), "\"aGk=\""),
            (f64::INFINITY.into(), "\"inf\""),
            ('x'.into(), "\"x\""),
            (Dynamic::from_array(vec![]), "[]"),
        ] {
            assert_eq!(JsonReader::of_value(&freeze(value)).into_text(), text);
        }
    }

    /// The texts end at each place of a slice, and contain letters of different lengths and characters that are escaped.
    #[test]
    fn reading_step_by_step_gives_the_same_json_as_reading_at_once() {
        for length in (0..8).map(|more| SLICE - 3 + more).chain([3 * SLICE]) {
            let text = "a\u{e9}\n\"\u{1f600}".repeat(length / 9 + 1)[..].to_owned();
            let value =
                freeze(vec![1.into(), text.clone().into(), Dynamic::from_blob(vec![7; 99_999])].into());
            let pairs = || vec![("k\"".into(), value.clone().into()), ("l".into(), Arc::new(().into()))];
            let mut read = Vec::new();
            JsonReader::of_pairs(pairs()).read_to_end(&mut read).unwrap();
            assert_eq!(read, JsonReader::of_pairs(pairs()).into_text().into_bytes());
            let json: Value = serde_json::from_slice(&read).unwrap();
            assert_eq!((json["k\""][0].as_i64(), json["k\""][1].as_str()), (Some(1), Some(&*text)));
            assert!(json["l"].is_null());
        }
    }

    #[test]
    fn the_json_of_a_long_value_is_never_in_memory_as_a_whole() {
        let item = Dynamic::from("x".repeat(1_000));
        let value = freeze(vec![item; 1_000].into());
        let mut reader = JsonReader::of_value(&value);
        let mut buffer = [0; 100];
        let mut read = 0;
        while read < 500_000 {
            read += reader.read(&mut buffer).unwrap();
            assert!(reader.written.capacity() < 4 * SLICE, "{}", reader.written.capacity());
        }
        assert!(reader.size() > 1_000_000);
    }
}
