//! Turns the bytes of a client into requests.

pub(crate) mod body_pool;
pub(crate) mod chunked;
pub(crate) mod head;
pub(crate) mod inbound;
