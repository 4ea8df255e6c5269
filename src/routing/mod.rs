//! Path and method -> rule, as Werkzeug does it.
//!
//! `rule.rs` is one rule: a `pattern.rs` with a `converter.rs` for each variable, which gives a `value.rs`.
//! `router.rs` is the table of all rules; its `index.rs` finds the few that may match a path, at a cost that does not grow with them.
//! `near_miss.rs` finds the closest rules where none serves. `quoting.rs` encodes and decodes parts of URLs.

pub(crate) mod converter;
pub(crate) mod host;
mod index;
pub(crate) mod method;
pub(crate) mod near_miss;
pub(crate) mod pattern;
pub(crate) mod quoting;
pub(crate) mod redirect;
pub(crate) mod router;
pub(crate) mod rule;
pub(crate) mod value;
