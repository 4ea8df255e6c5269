//! Codings of Python's `zlib` and of this program, forth and back, broken, cut and as bombs.

use super::*;

/// Packs `content` with gzip.
pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    packed(content, Frame::Gzip, 6)
}

fn bounds(most: usize) -> Bounds<'static> {
    Bounds { most, go_on: Box::leak(Box::new(|_| true)) }
}

fn packed(content: &[u8], frame: Frame, level: u8) -> Vec<u8> {
    compress(content, frame, level, &mut bounds(usize::MAX)).unwrap()
}

fn decoded(codings: &str, body: &[u8]) -> Result<Option<Vec<u8>>, Flaw> {
    decode([codings].into_iter(), body, &mut bounds(1000))
}

fn broken(coding: &str, why: &'static str) -> Result<Option<Vec<u8>>, Flaw> {
    Err(Flaw::Broken(coding.to_owned(), why))
}

#[test]
fn bodies_are_decoded_by_their_codings() {
    let hello = || Ok(Some(b"hello".to_vec()));
    let with_fields = {
        let mut packed = gzip(b"hello");
        packed[3] = 4 | 8 | 16 | 2;
        let fields = [&[2, 0, 7, 7][..], b"name\0", b"comment\0", &[1, 1]].concat();
        packed.splice(10..10, fields);
        packed
    };
    let zlib = packed(b"hello", Frame::Zlib, 6);
    // By Python 3: gzip.compress(b"hello", mtime=0), zlib.compress(b"hello").
    let of_python =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xcbH\xcd\xc9\xc9\x07\x00\x86\xa6\x106\x05\x00\x00\x00";
    let zlib_of_python = b"x\x9c\xcbH\xcd\xc9\xc9\x07\x00\x06,\x02\x15";
    let table = [
        ("", b"hello".to_vec(), Ok(None)),
        ("identity", b"hello".to_vec(), Ok(None)),
        ("gzip", Vec::new(), Ok(None)),
        ("gzip", gzip(b"hello"), hello()),
        ("gzip", of_python.to_vec(), hello()),
        (" X-GZIP ", gzip(b"hello"), hello()),
        ("gzip", with_fields, hello()),
        ("gzip", [gzip(b"hel"), gzip(b""), gzip(b"lo")].concat(), hello()),
        ("gzip", [gzip(b"hello"), vec![0; 9]].concat(), hello()),
        ("deflate", zlib.clone(), hello()),
        ("deflate", zlib_of_python.to_vec(), hello()),
        ("deflate", packed(b"hello", Frame::Raw, 6), hello()),
        ("deflate, gzip", gzip(&zlib), hello()),
        ("identity, deflate,,x-gzip", gzip(&zlib), hello()),
        ("br", b"hello".to_vec(), Err(Flaw::UnknownCoding("br".into()))),
        ("br, gzip", gzip(b"hello"), Err(Flaw::UnknownCoding("br".into()))),
        ("gzip,gzip,gzip,gzip", b"x".to_vec(), Err(Flaw::UnknownCoding("gzip, gzip, gzip, gzip".into()))),
        ("gzip", gzip(&[b'a'; 1000]), Ok(Some(vec![b'a'; 1000]))),
        ("gzip", gzip(&[b'a'; 1001]), Err(Flaw::TooLarge(1000))),
        ("deflate", packed(&[b'a'; 1001], Frame::Zlib, 6), Err(Flaw::TooLarge(1000))),
        ("gzip", b"hello".to_vec(), broken("gzip", "it has no such header")),
        ("gzip", [gzip(b"hello"), b"x".to_vec()].concat(), broken("gzip", "it has no such header")),
        ("gzip", gzip(b"hello")[..9].to_vec(), broken("gzip", "it ends too early")),
        ("gzip", gzip(b"hello")[..20].to_vec(), broken("gzip", "it ends too early")),
        ("deflate", zlib[..zlib.len() - 1].to_vec(), broken("deflate", "it ends too early")),
        ("deflate", [&zlib[..zlib.len() - 1], b"x"].concat(), broken("deflate", "its checksum is wrong")),
        ("deflate", b"hello".to_vec(), broken("deflate", "it is damaged")),
    ];
    for (codings, body, expected) in table {
        assert_eq!(decoded(codings, &body), expected, "{codings} {}", body.escape_ascii());
    }
    // Several fields are one list.
    let body = gzip(&zlib);
    assert_eq!(decode(["deflate", "gzip"].into_iter(), &body, &mut bounds(1000)), hello());
}

#[test]
fn a_wrong_checksum_or_length_of_gzip_is_found() {
    let whole = gzip(b"hello");
    for at in whole.len() - 8..whole.len() {
        let mut wrong = whole.clone();
        wrong[at] ^= 1;
        assert_eq!(decoded("gzip", &wrong), broken("gzip", "its checksum is wrong"), "{at}");
    }
}

#[test]
fn a_body_in_another_coding_is_broken_and_never_a_panic() {
    let whole = gzip(b"hello, hello, hello");
    for end in 1..whole.len() {
        assert!(matches!(decoded("gzip", &whole[..end]), Err(Flaw::Broken(..))), "{end}");
    }
    for reserved in [0x20, 0x40, 0x80] {
        let mut flagged = whole.clone();
        flagged[3] = reserved;
        assert_eq!(decoded("gzip", &flagged), broken("gzip", "it has no such header"), "{reserved}");
    }
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..5_000 {
        let mut body = if random.bool() { whole.clone() } else { packed(b"hello, hello", Frame::Zlib, 6) };
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..body.len());
            body[at] = random.u8(..);
        }
        for codings in ["gzip", "deflate", "gzip, deflate"] {
            assert!(decoded(codings, &body) != Ok(None), "{body:?}");
        }
    }
}

#[test]
fn a_bomb_takes_no_more_than_the_limit() {
    let bomb = gzip(&vec![0; 8 << 20]);
    assert!(bomb.len() < 16 << 10);
    assert_eq!(decoded("gzip", &bomb), Err(Flaw::TooLarge(1000)));
    assert_eq!(decoded("gzip", &[gzip(&[0; 600]), gzip(&[0; 600])].concat()), Err(Flaw::TooLarge(1000)));
    // The limit is also that of an inner coding.
    assert_eq!(decoded("deflate, gzip", &bomb), Err(Flaw::TooLarge(1000)));
}

#[test]
fn all_that_is_compressed_is_decompressed() {
    let mut random = fastrand::Rng::with_seed(3);
    for round in 0..30 {
        let letters = [1, 4, 256][round % 3];
        let content: Vec<u8> = (0..random.usize(..80_000)).map(|_| random.u16(..letters) as u8).collect();
        for frame in [Frame::Raw, Frame::Zlib, Frame::Gzip] {
            let level = random.u8(..10);
            let packed = packed(&content, frame, level);
            assert_eq!(packed, self::packed(&content, frame, level));
            let unpacked = decompress(&packed, frame, &mut bounds(content.len()));
            assert!(unpacked.as_ref() == Ok(&content), "{frame:?} {level} {}", content.len());
            if !content.is_empty() {
                let most = content.len() - 1;
                assert_eq!(decompress(&packed, frame, &mut bounds(most)), Err(Flaw::TooLarge(most)));
            }
        }
    }
}

#[test]
fn the_work_ends_where_its_caller_ends_it() {
    let content = vec![7; 4 << 20];
    let packed = gzip(&content);
    for most in [0, 1, 1 << 20, 3 << 20] {
        let mut made = 0;
        let mut go_on = |bytes: usize| {
            made += bytes;
            made <= most
        };
        let mut limits = Bounds { most: usize::MAX, go_on: &mut go_on };
        assert_eq!(decompress(&packed, Frame::Gzip, &mut limits), Err(Flaw::Stopped));
        assert!(made <= most + (1 << 22), "{made}");
        made = 0;
        let mut go_on = |bytes: usize| {
            made += bytes;
            made <= most
        };
        let mut limits = Bounds { most: usize::MAX, go_on: &mut go_on };
        assert_eq!(compress(&content, Frame::Gzip, 6, &mut limits), Err(Flaw::Stopped));
        assert!(made <= most + (1 << 17), "{made}");
    }
    assert_eq!(compress(&content, Frame::Raw, 0, &mut bounds(1 << 20)), Err(Flaw::TooLarge(1 << 20)));
}

#[test]
fn the_work_ends_where_nothing_is_made() {
    // Blocks of ten bits: four of them are five bytes.
    let empty_blocks = [&gzip(b"")[..10], &[0x02, 0x08, 0x20, 0x80, 0x00].repeat(1 << 16)].concat();
    for packed in [gzip(b"").repeat(1 << 16), empty_blocks] {
        let mut work = 0;
        let mut go_on = |more: usize| {
            work += more;
            work < 1 << 20
        };
        let mut limits = Bounds { most: 1000, go_on: &mut go_on };
        assert_eq!(decompress(&packed, Frame::Gzip, &mut limits), Err(Flaw::Stopped));
        assert!(work < 3 << 20, "{work}");
    }
}

#[test]
fn flaws_are_shown_in_words() {
    for (flaw, text) in [
        (Flaw::TooLarge(10), "more than 10 bytes when decoded"),
        (Flaw::Broken("gzip".into(), "it is damaged"), "the data is not gzip: it is damaged"),
        (Flaw::UnknownCoding("br".into()), "the coding `br` is not known"),
        (Flaw::Stopped, "decoding took too long"),
    ] {
        assert_eq!(flaw.to_string(), text);
    }
}
