//! A request and an answer as HTTP has them, without sockets and scripts.

pub mod answer;
pub mod baggage;
pub mod cookie;
pub mod epoch;
pub mod form;
pub mod request;
pub mod stream;
