//! Counters of requests that left: callbacks, forwarded requests, and `requests.*` of scripts.

use super::Metrics;
use crate::outgoing::Sent;
use std::sync::atomic::{AtomicU64, Ordering};

/// The counters, in the order of `ALL` of each result.
#[derive(Default)]
pub(super) struct Outgoing {
    pub callbacks: [AtomicU64; Called::ALL.len()],
    pub forwarded: [AtomicU64; Forwarded::ALL.len()],
    pub sent: [AtomicU64; Sent::ALL.len()],
    /// Callbacks whose last attempt failed.
    pub failed_callbacks: AtomicU64,
    /// Callbacks that had an attempt.
    pub begun_callbacks: AtomicU64,
}

/// The result of one attempt of a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    /// A status below 400.
    Ok,
    /// Another status.
    Status,
    /// No answer.
    Error,
    /// A reset or a stop came before.
    Cancelled,
}

/// The result of a forwarded request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forwarded {
    Ok,
    /// No answer: 502.
    Failed,
    /// No answer in time: 504.
    Late,
    /// The answer broke off.
    Cut,
}

impl Called {
    pub(super) const ALL: [(Called, &'static str); 4] = [
        (Called::Ok, "ok"),
        (Called::Status, "status"),
        (Called::Error, "error"),
        (Called::Cancelled, "cancelled"),
    ];
}

impl Forwarded {
    pub(super) const ALL: [(Forwarded, &'static str); 4] = [
        (Forwarded::Ok, "ok"),
        (Forwarded::Failed, "502"),
        (Forwarded::Late, "504"),
        (Forwarded::Cut, "cut"),
    ];
}

impl Sent {
    pub(super) const ALL: [(Sent, &'static str); 3] =
        [(Sent::Ok, "ok"), (Sent::Error, "error"), (Sent::Timeout, "timeout")];
}

impl Metrics {
    /// Counts an attempt of a callback. `first` and `last` say which one it is; a last one that is not [`Called::Ok`] has failed.
    pub(crate) fn called(&self, result: Called, first: bool, last: bool) {
        self.outgoing.callbacks[result as usize].fetch_add(1, Ordering::Relaxed);
        if first {
            self.outgoing.begun_callbacks.fetch_add(1, Ordering::Relaxed);
        }
        if last && matches!(result, Called::Status | Called::Error) {
            self.outgoing.failed_callbacks.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a forwarded request that has ended.
    pub(crate) fn forwarded(&self, result: Forwarded) {
        self.outgoing.forwarded[result as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request of a script.
    pub(crate) fn sent(&self, result: Sent) {
        self.outgoing.sent[result as usize].fetch_add(1, Ordering::Relaxed);
    }
}
