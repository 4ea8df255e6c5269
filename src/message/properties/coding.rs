//! gzip and deflate: any bytes, and bytes that were compressed. The fuzz target compares them with a reference.

use crate::message::content_coding::{Bounds, Flaw, Frame, compress, decode, decompress};

/// Most bytes that any input may become.
const MOST: usize = 1 << 16;
const FRAMES: [Frame; 3] = [Frame::Raw, Frame::Zlib, Frame::Gzip];

fn within<T>(most: usize, work: impl FnOnce(&mut Bounds<'_>) -> T) -> T {
    work(&mut Bounds { most, go_on: &mut |_| true })
}

/// Decompresses bytes in a frame: 0 is none, 1 zlib's, 2 that of gzip. Returns `None` for a flaw.
pub fn decompressed(frame: usize, packed: &[u8]) -> Option<Vec<u8>> {
    within(MOST, |bounds| decompress(packed, FRAMES[frame % 3], bounds)).ok()
}

/// Compresses bytes in a frame, at a level from 0 to 9.
pub fn compressed(frame: usize, level: u8, plain: &[u8]) -> Vec<u8> {
    within(usize::MAX, |bounds| compress(plain, FRAMES[frame % 3], level % 10, bounds))
        .expect("there is no limit")
}

/// Checks that no input goes over the limit, and that what was compressed comes back. The first byte of `data` is the level.
pub fn coding(data: &[u8]) {
    let [level, bytes @ ..] = data else { return };
    for (number, frame) in FRAMES.into_iter().enumerate() {
        for most in [0, 1, 100, MOST] {
            match within(most, |bounds| decompress(bytes, frame, bounds)) {
                Ok(plain) => assert!(plain.len() <= most),
                Err(flaw) => assert!(matches!(flaw, Flaw::TooLarge(_) | Flaw::Broken(..)), "{flaw:?}"),
            }
        }
        let packed = compressed(number, *level, bytes);
        assert_eq!(decompressed(number, &packed).as_deref(), Some(bytes));
        let short = within(bytes.len().saturating_sub(1), |bounds| decompress(&packed, frame, bounds));
        assert!(bytes.is_empty() || matches!(short, Err(Flaw::TooLarge(_))));
        let stopped = decompress(&packed, frame, &mut Bounds { most: MOST, go_on: &mut |_| false });
        assert_eq!(stopped, Err(Flaw::Stopped));
        // A stream that ends too early has no content.
        if let Some(cut) = packed.len().checked_sub(1 + usize::from(*level) % 8) {
            assert_eq!(decompressed(number, &packed[..cut]), None, "{cut} of {}", packed.len());
        }
    }
    let twice = compressed(1, *level, &compressed(2, *level, bytes));
    let both = within(MOST, |bounds| decode(["gzip, deflate"].into_iter(), &twice, bounds));
    assert_eq!(both, Ok(Some(bytes.to_vec())));
    let names = String::from_utf8_lossy(bytes);
    let _ = within(MOST, |bounds| decode(names.lines().take(2), bytes, bounds));
}

#[test]
fn the_corpus_of_codings_holds() {
    super::corpus_holds("coding", coding);
}
