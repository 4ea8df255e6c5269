//! Tests of the script engine as a whole, and helpers for the tests of all topics.

mod containers;
mod definitions;
mod events;
mod linear;
mod names;
mod reference;
mod store;
mod streams;
mod simulated;
mod threads;
pub(crate) mod trial;
