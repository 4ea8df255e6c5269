//! `gzip.*` and `zlib.*`: compress text or bytes to a blob, and decompress it. Results repeat, since no time is written.

use crate::message::content_coding::{Bounds, Flaw, Frame, compress, crc32, decompress};
use crate::script::runtime::budget;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_TEXT, check_time, too_long};
use rhai::{Blob, Dynamic, EvalAltResult};

#[derive(Debug, Clone)]
pub(crate) struct Gzip;

#[derive(Debug, Clone)]
pub(crate) struct Zlib;

/// Work of a byte that is compressed, in units of a byte that is copied.
const EFFORT: usize = 16;
/// zlib's level where none is given, and its number.
const DEFAULT_LEVEL: (i64, u8) = (-1, 6);
/// Python's `zlib.MAX_WBITS`: a window of 32 KB in zlib's frame.
const MAX_WBITS: i64 = 15;

/// Returns the bytes of a text or a blob.
fn with_bytes<T>(name: &str, data: &Dynamic, body: impl FnOnce(&[u8]) -> Fallible<T>) -> Fallible<T> {
    if let Ok(text) = data.as_immutable_string_ref() {
        return body(text.as_bytes());
    }
    match data.as_blob_ref() {
        Ok(blob) => body(&blob),
        Err(kind) => Err(format!("{name} takes a text or a blob, not {kind}").into()),
    }
}

fn packed(name: &str, data: &Dynamic, level: i64, frame: Frame) -> Fallible<Blob> {
    let level = match u8::try_from(level) {
        Ok(level @ 0..=9) => level,
        _ if level == DEFAULT_LEVEL.0 => DEFAULT_LEVEL.1,
        _ => {
            return Err(format!("{name}: the level is 0 (stored) to 9 (smallest), or -1, not {level}").into());
        }
    };
    with_bytes(name, data, |bytes| {
        let mut go_on = |made: usize| budget::work(made * EFFORT).is_ok();
        let most = MAX_TEXT.min(budget::room());
        compress(bytes, frame, level, &mut Bounds { most, go_on: &mut go_on })
            .map_err(|flaw| failed(name, flaw))
    })
}

fn unpacked(name: &str, data: &Dynamic, frame: Frame) -> Fallible<Blob> {
    with_bytes(name, data, |bytes| {
        let mut go_on = |made: usize| budget::work(made * 2).is_ok();
        let most = MAX_TEXT.min(budget::room());
        decompress(bytes, frame, &mut Bounds { most, go_on: &mut go_on }).map_err(|flaw| failed(name, flaw))
    })
}

fn failed(name: &str, flaw: Flaw) -> Box<EvalAltResult> {
    match flaw {
        Flaw::TooLarge(MAX_TEXT) => too_long(name),
        Flaw::TooLarge(_) => {
            format!("{name}: the result does not fit into the memory of the script (--script-memory)").into()
        }
        Flaw::Stopped => check_time().err().unwrap_or_else(|| format!("{name}: {flaw}").into()),
        Flaw::Broken(..) | Flaw::UnknownCoding(_) => format!("{name}: {flaw}").into(),
    }
}

/// Returns the frame that Python's `wbits` means: its sign and size choose the frame, its low bits the window.
fn frame(name: &str, wbits: i64, data: &Dynamic) -> Fallible<Frame> {
    match wbits {
        -15..=-8 => Ok(Frame::Raw),
        0 | 8..=15 => Ok(Frame::Zlib),
        24..=31 => Ok(Frame::Gzip),
        // zlib recognizes the frame by its first byte.
        32 | 40..=47 => with_bytes(name, data, |bytes| {
            Ok(if bytes.first() == Some(&0x1f) { Frame::Gzip } else { Frame::Zlib })
        }),
        _ => Err(format!(
            "{name}: `wbits` is 15 (zlib), -15 (none), 31 (gzip) or 47 (zlib or gzip), not {wbits}"
        )
        .into()),
    }
}

fn checksum(data: &Dynamic, before: i64) -> Fallible<i64> {
    with_bytes("zlib.crc32", data, |bytes| {
        let mut sum = before as u32;
        for piece in bytes.chunks(1 << 16) {
            budget::work(piece.len())?;
            sum = crc32(sum, piece);
        }
        Ok(sum.into())
    })
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("gzip", Gzip).register_handle("zlib", Zlib);
    natives
        .register_optional("compress", 9, |_: Receiver<Gzip>, data: Dynamic, level: i64| {
            packed("gzip.compress", &data, level, Frame::Gzip)
        })
        .register_fn("decompress", |_: Receiver<Gzip>, data: Dynamic| {
            with_bytes("gzip.decompress", &data, |bytes| Ok(bytes.is_empty())).and_then(|is_empty| {
                if is_empty { Ok(Blob::new()) } else { unpacked("gzip.decompress", &data, Frame::Gzip) }
            })
        })
        .register_optional("compress", DEFAULT_LEVEL.0, |_: Receiver<Zlib>, data: Dynamic, level: i64| {
            packed("zlib.compress", &data, level, Frame::Zlib)
        })
        .register_fn("compress", |_: Receiver<Zlib>, data: Dynamic, level: i64, wbits: i64| {
            packed("zlib.compress", &data, level, frame("zlib.compress", wbits, &data)?)
        })
        .register_optional("decompress", MAX_WBITS, |_: Receiver<Zlib>, data: Dynamic, wbits: i64| {
            unpacked("zlib.decompress", &data, frame("zlib.decompress", wbits, &data)?)
        })
        .register_optional("crc32", 0, |_: Receiver<Zlib>, data: Dynamic, before: i64| {
            checksum(&data, before)
        });
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn text_and_bytes_are_compressed_and_decompressed_as_in_python() {
        yields(&[
            ("gzip.decompress(gzip.compress(\"hello\")).decode()", "\"hello\""),
            ("gzip.decompress(gzip.compress(\"hello\".encode(), 1)).decode()", "\"hello\""),
            ("gzip.compress(\"hello\") == gzip.compress(\"hello\")", "true"),
            ("gzip.decompress(gzip.compress(\"a\") + gzip.compress(\"b\")).decode()", "\"ab\""),
            ("gzip.decompress(\"\".encode()).len()", "0"),
            ("gzip.compress(bytes(1000)).len() < 100", "true"),
            ("gzip.compress(bytes(1000), 0).len()", "1023"),
            ("zlib.compress(\"hello\").hex()", "\"789ccb48cdc9c90700062c0215\""),
            ("zlib.decompress(zlib.compress(\"hello\", 9)).decode()", "\"hello\""),
            ("zlib.decompress(zlib.compress(\"hello\", -1, -15), -15).decode()", "\"hello\""),
            ("zlib.decompress(gzip.compress(\"hello\"), 31).decode()", "\"hello\""),
            ("zlib.decompress(gzip.compress(\"hello\"), 47).decode()", "\"hello\""),
            ("zlib.decompress(zlib.compress(\"hello\"), 47).decode()", "\"hello\""),
            ("zlib.crc32(\"hello\")", "907060870"),
            ("zlib.crc32(\"lo\", zlib.crc32(\"hel\".encode()))", "907060870"),
            ("gzip.decompress(gzip.compress(bytes(8388608))).len()", "8388608"),
        ]);
    }

    #[test]
    fn data_that_does_not_fit_is_an_error() {
        fails(&[
            ("gzip.decompress(\"hello\")", "gzip.decompress: the data is not gzip: it has no such header"),
            (
                "gzip.decompress(gzip.compress(\"hello\").extract(0, 12))",
                "gzip.decompress: the data is not gzip: it ends too early",
            ),
            ("zlib.decompress(\"hello\")", "zlib.decompress: the data is not deflate: it is damaged"),
            ("zlib.decompress(\"\")", "zlib.decompress: the data is not deflate: it ends too early"),
            ("gzip.compress(7)", "gzip.compress takes a text or a blob, not i64"),
            (
                "gzip.compress(\"a\", 10)",
                "gzip.compress: the level is 0 (stored) to 9 (smallest), or -1, not 10",
            ),
            (
                "zlib.decompress(\"a\", 3)",
                "zlib.decompress: `wbits` is 15 (zlib), -15 (none), 31 (gzip) or 47 (zlib or gzip), not 3",
            ),
            (
                "let p = gzip.compress(bytes(8000000)); gzip.decompress(p + p)",
                "gzip.decompress: the result is longer than 8388608 bytes",
            ),
        ]);
    }
}
