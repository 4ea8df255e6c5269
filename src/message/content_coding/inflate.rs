//! Inflates deflated streams in their frames.

use super::{Bounds, Flaw, Frame, crc32};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_HAS_MORE_INPUT, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress as inflate_some};

/// First size of the buffer in bytes. The buffer doubles until the content fits.
const SMALLEST: usize = 4096;
/// Most bytes that are made between two calls of [`Bounds::go_on`].
const STEP: usize = 1 << 20;
/// Most bytes that are read between two calls of [`Bounds::go_on`]: blocks and members without content take time, too.
const READ_STEP: usize = 4096;
/// Work of a byte that is read, in bytes that are made. A block of ten bits may be empty, and its tables take microseconds.
const READING: usize = 256;

/// Why bytes are not in a coding.
type Why = &'static str;
const TOO_SHORT: Why = "it ends too early";
const DAMAGED: Why = "it is damaged";
const NO_HEADER: Why = "it has no such header";
const CHECKSUM: Why = "its checksum is wrong";

/// A flaw, before the name of the coding is known.
enum Inner {
    Broken(Why),
    Other(Flaw),
}

/// Decompresses `packed`. Bytes after the stream are ignored; after a member of gzip, only zeros are.
///
/// # Errors
/// The bytes are not in this frame, or a bound is exceeded.
pub(crate) fn decompress(packed: &[u8], frame: Frame, bounds: &mut Bounds<'_>) -> Result<Vec<u8>, Flaw> {
    let mut content = Vec::new();
    let (name, done) = match frame {
        Frame::Raw => ("deflate", inflate(packed, 0, &mut content, bounds).map(drop)),
        Frame::Zlib => {
            ("deflate", inflate(packed, TINFL_FLAG_PARSE_ZLIB_HEADER, &mut content, bounds).map(drop))
        }
        Frame::Gzip => ("gzip", gunzip(packed, &mut content, bounds)),
    };
    done.map_err(|inner| match inner {
        Inner::Broken(why) => Flaw::Broken(name.to_owned(), why),
        Inner::Other(flaw) => flaw,
    })?;
    content.shrink_to_fit();
    Ok(content)
}

/// Unpacks the members of a gzip file (RFC 1952), and checks the checksum and length of each.
fn gunzip(mut packed: &[u8], content: &mut Vec<u8>, bounds: &mut Bounds<'_>) -> Result<(), Inner> {
    loop {
        let start = content.len();
        let deflated = skip_gzip_header(packed)?;
        let taken = inflate(deflated, 0, content, bounds)?;
        let member = &content[start..];
        let (trailer, rest) = deflated[taken..].split_at_checked(8).ok_or(Inner::Broken(TOO_SHORT))?;
        let expected = [crc32(0, member).to_le_bytes(), (member.len() as u32).to_le_bytes()].concat();
        if trailer != expected {
            return Err(Inner::Broken(CHECKSUM));
        }
        packed = rest;
        if packed.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
    }
}

/// Returns the bytes after the header of a member.
fn skip_gzip_header(packed: &[u8]) -> Result<&[u8], Inner> {
    let Some(([0x1f, 0x8b, 8, flags, ..], rest)) = packed.split_at_checked(10) else {
        let is_begun = !packed.is_empty() && [0x1f, 0x8b, 8].starts_with(&packed[..packed.len().min(3)]);
        return Err(Inner::Broken(if is_begun { TOO_SHORT } else { NO_HEADER }));
    };
    if flags & 0b1110_0000 != 0 {
        return Err(Inner::Broken(NO_HEADER));
    }
    skip_gzip_fields(*flags, rest).ok_or(Inner::Broken(TOO_SHORT))
}

/// Returns the bytes after the optional fields of a header. The flags are FEXTRA (4), FNAME (8), FCOMMENT (16) and FHCRC (2).
fn skip_gzip_fields(flags: u8, mut rest: &[u8]) -> Option<&[u8]> {
    if flags & 4 != 0 {
        let (length, after) = rest.split_first_chunk::<2>()?;
        rest = after.get(usize::from(u16::from_le_bytes(*length))..)?;
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            rest = &rest[rest.iter().position(|byte| *byte == 0)? + 1..];
        }
    }
    if flags & 2 != 0 { rest.get(2..) } else { Some(rest) }
}

/// Appends the content of a deflated stream. Returns the length of the stream in bytes.
fn inflate(
    packed: &[u8],
    flags: u32,
    content: &mut Vec<u8>,
    bounds: &mut Bounds<'_>,
) -> Result<usize, Inner> {
    let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let start = content.len();
    let most = bounds.most - start;
    let mut state = Box::<DecompressorOxide>::default();
    content.resize(start + most.min(SMALLEST), 0);
    let (mut taken, mut written) = (0, 0);
    loop {
        // A stream must not refer to the member before it.
        let own = &mut content[start..];
        let end = packed.len().min(taken + READ_STEP);
        let more_input = if end < packed.len() { TINFL_FLAG_HAS_MORE_INPUT } else { 0 };
        let (status, read, wrote) =
            inflate_some(&mut state, &packed[taken..end], own, written, flags | more_input);
        (taken, written) = (taken + read, written + wrote);
        if !(bounds.go_on)(read * READING + wrote) {
            return Err(Inner::Other(Flaw::Stopped));
        }
        match status {
            TINFLStatus::Done => {
                content.truncate(start + written);
                return Ok(taken);
            }
            TINFLStatus::HasMoreOutput if written >= most => {
                return Err(Inner::Other(Flaw::TooLarge(bounds.most)));
            }
            TINFLStatus::HasMoreOutput => {
                let more = written.clamp(SMALLEST, STEP).min(most - written);
                content.resize(start + written + more, 0);
            }
            TINFLStatus::NeedsMoreInput if more_input != 0 => {}
            TINFLStatus::Adler32Mismatch => return Err(Inner::Broken(CHECKSUM)),
            TINFLStatus::FailedCannotMakeProgress => return Err(Inner::Broken(TOO_SHORT)),
            _ => return Err(Inner::Broken(DAMAGED)),
        }
    }
}
