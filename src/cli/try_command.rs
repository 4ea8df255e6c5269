//! `h1mock try`: answers one request with a provision, without a server.

use super::check::{load_provision, print_error};
use super::settings::Settings;
use super::value::{Given, Parsed};
use crate::chaos::{Breaking, Reply};
use crate::handling::Outcome;
use crate::handling::differences::{faults, in_ms};
use crate::handling::trial::{self, Streamed, Tried};
use crate::message::epoch::Epoch;
use crate::message::json::{self, Json};
use crate::message::latin1;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::routing::method::is_token;
use crate::routing::near_miss::Miss;
use crate::script::flask::status;
use crate::script::flask::store::outside::Refused;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::forward::Forward;
use crate::script::runtime::log_capture;
use crate::simulation::Simulation;
use crate::system::io_error::failed_to;
use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

/// A request, and the provision that answers it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trial {
    pub file: PathBuf,
    pub method: String,
    pub target: String,
    pub fields: Vec<(String, String)>,
    pub data: Option<Given>,
    pub store: Option<Given>,
}

/// Parses `FILE METHOD PATH`.
pub(super) fn operands(operands: Vec<OsString>) -> Parsed<(PathBuf, String, String)> {
    let [file, method, target] =
        <[OsString; 3]>::try_from(operands).map_err(|operands| match operands.get(3) {
            Some(extra) => {
                format!("unexpected argument `{}`: `h1mock try` takes three", extra.to_string_lossy())
            }
            None => "missing argument: `h1mock try FILE METHOD PATH`".to_owned(),
        })?;
    let method = super::utf8(method)?;
    if !is_token(&method) {
        return Err(format!("`{method}` is no method (try GET)"));
    }
    let target = super::utf8(target)?;
    match target.bytes().all(|byte| byte.is_ascii_graphic()) {
        _ if !target.starts_with('/') => Err(format!("`{target}` is no path: it starts with `/` (try /foo)")),
        false => Err(format!("`{target}` has characters that a path can't have: write them as in `%20`")),
        true => Ok((file.into(), method, target)),
    }
}

/// Loads the provision, handles the request and prints the answer. Exit code 1 if a script failed.
///
/// # Errors
/// The provision does not load, or a body or value can't be read.
pub(crate) fn run(trial: &Trial, budget: Budget, settings: &Settings) -> Result<ExitCode, String> {
    let mut request = trial.request()?;
    request.trust(settings.trust_proxy);
    let simulation = Simulation::new(settings.clock, settings.seed);
    let (clock, dice) = simulation.of_load();
    let conditions = Conditions { clock, dice, ..Conditions::default() };
    let (loaded, lines) = log_capture::within(|| load_provision(&trial.file, budget, conditions));
    lines.iter().for_each(|line| print_error(line));
    let mut provision = loaded?;
    (provision.explain, provision.compress) = (settings.explain, settings.compress);
    provision.cors = provision.cors.take().or_else(|| settings.cors.clone());
    let unmatched = || settings.forward_unmatched.clone().map(|url| Forward::to(url).into());
    provision.forward_unmatched = provision.forward_unmatched.take().or_else(unmatched);
    if let Some(given) = &trial.store {
        prepare(&provision, &read(given, "--store")?)?;
    }
    let provision = Arc::new(provision);
    let (path, host) = (request.path().to_owned(), request.host());
    let closest = || provision.router.explain(&trial.method, &path, Some(&host));
    let (clock, dice) = simulation.find(&request);
    let conditions = Conditions { clock, dice, ..Conditions::default() };
    let Tried { outcome, lines, stream } = trial::attempt(&provision, &conditions, request);
    lines.iter().for_each(|line| print_error(line));
    // Before the answer: its body may end without a line end.
    notes(&provision, &outcome, closest).iter().for_each(|note| print_error(note));
    stream.iter().for_each(|stream| print_error(&streamed(stream)));
    if outcome.forwarded.is_none() {
        // A reader such as `head` may have closed the pipe.
        let _ = write(&mut io::stdout().lock(), &outcome.reply, trial.method == "HEAD", stream.is_none());
    }
    Ok(if outcome.error.is_some() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

impl Trial {
    /// Returns the request with the headers that curl sends, changed by those that are given.
    fn request(&self) -> Result<Request, String> {
        let body = self.data.as_ref().map(|data| read(data, "--data")).transpose()?;
        let length = body.as_ref().map(|body| body.len().to_string());
        let form = body.as_ref().map(|_| "application/x-www-form-urlencoded");
        let agent = concat!("h1mock/", env!("CARGO_PKG_VERSION"));
        let usual = [
            ("Host", Some("localhost:8000")),
            ("User-Agent", Some(agent)),
            ("Accept", Some("*/*")),
            ("Content-Length", length.as_deref()),
            ("Content-Type", form),
        ];
        let is_given = |name: &str| self.fields.iter().any(|(given, _)| given.eq_ignore_ascii_case(name));
        let usual = usual.into_iter().filter(|(name, _)| !is_given(name));
        let usual = usual.filter_map(|(name, value)| Some((name, value?)));
        let given = self.fields.iter().filter(|(_, value)| !value.is_empty());
        let fields: Vec<(&str, &str)> =
            usual.chain(given.map(|(name, value)| (name.as_str(), value.as_str()))).collect();
        let address = |port| Some(SocketAddr::from(([127, 0, 0, 1], port)));
        let (client, server) = (address(50_000), address(8000));
        Ok(Request::from_parts(&self.method, &self.target, fields, body.unwrap_or_default(), client, server))
    }
}

/// Reads the text of option `flag`.
fn read(given: &Given, flag: &str) -> Result<Vec<u8>, String> {
    match given {
        Given::Text(text) => Ok(text.as_bytes().to_vec()),
        Given::File(path) => {
            std::fs::read(path).map_err(failed_to(format_args!("read `{}` ({flag})", path.display())))
        }
        Given::Input => {
            let mut bytes = Vec::new();
            let read = io::stdin().lock().read_to_end(&mut bytes);
            read.map(|_| bytes).map_err(failed_to(format_args!("read standard input ({flag})")))
        }
    }
}

/// Sets the values of `store` that the JSON object `json` has.
fn prepare(provision: &Provision, json: &[u8]) -> Result<(), String> {
    let value: Json =
        json::read(json).map_err(|error| format!("failed to parse `--store` as JSON: {error}"))?;
    let pairs =
        value.as_map().ok_or("failed to use `--store`: not an object of keys (try '{\"key\": 1}')")?;
    for (key, value) in pairs {
        let put = provision.files.values.put(&Epoch::default(), key, value.to_string().as_bytes());
        put.map_err(|refused| match refused {
            Refused::Malformed(why) | Refused::Full(why) => format!("failed to set `{key}` (--store): {why}"),
            Refused::TooLarge => format!("failed to set `{key}` (--store): larger than scripts can hold"),
        })?;
    }
    Ok(())
}

/// Header fields that belong to the connection: the server writes its own.
const OF_CONNECTION: [&str; 6] =
    ["connection", "content-length", "transfer-encoding", "trailer", "upgrade", "keep-alive"];

/// Writes the answer as the server would, without the fields of the connection and without `Date`. A fault that breaks the connection before
/// the answer leaves nothing to write. A stream has no length.
fn write(out: &mut impl Write, reply: &Reply, head_only: bool, has_length: bool) -> io::Result<()> {
    let breaking = reply.injected.as_ref().and_then(|injected| injected.breaking);
    if matches!(breaking, Some(Breaking::Reset | Breaking::Close | Breaking::Garbage)) {
        return Ok(());
    }
    let answer = &reply.answer;
    let reason = answer.reason.as_deref().unwrap_or_else(|| status::reason(answer.status));
    write!(out, "HTTP/1.1 {} {reason}\r\n", answer.status)?;
    for (name, value) in &answer.headers {
        if !OF_CONNECTION.iter().any(|other| name.eq_ignore_ascii_case(other)) {
            out.write_all(&[name.as_bytes(), b": ", &latin1::bytes(value), b"\r\n"].concat())?;
        }
    }
    match answer.status {
        204 => {}
        205 => out.write_all(b"Content-Length: 0\r\n")?,
        _ if has_length => write!(out, "Content-Length: {}\r\n", answer.body.len())?,
        _ => {}
    }
    out.write_all(b"\r\n")?;
    if !head_only && !matches!(answer.status, 204 | 205 | 304) {
        answer.body.write_to(out)?;
    }
    out.flush()
}

/// Returns the lines for standard error: the rule that served, or the closest ones; then the server that would answer, the delay and
/// the faults.
fn notes(provision: &Provision, outcome: &Outcome, closest: impl FnOnce() -> Vec<Miss>) -> Vec<String> {
    let mut notes = Vec::new();
    match (outcome.rule, outcome.unmatched) {
        (Some(index), _) => {
            let (rule, view) = (&provision.router.rules()[index], &provision.views[index]);
            notes.push(format!("rule `{}` ({}:{})", rule.display(), view.file, view.line));
        }
        (None, Some(unmatched)) => {
            notes.push(unmatched.words().to_owned());
            notes.extend(closest().iter().map(|miss| format!("closest: {miss}")));
        }
        (None, None) if outcome.forwarded.is_some() => notes.push("no rule".to_owned()),
        (None, None) => notes.push("no rule: a before_request function or a redirect answered".to_owned()),
    }
    let forwarded = outcome.forwarded.as_ref();
    notes.extend(forwarded.map(|to| format!("forwards to `{}`: `h1mock try` sends nothing", to.url)));
    let hold = in_ms(&outcome.reply);
    notes.extend((hold > 0.0).then(|| format!("delay {hold} ms")));
    notes.extend(faults(&outcome.reply));
    notes
}

/// Returns the line about a stream: `stream: 3 pieces in 400 ms`.
fn streamed(stream: &Streamed) -> String {
    let Streamed { pieces, over, cut, breaks } = stream;
    let over = over.as_micros() as f64 / 1000.0;
    let end = match (cut, breaks) {
        (true, _) => ", and it goes on: `h1mock try` makes no more",
        (_, true) => ", then the connection breaks",
        _ => "",
    };
    let word = if *pieces == 1 { "piece" } else { "pieces" };
    format!("stream: {pieces} {word} in {over} ms{end}")
}
