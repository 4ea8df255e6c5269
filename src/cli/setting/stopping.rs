//! Rows of the settings of how the server ends.

use super::{Group, SERVE, Setting, put, seconds};
use crate::cli::value;

pub static ROWS: &[Setting] = &[
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
];
