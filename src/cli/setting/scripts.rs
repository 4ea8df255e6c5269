//! Rows of the budgets of scripts.

use super::{Group, SCRIPTS, SERVE, Setting, put};
use crate::cli::value;
use std::time::Duration;

pub static ROWS: &[Setting] = &[
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
        set: |v, s| put(&mut v.settings.script_memory, value::size(s, 1 << 20..=usize::MAX)),
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
        flag: "explain",
        short: None,
        value: None,
        default: "",
        group: Group::Scripts,
        help: "Tell in the default pages of 404 and 405 which rules are closest",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.explain, value::switch(s)),
    },
];
