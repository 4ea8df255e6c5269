//! Heads and chunks: no input panics, and any split into reads gives the same requests.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| tiny_http::fuzz::split(data));
