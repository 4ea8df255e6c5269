//! The head of an answer: bytes -> status, reason and fields (RFC 9112, sections 4 and 5), and how the body ends (section 6.3).

use crate::system::digits::digits;
use httparse::{Error, ParserConfig, Status};

/// Most fields of a head.
const MOST_FIELDS: usize = 1_000;

/// The head of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    /// 0 for HTTP/1.0, 1 for HTTP/1.1.
    pub minor: u8,
    /// From 100 to 999.
    pub status: u16,
    /// The words after the status; may be empty.
    pub reason: String,
    /// In the order in which they came, with the names as they came.
    pub fields: Vec<(String, String)>,
}

/// How a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// There is no body.
    Empty,
    /// After so many bytes.
    Length(u64),
    Chunked,
    /// With the connection.
    UntilClose,
}

impl Head {
    /// Parses the head at the beginning of `bytes`, and returns it with its length. `None` where it has not arrived in full.
    ///
    /// # Errors
    /// The reason why the bytes are no head.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Option<(Head, usize)>, &'static str> {
        let mut config = ParserConfig::default();
        config.allow_multiple_spaces_in_response_status_delimiters(true);
        let mut fields = vec![httparse::EMPTY_HEADER; 64];
        loop {
            let mut response = httparse::Response::new(&mut fields);
            match config.parse_response(&mut response, bytes) {
                Ok(Status::Complete(length)) => return Ok(Some((Head::from_parsed(&response), length))),
                Ok(Status::Partial) => return Ok(None),
                Err(Error::TooManyHeaders) if fields.len() < MOST_FIELDS => {
                    fields.resize(MOST_FIELDS, httparse::EMPTY_HEADER);
                }
                Err(Error::TooManyHeaders) => return Err("its head has over 1000 fields"),
                Err(Error::HeaderName | Error::HeaderValue | Error::NewLine) => {
                    return Err("one of its headers is malformed");
                }
                Err(_) => return Err("it is no HTTP"),
            }
        }
    }

    fn from_parsed(response: &httparse::Response) -> Head {
        let text = |bytes: &[u8]| bytes.iter().map(|byte| char::from(*byte)).collect::<String>();
        Head {
            minor: response.version.unwrap_or(1),
            status: response.code.unwrap_or(0),
            reason: response.reason.unwrap_or_default().to_owned(),
            fields: response.headers.iter().map(|field| (field.name.to_owned(), text(field.value))).collect(),
        }
    }

    /// Returns the values of the fields with this `name`, in any case.
    pub(crate) fn all<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.fields
            .iter()
            .filter(move |(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| &**value)
    }

    /// Returns the words of all fields with this `name`, which is that of a list (RFC 9110, section 5.6.1).
    pub(crate) fn words<'h>(&'h self, name: &'h str) -> impl Iterator<Item = &'h str> {
        self.all(name).flat_map(|value| value.split(',')).map(str::trim).filter(|word| !word.is_empty())
    }

    /// Whether the server closes the connection after this answer.
    pub(crate) fn closes(&self) -> bool {
        let says = |word: &str| self.words("connection").any(|given| given.eq_ignore_ascii_case(word));
        says("close") || self.minor == 0 && !says("keep-alive")
    }

    /// Returns how the body ends of the answer to a request with `method`, in the order of RFC 9112, section 6.3.
    ///
    /// # Errors
    /// The reason why nobody knows.
    pub(crate) fn framing(&self, method: &str) -> Result<Framing, &'static str> {
        if method == "HEAD" || self.status < 200 || matches!(self.status, 204 | 304) {
            return Ok(Framing::Empty);
        }
        let mut codings = self.words("transfer-encoding");
        if let Some(first) = codings.next() {
            let chunked = first.eq_ignore_ascii_case("chunked") && codings.next().is_none();
            return if chunked { Ok(Framing::Chunked) } else { Err("its transfer coding is not chunked") };
        }
        let mut lengths = self.words("content-length");
        let Some(first) = lengths.next() else { return Ok(Framing::UntilClose) };
        if lengths.any(|other| other != first) {
            return Err("it has two lengths");
        }
        digits(first).map(Framing::Length).ok_or("its length is no number")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_parsed_once_they_are_complete() {
        let bytes = b"HTTP/1.1 201 Created\r\nA: b\r\nConnection: x, Close\r\nContent-Length: 2\r\n\r\nhi";
        for end in 0..bytes.len() - 2 {
            assert_eq!(Head::parse(&bytes[..end]), Ok(None), "{end}");
        }
        let (head, length) = Head::parse(bytes).unwrap().unwrap();
        assert_eq!((head.status, head.reason.as_str(), length), (201, "Created", bytes.len() - 2));
        assert!(head.closes());
        assert_eq!(head.framing("GET"), Ok(Framing::Length(2)));
        assert_eq!(head.framing("HEAD"), Ok(Framing::Empty));
    }
}
