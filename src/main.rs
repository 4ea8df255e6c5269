//! h1mock: an HTTP/1 mock server programmed with Rhai provisions.
#![allow(dead_code)]

mod activation;
mod active;
mod admin;
mod provision;
mod record;
mod request;
mod response;
mod script;
mod store;
mod timer;

fn main() {}
