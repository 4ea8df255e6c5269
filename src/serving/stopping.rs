//! The last part of a stop: the wait for requests, callbacks and the log.

use crate::observing::logger;
use crate::serving::callbacks::Callbacks;
use crate::serving::listeners::Listener;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

/// Waits until all requests are answered and the callbacks that are due within `grace` have left, for at most `grace` or until a
/// second signal. Returns the number of requests left, and whether the signal came.
pub(super) fn finish(
    listeners: &[Listener],
    callbacks: &Arc<Callbacks>,
    grace: Duration,
    signals: &Receiver<i32>,
) -> (usize, bool) {
    let end = Instant::now() + grace;
    callbacks.stop(end);
    loop {
        let left: Vec<(usize, bool)> = listeners.iter().map(Listener::close_idle).collect();
        let busy = left.iter().map(|(busy, _)| busy).sum();
        let done = busy == 0 && !left.iter().any(|(_, young)| *young) && callbacks.unfinished() == 0;
        if done || Instant::now() >= end {
            return (busy, false);
        }
        if signals.recv_timeout(SLICE).is_ok() {
            return (busy, true);
        }
    }
}

/// Waits until the log is written: for at most a second, and not after another signal. If a second signal ended the stop, the wait
/// is at most a quarter of a second.
pub(super) fn write_log(signals: &Receiver<i32>, hurried: bool) {
    let end = Instant::now() + if hurried { logger::FLUSH / 4 } else { logger::FLUSH };
    while !logger::flush_until(Instant::now() + SLICE) && Instant::now() < end && signals.try_recv().is_err()
    {
    }
}

/// Pause between two checks whether a stop may go on.
const SLICE: Duration = Duration::from_millis(5);

/// Returns what a stop leaves, as text: empty if there is nothing. `left` is the number of all requests, `streams` that of begun
/// ones among them.
pub(super) fn unfinished(left: usize, streams: usize, callbacks: usize) -> String {
    let number = |count: usize, what: &str, word: &str| {
        let plural = if count == 1 { "" } else { "s" };
        (count > 0).then(|| format!("{count} {what}{plural} {word}"))
    };
    let requests = number(left.saturating_sub(streams), "request", "unanswered");
    // Without requests, the streams that are still open end with the stop.
    let streams = number(streams.min(left), "stream", "unfinished");
    [requests, streams, number(callbacks, "callback", "unfinished")]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" and ")
}
