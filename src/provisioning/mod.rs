//! Flow 2: a file event or a POST -> read -> compile -> swap.
//!
//! The source of a provision is loaded; the provision then answers requests:
//!
//! ```
//! use h1mock::bench::{Budget, Chaos, Conditions, Files, Provision, ProvisionDir, Request, engine, handle};
//! use std::sync::Arc;
//!
//! let source = r#"
//!     fn registerRules() { app.get("/hello/<name>", hello); }
//!     fn hello(name) { `Hello ${name}` }
//! "#;
//! let directory = ProvisionDir::open(&std::env::temp_dir().join("h1mock-example"), None).unwrap();
//! let files = Files::new(directory.into(), "example", Some(source.into()), Arc::default());
//! let budget = Budget::default();
//! let loaded = Provision::load(&engine(budget).into(), budget, files).unwrap();
//! let provision = Arc::new(loaded.into_provision("example").unwrap());
//!
//! let request = Request::from_parts("GET", "/hello/Ada", None::<(&str, &str)>, Vec::new(), None, None);
//! let outcome = handle(&provision, &Chaos::default(), &Conditions::default(), &mut Arc::new(request));
//! assert_eq!(outcome.reply.answer.body.bytes(), b"Hello Ada");
//! ```
//!
//! In the server, a provision passes through these files in this order:
//!
//! 1. `watcher/` reports the files of the provision directory that were written or removed, by inotify or by polling.
//!    `activation/changes.rs` loads them. `watcher/saves.rs` does so for `h1mock serve FILE`. A POST to the administrative port begins in `activation/requests.rs` instead.
//! 2. `turns.rs` keeps the order of both.
//! 3. `load.rs` reads the file and compiles it with the options of the command line. At start it loads `initial.rs`.
//! 4. `provision.rs` calls `registerRules()` (`registering.rs`), and builds rules, view functions and hooks. `warnings.rs` finds likely mistakes.
//! 5. `activation.rs` and `active.rs` swap the provision. Requests in progress finish with the old one.
//!    `layers.rs` is what they swap: the active provision and the overlays of `activation/overlays.rs`.
//! 6. `ledger.rs` records the result. `required.rs` and `activation/readiness.rs` decide whether the server is ready.
//!
//! A load that fails changes nothing that serves: `error.rs` has the reasons.

pub(crate) mod activation;
pub(crate) mod active;
pub(crate) mod error;
pub(crate) mod initial;
pub(crate) mod layers;
pub(crate) mod ledger;
pub(crate) mod load;
pub(crate) mod provision;
mod registering;
pub(crate) mod required;
pub(crate) mod rule_changes;
pub(crate) mod rule_row;
pub(crate) mod turns;
pub(crate) mod warnings;
pub(crate) mod watcher;
