//! A callback: a request that leaves after the answer to the request that caused it.

use crate::http_client::Url;
use std::time::Duration;

/// A request that a script asked for by `callback(...)`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Callback {
    pub method: String,
    pub url: Url,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    /// Time from the answer to the first attempt, by the clock of the test.
    pub after: Duration,
    /// Attempts after the first one that fails.
    pub retries: u32,
    /// Time before the first retry; each further one waits twice as long.
    pub backoff: Duration,
    /// For one attempt.
    pub timeout: Duration,
}

/// The request that caused a callback.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Caller {
    /// The number of its entry in the journal; 0 without a journal.
    pub entry: u64,
    pub epoch: u64,
    pub generation: u64,
}
