//! End-to-end tests: they start the built binary on free ports and send raw HTTP.

// A test fails by a panic; `allow-unwrap-in-tests` does not cover functions outside of `#[test]`.
#![allow(clippy::unwrap_used)]

mod harness;

mod access_log;
mod admin;
mod applets;
mod bad_input;
mod browsers;
mod chaos;
mod check;
mod command_line;
mod config_map;
mod content_codings;
mod draining;
mod examples;
mod explain;
mod faults;
mod files;
mod filters;
mod flask;
mod flask_answers;
mod flask_errors;
mod flask_rules;
mod hostile;
mod hot_swap;
mod journal;
mod leaving;
mod loading;
mod logging;
mod metrics;
mod names;
mod python;
mod readiness;
mod reference;
mod report;
mod scripts;
mod sending;
mod serving;
mod state;
mod stopping;
mod store_bytes;
mod tidy;
mod ulimits;
mod unread;
mod verify;
