//! What tests of all topics use, and the tests of the engine as a whole.

mod containers;
mod linear;
mod names;
mod reference;
mod store;
mod threads;
pub(crate) mod trial;
