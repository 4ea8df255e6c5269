//! Values of header fields as text. As in WSGI, each character is a byte (ISO 8859-1), so a script that sends on a value that it has
//! received sends the same bytes.

use std::borrow::Cow;

/// Returns the bytes of a header value. A character beyond U+00FF, which no value has that [`super::answer::check_header`] lets
/// pass, becomes its UTF-8.
pub(crate) fn bytes(value: &str) -> Cow<'_, [u8]> {
    if value.is_ascii() {
        return value.as_bytes().into();
    }
    let mut bytes = Vec::with_capacity(value.len());
    for character in value.chars() {
        match u8::try_from(character) {
            Ok(byte) => bytes.push(byte),
            Err(_) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    bytes.into()
}

/// Returns a header value for people, and for what h1mock itself reads: decoded from UTF-8 where its bytes are UTF-8.
pub(crate) fn readable(value: &str) -> Cow<'_, str> {
    match bytes(value) {
        Cow::Borrowed(_) => value.into(),
        Cow::Owned(bytes) => String::from_utf8(bytes).map_or(Cow::Borrowed(value), Cow::Owned),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_bytes_and_readable() {
        let cases: [(&str, &[u8], &str); 5] = [
            ("plain", b"plain", "plain"),
            ("caf\u{e9}", b"caf\xe9", "caf\u{e9}"),
            ("caf\u{c3}\u{a9}", b"caf\xc3\xa9", "caf\u{e9}"),
            ("\u{e2}\u{82}\u{ac} \u{e9}", b"\xe2\x82\xac \xe9", "\u{e2}\u{82}\u{ac} \u{e9}"),
            ("\u{20ac}", b"\xe2\x82\xac", "\u{20ac}"),
        ];
        for (value, sent, shown) in cases {
            assert_eq!((&*bytes(value), &*readable(value)), (sent, shown), "{value}");
        }
    }

    #[test]
    fn each_byte_is_a_character_and_goes_out_again() {
        let all: Vec<u8> = (0..=255).collect();
        let value: String = all.iter().map(|byte| char::from(*byte)).collect();
        assert_eq!(*bytes(&value), all);
    }
}
