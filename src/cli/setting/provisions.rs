//! Rows of the settings of where provisions are and how they are followed.

use super::{Group, SERVE, Setting, put};
use crate::cli::value;
use std::time::Duration;

pub static ROWS: &[Setting] = &[
    Setting {
        flag: "provision-dir",
        short: None,
        value: Some("DIR"),
        default: "provision",
        group: Group::Provisions,
        help: "The provision directory",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.provision_dir, value::path(s)),
    },
    Setting {
        flag: "config-dir",
        short: None,
        value: Some("DIR"),
        default: "/config",
        group: Group::Provisions,
        help: "Mount of a ConfigMap, whose files are copied to the provision directory",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.config_dir, value::path(s)),
    },
    Setting {
        flag: "on-error",
        short: None,
        value: Some("WORD"),
        default: "keep",
        group: Group::Provisions,
        help: "What serves after a broken provision: the last good one (keep) or `initial` (initial)",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.on_error, value::on_error(s)),
    },
    Setting {
        flag: "require-provision",
        short: None,
        value: Some("NAME"),
        default: "",
        group: Group::Provisions,
        help: "Not ready while another provision is active; without it, while the built-in one stands in for a broken `initial`",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.require_provision, value::provision(s)),
    },
    Setting {
        flag: "poll",
        short: None,
        value: None,
        default: "",
        group: Group::Provisions,
        help: "Look at the files by turns instead of waiting for file events",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.poll, value::switch(s)),
    },
    Setting {
        flag: "poll-interval",
        short: None,
        value: Some("TIME"),
        default: "2s",
        group: Group::Provisions,
        help: "Time between two looks",
        commands: SERVE,
        set: |v, s| {
            let range = Duration::from_millis(100)..=Duration::from_secs(3600);
            put(&mut v.settings.poll_interval, value::duration(s, range))
        },
    },
];
