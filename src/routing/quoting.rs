//! Percent-encoding of paths and query values, as Werkzeug does it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Everything but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// What a URL variable is written with.
const VALUE: &AsciiSet = &QUERY.remove(b'/').remove(b':');
/// What static parts and redirected paths are written with.
const PATH: &AsciiSet = &VALUE.remove(b'|').remove(b'+');

/// The text that a path of the request line stands for: `%2F` becomes `/`, `+` stays `+`, a `%` without two hex digits stays
/// as it is, and bytes that are no UTF-8 become U+FFFD.
pub(crate) fn decode_path(raw: &str) -> Cow<'_, str> {
    if !raw.contains('%') {
        return raw.into();
    }
    percent_decode_str(raw).decode_utf8_lossy()
}

/// A path for `Location` and `url_for`: all but unreserved characters and `/:|+` is percent-encoded.
pub(crate) fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
}

/// The value of a URL variable: as [`encode_path`], but `|` and `+` are encoded too.
pub(crate) fn encode_value(value: &str) -> String {
    utf8_percent_encode(value, VALUE).to_string()
}

/// One name or value of a query string: a blank becomes `+`, all but unreserved characters is percent-encoded.
pub(crate) fn encode_query(text: &str) -> String {
    utf8_percent_encode(text, QUERY).to_string().replace("%20", "+")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_what_can_be_decoded() {
        for (raw, text) in [
            ("/a%2Fb", "/a/b"),
            ("/a+b%20c", "/a+b c"),
            ("/%zz%", "/%zz%"),
            ("/%4", "/%4"),
            ("/%ff%41", "/\u{fffd}A"),
            ("/%C3%A4/ä", "/ä/ä"),
            ("/%2525", "/%25"),
            ("*", "*"),
            ("", ""),
        ] {
            assert_eq!(decode_path(raw), text, "{raw}");
        }
    }

    #[test]
    fn encodes_with_the_safe_sets_of_werkzeug() {
        assert_eq!(encode_path("/a b/ä?#%&=|+:~"), "/a%20b/%C3%A4%3F%23%25%26%3D|+:~");
        assert_eq!(encode_value("a/b:c|d+e"), "a/b:c%7Cd%2Be");
        assert_eq!(encode_query("a b/c:d+e&ä"), "a+b%2Fc%3Ad%2Be%26%C3%A4");
    }

    #[test]
    fn an_encoded_path_decodes_to_itself() {
        for path in ["/a b", "/%41", "/ä\u{0}\n\"", "//?x=1"] {
            assert_eq!(decode_path(&encode_path(path)), path);
        }
    }
}
