//! End-to-end tests: the built binary on free ports, spoken to in raw HTTP.

mod harness;

mod access_log;
mod bad_input;
mod check;
mod command_line;
mod config_map;
mod examples;
mod files;
mod flask;
mod hot_swap;
mod scripts;
mod serving;
mod stopping;
