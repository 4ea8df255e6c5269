//! The settings of a server, typed and complete. `settings_table` maps flags and variables to these fields.

use super::FailOn;
use crate::directory::Name;
use crate::http_client::Url;
use crate::message::cors::Cors;
use crate::outgoing::{Allowed, DEFAULT_WORKERS};
use crate::simulation::ClockChange;
use crate::system::paint::Color;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The provision directory that is not given.
pub(crate) const PROVISION_DIR: &str = "provision";
/// The mount of the ConfigMap that is not given.
pub(crate) const CONFIG_DIR: &str = "/config";

/// The settings of `h1mock serve`; `settings_table` describes each and has its range. `None` leaves the choice to the server.
/// [`Settings::default`] is a server without any flag or variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// 0.0.0.0, or `::` with `ipv6`, unless an address is given.
    pub bind: IpAddr,
    pub traffic_port: u16,
    pub admin_port: u16,
    pub verbose: bool,
    /// Listen on IPv6 and IPv4 with one socket (dual stack).
    pub ipv6: bool,
    pub workers: Option<usize>,
    /// Number of proxies in front whose `X-Forwarded-*` headers count.
    pub trust_proxy: usize,
    pub admin_workers: usize,
    /// The files to serve; where there are any, no provision directory.
    pub files: Vec<PathBuf>,
    /// `None`: `provision`; with `files` a private temporary folder.
    pub provision_dir: Option<PathBuf>,
    /// `None`: `/config`, if it exists; none with `files`.
    pub config_dir: Option<PathBuf>,
    pub max_head: usize,
    pub max_headers: usize,
    pub max_body: usize,
    pub max_buffered: Option<usize>,
    pub max_connections: Option<usize>,
    /// 0 means no limit.
    pub max_requests: usize,
    pub head_timeout: Duration,
    pub body_timeout: Duration,
    pub idle_timeout: Duration,
    pub write_timeout: Duration,
    /// 0 switches the journal off.
    pub journal_bytes: Option<usize>,
    pub journal_body: usize,
    pub script_timeout: Duration,
    pub script_memory: usize,
    pub load_time: Duration,
    /// `--on-error initial`: if a provision fails to load, `initial` serves, as after a crash of the original. Otherwise the
    /// last good provision goes on serving.
    pub back_to_initial: bool,
    pub keep_store: bool,
    pub store_bytes: Option<usize>,
    pub explain: bool,
    /// `None`: scripts see the real time.
    pub clock: Option<ClockChange>,
    /// `None`: random numbers of scripts are random.
    pub seed: Option<i64>,
    /// The policy of provisions without `app.cors`.
    pub cors: Option<Arc<Cors>>,
    /// The hosts to which scripts, callbacks and forwarding may send requests.
    pub allow_outgoing: Allowed,
    /// Threads for callbacks and for names of hosts.
    pub callback_workers: usize,
    /// The server that gets the requests for which no rule matches.
    pub forward_unmatched: Option<Url>,
    pub compress: bool,
    /// Readiness waits for this provision to be active.
    pub require_provision: Option<Name>,
    /// `None`: the admin interface needs no token.
    pub admin_token: Option<Token>,
    /// Host names of the admin interface, in lower case; `*.a.example` for all names below a.example, `*` for all.
    pub admin_hosts: Vec<String>,
    pub no_admin: bool,
    pub drain: Duration,
    pub grace: Duration,
    pub report: Option<PathBuf>,
    /// The conditions for exit code 3, if there are any.
    pub fail_on: Option<FailOn>,
    /// `--log-format json`: one JSON object per line.
    pub json_log: bool,
    pub color: Color,
    pub poll: bool,
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
            trust_proxy: 0,
            admin_workers: 2,
            files: Vec::new(),
            provision_dir: None,
            config_dir: None,
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
            load_time: Duration::from_secs(5),
            back_to_initial: false,
            keep_store: false,
            store_bytes: None,
            explain: false,
            clock: None,
            seed: None,
            cors: None,
            allow_outgoing: Allowed::default(),
            callback_workers: DEFAULT_WORKERS,
            forward_unmatched: None,
            compress: false,
            require_provision: None,
            admin_token: None,
            admin_hosts: Vec::new(),
            no_admin: false,
            drain: Duration::ZERO,
            grace: Duration::from_secs(5),
            report: None,
            fail_on: None,
            json_log: false,
            color: Color::Auto,
            poll: false,
            poll_interval: Duration::from_secs(2),
        }
    }
}

/// A secret: reads as a `str`, prints as dots. So no log or error shows it by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl Token {
    /// Wraps the secret `text`, as it stands in an `Authorization` header.
    pub(crate) fn new(text: impl Into<String>) -> Self {
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
}
