//! Conditions and ranges of a request: the answer keeps the rules of 206, 304, 412 and 416.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| h1mock::fuzz::conditional(data));
