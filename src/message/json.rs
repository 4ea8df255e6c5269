//! Parses JSON without a loss: keys in their order, integers of any size, floats with all digits.

mod encoding;
mod value;

pub(crate) use encoding::to_utf8;
pub(crate) use value::Json;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::cell::{Cell, RefCell};
use std::fmt;

/// Limit of nesting, as in serde_json.
const MAX_DEPTH: usize = 128;

/// Limit of entries that memory is reserved for in advance: else a short text could take much memory.
const MOST_EXPECTED: usize = 16;

/// A type of values that JSON is parsed to.
pub(crate) trait Build: Sized {
    type Key: Key;

    fn null() -> Self;
    fn boolean(value: bool) -> Self;
    fn integer(value: i64) -> Self;
    /// Makes a value of an integer beyond 64 bits: of its digits, with a minus sign if it is negative.
    fn large_integer(digits: &str) -> Self;
    fn float(value: f64) -> Self;
    fn text(value: &str) -> Self;
    fn list(items: Vec<Self>) -> Self;
    /// Keys may repeat.
    fn map(pairs: Vec<(Self::Key, Self)>) -> Self;
}

/// The key of an entry.
pub(crate) trait Key: Clone + AsRef<str> + for<'t> From<&'t str> {}

impl<T: Clone + AsRef<str> + for<'t> From<&'t str>> Key for T {}

/// Parses JSON in UTF-8.
///
/// # Errors
/// Malformed JSON, with line and column, or nesting beyond 128 levels.
pub(crate) fn read<T: Build>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let text = Text::default();
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = Node(&text).deserialize(&mut json).and_then(|value| json.end().map(|()| value));
    // serde_json refuses `1e400`. Python has infinity then.
    let is_beyond = read.as_ref().is_err_and(|error| error.to_string().starts_with("number out of range"));
    if !is_beyond && (read.is_ok() && !text.large.get() || !has_long_integer(bytes)) {
        return read;
    }
    // The second pass goes piece by piece. The whole text is checked first, so that an error has its place in the whole text.
    exact(serde_json::from_slice::<&RawValue>(bytes)?, &text, 0)
}

/// Returns the error in words if the nesting is the flaw, since such a text may be JSON. serde_json tells by its words alone.
pub(crate) fn too_deep(error: &serde_json::Error) -> Option<String> {
    let place = error.to_string().strip_prefix("recursion limit exceeded")?.to_owned();
    Some(format!("lists and maps are nested deeper than {} levels{place}", MAX_DEPTH - 1))
}

/// State of the parser of one text.
struct Text<K> {
    /// Earlier keys, each at a place that its letters determine: the items of a list mostly have the same keys.
    keys: RefCell<[Option<K>; 32]>,
    /// Number of entries of the last map: the next map mostly has as many.
    entries: Cell<usize>,
    /// Whether the text has a number beyond 64 bits. serde_json parses such an integer as a float.
    large: Cell<bool>,
}

impl<K> Default for Text<K> {
    fn default() -> Self {
        Text { keys: RefCell::new([const { None }; 32]), entries: Cell::new(0), large: Cell::new(false) }
    }
}

impl<K: Key> Text<K> {
    fn key(&self, text: &str) -> K {
        let bytes = text.as_bytes();
        let (first, last) = (bytes.first().unwrap_or(&0), bytes.last().unwrap_or(&0));
        let place = bytes.len() ^ usize::from(first.wrapping_mul(7) ^ last.wrapping_mul(3));
        let known = &mut self.keys.borrow_mut()[place % 32];
        match known {
            Some(known) if known.as_ref() == text => known.clone(),
            _ => known.insert(text.into()).clone(),
        }
    }
}

/// Whether the text may have an integer beyond 64 bits.
fn has_long_integer(bytes: &[u8]) -> bool {
    bytes.chunk_by(|a, b| a.is_ascii_digit() && b.is_ascii_digit()).any(|run| run.len() >= 19)
}

/// Parses one value at `depth` from its own text, with all digits of integers.
fn exact<T: Build>(raw: &RawValue, whole: &Text<T::Key>, depth: usize) -> Result<T, serde_json::Error> {
    let text = raw.get();
    let is_integer = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    match text.as_bytes().first() {
        Some(b'-' | b'0'..=b'9') if is_integer => {
            Ok(text.parse().map_or_else(|_| T::large_integer(text), T::integer))
        }
        Some(b'-' | b'0'..=b'9') => Ok(T::float(text.parse().map_err(Error::custom)?)),
        Some(b'[' | b'{') if depth == MAX_DEPTH => Err(Error::custom("recursion limit exceeded")),
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            Ok(T::list(
                items.into_iter().map(|item| exact(item, whole, depth + 1)).collect::<Result<_, _>>()?,
            ))
        }
        Some(b'{') => {
            let Pairs(pairs) = serde_json::from_str(text)?;
            let pairs =
                pairs.into_iter().map(|(key, value)| Ok((whole.key(&key), exact(value, whole, depth + 1)?)));
            Ok(T::map(pairs.collect::<Result<_, serde_json::Error>>()?))
        }
        _ => Node(whole).deserialize(&mut serde_json::Deserializer::from_str(text)),
    }
}

/// The members of an object in their order.
struct Pairs<'t>(Vec<(String, &'t RawValue)>);

impl<'t> Deserialize<'t> for Pairs<'t> {
    fn deserialize<D: Deserializer<'t>>(from: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'t> Visitor<'t> for Members {
            type Value = Pairs<'t>;

            fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<Pairs<'t>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        from.deserialize_map(Members)
    }
}

/// Parses a value with its items.
struct Node<'r, T: Build>(&'r Text<T::Key>);

impl<'t, T: Build> DeserializeSeed<'t> for Node<'_, T> {
    type Value = T;

    fn deserialize<D: Deserializer<'t>>(self, from: D) -> Result<T, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'t, T: Build> Visitor<'t> for Node<'_, T> {
    type Value = T;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::null())
    }

    fn visit_bool<E>(self, value: bool) -> Result<T, E> {
        Ok(T::boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<T, E> {
        Ok(T::integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<T, E> {
        Ok(i64::try_from(value).map_or_else(|_| T::large_integer(&value.to_string()), T::integer))
    }

    fn visit_f64<E>(self, value: f64) -> Result<T, E> {
        if value.abs() >= i64::MAX as f64 {
            self.0.large.set(true);
        }
        Ok(T::float(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<T, E> {
        Ok(T::text(value))
    }

    fn visit_seq<A: SeqAccess<'t>>(self, mut list: A) -> Result<T, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element_seed(Node(self.0))? {
            items.push(item);
        }
        Ok(T::list(items))
    }

    fn visit_map<A: MapAccess<'t>>(self, mut map: A) -> Result<T, A::Error> {
        let mut pairs = Vec::with_capacity(self.0.entries.get().min(MOST_EXPECTED));
        while let Some(key) = map.next_key_seed(Name(self.0))? {
            pairs.push((key, map.next_value_seed(Node(self.0))?));
        }
        self.0.entries.set(pairs.len());
        Ok(T::map(pairs))
    }
}

/// Parses the key of an entry.
struct Name<'r, K>(&'r Text<K>);

impl<'t, K: Key> DeserializeSeed<'t> for Name<'_, K> {
    type Value = K;

    fn deserialize<D: Deserializer<'t>>(self, from: D) -> Result<K, D::Error> {
        from.deserialize_str(self)
    }
}

impl<K: Key> Visitor<'_> for Name<'_, K> {
    type Value = K;

    fn expecting(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str("a key")
    }

    fn visit_str<E>(self, text: &str) -> Result<K, E> {
        Ok(self.0.key(text))
    }
}
