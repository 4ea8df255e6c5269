//! Follows a stream that begins: the journal hears of its pieces and of its end, the metrics of its error.

use super::http::Incoming;
use crate::handling::Outcome;
use crate::message::progress::Progress;
use crate::observing::journal::Journal;
use crate::observing::metrics::metrics;
use crate::provisioning::provision::Provision;
use std::sync::Arc;

/// Returns the progress of the answer, if it is sent as a stream.
pub(super) fn progress<'o>(outcome: &'o Outcome, incoming: &Incoming) -> Option<&'o Arc<Progress>> {
    let reply = &outcome.reply;
    let stream = reply.stream.as_ref().map(|stream| &stream.progress);
    let progress = stream.or(reply.relay.as_ref().map(|relay| &relay.progress))?;
    let status = reply.status_sent();
    (status != 0 && incoming.has_body(status)).then_some(progress)
}

/// Tells journal and metrics about `progress`, of the answer that `provision` made. `number` is that of its entry.
pub(super) fn follow(
    progress: &Progress,
    journal: &Arc<Journal>,
    number: Option<u64>,
    (outcome, provision): (&Outcome, &Provision),
) {
    let (journal, served) = (journal.clone(), outcome.rule.is_some());
    let counters = outcome.rule.and_then(|index| provision.views[index].counters.clone());
    // A request counts as one error at most, and the error of another server is none of the script.
    let has_failed = outcome.error.is_some() || outcome.forwarded.is_some();
    progress.listen(Box::new(move |last| {
        let error = last.and_then(|last| last.error.as_deref()).filter(|_| !has_failed);
        if let Some(error) = error {
            metrics().stream_failed(served, counters.as_deref(), error);
        }
        if let Some(number) = number {
            journal.stream_moved(number, last);
        }
    }));
}
