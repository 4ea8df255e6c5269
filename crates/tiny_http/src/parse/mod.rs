//! Bytes of a client to requests.

pub(crate) mod body_pool;
pub(crate) mod chunked;
pub(crate) mod head;
pub(crate) mod inbound;
