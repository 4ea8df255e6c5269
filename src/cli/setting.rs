//! A row of the table of flags, and the fields that rows set.

use super::check::Format;
use super::settings::Settings;
use super::subcommand::Subcommand;
use super::subcommand::Subcommand::Serve;
use super::value::{Given, Parsed};
use crate::system::paint::Color;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

/// One row of the table.
#[derive(Clone, Copy)]
pub(super) struct Setting {
    /// The long flag, without its dashes.
    pub flag: &'static str,
    /// The one-letter flag.
    pub short: Option<char>,
    /// Name of the value in the help; `None` for a switch.
    pub value: Option<&'static str>,
    /// The words that the value may be, if it is one of a list.
    pub words: &'static [&'static str],
    /// The default as a user would type it; empty where nothing can be typed.
    pub default: &'static str,
    /// Heading in the help.
    pub group: &'static str,
    /// The effect of the flag, in one line without a full stop.
    pub help: &'static str,
    /// The subcommands that have the flag.
    pub commands: &'static [Subcommand],
    /// Parses a value (of a switch: `1` or `0`, in all spellings) and stores it.
    pub set: fn(&mut Values, &OsStr) -> Parsed<()>,
}

/// The fields that the rows set.
#[derive(Default)]
pub(super) struct Values {
    pub settings: Settings,
    /// `None`: the default depends on `--ipv6`.
    pub bind: Option<IpAddr>,
    /// `None`: the default depends on `NO_COLOR`.
    pub color: Option<Color>,
    pub generation: Option<u64>,
    pub provision: Option<String>,
    /// `--for`.
    pub requests: Option<String>,
    pub count: Option<u64>,
    pub since: Option<u64>,
    pub any_status: bool,
    pub strict: bool,
    /// `--format`.
    pub format: Format,
    /// `--kind`: the index of a word of `new::KINDS`.
    pub kind: usize,
    /// `--overlay`, in order.
    pub overlays: Vec<PathBuf>,
    /// `-H`, in order.
    pub fields: Vec<(String, String)>,
    /// `-d`.
    pub data: Option<Given>,
    /// `--store`.
    pub store: Option<Given>,
    pub timeout: Option<Duration>,
}

impl Setting {
    /// An empty row under a heading, for `commands`.
    pub(super) const fn under(group: &'static str, commands: &'static [Subcommand]) -> Setting {
        let set = |_: &mut Values, _: &OsStr| Ok(());
        Setting {
            flag: "",
            short: None,
            value: None,
            words: &[],
            default: "",
            group,
            help: "",
            commands,
            set,
        }
    }

    /// A flag without a value: on or off.
    pub(super) const fn switch(self, flag: &'static str) -> Setting {
        Setting { flag, ..self }
    }

    /// A flag with a value, whose name stands in the help.
    pub(super) const fn option(
        self,
        flag: &'static str,
        value: &'static str,
        default: &'static str,
    ) -> Setting {
        Setting { flag, value: Some(value), default, ..self }
    }

    pub(super) const fn words(self, words: &'static [&'static str]) -> Setting {
        Setting { words, ..self }
    }

    pub(super) const fn short(self, letter: char) -> Setting {
        Setting { short: Some(letter), ..self }
    }

    /// Replaces the subcommands of the heading.
    pub(super) const fn of(self, commands: &'static [Subcommand]) -> Setting {
        Setting { commands, ..self }
    }

    pub(super) const fn help(self, help: &'static str) -> Setting {
        Setting { help, ..self }
    }

    pub(super) const fn set(self, set: fn(&mut Values, &OsStr) -> Parsed<()>) -> Setting {
        Setting { set, ..self }
    }

    /// Returns the environment variable: `--max-body` -> `H1MOCK_MAX_BODY`. Only flags of the server have one.
    ///
    /// Kubernetes injects `H1MOCK_PORT`, `H1MOCK_PORT_...` and `H1MOCK_SERVICE_...` for a Service named
    /// h1mock, so no flag may begin with `port` or `service`.
    pub(super) fn variable(&self) -> Option<String> {
        let name = || format!("H1MOCK_{}", self.flag.replace('-', "_").to_ascii_uppercase());
        self.commands.contains(&Serve).then(name)
    }

    /// Whether `subcommand` reads the variable. Client subcommands read the variables of the server's address, also those
    /// whose flags they don't have.
    pub(super) fn is_read_by(&self, subcommand: Subcommand) -> bool {
        let reach = ["bind", "ipv6", "traffic-port", "admin-port", "admin-token"];
        self.commands.contains(&subcommand) || subcommand.is_client() && reach.contains(&self.flag)
    }
}
