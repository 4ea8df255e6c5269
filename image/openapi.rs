//! Build script: compresses the description of the admin interface for the program. White space is removed and the rest is
//! deflated, 48 KB to 10 KB: the size of the image matters more than the time of the rare reads.

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

/// Removes white space between tokens.
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
