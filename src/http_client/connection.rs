//! One request over a connection of its own, with one deadline for all of it.

use super::error::{ClientError, cause};
use super::reply::Reply;
use super::url::Url;
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

pub(crate) struct Request<'a> {
    /// A token (RFC 9110, 5.6.2), in capitals by custom.
    pub method: &'a str,
    pub url: &'a Url,
    /// Header fields. A field with the name of one of ours replaces ours; `None` leaves ours out.
    pub headers: &'a [(&'a str, Option<&'a str>)],
    /// Sent with a `Content-Length`.
    pub body: Option<&'a [u8]>,
    /// Addresses to connect to, the first that answers; without any, those that the system's resolver has for the host.
    pub addresses: &'a [SocketAddr],
    /// For the whole request except a lookup by the system's resolver, which has limits of its own.
    pub timeout: Duration,
}

/// Sends a GET with the bearer token `token` to `url` and reads the answer, whatever its status. Redirects are not followed.
/// `timeout` is that of [`Request`].
///
/// # Errors
/// See [`ClientError`].
pub(crate) fn get(url: &Url, token: Option<&str>, timeout: Duration) -> Result<Reply, ClientError> {
    let bearer = token.map(|token| format!("Bearer {token}"));
    let headers = [("Authorization", bearer.as_deref())];
    Request { method: "GET", url, headers: &headers, body: None, addresses: &[], timeout }.send()
}

impl Request<'_> {
    /// Sends the request and reads the answer.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub(crate) fn send(&self) -> Result<Reply, ClientError> {
        self.send_within(usize::MAX)
    }

    /// Sends the request and reads the answer, which has `most` bytes at most, with its head and its framing.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub(crate) fn send_within(&self, most: usize) -> Result<Reply, ClientError> {
        let head = self.head()?;
        let deadline = Deadline::after(self.timeout);
        let fail = |error: io::Error| match error.kind() {
            ErrorKind::FileTooLarge => ClientError::TooLarge { address: self.url.authority(), most },
            _ => failed(self.url, self.timeout, &error),
        };
        let stream = connect(self.url, self.addresses, deadline, self.timeout)?;
        let mut stream = Timed { stream, deadline, room: most };
        let sent =
            stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(self.body.unwrap_or_default()));
        match (Reply::read(&mut BufReader::new(stream), self.method), sent) {
            // A server that does not want the rest of a body answers before the body is sent, and may close the connection.
            (Ok(reply), _) => Ok(reply),
            (Err(_), Err(error)) | (Err(error), Ok(())) => Err(fail(error)),
        }
    }

    /// Returns the head: the request line and the fields, up to the empty line.
    ///
    /// # Errors
    /// [`ClientError::Header`].
    pub(crate) fn head(&self) -> Result<String, ClientError> {
        let mut head = format!("{} {} HTTP/1.1\r\n", self.method, self.url.target);
        let host = self.url.host_field();
        let length = self.body.map(|body| body.len().to_string());
        let own = [
            ("Host", Some(host.as_str())),
            ("User-Agent", Some(concat!("h1mock/", env!("CARGO_PKG_VERSION")))),
            ("Accept", Some("*/*")),
            ("Connection", Some("close")),
            ("Content-Length", length.as_deref()),
        ];
        let is_given = |name: &str| self.headers.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let own = own.iter().filter(|(name, _)| !is_given(name));
        for (name, value) in own.chain(self.headers) {
            let Some(value) = value else { continue };
            let is_name =
                !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
            if !is_name || !value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
                return Err(ClientError::Header { name: name.to_string() });
            }
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        Ok(head)
    }
}

/// Connects to `url` within `timeout`, and sends nothing.
///
/// # Errors
/// [`ClientError::Resolve`], [`ClientError::Connect`].
pub(crate) fn reach(url: &Url, timeout: Duration) -> Result<(), ClientError> {
    match connect(url, &[], Deadline::after(timeout), timeout) {
        Ok(_) => Ok(()),
        Err(ClientError::ConnectLate { address, timeout }) => {
            Err(ClientError::Connect { address, cause: format!("no connection within {timeout:?}") })
        }
        Err(error) => Err(error),
    }
}

/// Tries each address of the host; the last error is reported.
fn connect(
    url: &Url,
    addresses: &[SocketAddr],
    deadline: Deadline,
    timeout: Duration,
) -> Result<TcpStream, ClientError> {
    let unresolved = |cause: String| ClientError::Resolve { host: url.host.clone(), cause };
    let found = match addresses {
        [] => (url.host.as_str(), url.port).to_socket_addrs().map(Iterator::collect),
        addresses => Ok(addresses.to_vec()),
    };
    let addresses: Vec<SocketAddr> = found.map_err(|error| unresolved(lookup_cause(&error)))?;
    let mut last = unresolved("it has no address".to_string());
    for address in addresses {
        match connect_one(address, deadline) {
            Ok(stream) => return Ok(stream),
            Err(error) if error.kind() == ErrorKind::TimedOut => {
                return Err(ClientError::ConnectLate { address: url.authority(), timeout });
            }
            Err(error) => last = ClientError::Connect { address: url.authority(), cause: cause(&error) },
        }
    }
    Err(last)
}

fn connect_one(address: SocketAddr, deadline: Deadline) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, deadline.remaining()?)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Returns the resolver's reason, without the words that the standard library puts before it.
fn lookup_cause(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").unwrap_or(&text).to_string()
}

fn failed(url: &Url, timeout: Duration, error: &io::Error) -> ClientError {
    let address = url.authority();
    match error.kind() {
        ErrorKind::TimedOut => ClientError::Late { address, timeout },
        ErrorKind::InvalidData => ClientError::Reply { address, cause: cause(error) },
        _ => ClientError::Exchange { address, cause: cause(error) },
    }
}

/// The point in time that limits all steps of a request.
#[derive(Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// Returns the deadline `timeout` from now.
    pub(crate) fn after(timeout: Duration) -> Deadline {
        let now = Instant::now();
        Deadline(now.checked_add(timeout).unwrap_or(now + Duration::from_secs(86_400)))
    }

    /// Returns the time left; zero when the deadline is over.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Returns the time left; an error in place of zero, which socket timeouts refuse.
    fn remaining(self) -> io::Result<Duration> {
        let remaining = self.left();
        if remaining.is_zero() { Err(ErrorKind::TimedOut.into()) } else { Ok(remaining) }
    }
}

/// A socket whose timeouts shrink with the time left, so that a peer that sends a byte now and then can't extend the deadline.
struct Timed {
    stream: TcpStream,
    deadline: Deadline,
    /// Bytes that may still arrive.
    room: usize,
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.deadline.remaining()?))?;
        let count = self.stream.read(buffer).map_err(late)?;
        self.room = self.room.checked_sub(count).ok_or(ErrorKind::FileTooLarge)?;
        Ok(count)
    }
}

impl Write for Timed {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.deadline.remaining()?))?;
        self.stream.write(buffer).map_err(late)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Turns the error of a socket timeout into `TimedOut`; Linux reports `WouldBlock`.
fn late(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::WouldBlock { ErrorKind::TimedOut.into() } else { error }
}
