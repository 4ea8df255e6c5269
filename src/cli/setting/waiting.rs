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
        flag: "for",
        short: None,
        value: Some("REQUEST"),
        default: "",
        group: Group::Waiting,
        help: "Wait until such requests came: `POST /orders`, `/orders/<int:id>?status=2xx`",
        commands: &[Wait],
        set: |v, s| put(&mut v.requests, value::requests(s).map(Some)),
    },
    Setting {
        flag: "count",
        short: None,
        value: Some("N"),
        default: "1",
        group: Group::Waiting,
        help: "With --for: so many of them",
        commands: &[Wait],
        set: |v, s| put(&mut v.count, value::count(s, 0..=i64::MAX as u64).map(Some)),
    },
    Setting {
        flag: "since",
        short: None,
        value: Some("N"),
        default: "0",
        group: Group::Waiting,
        help: "With --for: only those with a number greater than this",
        commands: &[Wait],
        set: |v, s| put(&mut v.since, value::count(s, 0..=i64::MAX as u64).map(Some)),
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
