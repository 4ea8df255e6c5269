//! argv and environment -> one value that says what to do. Does none of it: no file, socket or output is
//! touched here, and all sources are parameters.

pub(crate) mod check;
pub(crate) mod process;
mod headings;
mod help;
mod hosts;
mod line;
mod server_address;
mod setting;
mod settings;
mod settings_table;
mod subcommand;
#[cfg(test)]
mod tests;
pub(crate) mod value;

pub(crate) use crate::observing::report::FailOn;
pub(crate) use settings::{LogFormat, OnError, Settings, Token};

use line::Line;
use setting::{Setting, Values};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use subcommand::Subcommand;

/// `--timeout` where none is given.
const TIMEOUT: Duration = Duration::from_secs(30);

/// What to do. A URL or an address is as typed: it may lack scheme, host and port, which `server` then has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Serve(Settings),
    /// Compile `files` (at least one); where `strict`, a warning is a failure. Of `settings` only the script budgets can differ
    /// from the defaults.
    Check {
        files: Vec<PathBuf>,
        strict: bool,
        settings: Settings,
    },
    /// List the rules of `file`; `settings` as for `Check`.
    Routes {
        file: PathBuf,
        settings: Settings,
    },
    /// Fetch a URL; with `any_status` a status of 400 or more is no failure.
    Get {
        url: String,
        any_status: bool,
        server: Server,
        timeout: Duration,
    },
    /// Ask for readiness.
    Probe {
        address: Option<String>,
        server: Server,
    },
    /// Wait for all the conditions that are given, without any for readiness; `timeout` is for all of it.
    Wait {
        generation: Option<u64>,
        provision: Option<String>,
        requests: Option<Requests>,
        timeout: Duration,
        address: Option<String>,
        server: Server,
    },
    /// Print the report of a server. `fail_on` makes the exit code 3.
    Report {
        fail_on: Option<FailOn>,
        address: Option<String>,
        server: Server,
    },
    Help(String),
    Version,
}

/// Requests to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requests {
    /// As typed: `METHOD PATH` or `PATH`, perhaps with `?` and filters.
    pub wanted: String,
    pub count: u64,
    /// Only those with a greater number.
    pub since: u64,
}

/// How a client subcommand reaches the server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub traffic: SocketAddr,
    pub admin: SocketAddr,
    pub token: Option<Token>,
}

/// What is asked about what the command line does not say.
pub(crate) struct Sources<'a> {
    /// The value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// The arguments of process 1, each ended by a NUL, as in `/proc/1/cmdline`; empty if they are not known.
    pub first_process: &'a dyn Fn() -> Vec<u8>,
}

/// A wrong command line or variable: one line that names the flag, argument or variable. Exit code 2.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsageError(String);

impl UsageError {
    fn new(message: impl Into<String>) -> Self {
        UsageError(message.into())
    }
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// Reads `args` (without the program's name) and the variables that the subcommand needs.
///
/// A flag beats a positional argument, that beats a variable, that beats the default; of a repeated flag the
/// last one counts. For client subcommands the arguments of process 1 come between variable and default, if it is
/// the server. Variables that no setting has are never looked at: Kubernetes injects some that begin
/// with `H1MOCK_`.
///
/// # Errors
/// Anything unknown, missing or unreadable; an empty argument or variable is "not given" and no error.
pub(crate) fn parse(
    args: impl IntoIterator<Item = OsString>,
    sources: &Sources,
) -> Result<Command, UsageError> {
    let line = Line::read(args)?;
    if line.help {
        return Ok(Command::Help(help::text(line.subcommand)));
    }
    if line.version {
        return Ok(Command::Version);
    }
    let subcommand = line.subcommand();
    let mut values = server_address::values(subcommand, sources)?;
    if subcommand == Subcommand::Serve {
        positions(&line.operands, &mut values)?;
    }
    for (option, given) in &line.options {
        assign(option, &mut values, given, &format!("--{}", option.flag))?;
    }
    resolve_bind(&mut values);
    command(subcommand, line.operands, values)
}

/// How `sources` say that the server on this machine is reached.
///
/// # Errors
/// Variables that can't be read.
pub(crate) fn server(sources: &Sources) -> Result<Server, UsageError> {
    let mut values = server_address::values(Subcommand::Get, sources)?;
    resolve_bind(&mut values);
    Ok(Server::from_settings(&values.settings))
}

impl Server {
    fn from_settings(settings: &Settings) -> Server {
        Server {
            traffic: settings.traffic_address(),
            admin: settings.admin_address(),
            token: settings.admin_token.clone(),
        }
    }
}

/// `[TRAFFIC_PORT] [ADMIN_PORT] [VERBOSE] [IPV6]`, as the original takes them: a switch is on with any text
/// at all.
fn positions(operands: &[OsString], values: &mut Values) -> Result<(), UsageError> {
    if let Some(extra) = operands.get(4) {
        let extra = extra.to_string_lossy();
        return Err(UsageError::new(format!(
            "unexpected argument `{extra}`: `h1mock serve` takes at most four"
        )));
    }
    let flags =
        ["traffic-port", "admin-port", "verbose", "ipv6"].into_iter().filter_map(settings_table::by_flag);
    for (setting, given) in flags.zip(operands).filter(|(_, given)| !given.is_empty()) {
        let place = setting.flag.replace('-', "_").to_ascii_uppercase();
        let given = if setting.value.is_some() { given } else { OsStr::new("1") };
        assign(setting, values, given, &place)?;
    }
    Ok(())
}

fn assign(setting: &Setting, values: &mut Values, given: &OsStr, place: &str) -> Result<(), UsageError> {
    (setting.set)(values, given)
        .map_err(|cause| UsageError::new(format!("failed to parse `{place}`: {cause}")))
}

fn resolve_bind(values: &mut Values) {
    let default = if values.settings.ipv6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { values.settings.bind };
    values.settings.bind = values.bind.unwrap_or(default);
}

fn command(subcommand: Subcommand, operands: Vec<OsString>, values: Values) -> Result<Command, UsageError> {
    let timeout = values.timeout.unwrap_or(TIMEOUT);
    let requests = requests(&values)?;
    let settings = values.settings;
    let (server, fail_on) = (Server::from_settings(&settings), settings.fail_on);
    match subcommand {
        Subcommand::Serve => serve(settings),
        Subcommand::Check => {
            let files: Vec<PathBuf> = operands.into_iter().map(PathBuf::from).collect();
            let strict = values.strict;
            if files.is_empty() {
                Err(missing(subcommand))
            } else {
                Ok(Command::Check { files, strict, settings })
            }
        }
        Subcommand::Routes => {
            let file = PathBuf::from(one(subcommand, operands)?.ok_or_else(|| missing(subcommand))?);
            Ok(Command::Routes { file, settings })
        }
        Subcommand::Get => {
            let url = text(one(subcommand, operands)?)?.ok_or_else(|| missing(subcommand))?;
            Ok(Command::Get { url, any_status: values.any_status, server, timeout })
        }
        Subcommand::Probe => Ok(Command::Probe { address: text(one(subcommand, operands)?)?, server }),
        Subcommand::Wait => {
            let address = text(one(subcommand, operands)?)?;
            let Values { generation, provision, .. } = values;
            Ok(Command::Wait { generation, provision, requests, timeout, address, server })
        }
        Subcommand::Report => {
            Ok(Command::Report { fail_on, address: text(one(subcommand, operands)?)?, server })
        }
    }
}

/// `--for`, with its `--count` and `--since`.
fn requests(values: &Values) -> Result<Option<Requests>, UsageError> {
    let beside = [("count", values.count), ("since", values.since)];
    match (&values.requests, beside.iter().find(|(_, given)| given.is_some())) {
        (None, Some((flag, _))) => {
            Err(UsageError::new(format!("failed to use `--{flag}`: it needs `--for`")))
        }
        (wanted, _) => Ok(wanted.clone().map(|wanted| Requests {
            wanted,
            count: values.count.unwrap_or(1),
            since: values.since.unwrap_or(0),
        })),
    }
}

fn serve(settings: Settings) -> Result<Command, UsageError> {
    let port = settings.traffic_port;
    if port != 0 && port == settings.admin_port && !settings.no_admin {
        let message =
            format!("failed to use port {port} twice: `--traffic-port` and `--admin-port` are the same");
        return Err(UsageError::new(message));
    }
    Ok(Command::Serve(settings))
}

/// The only operand; an empty one counts as not given.
fn one(subcommand: Subcommand, operands: Vec<OsString>) -> Result<Option<OsString>, UsageError> {
    let mut operands = operands.into_iter();
    let first = operands.next().filter(|operand| !operand.is_empty());
    match operands.next() {
        None => Ok(first),
        Some(extra) => Err(UsageError::new(format!(
            "unexpected argument `{}`: `h1mock {}` takes one",
            extra.to_string_lossy(),
            subcommand.word()
        ))),
    }
}

fn text(operand: Option<OsString>) -> Result<Option<String>, UsageError> {
    let not_text =
        |bytes: OsString| UsageError::new(format!("failed to read `{}`: not UTF-8", bytes.to_string_lossy()));
    operand.map(OsString::into_string).transpose().map_err(not_text)
}

fn missing(subcommand: Subcommand) -> UsageError {
    let (word, operands) = (subcommand.word(), subcommand.operands());
    UsageError::new(format!("missing argument: `h1mock {word} {operands}`"))
}
