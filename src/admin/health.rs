//! `/healthz` and `/readyz`, for probes of Kubernetes: free of authentication. Knows no listener; the server tells it.

use super::Call;
use super::answer::{empty, failed};
use crate::message::answer::Answer;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the mock takes requests, as the server sees it. Starts as not serving.
#[derive(Debug, Default)]
pub(crate) struct Readiness {
    serving: AtomicBool,
    draining: AtomicBool,
}

impl Readiness {
    /// The mock listener accepts (`true`) or does not (`false`).
    pub(crate) fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
    }

    /// The process stops; there is no way back.
    pub(crate) fn set_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether traffic may come, else the reason. `missing` says why the provision of `--require-provision` is not active; only
    /// a server that serves is asked.
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

/// GET /healthz: 200 as long as the admin interface answers. A required provision that is missing must not make
/// Kubernetes restart the container, so liveness has no conditions.
pub(super) fn healthz(_call: &Call) -> Result<Answer, Answer> {
    Ok(empty(Vec::new()))
}

/// GET /readyz: 200, or 503 with the reason.
pub(super) fn readyz(call: &Call) -> Result<Answer, Answer> {
    let ready = call.admin.readiness.ready(|| call.admin.activation.not_ready());
    ready.map_err(|reason| failed(503, &reason))?;
    Ok(empty(Vec::new()))
}

#[cfg(test)]
mod tests {
    use super::Readiness;

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
