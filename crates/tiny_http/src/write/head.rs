//! The head of an answer: status line, fields and framing (RFC 9112, sections 4, 6 and 9; RFC 9110, sections 6.6.1 and 8.6).

use crate::clock;
use crate::header::{is_name, is_value};
use crate::status::StatusCode;
use std::cell::RefCell;
use std::io;

/// The end of an answer: what happens to the connection after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// The connection serves the next request, unless the client or a limit ends it.
    Next,
    /// The connection ends.
    Close,
    /// The connection is reset.
    Reset,
}

/// Properties of a request that its answer depends on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context {
    /// HTTP/1.0.
    pub old: bool,
    pub head_only: bool,
    pub keep_alive: bool,
}

impl Context {
    pub(crate) fn then(self) -> Then {
        if self.keep_alive { Then::Next } else { Then::Close }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyFraming {
    /// No body, and no field about it: 1xx, 204, and 304 of which no length is known.
    None,
    /// A declared length. HEAD and 304 declare a length without a body.
    Length(u64),
    Chunked,
    UntilClose,
}

impl BodyFraming {
    pub(crate) fn new(status: u16, length: Option<u64>, context: Context) -> BodyFraming {
        match length {
            _ if status < 200 || status == 204 => BodyFraming::None,
            // 205 has no body, but clients learn that from the length only, unlike for 204 and 304 (RFC 9110, section 15.3.6).
            _ if status == 205 => BodyFraming::Length(0),
            // A length of 0 would say that the content of the 200 is empty (RFC 9110, section 8.6).
            Some(0) if status == 304 => BodyFraming::None,
            Some(length) => BodyFraming::Length(length),
            None if context.old => BodyFraming::UntilClose,
            None => BodyFraming::Chunked,
        }
    }
}

/// Whether an answer has a body. Answers to HEAD have none, nor do 1xx, 204, 205 and 304 (RFC 9110, section 6.4.1).
pub(crate) fn has_body(status: u16, context: Context) -> bool {
    !context.head_only && status >= 200 && !matches!(status, 204 | 205 | 304)
}

/// Fields that belong to the connection. The engine writes them itself, and drops the program's.
const OF_THE_CONNECTION: [&[u8]; 6] =
    [b"connection", b"content-length", b"transfer-encoding", b"trailer", b"upgrade", b"keep-alive"];

fn is_of_the_connection(name: &[u8]) -> bool {
    matches!(name.len(), 7 | 10 | 14 | 17)
        && OF_THE_CONNECTION.iter().any(|own| name.eq_ignore_ascii_case(own))
}

/// Returns the length that a field of the program declares: for HEAD, the program may know a length without having the body.
fn declared(name: &[u8], value: &[u8], context: Context) -> Option<u64> {
    let is_length = context.head_only && name.eq_ignore_ascii_case(b"content-length");
    let digits =
        std::str::from_utf8(value).ok().filter(|_| is_length && value.iter().all(u8::is_ascii_digit))?;
    digits.parse().ok()
}

/// Appends a head to `out`. Without `reason`, it has the standard phrase. For HEAD, a `Content-Length` among `fields` takes the place
/// of the length in `framing`.
///
/// # Errors
/// The reason or a field has a line end, which would start a line of its own. Or the name of a field is no token.
pub(crate) fn write_head<'f>(
    out: &mut Vec<u8>,
    (status, reason): (u16, Option<&[u8]>),
    fields: impl Iterator<Item = (&'f [u8], impl AsRef<[u8]>)>,
    mut framing: BodyFraming,
    context: Context,
) -> io::Result<()> {
    let reason = reason.unwrap_or_else(|| StatusCode(status).default_reason_phrase().as_bytes());
    if !is_value(reason) {
        return Err(refused("the reason phrase has a line end"));
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    push_number(out, u64::from(status));
    push_all(out, &[b" ", reason, b"\r\n"]);
    let mut dated = status < 200;
    for (name, value) in fields {
        let value = value.as_ref();
        if is_of_the_connection(name) {
            if let (Some(length), BodyFraming::Length(own)) = (declared(name, value, context), &mut framing)
                && status != 205
            {
                *own = length;
            }
            continue;
        }
        if !is_name(name) || !is_value(value) {
            return Err(refused("a header field of the answer has a line end or is no token"));
        }
        dated |= name.eq_ignore_ascii_case(b"date");
        push_all(out, &[name, b": ", value, b"\r\n"]);
    }
    if !dated {
        push_date(out);
    }
    push_framing(out, framing, context);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

fn refused(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

fn push_all(out: &mut Vec<u8>, parts: &[&[u8]]) {
    out.reserve(parts.iter().map(|part| part.len()).sum());
    parts.iter().for_each(|part| push(out, part));
}

/// Appends `part` word by word. Most parts are short, and musl copies with an instruction whose start alone takes longer.
fn push(out: &mut Vec<u8>, part: &[u8]) {
    let (words, rest) = part.as_chunks::<8>();
    words.iter().for_each(|word| out.extend_from_slice(word));
    rest.iter().for_each(|byte| out.push(*byte));
}

fn push_framing(out: &mut Vec<u8>, framing: BodyFraming, context: Context) {
    match framing {
        BodyFraming::Length(length) => {
            out.extend_from_slice(b"Content-Length: ");
            push_number(out, length);
            out.extend_from_slice(b"\r\n");
        }
        BodyFraming::Chunked => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyFraming::None | BodyFraming::UntilClose => {}
    }
    if !context.keep_alive {
        out.extend_from_slice(b"Connection: close\r\n");
    } else if context.old {
        out.extend_from_slice(b"Connection: keep-alive\r\n");
    }
}

fn push_number(out: &mut Vec<u8>, number: u64) {
    push(out, itoa::Buffer::new().format(number).as_bytes());
}

thread_local! {
    /// The last second that was formatted, and its line.
    static DATE: RefCell<(u64, String)> = const { RefCell::new((0, String::new())) };
}

fn push_date(out: &mut Vec<u8>) {
    let now = clock::unix_seconds();
    DATE.with(|date| {
        let mut date = date.borrow_mut();
        if date.0 != now {
            *date = (now, format!("Date: {}\r\n", clock::http_date(now)));
        }
        push(out, date.1.as_bytes());
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Context = Context { old: false, head_only: false, keep_alive: true };

    fn head(status: u16, fields: &[(&str, &str)], length: Option<u64>, context: Context) -> String {
        let mut out = Vec::new();
        let pairs = fields.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let framing = BodyFraming::new(status, length, context);
        write_head(&mut out, (status, None), pairs, framing, context).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn writes_framing_that_fits() {
        let date = [("Date", "D")];
        let closed = Context { keep_alive: false, ..PLAIN };
        let old = Context { old: true, ..PLAIN };
        let cases = [
            (200, Some(5), PLAIN, "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 5\r\n\r\n"),
            (200, None, PLAIN, "HTTP/1.1 200 OK\r\nDate: D\r\nTransfer-Encoding: chunked\r\n\r\n"),
            (204, Some(5), PLAIN, "HTTP/1.1 204 No Content\r\nDate: D\r\n\r\n"),
            (205, Some(5), PLAIN, "HTTP/1.1 205 Reset Content\r\nDate: D\r\nContent-Length: 0\r\n\r\n"),
            (304, Some(5), PLAIN, "HTTP/1.1 304 Not Modified\r\nDate: D\r\nContent-Length: 5\r\n\r\n"),
            (304, Some(0), PLAIN, "HTTP/1.1 304 Not Modified\r\nDate: D\r\n\r\n"),
            (
                200,
                Some(0),
                closed,
                "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            ),
            (
                200,
                Some(1),
                old,
                "HTTP/1.1 200 OK\r\nDate: D\r\nContent-Length: 1\r\nConnection: keep-alive\r\n\r\n",
            ),
        ];
        for (status, length, context, expected) in cases {
            assert_eq!(head(status, &date, length, context), expected);
        }
    }

    #[test]
    fn leaves_out_fields_of_the_connection_and_adds_the_date() {
        let fields = [("Connection", "upgrade"), ("X", "y"), ("transfer-encoding", "gzip"), ("TRAILER", "a")];
        let head = head(200, &fields, Some(0), PLAIN);
        let lines: Vec<&str> = head.split("\r\n").collect();
        assert_eq!((lines[1], lines[3]), ("X: y", "Content-Length: 0"));
        assert!(
            lines[2].starts_with("Date: ") && lines[2].ends_with(" GMT") && lines[2].len() == 35,
            "{}",
            lines[2]
        );
    }

    #[test]
    fn an_answer_to_head_declares_the_length_that_the_program_gives() {
        let to_head = Context { head_only: true, ..PLAIN };
        let cases = [
            (200, "1234", to_head, Some("1234")),
            (200, "0", to_head, Some("0")),
            (404, "18446744073709551615", to_head, Some("18446744073709551615")),
            (304, "7", to_head, Some("7")),
            (200, "1234", PLAIN, Some("5")),
            (200, "+1", to_head, Some("5")),
            (200, "", to_head, Some("5")),
            (200, "18446744073709551616", to_head, Some("5")),
            (200, "1, 1", to_head, Some("5")),
            (204, "1234", to_head, None),
            (205, "1234", to_head, Some("0")),
        ];
        for (status, given, context, expected) in cases {
            let head = head(status, &[("content-LENGTH", given)], Some(5), context);
            let lengths: Vec<&str> =
                head.split("\r\n").filter_map(|line| line.strip_prefix("Content-Length: ")).collect();
            assert_eq!(lengths, expected.as_slice(), "{status} {given}");
        }
    }

    #[test]
    fn a_date_is_added_once_and_only_to_a_final_answer() {
        let cases =
            [(200, None, 1), (200, Some(("date", "D")), 1), (200, Some(("DATE", "D")), 1), (103, None, 0)];
        for (status, field, dates) in cases {
            let head = head(status, field.as_slice(), Some(0), PLAIN).to_lowercase();
            assert_eq!(head.matches("\r\ndate: ").count(), dates, "{head}");
        }
    }

    #[test]
    fn fields_with_line_ends_are_refused() {
        for (name, value) in [("X", "a\r\nb"), ("X", "a\nb"), ("X", "\0"), ("X Y", "a"), ("", "a")] {
            let fields = [(name.as_bytes(), value.as_bytes())].into_iter();
            let written = write_head(&mut Vec::new(), (200, None), fields, BodyFraming::None, PLAIN);
            assert_eq!(written.unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        let fields = [(b"X".as_slice(), b"y")].into_iter();
        assert!(
            write_head(&mut Vec::new(), (200, Some(b"a\r\nb")), fields, BodyFraming::None, PLAIN).is_err()
        );
    }
}
