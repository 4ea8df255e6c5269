//! Deflates bytes, in the frame of zlib or gzip or without any. The same bytes give the same result: no time is written.

use super::{Bounds, Flaw, Frame, crc32};
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress as deflate_some, create_comp_flags_from_zip_params,
};

/// Bytes that are deflated between two calls of [`Bounds::go_on`].
const STEP: usize = 64 << 10;

/// Compresses `bytes` at `level`, from 0 (stored) to 9 (slowest).
///
/// # Errors
/// The result is longer than the limit, or the work was ended.
pub(crate) fn compress(
    bytes: &[u8],
    frame: Frame,
    level: u8,
    bounds: &mut Bounds<'_>,
) -> Result<Vec<u8>, Flaw> {
    let mut packed = Vec::new();
    if frame == Frame::Gzip {
        let hint = match level {
            9 => 2,
            1 => 4,
            _ => 0,
        };
        packed.extend([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, hint, 255]);
    }
    deflate(bytes, frame, level, &mut packed, bounds)?;
    if frame == Frame::Gzip {
        packed.extend(crc32(0, bytes).to_le_bytes());
        packed.extend((bytes.len() as u32).to_le_bytes());
    }
    if packed.len() > bounds.most {
        return Err(Flaw::TooLarge(bounds.most));
    }
    packed.shrink_to_fit();
    Ok(packed)
}

fn deflate(
    mut bytes: &[u8],
    frame: Frame,
    level: u8,
    packed: &mut Vec<u8>,
    bounds: &mut Bounds<'_>,
) -> Result<(), Flaw> {
    let window = i32::from(frame == Frame::Zlib);
    let flags = create_comp_flags_from_zip_params(i32::from(level), window, 0);
    let mut state = Box::new(CompressorOxide::new(flags));
    let mut written = packed.len();
    loop {
        packed.resize(written + STEP, 0);
        let piece = &bytes[..bytes.len().min(STEP)];
        let flush = if piece.len() == bytes.len() { TDEFLFlush::Finish } else { TDEFLFlush::None };
        let (status, read, wrote) = deflate_some(&mut state, piece, &mut packed[written..], flush);
        (bytes, written) = (&bytes[read..], written + wrote);
        if !(bounds.go_on)(read + wrote) {
            return Err(Flaw::Stopped);
        }
        if written > bounds.most {
            return Err(Flaw::TooLarge(bounds.most));
        }
        match status {
            TDEFLStatus::Done => break,
            TDEFLStatus::Okay => {}
            // The arguments would be wrong: bytes after the end.
            _ => return Err(Flaw::Stopped),
        }
    }
    packed.truncate(written);
    Ok(())
}
