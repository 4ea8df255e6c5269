//! One setting, and what it writes to. Knows neither argv nor the environment.

use super::settings::Settings;
use super::subcommand::Subcommand;
use super::value::Parsed;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::time::Duration;

/// One row of the table.
pub(super) struct Setting {
    /// The long flag, without its dashes.
    pub flag: &'static str,
    /// The one-letter flag.
    pub short: Option<char>,
    /// Name of the value in the help; a switch has none.
    pub value: Option<&'static str>,
    /// The default as it would be typed; empty where there is none to type.
    pub default: &'static str,
    /// Heading in the help.
    pub group: &'static str,
    /// What it does, in one line without a full stop.
    pub help: &'static str,
    pub commands: &'static [Subcommand],
    pub has_variable: bool,
    /// Reads a value (a switch: `1` or `0`, in all spellings) into its place.
    pub set: fn(&mut Values, &OsStr) -> Parsed<()>,
}

/// What the rows write to.
#[derive(Default)]
pub(super) struct Values {
    pub settings: Settings,
    /// `None`: the default depends on `--ipv6`.
    pub bind: Option<IpAddr>,
    pub generation: Option<u64>,
    pub provision: Option<String>,
    /// `--for`.
    pub requests: Option<String>,
    pub count: Option<u64>,
    pub since: Option<u64>,
    pub any_status: bool,
    pub strict: bool,
    pub timeout: Option<Duration>,
}

impl Setting {
    /// `--max-body` -> `H1MOCK_MAX_BODY`; what is waited for has none.
    ///
    /// Kubernetes injects `H1MOCK_PORT`, `H1MOCK_PORT_...` and `H1MOCK_SERVICE_...` for a Service named
    /// h1mock, so no flag may begin with `port` or `service`.
    pub(super) fn variable(&self) -> Option<String> {
        self.has_variable.then(|| format!("H1MOCK_{}", self.flag.replace('-', "_").to_ascii_uppercase()))
    }

    /// Does `subcommand` read the variable? Client subcommands look up how to reach the server, whether or
    /// not they have the flag.
    pub(super) fn is_read_by(&self, subcommand: Subcommand) -> bool {
        let reach = ["bind", "ipv6", "traffic-port", "admin-port", "admin-token"];
        self.commands.contains(&subcommand) || subcommand.is_client() && reach.contains(&self.flag)
    }
}

pub(super) fn put<T>(place: &mut T, parsed: Parsed<T>) -> Parsed<()> {
    *place = parsed?;
    Ok(())
}
