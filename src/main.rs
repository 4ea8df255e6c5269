//! h1mock: an HTTP/1 mock server programmed with Rhai provisions.
#![allow(dead_code)]

mod cli;
mod client;
mod request;
mod response;
mod script;

fn main() {}
