//! End-to-end tests: they start the built binary on free ports and send raw HTTP.

// A test fails by a panic; `allow-unwrap-in-tests` does not cover functions outside of `#[test]`.
#![allow(clippy::unwrap_used)]

mod harness;

mod access_log;
mod admin;
mod applets;
mod bad_input;
mod browsers;
mod callbacks;
mod chaos;
mod check;
mod clock;
mod command_line;
mod config_map;
mod cors;
mod content_codings;
mod draining;
mod encodings;
mod examples;
mod explain;
mod faults;
mod files;
mod filters;
mod flask;
mod flask_answers;
mod flask_errors;
mod flask_rules;
mod forwarding;
mod forwarding_rules;
mod hostile;
mod hot_swap;
mod journal;
mod leaving;
mod loading;
mod logging;
mod long_polls;
mod metrics;
mod names;
mod outgoing_journal;
mod overlays;
mod proxies;
mod python;
mod random;
mod readiness;
mod reference;
mod report;
mod requests;
mod scripts;
mod sending;
mod sent_files;
mod serving;
mod state;
mod statuses;
mod stopping;
mod stream_scripts;
mod store_bytes;
mod stream_journal;
mod streams;
mod tidy;
mod trial;
mod try_command;
mod ulimits;
mod unread;
mod verify;
