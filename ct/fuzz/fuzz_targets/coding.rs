//! gzip and deflate: no input panics or goes over the limit, and both directions agree with flate2 (zlib-rs).

#![no_main]

use flate2::read::{DeflateDecoder, DeflateEncoder, GzEncoder, MultiGzDecoder, ZlibDecoder, ZlibEncoder};
use std::io::Read;

fn read(mut reader: impl Read) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).ok().map(|_| bytes)
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    h1mock::fuzz::coding(data);
    let [level, bytes @ ..] = data else { return };
    let with = flate2::Compression::new(u32::from(*level) % 10);
    let packed = [
        read(DeflateEncoder::new(bytes, with)),
        read(ZlibEncoder::new(bytes, with)),
        read(GzEncoder::new(bytes, with)),
    ];
    for (frame, packed) in packed.into_iter().enumerate() {
        // h1mock unpacks the bytes of the reference.
        assert_eq!(h1mock::fuzz::decompressed(frame, &packed.unwrap()).as_deref(), Some(bytes));
        // The reference unpacks the bytes of h1mock.
        let ours = h1mock::fuzz::compressed(frame, *level, bytes);
        assert_eq!(decoded(frame, &ours).as_deref(), Some(bytes));
        // The reference accepts all that h1mock accepts.
        if let Some(plain) = h1mock::fuzz::decompressed(frame, bytes) {
            if let Some(theirs) = decoded(frame, bytes) {
                assert_eq!(theirs, plain);
            }
        }
    }
});

fn decoded(frame: usize, packed: &[u8]) -> Option<Vec<u8>> {
    match frame {
        0 => read(DeflateDecoder::new(packed)),
        1 => read(ZlibDecoder::new(packed)),
        _ => read(MultiGzDecoder::new(packed)),
    }
}
