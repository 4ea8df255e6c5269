//! `Content-Encoding`: unpacks bodies of gzip or deflate within a limit.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Limit of codings of one body, one around the other.
const MAX_CODINGS: usize = 3;

/// First size of the buffer in bytes. The buffer doubles until the content fits.
const SMALLEST: usize = 4096;

/// The outcome of unpacking a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Unpacked {
    /// The body was not packed.
    AsSent,
    Content(Vec<u8>),
    /// The content is longer than the limit: perhaps a bomb.
    TooLarge,
    /// The bytes are not in the coding that the header names.
    Broken,
    /// A coding that h1mock does not know, such as `br`.
    UnknownCoding(String),
}

/// Unpacks `body` by its `Content-Encoding`, which lists codings in the order in which the sender applied them (RFC 9110, 8.4).
/// `most` limits the bytes that each coding unpacks to.
pub(crate) fn unpack<'h>(codings: impl Iterator<Item = &'h str>, body: &[u8], most: usize) -> Unpacked {
    let names = codings.flat_map(|field| field.split(',')).map(|name| name.trim().to_ascii_lowercase());
    let mut names: Vec<String> = names.filter(|name| !matches!(name.as_str(), "" | "identity")).collect();
    if names.len() > MAX_CODINGS {
        return Unpacked::UnknownCoding(names.join(", "));
    }
    let mut content = None;
    while let Some(name) = names.pop() {
        let packed = content.as_deref().unwrap_or(body);
        let unpacked = match name.as_str() {
            "gzip" | "x-gzip" => gunzip(packed, most),
            // The standard has zlib's frame; some clients send the stream without it.
            "deflate" => inflate(packed, TINFL_FLAG_PARSE_ZLIB_HEADER, most)
                .or_else(|flaw| if flaw == Unpacked::Broken { inflate(packed, 0, most) } else { Err(flaw) })
                .map(|(content, _)| content),
            _ => return Unpacked::UnknownCoding(name),
        };
        match unpacked {
            Ok(unpacked) => content = Some(unpacked),
            Err(flaw) => return flaw,
        }
    }
    content.map_or(Unpacked::AsSent, Unpacked::Content)
}

/// Unpacks the members of a gzip file (RFC 1952), and checks the checksum and length of each.
fn gunzip(mut packed: &[u8], most: usize) -> Result<Vec<u8>, Unpacked> {
    let mut content = Vec::new();
    loop {
        let deflated = skip_gzip_header(packed).ok_or(Unpacked::Broken)?;
        let (member, taken) = inflate(deflated, 0, most - content.len())?;
        let (trailer, rest) = deflated[taken..].split_at_checked(8).ok_or(Unpacked::Broken)?;
        let expected = [crc32(&member).to_le_bytes(), (member.len() as u32).to_le_bytes()].concat();
        if trailer != expected {
            return Err(Unpacked::Broken);
        }
        content.extend(member);
        packed = rest;
        if packed.is_empty() {
            return Ok(content);
        }
    }
}

/// Returns the bytes after the header of a member; `None` for another format or reserved flags.
fn skip_gzip_header(packed: &[u8]) -> Option<&[u8]> {
    let ([0x1f, 0x8b, 8, flags, ..], mut rest) = packed.split_at_checked(10)? else { return None };
    if flags & 0b1110_0000 != 0 {
        return None;
    }
    // The flags are FEXTRA (4), FNAME (8), FCOMMENT (16) and FHCRC (2).
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

/// Unpacks a deflated stream. Returns the content and the length of the stream in bytes.
fn inflate(packed: &[u8], flags: u32, most: usize) -> Result<(Vec<u8>, usize), Unpacked> {
    let flags = flags | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let mut state = Box::<DecompressorOxide>::default();
    let mut content = vec![0; most.min(SMALLEST)];
    let (mut taken, mut written) = (0, 0);
    loop {
        let (status, read, wrote) = decompress(&mut state, &packed[taken..], &mut content, written, flags);
        (taken, written) = (taken + read, written + wrote);
        match status {
            TINFLStatus::Done => {
                content.truncate(written);
                return Ok((content, taken));
            }
            TINFLStatus::HasMoreOutput if content.len() >= most => return Err(Unpacked::TooLarge),
            TINFLStatus::HasMoreOutput => content.resize(most.min(content.len() * 2), 0),
            _ => return Err(Unpacked::Broken),
        }
    }
}

/// Computes the CRC-32 of gzip, a nibble at a time: the table has 64 bytes.
fn crc32(bytes: &[u8]) -> u32 {
    const NIBBLES: [u32; 16] = {
        let (mut table, mut index) = ([0; 16], 0);
        while index < 16 {
            let (mut value, mut bit) = (index as u32, 0);
            while bit < 4 {
                value = if value & 1 == 1 { value >> 1 ^ 0xEDB8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        table
    };
    let nibble = |crc: u32, value: u32| crc >> 4 ^ NIBBLES[((crc ^ value) & 15) as usize];
    !bytes.iter().fold(!0, |crc, byte| nibble(nibble(crc, u32::from(*byte)), u32::from(*byte) >> 4))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};

    /// Packs `content` with gzip.
    pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
        let header = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
        let trailer = [crc32(content).to_le_bytes(), (content.len() as u32).to_le_bytes()].concat();
        [&header[..], &compress_to_vec(content, 6), &trailer].concat()
    }

    fn unpacked(codings: &str, body: &[u8]) -> Unpacked {
        unpack([codings].into_iter(), body, 1000)
    }

    #[test]
    fn bodies_are_unpacked_by_their_codings() {
        let text = Unpacked::Content(b"hello".to_vec());
        let with_fields = {
            let mut packed = gzip(b"hello");
            packed[3] = 4 | 8 | 16 | 2;
            let fields = [&[2, 0, 7, 7][..], b"name\0", b"comment\0", &[1, 1]].concat();
            packed.splice(10..10, fields);
            packed
        };
        let table: [(&str, Vec<u8>, Unpacked); 13] = [
            ("", b"hello".to_vec(), Unpacked::AsSent),
            ("identity", b"hello".to_vec(), Unpacked::AsSent),
            ("gzip", gzip(b"hello"), text.clone()),
            (" X-GZIP ", gzip(b"hello"), text.clone()),
            ("gzip", with_fields, text.clone()),
            ("gzip", [gzip(b"hel"), gzip(b""), gzip(b"lo")].concat(), text.clone()),
            ("deflate", compress_to_vec_zlib(b"hello", 6), text.clone()),
            ("deflate", compress_to_vec(b"hello", 6), text.clone()),
            ("deflate, gzip", gzip(&compress_to_vec_zlib(b"hello", 6)), text),
            ("br", b"hello".to_vec(), Unpacked::UnknownCoding("br".into())),
            ("gzip,gzip,gzip,gzip", Vec::new(), Unpacked::UnknownCoding("gzip, gzip, gzip, gzip".into())),
            ("gzip", gzip(&[b'a'; 1000]), Unpacked::Content(vec![b'a'; 1000])),
            ("gzip", gzip(&[b'a'; 1001]), Unpacked::TooLarge),
        ];
        for (codings, body, expected) in table {
            assert_eq!(unpacked(codings, &body), expected, "{codings}");
        }
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_body_in_another_coding_is_broken_and_never_a_panic() {
        let whole = gzip(b"hello, hello, hello");
        for end in 0..whole.len() {
            assert_eq!(unpacked("gzip", &whole[..end]), Unpacked::Broken, "{end}");
        }
        for reserved in [0x20, 0x40, 0x80] {
            let mut flagged = whole.clone();
            flagged[3] = reserved;
            assert_eq!(unpacked("gzip", &flagged), Unpacked::Broken, "{reserved}");
        }
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..5_000 {
            let mut body =
                if random.bool() { whole.clone() } else { compress_to_vec_zlib(b"hello, hello", 6) };
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..body.len());
                body[at] = random.u8(..);
            }
            for codings in ["gzip", "deflate", "gzip, deflate"] {
                assert!(!matches!(unpacked(codings, &body), Unpacked::AsSent), "{body:?}");
            }
        }
    }

    #[test]
    fn a_bomb_takes_no_more_than_the_limit() {
        let bomb = gzip(&vec![0; 32 << 20]);
        assert!(bomb.len() < 64 << 10);
        assert_eq!(unpacked("gzip", &bomb), Unpacked::TooLarge);
        assert_eq!(unpacked("gzip", &vec![gzip(&[0; 600]); 2].concat()), Unpacked::TooLarge);
    }
}
