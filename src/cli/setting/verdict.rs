//! Rows of the report at the end, and of what makes it fail.

use super::{Group, SERVE, Setting, put};
use crate::cli::subcommand::Subcommand::{Report, Serve};
use crate::cli::{FailOn, value};

pub static ROWS: &[Setting] = &[
    Setting {
        flag: "report",
        short: None,
        value: Some("FILE"),
        default: "",
        group: Group::Verdict,
        help: "Where the report goes when the server stops; without it /dev/termination-log where there is one",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.report, value::path(s).map(Some)),
    },
    Setting {
        flag: "fail-on",
        short: None,
        value: Some("LIST"),
        default: "",
        group: Group::Verdict,
        help: "Exit code 3 where one of these is in the report: unmatched, unused, errors, loads (with commas)",
        commands: &[Serve, Report],
        set: |v, s| {
            let parsed = value::text(s).and_then(|text| match text {
                "" => Ok(None),
                text => FailOn::parse(text).map(Some),
            });
            put(&mut v.settings.fail_on, parsed)
        },
    },
];
