//! Detects the encoding of JSON as Python does: UTF-8, UTF-16 or UTF-32, with or without a byte order mark (RFC 4627, section 3).

use std::borrow::Cow;

/// Converts the text to UTF-8 and removes the byte order mark. Bytes in another encoding stay as they are.
///
/// # Errors
/// The text looks like UTF-16 or UTF-32, but ends in the middle of a character or contains an invalid one.
pub(super) fn to_utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
    // The first two characters of JSON are ASCII, so the zeros among the first bytes show the encoding.
    let (name, skip, width, big) = match bytes {
        [0xEF, 0xBB, 0xBF, rest @ ..] => return Ok(rest.into()),
        [0, 0, 0xFE, 0xFF, ..] => ("UTF-32", 4, 4, true),
        [0xFF, 0xFE, 0, 0, ..] => ("UTF-32", 4, 4, false),
        [0xFE, 0xFF, ..] => ("UTF-16", 2, 2, true),
        [0xFF, 0xFE, ..] => ("UTF-16", 2, 2, false),
        [0, 0, 0, _, ..] => ("UTF-32", 0, 4, true),
        [_, 0, 0, 0, ..] => ("UTF-32", 0, 4, false),
        [0, _, ..] => ("UTF-16", 0, 2, true),
        [_, 0, ..] => ("UTF-16", 0, 2, false),
        _ => return Ok(bytes.into()),
    };
    let units = bytes[skip..].chunks(width).map(|unit| {
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        if big { unit.iter().fold(0, add) } else { unit.iter().rev().fold(0, add) }
    });
    let whole = (bytes.len() - skip).is_multiple_of(width);
    let text: Option<String> = match width {
        2 => char::decode_utf16(units.map(|unit| unit as u16)).map(Result::ok).collect(),
        _ => units.map(char::from_u32).collect(),
    };
    match text {
        Some(text) if whole => Ok(text.into_bytes().into()),
        _ => Err(format!("the text is not {name}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_of_python_is_read() {
        let text =
            r#"{"a":"\u{e9}\u{1F600}"}"#.replace("\\u{e9}", "\u{e9}").replace("\\u{1F600}", "\u{1F600}");
        let utf16: Vec<u16> = text.encode_utf16().collect();
        let le = |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
        let be = |units: &[u16]| units.iter().flat_map(|unit| unit.to_be_bytes()).collect::<Vec<u8>>();
        let utf32_le: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let utf32_be: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        let with = |mark: &[u8], bytes: &[u8]| [mark, bytes].concat();
        for bytes in [
            text.clone().into_bytes(),
            with(b"\xEF\xBB\xBF", text.as_bytes()),
            le(&utf16),
            be(&utf16),
            with(b"\xFF\xFE", &le(&utf16)),
            with(b"\xFE\xFF", &be(&utf16)),
            utf32_le.clone(),
            utf32_be.clone(),
            with(b"\xFF\xFE\0\0", &utf32_le),
            with(b"\0\0\xFE\xFF", &utf32_be),
        ] {
            assert_eq!(to_utf8(&bytes).as_deref(), Ok(text.as_bytes()), "{bytes:?}");
        }
        assert_eq!(to_utf8(b"\xFF\xFEa"), Err("the text is not UTF-16".to_owned()));
        assert_eq!(to_utf8(b"7").as_deref(), Ok(&b"7"[..]));
    }
}
