//! Conversions between text and bytes, with Python's encodings, error modes and messages.

use crate::script::python::text::repr::escaped;
use crate::script::runtime::budget::watched;
use crate::script::runtime::natives::Fallible;
use crate::script::runtime::size_limits::{MAX_TEXT, Text, too_long};
use crate::system::truncate::beginning;
use rhai::{Blob, EvalAltResult, ImmutableString};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Utf8,
    /// UTF-8 with a byte order mark: `decode` skips it, `encode` writes it.
    Utf8Sig,
    Ascii,
    Latin1,
}

/// The treatment of a byte or a character that the encoding does not have.
#[derive(Debug, Clone, Copy, PartialEq)]
enum OnError {
    Strict,
    Ignore,
    Replace,
    Backslash,
    /// `&#228;`, for `encode` only.
    Reference,
}

const MARK: &str = "\u{feff}";

impl Encoding {
    /// Finds the encoding of one of Python's names. Case does not matter; `-`, `_` and blanks are equal.
    fn named(method: &str, name: &str) -> Fallible<Encoding> {
        match name.to_ascii_lowercase().replace(['_', ' '], "-").as_str() {
            "utf-8" | "utf8" | "u8" => Ok(Encoding::Utf8),
            "utf-8-sig" => Ok(Encoding::Utf8Sig),
            "ascii" | "us-ascii" | "646" => Ok(Encoding::Ascii),
            "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" | "8859" | "l1" | "cp819" => {
                Ok(Encoding::Latin1)
            }
            _ => Err(format!(
                "{method}: unknown encoding `{}`: there are `utf-8`, `utf-8-sig`, `ascii` and `latin-1`",
                beginning(name, 80)
            )
            .into()),
        }
    }

    /// Returns the name in Python's messages.
    fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 | Encoding::Utf8Sig => "utf-8",
            Encoding::Ascii => "ascii",
            Encoding::Latin1 => "latin-1",
        }
    }

    /// Returns the number of the first character that the encoding does not have.
    fn end(self) -> u32 {
        match self {
            Encoding::Utf8 | Encoding::Utf8Sig => u32::MAX,
            Encoding::Ascii => 0x80,
            Encoding::Latin1 => 0x100,
        }
    }
}

impl OnError {
    /// Finds the mode of Python's `name`. `decode` has no `xmlcharrefreplace`.
    fn named(method: &str, name: &str) -> Fallible<OnError> {
        let references = method != "decode";
        match name {
            "strict" => Ok(OnError::Strict),
            "ignore" => Ok(OnError::Ignore),
            "replace" => Ok(OnError::Replace),
            "backslashreplace" => Ok(OnError::Backslash),
            "xmlcharrefreplace" if references => Ok(OnError::Reference),
            _ => {
                let more = if references {
                    ", `backslashreplace` and `xmlcharrefreplace`"
                } else {
                    " and `backslashreplace`"
                };
                let shown = beginning(name, 80);
                Err(format!(
                    "{method}: unknown error mode `{shown}`: there are `strict`, `ignore`, `replace`{more}"
                )
                .into())
            }
        }
    }
}

/// Decodes `bytes`.
///
/// # Errors
/// The encoding cannot decode the bytes, and the mode is strict: the message is Python's. Or the text is too long.
pub(super) fn decode(bytes: &[u8], encoding: &str, errors: &str) -> Fallible<ImmutableString> {
    let (encoding, mode) = (Encoding::named("decode", encoding)?, OnError::named("decode", errors)?);
    if bytes.len() > MAX_TEXT {
        return Err(too_long("decode"));
    }
    let bytes = match encoding {
        Encoding::Utf8Sig => bytes.strip_prefix(MARK.as_bytes()).unwrap_or(bytes),
        _ => bytes,
    };
    let mut out = Text::new();
    match encoding {
        Encoding::Utf8 | Encoding::Utf8Sig => {
            let mut at = 0;
            for chunk in bytes.utf8_chunks() {
                out.push("decode", chunk.valid())?;
                at += chunk.valid().len();
                replace_bytes(&mut out, mode, chunk.invalid(), || undecodable(bytes, at))?;
                at += chunk.invalid().len();
            }
        }
        Encoding::Ascii | Encoding::Latin1 => {
            for (at, byte) in bytes.iter().enumerate() {
                if u32::from(*byte) < encoding.end() {
                    out.push("decode", char::from(*byte).encode_utf8(&mut [0; 2]))?;
                } else {
                    let cause = || {
                        let name = encoding.name();
                        format!(
                            "'{name}' codec can't decode byte 0x{byte:02x} in position {at}: ordinal not in range(128)"
                        )
                    };
                    replace_bytes(&mut out, mode, &[*byte], cause)?;
                }
            }
        }
    }
    Ok(out.finish())
}

/// Writes the replacement of `invalid` bytes. Does nothing if there are none.
fn replace_bytes(
    out: &mut Text,
    mode: OnError,
    invalid: &[u8],
    cause: impl FnOnce() -> String,
) -> Fallible<()> {
    if invalid.is_empty() {
        return Ok(());
    }
    match mode {
        OnError::Ignore => Ok(()),
        OnError::Replace => out.push("decode", "\u{fffd}"),
        OnError::Backslash => {
            invalid.iter().try_for_each(|byte| out.push("decode", &format!("\\x{byte:02x}")))
        }
        OnError::Strict | OnError::Reference => Err(format!(
            "decode: {}; a second argument shows it: `\"replace\"`, `\"backslashreplace\"`",
            cause()
        )
        .into()),
    }
}

/// Returns Python's message for invalid UTF-8, whose first byte is at `at`.
fn undecodable(bytes: &[u8], at: usize) -> String {
    let rest = &bytes[at..];
    let length = std::str::from_utf8(rest).err().and_then(|error| error.error_len());
    let reason = match (length, rest[0]) {
        (None, _) => "unexpected end of data",
        (_, 0x80..=0xc1 | 0xf5..) => "invalid start byte",
        _ => "invalid continuation byte",
    };
    let length = length.unwrap_or(rest.len());
    if length == 1 {
        return format!("'utf-8' codec can't decode byte 0x{:02x} in position {at}: {reason}", rest[0]);
    }
    format!("'utf-8' codec can't decode bytes in position {at}-{}: {reason}", at + length - 1)
}

/// Encodes `text`.
///
/// # Errors
/// The encoding lacks a character, and the mode is strict: the message is Python's. Or there are too many bytes.
pub(super) fn encode(method: &str, text: &str, encoding: &str, errors: &str) -> Fallible<Blob> {
    let (encoding, mode) = (Encoding::named(method, encoding)?, OnError::named(method, errors)?);
    let mut bytes = Blob::new();
    match encoding {
        Encoding::Utf8 => bytes.extend(text.as_bytes()),
        Encoding::Utf8Sig => bytes.extend([MARK, text].concat().as_bytes()),
        Encoding::Ascii | Encoding::Latin1 => {
            for (at, letter) in watched(text.chars()).enumerate() {
                match u8::try_from(u32::from(letter)) {
                    Ok(byte) if u32::from(byte) < encoding.end() => bytes.push(byte),
                    _ => bytes.extend(replacement(text, encoding, mode, (at, letter))?.as_bytes()),
                }
                if bytes.len() > MAX_TEXT {
                    return Err(too_long("encode"));
                }
            }
        }
    }
    Ok(bytes)
}

/// Returns the replacement of a character that the encoding lacks, or the error in the mode `strict`.
fn replacement(
    text: &str,
    encoding: Encoding,
    mode: OnError,
    (at, letter): (usize, char),
) -> Fallible<String> {
    Ok(match mode {
        OnError::Strict => return Err(unencodable(text, encoding, at)),
        OnError::Ignore => String::new(),
        OnError::Replace => "?".into(),
        OnError::Backslash => escaped(letter),
        OnError::Reference => format!("&#{};", u32::from(letter)),
    })
}

/// Returns Python's message for characters that the encoding lacks. The first such character is at `at`.
fn unencodable(text: &str, encoding: Encoding, at: usize) -> Box<EvalAltResult> {
    let (name, end) = (encoding.name(), encoding.end());
    let lacking: Vec<char> = text.chars().skip(at).take_while(|letter| u32::from(*letter) >= end).collect();
    let what = match lacking.as_slice() {
        [letter] => format!("character '{}' in position {at}", escaped(*letter)),
        more => format!("characters in position {at}-{}", at + more.len() - 1),
    };
    format!("encode: '{name}' codec can't encode {what}: ordinal not in range({end}); `\"utf-8\"` has every character").into()
}
