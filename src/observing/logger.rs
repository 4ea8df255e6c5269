//! The log on standard error, levels by `RUST_LOG` (`info` unless told): text, where the report of a fault takes several lines,
//! or JSON, one line a record. Nobody waits for its reader (`log_queue.rs`).

use crate::observing::access_log;
use crate::observing::log_queue::LogQueue;
use crate::script::runtime::fault::REPORT;
use crate::system::escape::{escape, escape_json, escape_lines};
use crate::system::output::write_all;
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

/// How long the last lines wait for a reader.
pub(crate) const FLUSH: Duration = Duration::from_secs(1);

/// Characters of a message that are shown.
const LONGEST: usize = 64 << 10;

/// Starts logging. A panic becomes a record too.
///
/// # Errors
/// The system refuses a thread.
pub(crate) fn start(json: bool) -> io::Result<()> {
    let asked = std::env::var("RUST_LOG").unwrap_or_default();
    let level = level(&asked);
    let write = if json { as_json } else { as_text };
    let queue = QUEUE.get_or_init(LogQueue::new);
    let notice = move |text: &str| {
        write(&Record::builder().level(Level::Warn).target("h1mock").args(format_args!("{text}")).build())
    };
    let work = move || queue.write_to(stderr(), notice);
    thread::Builder::new().name("log".to_owned()).stack_size(128 << 10).spawn(work)?;
    let mut builder = Builder::new();
    builder.parse_filters(level.unwrap_or(&asked)).target(Target::Pipe(Box::new(Lines(queue))));
    builder.format(move |out, record| writeln!(out, "{}", write(record)));
    // A second start, in a test, changes nothing.
    let _ = builder.try_init();
    if level == Some(DEFAULT) && !asked.is_empty() && asked != DEFAULT {
        log::warn!("RUST_LOG: `{asked}` is no level: error, warn, info, debug or trace; taken for info");
    }
    std::panic::set_hook(Box::new(log_panic));
    Ok(())
}

/// Takes each record in one piece.
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

/// The process may end with the panic, so the record leaves first.
fn log_panic(panic: &PanicHookInfo) {
    log::error!("{}", panic.to_string().replacen(":\n", ": ", 1));
    flush_until(Instant::now() + FLUSH);
}

/// How many lines were dropped so far, as nobody read them or they could not be written.
pub(crate) fn dropped() -> u64 {
    QUEUE.get().map_or(0, LogQueue::dropped)
}

/// Waits until the log is written, or until `end`; gives whether it is.
pub(crate) fn flush_until(end: Instant) -> bool {
    QUEUE.get().is_none_or(|queue| queue.flush(end))
}

/// Writes `text` and a line end to standard output behind what was logged, within a second or not at all.
pub(crate) fn print(text: &str) {
    print_to(stdout(), &format!("{text}\n"));
}

/// Writes why the server ends to standard error behind what was logged, within a second or not at all.
pub(crate) fn print_error(text: &str) {
    print_to(stderr(), &format!("h1mock: {}\n", escape(text)));
}

fn print_to(out: impl AsFd, text: &str) {
    let end = Instant::now() + FLUSH;
    flush_until(end);
    // Nobody reads it where `out` is closed.
    let _ = write_all(out, text.as_bytes(), Some(end));
}

/// The level where nothing else is asked for.
const DEFAULT: &str = "info";

/// The level that one word asks for; `None` for filters such as `provision=debug`, which are env_logger's to read. A word that is
/// no level would be taken for a module, and hide every other record.
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

/// The time of a record: RFC 3339, UTC, milliseconds.
pub(crate) fn now() -> String {
    chrono::Utc::now().format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// The record as text. Whatever a client, a script or a file put into the message can't look like a record of its own.
fn as_text(record: &Record) -> String {
    let target = match record.target() {
        own if own.starts_with("h1mock") => String::new(),
        other => format!("{other}: "),
    };
    let message = message(record);
    // The lines of a report are the program's own; it escapes what stands in them.
    let message = if record.target() == REPORT { escape_lines(&message) } else { escape(&message) };
    format!("{} {:5} {target}{message}", now(), record.level())
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
        // Lines of the access log are objects: their fields stand beside time and level.
        Ok(Value::Object(fields)) if record.target() == access_log::TARGET => {
            if let Value::Object(all) = &mut line {
                all.extend(fields);
            }
        }
        _ => line["message"] = Value::String(message),
    }
    escape_json(line.to_string())
}
