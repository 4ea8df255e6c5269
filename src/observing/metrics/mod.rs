//! Counters of the process, for `/metrics` and for the report. Workers count with relaxed atomics, without a lock.

mod exposition;
mod histogram;
mod outgoing;
pub(crate) mod page;
mod process;
mod rules;
#[cfg(test)]
mod tests;
mod unmatched;

pub(crate) use exposition::CONTENT_TYPE;
pub(crate) use outgoing::{Called, Departed, Forwarded};
pub(crate) use rules::Counted;
pub(crate) use unmatched::Row as UnmatchedRow;

use crate::message::progress::Ending;
use crate::observing::counters::RuleCounters;
use crate::routing::rule::Rule;
use crate::script::runtime::fault::LoadError;
use crate::system::lock::lock;
use histogram::Histogram;
use outgoing::Outgoing;
use rules::{Identity, Rules};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::SystemTime;
use unmatched::Unmatched;

/// Returns the counters of this process. They never go back.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::default);
    &METRICS
}

pub struct Metrics {
    started: SystemTime,
    rules: Rules,
    times: Histogram,
    unmatched: Unmatched,
    first_error: OnceLock<String>,
    /// Refused requests of each listener, by status.
    refused: [(&'static str, RuleCounters); 2],
    /// Streams that have ended, in the order of [`Ending::ALL`].
    streams: [AtomicU64; Ending::ALL.len()],
    /// Pieces of all streams.
    pieces: AtomicU64,
    /// Requests that left, or went on.
    outgoing: Outgoing,
    loads: AtomicU64,
    failed_loads: AtomicU64,
    /// The latest load failed.
    failing: AtomicBool,
    last_failure: Mutex<Option<String>>,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics {
            started: SystemTime::now(),
            rules: Rules::default(),
            times: Histogram::default(),
            unmatched: Unmatched::default(),
            first_error: OnceLock::new(),
            refused: ["mock", "admin"].map(|listener| (listener, RuleCounters::new(16))),
            streams: Default::default(),
            pieces: AtomicU64::new(0),
            outgoing: Outgoing::default(),
            loads: AtomicU64::new(0),
            failed_loads: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            last_failure: Mutex::default(),
        }
    }
}

/// The rules of one layer.
pub struct LayerRules<'r> {
    /// The text of the overlay; `None` for the active provision.
    pub overlay: Option<String>,
    /// The rules in the order of registration.
    pub rules: &'r [Rule],
}

impl LayerRules<'_> {
    fn identities(&self) -> impl Iterator<Item = Identity> {
        self.rules.iter().map(|rule| Identity {
            rule: rule.pattern().to_owned(),
            methods: rule.listed_methods().join(","),
            overlay: self.overlay.clone().unwrap_or_default(),
        })
    }
}

impl Metrics {
    /// Counts a request that the mock answered.
    pub fn answered(&self, request: &Counted) {
        self.rules.count(request);
        self.times.add(request.nanoseconds);
        if request.unmatched {
            self.unmatched.add(request.method, request.target);
        }
        if let Some(error) = request.error {
            self.first_error.get_or_init(|| error.to_owned());
        }
    }

    /// Counts the error of a stream that has begun: its request was counted then. `served` and `counters` are as in [`Counted`].
    pub fn stream_failed(&self, served: bool, counters: Option<&RuleCounters>, error: &str) {
        self.rules.add_error(served, counters);
        self.first_error.get_or_init(|| error.to_owned());
    }

    /// Counts a piece of a stream.
    pub(crate) fn stream_piece(&self) {
        self.pieces.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a stream that has ended.
    pub(crate) fn stream_ended(&self, ending: Ending) {
        self.streams[ending as usize].fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a request that the engine refused.
    pub fn refused(&self, listener: &str, status: u16) {
        if let Some((_, counters)) = self.refused.iter().find(|(name, _)| *name == listener) {
            counters.count("", status, || true);
        }
    }

    /// Counts a load of a provision that will serve. Returns the counters of each of its rules; `None` for rules that share counters.
    /// `kept` are the other layers, which go on serving.
    pub fn loaded(&self, layer: &LayerRules, kept: &[LayerRules]) -> Vec<Option<Arc<RuleCounters>>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        if layer.overlay.is_none() {
            self.failing.store(false, Ordering::Relaxed);
        }
        let kept: Vec<Identity> = kept.iter().flat_map(LayerRules::identities).collect();
        self.rules.adopt(&layer.identities().collect::<Vec<_>>(), &kept)
    }

    /// Counts a load of a provision that will not serve, since a later load was served meanwhile.
    pub fn overtaken(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a load that failed. `newest` says that no later load is served.
    pub fn load_failed(&self, error: &LoadError, newest: bool) {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.failed_loads.fetch_add(1, Ordering::Relaxed);
        *lock(&self.last_failure) = Some(error.to_string());
        if newest {
            self.set_failing();
        }
    }

    /// Notes that the provision that serves stands in for one that failed to load.
    pub fn set_failing(&self) {
        self.failing.store(true, Ordering::Relaxed);
    }

    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// Returns the sums for the report.
    pub fn summary(&self) -> Summary {
        let sums = self.rules.sums();
        Summary {
            requests: sums.iter().flat_map(|sums| &sums.requests).map(|(_, count)| count).sum(),
            unmatched: self.unmatched.total(),
            unmatched_rows: self.unmatched.rows(),
            errors: sums.iter().map(|sums| sums.errors).sum(),
            first_error: self.first_error.get().cloned(),
            loads: self.loads.load(Ordering::Relaxed),
            failed_loads: self.failed_loads.load(Ordering::Relaxed),
            last_failure: lock(&self.last_failure).clone(),
            departed: self.outgoing.departed(),
        }
    }
}

/// Sums since the start of the process.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Summary {
    /// Requests that the mock answered.
    pub requests: u64,
    /// Requests that no rule served.
    pub unmatched: u64,
    /// The first 64 different requests that no rule served, the most frequent first.
    pub unmatched_rows: Vec<UnmatchedRow>,
    /// Requests whose script failed.
    pub errors: u64,
    /// The first error of a script, with its place.
    pub first_error: Option<String>,
    /// Loads of provisions, failed ones included.
    pub loads: u64,
    /// Loads that failed.
    pub failed_loads: u64,
    /// The latest error of a load, with its place.
    pub last_failure: Option<String>,
    /// Callbacks and forwarded requests.
    pub departed: Departed,
}
