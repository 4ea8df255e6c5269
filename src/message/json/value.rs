//! A JSON value that compares numbers by value, with all their digits.

use super::Build;
use serde_json::Value;
use std::fmt;

#[derive(Debug, Clone)]
pub(crate) enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    /// The digits of an integer beyond 64 bits.
    LargeInteger(String),
    Float(f64),
    Text(String),
    List(Vec<Json>),
    /// The entries in their order; a key may repeat, and its last value counts.
    Map(Vec<(String, Json)>),
}

impl Build for Json {
    type Key = String;

    fn null() -> Self {
        Json::Null
    }

    fn boolean(value: bool) -> Self {
        Json::Boolean(value)
    }

    fn integer(value: i64) -> Self {
        Json::Integer(value)
    }

    fn large_integer(digits: &str) -> Self {
        Json::LargeInteger(digits.to_owned())
    }

    fn float(value: f64) -> Self {
        Json::Float(value)
    }

    fn text(value: &str) -> Self {
        Json::Text(value.to_owned())
    }

    fn list(items: Vec<Self>) -> Self {
        Json::List(items)
    }

    fn map(pairs: Vec<(String, Self)>) -> Self {
        Json::Map(pairs)
    }
}

impl Json {
    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_list(&self) -> Option<&[Json]> {
        match self {
            Json::List(items) => Some(items),
            _ => None,
        }
    }

    pub(crate) fn as_map(&self) -> Option<&[(String, Json)]> {
        match self {
            Json::Map(pairs) => Some(pairs),
            _ => None,
        }
    }

    pub(crate) fn is_number(&self) -> bool {
        matches!(self, Json::Integer(_) | Json::LargeInteger(_) | Json::Float(_))
    }

    /// Returns the value at a pointer (RFC 6901), such as `/items/0/id`.
    pub(crate) fn pointer(&self, pointer: &str) -> Option<&Json> {
        let mut found = self;
        for step in pointer.strip_prefix('/').map(|steps| steps.split('/')).into_iter().flatten() {
            let key = step.replace("~1", "/").replace("~0", "~");
            found = match found {
                Json::Map(pairs) => member(pairs, &key)?,
                // A leading zero or sign would give an item a second pointer.
                Json::List(items) if key == "0" || !key.starts_with(['0', '+']) => {
                    items.get(key.parse::<usize>().ok()?)?
                }
                _ => return None,
            };
        }
        Some(found)
    }

    /// Whether both are the same value. An integer equals a float of its value: JSON has one kind of numbers.
    pub(crate) fn same(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::List(a), Json::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Json::Map(a), Json::Map(b)) => {
                let in_other = |(key, _): &(String, Json)| {
                    member(a, key).zip(member(b, key)).is_some_and(|(a, b)| a.same(b))
                };
                a.iter().all(in_other) && b.iter().all(|(key, _)| member(a, key).is_some())
            }
            (Json::Integer(a), Json::Integer(b)) => a == b,
            (Json::LargeInteger(a), Json::LargeInteger(b)) => a == b,
            (Json::Float(a), Json::Float(b)) => a == b,
            (Json::Integer(integer), Json::Float(float)) | (Json::Float(float), Json::Integer(integer)) => {
                // Compares as integers: beyond 53 bits several integers convert to the same float.
                float.fract() == 0.0 && *float as i128 == i128::from(*integer)
            }
            (Json::LargeInteger(digits), Json::Float(float))
            | (Json::Float(float), Json::LargeInteger(digits)) => format!("{float:.0}") == *digits,
            (Json::Text(a), Json::Text(b)) => a == b,
            (Json::Boolean(a), Json::Boolean(b)) => a == b,
            (Json::Null, Json::Null) => true,
            _ => false,
        }
    }
}

fn member<'p>(pairs: &'p [(String, Json)], key: &str) -> Option<&'p Json> {
    pairs.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value)
}

impl fmt::Display for Json {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Json::Null => out.write_str("null"),
            Json::Boolean(value) => write!(out, "{value}"),
            Json::Integer(value) => write!(out, "{value}"),
            Json::LargeInteger(digits) => out.write_str(digits),
            Json::Float(value) => write!(out, "{}", Value::from(*value)),
            Json::Text(text) => write!(out, "{}", Value::from(text.as_str())),
            Json::List(items) => {
                out.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    write!(out, "{}{item}", if index > 0 { "," } else { "" })?;
                }
                out.write_str("]")
            }
            Json::Map(pairs) => {
                out.write_str("{")?;
                for (index, (key, value)) in pairs.iter().enumerate() {
                    write!(out, "{}{}:{value}", if index > 0 { "," } else { "" }, Value::from(key.as_str()))?;
                }
                out.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::json::read;

    fn json(text: &str) -> Json {
        read(text.as_bytes()).unwrap()
    }

    #[test]
    fn numbers_are_compared_with_all_their_digits() {
        for (a, b, same) in [
            ("1", "1.0", true),
            ("1e2", "100", true),
            ("9007199254740993", "9007199254740992.0", false),
            ("9007199254740992", "9007199254740992.0", true),
            ("9223372036854775807", "9223372036854775808.0", false),
            ("18446744073709551615", "18446744073709551616", false),
            ("-9223372036854775809", "-9223372036854775808.0", false),
            ("18446744073709551616", "18446744073709551616.0", true),
            ("18446744073709551615", "18446744073709551616.0", false),
            ("123456789012345678901234567890", "123456789012345678901234567890", true),
            ("48.220664291306804", "48.220664291306811", false),
            ("-0.0", "0", true),
            (r#"{"a":1,"b":[2]}"#, r#"{"b":[2.0],"a":1}"#, true),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, true),
            (r#"{"a":1}"#, r#"{"a":1,"b":null}"#, false),
            ("\"1\"", "1", false),
            ("null", "false", false),
        ] {
            assert_eq!(json(a).same(&json(b)), same, "{a} {b}");
            assert_eq!(json(b).same(&json(a)), same, "{b} {a}");
        }
    }

    #[test]
    fn a_pointer_finds_items_and_members() {
        let value = json(r#"{"a":[1,{"b/c":2}],"~":3,"":4,"0":5}"#);
        for (pointer, found) in [
            ("/a/0", Some("1")),
            ("/a/1/b~1c", Some("2")),
            ("/~0", Some("3")),
            ("/", Some("4")),
            ("/0", Some("5")),
            ("/a/00", None),
            ("/a/+1", None),
            ("/a/2", None),
            ("/a/0/x", None),
        ] {
            assert_eq!(value.pointer(pointer).map(Json::to_string).as_deref(), found, "{pointer}");
        }
        assert_eq!(
            value.pointer("").map(Json::to_string).unwrap(),
            r#"{"a":[1,{"b/c":2}],"~":3,"":4,"0":5}"#
        );
    }
}
