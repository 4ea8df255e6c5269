//! One connection, and the table of all.

pub(crate) mod slots;
pub(crate) mod socket;
pub(crate) mod state;
