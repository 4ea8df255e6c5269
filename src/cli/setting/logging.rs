//! Rows of the settings of what is logged.

use super::{Group, SERVE, Setting, put};
use crate::cli::value;

pub static ROWS: &[Setting] = &[
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
];
