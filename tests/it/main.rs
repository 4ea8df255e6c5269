//! End-to-end tests: the built binary on free ports, spoken to in raw HTTP.

// A test fails by panicking; `allow-unwrap-in-tests` does not see functions outside of `#[test]`.
#![allow(clippy::unwrap_used)]

mod harness;

mod access_log;
mod admin;
mod applets;
mod bad_input;
mod check;
mod command_line;
mod config_map;
mod draining;
mod examples;
mod faults;
mod files;
mod flask;
mod hot_swap;
mod journal;
mod reference;
mod scripts;
mod serving;
mod stopping;
mod verify;
