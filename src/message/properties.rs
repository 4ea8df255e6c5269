//! Properties of the parsers that the fuzz targets of `ct/fuzz` check, and unit tests with the inputs that they found. A property
//! that does not hold panics. A normal build leaves these files out.

mod coding;
mod multipart;
mod percent;
mod range;

pub use coding::{coding, compressed, decompressed};
pub use multipart::multipart;
pub use percent::percent;
pub use range::{conditional, range};

/// Runs `property` with each file of the corpus of this name, and with pieces of it.
#[cfg(test)]
fn corpus_holds(name: &str, property: fn(&[u8])) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ct/fuzz/corpus").join(name);
    let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let data = std::fs::read(file).unwrap();
        for cut in 0..data.len().min(64) {
            property(&data[cut..]);
            property(&data[..data.len() - cut]);
        }
    }
}
