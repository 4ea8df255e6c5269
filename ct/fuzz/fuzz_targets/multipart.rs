//! Multipart bodies: no input panics, parts lie in the body, and a body made of parts gives them back.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| h1mock::fuzz::multipart(data));
