//! Header values with parameters (`multipart/form-data; boundary=x`, `form-data; name="a"; filename*=UTF-8''b`).

use super::Pairs;
use percent_encoding::percent_decode_str;

/// Parses a value and its parameters. The value and the names of parameters are in lower case, the values of parameters without
/// quotes. `name*=` is decoded (RFC 8187) and wins over a plain `name=`. A parameter without a value is left out.
pub(crate) fn parse(header: &str) -> (String, Pairs) {
    let (value, mut rest) = header.split_once(';').unwrap_or((header, ""));
    let value = value.split(',').next().unwrap_or_default().trim().to_ascii_lowercase();
    let mut plain = Pairs::new();
    let mut extended = Pairs::new();
    while !rest.is_empty() {
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let name = rest[..end].trim().to_ascii_lowercase();
        let Some(after) = rest[end..].strip_prefix('=') else {
            rest = rest.get(end + 1..).unwrap_or_default();
            continue;
        };
        let (text, after) = split_value(after.trim_start());
        rest = after;
        match name.strip_suffix('*') {
            Some(name) => {
                extended.push((name.trim_end().to_owned(), decode_extended(text.trim_matches('"'))))
            }
            None => plain.push((name.clone(), unquote(text, name == "filename"))),
        }
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

/// Decodes `UTF-8'en'%e2%82%ac`. A text without the two quotes stays as it is.
fn decode_extended(text: &str) -> String {
    let mut parts = text.splitn(3, '\'');
    let (Some(charset), Some(_), Some(value)) = (parts.next(), parts.next(), parts.next()) else {
        return text.to_owned();
    };
    let bytes = percent_decode_str(value);
    match charset.eq_ignore_ascii_case("iso-8859-1") {
        true => bytes.map(char::from).collect(),
        false => bytes.decode_utf8_lossy().into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

    #[test]
    fn values_and_parameters_are_told_apart() {
        let cases: [Case; 19] = [
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
            ("form-data; name=\"a%22b\"", "form-data", &[("name", "a%22b")]),
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
        let pieces = ["a", "name", "*", "=", ";", ",", "\"", "\\", "'", "utf-8", "%f", "%ff", " ", "é"];
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..20_000 {
            let text: String = (0..random.usize(..16)).filter_map(|_| random.choice(pieces)).collect();
            assert!(parse(&text).1.len() <= text.len(), "{text}");
        }
    }
}
