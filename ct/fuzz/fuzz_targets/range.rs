//! `Range`: no input panics, and it selects what a model with large numbers selects.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| h1mock::fuzz::range(data));
