//! Parses the head of a request: request line, fields and framing. It is as strict as RFC 9112 wants a server to be. So no
//! client can make it see other requests than the proxy in front of it sees (request smuggling).

mod fields;
mod target;

use crate::limits::Limits;
use crate::method::Method;
use crate::refusal::Reason;
use crate::status::HTTPVersion;
use fields::Meaning;
use httparse::{EMPTY_HEADER, Error, Status};
use std::ops::Range;

/// A complete and valid head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// The whole head as received.
    pub bytes: Box<[u8]>,
    pub fields: Vec<Field>,
    pub method: Method,
    /// Request-target as sent.
    pub target: String,
    /// 1.0, or 1.1 for any later minor version.
    pub version: HTTPVersion,
    pub framing: Framing,
    /// The client keeps the connection open (RFC 9112, section 9.3).
    pub keep_alive: bool,
    /// The client waits for 100 before it sends the body (RFC 9110, section 10.1.1).
    pub expects_continue: bool,
}

/// The places of name and value in [`Head::bytes`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    name: Range<u32>,
    value: Range<u32>,
}

/// How a body is framed (RFC 9112, section 6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Empty,
    Length(u64),
    Chunked,
}

#[derive(Debug)]
pub(crate) enum Parsed {
    Partial,
    /// A head, and its length in bytes.
    Whole(Head, usize),
}

impl Head {
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        let slice = |range: &Range<u32>| &self.bytes[range.start as usize..range.end as usize];
        self.fields.iter().map(move |field| (slice(&field.name), slice(&field.value)))
    }

    /// Parses the head at the beginning of `input`.
    ///
    /// # Errors
    /// The head is invalid or over a limit, whatever follows it.
    pub(crate) fn parse(input: &[u8], limits: &Limits) -> Result<Parsed, Reason> {
        // Most heads have few fields. A table for the full limit would slow down each of them.
        let mut few = [EMPTY_HEADER; 24];
        match parse_into(input, limits, &mut few[..limits.headers.min(24)]) {
            Err(Reason::TooManyFields) if limits.headers > few.len() => {
                parse_into(input, limits, &mut vec![EMPTY_HEADER; limits.headers])
            }
            parsed => parsed,
        }
    }
}

const NO_REQUEST_LINE: Reason =
    Reason::Malformed("this is no request line: METHOD SP TARGET SP HTTP/1.1 is expected");
/// The bytes are a handshake of TLS.
pub(super) const TLS: Reason = Reason::OtherProtocol(
    400,
    "this is TLS, and this port speaks plain HTTP: use `http://`, or put a proxy in front that ends TLS",
);
pub(super) const HTTP_2: Reason = Reason::OtherProtocol(
    505,
    "this is HTTP/2, and this port speaks HTTP/1.1: let the client use that (curl --http1.1)",
);
const LONE_LF: Reason = Reason::Malformed("a line of the head ends in LF without CR");

fn parse_into<'b>(
    input: &'b [u8],
    limits: &Limits,
    table: &mut [httparse::Header<'b>],
) -> Result<Parsed, Reason> {
    let mut request = httparse::Request::new(table);
    match request.parse(input) {
        Ok(Status::Complete(length)) if length > limits.head => Err(too_long(input, limits)),
        Ok(Status::Complete(length)) => Ok(Parsed::Whole(judge(&input[..length], &request)?, length)),
        Ok(Status::Partial) => partial(input, limits),
        Err(Error::Version) => other_version(input, limits),
        Err(Error::TooManyHeaders) => Err(Reason::TooManyFields),
        Err(error) => Err(broken(input, error)),
    }
}

/// Finds errors in an incomplete head.
fn partial(input: &[u8], limits: &Limits) -> Result<Parsed, Reason> {
    if has_lone_lf(input) {
        return Err(LONE_LF);
    }
    if input.len() >= limits.head {
        return Err(too_long(input, limits));
    }
    Ok(Parsed::Partial)
}

/// Returns 414 if the request line alone is over the limit, else 431, however the head was cut into reads.
fn too_long(input: &[u8], limits: &Limits) -> Reason {
    let line = input.iter().take(limits.head).any(|byte| *byte == b'\n');
    if line { Reason::HeadTooLong } else { Reason::LineTooLong }
}

fn has_lone_lf(input: &[u8]) -> bool {
    // Folded, not searched: the compiler makes vector instructions of it.
    let pairs = input.iter().zip(input.iter().skip(1));
    input.first() == Some(&b'\n')
        || pairs.fold(false, |found, (before, byte)| found | ((*byte == b'\n') & (*before != b'\r')))
}

fn broken(input: &[u8], error: Error) -> Reason {
    let line = input.split(|byte| *byte == b'\r').next().unwrap_or_default();
    match error {
        // A handshake record of TLS (RFC 8446, section 5.1).
        _ if input.starts_with(&[0x16]) => TLS,
        Error::Token if line.contains(&b' ') && std::str::from_utf8(line).is_err() => {
            Reason::Malformed("the request target is not UTF-8")
        }
        _ if has_lone_lf(&input[..head_length(input)]) => LONE_LF,
        Error::HeaderName => Reason::Malformed(
            "a header field is not `name: value` on one line, without a space before the colon",
        ),
        Error::HeaderValue => Reason::Malformed("a header field has a control character in its value"),
        Error::NewLine => Reason::Malformed("a line of the head does not end in CR LF"),
        _ => NO_REQUEST_LINE,
    }
}

/// Returns the length of the head, or of the part that has arrived.
fn head_length(input: &[u8]) -> usize {
    input.windows(4).position(|end| end == b"\r\n\r\n").map_or(input.len(), |at| at + 4)
}

/// Handles a request line that does not end in `HTTP/1.0` or `HTTP/1.1`.
fn other_version(input: &[u8], limits: &Limits) -> Result<Parsed, Reason> {
    let Some(end) = input.iter().position(|byte| *byte == b'\n').filter(|end| *end > 0) else {
        return partial(input, limits);
    };
    let line = input[..end].strip_suffix(b"\r").ok_or(LONE_LF)?;
    let words: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [_, _, [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]] = words[..] else {
        let in_small = |word: &&[u8]| word.starts_with(b"http/");
        return Err(match words.last().is_some_and(in_small) {
            true => Reason::Malformed("the version is written `HTTP/1.1`, in capitals"),
            false => NO_REQUEST_LINE,
        });
    };
    match (major, minor) {
        // RFC 9110, section 2.5: a later minor version is served as the highest known one.
        (b'1', b'2'..=b'9') => {
            let mut known = input.to_vec();
            known[line.len() - 1] = b'1';
            Head::parse(&known, limits)
        }
        (b'2', b'0'..=b'9') => Err(HTTP_2),
        (b'0' | b'3'..=b'9', b'0'..=b'9') => {
            Err(Reason::Unsupported(505, "only HTTP/1.0 and HTTP/1.1 are spoken here"))
        }
        _ => Err(NO_REQUEST_LINE),
    }
}

/// Checks a complete head, and finds what its fields mean together.
fn judge(bytes: &[u8], request: &httparse::Request<'_, '_>) -> Result<Head, Reason> {
    let (Some(method), Some(target), Some(minor)) = (request.method, request.path, request.version) else {
        return Err(NO_REQUEST_LINE);
    };
    // httparse accepts a lone LF as the end of a line. A proxy that does not would see other lines than this server.
    if has_lone_lf(bytes) {
        return Err(LONE_LF);
    }
    let mut fields = Vec::with_capacity(request.headers.len());
    let mut meaning = Meaning::default();
    for header in request.headers.iter() {
        meaning.add(header.name.as_bytes(), header.value)?;
        let place = |part| range_of(part, bytes);
        fields.push(Field { name: place(header.name.as_bytes()), value: place(header.value) });
    }
    let method = Method::from_token(method);
    target::check(target, &method)?;
    let old = minor == 0;
    Ok(Head {
        framing: meaning.framing(old)?,
        keep_alive: meaning.keeps_alive(old),
        expects_continue: meaning.expects_continue(old)?,
        bytes: bytes.into(),
        fields,
        method,
        target: target.to_owned(),
        version: HTTPVersion(1, minor),
    })
}

/// Returns the place of `part` in `whole`, which contains it. A head is at most 1 MiB long.
fn range_of(part: &[u8], whole: &[u8]) -> Range<u32> {
    let start = (part.as_ptr() as usize).saturating_sub(whole.as_ptr() as usize);
    let narrow = |end: usize| u32::try_from(end.min(whole.len())).unwrap_or(u32::MAX);
    narrow(start)..narrow(start + part.len())
}

#[cfg(test)]
mod tests;
