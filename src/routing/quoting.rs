//! Percent-encoding of paths and query values, as Werkzeug does it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, utf8_percent_encode};
use std::borrow::Cow;
use std::fmt::Write;

/// Characters that are encoded in a query: all but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters that are encoded in the value of a URL variable.
const VALUE: &AsciiSet = &QUERY.remove(b'/').remove(b':');
/// Characters that are encoded in static parts and redirected paths.
const PATH: &AsciiSet = &VALUE.remove(b'|').remove(b'+');

/// Percent-decodes a path of the request line. `+` stays, as does an escape that can't be decoded ([`decode`]).
pub(crate) fn decode_path(raw: &str) -> Cow<'_, str> {
    if !raw.contains('%') {
        return raw.into();
    }
    decode(raw.as_bytes()).into()
}

/// Percent-decodes `text` as Werkzeug does queries and forms: `%C3%A9%FF%zz` is `é%FF%zz`.
///
/// A `%` without two hex digits stays. Bytes that are not UTF-8 stay escaped, in capitals, so no two of them become the same
/// text. Python's `unquote` puts U+FFFD in their place.
pub(crate) fn decode(text: &[u8]) -> String {
    let bytes: Cow<[u8]> = percent_decode(text).into();
    let mut decoded = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        decoded.push_str(chunk.valid());
        chunk.invalid().iter().for_each(|byte| escape(&mut decoded, *byte));
    }
    decoded
}

/// Appends `%FF` for the byte 0xFF.
pub(crate) fn escape(text: &mut String, byte: u8) {
    // Writing to a string cannot fail.
    let _ = write!(text, "%{byte:02X}");
}

/// Encodes a path for `Location` and `url_for`: all but unreserved characters and `/:|+`. Escapes that [`decode`] has kept stay as
/// they are, so that [`decode_path`] returns `path` again.
pub(crate) fn encode_path(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for piece in pieces(path) {
        match piece {
            Piece::Kept(escapes) => encoded.push_str(escapes),
            Piece::Text(text) => encoded.extend(utf8_percent_encode(text, PATH)),
        }
    }
    encoded
}

/// A piece of decoded text.
pub(crate) enum Piece<'t> {
    Text(&'t str),
    /// Escapes such as `%FF` that stand for no UTF-8.
    Kept(&'t str),
}

/// Splits decoded text into escapes that [`decode`] has kept, and the text between them.
pub(crate) fn pieces(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let start = kept_at(rest);
        let (piece, after) = match start {
            0 => rest.split_at(escaped(rest).map_or(0, |escaped| escaped.len)),
            _ => rest.split_at(start),
        };
        rest = after;
        match (piece, start) {
            ("", _) => None,
            (escapes, 0) => Some(Piece::Kept(escapes)),
            (text, _) => Some(Piece::Text(text)),
        }
    })
}

/// Returns the place of the first kept escape in `text`, or the length of `text`.
fn kept_at(text: &str) -> usize {
    let mut at = 0;
    while let Some(found) = text[at..].find('%') {
        at += found;
        match escaped(&text[at..]) {
            Some(escaped) if escaped.is_kept => return at,
            escaped => at += escaped.map_or(1, |escaped| escaped.len),
        }
    }
    text.len()
}

/// The escapes of one character, or escapes that stand for none.
struct Escaped {
    /// Length of the escapes in bytes.
    len: usize,
    is_kept: bool,
}

/// Reads the escapes of bytes beyond ASCII that `text` starts with.
fn escaped(text: &str) -> Option<Escaped> {
    // A character has at most four bytes.
    let (mut bytes, mut count) = ([0; 4], 0);
    for byte in text.as_bytes().chunks_exact(3).map_while(high_byte).take(bytes.len()) {
        bytes[count] = byte;
        count += 1;
    }
    let chunk = bytes[..count].utf8_chunks().next()?;
    Some(match chunk.valid().chars().next() {
        Some(character) => Escaped { len: 3 * character.len_utf8(), is_kept: false },
        None => Escaped { len: 3 * chunk.invalid().len(), is_kept: true },
    })
}

/// Returns the byte beyond ASCII that `escape` stands for, in capitals as [`decode`] writes it.
fn high_byte(escape: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).filter(|_| !byte.is_ascii_lowercase());
    match *escape {
        [b'%', high, low] => {
            u8::try_from(digit(high)? << 4 | digit(low)?).ok().filter(|byte| !byte.is_ascii())
        }
        _ => None,
    }
}

/// Encodes the value of a URL variable: as [`encode_path`] does, and `|` and `+`, too.
pub(crate) fn encode_value(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// Encodes a name or value of a query string: a blank as `+`, all but unreserved characters percent-encoded.
pub(crate) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_and_malformed_escapes_stay() {
        for (raw, text) in [
            ("/a%2Fb", "/a/b"),
            ("/a+b%20c", "/a+b c"),
            ("/%zz%", "/%zz%"),
            ("/%4", "/%4"),
            ("/%ff%41", "/%FFA"),
            ("/%C3%A4/ä", "/ä/ä"),
            ("/%C3/%A4", "/%C3/%A4"),
            ("/%ED%A0%80", "/%ED%A0%80"),
            ("/%f0%9f%98%80", "/😀"),
            ("/%F0%9F%98", "/%F0%9F%98"),
            ("/ä%A4", "/ä%A4"),
            ("/%2525", "/%25"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(decode_path(raw), text, "{raw}");
        }
    }

    #[test]
    fn paths_values_and_queries_are_encoded_as_by_werkzeug() {
        assert_eq!(encode_path("/a b/ä?#%&=|+:~"), "/a%20b/%C3%A4%3F%23%25%26%3D|+:~");
        assert_eq!(encode_value("a/b:c|d+e"), "a/b:c%7Cd%2Be");
        assert_eq!(encode_query("a b/c:d+e&ä"), "a+b%2Fc%3Ad%2Be%26%C3%A4");
    }

    #[test]
    fn escapes_that_stand_for_no_character_stay_in_an_encoded_path() {
        for (path, encoded) in [
            ("/%FF", "/%FF"),
            ("/%ff", "/%25ff"),
            ("/%C3%A9", "/%25C3%25A9"),
            ("/%FF%C3%A9%C3", "/%FF%25C3%25A9%C3"),
            ("/%E2%82", "/%E2%82"),
            ("/%E2%82%41", "/%E2%82%2541"),
            ("/ä%A4%", "/%C3%A4%A4%25"),
            ("/%F0%9F%98%80%80", "/%25F0%259F%2598%2580%80"),
        ] {
            assert_eq!(encode_path(path), encoded, "{path}");
        }
    }

    #[test]
    fn an_encoded_path_decodes_to_itself() {
        for path in ["/a b", "/%41", "/ä\u{0}\n\"", "//?x=1", "/%FF%fF%C3%A9%C3é%E9"] {
            assert_eq!(decode_path(&encode_path(path)), path);
        }
        let pieces = ["a", "%", "%FF", "%C3", "%A9", "%c3", "%41", "%E2%82", "%AC", "é", "2", "F", "/"];
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..50_000 {
            let path: String = (0..random.usize(..9)).filter_map(|_| random.choice(pieces)).collect();
            assert_eq!(decode_path(&encode_path(&path)), path);
            assert_eq!(decode_path(&encode_value(&path)), path);
        }
    }
}
