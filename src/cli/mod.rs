//! argv and environment -> one [`Command`]. Only parses: opens no file and no socket, prints nothing. All sources are
//! parameters, also whether a file exists.
//!
//! To add a flag, add a row to the table in `settings_table.rs`. To add a subcommand, add it to `subcommand.rs`, to
//! [`Command`] and to `command()` below.

pub(crate) mod check;
mod completions;
mod help;
mod line;
mod man;
pub(crate) mod new;
pub(crate) mod routes;
mod server_address;
mod setting;
mod settings;
mod settings_table;
mod subcommand;
pub(crate) mod try_command;
#[cfg(test)]
mod tests;
pub(crate) mod value;

pub(crate) use crate::observing::report::FailOn;
pub(crate) use check::Format;
pub(crate) use new::Starter;
pub(crate) use settings::{CONFIG_DIR, PROVISION_DIR, Settings, Token};
pub(crate) use try_command::Trial;

use crate::system::paint::Color;
use line::Line;
use setting::{Setting, Values};
use std::ffi::{OsStr, OsString};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use subcommand::Subcommand;
use value::Parsed;

/// The default of `--timeout`.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A parsed command line. URLs and addresses are as typed; where scheme, host or port are missing, `server` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Command {
    Serve(Settings),
    /// Write a provision to start from.
    New(Starter),
    /// Compile `files` (at least one); where `strict`, a warning is a failure. Of `settings` only the script budgets can differ
    /// from the defaults.
    Check {
        files: Vec<PathBuf>,
        strict: bool,
        format: Format,
        settings: Settings,
    },
    /// List the rules of `file`, and of `overlays` before it, the newest last; `settings` as for `Check`.
    Routes {
        file: PathBuf,
        overlays: Vec<PathBuf>,
        settings: Settings,
    },
    /// Answer one request with a file; `settings` as for `Check`.
    Try {
        trial: Trial,
        settings: Settings,
    },
    /// Fetch a URL; with `any_status` a status of 400 or more is no failure.
    Get {
        url: String,
        any_status: bool,
        server: Server,
        timeout: Duration,
    },
    /// Check readiness.
    Probe {
        address: Option<String>,
        server: Server,
    },
    /// Wait until `goal` is reached; `timeout` limits the whole wait.
    Wait {
        goal: WaitGoal,
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
    /// Print a text about the program: help, the man page, completions.
    Help(String),
    Version,
}

/// The conditions of `h1mock wait`; all must hold. Without any, readiness is the condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WaitGoal {
    /// This generation or a later one serves.
    pub generation: Option<u64>,
    /// This provision is active.
    pub provision: Option<String>,
    /// These requests came.
    pub requests: Option<Requests>,
}

/// Requests to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Requests {
    /// `METHOD PATH` or `PATH`, perhaps with `?` and filters, as typed.
    pub wanted: String,
    pub count: u64,
    /// Only requests with a greater number count.
    pub since: u64,
}

/// The addresses and the token with which a client subcommand reaches the server on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Server {
    pub traffic: SocketAddr,
    pub admin: SocketAddr,
    pub token: Option<Token>,
}

/// The sources of the parser beside the command line.
pub(crate) struct Sources<'a> {
    /// Returns the value of an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<OsString>,
    /// Returns whether there is a file or a folder of this name.
    pub exists: &'a dyn Fn(&OsStr) -> bool,
    /// Returns the arguments of process 1, each ended by a NUL, as in `/proc/1/cmdline`; empty if they are not known.
    pub first_process: &'a dyn Fn() -> Vec<u8>,
}

impl Sources<'static> {
    /// The environment, and the arguments of process 1, which in a container is the server.
    pub(crate) const SYSTEM: Sources<'static> = Sources {
        env: &|name| std::env::var_os(name),
        exists: &|name| std::path::Path::new(name).exists(),
        first_process: &|| std::fs::read("/proc/1/cmdline").unwrap_or_default(),
    };
}

/// Exit code of a wrong command line or variable. The error is one line that names the flag, argument or variable.
pub(crate) const USAGE: u8 = 2;

/// Parses `args` (without the program's name) and the variables that the subcommand needs.
///
/// A flag beats a positional argument, which beats a variable, which beats the default. If a flag is repeated, the last one
/// counts. For client subcommands the arguments of process 1 come between variable and default, if process 1 is the server. Other
/// variables are never read: Kubernetes injects some that begin with `H1MOCK_`.
///
/// # Errors
/// Unknown, missing or malformed arguments and variables. An empty argument or variable counts as not given.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>, sources: &Sources) -> Parsed<Command> {
    let line = Line::read(args, sources.exists)?;
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
    resolve_color(&mut values, sources);
    values.settings.files = line.files.into_iter().map(PathBuf::from).collect();
    command(subcommand, line.operands, values)
}

/// Returns the addresses and the token of the server on this machine, by `sources`.
///
/// # Errors
/// A variable is malformed.
pub(crate) fn server(sources: &Sources) -> Parsed<Server> {
    let mut values = server_address::values(Subcommand::Get, sources)?;
    resolve_bind(&mut values);
    Ok(Server::from_settings(&values.settings))
}

impl Server {
    /// Returns the addresses and the token of a server with `settings`, for a client on the same machine.
    fn from_settings(settings: &Settings) -> Server {
        let ip = match settings.bind {
            IpAddr::V6(bind) if bind.is_unspecified() && !settings.ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
            // `--ipv6` alone means both families, and then 127.0.0.1 also reaches a server that found no IPv6.
            bind if bind.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            bind => bind,
        };
        Server {
            traffic: SocketAddr::new(ip, settings.traffic_port),
            admin: SocketAddr::new(ip, settings.admin_port),
            token: settings.admin_token.clone(),
        }
    }
}

/// Sets `[TRAFFIC_PORT] [ADMIN_PORT] [VERBOSE] [IPV6]`, as in the original: any text turns a switch on.
fn positions(operands: &[OsString], values: &mut Values) -> Parsed<()> {
    if let Some(extra) = operands.get(4) {
        let extra = extra.to_string_lossy();
        return Err(format!("unexpected argument `{extra}`: `h1mock serve` takes at most four"));
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

fn assign(setting: &Setting, values: &mut Values, given: &OsStr, place: &str) -> Parsed<()> {
    (setting.set)(values, given).map_err(|cause| format!("failed to parse `{place}`: {cause}"))
}

fn resolve_bind(values: &mut Values) {
    let default = if values.settings.ipv6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { values.settings.bind };
    values.settings.bind = values.bind.unwrap_or(default);
}

/// Switches colours off for `NO_COLOR` (no-color.org), unless the flag or its variable was given.
fn resolve_color(values: &mut Values, sources: &Sources) {
    let is_set = (sources.env)("NO_COLOR").is_some_and(|value| !value.is_empty());
    let is_dumb = (sources.env)("TERM").is_some_and(|terminal| terminal == "dumb");
    values.settings.color = match values.color {
        None if is_set || is_dumb => Color::Never,
        color => color.unwrap_or_default(),
    };
}

fn command(subcommand: Subcommand, operands: Vec<OsString>, values: Values) -> Parsed<Command> {
    let requests = requests(&values)?;
    let Values {
        settings,
        generation,
        provision,
        any_status,
        strict,
        format,
        kind,
        timeout,
        fields,
        data,
        store,
        overlays,
        ..
    } = values;
    let (server, timeout) = (Server::from_settings(&settings), timeout.unwrap_or(TIMEOUT));
    let only = |operands| only_operand(subcommand, operands);
    let required = |operand: Option<OsString>| operand.ok_or_else(|| missing(subcommand));
    Ok(match subcommand {
        Subcommand::Serve => Command::Serve(with_two_ports(settings)?),
        Subcommand::New => Command::New(Starter::parse(&utf8(required(only(operands)?)?)?, kind)?),
        Subcommand::Check if operands.is_empty() => return Err(missing(subcommand)),
        Subcommand::Check => {
            let files = operands.into_iter().map(PathBuf::from).collect();
            Command::Check { files, strict, format, settings }
        }
        Subcommand::Routes => Command::Routes { file: required(only(operands)?)?.into(), overlays, settings },
        Subcommand::Completions => {
            let shell = value::index(&required(only(operands)?)?, &completions::SHELLS)?;
            Command::Help(completions::script(shell))
        }
        Subcommand::Man => match operands.first() {
            None => Command::Help(man::page()),
            Some(extra) => return Err(unexpected(extra, "man", "none")),
        },
        Subcommand::Try => {
            let (file, method, target) = try_command::operands(operands)?;
            Command::Try { trial: Trial { file, method, target, fields, data, store }, settings }
        }
        Subcommand::Get => {
            let url = utf8(required(only(operands)?)?)?;
            Command::Get { url, any_status, server, timeout }
        }
        Subcommand::Probe | Subcommand::Wait | Subcommand::Report => {
            let address = only(operands)?.map(utf8).transpose()?;
            match subcommand {
                Subcommand::Probe => Command::Probe { address, server },
                Subcommand::Report => Command::Report { fail_on: settings.fail_on, address, server },
                _ => {
                    let goal = WaitGoal { generation, provision, requests };
                    Command::Wait { goal, timeout, address, server }
                }
            }
        }
    })
}

/// Returns `--for` with its `--count` and `--since`.
fn requests(values: &Values) -> Parsed<Option<Requests>> {
    let beside = [("count", values.count), ("since", values.since)];
    match (&values.requests, beside.iter().find(|(_, given)| given.is_some())) {
        (None, Some((flag, _))) => Err(format!("failed to use `--{flag}`: it needs `--for`")),
        (wanted, _) => Ok(wanted.clone().map(|wanted| Requests {
            wanted,
            count: values.count.unwrap_or(1),
            since: values.since.unwrap_or(0),
        })),
    }
}

fn with_two_ports(settings: Settings) -> Parsed<Settings> {
    let port = settings.traffic_port;
    match port != 0 && port == settings.admin_port && !settings.no_admin {
        true => {
            Err(format!("failed to use port {port} twice: `--traffic-port` and `--admin-port` are the same"))
        }
        false => Ok(settings),
    }
}

/// Returns the operand of a subcommand that takes one; an empty operand counts as not given.
fn only_operand(subcommand: Subcommand, operands: Vec<OsString>) -> Parsed<Option<OsString>> {
    match operands.get(1) {
        None => Ok(operands.into_iter().next().filter(|operand| !operand.is_empty())),
        Some(extra) => Err(unexpected(extra, subcommand.word(), "one")),
    }
}

fn unexpected(extra: &OsStr, word: &str, count: &str) -> String {
    format!("unexpected argument `{}`: `h1mock {word}` takes {count}", extra.to_string_lossy())
}

fn utf8(operand: OsString) -> Parsed<String> {
    operand.into_string().map_err(|bytes| format!("failed to read `{}`: not UTF-8", bytes.to_string_lossy()))
}

fn missing(subcommand: Subcommand) -> String {
    format!("missing argument: `h1mock {} {}`", subcommand.word(), subcommand.operands())
}
