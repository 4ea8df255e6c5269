//! Bytes of a connection -> status, headers and body (RFC 9112).

use crate::system::digits::digits;
use std::io::{self, BufRead, ErrorKind, Read};

/// Largest body in bytes; the client keeps it in memory.
pub(crate) const MAX_BODY: usize = 64 << 20;
/// Largest status line with headers, chunk lines and trailers, in bytes.
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
        let mut lines = Lines { source, budget: MAX_HEAD };
        let mut reply = head(&mut lines)?;
        while (100..200).contains(&reply.status) {
            reply = head(&mut lines)?;
        }
        if method != "HEAD" && !matches!(reply.status, 204 | 304) {
            reply.body = body(&mut lines, &reply)?;
        }
        Ok(reply)
    }
}

/// Reads lines, up to `budget` bytes in all.
struct Lines<'a, R> {
    source: &'a mut R,
    budget: usize,
}

impl<R: BufRead> Lines<'_, R> {
    /// Returns the next line without its end; bytes that are not UTF-8 are replaced.
    fn next(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        let read = self.source.by_ref().take(self.budget as u64).read_until(b'\n', &mut line)?;
        self.budget -= read;
        if line.pop() != Some(b'\n') {
            return Err(if self.budget == 0 { invalid("its head is over 64 KiB") } else { cut_short() });
        }
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        Ok(String::from_utf8_lossy(&line).into_owned())
    }
}

fn head<R: BufRead>(lines: &mut Lines<'_, R>) -> io::Result<Reply> {
    let first = lines.next()?;
    let (status, reason) = status_line(&first).ok_or_else(|| invalid("it is no HTTP"))?;
    let mut reply = Reply { line: first, status, reason, headers: Vec::new(), body: Vec::new() };
    loop {
        let line = lines.next()?;
        if line.is_empty() {
            return Ok(reply);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| invalid("a header has no colon"))?;
        reply.headers.push((name.to_string(), value.trim().to_string()));
    }
}

/// Parses `HTTP/1.1 404 Not Found` to 404 and `Not Found`.
fn status_line(line: &str) -> Option<(u16, String)> {
    let rest = line.strip_prefix("HTTP/1.")?;
    let (_minor, rest) = rest.split_once(' ')?;
    let (status, reason) = rest.split_once(' ').unwrap_or((rest, ""));
    Some((digits(status).filter(|_| status.len() == 3)?, reason.trim().to_string()))
}

/// Reads a body, which ends in one of three ways, in the order of RFC 9112, section 6.3.
fn body<R: BufRead>(lines: &mut Lines<'_, R>, reply: &Reply) -> io::Result<Vec<u8>> {
    if let Some(coding) = reply.header("Transfer-Encoding") {
        if !coding.eq_ignore_ascii_case("chunked") {
            return Err(invalid("its transfer coding is not chunked"));
        }
        return chunks(lines);
    }
    let mut body = Vec::new();
    match reply.header("Content-Length") {
        Some(length) => {
            let length = digits(length).ok_or_else(|| invalid("its length is no number"))?;
            append(lines.source, length, &mut body)?;
        }
        None => {
            lines.source.take(MAX_BODY as u64 + 1).read_to_end(&mut body)?;
            refuse_more(body.len())?;
        }
    }
    Ok(body)
}

fn chunks<R: BufRead>(lines: &mut Lines<'_, R>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        lines.budget = MAX_HEAD;
        let line = lines.next()?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let digits = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| digits);
        match size.ok_or_else(|| invalid("a chunk has no size"))? {
            0 => break,
            size => append(lines.source, size, &mut body)?,
        }
        if !lines.next()?.is_empty() {
            return Err(invalid("a chunk is longer than its size"));
        }
    }
    // Skips the trailers.
    while !lines.next()?.is_empty() {}
    Ok(body)
}

/// Appends exactly `size` bytes. Reserves no memory for bytes that are only announced.
fn append(source: &mut impl BufRead, size: usize, body: &mut Vec<u8>) -> io::Result<()> {
    refuse_more(body.len().saturating_add(size))?;
    let read = source.take(size as u64).read_to_end(body)?;
    if read == size { Ok(()) } else { Err(cut_short()) }
}

fn refuse_more(size: usize) -> io::Result<()> {
    if size > MAX_BODY { Err(invalid("its body is over 64 MiB")) } else { Ok(()) }
}

fn invalid(cause: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, cause)
}

fn cut_short() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the connection closed early")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            ("HTTP/1.1 200 OK\r\nbad\r\n\r\n", "a header has no colon"),
            ("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "its length is no number"),
            ("HTTP/1.1 200 OK\r\nContent-Length: 67108865\r\n\r\n", "its body is over 64 MiB"),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "its transfer coding is not chunked",
            ),
            (&format!("{chunked}x\r\n"), "a chunk has no size"),
            (&format!("{chunked}+1\r\na\r\n"), "a chunk has no size"),
            (&format!("{chunked}1\r\nabc\r\n"), "a chunk is longer than its size"),
            (&format!("{chunked}ffffffffffffffff\r\n"), "its body is over 64 MiB"),
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
