//! Bodies of forms, urlencoded and multipart, as names and values.

mod indexed;
mod multipart;
pub(crate) mod options;

pub(crate) use indexed::Indexed;

use crate::message::content_coding::Flaw;
use crate::routing::quoting;
use options::Charset;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// Names and values in the order of the request; a name may repeat.
pub(crate) type Pairs = Vec<(String, String)>;

/// Limit of the parts of a multipart body: each part takes far more memory than its bytes.
pub(crate) const MAX_PARTS: usize = 1_000;

/// Limit of the fields of an urlencoded body: a field of two bytes takes about a hundred bytes of memory.
pub(crate) const MAX_FIELDS: usize = 100_000;

/// Limit of the header fields of one part, in bytes.
pub(crate) const MAX_PART_HEADERS: usize = 16 * 1024;

/// Fields and files of a body.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Form {
    pub fields: Indexed,
    pub files: Vec<Part>,
}

/// A part of a multipart body: a file if it has a file name, else a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// Name of the form field.
    pub name: String,
    /// Name of the file as the client calls it; empty if the user chose no file.
    pub filename: Option<String>,
    pub headers: Pairs,
    /// Place of the content in the body, in bytes.
    pub content: Range<usize>,
}

impl Part {
    /// Returns the content as text, in the charset of the part's `Content-Type`. `body` is the body with this part.
    pub(crate) fn text<'b>(&self, body: &'b [u8]) -> Cow<'b, str> {
        let content_type = self.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let options = content_type.map(|(_, value)| options::parse(value).1).unwrap_or_default();
        let charset = options::get(&options, "charset").map_or(Charset::Utf8, Charset::named);
        charset.decode(&body[self.content.clone()])
    }
}

/// A limit that a form exceeds. A malformed form is not an error: it counts as empty, as in Werkzeug.
#[derive(Debug, Clone, PartialEq)]
pub enum FormError {
    /// More than [`MAX_PARTS`].
    TooManyParts,
    /// More than [`MAX_FIELDS`].
    TooManyFields,
    /// More than [`MAX_PART_HEADERS`] for one part.
    HeadersTooLong,
    /// The body can't be decoded.
    Content(Flaw),
}

impl fmt::Display for FormError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed to read the form: ")?;
        match self {
            Self::TooManyParts => write!(f, "more than {MAX_PARTS} parts"),
            Self::TooManyFields => write!(f, "more than {MAX_FIELDS} fields"),
            Self::HeadersTooLong => write!(f, "more than {MAX_PART_HEADERS} bytes of headers in one part"),
            Self::Content(flaw) => flaw.fmt(f),
        }
    }
}

impl Form {
    fn new(parts: Vec<Part>, body: &[u8]) -> Form {
        let (mut fields, mut files) = (Pairs::new(), Vec::new());
        for part in parts {
            if part.filename.is_some() {
                files.push(part);
            } else {
                let text = part.text(body).into_owned();
                fields.push((part.name, text));
            }
        }
        Form { fields: fields.into(), files }
    }
}

/// Whether a body of this media type (lower case) is a form.
pub(crate) fn is_form(mimetype: &str) -> bool {
    matches!(
        mimetype,
        "application/x-www-form-urlencoded" | "application/x-url-encoded" | "multipart/form-data"
    )
}

/// Parses `body` by its `Content-Type`. The form is empty for other types, and for a multipart body that is malformed or
/// incomplete.
///
/// # Errors
/// The body exceeds a limit.
pub(crate) fn parse(content_type: &str, body: &[u8]) -> Result<Form, FormError> {
    let (mimetype, options) = options::parse(content_type);
    match mimetype.as_str() {
        "multipart/form-data" => Ok(Form::new(multipart::parts(&options, body)?, body)),
        other if is_form(other) => match body.iter().filter(|b| **b == b'&').count() < MAX_FIELDS {
            true => Ok(Form { fields: urlencoded(body).into(), ..Form::default() }),
            false => Err(FormError::TooManyFields),
        },
        _ => Ok(Form::default()),
    }
}

/// Parses the parts of a multipart `body`. Other types have no parts.
///
/// # Errors
/// The body exceeds a limit.
pub(crate) fn parts(content_type: &str, body: &[u8]) -> Result<Vec<Part>, FormError> {
    let (mimetype, options) = options::parse(content_type);
    match mimetype.as_str() {
        "multipart/form-data" => multipart::parts(&options, body),
        _ => Ok(Vec::new()),
    }
}

/// Parses `a=1&b=2`. `+` is a blank, `;` does not separate, `a` equals `a=`. An escape that can't be decoded stays, and bytes that
/// are not UTF-8 become escapes.
pub(crate) fn urlencoded(text: &[u8]) -> Pairs {
    let pairs = text.split(|b| *b == b'&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            (decode(&pair[..at]), decode(pair.get(at + 1..).unwrap_or_default()))
        })
        .collect()
}

/// Decodes a name or a value of an urlencoded form.
pub(crate) fn decode(text: &[u8]) -> String {
    let blanks: Vec<u8> = text.iter().map(|b| if *b == b'+' { b' ' } else { *b }).collect();
    quoting::decode(&blanks)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn display(pairs: &Pairs) -> String {
        pairs.iter().map(|(k, v)| format!("[{k}|{v}]")).collect()
    }

    #[test]
    fn urlencoded_text_is_read_as_werkzeug_reads_it() {
        let cases: [(&[u8], &str); 11] = [
            (b"a=1&b=2&a=3", "[a|1][b|2][a|3]"),
            (b"a&b=&=c&&", "[a|][b|][|c]"),
            (b"a=1;b=2", "[a|1;b=2]"),
            (b"a+b=c%20d%2Be", "[a b|c d+e]"),
            (b"a=b=c", "[a|b=c]"),
            (b"%zz=%", "[%zz|%]"),
            (b"k=%ff\xfe", "[k|%FF%FE]"),
            (b"%9A%BC=%C3%A9%C3", "[%9A%BC|\u{e9}%C3]"),
            (b"%C3%A9=\xc3\xa9", "[é|é]"),
            (b"", ""),
            (b"=", "[|]"),
        ];
        for (text, expected) in cases {
            assert_eq!(display(&urlencoded(text)), expected, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn the_content_type_decides_how_a_body_is_read() {
        let cases = [
            ("application/x-www-form-urlencoded; charset=utf-8", "[a|1]"),
            ("Application/X-WWW-Form-Urlencoded", "[a|1]"),
            ("text/plain", ""),
            ("multipart/form-data", ""),
            ("", ""),
        ];
        for (content_type, expected) in cases {
            let form = parse(content_type, b"a=1").map(|form| display(&form.fields));
            assert_eq!(form.as_deref(), Ok(expected), "{content_type}");
        }
    }

    #[test]
    fn the_number_of_fields_is_bounded() {
        let body = "a&".repeat(MAX_FIELDS);
        let content_type = "application/x-www-form-urlencoded";
        assert_eq!(parse(content_type, &body.as_bytes()[1..]), Err(FormError::TooManyFields));
        let fields = parse(content_type, &body.as_bytes()[2..]).map(|form| form.fields.len());
        assert_eq!(fields, Ok(MAX_FIELDS - 1));
    }

    #[test]
    fn errors_name_the_limit() {
        assert_eq!(FormError::TooManyFields.to_string(), "failed to read the form: more than 100000 fields");
        assert_eq!(FormError::TooManyParts.to_string(), "failed to read the form: more than 1000 parts");
        assert_eq!(
            FormError::HeadersTooLong.to_string(),
            "failed to read the form: more than 16384 bytes of headers in one part"
        );
    }
}
