//! Build script: the description of the admin interface as the program contains it, without white space and deflated, for it is
//! read far less often than its bytes lie in images: 10 KB of 48.

use std::path::Path;
use std::{env, fs};

const SOURCE: &str = "docs/openapi.json";

fn main() {
    println!("cargo::rerun-if-changed={SOURCE}");
    let json = fs::read(SOURCE).expect(SOURCE);
    let out = env::var_os("OUT_DIR").expect("Cargo sets OUT_DIR");
    let deflated = miniz_oxide::deflate::compress_to_vec(&compact(&json), 10);
    fs::write(Path::new(&out).join("openapi.deflate"), deflated).expect("OUT_DIR can be written");
}

/// Leaves out white space between tokens.
fn compact(json: &[u8]) -> Vec<u8> {
    let (mut quoted, mut escaped) = (false, false);
    let kept = json.iter().filter(|byte| {
        match byte {
            b'"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = !escaped && **byte == b'\\';
        quoted || !byte.is_ascii_whitespace()
    });
    kept.copied().collect()
}
