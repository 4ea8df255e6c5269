//! `h1mock report`: prints the report of a server; its exit code is the verdict.

use super::connection::request;
use super::{admin, authorization, error, reason};
use crate::cli::{FailOn, Server};
use std::io::Write;
use std::time::Duration;

/// Time that the server has.
const TIME: Duration = Duration::from_secs(10);
/// Exit code where one of the conditions holds.
const FAILED: u8 = 3;

/// Writes the report to `out`. Exit code 0, 3 where one of `fail_on` holds, 1 with a line on `err` where there is no report.
pub fn report(
    fail_on: Option<FailOn>,
    address: Option<&str>,
    server: &Server,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> u8 {
    match asked(fail_on, address, server, out) {
        Ok(true) => FAILED,
        Ok(false) => 0,
        Err(message) => {
            let _ = writeln!(err, "h1mock: {message}");
            1
        }
    }
}

/// Prints the report; tells whether one of `fail_on` holds.
fn asked(
    fail_on: Option<FailOn>,
    address: Option<&str>,
    server: &Server,
    out: &mut dyn Write,
) -> Result<bool, String> {
    let query = fail_on.map_or(String::new(), |fail_on| format!("?fail-on={}", fail_on.text()));
    let url = admin(address, server)?.with_target(format!("/app/v1/report{query}"));
    let bearer = server.token.as_deref().map(authorization);
    let headers: Vec<(&str, &str)> = bearer.iter().map(|value| ("Authorization", value.as_str())).collect();
    let reply = request("GET", &url, &headers, TIME).map_err(|error| error.to_string())?;
    let failed = |why: String| format!("failed to get the report of `{}`: {why}", url.authority());
    if reply.status != 200 {
        return Err(failed(reason(&reply)));
    }
    let report: serde_json::Value =
        serde_json::from_slice(&reply.body).map_err(|_| failed("it is no JSON".to_owned()))?;
    let verdict = report["verdict"].as_str().ok_or_else(|| failed("it has no verdict".to_owned()))?;
    let written = out.write_all(&reply.body).and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush());
    written.map_err(|error| format!("failed to write the report: {}", error::cause(&error)))?;
    Ok(fail_on.is_some() && verdict == "fail")
}
