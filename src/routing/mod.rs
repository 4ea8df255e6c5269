//! Path and method -> rule, as Werkzeug does it.
//!
//! `rule.rs` is one rule: a `pattern.rs` with a `converter.rs` for each variable, which gives a `value.rs`.
//! `router.rs` is the table of all rules; its `index.rs` finds the few that may match a path, at a cost that does not grow with them.
//! `near_miss.rs` finds the closest rules where none serves. `quoting.rs` encodes and decodes parts of URLs.

pub mod converter;
pub mod index;
pub mod method;
pub mod near_miss;
pub mod pattern;
pub mod quoting;
pub mod router;
pub mod rule;
pub mod value;
