//! The table of flags. The parser, the variables and the help only read this table.
//!
//! To add a flag, add a row to [`TABLE`] and the field that the row sets: to [`Settings`] for a flag of the server, with its
//! default, or to [`Values`] for a flag of a client subcommand. `BLESS=1 cargo test --lib cli` then rewrites the help texts.

use super::FailOn;
use super::check::Format;
use super::new::KINDS;
use super::setting::Setting;
use super::subcommand::Subcommand::{Check, Get, New, Probe, Report, Routes, Serve, Try, Wait};
use super::value::{self, Parsed};
use crate::message::cors::Cors;
use crate::outgoing::Allowed;
use crate::system::paint::Color;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Headings of the help.
const LISTENERS: Setting = Setting::under("Listeners", &[Serve]);
const LIMITS: Setting = Setting::under("Limits", &[Serve]);
const PROVISIONS: Setting = Setting::under("Provisions", &[Serve]);
const SCRIPTS: Setting = Setting::under("Scripts", &[Serve]);
const OUTGOING: Setting = Setting::under("Outgoing", &[Serve]);
const ADMIN: Setting = Setting::under("Admin", &[Serve]);
const JOURNAL: Setting = Setting::under("Journal", &[Serve]);
const STOPPING: Setting = Setting::under("Stopping", &[Serve]);
const VERDICT: Setting = Setting::under("Verdict", &[Serve]);
const LOGGING: Setting = Setting::under("Logging", &[Serve]);
/// Flags of `try`: the request, and the state that it meets.
const REQUEST: Setting = Setting::under("Request", &[Try]);
/// Flags of a client subcommand: its goal, and how long it waits.
const WAITING: Setting = Setting::under("Waiting", &[Wait]);

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
/// Range of a time limit of scripts.
const SCRIPT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(60);
/// The words of `--on-error`; the first one is the default.
const ON_ERROR: [&str; 2] = ["keep", "initial"];
/// The words of `--log-format`; the first one is the default.
const LOG_FORMATS: [&str; 2] = ["text", "json"];
/// The words of `--color`; the first one is the default.
const COLORS: [&str; 3] = [Color::WORDS[0].0, Color::WORDS[1].0, Color::WORDS[2].0];
/// Range of a deadline of a connection. 0 is not allowed, since it would not mean "none": no client would ever be quick
/// enough.
const DEADLINE: RangeInclusive<Duration> = Duration::from_millis(10)..=HOUR;

/// The rows of a heading stand together, in the order of the help.
pub(super) static TABLE: &[Setting] = &[
    LISTENERS
        .option("traffic-port", "PORT", "8000")
        .of(&[Serve, Get])
        .help("Port of the mock; 0 picks one")
        .set(|v, s| put(&mut v.settings.traffic_port, value::port(s))),
    LISTENERS
        .option("admin-port", "PORT", "8074")
        .of(&[Serve, Get, Probe, Wait, Report])
        .help("Port of the admin interface; 0 picks one")
        .set(|v, s| put(&mut v.settings.admin_port, value::port(s))),
    LISTENERS
        .option("bind", "ADDRESS", "0.0.0.0")
        .help("IP address of both listeners; `::` by default with --ipv6")
        .set(|v, s| put(&mut v.bind, value::address(s).map(Some))),
    LISTENERS
        .switch("ipv6")
        .help("Listen on IPv6 and IPv4")
        .set(|v, s| put(&mut v.settings.ipv6, value::switch(s))),
    LISTENERS
        .option("workers", "N", "")
        .help("Threads that answer the mock's requests; without it twice the CPUs, 4 to 16")
        .set(|v, s| put(&mut v.settings.workers, value::count(s, 1..=1024).map(Some))),
    LISTENERS
        .option("trust-proxy", "N", "0")
        .of(&[Serve, Try])
        .help("Proxies in front of the mock whose X-Forwarded-* headers count; 0 trusts none")
        .set(|v, s| put(&mut v.settings.trust_proxy, value::count(s, 0..=100))),
    LIMITS
        .option("max-head", "SIZE", "64k")
        .help("Largest request line and headers together, from 1k to 1M")
        .set(|v, s| put(&mut v.settings.max_head, value::size(s, 1 << 10..=1 << 20))),
    LIMITS
        .option("max-headers", "N", "128")
        .help("Most headers of a request")
        .set(|v, s| put(&mut v.settings.max_headers, value::count(s, 1..=10_000))),
    LIMITS
        .option("max-body", "SIZE", "8M")
        .help("Largest request body")
        .set(|v, s| put(&mut v.settings.max_body, value::size(s, 1..=usize::MAX))),
    LIMITS
        .option("max-buffered", "SIZE", "")
        .help("Memory of requests and of answers on their way, at least 64k; without it a quarter of what the \
               container may use, at least 8M")
        .set(|v, s| put(&mut v.settings.max_buffered, value::size(s, 64 << 10..=usize::MAX).map(Some))),
    LIMITS
        .option("max-connections", "N", "")
        .help("Connections to the mock at a time; without it what the limit of open files leaves")
        .set(|v, s| put(&mut v.settings.max_connections, value::count(s, 1..=1_000_000).map(Some))),
    LIMITS
        .option("max-requests", "N", "0")
        .help("Requests that a connection may make before it is closed; 0 for any number")
        .set(|v, s| put(&mut v.settings.max_requests, value::count(s, 0..=1_000_000_000))),
    LIMITS
        .option("head-timeout", "TIME", "10s")
        .help("Time for the head of a request to arrive, from its first byte on")
        .set(|v, s| put(&mut v.settings.head_timeout, value::duration(s, DEADLINE))),
    LIMITS
        .option("body-timeout", "TIME", "30s")
        .help("Time for the body of a request to arrive")
        .set(|v, s| put(&mut v.settings.body_timeout, value::duration(s, DEADLINE))),
    LIMITS
        .option("idle-timeout", "TIME", "75s")
        .help("Time that a connection may wait between two requests")
        .set(|v, s| put(&mut v.settings.idle_timeout, value::duration(s, DEADLINE))),
    LIMITS
        .option("write-timeout", "TIME", "60s")
        .help("Time for a client to take an answer")
        .set(|v, s| put(&mut v.settings.write_timeout, value::duration(s, DEADLINE))),
    PROVISIONS
        .option("provision-dir", "DIR", "provision")
        .help("The provision directory; with FILE, where posted provisions and stored files go in place of a private temporary folder")
        .set(|v, s| put(&mut v.settings.provision_dir, value::path(s).map(Some))),
    PROVISIONS
        .option("config-dir", "DIR", "/config")
        .help("Mount of a ConfigMap, whose files are copied to the provision directory; one that is given must exist")
        .set(|v, s| put(&mut v.settings.config_dir, value::path(s).map(Some))),
    PROVISIONS
        .option("on-error", "WORD", "keep")
        .help("Provision that serves after a broken one: the last good one (keep) or `initial` (initial)")
        .words(&ON_ERROR)
        .set(|v, s| put(&mut v.settings.back_to_initial, value::is_second(s, ON_ERROR))),
    PROVISIONS
        .option("require-provision", "NAME", "")
        .help("Not ready while another provision is active; without it, while the built-in one stands in for a broken `initial`")
        .set(|v, s| put(&mut v.settings.require_provision, value::provision(s))),
    PROVISIONS
        .switch("poll")
        .help("Look at the files regularly instead of waiting for file events")
        .set(|v, s| put(&mut v.settings.poll, value::switch(s))),
    PROVISIONS
        .option("poll-interval", "TIME", "2s")
        .help("Time between two looks at the files")
        .set(|v, s| put(&mut v.settings.poll_interval, value::duration(s, Duration::from_millis(100)..=HOUR))),
    PROVISIONS
        .option("overlay", "FILE", "")
        .of(&[Routes])
        .help("An overlay before the other rules; may be repeated, the newest last")
        .set(|v, s| value::path(s).map(|path| v.overlays.push(path))),
    PROVISIONS
        .option("kind", "WORD", "rest")
        .of(&[New])
        .help("The starter: rest (fixed data), crud (data that clients change), oauth2 (tokens), sse (events), webhook, blank")
        .words(&KINDS)
        .set(|v, s| put(&mut v.kind, value::index(s, &KINDS))),
    REQUEST
        .option("header", "FIELD", "")
        .short('H')
        .help("A header of the request: `Name: value`")
        .set(|v, s| value::field(s).map(|field| v.fields.push(field))),
    REQUEST
        .option("data", "BODY", "")
        .short('d')
        .help("The body: a text, `@FILE`, or `-` for standard input")
        .set(|v, s| put(&mut v.data, value::given(s).map(Some))),
    REQUEST
        .option("store", "JSON", "")
        .help("Values of `store`, beside those of registerRules(): an object of keys, `@FILE`, or `-`")
        .set(|v, s| put(&mut v.store, value::given(s).map(Some))),
    SCRIPTS
        .option("script-timeout", "TIME", "2s")
        .of(&[Serve, Check, Routes, Try])
        .help("Time for one call of a script, at most 60s")
        .set(|v, s| put(&mut v.settings.script_timeout, value::duration(s, SCRIPT))),
    SCRIPTS
        .option("script-memory", "SIZE", "32M")
        .of(&[Serve, Check, Routes, Try])
        .help("Memory that one call of a script may allocate, at least 1M")
        .set(|v, s| put(&mut v.settings.script_memory, value::size(s, 1 << 20..=usize::MAX))),
    SCRIPTS
        .option("load-time", "TIME", "5s")
        .of(&[Serve, Check, Routes, Try])
        .help("Processor time to load a provision, at most 60s")
        .set(|v, s| put(&mut v.settings.load_time, value::duration(s, SCRIPT))),
    SCRIPTS
        .switch("strict")
        .of(&[Check])
        .help("Warnings are failures, too: exit code 1")
        .set(|v, s| put(&mut v.strict, value::switch(s))),
    SCRIPTS
        .option("format", "WORD", "text")
        .of(&[Check])
        .help("Form of the results: text, json or github (annotations of GitHub Actions)")
        .words(&Format::WORDS)
        .set(|v, s| put(&mut v.format, value::index(s, &Format::WORDS).map(|index| Format::ALL[index]))),
    SCRIPTS
        .switch("keep-store")
        .help("Keep `store` when another provision is activated")
        .set(|v, s| put(&mut v.settings.keep_store, value::switch(s))),
    SCRIPTS
        .option("store-bytes", "SIZE", "")
        .help("Memory of the values in `store`, at least 64k; without it 64M, or a quarter of what the \
               container may use if that is less")
        .set(|v, s| put(&mut v.settings.store_bytes, value::size(s, 64 << 10..=usize::MAX).map(Some))),
    SCRIPTS
        .option("cors", "ORIGINS", "")
        .of(&[Serve, Try])
        .help("Origins whose pages may read answers, with commas: `https://a.example`, `http://localhost:*`, `*`")
        .set(|v, s| put(&mut v.settings.cors, value::text(s).and_then(Cors::parse))),
    SCRIPTS
        .switch("explain")
        .of(&[Serve, Try])
        .help("List the closest rules in the default pages of 404 and 405")
        .set(|v, s| put(&mut v.settings.explain, value::switch(s))),
    SCRIPTS
        .option("clock", "CLOCK", "")
        .of(&[Serve, Try])
        .help("Time that scripts see: `2026-01-01T00:00:00Z` freezes it, `+2h` shifts it, `x60` speeds it up")
        .set(|v, s| put(&mut v.settings.clock, value::clock::clock(s))),
    SCRIPTS
        .option("seed", "N", "")
        .of(&[Serve, Try])
        .help("Seed of the random numbers that scripts draw; without it they are random")
        .set(|v, s| put(&mut v.settings.seed, value::clock::seed(s))),
    SCRIPTS
        .switch("compress")
        .of(&[Serve, Try])
        .help("Compress answers of text from 500 bytes on, for clients that accept gzip or deflate")
        .set(|v, s| put(&mut v.settings.compress, value::switch(s))),
    OUTGOING
        .option("allow-outgoing", "HOSTS", "")
        .help("Hosts to which requests of scripts may go, with commas: `a.example`, `*.a.example`, `10.0.0.0/8`, `*`; without it \
               `default`: this host, private addresses, names of the cluster")
        .set(|v, s| put(&mut v.settings.allow_outgoing, value::text(s).and_then(Allowed::parse))),
    OUTGOING
        .option("callback-workers", "N", "4")
        .help("Threads that send callbacks; they start when they are needed")
        .set(|v, s| put(&mut v.settings.callback_workers, value::count(s, 1..=64))),
    OUTGOING
        .option("forward-unmatched", "URL", "")
        .of(&[Serve, Try])
        .help("Server that gets the requests for which no rule matches: `http://real:8080`")
        .set(|v, s| put(&mut v.settings.forward_unmatched, value::upstream(s))),
    ADMIN
        .option("admin-token", "TOKEN", "")
        .of(&[Serve, Get, Wait, Report])
        .help("Bearer token of the admin interface; the variable keeps it out of process lists")
        .set(|v, s| put(&mut v.settings.admin_token, value::token(s))),
    ADMIN
        .option("admin-host", "NAMES", "")
        .help("Names of the admin interface with dots in them, with commas; `*.a.example`, `*`")
        .set(|v, s| put(&mut v.settings.admin_hosts, value::hosts(s))),
    ADMIN
        .option("admin-workers", "N", "2")
        .help("Threads that answer the admin interface's requests")
        .set(|v, s| put(&mut v.settings.admin_workers, value::count(s, 1..=64))),
    ADMIN
        .switch("no-admin")
        .help("Leave the admin port closed")
        .set(|v, s| put(&mut v.settings.no_admin, value::switch(s))),
    JOURNAL
        .option("journal-bytes", "SIZE", "")
        .help("Memory of the requests that are kept, at least 64k, or 0 to keep none; without it 2M, or a tenth \
               of what the container may use if that is less")
        .set(|v, s| put(&mut v.settings.journal_bytes, value::journal_bytes(s))),
    JOURNAL
        .option("journal-body", "SIZE", "64k")
        .help("What is kept of a body, a request's or an answer's: at most a thirteenth of --journal-bytes")
        .set(|v, s| put(&mut v.settings.journal_body, value::size(s, 0..=usize::MAX))),
    STOPPING
        .option("drain", "TIME", "0")
        .help("Go on accepting for this long after a stop signal, not ready any more")
        .set(|v, s| put(&mut v.settings.drain, value::duration(s, Duration::ZERO..=HOUR))),
    STOPPING
        .option("grace", "TIME", "5s")
        .help("Then wait at most this long for running requests")
        .set(|v, s| put(&mut v.settings.grace, value::duration(s, Duration::ZERO..=HOUR))),
    VERDICT
        .option("report", "FILE", "")
        .help("Where the report goes when the server stops; without it /dev/termination-log where there is one")
        .set(|v, s| put(&mut v.settings.report, value::path(s).map(Some))),
    VERDICT
        .option("fail-on", "LIST", "")
        .of(&[Serve, Report])
        .help("Exit code 3 where one of these is in the report: unmatched, unused, errors, loads (with commas)")
        .words(&FailOn::WORDS)
        .set(|v, s| put(&mut v.settings.fail_on, value::fail_on(s))),
    LOGGING
        .switch("verbose")
        .short('v')
        .help("Log more, every request included")
        .set(|v, s| put(&mut v.settings.verbose, value::switch(s))),
    LOGGING
        .option("log-format", "WORD", "text")
        .help("Form of log lines: text or json")
        .words(&LOG_FORMATS)
        .set(|v, s| put(&mut v.settings.json_log, value::is_second(s, LOG_FORMATS))),
    LOGGING
        .option("color", "WORD", "auto")
        .of(&[Serve, Routes])
        .help("Colours: auto (on a terminal, unless NO_COLOR is set), always or never")
        .words(&COLORS)
        .set(|v, s| put(&mut v.color, value::color(s).map(Some))),
    WAITING
        .option("generation", "N", "")
        .help("Wait until this generation, or a later one, serves")
        .set(|v, s| put(&mut v.generation, value::count(s, 0..=u64::MAX).map(Some))),
    WAITING
        .option("provision", "NAME", "")
        .help("Wait until this provision is active")
        .set(|v, s| put(&mut v.provision, value::name(s))),
    WAITING
        .option("for", "REQUEST", "")
        .help("Wait until such requests came: `POST /orders`, `/orders/<int:id>?status=2xx`")
        .set(|v, s| put(&mut v.requests, value::requests(s).map(Some))),
    WAITING
        .option("count", "N", "1")
        .help("With --for: the number of requests")
        .set(|v, s| put(&mut v.count, value::count(s, 0..=i64::MAX as u64).map(Some))),
    WAITING
        .option("since", "N", "0")
        .help("With --for: only those with a number greater than this")
        .set(|v, s| put(&mut v.since, value::count(s, 0..=i64::MAX as u64).map(Some))),
    WAITING
        .switch("any-status")
        .of(&[Get])
        .help("Any answer is a success, whatever its status")
        .set(|v, s| put(&mut v.any_status, value::switch(s))),
    WAITING
        .option("timeout", "TIME", "30s")
        .of(&[Get, Wait])
        .help("Time for all of it")
        .set(|v, s| put(&mut v.timeout, value::duration(s, *SCRIPT.start()..=DAY).map(Some))),
];

fn put<T>(field: &mut T, parsed: Parsed<T>) -> Parsed<()> {
    *field = parsed?;
    Ok(())
}

pub(super) fn by_flag(name: &str) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.flag == name)
}

pub(super) fn by_letter(letter: char) -> Option<&'static Setting> {
    TABLE.iter().find(|setting| setting.short == Some(letter))
}
