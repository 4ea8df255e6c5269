//! Rhai underneath: budgets, calls, files, and errors with their place.

pub mod allocator;
pub mod budget;
pub mod call;
pub mod evaluation;
pub mod fault;
pub mod files;
pub mod hint;
pub mod http_error;
pub mod json;
pub mod key_value_store;
pub mod multi_dict;
pub mod natives;
pub mod python;
pub mod registration;
pub mod size_limits;
pub mod view;
