//! Rows of the settings of what is kept of requests.

use super::{Group, SERVE, Setting, put};
use crate::cli::value::{self, Parsed};
use std::ffi::OsStr;

/// 0, or enough for an entry of some size.
fn budget(value: &OsStr) -> Parsed<Option<usize>> {
    match value::size(value, 0..=usize::MAX)? {
        0 => Ok(Some(0)),
        _ => value::size(value, 64 << 10..=usize::MAX).map(Some),
    }
}

pub static ROWS: &[Setting] = &[
    Setting {
        flag: "journal-bytes",
        short: None,
        value: Some("SIZE"),
        default: "",
        group: Group::Journal,
        help: "Memory of the requests that are kept, at least 64k, or 0 to keep none; without it 2M, or a tenth \
               of what the container may use if that is less",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.journal_bytes, budget(s)),
    },
    Setting {
        flag: "journal-body",
        short: None,
        value: Some("SIZE"),
        default: "64k",
        group: Group::Journal,
        help: "What is kept of a body, a request's or an answer's: at most an eighth of --journal-bytes",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.journal_body, value::size(s, 0..=usize::MAX)),
    },
];
