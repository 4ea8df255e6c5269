//! Requests and answers of HTTP, without sockets and scripts.

pub(crate) mod answer;
pub(crate) mod baggage;
pub(crate) mod conditional;
pub(crate) mod content_coding;
pub(crate) mod cookie;
pub(crate) mod cors;
pub(crate) mod disposition;
pub(crate) mod entity_tag;
pub(crate) mod epoch;
pub(crate) mod form;
pub(crate) mod http_date;
pub(crate) mod json;
pub(crate) mod latin1;
pub(crate) mod media_type;
#[cfg(any(fuzzing, test))]
pub mod properties;
pub(crate) mod progress;
pub(crate) mod range;
pub(crate) mod request;
pub(crate) mod stream;
pub(crate) mod upstream;
