//! Rhai underneath: budgets, calls, files, and errors with their place.

pub mod allocator;
pub mod budget;
pub mod call;
pub mod evaluation;
pub mod fault;
pub mod files;
pub mod http_error;
pub mod imports;
pub mod json;
pub mod key_value_store;
pub mod multi_dict;
pub mod natives;
pub mod python;
pub mod registration;
pub mod routes;
pub mod size_limits;
pub mod view;
