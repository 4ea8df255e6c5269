//! Detects the encoding of JSON as Python does: UTF-8, UTF-16 or UTF-32, with or without a byte order mark (RFC 4627, section 3).

use std::borrow::Cow;

/// Converts the text to UTF-8 and removes the byte order mark. Bytes in another encoding stay as they are.
///
/// # Errors
/// The text looks like UTF-16 or UTF-32, but ends in the middle of a character or contains an invalid one. The error names the byte.
pub(crate) fn to_utf8(bytes: &[u8]) -> Result<Cow<'_, [u8]>, String> {
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
    let units = bytes[skip..].chunks_exact(width);
    let is_cut = !units.remainder().is_empty();
    let units = units.map(|unit| {
        let add = |sum: u32, byte: &u8| sum << 8 | u32::from(*byte);
        if big { unit.iter().fold(0, add) } else { unit.iter().rev().fold(0, add) }
    });
    let mut text = String::with_capacity(bytes.len() / width);
    let mut at = skip;
    let mut push = |character: Option<char>| {
        text.extend(character);
        at += character.map_or(0, |character| if width == 4 { 4 } else { 2 * character.len_utf16() });
        character.is_some()
    };
    let is_whole = match width {
        2 => char::decode_utf16(units.map(|unit| unit as u16)).map(Result::ok).all(&mut push),
        _ => units.map(char::from_u32).all(&mut push),
    };
    match is_whole && !is_cut {
        true => Ok(text.into_bytes().into()),
        false => Err(format!("the text is not {name}: there is no character at byte {}", at + 1)),
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
        assert_eq!(to_utf8(b"7").as_deref(), Ok(&b"7"[..]));
    }

    #[test]
    fn the_place_of_a_fault_is_named() {
        let cases: [(&[u8], &str, usize); 6] = [
            (b"\xFF\xFEa", "UTF-16", 3),
            (b"{\0\0", "UTF-16", 3),
            (b"\0[\xD8\0\0]", "UTF-16", 3),
            (b"\0[\xD8\x3D\xDE\0\xDC\0", "UTF-16", 7),
            (b"[\0\0\0\0\xD8\0\0", "UTF-32", 5),
            (b"\0\0\xFE\xFF\0\0\0[\0", "UTF-32", 9),
        ];
        for (bytes, name, at) in cases {
            let error = format!("the text is not {name}: there is no character at byte {at}");
            assert_eq!(to_utf8(bytes), Err(error), "{bytes:?}");
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic() {
        let mut random = fastrand::Rng::with_seed(11);
        let pieces = [0, 0, 0, b'[', b']', 0xFF, 0xFE, 0xEF, 0xBB, 0xBF, 0xD8, 0xDC];
        for _ in 0..50_000 {
            let bytes: Vec<u8> = (0..random.usize(..12)).filter_map(|_| random.choice(pieces)).collect();
            let _ = to_utf8(&bytes);
        }
    }
}
