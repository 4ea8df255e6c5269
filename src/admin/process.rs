//! The resources that show the process as a whole, reset it or end it. Knows no counter and no signal.

use super::answer::{failed, success};
use super::wait::value;
use super::{Call, OnGone, Respond};
use crate::cli::FailOn;
use crate::message::answer::{Answer, JSON};
use crate::observing::metrics::CONTENT_TYPE;

/// What the server gives these resources; made once.
pub(crate) struct Observing {
    /// The page of `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// The report, with the verdict by these conditions; without any, by those of the server.
    pub report: Box<dyn Fn(Option<FailOn>) -> String + Send + Sync>,
    /// Drops held answers of clients that may have left.
    pub close_absent: Box<dyn Fn() + Send + Sync>,
    /// Begins the stop.
    pub quit: Box<dyn Fn() + Send + Sync>,
}

/// GET /metrics: the counters in Prometheus' text format, version 0.0.4.
pub(super) fn metrics(call: &Call) -> Result<Answer, Answer> {
    Ok(Answer::new(200, CONTENT_TYPE, (call.admin.observing.metrics)()))
}

/// GET /app/v1/report: what the server writes when it stops; 400 for conditions that are none.
pub(super) fn report(call: &Call) -> Result<Answer, Answer> {
    let fail_on =
        value(call.request.query_string(), "fail-on").map(|words| FailOn::parse(&words)).transpose();
    let fail_on = fail_on.map_err(|cause| failed(400, &format!("query parameter `fail-on`: {cause}")))?;
    Ok(Answer::new(200, JSON, (call.admin.observing.report)(fail_on)))
}

/// DELETE /app/v1/all: resets chaos, store, hits and journal; 200 with the generation that serves. The step is the end of the
/// epoch, by which the store, the hits and the journal go: a request of an earlier one is in none of them, one of the next in all.
/// Chaos is removed before it, so that it happens to no request of the next one. Held answers stay, but for those of clients
/// that may have left. The report tells of the whole life of the process, and stays.
pub(super) fn reset(call: &Call) -> Result<Answer, Answer> {
    call.admin.chaos.remove(None);
    let generation = call.admin.activation.reset();
    (call.admin.observing.close_absent)();
    Ok(success(200, "all has been reset", Some(generation)))
}

/// POST /app/v1/quit: 202, then a stop as by SIGTERM.
pub(super) fn quit(call: &Call, respond: Respond, _: OnGone) {
    // The answer first: with `--grace 0` nothing would wait for it.
    respond(success(202, "the server stops", None).into());
    (call.admin.observing.quit)();
}
