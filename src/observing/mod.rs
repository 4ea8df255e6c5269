//! What was received and how often.
//!
//! `journal/` keeps requests with their answers, for tests that read, verify or wait for them.
//! `metrics/` counts for Prometheus, each rule with its `counters.rs`; `report.rs` sums that up with a verdict when the process ends.
//! `logger.rs` writes the log to standard error, `access_log.rs` a line for each request.

pub mod access_log;
pub mod counters;
pub mod journal;
pub mod logger;
pub mod metrics;
pub mod report;
