//! Rhai underneath: budgets, calls, files, and errors with their place.

pub(crate) mod allocator;
pub(crate) mod analysis;
pub(crate) mod budget;
pub(crate) mod call;
pub(crate) mod chain;
pub(crate) mod compiling;
pub(crate) mod datetime;
pub(crate) mod evaluation;
pub(crate) mod fault;
pub(crate) mod files;
pub(crate) mod frozen;
pub(crate) mod http_error;
pub(crate) mod imports;
pub(crate) mod json;
pub(crate) mod key_value_store;
pub(crate) mod large_int;
pub(crate) mod load_time;
pub(crate) mod multi_dict;
pub(crate) mod names;
pub(crate) mod natives;
pub(crate) mod python;
pub(crate) mod registration;
pub(crate) mod routes;
pub(crate) mod same;
pub(crate) mod size_limits;
pub(crate) mod view;
