//! Counters of requests that left: callbacks, forwarded requests, and `requests.*` of scripts.

use super::Metrics;
use super::exposition::Exposition;
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

/// Callbacks and forwarded requests since the start of the process, for the report.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Departed {
    /// Callbacks that had an attempt.
    pub callbacks: u64,
    /// Callbacks whose last attempt failed.
    pub failed_callbacks: u64,
    /// Forwarded requests that have ended.
    pub forwarded: u64,
    /// Forwarded requests without an answer, or not with all of it.
    pub failed_forwarded: u64,
}

impl Outgoing {
    /// Adds the families, with a sample for each result.
    pub(super) fn add_to(&self, page: &mut Exposition) {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let callbacks = Called::ALL.map(|(result, word)| (word, count(&self.callbacks[result as usize])));
        let forwarded = Forwarded::ALL.map(|(result, word)| (word, count(&self.forwarded[result as usize])));
        let sent = Sent::ALL.map(|(result, word)| (word, count(&self.sent[result as usize])));
        for ((name, help), counts) in FAMILIES.into_iter().zip([&callbacks[..], &forwarded, &sent]) {
            page.family(name, help);
            for (word, count) in counts {
                page.sample(name, &[("result", word)], count);
            }
        }
    }

    pub(super) fn departed(&self) -> Departed {
        let load = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let forwarded = Forwarded::ALL.map(|(result, _)| load(&self.forwarded[result as usize]));
        let sum = forwarded.iter().sum::<u64>();
        Departed {
            callbacks: load(&self.begun_callbacks),
            failed_callbacks: load(&self.failed_callbacks),
            forwarded: sum,
            failed_forwarded: sum - forwarded[Forwarded::Ok as usize],
        }
    }
}

const FAMILIES: [(&str, &str); 3] = [
    ("h1mock_callbacks_total", "Attempts of callbacks, and callbacks that were cancelled, by result."),
    ("h1mock_forwarded_total", "Forwarded requests that have ended, by result."),
    ("h1mock_outgoing_total", "Requests of scripts to other servers (`requests`), by result."),
];

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
