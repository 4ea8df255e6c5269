//! A raw client. It sends bytes unchanged, and parses answers strictly, by RFC 9112's framing alone.

use rustix::net::sockopt::set_socket_linger;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Deadline for an answer, or for the end of a connection. Only cases that fail wait so long.
const DEADLINE: Duration = Duration::from_secs(5);
/// Longer messages are sent by a thread of their own, since the server may answer before it has read all.
const LONG: usize = 32 * 1024;

/// The end of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// No body, by the status or the method.
    Bodiless,
    Length,
    Chunked,
    /// The end of the connection.
    UntilClose,
}

/// One answer.
#[derive(Debug)]
pub(crate) struct Received {
    pub status: u16,
    pub fields: Vec<(String, String)>,
    pub framing: Framing,
    pub body: Vec<u8>,
}

impl Received {
    /// The values of the fields of a name, in their order.
    pub(crate) fn values(&self, name: &str) -> Vec<&str> {
        let of_name = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        of_name.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether an element of the list field has this value.
    pub(crate) fn lists(&self, name: &str, element: &str) -> bool {
        let values = self.values(name);
        values.iter().flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(element))
    }
}

/// The end of a connection, in place of a further answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum End {
    Closed,
    Reset,
    /// Nothing, within the deadline.
    Silent,
    /// Unexpected bytes.
    Surplus,
}

/// A connection.
pub(crate) struct Client {
    stream: TcpStream,
    sending: Option<JoinHandle<()>>,
    /// All bytes received.
    pub received: Vec<u8>,
    /// The number of them that were read.
    at: usize,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_write_timeout(Some(DEADLINE)).unwrap();
        Client { stream, sending: None, received: Vec::new(), at: 0 }
    }

    /// Sends all bytes. A server that has already refused the request may end the connection meanwhile. So errors are
    /// ignored here: a missing answer fails the case.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        self.finish_sending();
        if bytes.len() <= LONG {
            let _ = self.stream.write_all(bytes);
            return;
        }
        let (mut stream, bytes) = (self.stream.try_clone().unwrap(), bytes.to_vec());
        self.sending = Some(thread::spawn(move || {
            let _ = stream.write_all(&bytes);
        }));
    }

    /// Sends bytes. An error means that the server's side takes no more.
    pub(crate) fn try_send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Ends the client's side of the connection.
    pub(crate) fn half_close(&mut self) {
        self.finish_sending();
        let _ = self.stream.shutdown(Shutdown::Write);
    }

    /// Resets the connection.
    pub(crate) fn reset(mut self) {
        self.finish_sending();
        set_socket_linger(&self.stream, Some(Duration::ZERO)).unwrap();
    }

    /// Whether bytes have arrived, or the end of the connection.
    pub(crate) fn has_news(&self) -> bool {
        self.stream.set_nonblocking(true).unwrap();
        let peeked = self.stream.peek(&mut [0]);
        self.stream.set_nonblocking(false).unwrap();
        !matches!(peeked, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    fn finish_sending(&mut self) {
        if let Some(sending) = self.sending.take() {
            let _ = sending.join();
        }
    }

    /// Reads the bytes that have arrived, or waits for some until the deadline.
    fn fill(&mut self, deadline: Instant) -> Result<(), End> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(End::Silent);
        }
        self.stream.set_read_timeout(Some(left)).unwrap();
        let mut piece = [0; 16 * 1024];
        match self.stream.read(&mut piece) {
            Ok(0) => Err(End::Closed),
            Ok(count) => {
                self.received.extend_from_slice(&piece[..count]);
                Ok(())
            }
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock | ErrorKind::TimedOut => Err(End::Silent),
                ErrorKind::Interrupted => Ok(()),
                _ => Err(End::Reset),
            },
        }
    }

    /// Returns the next answer. `to_head` says whether the request was HEAD: then no body follows.
    pub(crate) fn answer(&mut self, to_head: bool) -> Result<Received, String> {
        let deadline = Instant::now() + DEADLINE;
        let status = status_of(&self.line(deadline)?)?;
        let mut fields = Vec::new();
        loop {
            let line = self.line(deadline)?;
            if line.is_empty() {
                break;
            }
            fields.push(field_of(&line)?);
        }
        let mut answer = Received { status, fields, framing: Framing::Bodiless, body: Vec::new() };
        answer.framing = framing_of(&answer, to_head)?;
        match answer.framing {
            Framing::Bodiless => {}
            Framing::Length => {
                let length = length_of(&answer)?.unwrap_or(0);
                answer.body = self.take(length, deadline)?;
            }
            Framing::Chunked => answer.body = self.chunks(deadline)?,
            Framing::UntilClose => answer.body = self.rest(deadline)?,
        }
        Ok(answer)
    }

    /// Waits until the bytes received so far end with `end`.
    #[track_caller]
    pub(crate) fn until_received(&mut self, end: &[u8]) {
        let deadline = Instant::now() + DEADLINE;
        while !self.received.ends_with(end) {
            let got = self.fill(deadline);
            assert!(got.is_ok(), "{got:?} after {:?}", self.received.escape_ascii().to_string());
        }
    }

    /// Returns the end of the connection, after the answers that were read.
    pub(crate) fn end(&mut self) -> End {
        if self.at < self.received.len() {
            return End::Surplus;
        }
        let end = self.fill(Instant::now() + DEADLINE);
        end.err().unwrap_or(End::Surplus)
    }

    fn line(&mut self, deadline: Instant) -> Result<Vec<u8>, String> {
        loop {
            let unread = &self.received[self.at..];
            if let Some(lf) = unread.iter().position(|byte| *byte == b'\n') {
                let Some(line) = unread[..lf].strip_suffix(b"\r") else {
                    return Err("a line ends with a lone LF".into());
                };
                let line = line.to_vec();
                self.at += lf + 1;
                if line.contains(&b'\r') {
                    return Err("a line holds a bare CR".into());
                }
                return Ok(line);
            }
            let nothing = unread.is_empty();
            self.fill(deadline).map_err(|end| match nothing {
                true => format!("instead of an answer or the next line of it: {end:?}"),
                false => format!("within a line: {end:?}"),
            })?;
        }
    }

    fn take(&mut self, length: usize, deadline: Instant) -> Result<Vec<u8>, String> {
        while self.received.len() - self.at < length {
            self.fill(deadline).map_err(|end| format!("within a body: {end:?}"))?;
        }
        let taken = self.received[self.at..self.at + length].to_vec();
        self.at += length;
        Ok(taken)
    }

    fn chunks(&mut self, deadline: Instant) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let line = self.line(deadline)?;
            let line = String::from_utf8_lossy(&line).into_owned();
            let hex = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_hexdigit());
            let size = hex.then(|| usize::from_str_radix(&line, 16).ok()).flatten();
            let size = size.ok_or_else(|| format!("no chunk size: {line:?}"))?;
            body.extend(self.take(size, deadline)?);
            if !self.line(deadline)?.is_empty() {
                return Err("no CRLF after the data of a chunk, or a trailer".into());
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    fn rest(&mut self, deadline: Instant) -> Result<Vec<u8>, String> {
        loop {
            match self.fill(deadline) {
                Ok(()) => {}
                Err(End::Closed) => break,
                Err(end) => return Err(format!("within a body that ends with the connection: {end:?}")),
            }
        }
        let rest = self.received[self.at..].to_vec();
        self.at = self.received.len();
        Ok(rest)
    }
}

/// RFC 9112 section 4: `HTTP-version SP status-code SP [ reason-phrase ]`.
fn status_of(line: &[u8]) -> Result<u16, String> {
    let text = String::from_utf8_lossy(line).into_owned();
    let wrong = || format!("no status line: {text:?}");
    let rest = text.strip_prefix("HTTP/1.1 ").ok_or_else(wrong)?;
    let (code, reason) = rest.split_once(' ').ok_or_else(wrong)?;
    let digits = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_digit());
    if !digits || reason.chars().any(char::is_control) {
        return Err(wrong());
    }
    code.parse().map_err(|_| wrong())
}

/// RFC 9112 section 5: `field-name ":" OWS field-value OWS`.
fn field_of(line: &[u8]) -> Result<(String, String), String> {
    let text = String::from_utf8_lossy(line).into_owned();
    let wrong = || format!("no field: {text:?}");
    let (name, value) = text.split_once(':').ok_or_else(wrong)?;
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    if name.is_empty() || !name.bytes().all(token) || value.chars().any(|c| c.is_control() && c != '\t') {
        return Err(wrong());
    }
    Ok((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()))
}

fn length_of(answer: &Received) -> Result<Option<usize>, String> {
    match answer.values("content-length")[..] {
        [] => Ok(None),
        [one] if one.bytes().all(|byte| byte.is_ascii_digit()) => {
            one.parse().map(Some).map_err(|_| format!("Content-Length {one}"))
        }
        ref several => Err(format!("Content-Length {several:?}")),
    }
}

/// Returns the framing of an answer (RFC 9112 section 6.3), or an error if section 6 forbids it.
fn framing_of(answer: &Received, to_head: bool) -> Result<Framing, String> {
    let length = length_of(answer)?;
    let codings = answer.values("transfer-encoding");
    if !codings.is_empty() && (length.is_some() || codings != ["chunked"]) {
        return Err(format!("Transfer-Encoding {codings:?} with Content-Length {length:?}"));
    }
    if answer.status < 200 || answer.status == 204 {
        return match length.is_none() && codings.is_empty() {
            true => Ok(Framing::Bodiless),
            false => Err(format!("{} with Content-Length or Transfer-Encoding", answer.status)),
        };
    }
    Ok(match (to_head || answer.status == 304, length, codings.is_empty()) {
        (true, ..) => Framing::Bodiless,
        (_, Some(_), _) => Framing::Length,
        (_, None, false) => Framing::Chunked,
        (_, None, true) => Framing::UntilClose,
    })
}
