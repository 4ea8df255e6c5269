//! Bytes of a connection -> status, headers and body. It blocks.

use super::body::Decoder;
use super::head::{Framing, Head};
use std::io::{self, BufRead, ErrorKind};

/// Largest body in bytes; the client keeps it in memory.
pub(crate) const MAX_BODY: usize = 64 << 20;
/// Largest head, in bytes.
const MAX_HEAD: usize = 64 << 10;

/// An answer of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    /// The first line, such as `HTTP/1.1 200 OK`.
    pub line: String,
    /// Three digits, whatever their meaning.
    pub status: u16,
    /// The words after the status; may be empty.
    pub reason: String,
    /// In the order in which they came, with the names as they came.
    pub headers: Vec<(String, String)>,
    /// Decoded from its transfer coding.
    pub body: Vec<u8>,
}

impl Reply {
    /// Returns the first header with this `name`, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Returns `404 Not Found`, or just `404`.
    pub(crate) fn status_text(&self) -> String {
        format!("{} {}", self.status, self.reason).trim_end().to_string()
    }

    /// Reads the answer to a request with `method`; interim answers (1xx) are skipped.
    ///
    /// # Errors
    /// `InvalidData` for an answer that is no HTTP or too large, `UnexpectedEof` for an answer that stops early, and the
    /// errors of `source`.
    pub(crate) fn read(source: &mut impl BufRead, method: &str) -> io::Result<Reply> {
        let head = read_head(source)?;
        let framing = head.framing(method).map_err(invalid)?;
        if let Framing::Length(length) = framing {
            refuse_more(usize::try_from(length).unwrap_or(usize::MAX))?;
        }
        let body = read_body(source, Decoder::new(framing))?;
        let Head { minor, status, reason, fields: headers } = head;
        let line = format!("HTTP/1.{minor} {status} {reason}").trim_end().to_owned();
        Ok(Reply { line, status, reason, headers, body })
    }
}

/// Reads a head, and those of interim answers before it.
fn read_head(source: &mut impl BufRead) -> io::Result<Head> {
    let mut received = Vec::new();
    loop {
        let before = received.len();
        let arrived = source.fill_buf()?;
        if arrived.is_empty() {
            return Err(cut_short("the connection closed early"));
        }
        received.extend_from_slice(arrived);
        let parsed = Head::parse(&received).map_err(invalid)?;
        let used = parsed.as_ref().map_or(received.len(), |(_, length)| *length);
        if used > MAX_HEAD {
            return Err(invalid("its head is over 64 KiB"));
        }
        source.consume(used - before);
        match parsed {
            Some((head, _)) if head.status >= 200 => return Ok(head),
            Some(_) => received.clear(),
            None => {}
        }
    }
}

fn read_body(source: &mut impl BufRead, mut decoder: Decoder) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    while !decoder.is_done() {
        let arrived = source.fill_buf()?;
        if arrived.is_empty() {
            decoder.end().map_err(cut_short)?;
            break;
        }
        let used = decoder.take(arrived, &mut body).map_err(invalid)?;
        source.consume(used);
        refuse_more(body.len())?;
    }
    Ok(body)
}

fn refuse_more(size: usize) -> io::Result<()> {
    if size > MAX_BODY { Err(invalid("its body is over 64 MiB")) } else { Ok(()) }
}

fn invalid(cause: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, cause)
}

fn cut_short(cause: &'static str) -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, cause)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn read(bytes: &str) -> Result<Reply, String> {
        Reply::read(&mut bytes.as_bytes(), "GET").map_err(|error| error.to_string())
    }

    #[test]
    fn bodies_end_by_length_chunks_or_the_connection() {
        for (bytes, status, body) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhello", "200 OK", "he"),
            ("HTTP/1.0 404\r\n\r\ngone", "404", "gone"),
            ("HTTP/1.1 200 \r\n\r\n", "200", ""),
            ("HTTP/1.1 200 OK\nA: b\n\nlf", "200 OK", "lf"),
            (
                "HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\ncontent-length: 1\r\n\r\n\
              3;x=y\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\n",
                "200 OK",
                "abc0123456789",
            ),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
                "201 Created",
                "",
            ),
            ("HTTP/1.1 204 No Content\r\n\r\nignored", "204 No Content", ""),
        ] {
            let reply = read(bytes).unwrap();
            assert_eq!(
                (reply.status_text().as_str(), reply.body.as_slice()),
                (status, body.as_bytes()),
                "{bytes}"
            );
        }
        let head = Reply::read(&mut &b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"[..], "HEAD").unwrap();
        assert_eq!((head.body.len(), head.header("content-length")), (0, Some("9")));
    }

    #[test]
    fn broken_answers_say_what_is_wrong() {
        let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        for (bytes, expected) in [
            ("", "the connection closed early"),
            ("HTTP/1.1 200 OK\r\n", "the connection closed early"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", "the connection closed early"),
            ("SSH-2.0-OpenSSH\r\n", "it is no HTTP"),
            ("HTTP/1.1 abc\r\n\r\n", "it is no HTTP"),
            ("HTTP/1.1 +20 OK\r\n\r\n", "it is no HTTP"),
            ("HTTP/2 200\r\n\r\n", "it is no HTTP"),
            ("HTTP/1.1 20 OK\r\n\r\n", "it is no HTTP"),
            ("HTTP/1.1 200 OK\r\nbad\r\n\r\n", "one of its headers is malformed"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "its length is no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n", "its body is over 64 MiB"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "its transfer coding is not chunked",
            ),
            (&format!("{chunked}x\r\n"), "a chunk has no size"),
            (&format!("{chunked}+1\r\na\r\n"), "a chunk has no size"),
            (&format!("{chunked}1\r\nabc\r\n"), "a chunk is longer than its size"),
            (&format!("{chunked}ffffffffffffffff\r\n"), "the connection closed early"),
            (&format!("{chunked}1\r\na\r\n"), "the connection closed early"),
            (&format!("HTTP/1.1 200 OK\r\nA: {}", "a".repeat(MAX_HEAD)), "its head is over 64 KiB"),
        ] {
            assert_eq!(read(bytes).unwrap_err(), expected, "{:.80}", bytes);
        }
    }

    #[test]
    fn a_body_without_end_is_refused() {
        let endless = io::BufReader::new(io::repeat(b'x'));
        let error = Reply::read(&mut (&b"HTTP/1.1 200 OK\r\n\r\n"[..]).chain(endless), "GET").unwrap_err();
        assert_eq!(error.to_string(), "its body is over 64 MiB");
    }
}
