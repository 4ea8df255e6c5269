//! Conformance of the engine: raw bytes against RFC 9110, 9112 and 3986, through the published interface, except for answers
//! that the program frames. `extension` tests the rest.
//!
//! Each table runs all of its cases and reports each failure: the section of the RFC, the bytes sent and the bytes received.

// A test fails by panicking; `allow-unwrap-in-tests` does not see functions outside of `#[test]`.
#![allow(clippy::unwrap_used)]

mod case;
mod client;
mod harness;

mod answers;
mod chunks;
mod closing;
mod codings;
mod expectations;
mod extension;
mod fields;
mod host;
mod http_1_0;
mod length;
mod limits;
mod persistence;
mod request_line;
mod smuggling;
mod split;
mod target;
mod trailers;
