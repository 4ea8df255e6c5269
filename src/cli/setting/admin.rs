//! Rows of the settings of the admin interface.

use super::{Group, SERVE, Setting, put};
use crate::cli::subcommand::Subcommand::{Get, Report, Serve, Wait};
use crate::cli::value;

pub static ROWS: &[Setting] = &[
    Setting {
        flag: "admin-token",
        short: None,
        value: Some("TOKEN"),
        default: "",
        group: Group::Admin,
        help: "Bearer token of the admin interface; the variable keeps it out of process lists",
        commands: &[Serve, Get, Wait, Report],
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
];
