//! What the mock received and answered, within a budget of bytes. Knows no listener and no script.

pub mod entry;
pub mod filter;
pub mod near;
pub mod sequence;
pub mod verify;
pub mod waiting;
