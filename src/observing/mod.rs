//! What was received and how often: the journal, the metrics, the report, and the two logs.

pub mod access_log;
pub mod counters;
pub mod journal;
pub mod logger;
pub mod metrics;
pub mod report;
