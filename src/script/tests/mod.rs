//! What tests of all topics use, and the tests of the engine as a whole.

mod names;
mod reference;
pub(crate) mod trial;
