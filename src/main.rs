//! h1mock: an HTTP/1 mock server programmed with Rhai provisions.

mod access;
mod activation;
mod active;
mod admin;
mod check;
mod cli;
mod client;
mod form;
mod cookie;
mod logger;
mod mock;
mod provision;
mod record;
mod request;
mod response;
mod router;
mod rule;
mod script;
mod serve;
mod server;
mod store;
mod timer;
mod watcher;

use script::budget::Counting;
use std::alloc::System;

/// Counts what scripts allocate (`script::budget`).
#[global_allocator]
static ALLOCATOR: Counting<System> = Counting(System);

fn main() {
}
