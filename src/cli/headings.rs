//! The headings of the help. Each holds what the rows of `settings_table` under it have in common.

use super::setting::Setting;
use super::subcommand::Subcommand::{Serve, Wait};

/// The fields that most rows leave as they are.
const SERVER: Setting = Setting {
    flag: "",
    short: None,
    value: None,
    default: "",
    group: "",
    help: "",
    commands: &[Serve],
    has_variable: true,
    set: |_, _| Ok(()),
};

pub(super) const LISTENERS: Setting = Setting { group: "Listeners", ..SERVER };
pub(super) const LIMITS: Setting = Setting { group: "Limits", ..SERVER };
pub(super) const PROVISIONS: Setting = Setting { group: "Provisions", ..SERVER };
pub(super) const SCRIPTS: Setting = Setting { group: "Scripts", ..SERVER };
pub(super) const ADMIN: Setting = Setting { group: "Admin", ..SERVER };
pub(super) const JOURNAL: Setting = Setting { group: "Journal", ..SERVER };
pub(super) const STOPPING: Setting = Setting { group: "Stopping", ..SERVER };
pub(super) const VERDICT: Setting = Setting { group: "Verdict", ..SERVER };
pub(super) const LOGGING: Setting = Setting { group: "Logging", ..SERVER };
/// Settings of a client subcommand: its goal, and how long it waits.
pub(super) const WAITING: Setting =
    Setting { group: "Waiting", commands: &[Wait], has_variable: false, ..SERVER };
