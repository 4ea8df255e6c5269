//! An HTTP/1.1 server on a fixed pool of threads. It has the part of tiny_http 0.12's interface that h1mock uses, and none of
//! its code.
//!
//! ```
//! use std::io::{Read, Write};
//! use std::net::{TcpListener, TcpStream};
//! use tiny_http::{Response, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = Server::from_listener(listener, None)?;
//! std::thread::scope(|scope| {
//!     // A worker. Start as many as requests are to be answered at the same time.
//!     scope.spawn(|| {
//!         while let Ok(request) = server.recv() {
//!             let _ = request.respond(Response::from_string("hello"));
//!         }
//!     });
//!     let mut client = TcpStream::connect(address)?;
//!     client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")?;
//!     let mut answer = String::new();
//!     client.read_to_string(&mut answer)?;
//!     assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\nhello"));
//!     server.unblock();
//!     Ok(())
//! })
//! # }
//! ```
//!
//! # How a request passes through the files
//!
//! 1. `server`: workers wait in [`Server::recv`] on one epoll instance. `core/leader` says which of them waits.
//! 2. `core/accept` admits the connection: `connection/slots` stores it, epoll gets it once, edge-triggered.
//! 3. `core/receive`: the worker that epoll woke reads from the socket of the connection (`connection/socket`).
//! 4. `parse/inbound` turns the bytes into a request, by `parse/head` (request line and fields) and `parse/chunked` (the body).
//! 5. `core/refuse` answers a request that is malformed or over a limit. `core/deadlines` answers one that is too slow.
//! 6. `request`: the program gets the [`Request`] once head and body have arrived. So no read of the body waits.
//! 7. `request` and `extension` take the program's answer, on any thread. `write/head` writes its head.
//! 8. `core/answer` sends head and body in one write, through `write/output`.
//! 9. `core/reactor` waits for sockets that are full, pauses and deadlines. It sends the rest of such answers.
//! 10. `core/answer`: the connection waits for its next request, or ends.
//!
//! An answer may go on after its beginning (`open`): the program adds to it from any thread, in chunks (`write/chunks`), and
//! `core/growing` writes the pieces, tells when the kernel has them, and finds out whether a client that sends no more has left.
//! `core/jobs` is a bounded queue of work for the workers, such as making the next piece. They take requests and jobs in turn.
//!
//! [`Server::from_listener`] starts one thread, for its reactor; with [`extension`] a thread of the program turns it. A
//! request costs one read and one write, and no wait if epoll reported its event together with another one. `core/memory` counts
//! the memory that requests and answers hold. `core/absent` tells the program when a client leaves.
//!
//! # Differences from the published crate
//!
//! [`extension`] has limits, pages for refused requests and more, which the published crate lacks. In the common part, three
//! things differ:
//! - [`Request::respond`] needs a reader that is `Send + 'static`, because another thread may read it.
//! - [`HeaderValue`] holds bytes, not only ASCII.
//! - [`Server::recv`] returns a request only once its body has arrived.

#![deny(missing_docs)]

mod clock;
mod connection;
mod core;
pub mod extension;
#[cfg(any(fuzzing, test))]
pub mod fuzz;
mod early;
mod header;
mod limits;
mod listener;
mod lock;
mod method;
mod open;
mod parse;
mod refusal;
mod request;
mod response;
mod server;
mod status;
mod write;

pub use header::{Header, HeaderField, HeaderValue};
pub use listener::{ListenAddr, SslConfig};
pub use method::Method;
pub use request::Request;
pub use response::Response;
pub use server::Server;
pub use status::{HTTPVersion, StatusCode};
