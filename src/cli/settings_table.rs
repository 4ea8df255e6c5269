//! The table of settings: one row per flag, with its default, help and what it sets. The parser and the help only read this
//! table. Knows neither argv nor the environment.

use super::headings::{
    ADMIN, JOURNAL, LIMITS, LISTENERS, LOGGING, PROVISIONS, SCRIPTS, STOPPING, VERDICT, WAITING,
};
use super::hosts::hosts;
use super::setting::{Setting, put};
use super::subcommand::Subcommand::{Check, Get, Probe, Report, Routes, Serve, Wait};
use super::value;
use std::ops::RangeInclusive;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// A limit of scripts.
const SCRIPT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);

/// A deadline of a connection. Not 0, which would not mean "none": no client would ever be quick enough.
const DEADLINE: RangeInclusive<Duration> = Duration::from_millis(10)..=HOUR;

/// The rows of a heading stand together, in the order of the help.
pub(super) static TABLE: &[Setting] = &[
    Setting {
        flag: "traffic-port",
        value: Some("PORT"),
        default: "8000",
        help: "Port of the mock; 0 picks one",
        commands: &[Serve, Get],
        set: |v, s| put(&mut v.settings.traffic_port, value::port(s)),
        ..LISTENERS
    },
    Setting {
        flag: "admin-port",
        value: Some("PORT"),
        default: "8074",
        help: "Port of the admin interface; 0 picks one",
        commands: &[Serve, Get, Probe, Wait, Report],
        set: |v, s| put(&mut v.settings.admin_port, value::port(s)),
        ..LISTENERS
    },
    Setting {
        flag: "bind",
        value: Some("ADDRESS"),
        default: "0.0.0.0",
        help: "IP address of both listeners; `::` by default with --ipv6",
        set: |v, s| put(&mut v.bind, value::address(s).map(Some)),
        ..LISTENERS
    },
    Setting {
        flag: "ipv6",
        help: "Listen on IPv6 and IPv4",
        set: |v, s| put(&mut v.settings.ipv6, value::switch(s)),
        ..LISTENERS
    },
    Setting {
        flag: "workers",
        value: Some("N"),
        help: "Threads that answer the mock's requests; without it twice the CPUs, 4 to 16",
        set: |v, s| put(&mut v.settings.workers, value::count(s, 1..=1024).map(Some)),
        ..LISTENERS
    },
    Setting {
        flag: "max-head",
        value: Some("SIZE"),
        default: "64k",
        help: "Largest request line and headers together, from 1k to 1M",
        set: |v, s| put(&mut v.settings.max_head, value::size(s, 1 << 10..=1 << 20)),
        ..LIMITS
    },
    Setting {
        flag: "max-headers",
        value: Some("N"),
        default: "128",
        help: "Most headers of a request",
        set: |v, s| put(&mut v.settings.max_headers, value::count(s, 1..=10_000)),
        ..LIMITS
    },
    Setting {
        flag: "max-body",
        value: Some("SIZE"),
        default: "8M",
        help: "Largest request body",
        set: |v, s| put(&mut v.settings.max_body, value::size(s, 1..=usize::MAX)),
        ..LIMITS
    },
    Setting {
        flag: "max-buffered",
        value: Some("SIZE"),
        help: "Memory of requests and of answers on their way, at least 64k; without it a quarter of what the \
               container may use, at least 8M",
        set: |v, s| put(&mut v.settings.max_buffered, value::size(s, 64 << 10..=usize::MAX).map(Some)),
        ..LIMITS
    },
    Setting {
        flag: "max-connections",
        value: Some("N"),
        help: "Connections to the mock at a time; without it what the limit of open files leaves",
        set: |v, s| put(&mut v.settings.max_connections, value::count(s, 1..=1_000_000).map(Some)),
        ..LIMITS
    },
    Setting {
        flag: "max-requests",
        value: Some("N"),
        default: "0",
        help: "Requests that a connection may make before it is closed; 0 for any number",
        set: |v, s| put(&mut v.settings.max_requests, value::count(s, 0..=1_000_000_000)),
        ..LIMITS
    },
    Setting {
        flag: "head-timeout",
        value: Some("TIME"),
        default: "10s",
        help: "Time for the head of a request to arrive, from its first byte on",
        set: |v, s| put(&mut v.settings.head_timeout, value::duration(s, DEADLINE)),
        ..LIMITS
    },
    Setting {
        flag: "body-timeout",
        value: Some("TIME"),
        default: "30s",
        help: "Time for the body of a request to arrive",
        set: |v, s| put(&mut v.settings.body_timeout, value::duration(s, DEADLINE)),
        ..LIMITS
    },
    Setting {
        flag: "idle-timeout",
        value: Some("TIME"),
        default: "75s",
        help: "Time that a connection may wait between two requests",
        set: |v, s| put(&mut v.settings.idle_timeout, value::duration(s, DEADLINE)),
        ..LIMITS
    },
    Setting {
        flag: "write-timeout",
        value: Some("TIME"),
        default: "60s",
        help: "Time for a client to take an answer",
        set: |v, s| put(&mut v.settings.write_timeout, value::duration(s, DEADLINE)),
        ..LIMITS
    },
    Setting {
        flag: "provision-dir",
        value: Some("DIR"),
        default: "provision",
        help: "The provision directory",
        set: |v, s| put(&mut v.settings.provision_dir, value::path(s)),
        ..PROVISIONS
    },
    Setting {
        flag: "config-dir",
        value: Some("DIR"),
        default: "/config",
        help: "Mount of a ConfigMap, whose files are copied to the provision directory",
        set: |v, s| put(&mut v.settings.config_dir, value::path(s)),
        ..PROVISIONS
    },
    Setting {
        flag: "on-error",
        value: Some("WORD"),
        default: "keep",
        help: "What serves after a broken provision: the last good one (keep) or `initial` (initial)",
        set: |v, s| put(&mut v.settings.on_error, value::on_error(s)),
        ..PROVISIONS
    },
    Setting {
        flag: "require-provision",
        value: Some("NAME"),
        help: "Not ready while another provision is active; without it, while the built-in one stands in for a broken `initial`",
        set: |v, s| put(&mut v.settings.require_provision, value::provision(s)),
        ..PROVISIONS
    },
    Setting {
        flag: "poll",
        help: "Look at the files by turns instead of waiting for file events",
        set: |v, s| put(&mut v.settings.poll, value::switch(s)),
        ..PROVISIONS
    },
    Setting {
        flag: "poll-interval",
        value: Some("TIME"),
        default: "2s",
        help: "Time between two looks",
        set: |v, s| put(&mut v.settings.poll_interval, value::duration(s, Duration::from_millis(100)..=HOUR)),
        ..PROVISIONS
    },
    Setting {
        flag: "script-timeout",
        value: Some("TIME"),
        default: "2s",
        help: "Time for one call of a script, at most 60s",
        commands: &[Serve, Check, Routes],
        set: |v, s| put(&mut v.settings.script_timeout, value::duration(s, SCRIPT)),
        ..SCRIPTS
    },
    Setting {
        flag: "script-memory",
        value: Some("SIZE"),
        default: "32M",
        help: "Memory that one call of a script may allocate, at least 1M",
        commands: &[Serve, Check, Routes],
        set: |v, s| put(&mut v.settings.script_memory, value::size(s, 1 << 20..=usize::MAX)),
        ..SCRIPTS
    },
    Setting {
        flag: "load-time",
        value: Some("TIME"),
        default: "5s",
        help: "Processor time to load a provision, at most 60s",
        commands: &[Serve, Check, Routes],
        set: |v, s| put(&mut v.settings.load_time, value::duration(s, SCRIPT)),
        ..SCRIPTS
    },
    Setting {
        flag: "strict",
        help: "Warnings are failures, too: exit code 1",
        commands: &[Check],
        has_variable: false,
        set: |v, s| put(&mut v.strict, value::switch(s)),
        ..SCRIPTS
    },
    Setting {
        flag: "keep-store",
        help: "Keep `store` when another provision is activated",
        set: |v, s| put(&mut v.settings.keep_store, value::switch(s)),
        ..SCRIPTS
    },
    Setting {
        flag: "store-bytes",
        value: Some("SIZE"),
        help: "Memory of the values in `store`, at least 64k; without it 64M, or a quarter of what the \
               container may use if that is less",
        set: |v, s| put(&mut v.settings.store_bytes, value::size(s, 64 << 10..=usize::MAX).map(Some)),
        ..SCRIPTS
    },
    Setting {
        flag: "explain",
        help: "Tell in the default pages of 404 and 405 which rules are closest",
        set: |v, s| put(&mut v.settings.explain, value::switch(s)),
        ..SCRIPTS
    },
    Setting {
        flag: "admin-token",
        value: Some("TOKEN"),
        help: "Bearer token of the admin interface; the variable keeps it out of process lists",
        commands: &[Serve, Get, Wait, Report],
        set: |v, s| put(&mut v.settings.admin_token, value::token(s)),
        ..ADMIN
    },
    Setting {
        flag: "admin-host",
        value: Some("NAMES"),
        help: "Names of the admin interface with dots in them, with commas; `*.a.example`, `*`",
        set: |v, s| put(&mut v.settings.admin_hosts, hosts(s)),
        ..ADMIN
    },
    Setting {
        flag: "admin-workers",
        value: Some("N"),
        default: "2",
        help: "Threads that answer the admin interface's requests",
        set: |v, s| put(&mut v.settings.admin_workers, value::count(s, 1..=64)),
        ..ADMIN
    },
    Setting {
        flag: "no-admin",
        help: "Leave the admin port closed",
        set: |v, s| put(&mut v.settings.no_admin, value::switch(s)),
        ..ADMIN
    },
    Setting {
        flag: "journal-bytes",
        value: Some("SIZE"),
        help: "Memory of the requests that are kept, at least 64k, or 0 to keep none; without it 2M, or a tenth \
               of what the container may use if that is less",
        set: |v, s| put(&mut v.settings.journal_bytes, value::journal_bytes(s)),
        ..JOURNAL
    },
    Setting {
        flag: "journal-body",
        value: Some("SIZE"),
        default: "64k",
        help: "What is kept of a body, a request's or an answer's: at most an eighth of --journal-bytes",
        set: |v, s| put(&mut v.settings.journal_body, value::size(s, 0..=usize::MAX)),
        ..JOURNAL
    },
    Setting {
        flag: "drain",
        value: Some("TIME"),
        default: "0",
        help: "Go on accepting for this long after a stop signal, not ready any more",
        set: |v, s| put(&mut v.settings.drain, value::duration(s, Duration::ZERO..=HOUR)),
        ..STOPPING
    },
    Setting {
        flag: "grace",
        value: Some("TIME"),
        default: "5s",
        help: "Then wait at most this long for running requests",
        set: |v, s| put(&mut v.settings.grace, value::duration(s, Duration::ZERO..=HOUR)),
        ..STOPPING
    },
    Setting {
        flag: "report",
        value: Some("FILE"),
        help: "Where the report goes when the server stops; without it /dev/termination-log where there is one",
        set: |v, s| put(&mut v.settings.report, value::path(s).map(Some)),
        ..VERDICT
    },
    Setting {
        flag: "fail-on",
        value: Some("LIST"),
        help: "Exit code 3 where one of these is in the report: unmatched, unused, errors, loads (with commas)",
        commands: &[Serve, Report],
        set: |v, s| put(&mut v.settings.fail_on, value::fail_on(s)),
        ..VERDICT
    },
    Setting {
        flag: "verbose",
        short: Some('v'),
        help: "Log more, every request included",
        set: |v, s| put(&mut v.settings.verbose, value::switch(s)),
        ..LOGGING
    },
    Setting {
        flag: "log-format",
        value: Some("WORD"),
        default: "text",
        help: "Form of log lines: text or json",
        set: |v, s| put(&mut v.settings.log_format, value::log_format(s)),
        ..LOGGING
    },
    Setting {
        flag: "generation",
        value: Some("N"),
        help: "Wait until this generation, or a later one, serves",
        set: |v, s| put(&mut v.generation, value::count(s, 0..=u64::MAX).map(Some)),
        ..WAITING
    },
    Setting {
        flag: "provision",
        value: Some("NAME"),
        help: "Wait until this provision is active",
        set: |v, s| put(&mut v.provision, value::name(s)),
        ..WAITING
    },
    Setting {
        flag: "for",
        value: Some("REQUEST"),
        help: "Wait until such requests came: `POST /orders`, `/orders/<int:id>?status=2xx`",
        set: |v, s| put(&mut v.requests, value::requests(s).map(Some)),
        ..WAITING
    },
    Setting {
        flag: "count",
        value: Some("N"),
        default: "1",
        help: "With --for: so many of them",
        set: |v, s| put(&mut v.count, value::count(s, 0..=i64::MAX as u64).map(Some)),
        ..WAITING
    },
    Setting {
        flag: "since",
        value: Some("N"),
        default: "0",
        help: "With --for: only those with a number greater than this",
        set: |v, s| put(&mut v.since, value::count(s, 0..=i64::MAX as u64).map(Some)),
        ..WAITING
    },
    Setting {
        flag: "any-status",
        help: "Any answer is a success, whatever its status",
        commands: &[Get],
        set: |v, s| put(&mut v.any_status, value::switch(s)),
        ..WAITING
    },
    Setting {
        flag: "timeout",
        value: Some("TIME"),
        default: "30s",
        help: "Time for all of it",
        commands: &[Get, Wait],
        set: |v, s| put(&mut v.timeout, value::duration(s, *SCRIPT.start()..=DAY).map(Some)),
        ..WAITING
    },
];

pub(super) fn by_flag(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.flag == name)
}

pub(super) fn by_letter(letter: char) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.short == Some(letter))
}
