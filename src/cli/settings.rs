//! The settings of a server, typed and complete. Knows nothing of flags, variables or help: `setting` maps
//! those onto these fields.

use super::FailOn;
use crate::directory::Name;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

/// Everything that `h1mock serve` can be told. [`Settings::default`] is a server without any flag or
/// variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Address of both listeners: 0.0.0.0, or `::` with `ipv6`, unless one is given.
    pub bind: IpAddr,
    /// Port of the mock; 0 lets the system pick one.
    pub traffic_port: u16,
    /// Port of the admin interface; 0 lets the system pick one.
    pub admin_port: u16,
    /// Log more, every request included.
    pub verbose: bool,
    /// Listen on IPv6 and IPv4 with one socket (dual stack).
    pub ipv6: bool,
    /// Threads that answer the mock's requests, 1 to 1024; `None` leaves it to the server.
    pub workers: Option<usize>,
    /// Threads that answer the admin interface's requests, 1 to 64.
    pub admin_workers: usize,
    /// The provision directory.
    pub provision_dir: PathBuf,
    /// Where a ConfigMap is mounted; its files are copied to the provision directory.
    pub config_dir: PathBuf,
    /// Largest head of a request in bytes, 1 KiB to 1 MiB.
    pub max_head: usize,
    /// Most headers of a request, 1 to 10,000.
    pub max_headers: usize,
    /// Largest request body in bytes, at least 1.
    pub max_body: usize,
    /// Bytes that requests, and answers on their way, take up at a time, at least 64 KiB; `None` leaves it to the server.
    pub max_buffered: Option<usize>,
    /// Connections to the mock at a time, 1 to 1,000,000; `None` leaves it to the server.
    pub max_connections: Option<usize>,
    /// Requests of one connection; 0 is no limit.
    pub max_requests: usize,
    /// Time for a head to arrive; this and the other three are from 10 ms to an hour.
    pub head_timeout: Duration,
    /// Time for a body to arrive.
    pub body_timeout: Duration,
    /// Time that a connection may wait for its next request.
    pub idle_timeout: Duration,
    /// Time for a client to take an answer.
    pub write_timeout: Duration,
    /// Bytes that the journal takes up; 0 switches it off, `None` leaves it to the server.
    pub journal_bytes: Option<usize>,
    /// Bytes of each body that the journal keeps.
    pub journal_body: usize,
    /// Time for one call of a script, 1 ms to 60 s.
    pub script_timeout: Duration,
    /// Bytes that one call of a script may allocate in all, at least 1 MiB.
    pub script_memory: usize,
    /// What serves after a provision that fails to load.
    pub on_error: OnError,
    /// Let scripts' `store` survive an activation.
    pub keep_store: bool,
    /// List the closest rules in the default pages of 404 and 405.
    pub explain: bool,
    /// Readiness waits for this provision to be active.
    pub require_provision: Option<Name>,
    /// Bearer token of the admin interface; without one it is open.
    pub admin_token: Option<Token>,
    /// Leave the admin port closed.
    pub no_admin: bool,
    /// Time between the stop signal and the closing of the listener.
    pub drain: Duration,
    /// Time that running requests have to finish once the listener is closed.
    pub grace: Duration,
    /// Where the report goes at the end; `None` leaves it to the server.
    pub report: Option<PathBuf>,
    /// What makes the exit code 3, if anything does.
    pub fail_on: Option<FailOn>,
    /// Form of log lines.
    pub log_format: LogFormat,
    /// Look for changed provisions by turns instead of by inotify.
    pub poll: bool,
    /// Time between two looks.
    pub poll_interval: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            bind: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            traffic_port: 8000,
            admin_port: 8074,
            verbose: false,
            ipv6: false,
            workers: None,
            admin_workers: 2,
            provision_dir: PathBuf::from("provision"),
            config_dir: PathBuf::from("/config"),
            max_head: 64 << 10,
            max_headers: 128,
            max_body: 8 << 20,
            max_buffered: None,
            max_connections: None,
            max_requests: 0,
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            write_timeout: Duration::from_secs(60),
            journal_bytes: None,
            journal_body: 64 << 10,
            script_timeout: Duration::from_secs(2),
            script_memory: 32 << 20,
            on_error: OnError::Keep,
            keep_store: false,
            explain: false,
            require_provision: None,
            admin_token: None,
            no_admin: false,
            drain: Duration::ZERO,
            grace: Duration::from_secs(5),
            report: None,
            fail_on: None,
            log_format: LogFormat::Text,
            poll: false,
            poll_interval: Duration::from_secs(2),
        }
    }
}

impl Settings {
    /// Where a client on the same machine reaches the mock.
    pub fn traffic_address(&self) -> SocketAddr {
        SocketAddr::new(self.near(), self.traffic_port)
    }

    /// Where a client on the same machine reaches the admin interface.
    pub fn admin_address(&self) -> SocketAddr {
        SocketAddr::new(self.near(), self.admin_port)
    }

    /// `ipv6` alone means both families, and then 127.0.0.1 also reaches a server that found no IPv6.
    fn near(&self) -> IpAddr {
        match self.bind {
            IpAddr::V6(bind) if bind.is_unspecified() && !self.ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
            bind if bind.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            bind => bind,
        }
    }
}

/// What serves after a provision failed to load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnError {
    /// The last good provision.
    Keep,
    /// The provision `initial`, as after the original's crash.
    Initial,
}

/// Form of log lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

/// A secret: reads as a `str`, prints as dots, so that no log or error shows it by accident.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The secret `text`, as it goes into an `Authorization` header.
    pub fn new(text: impl Into<String>) -> Self {
        Token(text.into())
    }
}

impl Deref for Token {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(...)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_never_shown() {
        let settings = Settings { admin_token: Some(Token::new("hush")), ..Settings::default() };
        assert!(!format!("{settings:?}").contains("hush"));
        assert_eq!(settings.admin_token.as_deref(), Some("hush"));
    }

    #[test]
    fn a_client_beside_the_server_finds_it() {
        for (bind, ipv6, expected) in [
            ("0.0.0.0", false, "127.0.0.1:8000"),
            ("::", true, "127.0.0.1:8000"),
            ("::", false, "[::1]:8000"),
            ("10.1.2.3", false, "10.1.2.3:8000"),
            ("fd00::7", true, "[fd00::7]:8000"),
        ] {
            let settings = Settings { bind: bind.parse().unwrap(), ipv6, ..Settings::default() };
            assert_eq!(settings.traffic_address().to_string(), expected);
            assert_eq!(settings.admin_address().port(), 8074);
        }
    }
}
