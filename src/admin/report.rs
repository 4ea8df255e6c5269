//! `/app/v1/report`: the verdict on the process so far. Knows no count.

use super::answer::{failed, typed};
use super::wait::value;
use super::{Admin, Provisioning};
use crate::cli::FailOn;
use crate::message::answer::Answer;

/// GET: what the server writes when it stops; 400 for conditions that are none.
pub fn get<P: Provisioning>(admin: &Admin<P>, query: &str) -> Answer {
    let fail_on = value(query, "fail-on").map(|words| FailOn::parse(&words)).transpose();
    match fail_on {
        Ok(fail_on) => typed(200, "application/json", (admin.observing.report)(fail_on).into_bytes()),
        Err(cause) => failed(400, &format!("query parameter `fail-on`: {cause}")),
    }
}
