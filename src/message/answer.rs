//! The answer of a view function, an error handler or the admin interface, before the engine sends it.

use crate::directory::Content;
use crate::routing::method::is_token;
use std::borrow::Cow;
use std::collections::HashSet;

/// Media type of text from a view, as in Flask.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// Media type of maps, lists and the admin interface.
pub(crate) const JSON: &str = "application/json";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Status code, 200-999.
    pub status: u16,
    /// Reason phrase if the script gave one (`"404 NOT FOUND"`). `None` sends the standard phrase.
    pub reason: Option<String>,
    /// Header fields in order; a name may repeat. The engine adds `Content-Length`, `Date` and `Connection`.
    pub headers: Fields,
    /// Body; the engine leaves it out for HEAD, 204, 205 and 304.
    pub body: Content,
}

/// Header fields. Most names and many values are constants of the program.
pub(crate) type Fields = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// Up to this number, names are compared one by one.
const FEW: usize = 8;

/// Limit of header fields of an answer. Clients read between 100 (Python) and some thousands.
const MOST_HEADERS: usize = 1_000;

/// Limit of the bytes of all header values together.
const MOST_HEADER_BYTES: usize = 1 << 20;

/// Adds `bytes` of a header value to `used`. Fails beyond the limit of an answer.
pub(crate) fn check_bytes(used: &mut usize, bytes: usize) -> Result<(), String> {
    *used = used.saturating_add(bytes);
    if *used > MOST_HEADER_BYTES {
        return Err(format!("the headers of an answer take at most {MOST_HEADER_BYTES} bytes"));
    }
    Ok(())
}

/// Fails if an answer can't have this number of header fields.
pub(crate) fn check_count(headers: usize) -> Result<(), String> {
    if headers > MOST_HEADERS {
        return Err(format!(
            "an answer has at most {MOST_HEADERS} headers, and this one would have {headers}"
        ));
    }
    Ok(())
}

impl Answer {
    pub fn new(status: u16, content_type: impl Into<Cow<'static, str>>, body: impl Into<Vec<u8>>) -> Answer {
        let headers = vec![("Content-Type".into(), content_type.into())];
        Answer { status, headers, body: Content::Bytes(body.into()), ..Answer::default() }
    }

    /// Returns an answer of HTML, the type of text in Flask.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::new(status, HTML, body)
    }

    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::new(status, "text/plain; charset=utf-8", body)
    }

    /// Returns the first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Sets header `name` to one value, in place of all its values.
    pub fn set_header(&mut self, name: &str, value: impl Into<Cow<'static, str>>) {
        let value = value.into();
        match self.headers.iter().position(|(key, _)| key.eq_ignore_ascii_case(name)) {
            Some(first) => {
                self.headers[first].1 = value;
                let mut index = 0;
                self.headers.retain(|(key, _)| {
                    index += 1;
                    index <= first + 1 || !key.eq_ignore_ascii_case(name)
                });
            }
            None => self.headers.push((name.to_owned().into(), value)),
        }
    }

    /// Adds header fields.
    ///
    /// # Errors
    /// The answer would have too many. Nothing is added then.
    pub fn add_headers(&mut self, mut fields: Fields) -> Result<(), String> {
        check_count(self.headers.len() + fields.len())?;
        self.headers.append(&mut fields);
        Ok(())
    }

    /// Replaces all headers of these `names` by `fields`. Takes time in proportion to their number.
    ///
    /// # Errors
    /// The answer would have too many headers. Nothing changes then.
    pub fn replace_headers(&mut self, names: &[&str], mut fields: Fields) -> Result<(), String> {
        let many: Option<HashSet<String>> =
            (names.len() > FEW).then(|| names.iter().map(|name| name.to_ascii_lowercase()).collect());
        let goes = |known: &str| match &many {
            Some(names) => names.contains(&known.to_ascii_lowercase()),
            None => names.iter().any(|name| known.eq_ignore_ascii_case(name)),
        };
        let kept = self.headers.iter().filter(|(name, _)| !goes(name)).count();
        check_count(kept + fields.len())?;
        self.headers.retain(|(name, _)| !goes(name));
        self.headers.append(&mut fields);
        Ok(())
    }

    /// Removes all values of header `name`.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

/// Fails unless the name is a token and the value can be sent: without control characters ([`check_line`]), and of characters that
/// are one byte ([`super::latin1`]). Flask fails at others, too.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), String> {
    check_line(name, value)?;
    if value.is_ascii() {
        return Ok(());
    }
    match value.chars().find(|character| *character > '\u{ff}') {
        Some(character) => Err(format!(
            "header `{name}` has `{character}` in its value: headers have characters up to U+00FF (ISO 8859-1), so encode the \
             value, for example by urllib.quote(value)"
        )),
        None => Ok(()),
    }
}

/// Fails unless the name is a token and the value has no line ends or other control characters (RFC 9110, section 5.5): these
/// could start another header or another answer.
pub(crate) fn check_line(name: &str, value: &str) -> Result<(), String> {
    if !is_token(name) {
        return Err(format!("header name `{}` has characters that headers can't have", name.escape_debug()));
    }
    if value.bytes().any(|byte| (byte < 0x20 && byte != b'\t') || byte == 0x7f) {
        return Err(format!(
            "header `{name}` has a line end or control character in its value `{}`",
            value.escape_debug()
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_with_line_ends_are_refused() {
        let cases = [
            ("X", "a\r\nB: c", "header `X` has a line end or control character in its value `a\\r\\nB: c`"),
            ("X Y", "a", "header name `X Y` has characters that headers can't have"),
            ("", "a", "header name `` has characters that headers can't have"),
            ("X", "a\0", "header `X` has a line end or control character in its value `a\\0`"),
            (
                "X",
                "10 \u{20ac}",
                "header `X` has `\u{20ac}` in its value: headers have characters up to U+00FF (ISO 8859-1), so encode the value, \
                 for example by urllib.quote(value)",
            ),
            ("X", "\u{7f}", "header `X` has a line end or control character in its value `\\u{7f}`"),
        ];
        for (name, value, error) in cases {
            assert_eq!(check_header(name, value).unwrap_err(), error);
        }
        assert_eq!(check_header("X-A", "tab\tand ünïcode"), Ok(()));
    }

    #[test]
    fn sets_and_removes_headers_in_any_case() {
        let headers = ["A", "b", "a", "C"].map(|name| (name.into(), "1".into())).to_vec();
        let mut answer = Answer { headers, ..Answer::default() };
        answer.set_header("a", "2");
        let pairs: Vec<String> =
            answer.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["A=2", "b=1", "C=1"]);
        answer.remove_header("B");
        assert_eq!(answer.header("b"), None);
    }

    #[test]
    fn headers_are_replaced_in_any_case_few_and_many_alike() {
        let named = |count: usize, prefix: &str| -> Vec<String> {
            (0..count).map(|number| format!("{prefix}-{number}")).collect()
        };
        let fields = |names: &[String], value: &'static str| -> Fields {
            names.iter().map(|name| (name.clone().into(), value.into())).collect()
        };
        for count in [1, FEW, FEW + 1, 400] {
            let mut answer = Answer { headers: fields(&named(500, "X"), "old"), ..Answer::default() };
            let names = named(count, "x");
            let borrowed: Vec<&str> = names.iter().map(String::as_str).collect();
            answer.replace_headers(&borrowed, fields(&names, "new")).unwrap();
            assert_eq!(
                (answer.headers.len(), answer.header("X-0"), answer.header("x-499")),
                (500, Some("new"), Some("old"))
            );
            answer.add_headers(fields(&named(500, "Y"), "1")).unwrap();
            let before = answer.clone();
            let many = "an answer has at most 1000 headers, and this one would have 1001";
            assert_eq!(answer.add_headers(fields(&named(1, "Z"), "1")).unwrap_err(), many);
            let names = [fields(&named(2, "Y"), "1"), fields(&named(1, "Z"), "1")].concat();
            assert_eq!(answer.replace_headers(&["y-0", "y-1"], names).unwrap_err(), many);
            assert_eq!(answer, before);
        }
    }
}
