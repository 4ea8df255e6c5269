//! Observing requests: the journal, metrics, the report and the log.
//!
//! - `journal/` keeps requests with their answers. Tests read, verify and wait for them.
//! - `metrics/` counts for Prometheus, with the `counters.rs` of each rule. `report.rs` sums the counts up with a verdict.
//! - `logger.rs` formats log records, and `access_log.rs` a line for each request. `log_queue.rs` writes them to standard error.

pub(crate) mod access_log;
pub(crate) mod counters;
pub(crate) mod journal;
pub(crate) mod log_queue;
pub(crate) mod logger;
pub(crate) mod metrics;
pub(crate) mod report;
