//! `h1mock report`: prints the report of a server; its exit code is the verdict.

use super::connection::get;
use super::{admin, error, exit_code, reason};
use crate::cli::{FailOn, Server};
use std::io::Write;
use std::time::Duration;

/// Time that the server has.
const TIME: Duration = Duration::from_secs(10);
/// Exit code where one of the conditions holds.
const FAILED: u8 = 3;

/// Writes the report to `out`. Exit code 0, 3 where one of `fail_on` holds, 1 with a line on `err` where there is no report.
pub(crate) fn report(
    fail_on: Option<FailOn>,
    address: Option<&str>,
    server: &Server,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    exit_code(print(fail_on, address, server, out), err)
}

/// Prints the report; the exit code.
fn print(
    fail_on: Option<FailOn>,
    address: Option<&str>,
    server: &Server,
    out: &mut dyn Write,
) -> Result<u8, String> {
    let query = fail_on.map_or(String::new(), |fail_on| format!("?fail-on={}", fail_on.text()));
    let url = admin(address, server)?.with_target(format!("/app/v1/report{query}"));
    let reply = get(&url, server.token.as_deref(), TIME).map_err(|error| error.to_string())?;
    let failed = |why: String| format!("failed to get the report of `{}`: {why}", url.authority());
    if reply.status != 200 {
        return Err(failed(reason(&reply)));
    }
    let report: serde_json::Value =
        serde_json::from_slice(&reply.body).map_err(|_| failed("it is no JSON".to_owned()))?;
    let verdict = report["verdict"].as_str().ok_or_else(|| failed("it has no verdict".to_owned()))?;
    let written = out.write_all(&reply.body).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(|error| format!("failed to write the report: {}", error::cause(&error)))?;
    Ok(if fail_on.is_some() && verdict == "fail" { FAILED } else { 0 })
}
