//! A client with one connection, and its answers.

use super::DEADLINE;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub status: u16,
    pub reason: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Returns the first value of a header; empty if the header is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.all(name).first().copied().unwrap_or_default()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        let same = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.as_str()).collect()
    }
}

/// A keep-alive connection.
pub(crate) struct Client(BufReader<TcpStream>);

impl Client {
    #[track_caller]
    pub(crate) fn new(address: &str) -> Client {
        Client::connect(address, DEADLINE).unwrap()
    }

    /// Connects. `deadline` limits connecting and each read and write.
    pub(crate) fn connect(address: &str, deadline: Duration) -> std::io::Result<Client> {
        let address: SocketAddr = address.parse().map_err(std::io::Error::other)?;
        let stream = TcpStream::connect_timeout(&address, deadline)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(deadline))?;
        stream.set_write_timeout(Some(deadline))?;
        Ok(Client(BufReader::new(stream)))
    }

    /// Returns the socket, to set its options.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.0.get_ref()
    }

    /// Sends a request and reads its answer.
    #[track_caller]
    pub(crate) fn send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        self.try_send(method, target, headers, body).unwrap()
    }

    pub(crate) fn try_send(
        &mut self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> std::io::Result<Reply> {
        let mut head = format!("{method} {target} HTTP/1.1\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += "Host: mock.test\r\n";
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        if !body.is_empty() || method == "POST" || method == "PUT" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        self.try_write(format!("{head}\r\n").as_bytes())?;
        // The mock may answer and close before it has read a body that is too long.
        let _ = self.try_write(body);
        self.try_read(method == "HEAD")
    }

    #[track_caller]
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).unwrap();
    }

    pub(crate) fn try_write(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.0.get_mut().write_all(bytes)
    }

    /// Reads one answer.
    #[track_caller]
    pub(crate) fn read(&mut self, head_only: bool) -> Reply {
        self.try_read(head_only).unwrap()
    }

    pub(crate) fn try_read(&mut self, head_only: bool) -> std::io::Result<Reply> {
        let line = self.line()?;
        let mut words = line.splitn(3, ' ');
        let status = words.nth(1).and_then(|code| code.parse().ok()).ok_or_else(|| broken(&line))?;
        let reason = words.next().unwrap_or_default().to_owned();
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(':').ok_or_else(|| broken(&line))?;
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut reply = Reply { status, reason, headers, body: Vec::new() };
        let length = reply.header("content-length").parse().unwrap_or(0);
        if !head_only && status != 304 {
            reply.body = vec![0; length];
            self.0.read_exact(&mut reply.body)?;
            if reply.header("transfer-encoding") == "chunked" {
                reply.body = self.chunks()?;
            }
        }
        Ok(reply)
    }

    fn chunks(&mut self) -> std::io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line = self.line()?;
            let size = u64::from_str_radix(&line, 16).map_err(|_| broken(&line))?;
            self.0.by_ref().take(size).read_to_end(&mut body)?;
            self.line()?;
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// Returns the bytes of the next read.
    pub(crate) fn reader(&mut self) -> &mut impl Read {
        &mut self.0
    }

    /// Reads until the mock closes the connection.
    pub(crate) fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.0.read_to_end(&mut bytes).map(|_| bytes)
    }

    fn line(&mut self) -> std::io::Result<String> {
        let mut bytes = Vec::new();
        self.0.read_until(b'\n', &mut bytes)?;
        match bytes.strip_suffix(b"\r\n") {
            Some(line) => Ok(String::from_utf8_lossy(line).into_owned()),
            None => Err(broken(&String::from_utf8_lossy(&bytes))),
        }
    }
}

fn broken(line: &str) -> std::io::Error {
    std::io::Error::other(format!("no answer but `{line}`"))
}
