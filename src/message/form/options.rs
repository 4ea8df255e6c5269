//! Header values with parameters (`multipart/form-data; boundary=x`, `form-data; name="a"; filename*=UTF-8''b`).

use super::Pairs;
use percent_encoding::percent_decode_str;
use std::borrow::Cow;

/// Parses a value and its parameters. The value and the names of parameters are in lower case, the values of parameters without
/// quotes. Browsers send `%22` for a quote. `name*=` is decoded (RFC 8187) and wins over a plain `name=`, as does a value in pieces
/// (`name*0=`, `name*1*=`, RFC 2231). A parameter without a value is left out.
pub(crate) fn parse(header: &str) -> (String, Pairs) {
    let (value, mut rest) = header.split_once(';').unwrap_or((header, ""));
    let value = value.split(',').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut plain = Pairs::new();
    let mut extended = Pairs::new();
    // The charset of the pieces at the end of `extended`, if these may go on.
    let mut pieces: Option<Charset> = None;
    while !rest.is_empty() {
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let name = rest[..end].trim().to_ascii_lowercase();
        let Some(after) = rest[end..].strip_prefix('=') else {
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        };
        let (text, after) = split_value(after.trim_start());
        rest = after;
        let (name, is_piece, is_extended) = without_marks(&name);
        let known = extended.last_mut().filter(|(last, _)| is_piece && last == name);
        let known = known.and_then(|last| pieces.map(|charset| (last, charset)));
        let before = known.as_ref().map_or(Charset::Unknown, |(_, charset)| *charset);
        let (text, charset) = match is_extended {
            true => decode_extended(text.trim_matches('"'), before),
            false => (unquote(text, name == "filename").replace("%22", "\""), before),
        };
        match known {
            Some(((_, value), _)) => value.push_str(&text),
            None if is_piece || is_extended => extended.push((name.to_owned(), text)),
            None => plain.push((name.to_owned(), text)),
        }
        pieces = is_piece.then_some(charset);
    }
    // If a name repeats, its last parameter counts. `get` takes the first, so the order is reversed.
    plain.extend(extended);
    plain.reverse();
    (value, plain)
}

/// Returns the value of the parameter `name` (lower case).
pub(crate) fn get<'p>(options: &'p Pairs, name: &str) -> Option<&'p str> {
    options.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// Splits `text` into its first value, still quoted, and the text after the `;`.
fn split_value(text: &str) -> (&str, &str) {
    let from = quoted_len(text).unwrap_or(0);
    let end = text[from..].find(';').map_or(text.len(), |at| from + at);
    (text[..end].trim_end(), text.get(end + 1..).unwrap_or_default())
}

/// Returns the length of the quoted string that `text` starts with. A backslash takes its meaning from the next character.
pub(crate) fn quoted_len(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('"')?;
    let mut escaped = false;
    let end = inner.bytes().position(|b| {
        let closes = b == b'"' && !escaped;
        escaped = b == b'\\' && !escaped;
        closes
    })?;
    Some(end + 2)
}

fn unquote(text: &str, is_filename: bool) -> String {
    match text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) {
        // Old browsers send `\\server\share` unescaped.
        Some(inner) if is_filename && inner.starts_with("\\\\") => inner.to_owned(),
        // Not the quoted-pair of RFC 9110: a lone backslash is part of a Windows path.
        Some(inner) => inner.replace("\\\\", "\\").replace("\\\"", "\""),
        None => text.to_owned(),
    }
}

/// Splits `filename*0*` into the name, whether the value is a piece of it, and whether its bytes are escaped.
fn without_marks(name: &str) -> (&str, bool, bool) {
    let (name, is_extended) = name.strip_suffix('*').map_or((name, false), |name| (name, true));
    let number = |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match name.rsplit_once('*').filter(|(_, digits)| number(digits)) {
        Some((name, _)) => (name, true, is_extended),
        None => (name.trim_end(), false, is_extended),
    }
}

/// A charset of a header or of a part that Werkzeug decodes, too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Charset {
    Utf8,
    Ascii,
    Latin1,
    Unknown,
}

impl Charset {
    /// Returns the charset of this name, in any case.
    pub(crate) fn named(name: &str) -> Charset {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" => Charset::Utf8,
            "ascii" | "us-ascii" => Charset::Ascii,
            "iso-8859-1" => Charset::Latin1,
            _ => Charset::Unknown,
        }
    }

    /// Decodes `bytes`. Bytes that the charset doesn't have become U+FFFD. An unknown charset is read as UTF-8.
    pub(crate) fn decode(self, bytes: &[u8]) -> Cow<'_, str> {
        let ascii = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { char::REPLACEMENT_CHARACTER };
        match self {
            Charset::Utf8 | Charset::Unknown => String::from_utf8_lossy(bytes),
            Charset::Latin1 => bytes.iter().map(|byte| char::from(*byte)).collect(),
            Charset::Ascii => bytes.iter().map(ascii).collect(),
        }
    }
}

/// Decodes `UTF-8'en'%e2%82%ac`. A text without the two quotes is in the charset `before`. In an unknown charset, the text stays as
/// it is.
fn decode_extended(text: &str, before: Charset) -> (String, Charset) {
    let mut parts = text.splitn(3, '\'');
    let (charset, value) = match (parts.next(), parts.next(), parts.next()) {
        (Some(charset), Some(_), Some(value)) => (Charset::named(charset), value),
        _ => (before, text),
    };
    let decoded = match charset {
        Charset::Unknown => value.to_owned(),
        known => known.decode(&Cow::from(percent_decode_str(value))).into_owned(),
    };
    (decoded, charset)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

    #[test]
    fn values_and_parameters_are_told_apart() {
        let cases: [Case; 27] = [
            ("text/html; charset=utf-8", "text/html", &[("charset", "utf-8")]),
            ("Multipart/Form-Data;Boundary=\"a b;c\"", "multipart/form-data", &[("boundary", "a b;c")]),
            (
                r#"form-data; name="a\"b"; filename="C:\\x""#,
                "form-data",
                &[("name", "a\"b"), ("filename", r"C:\x")],
            ),
            (r#"form-data; filename="C:\dir\x""#, "form-data", &[("filename", r"C:\dir\x")]),
            (r#"form-data; filename="\\srv\f""#, "form-data", &[("filename", r"\\srv\f")]),
            (r#"form-data; name="\\srv\f""#, "form-data", &[("name", r"\srv\f")]),
            ("form-data; filename*=UTF-8''%e2%82%ac.txt", "form-data", &[("filename", "€.txt")]),
            ("form-data; filename*=utf-8'en'b; filename=\"a\"", "form-data", &[("filename", "b")]),
            ("form-data; filename*=iso-8859-1''%e9", "form-data", &[("filename", "é")]),
            ("form-data; filename*=ISO-8859-1''%e9", "form-data", &[("filename", "é")]),
            ("form-data; filename*=plain", "form-data", &[("filename", "plain")]),
            ("form-data; name=\"a%22b\"", "form-data", &[("name", "a\"b")]),
            ("form-data; filename=\"a%22%0D%0Ab%5C\"", "form-data", &[("filename", "a\"%0D%0Ab%5C")]),
            ("form-data; filename*=windows-1252''%e9", "form-data", &[("filename", "%e9")]),
            ("form-data; filename*=us-ascii''%41%e9", "form-data", &[("filename", "A\u{fffd}")]),
            ("form-data; filename*=utf-8''%22%ff", "form-data", &[("filename", "\"\u{fffd}")]),
            ("form-data; filename*0=ab; filename*1=\"c;d\"", "form-data", &[("filename", "abc;d")]),
            (
                "form-data; filename=x; filename*0*=utf-8''a%20; filename*1*=%C3%A9; filename*2=%22",
                "form-data",
                &[("filename", "a \u{e9}\"")],
            ),
            ("a; b*0*=iso-8859-1''%e9; c=1; b*1*=%e9", "a", &[("b", "%e9"), ("c", "1")]),
            ("a; b**=1; b*x=2; *=3; *0*=4", "a", &[("b*", "1"), ("b*x", "2")]),
            ("a; b=1; b=2", "a", &[("b", "2")]),
            ("a;b", "a", &[]),
            ("a; b=\"x", "a", &[("b", "\"x")]),
            ("a, b; c=d", "a", &[("c", "d")]),
            (" ; x=1", "", &[("x", "1")]),
            ("a; =;;=\"\\", "a", &[]),
            ("", "", &[]),
        ];
        for (header, value, expected) in cases {
            let (got, options) = parse(header);
            assert_eq!(got, value, "{header}");
            for (name, text) in expected {
                assert_eq!(get(&options, name), Some(*text), "{header}");
            }
            assert_eq!(expected.is_empty(), options.iter().all(|(name, _)| name.is_empty()), "{header}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let pieces = ["a", "name", "*", "0", "=", ";", ",", "\"", "\\", "'", "utf-8", "%f", "%ff", " ", "é"];
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..20_000 {
            let text: String = (0..random.usize(..16)).filter_map(|_| random.choice(pieces)).collect();
            assert!(parse(&text).1.len() <= text.len(), "{text}");
        }
    }
}
