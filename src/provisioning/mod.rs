//! Flow 2: a file event or a POST -> read -> compile -> swap. A provision passes these files in this order:
//!
//! 1. `watcher/`: inotify, or polling, tells which files of the provision directory were written or removed;
//!    a POST to the administrative port comes in at 2 without it.
//! 2. `activation.rs`: loads of the administrative port, one at a time, and what follows from a load. `activation/changes.rs`: what a
//!    change of a file means; its loads run beside those. `turns.rs`: the order of all.
//! 3. `load.rs`: reads the file, and compiles it with the options of the command line; at start it loads `initial.rs`.
//! 4. `provision.rs`: compiled files -> `registerRules()` -> rules, view functions, hooks.
//!    `warnings.rs`: what looks wrong although it loads.
//! 5. `active.rs`: the swap. Requests that run finish on the old provision; waits for a generation end.
//! 6. `ledger.rs`: what became of each file; `required.rs` and `activation/readiness.rs`: whether the server is ready.
//!
//! A load that fails changes nothing: `error.rs` says why.

pub(crate) mod activation;
pub(crate) mod active;
pub(crate) mod error;
pub(crate) mod initial;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod provision;
pub(crate) mod required;
pub(crate) mod turns;
pub(crate) mod warnings;
pub(crate) mod watcher;
