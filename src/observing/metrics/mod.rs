//! What is counted of the process: by the workers with relaxed atomics alone, by loads and refusals as they come. Read by the
//! page of `/metrics` and by the report.

mod exposition;
mod histogram;
pub(crate) mod page;
mod process;
mod rules;
#[cfg(test)]
mod tests;
mod unmatched;

pub(crate) use exposition::CONTENT_TYPE;
pub(crate) use rules::Counted;
pub(crate) use unmatched::Row as UnmatchedRow;

use crate::observing::counters::RuleCounters;
use crate::routing::rule::Rule;
use crate::script::runtime::fault::LoadError;
use crate::system::lock::lock;
use histogram::Histogram;
use rules::{Identity, Rules};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::time::SystemTime;
use unmatched::Unmatched;

/// The counters. One for the process, as what they tell of is the process; nothing is ever taken back.
pub fn metrics() -> &'static Metrics {
    static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::default);
    &METRICS
}

/// All counters.
pub struct Metrics {
    started: SystemTime,
    rules: Rules,
    times: Histogram,
    unmatched: Unmatched,
    first_error: OnceLock<String>,
    /// Of both listeners, by status.
    refused: [(&'static str, RuleCounters); 2],
    loads: AtomicU64,
    failed_loads: AtomicU64,
    /// The newest load failed.
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
            loads: AtomicU64::new(0),
            failed_loads: AtomicU64::new(0),
            failing: AtomicBool::new(false),
            last_failure: Mutex::default(),
        }
    }
}

impl Metrics {
    /// Counts a request that was answered.
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

    /// Counts a request that the engine refused.
    pub fn refused(&self, listener: &str, status: u16) {
        if let Some((_, counters)) = self.refused.iter().find(|(name, _)| *name == listener) {
            counters.count("", status, || true);
        }
    }

    /// A provision with these rules has loaded and is about to serve: gives the counters of each, `None` for those that share.
    pub fn loaded(&self, rules: &[Rule]) -> Vec<Option<Arc<RuleCounters>>> {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.failing.store(false, Ordering::Relaxed);
        let identity = |rule: &Rule| Identity {
            rule: rule.pattern().to_owned(),
            methods: rule.listed_methods().join(","),
        };
        self.rules.adopt(&rules.iter().map(identity).collect::<Vec<_>>())
    }

    /// A provision has loaded, and another one serves that was asked for later.
    pub fn overtaken(&self) {
        self.loads.fetch_add(1, Ordering::Relaxed);
    }

    /// A provision has not loaded. `newest`: nothing serves that was asked for later.
    pub fn load_failed(&self, error: &LoadError, newest: bool) {
        self.loads.fetch_add(1, Ordering::Relaxed);
        self.failed_loads.fetch_add(1, Ordering::Relaxed);
        *lock(&self.last_failure) = Some(error.to_string());
        if newest {
            self.set_failing();
        }
    }

    /// What serves now stands in for something that did not load.
    pub fn set_failing(&self) {
        self.failing.store(true, Ordering::Relaxed);
    }

    /// Whether the newest load failed.
    pub fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }

    /// What a report says of all this.
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
        }
    }
}

/// Sums over the life of the process.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Summary {
    /// Requests that the mock answered.
    pub requests: u64,
    /// Of these, requests that no rule served.
    pub unmatched: u64,
    /// The first 64 different ones of them, the most frequent first.
    pub unmatched_rows: Vec<UnmatchedRow>,
    /// Requests whose script failed.
    pub errors: u64,
    /// The first such failure, with its place.
    pub first_error: Option<String>,
    /// Loads of provisions, failed ones included.
    pub loads: u64,
    /// Failed ones.
    pub failed_loads: u64,
    /// The last failure, with its place.
    pub last_failure: Option<String>,
}
