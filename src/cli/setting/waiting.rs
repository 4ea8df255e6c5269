//! Rows of what a client subcommand waits for, and how long.

use super::{Group, Setting, put};
use crate::cli::subcommand::Subcommand::{Get, Wait};
use crate::cli::value;
use std::time::Duration;

pub static ROWS: &[Setting] = &[
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
        flag: "any-status",
        short: None,
        value: None,
        default: "",
        group: Group::Waiting,
        help: "Any answer is a success, whatever its status",
        commands: &[Get],
        set: |v, s| put(&mut v.any_status, value::switch(s)),
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
