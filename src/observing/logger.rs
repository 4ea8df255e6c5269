//! The log on standard error, as text or JSON. `RUST_LOG` sets the level, which is `info` by default.
//!
//! A record is one line; only the report of a script's fault has several lines of text. No thread waits for the log's reader
//! (`log_queue.rs`).

use crate::observing::access_log;
use crate::observing::log_queue::LogQueue;
use crate::script::runtime::fault::REPORT;
use crate::system::escape::{escape, escape_json, escape_lines};
use crate::system::output::write_all;
use crate::system::paint::Paint;
use crate::system::truncate::truncate;
use env_logger::{Builder, Target};
use log::{Level, Record};
use serde_json::{Value, json};
use std::io::{self, Write, stderr, stdout};
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

static QUEUE: OnceLock<LogQueue> = OnceLock::new();

/// How long the process waits for a reader of the last lines.
pub(crate) const FLUSH: Duration = Duration::from_secs(1);

/// Most characters that are shown of a message.
const LONGEST: usize = 64 << 10;

/// Starts logging. Panics are logged, too. Where `RUST_LOG` is not set, `default` has the level, or filters of `env_logger`.
///
/// # Errors
/// The system refuses a thread.
pub(crate) fn start(json: bool, default: &str, paint: Paint) -> io::Result<()> {
    let asked = std::env::var("RUST_LOG").unwrap_or_default();
    let asked = if asked.is_empty() { default.to_owned() } else { asked };
    let level = level(&asked);
    let write = move |record: &Record| if json { as_json(record) } else { as_text(record, paint) };
    let queue = QUEUE.get_or_init(LogQueue::new);
    let notice = move |text: &str| {
        write(&Record::builder().level(Level::Warn).target("h1mock").args(format_args!("{text}")).build())
    };
    let work = move || queue.write_to(stderr(), notice);
    thread::Builder::new().name("log".to_owned()).stack_size(128 << 10).spawn(work)?;
    let mut builder = Builder::new();
    builder.parse_filters(level.unwrap_or(&asked)).target(Target::Pipe(Box::new(Lines(queue))));
    builder.format(move |out, record| writeln!(out, "{}", write(record)));
    // Tests start it several times; only the first counts.
    let _ = builder.try_init();
    if level == Some(DEFAULT) && !asked.is_empty() && asked != DEFAULT {
        log::warn!("RUST_LOG: `{asked}` is no level: error, warn, info, debug or trace; taken for info");
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Puts records into the queue. `env_logger` writes each of them in one piece.
struct Lines(&'static LogQueue);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Logs a panic, and waits until the record is written: the process may end with the panic.
fn log_panic(panic: &PanicHookInfo) {
    log::error!("{}", panic.to_string().replacen(":\n", ": ", 1));
    flush_until(Instant::now() + FLUSH);
}

/// Returns how many lines were dropped so far, since nobody read them or they could not be written.
pub(crate) fn dropped() -> u64 {
    QUEUE.get().map_or(0, LogQueue::dropped)
}

/// Waits until the log is written, but not longer than until `end`. Returns whether it is written.
pub(crate) fn flush_until(end: Instant) -> bool {
    QUEUE.get().is_none_or(|queue| queue.flush(end))
}

/// Writes `text` and a line end to standard output, after the lines of the log. Gives up after a second.
pub(crate) fn print(text: &str) {
    print_to(stdout(), &format!("{text}\n"));
}

/// Writes the reason why the server ends to standard error, after the lines of the log. Gives up after a second.
pub(crate) fn print_error(text: &str) {
    print_to(stderr(), &format!("h1mock: {}\n", escape(text)));
}

fn print_to(out: impl AsFd, text: &str) {
    let end = Instant::now() + FLUSH;
    flush_until(end);
    // An error means that `out` is closed, or that nobody reads it.
    let _ = write_all(out, text.as_bytes(), Some(end));
}

/// The default level.
pub(crate) const DEFAULT: &str = "info";

/// Returns the level for `asked`; `None` for filters such as `provision=debug`, which `env_logger` parses.
///
/// An unknown word is `info`: `env_logger` would take it for a module, and hide every other record.
fn level(asked: &str) -> Option<&str> {
    if asked.contains(['=', ',', '/']) {
        return None;
    }
    match asked.to_ascii_lowercase().as_str() {
        "error" | "warn" | "info" | "debug" | "trace" | "off" | "h1mock" | "access" | "provision" => {
            Some(asked)
        }
        "warning" => Some("warn"),
        "critical" => Some("error"),
        _ => Some(DEFAULT),
    }
}

/// Returns the time of a record: RFC 3339, UTC, milliseconds.
pub(crate) fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// Formats a record as text. Line ends in the message are escaped, so text of a client, script or file can't look like another record.
fn as_text(record: &Record, paint: Paint) -> String {
    let target = match record.target() {
        own if own.starts_with("h1mock") => String::new(),
        other => format!("{other}: "),
    };
    let message = message(record);
    // The lines of a report are h1mock's own, and the texts in them are escaped already.
    let message = if record.target() == REPORT { escape_lines(&message) } else { escape(&message) };
    let (time, level) = (now(), format!("{:5}", record.level()));
    let level = match record.level() {
        Level::Error => paint.red(&level),
        Level::Warn => paint.yellow(&level),
        _ => paint.dim(&level),
    };
    format!("{} {level} {target}{message}", paint.dim(&time))
}

fn message(record: &Record) -> String {
    let message = record.args().to_string();
    if message.len() <= LONGEST { message } else { truncate(&message, LONGEST, "...") }
}

fn as_json(record: &Record) -> String {
    let message = message(record);
    let mut line =
        json!({ "time": now(), "level": record.level().as_str().to_lowercase(), "target": record.target() });
    match serde_json::from_str(&message) {
        // A line of the access log is an object. Its fields are added to time and level.
        Ok(Value::Object(fields)) if record.target() == access_log::TARGET => {
            if let Value::Object(all) = &mut line {
                all.extend(fields);
            }
        }
        _ => line["message"] = Value::String(message),
    }
    escape_json(line.to_string())
}
