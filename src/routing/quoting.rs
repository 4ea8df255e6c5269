//! Percent-encoding of paths and query values, as Werkzeug does it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use std::borrow::Cow;

/// Characters that are encoded in a query: all but RFC 3986's unreserved characters.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
/// Characters that are encoded in the value of a URL variable.
const VALUE: &AsciiSet = &QUERY.remove(b'/').remove(b':');
/// Characters that are encoded in static parts and redirected paths.
const PATH: &AsciiSet = &VALUE.remove(b'|').remove(b'+');

/// Percent-decodes a path of the request line. `+` stays, as does a `%` without two hex digits; invalid UTF-8 becomes U+FFFD.
pub(crate) fn decode_path(raw: &str) -> Cow<'_, str> {
    if !raw.contains('%') {
        return raw.into();
    }
    percent_decode_str(raw).decode_utf8_lossy()
}

/// Encodes a path for `Location` and `url_for`: all but unreserved characters and `/:|+`.
pub(crate) fn encode_path(path: &str) -> String {
    utf8_percent_encode(path, PATH).to_string()
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
    fn paths_values_and_queries_are_encoded_as_by_werkzeug() {
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
