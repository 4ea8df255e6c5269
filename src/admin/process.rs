//! The resources of the process as a whole: probes, metrics, report, reset, stop, and the description of the interface.

use super::answer::{empty, failed, success, success_of};
use super::wait::value;
use super::{Call, OnGone, Respond};
use crate::cli::FailOn;
use crate::message::answer::{Answer, JSON};
use crate::observing::metrics::CONTENT_TYPE;
use miniz_oxide::inflate::decompress_to_vec;
use std::sync::atomic::{AtomicBool, Ordering};

/// The callbacks of the server that these resources use; made once.
pub(crate) struct Observing {
    /// Returns the page of `/metrics`.
    pub metrics: Box<dyn Fn() -> String + Send + Sync>,
    /// Returns the report, with the verdict on the given conditions, or else on those of the server.
    pub report: Box<dyn Fn(Option<FailOn>) -> String + Send + Sync>,
    /// Ends the streams and waits of earlier epochs, cancels their callbacks, and drops held answers of clients that may have left.
    pub end_earlier: Box<dyn Fn() + Send + Sync>,
    /// Begins the stop.
    pub quit: Box<dyn Fn() + Send + Sync>,
}

/// GET /metrics: the counters in Prometheus' text format, version 0.0.4.
pub(super) fn metrics(call: &Call) -> Result<Answer, Answer> {
    Ok(Answer::new(200, CONTENT_TYPE, (call.admin.observing.metrics)()))
}

/// GET /app/v1/report: the report that the server also writes when it stops; 400 for unknown conditions.
pub(super) fn report(call: &Call) -> Result<Answer, Answer> {
    let fail_on =
        value(call.request.query_string(), "fail-on").map(|words| FailOn::parse(&words)).transpose();
    let fail_on = fail_on.map_err(|cause| failed(400, &format!("query parameter `fail-on`: {cause}")))?;
    Ok(Answer::new(200, JSON, (call.admin.observing.report)(fail_on)))
}

/// DELETE /app/v1/all: resets chaos, store, hits and journal; 200 with the generation that serves.
///
/// The reset is one step, since it ends the epoch: a request that began before it leaves nothing in the store, the hits and the
/// journal. Chaos is removed before that, so that it applies to no request of the next epoch. Streams and waits of earlier
/// epochs end, and callbacks are cancelled. Held answers stay, except those of clients that may have left. The report covers the
/// whole life of the process, so its counts stay, too.
pub(super) fn reset(call: &Call) -> Result<Answer, Answer> {
    call.admin.chaos.remove(None);
    let generation = call.admin.activation.reset();
    (call.admin.observing.end_earlier)();
    Ok(success_of(200, "all has been reset", generation))
}

/// POST /app/v1/quit: 202, then a stop as by SIGTERM.
pub(super) fn quit(call: &Call, respond: Respond, _: OnGone) {
    // Respond before the stop begins: with `--grace 0` the stop would not wait for this answer.
    respond(success(202, "the server stops").into());
    (call.admin.observing.quit)();
}

/// The readiness of the mock, as the server sets it. It starts as not serving.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    serving: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// Sets whether the mock listener accepts connections.
    pub(crate) fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
    }

    /// Marks the process as stopping, for good.
    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Returns `Ok` where traffic may come, else the reason. `missing` returns why the provision of `--require-provision` is
    /// not active; it is called only while the mock serves.
    pub(crate) fn ready(&self, missing: impl FnOnce() -> Option<String>) -> Result<(), String> {
        if self.draining.load(Ordering::Acquire) {
            return Err("the process is stopping".into());
        }
        if !self.serving.load(Ordering::Acquire) {
            return Err("the mock listener does not serve yet".into());
        }
        missing().map_or(Ok(()), Err)
    }
}

/// GET /healthz: 200 as long as the admin interface answers. Liveness has no conditions: Kubernetes must not restart the
/// container because a required provision is missing.
pub(super) fn healthz(_call: &Call) -> Result<Answer, Answer> {
    Ok(empty(Vec::new()))
}

/// GET /readyz: 200, or 503 with the reason.
pub(super) fn readyz(call: &Call) -> Result<Answer, Answer> {
    let ready = call.admin.readiness.ready(|| call.admin.activation.not_ready());
    ready.map_err(|reason| failed(503, &reason))?;
    Ok(empty(Vec::new()))
}

const DEFLATED: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/openapi.deflate"));

/// GET /app/v1/openapi.json: the description of this interface (OpenAPI 3.1), which the program holds deflated
/// (`image/openapi.rs`).
pub(super) fn openapi(_call: &Call) -> Result<Answer, Answer> {
    let broken = |error| failed(500, &format!("the description of the interface is broken: {error}"));
    Ok(Answer::new(200, JSON, decompress_to_vec(DEFLATED).map_err(broken)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observing::journal::filter::parse::PARTS;
    use serde_json::Value;

    const SOURCE: &[u8] = include_bytes!("../../docs/openapi.json");

    #[test]
    fn each_condition_is_a_parameter_and_a_member() {
        let document: Value = serde_json::from_slice(SOURCE).unwrap();
        let (components, paths) = (&document["components"], document["paths"].as_object().unwrap());
        let question = &components["schemas"]["Question"];
        let operators = question["patternProperties"].as_object().unwrap().keys().next().unwrap();
        let filtered = paths.values().filter_map(|path| path["get"]["parameters"].as_array());
        let filtered: Vec<&Vec<Value>> = filtered
            .filter(|list| list.iter().any(|one| one["$ref"] == "#/components/parameters/Header"))
            .collect();
        assert_eq!(filtered.len(), 5);
        for part in PARTS {
            assert!(question["properties"][part].is_object(), "{part}");
            assert!(operators.trim_matches(['^', '(']).split([')', '|']).any(|name| name == part), "{part}");
            for parameters in &filtered {
                let mut names = parameters.iter().filter_map(|one| one["$ref"].as_str()?.rsplit('/').next());
                assert!(names.any(|name| components["parameters"][name]["name"] == part), "{part}");
            }
        }
    }

    #[test]
    fn the_deflated_document_lacks_nothing_but_white_space() {
        let text = decompress_to_vec(DEFLATED).unwrap();
        let document: Value = serde_json::from_slice(&text).unwrap();
        assert!(document == serde_json::from_slice::<Value>(SOURCE).unwrap(), "{} bytes", text.len());
        assert!(!text.contains(&b'\n') && DEFLATED.len() < SOURCE.len() / 6);
    }

    #[test]
    fn draining_comes_before_serving_and_serving_before_the_required_provision() {
        let readiness = Readiness::default();
        let reason = || readiness.ready(|| Some("`foo-bar` is missing".into())).err().unwrap_or_default();
        assert_eq!(reason(), "the mock listener does not serve yet");
        readiness.set_serving(true);
        assert_eq!(reason(), "`foo-bar` is missing");
        assert_eq!(readiness.ready(|| None), Ok(()));
        readiness.set_draining();
        assert_eq!(reason(), "the process is stopping");
        readiness.set_serving(true);
        assert_eq!(reason(), "the process is stopping");
    }
}
