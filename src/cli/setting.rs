//! The table of settings: one row per flag, with its variable, default, help and what it sets; a file of rows for
//! each heading of the help. The parser and the help only read this table. Knows neither argv nor the environment.

mod admin;
mod journal;
mod limits;
mod listeners;
mod logging;
mod provisions;
mod scripts;
mod stopping;
mod verdict;
mod waiting;

use super::settings::Settings;
use super::subcommand::Subcommand::{self, Check, Routes, Serve};
use super::value::Parsed;
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
    /// Addresses, ports, threads.
    Listeners,
    /// What one client, and all of them together, may take up.
    Limits,
    /// Where provisions are and how they are followed.
    Provisions,
    /// Budgets of scripts.
    Scripts,
    /// The admin interface.
    Admin,
    /// What is kept of requests.
    Journal,
    /// How the server ends.
    Stopping,
    /// The report at the end.
    Verdict,
    /// What is logged.
    Logging,
    /// What a client subcommand waits for, and how long; the only group without variables.
    Waiting,
}

impl Group {
    /// All of them, in the order of the help.
    pub const ALL: [Group; 10] = [
        Group::Listeners,
        Group::Limits,
        Group::Provisions,
        Group::Scripts,
        Group::Admin,
        Group::Journal,
        Group::Stopping,
        Group::Verdict,
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
    /// `--for`.
    pub requests: Option<String>,
    /// `--count`.
    pub count: Option<u64>,
    /// `--since`.
    pub since: Option<u64>,
    /// `--any-status`.
    pub any_status: bool,
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

/// The rows of each file, in the order of the help.
static TABLE: [&[Setting]; Group::ALL.len()] = [
    listeners::ROWS,
    limits::ROWS,
    provisions::ROWS,
    scripts::ROWS,
    admin::ROWS,
    journal::ROWS,
    stopping::ROWS,
    verdict::ROWS,
    logging::ROWS,
    waiting::ROWS,
];

/// The table, by group and in the order of the help.
pub fn settings() -> impl Iterator<Item = &'static Setting> {
    TABLE.into_iter().flatten()
}

/// The row of the long flag `name`.
pub fn by_flag(name: &str) -> Option<&'static Setting> {
    settings().find(|setting| setting.flag == name)
}

/// The row of the one-letter flag `letter`.
pub fn by_letter(letter: char) -> Option<&'static Setting> {
    settings().find(|setting| setting.short == Some(letter))
}
