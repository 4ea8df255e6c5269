//! Requests and answers of HTTP, without sockets and scripts.

pub(crate) mod answer;
pub(crate) mod baggage;
pub(crate) mod content_coding;
pub(crate) mod cookie;
pub(crate) mod epoch;
pub(crate) mod form;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
pub(crate) mod json;
pub(crate) mod request;
pub(crate) mod stream;
