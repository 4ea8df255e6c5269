//! The access log (`--verbose`): a line for each request, as text or JSON.

use crate::message::progress::{Ending, State};
use crate::system::truncate::truncate;
use serde_json::json;
use std::net::SocketAddr;
use std::time::Instant;

/// Most characters that are shown of a method, and of a refused request line.
const SHOWN: usize = 200;

/// Most characters that are shown of a target. Log collectors split lines of more than 16 KiB.
const SHOWN_TARGET: usize = 8 << 10;

/// Target of access lines in `RUST_LOG`.
pub(crate) const TARGET: &str = "access";

/// The access log, or none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AccessLog {
    on: bool,
    json: bool,
}

/// A line for one request, as far as it is known when the request arrives.
#[derive(Debug)]
pub(crate) struct Line {
    method: String,
    target: String,
    began: Instant,
    generation: u64,
    rule: Option<String>,
    listener: &'static str,
}

impl Line {
    /// Begins a line for a request that arrives now, while the provision of `generation` serves.
    pub(crate) fn new(listener: &'static str, method: &str, target: &str, generation: u64) -> Line {
        let (method, target) = (truncate(method, SHOWN, "..."), truncate(target, SHOWN_TARGET, "..."));
        Line { method, target, began: Instant::now(), generation, rule: None, listener }
    }

    /// Adds the rule that served the request.
    pub(crate) fn served_by(self, rule: Option<String>) -> Line {
        Line { rule, ..self }
    }
}

impl AccessLog {
    /// Creates a log that writes lines if `on`, and JSON if `json`.
    pub(crate) fn new(on: bool, json: bool) -> AccessLog {
        AccessLog { on: on && log::log_enabled!(target: TARGET, log::Level::Info), json }
    }

    pub(crate) fn is_on(self) -> bool {
        self.on
    }

    /// Writes the line for a request that the engine refused. `line` is its request line, as far as it came.
    pub(crate) fn write_refused(self, listener: &str, line: &str, peer: SocketAddr, status: u16, why: &str) {
        if !self.on {
            return;
        }
        // An endless path would fill the screen. Bytes behind a control character are not text, but a TLS handshake.
        let text = line.split(char::is_control).next().unwrap_or_default();
        let shown = truncate(text, SHOWN, "");
        if self.json {
            let (method, target) = shown.split_once(' ').unwrap_or((&shown, ""));
            let target = target.split(' ').next().unwrap_or_default();
            let fields = json!({
                "listener": listener, "method": method, "target": target, "status": status, "refused": why,
                "peer": peer.to_string(),
            });
            log::info!(target: TARGET, "{fields}");
        } else {
            let what = match shown.is_empty() {
                true => "a connection".to_owned(),
                false => format!("`{shown}`"),
            };
            log::info!(target: TARGET, "{listener} refused {what} of {peer}: {status} {why}");
        }
    }

    /// Writes the line for a request that was answered with `status`. `gone` says that its client had left before.
    ///
    /// The microseconds are the time from the request's arrival to now.
    pub(crate) fn write(self, line: &Line, status: u16, gone: bool) {
        self.put(line, status, gone, None);
    }

    /// Writes the line for a stream that has ended.
    pub(crate) fn write_stream(self, line: &Line, status: u16, progress: &State) {
        self.put(line, status, progress.ended == Some(Ending::Client), Some(progress));
    }

    fn put(self, line: &Line, status: u16, gone: bool, stream: Option<&State>) {
        let Line { method, target, generation, listener, .. } = line;
        let micros = line.began.elapsed().as_micros();
        if self.json {
            let mut fields = json!({
                "listener": listener, "method": method, "target": target, "status": status, "rule": line.rule,
                "microseconds": u64::try_from(micros).unwrap_or(u64::MAX), "generation": generation,
                "gone": gone,
            });
            if let Some(State { pieces, bytes, ended, .. }) = stream {
                let ended = ended.map(Ending::word);
                fields["stream"] = json!({ "pieces": pieces, "bytes": bytes, "ended": ended });
            }
            log::info!(target: TARGET, "{fields}");
        } else {
            let rule = line.rule.as_deref().unwrap_or("-");
            let gone = if gone { ", the client had left" } else { "" };
            let stream = stream.map_or_else(String::new, |State { pieces, bytes, ended, .. }| {
                let ended = ended.map_or("open", Ending::word);
                format!(", stream of {pieces} pieces, {bytes} bytes: {ended}")
            });
            log::info!(target: TARGET, "{listener} {method} {target} {status} {rule} {micros} us generation {generation}{stream}{gone}");
        }
    }
}
