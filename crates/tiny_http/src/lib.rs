//! An HTTP/1.1 server for a fixed pool of threads: the part of tiny_http 0.12's interface that h1mock uses, made anew.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let listener = std::net::TcpListener::bind("127.0.0.1:8000")?;
//! let server = std::sync::Arc::new(tiny_http::Server::from_listener(listener, None)?);
//! for _ in 0..4 {
//!     let server = server.clone();
//!     std::thread::spawn(move || {
//!         while let Ok(request) = server.recv() {
//!             let _ = request.respond(tiny_http::Response::from_string("hello"));
//!         }
//!     });
//! }
//! # Ok(()) }
//! ```
//!
//! It has no threads of its own. Workers wait in [`Server::recv`] on one epoll instance; the one that is woken accepts, or reads
//! and parses, and gets the request once head and body have arrived. It answers on the same thread: no hand-over of requests.
//! Connections are registered once, edge-triggered, so a request costs one receive and one send, and a wait where no other event
//! came with it.
//!
//! The flow: `server` (wait; `leader` says who waits, `events` has what came of a wait beside) -> `accept`, or `core` (an event of one connection) -> `inbound` (bytes to a request: `head`,
//! `chunked`) -> `request` -> `answer` (head of the answer) -> `leaving` (what follows) -> `output` (bytes, pauses). `reactor`
//! finishes what did not fit into the socket and keeps the deadlines. `absent` tells the program of clients that leave. `slots` holds the connections.
//!
//! What tiny_http does not have is in [`extension`]. Where the interface is the published one, three things differ:
//! [`Request::respond`] wants a reader that may go to another thread, because it may have to be read there;
//! [`HeaderValue`] is bytes, not ASCII; and a request is only given out once its body has arrived, so that reading it never waits.

#![deny(missing_docs)]

mod absent;
mod accept;
mod answer;
mod body_pool;
mod chunked;
mod clock;
mod connection;
mod core;
mod dribble;
mod events;
pub mod extension;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
mod head;
mod header;
mod inbound;
mod leader;
mod leaving;
mod listener;
mod lock;
mod method;
mod output;
mod precise;
mod reactor;
mod reason;
mod refusal;
mod request;
mod response;
mod server;
mod slots;
mod status;

pub use header::{Header, HeaderField, HeaderValue};
pub use listener::{ListenAddr, Listener, SslConfig};
pub use method::Method;
pub use request::Request;
pub use response::Response;
pub use server::Server;
pub use status::{HTTPVersion, StatusCode};
