//! The subcommands that talk to a running server: `get`, `probe`, `wait` and `report`. A failure is one line; `program.rs` prints it and makes it exit code 1.

#[cfg(test)]
mod tests;
mod wait;

use crate::cli::{FailOn, Server, WaitGoal};
use crate::http_client::{ClientError, Reply, Url, connection, error};
use crate::system::truncate::beginning;
use std::io::Write;
use std::time::Duration;
use wait::{Condition, Wait};

/// Time that `probe` gives the server; a kubelet's own default is 1 s.
const PROBE: Duration = Duration::from_secs(5);
/// Time that `report` gives the server.
const REPORT: Duration = Duration::from_secs(10);
/// Exit code of `report` where one of its conditions holds.
const FAILED: u8 = 3;
/// Maximum of characters of a body that an error line repeats.
const EXCERPT: usize = 400;

/// `h1mock get URL`: writes the body to `out`, whatever the status. The token goes to the server's own admin port only.
///
/// # Errors
/// No answer, a status of 400 or more (unless `any_status`), or an `out` that can't be written.
pub(crate) fn get(
    url: &str,
    any_status: bool,
    server: &Server,
    timeout: Duration,
    out: &mut dyn Write,
) -> Result<(), String> {
    let url = Url::parse(url, server.traffic, 80)?;
    let token = server.token.as_deref().filter(|_| url.leads_to(server.admin));
    let reply = connection::get(&url, token, timeout)?;
    let written = out.write_all(&reply.body).and_then(|()| out.flush());
    written.map_err(|error| format!("failed to write the body: {}", error::cause(&error)))?;
    match reply.status {
        400.. if !any_status => {
            let hint = other_port(&url, server, &reply, "h1mock get", &url.target);
            Err(format!("failed to get `{url}`: {}{hint}", reply.status_text()))
        }
        _ => Ok(()),
    }
}

/// Returns the question whether a 404 came from the mock instead of the admin interface: `; ...?`. Empty where `url` has no path of
/// that interface, or where its port or its JSON shows that it is the interface. The command to write has `command` before the
/// address, and `target` behind it.
fn other_port(url: &Url, server: &Server, reply: &Reply, command: &str, target: &str) -> String {
    let path = url.target.split('?').next().unwrap_or_default();
    let is_of_admin = path.starts_with("/app/v1/") || matches!(path, "/healthz" | "/readyz" | "/metrics");
    let has_answered = reply.body.starts_with(b"{\"result\":\"failed: ");
    if reply.status != 404 || !is_of_admin || has_answered || url.port == server.admin.port() {
        return String::new();
    }
    let admin = Url { port: server.admin.port(), ..url.clone() };
    let address = match admin.leads_to(server.admin) {
        true => format!(":{}", admin.port),
        false => admin.authority(),
    };
    format!("; is {} the admin port, and not the mock's? Try `{command} {address}{target}`", url.port)
}

/// `h1mock probe [ADDRESS]`: succeeds when `/readyz` answers 200. At `tcp://HOST:PORT` a connection is enough: nothing is sent,
/// so a mock counts no request.
///
/// # Errors
/// The reason why the server is not ready.
pub(crate) fn probe(address: Option<&str>, server: &Server) -> Result<(), String> {
    if let Some(port) = address.and_then(Url::without_tcp) {
        return Ok(connection::reach(&Url::socket(port, server.traffic)?, PROBE)?);
    }
    let url = admin(address, server)?;
    let reply = connection::get(&url.with_target("/readyz"), None, PROBE)?;
    match reply.status {
        200 => Ok(()),
        _ => {
            let hint = other_port(&url.with_target("/readyz"), server, &reply, "h1mock probe", "");
            Err(format!("failed to probe `{}`: {}{hint}", url.authority(), reason(&reply)))
        }
    }
}

/// `h1mock wait`: blocks until all conditions of `goal` hold; without any, until `/readyz` answers 200.
///
/// # Errors
/// The reason, when `timeout` is over or waiting can't help.
pub(crate) fn wait(
    goal: &WaitGoal,
    timeout: Duration,
    address: Option<&str>,
    server: &Server,
) -> Result<(), String> {
    let mut conditions: Vec<Condition> = goal.generation.into_iter().map(Condition::Generation).collect();
    conditions.extend(goal.provision.as_deref().map(Condition::Provision));
    conditions.extend(goal.requests.as_ref().map(Condition::Requests));
    if conditions.is_empty() {
        conditions.push(Condition::Ready);
    }
    let wait = Wait::start(admin(address, server)?, server.token.as_deref(), timeout);
    conditions.iter().try_for_each(|condition| wait.until(condition))
}

/// `h1mock report`: writes the report to `out`. Returns the exit code: 3 where one of `fail_on` holds, else 0.
///
/// # Errors
/// No report, or an `out` that can't be written.
pub(crate) fn report(
    fail_on: Option<FailOn>,
    address: Option<&str>,
    server: &Server,
    out: &mut dyn Write,
) -> Result<u8, String> {
    let query = fail_on.map_or(String::new(), |fail_on| format!("?fail-on={}", fail_on.text()));
    let url = admin(address, server)?.with_target(format!("/app/v1/report{query}"));
    let reply = connection::get(&url, server.token.as_deref(), REPORT)?;
    let failed = |why: String| format!("failed to get the report of `{}`: {why}", url.authority());
    if reply.status != 200 {
        let hint = other_port(&url, server, &reply, "h1mock report", "");
        return Err(failed(format!("{}{hint}", reason(&reply))));
    }
    let report: serde_json::Value =
        serde_json::from_slice(&reply.body).map_err(|_| failed("it is no JSON".to_owned()))?;
    let verdict = report["verdict"].as_str().ok_or_else(|| failed("it has no verdict".to_owned()))?;
    let written = out.write_all(&reply.body).and_then(|()| out.flush());
    written.map_err(|error| format!("failed to write the report: {}", error::cause(&error)))?;
    Ok(if fail_on.is_some() && verdict == "fail" { FAILED } else { 0 })
}

fn admin(address: Option<&str>, server: &Server) -> Result<Url, ClientError> {
    Url::address(address.unwrap_or(&server.admin.to_string()), server.admin)
}

/// Returns the status and, where there is one, the reason: the admin interface's `result`, or the first line of a text.
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
