//! Rows of the limits of connections and requests. What happens to a client that runs over is in `docs/limits.md`.

use super::{Group, SERVE, Setting, put};
use crate::cli::value::{self, Parsed};
use std::ffi::OsStr;
use std::time::Duration;

/// A deadline of a connection. There is a lower end because 0 would not mean "none": no client would ever be quick
/// enough.
fn deadline(value: &OsStr) -> Parsed<Duration> {
    value::duration(value, Duration::from_millis(10)..=Duration::from_secs(3600))
}

pub static ROWS: &[Setting] = &[
    Setting {
        flag: "max-head",
        short: None,
        value: Some("SIZE"),
        default: "64k",
        group: Group::Limits,
        help: "Largest request line and headers together, from 1k to 1M",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_head, value::size(s, 1 << 10..=1 << 20)),
    },
    Setting {
        flag: "max-headers",
        short: None,
        value: Some("N"),
        default: "128",
        group: Group::Limits,
        help: "Most headers of a request",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_headers, value::count(s, 1..=10_000)),
    },
    Setting {
        flag: "max-body",
        short: None,
        value: Some("SIZE"),
        default: "8M",
        group: Group::Limits,
        help: "Largest request body",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_body, value::size(s, 1..=usize::MAX)),
    },
    Setting {
        flag: "max-buffered",
        short: None,
        value: Some("SIZE"),
        default: "",
        group: Group::Limits,
        help: "Memory of requests and of answers on their way, at least 64k; without it a quarter of what the \
               container may use, at least 8M",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_buffered, value::size(s, 64 << 10..=usize::MAX).map(Some)),
    },
    Setting {
        flag: "max-connections",
        short: None,
        value: Some("N"),
        default: "",
        group: Group::Limits,
        help: "Connections to the mock at a time; without it what the limit of open files leaves",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_connections, value::count(s, 1..=1_000_000).map(Some)),
    },
    Setting {
        flag: "max-requests",
        short: None,
        value: Some("N"),
        default: "0",
        group: Group::Limits,
        help: "Requests that a connection may make before it is closed; 0 for any number",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.max_requests, value::count(s, 0..=1_000_000_000)),
    },
    Setting {
        flag: "head-timeout",
        short: None,
        value: Some("TIME"),
        default: "10s",
        group: Group::Limits,
        help: "Time for the head of a request to arrive, from its first byte on",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.head_timeout, deadline(s)),
    },
    Setting {
        flag: "body-timeout",
        short: None,
        value: Some("TIME"),
        default: "30s",
        group: Group::Limits,
        help: "Time for the body of a request to arrive",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.body_timeout, deadline(s)),
    },
    Setting {
        flag: "idle-timeout",
        short: None,
        value: Some("TIME"),
        default: "75s",
        group: Group::Limits,
        help: "Time that a connection may wait between two requests",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.idle_timeout, deadline(s)),
    },
    Setting {
        flag: "write-timeout",
        short: None,
        value: Some("TIME"),
        default: "60s",
        group: Group::Limits,
        help: "Time for a client to take an answer",
        commands: SERVE,
        set: |v, s| put(&mut v.settings.write_timeout, deadline(s)),
    },
];
