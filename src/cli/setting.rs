//! The table of settings: one row per flag, with its variable, default, help and what it sets. The parser and
//! the help only read this table. Knows neither argv nor the environment.

use super::settings::Settings;
use super::subcommand::Subcommand::{self, Check, Get, Probe, Routes, Serve, Wait};
use super::value::{self, Parsed};
use std::ffi::OsStr;
use std::net::IpAddr;
use std::time::Duration;

/// One row of the table.
pub struct Setting {
    /// The long flag, without its dashes.
    pub flag: &'static str,
    /// The one-letter flag.
    pub short: Option<char>,
    /// Name of the value in the help; a switch has none.
    pub value: Option<&'static str>,
    /// The default as it would be typed; empty where there is none to type.
    pub default: &'static str,
    /// Heading in the help.
    pub group: Group,
    /// What it does, in one line without a full stop.
    pub help: &'static str,
    /// The subcommands that take it.
    pub commands: &'static [Subcommand],
    /// Reads a value (a switch: `1` or `0`, in all spellings) into its place.
    pub set: fn(&mut Values, &OsStr) -> Parsed<()>,
}

/// Headings of the help, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// Addresses, ports, threads, limits of requests.
    Listeners,
    /// Where provisions are and how they are followed.
    Provisions,
    /// Budgets of scripts.
    Scripts,
    /// The admin interface.
    Admin,
    /// How the server ends.
    Stopping,
    /// What is logged.
    Logging,
    /// What a client subcommand waits for, and how long; the only group without variables.
    Waiting,
}

impl Group {
    /// All of them, in the order of the help.
    pub const ALL: [Group; 7] = [
        Group::Listeners,
        Group::Provisions,
        Group::Scripts,
        Group::Admin,
        Group::Stopping,
        Group::Logging,
        Group::Waiting,
    ];
}

/// What the rows write to.
#[derive(Default)]
pub struct Values {
    /// The server's settings.
    pub settings: Settings,
    /// `--bind`, if given: the default depends on `--ipv6`.
    pub bind: Option<IpAddr>,
    /// `--generation`.
    pub generation: Option<u64>,
    /// `--provision`.
    pub provision: Option<String>,
    /// `--timeout`.
    pub timeout: Option<Duration>,
}

impl Setting {
    /// `--max-body` -> `H1MOCK_MAX_BODY`; what is waited for has none.
    ///
    /// Kubernetes injects `H1MOCK_PORT`, `H1MOCK_PORT_...` and `H1MOCK_SERVICE_...` for a Service named
    /// h1mock, so no flag may begin with `port` or `service`.
    pub fn variable(&self) -> Option<String> {
        let name = || format!("H1MOCK_{}", self.flag.replace('-', "_").to_ascii_uppercase());
        (self.group != Group::Waiting).then(name)
    }

    /// Does `subcommand` read the variable? Client subcommands look up how to reach the server, whether or
    /// not they have the flag.
    pub fn is_read_by(&self, subcommand: Subcommand) -> bool {
        let reach = ["bind", "ipv6", "traffic-port", "admin-port", "admin-token"];
        self.commands.contains(&subcommand) || subcommand.is_client() && reach.contains(&self.flag)
    }
}

const SERVE: &[Subcommand] = &[Serve];
const SCRIPTS: &[Subcommand] = &[Serve, Check, Routes];

fn put<T>(place: &mut T, parsed: Parsed<T>) -> Parsed<()> {
    *place = parsed?;
    Ok(())
}

const fn seconds(low: u64, high: u64) -> std::ops::RangeInclusive<Duration> {
    Duration::from_secs(low)..=Duration::from_secs(high)
}

/// The table, by group and in the order of the help.
pub static SETTINGS: &[Setting] = &[
    Setting {
        flag: "traffic-port",
        short: None,
        value: Some("PORT"),
        default: "8000",
        group: Group::Listeners,
        help: "Port of the mock; 0 picks one",
        commands: &[Serve, Get],
        set: |v, s| put(&mut v.settings.traffic_port, value::port(s)),
    },
    Setting {
        flag: "admin-port",
        short: None,
        value: Some("PORT"),
        default: "8074",
        group: Group::Listeners,
        help: "Port of the admin interface; 0 picks one",
        commands: &[Serve, Get, Probe, Wait],
        set: |v, s| put(&mut v.settings.admin_port, value::port(s)),
    },
    Setting {
        flag: "bind",
        short: None,
        value: Some("ADDRESS"),
        default: "0.0.0.0",
        group: Group::Listeners,
        help: "IP address of both listeners; `::` by default with --ipv6",
        commands: SERVE,
        set: |v, s| put(&mut v.bind, value::address(s).map(Some)),
    },
    Setting {
        flag: "ipv6",
        short: None,
        value: None,
        default: "",
        group: Group::Listeners,
        help: "Listen on IPv6 and IPv4",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.ipv6, value::switch(s)),
    },
    Setting {
        flag: "workers",
        short: None,
        value: Some("N"),
        default: "",
        group: Group::Listeners,
        help: "Threads that answer the mock's requests; without it twice the CPUs, 4 to 16",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.workers, value::count(s, 1..=1024).map(Some)),
    },
    Setting {
        flag: "max-body",
        short: None,
        value: Some("SIZE"),
        default: "8M",
        group: Group::Listeners,
        help: "Largest request body",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_body, value::size(s, 1)),
    },
    Setting {
        flag: "provision-dir",
        short: None,
        value: Some("DIR"),
        default: "provision",
        group: Group::Provisions,
        help: "The provision directory",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.provision_dir, value::path(s)),
    },
    Setting {
        flag: "config-dir",
        short: None,
        value: Some("DIR"),
        default: "/config",
        group: Group::Provisions,
        help: "Mount of a ConfigMap, whose files are copied to the provision directory",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.config_dir, value::path(s)),
    },
    Setting {
        flag: "on-error",
        short: None,
        value: Some("WORD"),
        default: "keep",
        group: Group::Provisions,
        help: "What serves after a broken provision: the last good one (keep) or `initial` (initial)",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.on_error, value::on_error(s)),
    },
    Setting {
        flag: "require-provision",
        short: None,
        value: Some("NAME"),
        default: "",
        group: Group::Provisions,
        help: "Not ready until this provision is active",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.require_provision, value::name(s)),
    },
    Setting {
        flag: "poll",
        short: None,
        value: None,
        default: "",
        group: Group::Provisions,
        help: "Look at the files by turns instead of waiting for file events",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.poll, value::switch(s)),
    },
    Setting {
        flag: "poll-interval",
        short: None,
        value: Some("TIME"),
        default: "2s",
        group: Group::Provisions,
        help: "Time between two looks",
        commands: SERVE,
        set: |v, s| {
            let range = Duration::from_millis(100)..=Duration::from_secs(3600);
            put(&mut v.settings.poll_interval, value::duration(s, range))
        },
    },
    Setting {
        flag: "script-timeout",
        short: None,
        value: Some("TIME"),
        default: "2s",
        group: Group::Scripts,
        help: "Time for one call of a script, at most 60s",
        commands: SCRIPTS,
        set: |v, s| {
            let range = Duration::from_millis(1)..=Duration::from_secs(60);
            put(&mut v.settings.script_timeout, value::duration(s, range))
        },
    },
    Setting {
        flag: "script-memory",
        short: None,
        value: Some("SIZE"),
        default: "32M",
        group: Group::Scripts,
        help: "Memory that one call of a script may allocate, at least 1M",
        commands: SCRIPTS,
        set: |v, s| put(&mut v.settings.script_memory, value::size(s, 1 << 20)),
    },
    Setting {
        flag: "keep-store",
        short: None,
        value: None,
        default: "",
        group: Group::Scripts,
        help: "Keep `store` when another provision is activated",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.keep_store, value::switch(s)),
    },
    Setting {
        flag: "admin-token",
        short: None,
        value: Some("TOKEN"),
        default: "",
        group: Group::Admin,
        help: "Bearer token of the admin interface; the variable keeps it out of process lists",
        commands: &[Serve, Get, Wait],
        set: |v, s| put(&mut v.settings.admin_token, value::token(s)),
    },
    Setting {
        flag: "admin-workers",
        short: None,
        value: Some("N"),
        default: "2",
        group: Group::Admin,
        help: "Threads that answer the admin interface's requests",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.admin_workers, value::count(s, 1..=64)),
    },
    Setting {
        flag: "no-admin",
        short: None,
        value: None,
        default: "",
        group: Group::Admin,
        help: "Leave the admin port closed",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.no_admin, value::switch(s)),
    },
    Setting {
        flag: "drain",
        short: None,
        value: Some("TIME"),
        default: "0",
        group: Group::Stopping,
        help: "Go on accepting for this long after a stop signal, not ready any more",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.drain, value::duration(s, seconds(0, 3600))),
    },
    Setting {
        flag: "grace",
        short: None,
        value: Some("TIME"),
        default: "5s",
        group: Group::Stopping,
        help: "Then wait at most this long for running requests",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.grace, value::duration(s, seconds(0, 3600))),
    },
    Setting {
        flag: "verbose",
        short: Some('v'),
        value: None,
        default: "",
        group: Group::Logging,
        help: "Log more, every request included",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.verbose, value::switch(s)),
    },
    Setting {
        flag: "log-format",
        short: None,
        value: Some("WORD"),
        default: "text",
        group: Group::Logging,
        help: "Form of log lines: text or json",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.log_format, value::log_format(s)),
    },
    Setting {
        flag: "generation",
        short: None,
        value: Some("N"),
        default: "",
        group: Group::Waiting,
        help: "Wait until this generation, or a later one, serves",
        commands: &[Wait],
        set: |v, s| put(&mut v.generation, value::count(s, 0..=u64::MAX).map(Some)),
    },
    Setting {
        flag: "provision",
        short: None,
        value: Some("NAME"),
        default: "",
        group: Group::Waiting,
        help: "Wait until this provision is active",
        commands: &[Wait],
        set: |v, s| put(&mut v.provision, value::name(s)),
    },
    Setting {
        flag: "timeout",
        short: None,
        value: Some("TIME"),
        default: "30s",
        group: Group::Waiting,
        help: "Time for all of it",
        commands: &[Get, Wait],
        set: |v, s| {
            let range = Duration::from_millis(1)..=Duration::from_secs(86_400);
            put(&mut v.timeout, value::duration(s, range).map(Some))
        },
    },
];

/// The row of the long flag `name`.
pub fn by_flag(name: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.flag == name)
}

/// The row of the one-letter flag `letter`.
pub fn by_letter(letter: char) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.short == Some(letter))
}
