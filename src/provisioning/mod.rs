//! Flow 2: a file event or a POST -> read -> compile -> swap. A provision passes these files in this order:
//!
//! 1. `watcher/` reports the files of the provision directory that were written or removed, by inotify or by polling.
//!    `activation/changes.rs` loads them. A POST to the administrative port begins in `activation/requests.rs` instead.
//! 2. `turns.rs` keeps the order of both.
//! 3. `load.rs` reads the file and compiles it with the options of the command line. At start it loads `initial.rs`.
//! 4. `provision.rs` calls `registerRules()`, and builds rules, view functions and hooks. `warnings.rs` finds likely mistakes.
//! 5. `activation.rs` and `active.rs` swap the provision. Requests in progress finish with the old one.
//! 6. `ledger.rs` records the result. `required.rs` and `activation/readiness.rs` decide whether the server is ready.
//!
//! A load that fails changes nothing that serves: `error.rs` has the reasons.

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
