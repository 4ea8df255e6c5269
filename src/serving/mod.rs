//! Flow 1: socket -> request -> handler -> answer -> socket.
//!
//! `startup.rs` starts all of it and waits for one of `signals.rs`; `verdict.rs` gives the exit code. Each request passes
//! 1. `http.rs`: the engine takes it from its socket, within `limits.rs`; `refusal.rs` writes the page of one that is refused.
//! 2. `listeners.rs`: a worker gets it, with the provision that serves now.
//! 3. `handler.rs`: router, hooks, view function and error handlers make a reply of it.
//! 4. `listeners.rs`: metrics and journal get the reply. One that has to wait needs a permit of `pending.rs`.
//! 5. `timer.rs`: a reply waits here as long as a script or chaos holds it back.
//! 6. `http.rs`: the bytes of the answer go to the engine, and from there to the socket.

pub(crate) mod handler;
pub(crate) mod http;
pub(crate) mod limits;
pub(crate) mod listeners;
pub(crate) mod pending;
pub(crate) mod refusal;
pub(crate) mod signals;
pub(crate) mod start_error;
pub(crate) mod startup;
pub(crate) mod timer;
mod verdict;
