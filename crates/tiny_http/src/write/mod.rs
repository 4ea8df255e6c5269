//! Turns answers into bytes.

pub(crate) mod body;
pub(crate) mod chunks;
pub(crate) mod dribble;
pub(crate) mod head;
pub(crate) mod output;
