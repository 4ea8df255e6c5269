//! Scripts: the engine that compiles and runs provisions, one file per topic that they see.

pub mod abort;
pub mod call;
pub mod fault;
