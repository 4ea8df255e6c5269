//! The answer of another server, as its bytes arrive.

use super::order::is_hop_by_hop;
use crate::http_client::body::Decoder;
use crate::http_client::head::{Framing, Head};
use crate::message::answer::Fields;
use std::io;

/// Longest head of an answer, and of the interim ones before it.
const MOST_HEAD: usize = 64 << 10;
const TOO_LONG: &str = "its head is over 64 KiB";

/// An answer that arrives.
#[derive(Default)]
pub(super) struct Answer {
    /// Bytes before the head is complete.
    received: Vec<u8>,
    head: Option<Head>,
    decoder: Option<Decoder>,
    /// Bytes of the body that nobody has taken yet.
    pub body: Vec<u8>,
    /// The connection serves no further request.
    pub closes: bool,
    /// The server asks for the body of the request.
    pub wants_body: bool,
}

impl Answer {
    /// Whether not one byte has arrived.
    pub(super) fn is_untouched(&self) -> bool {
        self.received.is_empty() && self.decoder.is_none()
    }

    /// Returns the bytes of memory that it holds.
    pub(super) fn space(&self) -> usize {
        self.received.capacity() + self.body.capacity()
    }

    /// Whether the head has arrived, and nobody has taken it.
    pub(super) fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub(super) fn take_head(&mut self) -> Option<Head> {
        self.head.take()
    }

    /// Whether all of the answer has arrived.
    pub(super) fn is_done(&self) -> bool {
        self.decoder.as_ref().is_some_and(Decoder::is_done)
    }

    /// Returns the fields after the last chunk.
    pub(super) fn trailers(&mut self) -> Vec<(String, String)> {
        self.decoder.as_mut().map(|decoder| std::mem::take(&mut decoder.trailers)).unwrap_or_default()
    }

    /// Takes bytes of the answer to a request with `method`.
    ///
    /// # Errors
    /// They are no answer.
    pub(super) fn take(&mut self, bytes: &[u8], method: &str) -> io::Result<()> {
        if let Some(decoder) = &mut self.decoder {
            let used = decoder.take(bytes, &mut self.body).map_err(invalid)?;
            self.closes |= used < bytes.len();
            return Ok(());
        }
        self.received.extend_from_slice(bytes);
        while let Some((head, length)) = Head::parse(&self.received).map_err(invalid)? {
            if length > MOST_HEAD {
                return Err(invalid(TOO_LONG));
            }
            let rest = self.received.split_off(length);
            self.received = rest;
            if head.status == 101 {
                return Err(invalid("it switches to another protocol"));
            }
            if head.status < 200 {
                self.wants_body |= head.status == 100;
                continue;
            }
            let framing = head.framing(method).map_err(invalid)?;
            self.closes = head.closes() || framing == Framing::UntilClose;
            self.head = Some(head);
            self.decoder = Some(Decoder::new(framing));
            let rest = std::mem::take(&mut self.received);
            return self.take(&rest, method);
        }
        if self.received.len() > MOST_HEAD {
            return Err(invalid(TOO_LONG));
        }
        Ok(())
    }

    /// Notes that the server has ended the connection.
    ///
    /// # Errors
    /// The answer is not complete.
    pub(super) fn end(&mut self) -> io::Result<()> {
        self.closes = true;
        match &mut self.decoder {
            Some(decoder) => decoder.end().map_err(cut_short),
            None => Err(cut_short("the connection closed early")),
        }
    }
}

/// Returns the fields of an answer that go on to the client.
pub(super) fn fields(head: Head, method: &str) -> Fields {
    let own: Vec<String> = head.words("connection").map(str::to_ascii_lowercase).collect();
    let goes_on = |name: &str| {
        !is_hop_by_hop(name, &own) && (method == "HEAD" || !name.eq_ignore_ascii_case("content-length"))
    };
    let kept = head.fields.into_iter().filter(|(name, _)| goes_on(name));
    kept.map(|(name, value)| (name.into(), value.into())).collect()
}

pub(super) fn invalid(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause)
}

fn cut_short(cause: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(bytes: &[u8], cut: usize) -> Result<(u16, Vec<u8>, bool), String> {
        let mut answer = Answer::default();
        let mut take = |part: &[u8]| answer.take(part, "GET").map_err(|error| error.to_string());
        take(&bytes[..cut])?;
        take(&bytes[cut..])?;
        if !answer.is_done() {
            answer.end().map_err(|error| error.to_string())?;
        }
        Ok((answer.head().map_or(0, |head| head.status), answer.body.clone(), answer.closes))
    }

    #[test]
    fn answers_are_read_in_any_split() {
        for (bytes, status, body, closes) in [
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, "hi", false),
            ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi and more", 200, "hi", true),
            ("HTTP/1.1 204 No Content\r\n\r\n", 204, "", false),
            ("HTTP/1.0 200 OK\r\n\r\nto the end", 200, "to the end", true),
            (
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n",
                201,
                "",
                false,
            ),
            (
                "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n1\r\na\r\n0\r\n\r\n",
                200,
                "a",
                true,
            ),
        ] {
            for cut in 0..bytes.len() {
                let expected = Ok((status, body.as_bytes().to_vec(), closes));
                assert_eq!(taken(bytes.as_bytes(), cut), expected, "{bytes} at {cut}");
            }
        }
    }

    #[test]
    fn broken_answers_say_what_is_wrong() {
        let head = "HTTP/1.1 200 OK\r\n";
        for (bytes, cause) in [
            ("", "the connection closed early"),
            ("HTTP/1.1 200 OK\r\nContent-Le", "the connection closed early"),
            (&format!("{head}Content-Length: 3\r\n\r\nab"), "the connection closed early"),
            (&format!("{head}Transfer-Encoding: chunked\r\n\r\n5\r\nab"), "the connection closed early"),
            ("\0\u{1}garbage", "it is no HTTP"),
            ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "it switches to another protocol"),
            (&format!("{head}Content-Length: 1\r\nContent-Length: 2\r\n\r\n"), "it has two lengths"),
            (&format!("{head}Content-Length: -1\r\n\r\n"), "its length is no number"),
            (
                &format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n"),
                "its transfer coding is not chunked",
            ),
            (&format!("{head}Transfer-Encoding: chunked\r\n\r\nx\r\n"), "a chunk has no size"),
            (&format!("{head}A: {}", "a".repeat(MOST_HEAD)), "its head is over 64 KiB"),
        ] {
            assert_eq!(taken(bytes.as_bytes(), 0), Err(cause.to_owned()), "{bytes:.60}");
        }
    }

    #[test]
    fn fields_of_the_connection_stay_behind() {
        let bytes = "HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nConnection: X-Own, keep-alive\r\nX-Own: 1\r\nKeep-Alive: 5\r\n\
                     Content-Length: 3\r\nset-cookie: b\r\n\r\n";
        for (method, expected) in [
            ("GET", vec!["Set-Cookie: a", "set-cookie: b"]),
            ("HEAD", vec!["Set-Cookie: a", "Content-Length: 3", "set-cookie: b"]),
        ] {
            let (head, _) = Head::parse(bytes.as_bytes()).unwrap().unwrap();
            let fields = fields(head, method);
            let lines: Vec<String> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
            assert_eq!(lines, expected);
        }
    }
}
