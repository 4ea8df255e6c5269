//! The log on standard error, levels by `RUST_LOG` (`info` unless told): text, where the report of a fault takes several lines,
//! or JSON, one line a record.

use crate::observing::access_log;
use env_logger::Builder;
use log::Record;
use serde_json::{Value, json};
use std::io::Write;

/// Starts logging. A panic becomes a record too.
pub(crate) fn start(json: bool) {
    let asked = std::env::var("RUST_LOG").unwrap_or_default();
    let level = level(&asked);
    let mut builder = Builder::new();
    builder.parse_filters(level.unwrap_or(&asked));
    builder.format(move |out, record| {
        let line = if json { as_json(record) } else { as_text(record) };
        writeln!(out, "{line}")
    });
    // A second start, in a test, changes nothing.
    let _ = builder.try_init();
    if level == Some(DEFAULT) && !asked.is_empty() && asked != DEFAULT {
        log::warn!(
            "RUST_LOG: `{}` is no level: error, warn, info, debug or trace; taken for info",
            asked.escape_debug()
        );
    }
    std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
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

fn as_text(record: &Record) -> String {
    let target = match record.target() {
        own if own.starts_with("h1mock") => String::new(),
        other => format!("{other}: "),
    };
    format!("{} {:5} {target}{}", now(), record.level(), record.args())
}

fn as_json(record: &Record) -> String {
    let message = record.args().to_string();
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
    line.to_string()
}
