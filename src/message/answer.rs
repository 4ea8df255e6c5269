//! The answer of a view function, an error handler or the admin interface, before it is bytes on a connection.

use crate::directory::Content;
use crate::routing::method::is_token;
use std::borrow::Cow;
use std::collections::HashSet;

/// Media type of text that a view returns, as in Flask.
pub(crate) const HTML: &str = "text/html; charset=utf-8";
/// Media type of maps, lists and the admin interface.
pub(crate) const JSON: &str = "application/json";

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Answer {
    /// Status code, 200-999.
    pub status: u16,
    /// Reason phrase where the script gave one (`"404 NOT FOUND"`), else the standard one is sent.
    pub reason: Option<String>,
    /// Header fields in order; a name may repeat. `Content-Length`, `Date` and `Connection` are the connection's.
    pub headers: Fields,
    /// Body as it leaves, before HEAD, 204, 205 and 304 take it away.
    pub body: Content,
}

/// Header fields: most names and many values are known when the program is built.
pub(crate) type Fields = Vec<(Cow<'static, str>, Cow<'static, str>)>;

/// Up to so many names are compared one by one.
const FEW: usize = 8;

/// Header fields that an answer may have. A client reads 100 (Python) to some thousands.
const MOST_HEADERS: usize = 1_000;

/// Bytes of all values of its header fields.
const MOST_HEADER_BYTES: usize = 1 << 20;

/// Takes `bytes` of a header value off what an answer has room for; `used` counts them.
pub(crate) fn check_bytes(used: &mut usize, bytes: usize) -> Result<(), String> {
    *used = used.saturating_add(bytes);
    if *used > MOST_HEADER_BYTES {
        return Err(format!("the headers of an answer take at most {MOST_HEADER_BYTES} bytes"));
    }
    Ok(())
}

/// Whether an answer can have so many header fields.
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

    /// HTML, as Flask answers text.
    pub fn html(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::new(status, HTML, body)
    }

    pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Answer {
        Answer::new(status, "text/plain; charset=utf-8", body)
    }

    /// The first value of header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// Sets header `name` to one value, in place of all that it has.
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
    /// There would be too many, and none is added.
    pub fn add_headers(&mut self, mut fields: Fields) -> Result<(), String> {
        check_count(self.headers.len() + fields.len())?;
        self.headers.append(&mut fields);
        Ok(())
    }

    /// Puts `fields` in place of all headers of these `names`. Takes time in proportion to their number.
    ///
    /// # Errors
    /// There would be too many, and nothing has changed.
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

    /// Drops all values of header `name`.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

/// Whether header `name` with `value` can be sent: a name of token characters, a value without line ends or other control
/// characters (RFC 9110, section 5.5). Anything else could start a header or an answer of its own.
pub(crate) fn check_header(name: &str, value: &str) -> Result<(), String> {
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
    fn refuses_headers_that_would_start_lines_of_their_own() {
        let cases = [
            ("X", "a\r\nB: c", "header `X` has a line end or control character in its value `a\\r\\nB: c`"),
            ("X Y", "a", "header name `X Y` has characters that headers can't have"),
            ("", "a", "header name `` has characters that headers can't have"),
            ("X", "a\0", "header `X` has a line end or control character in its value `a\\0`"),
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
