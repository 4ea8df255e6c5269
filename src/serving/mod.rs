//! Flow 1: socket -> request -> handler -> answer -> socket.
//!
//! `startup.rs` starts everything, with the folders of `directories.rs` and the lines of `console.rs`, and waits for a signal of `signals.rs`; `stopping.rs` waits for the last requests, and `verdict.rs` chooses the exit code. A request passes
//! through these files in this order:
//! 1. `http.rs`: the engine reads the request, within the limits of `limits.rs`. `refusal.rs` writes the page of a refused one.
//! 2. `listeners.rs`: a thread of the pool takes the request.
//! 3. `workers.rs`: the worker fetches the provision that serves now. (`admin_work.rs` has that of the administrative port.)
//! 4. The room `handling`: hooks, router, view function and error handlers make a reply.
//! 5. `workers.rs`: metrics and journal record the reply. A delayed reply needs a permit of `pending.rs`.
//! 6. `sending.rs`: the reply leaves at once, or waits in `timer.rs` for its time. `streaming.rs` sends the pieces of a stream,
//!    `relaying.rs` those of a body from another server, and `followed.rs` tells journal and metrics.
//!    A request whose view returned `wait_for(...)` waits in `waiting.rs` before it goes on with step 4, and one whose view returned
//!    `forward(...)` in `forwarding`.
//! 7. `http.rs`: the engine writes the answer to the socket.
//! 8. `callbacks.rs`: the requests that the script asked for by `callback(...)` leave.

mod admin_work;
mod callbacks;
mod console;
mod directories;
mod followed;
mod forwarding;
pub(crate) mod http;
pub(crate) mod limits;
pub(crate) mod listeners;
pub(crate) mod pending;
pub(crate) mod refusal;
mod relaying;
mod sending;
pub(crate) mod signals;
pub(crate) mod startup;
mod stopping;
pub(crate) mod streaming;
pub(crate) mod timer;
mod verdict;
pub(crate) mod waiting;
pub(crate) mod workers;
