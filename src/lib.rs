//! h1mock: an HTTP/1 mock server whose behaviour is programmed with provisions, small Rhai scripts.
//!
//! The modules are *rooms*, from top to bottom. A room may import from the rooms below it, never from one above;
//! `tests/it/tidy.rs` checks that. docs/architecture.md shows the rooms and the two flows through them.

/// Command line -> one command -> exit code.
mod program;
/// Flow 1: socket -> request -> handler -> answer -> socket.
mod serving;
/// `tar`, `test`, `ls`, `sh`, `curl` and others by argv[0], for kubectl: the image has no such tools.
mod applet;
/// The administrative port: a table of resources, and their functions.
mod admin;
/// The clients `get`, `probe`, `wait` and `report`.
mod client;
/// Command line and environment -> one command.
mod cli;
/// One request through hooks, router, view function and error handlers.
mod handling;
/// Flow 2: file event or POST -> read -> compile -> swap.
mod provisioning;
/// Records and counts requests: journal, metrics, report, logs.
mod observing;
/// The engine of scripts, and the names that scripts see.
mod script;
/// The test's clock and dice: the time and the random numbers that scripts see.
mod simulation;
/// Delays and faults.
mod chaos;
/// Requests to other servers: where they may go, how names are resolved, and the threads that wait for them.
mod outgoing;
/// The HTTP client: bytes, connections, errors.
mod http_client;
/// A request and an answer, without sockets and scripts.
mod message;
/// Path and method -> rule.
mod routing;
/// The provision directory on disk.
mod directory;
/// Errors, limits and threads of the system; the distance between words.
mod system;

pub use program::run;
pub use script::runtime::allocator::{ALLOCATOR, Allocator};

/// The parts that the benchmarks use.
#[doc(hidden)]
pub mod bench {
    pub use crate::chaos::Chaos;
    pub use crate::directory::ProvisionDir;
    pub use crate::handling::{Outcome, handle};
    pub use crate::message::request::Request;
    pub use crate::observing::metrics::{LayerRules, metrics};
    pub use crate::provisioning::provision::{Loaded, Provision};
    pub use crate::routing::router::Router;
    pub use crate::routing::rule::{Rule, RuleOptions};
    pub use crate::script::engine;
    pub use crate::script::runtime::allocator::Counting;
    pub use crate::script::runtime::budget::Budget;
    pub use crate::script::runtime::conditions::Conditions;
    pub use crate::script::runtime::files::Files;
}

/// Properties of parsers, for the fuzz targets of ct/fuzz.
#[cfg(any(fuzzing, test))]
#[doc(hidden)]
pub use message::properties as fuzz;
