//! What was received and how often.
//!
//! `journal/` keeps requests with their answers, for tests that read, verify or wait for them.
//! `metrics/` counts for Prometheus, each rule with its `counters.rs`; `report.rs` sums that up with a verdict when the process ends.
//! `logger.rs` makes lines of log records, `access_log.rs` one for each request, and `log_queue.rs` writes them to standard error.

pub(crate) mod access_log;
pub(crate) mod counters;
pub(crate) mod journal;
pub(crate) mod log_queue;
pub(crate) mod logger;
pub(crate) mod metrics;
pub(crate) mod report;
