//! `Content-Disposition` of a file (RFC 6266), with names beyond ASCII by RFC 8187.

use crate::routing::method::is_token;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Characters that an extended value must encode: all but `attr-char` (RFC 8187, section 3.2.1).
const ENCODED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// ASCII letters for U+00C0 to U+017F: what remains of them without their accents. `_` stands for nothing.
const LATIN: &str = "AAAAAA_CEEEEIIII_NOOOOO__UUUUY__aaaaaa_ceeeeiiii_nooooo__uuuuy_yAaAaAaCcCcCcCcDd__EeEeEeEeEeGgGgGgGgHh__\
     IiIiIiIiI___JjKk_LlLlLlLl__NnNnNnn__OoOoOo__RrRrRrSsSsSsSsTtTt__UuUuUuUuUuUuWwYyYZzZzZzs";

/// The same for U+1E00 to U+1EFF, which has the letters of Vietnamese.
const LATIN_ADDITIONAL: &str = "AaBbBbBbCcDdDdDdDdDdEeEeEeEeEeFfGgHhHhHhHhHhIiIiKkKkKkLlLlLlLlMmMmMmNnNnNnNnOoOoOoOoPpPpRrRrRrRrSsSsSsSsSs\
     TtTtTtTtUuUuUuUuUuVvVvWwWwWwWwWwXxXxYyZzZzZzhtwyas____AaAaAaAaAaAaAaAaAaAaAaAaEeEeEeEeEeEeEeEeIiIiOoOoOoOoOoOoOoOoOoOoOoOo\
     UuUuUuUuUuUuUuYyYyYyYy______";

/// Returns the header value for `name`: `attachment; filename=a.txt`, or `inline`.
///
/// A name beyond ASCII is sent twice, as Werkzeug does: without its accents for old clients, and whole as `filename*`.
pub(crate) fn value(attachment: bool, name: &str) -> String {
    let kind = if attachment { "attachment" } else { "inline" };
    if name.is_ascii() {
        return format!("{kind}; filename={}", quoted(name));
    }
    let plain: String = name.chars().filter_map(ascii).collect();
    format!("{kind}; filename={}; filename*=UTF-8''{}", quoted(&plain), utf8_percent_encode(name, &ENCODED))
}

fn quoted(name: &str) -> String {
    if is_token(name) {
        return name.to_owned();
    }
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Returns the letter without its accent; `None` where ASCII has none.
fn ascii(letter: char) -> Option<char> {
    let code = letter as usize;
    let found = match code {
        0..0x80 => return Some(letter),
        0xa0 => b' ',
        0xc0..0x180 => *LATIN.as_bytes().get(code - 0xc0)?,
        0x1e00..0x1f00 => *LATIN_ADDITIONAL.as_bytes().get(code - 0x1e00)?,
        // The wide forms of ASCII in Chinese and Japanese fonts.
        0xff01..0xff5f => u8::try_from(code - 0xfee0).ok()?,
        _ => return None,
    };
    (found != b'_' || code == 0xff3f).then_some(char::from(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Werkzeug 3.1 writes them.
    #[test]
    fn names_are_tokens_or_quoted_and_sent_twice_beyond_ascii() {
        let table = [
            ("a.txt", "inline; filename=a.txt"),
            ("a b.txt", r#"inline; filename="a b.txt""#),
            (r#"a"\b"#, r#"inline; filename="a\"\\b""#),
            ("a;b", r#"inline; filename="a;b""#),
            ("", r#"inline; filename="""#),
            ("naïve.txt", "inline; filename=naive.txt; filename*=UTF-8''na%C3%AFve.txt"),
            ("Ærø ß.txt", r#"inline; filename="r .txt"; filename*=UTF-8''%C3%86r%C3%B8%20%C3%9F.txt"#),
            (
                "Łódź'(1)*.txt",
                r#"inline; filename="odz'(1)*.txt"; filename*=UTF-8''%C5%81%C3%B3d%C5%BA%27%281%29%2A.txt"#,
            ),
            ("Tiếng Việt", r#"inline; filename="Tieng Viet"; filename*=UTF-8''Ti%E1%BA%BFng%20Vi%E1%BB%87t"#),
            ("漢.txt", "inline; filename=.txt; filename*=UTF-8''%E6%BC%A2.txt"),
            ("漢", r#"inline; filename=""; filename*=UTF-8''%E6%BC%A2"#),
            ("ａ＿１", "inline; filename=a_1; filename*=UTF-8''%EF%BD%81%EF%BC%BF%EF%BC%91"),
        ];
        for (name, expected) in table {
            assert_eq!(value(false, name), expected, "{name}");
        }
        assert_eq!(value(true, "a"), "attachment; filename=a");
        assert_eq!((LATIN.len(), LATIN_ADDITIONAL.len()), (0xc0, 0x100));
    }
}
