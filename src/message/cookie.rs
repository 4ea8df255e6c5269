//! The `Cookie` header, parsed as by Werkzeug 2.0: lenient, in order, with repeated names.

use crate::message::form::Pairs;
use crate::message::form::options::quoted_len;

/// Parses names and values of a `Cookie` header, in order. A quoted value may have `;` and escapes (`\"`, `\054`), any value may
/// have `=`. A name without a value has an empty one. Invalid UTF-8 from escapes is replaced.
pub(crate) fn parse(header: &str) -> Pairs {
    let mut cookies = Pairs::new();
    let mut rest = header;
    loop {
        rest = rest.trim_start_matches(['=', ';']);
        if rest.is_empty() {
            return cookies;
        }
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let name = rest[..end].trim_ascii();
        let value;
        (value, rest) = match rest[end..].strip_prefix('=') {
            Some(after) => split_value(after.trim_ascii_start()),
            None => ("", &rest[end..]),
        };
        if !name.is_empty() {
            cookies.push((name.to_owned(), unquote(value)));
        }
    }
}

/// Splits `text` into its first value, still quoted, and the rest from the `;` on.
fn split_value(text: &str) -> (&str, &str) {
    // A closing quote counts only right before a `;` or the end.
    let quoted = quoted_len(text).filter(|len| {
        let after = text[*len..].trim_ascii_start();
        after.is_empty() || after.starts_with(';')
    });
    let from = quoted.unwrap_or(0);
    let end = text[from..].find(';').map_or(text.len(), |at| from + at);
    (text[..end].trim_ascii_end(), &text[end..])
}

/// Removes quotes and escapes from a value: `\ooo` is a byte in octal, `\x` is `x`.
fn unquote(value: &str) -> String {
    let Some(inner) = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')) else {
        return value.to_owned();
    };
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.as_bytes();
    while let [first, after @ ..] = rest {
        rest = match (first, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..]) => {
                bytes.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                after
            }
            (b'\\', [escaped, after @ ..]) => {
                bytes.push(*escaped);
                after
            }
            _ => {
                bytes.push(*first);
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The expectations are answers of Werkzeug 2.0.3.
    #[test]
    fn cookies_are_read_as_werkzeug_reads_them() {
        let cases: [(&str, &[(&str, &str)]); 19] = [
            ("a=1; b=2", &[("a", "1"), ("b", "2")]),
            ("a=\"x y; z\"; b", &[("a", "x y; z"), ("b", "")]),
            ("a=1; a=2", &[("a", "1"), ("a", "2")]),
            ("=x; b=1", &[("x", ""), ("b", "1")]),
            ("a==b=c", &[("a", "=b=c")]),
            (" a = b ; c", &[("a", "b"), ("c", "")]),
            (r#"a="\"q\054"; z="u\303\251""#, &[("a", "\"q,"), ("z", "ué")]),
            (r#"a="x" y; b=2"#, &[("a", "\"x\" y"), ("b", "2")]),
            ("a=\"x", &[("a", "\"x")]),
            (r#"a="x;y" ; b=1"#, &[("a", "x;y"), ("b", "1")]),
            ("k;;v=1", &[("k", ""), ("v", "1")]),
            (";", &[]),
            ("", &[]),
            ("=\"", &[("\"", "")]),
            ("a=%20", &[("a", "%20")]),
            ("a=b,c=d", &[("a", "b,c=d")]),
            (r#"a="\377""#, &[("a", "\u{fffd}")]),
            (r#"a="x\"; b=1"#, &[("a", "x\\"), ("b", "1")]),
            ("é=ü", &[("é", "ü")]),
        ];
        for (header, expected) in cases {
            let expected: Pairs = expected.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
            assert_eq!(parse(header), expected, "{header}");
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..20_000 {
            let pieces = ["a", "=", ";", "\"", "\\", "\\07", " ", "é", "\t"];
            let text: String = (0..random.usize(..24)).filter_map(|_| random.choice(pieces)).collect();
            assert!(parse(&text).iter().all(|(name, _)| !name.is_empty()), "{text}");
        }
    }
}
