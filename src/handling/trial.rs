//! Tries a request: handles it as the server would, and leaves no trace.
//!
//! The caller passes a provision of its own, whose hits and draws nobody else counts, and conditions with a copy of the values of
//! `store`. Metrics and journal belong to the workers, so a trial never reaches them. Log lines of scripts are captured.

use super::{Others, Outcome, handle};
use crate::chaos::Chaos;
use crate::message::request::Request;
use crate::provisioning::provision::Provision;
use crate::script::runtime::conditions::Conditions;
use crate::script::runtime::key_value_store::nothing;
use crate::script::runtime::log_capture;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// Handles `request` with `provision` under `conditions`. Returns the outcome and the lines that scripts logged.
pub(crate) fn attempt(
    provision: &Arc<Provision>,
    conditions: &Conditions,
    request: Request,
) -> (Outcome, Vec<String>) {
    let (chaos, mut request) = (Chaos::default(), Arc::new(request));
    let handle = || {
        let mut outcome = handle(provision, &chaos, conditions, &mut request);
        // No other request sets a key in this copy of the values: each wait is over.
        while let Some(wait) = outcome.wait.take() {
            let value = wait.look(request.epoch).unwrap_or_else(nothing);
            outcome = wait.resume(provision, &Others::default(), &request, value);
        }
        outcome
    };
    let (outcome, lines) = log_capture::within(|| catch_unwind(AssertUnwindSafe(handle)));
    (outcome.unwrap_or_else(|_| Outcome::panicked()), lines)
}
