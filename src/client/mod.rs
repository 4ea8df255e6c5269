//! The subcommands that talk to a running server: `get`, `probe`, `wait` and `report`, and the HTTP behind them and the `curl`
//! applet. They know HTTP and the admin interface's addresses, nothing of the server's own types; results are exit codes,
//! messages go to the writers given.

mod connection;
mod error;
mod reply;
mod report;
#[cfg(test)]
mod tests;
mod url;
mod wait;

pub(crate) use connection::Request;
pub(crate) use error::ClientError;
pub(crate) use reply::Reply;
pub(crate) use report::report;
pub(crate) use url::Url;

use crate::cli::{Requests, Server};
use crate::system::truncate::beginning;
use std::io::Write;
use std::time::Duration;
use wait::{Condition, Wait};

/// Time that `probe` gives the server; a kubelet's own default is 1 s.
const PROBE: Duration = Duration::from_secs(5);
/// Longest part of a body that an error line repeats, in characters.
const EXCERPT: usize = 400;

/// `h1mock get URL`: writes the body to `out` whatever the status.
///
/// Exit code 0; 1 with a line on `err` for a status of 400 or more (unless `any_status`), no answer, or an `out` that
/// can't be written. The token goes to the server's own admin port only.
pub(crate) fn get(
    url: &str,
    any_status: bool,
    server: &Server,
    timeout: Duration,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    exit_code(fetch(url, any_status, server, timeout, out).map(|()| 0), err)
}

fn fetch(
    url: &str,
    any_status: bool,
    server: &Server,
    timeout: Duration,
    out: &mut dyn Write,
) -> Result<(), String> {
    let url = Url::parse(url, server.traffic, 80).map_err(|error| error.to_string())?;
    let token = server.token.as_deref().filter(|_| url.leads_to(server.admin));
    let reply = connection::get(&url, token, timeout).map_err(|error| error.to_string())?;
    let written = out.write_all(&reply.body).and_then(|()| out.flush());
    written.map_err(|error| format!("failed to write the body: {}", error::cause(&error)))?;
    match reply.status {
        400.. if !any_status => Err(format!("failed to get `{url}`: {}", reply.status_text())),
        _ => Ok(()),
    }
}

/// `h1mock probe [ADDRESS]`: exit code 0 when `/readyz` answers 200, else 1 with the reason on `err`. At `tcp://HOST:PORT` a
/// connection is enough: nothing is sent, so a mock counts no request.
pub(crate) fn probe(address: Option<&str>, server: &Server, err: &mut dyn Write) -> u8 {
    if let Some(port) = address.and_then(Url::without_tcp) {
        let connected = Url::socket(port, server.traffic).and_then(|url| connection::reach(&url, PROBE));
        return exit_code(connected.map(|()| 0).map_err(|error| error.to_string()), err);
    }
    let asked = admin(address, server).and_then(|url| {
        let reply = connection::get(&url.with_target("/readyz"), None, PROBE);
        let reply = reply.map_err(|error| error.to_string())?;
        match reply.status {
            200 => Ok(0),
            _ => Err(format!("failed to probe `{}`: {}", url.authority(), reason(&reply))),
        }
    });
    exit_code(asked, err)
}

/// What `h1mock wait` waits for; all of it.
#[derive(Default)]
pub(crate) struct WaitGoal<'a> {
    /// This generation or a later one serves.
    pub generation: Option<u64>,
    /// This provision is active.
    pub provision: Option<&'a str>,
    /// These requests came.
    pub requests: Option<Requests>,
}

/// `h1mock wait`: blocks until all that is `wanted` is true; without anything, until `/readyz` answers 200. Exit code 0, or 1
/// with the reason on `err` when `timeout` is over or waiting can't help.
pub(crate) fn wait(
    wanted: &WaitGoal,
    timeout: Duration,
    address: Option<&str>,
    server: &Server,
    err: &mut dyn Write,
) -> u8 {
    let mut conditions: Vec<Condition> = wanted.generation.into_iter().map(Condition::Generation).collect();
    conditions.extend(wanted.provision.map(Condition::Provision));
    conditions.extend(wanted.requests.as_ref().map(Condition::Requests));
    if conditions.is_empty() {
        conditions.push(Condition::Ready);
    }
    let waited = admin(address, server).and_then(|url| {
        let wait = Wait::start(url, server.token.as_deref(), timeout);
        conditions.iter().try_for_each(|condition| wait.until(condition)).map(|()| 0)
    });
    exit_code(waited, err)
}

fn admin(address: Option<&str>, server: &Server) -> Result<Url, String> {
    let home = server.admin.to_string();
    Url::address(address.unwrap_or(&home), server.admin).map_err(|error| error.to_string())
}

/// The status and, where there is one, the reason: the admin interface's `result`, or the first line of a
/// text.
fn reason(reply: &Reply) -> String {
    let result = serde_json::from_slice::<serde_json::Value>(&reply.body).ok();
    let result = result.and_then(|json| json["result"].as_str().map(str::to_string));
    let text = result.unwrap_or_else(|| String::from_utf8_lossy(&reply.body).into_owned());
    let line = text.trim().lines().next().unwrap_or_default();
    let line = beginning(line.strip_prefix("failed: ").unwrap_or(line), EXCERPT);
    if line.is_empty() || line.starts_with('<') {
        reply.status_text()
    } else {
        format!("{}: {line}", reply.status_text())
    }
}

/// The exit code of a success; 1 with the message on `err`.
fn exit_code(result: Result<u8, String>, err: &mut dyn Write) -> u8 {
    match result {
        Ok(code) => code,
        Err(message) => {
            // Where even standard error is closed the exit code has to do.
            let _ = writeln!(err, "h1mock: {message}");
            1
        }
    }
}
