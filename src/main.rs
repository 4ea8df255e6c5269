//! h1mock: an HTTP/1 mock server programmed with Rhai provisions.

fn main() {}
