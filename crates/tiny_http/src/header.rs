//! Header fields. Names compare in any case; values are bytes.

use crate::method::is_token;
use std::borrow::Cow;

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The name, as sent.
    pub field: HeaderField,
    /// The value, without white space around it.
    pub value: HeaderValue,
}

impl Header {
    /// Makes a field.
    ///
    /// # Errors
    /// The name is no token, or the value has CR, LF or NUL: it would start a line of its own (RFC 9110, section 5.5).
    #[expect(clippy::result_unit_err, reason = "the published interface")]
    pub fn from_bytes<N, V>(name: N, value: V) -> Result<Header, ()>
    where
        N: Into<Vec<u8>> + AsRef<[u8]>,
        V: Into<Vec<u8>> + AsRef<[u8]>,
    {
        let name = String::from_utf8(name.into()).map_err(|_| ())?;
        if !is_name(name.as_bytes()) || !is_value(value.as_ref()) {
            return Err(());
        }
        Ok(Header { field: HeaderField(name), value: HeaderValue::new(value.into()) })
    }

    /// Makes a field from parts that the parser has checked.
    pub(crate) fn received(name: &[u8], value: &[u8]) -> Header {
        let field = HeaderField(String::from_utf8_lossy(name).into_owned());
        Header { field, value: HeaderValue::new(value.to_vec()) }
    }
}

pub(crate) fn is_name(name: &[u8]) -> bool {
    !name.is_empty() && name.iter().copied().all(is_token)
}

/// Whether `value` stays on its line.
pub(crate) fn is_value(value: &[u8]) -> bool {
    // Folded, not searched: the compiler makes vector instructions of it.
    !value.iter().fold(false, |found, byte| found | (*byte == b'\r') | (*byte == b'\n') | (*byte == 0))
}

/// The name of a field.
#[derive(Debug, Clone, Eq)]
pub struct HeaderField(String);

impl HeaderField {
    /// Returns the name as sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the name is `other`, in any case.
    pub fn equiv(&self, other: &'static str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl PartialEq for HeaderField {
    fn eq(&self, other: &HeaderField) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

/// The value of a field: bytes, not only ASCII (RFC 9110, section 5.5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValue {
    text: String,
    /// The bytes as sent, if they are not UTF-8.
    bytes: Option<Box<[u8]>>,
}

/// Returns `bytes` as text: UTF-8, or else ISO 8859-1, as older clients write it and WSGI reads it.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

/// Returns `bytes` as text of ISO 8859-1, in which each byte is a character.
pub(crate) fn latin1(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) if text.is_ascii() => Cow::Borrowed(text),
        _ => bytes.iter().map(|byte| char::from(*byte)).collect(),
    }
}

impl HeaderValue {
    fn new(bytes: Vec<u8>) -> HeaderValue {
        match text(&bytes) {
            Cow::Borrowed(text) => HeaderValue { text: text.to_owned(), bytes: None },
            Cow::Owned(text) => HeaderValue { text, bytes: Some(bytes.into()) },
        }
    }

    /// Returns the value as text: UTF-8, or else ISO 8859-1.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the value as sent.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_deref().unwrap_or(self.text.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_in_any_case() {
        let header = Header::from_bytes("Content-Type", "a").unwrap();
        assert!(header.field.equiv("content-TYPE"));
        assert_eq!(header.field, Header::from_bytes("CONTENT-type", "b").unwrap().field);
        assert_eq!((header.field.as_str(), header.value.as_str()), ("Content-Type", "a"));
    }

    #[test]
    fn values_are_bytes_and_text() {
        for (sent, text) in [(&b"caf\xe9"[..], "caf\u{e9}"), ("caf\u{e9}".as_bytes(), "caf\u{e9}"), (b"", "")]
        {
            let header = Header::from_bytes("X", sent).unwrap();
            assert_eq!((header.value.as_str(), header.value.as_bytes()), (text, sent));
        }
    }

    #[test]
    fn names_and_values_that_would_start_a_line_are_refused() {
        for (name, value) in
            [("X", "a\r\nY: b"), ("X", "a\nb"), ("X", "a\0"), ("X Y", "a"), ("", "a"), ("X:", "a")]
        {
            assert_eq!(Header::from_bytes(name, value), Err(()), "{name:?} {value:?}");
        }
    }
}
