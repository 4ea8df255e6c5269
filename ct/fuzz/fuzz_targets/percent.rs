//! Percent escapes of paths, queries and forms: texts come back, and decoding agrees with a model.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| h1mock::fuzz::percent(data));
