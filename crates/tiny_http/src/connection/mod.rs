//! A connection, its socket, and the table of all connections.

pub(crate) mod slots;
pub(crate) mod socket;
pub(crate) mod state;
