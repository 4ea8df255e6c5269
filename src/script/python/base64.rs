//! `base64.*`: encodes text or bytes to base64 text, and decodes it to bytes.

use crate::script::runtime::budget;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_TEXT, too_long};
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine as _};
use rhai::Blob;

#[derive(Debug, Clone)]
pub(crate) struct Base64;

/// Returns a coder that writes padding, and reads texts with or without it, since tokens have none.
const fn coder(alphabet: &Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config.with_decode_allow_trailing_bits(true))
}

/// The coder of `b64encode` and `b64decode`.
pub(crate) const PLAIN: GeneralPurpose = coder(&STANDARD);
/// The coder of `urlsafe_b64encode` and `urlsafe_b64decode`.
pub(crate) const URL: GeneralPurpose = coder(&URL_SAFE);

fn encode(name: &str, coder: &GeneralPurpose, bytes: &[u8]) -> Fallible<String> {
    if bytes.len() > MAX_TEXT / 4 * 3 {
        return Err(too_long(&format!("base64.{name}")));
    }
    let mut text = String::with_capacity(bytes.len() / 3 * 4 + 4);
    // The length of a piece is a multiple of three, so that only the last piece has padding.
    for piece in bytes.chunks(3 << 14) {
        budget::work(piece.len() * 4)?;
        coder.encode_string(piece, &mut text);
    }
    Ok(text)
}

/// Decodes `text`. White space is skipped, as in Python.
fn decode(name: &str, coder: &GeneralPurpose, text: &[u8]) -> Fallible<Blob> {
    let symbols: Vec<u8> =
        budget::watched(text).copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    coder.decode(symbols).map_err(|error| {
        let why = match error {
            DecodeError::InvalidByte(at, byte) => format!("bad symbol `{}` at {at}", byte.escape_ascii()),
            DecodeError::InvalidLength(length) => format!("{length} symbols can't be a whole text"),
            DecodeError::InvalidLastSymbol(at, _) => format!("bad last symbol at {at}"),
            DecodeError::InvalidPadding => "bad padding".into(),
        };
        format!("base64.{name}: {why}").into()
    })
}

fn register_pair(
    natives: &mut Natives,
    to: &'static str,
    from: &'static str,
    coder: &'static GeneralPurpose,
) {
    natives.register_fn(to, move |_: Receiver<Base64>, text: &str| encode(to, coder, text.as_bytes()));
    natives.register_fn(to, move |_: Receiver<Base64>, bytes: Blob| encode(to, coder, &bytes));
    natives.register_fn(from, move |_: Receiver<Base64>, text: &str| decode(from, coder, text.as_bytes()));
    natives.register_fn(from, move |_: Receiver<Base64>, bytes: Blob| decode(from, coder, &bytes));
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("base64", Base64);
    register_pair(natives, "b64encode", "b64decode", &PLAIN);
    register_pair(natives, "urlsafe_b64encode", "urlsafe_b64decode", &URL);
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn text_and_bytes_are_encoded_and_decoded() {
        yields(&[
            ("base64.b64encode(\"any carnal pleas\")", "\"YW55IGNhcm5hbCBwbGVhcw==\""),
            ("base64.b64encode(\"ä\".encode())", "\"w6Q=\""),
            ("base64.b64decode(\"w6Q=\")", "[c3a4]"),
            ("base64.b64decode(\"w6Q\\n\").decode()", "\"ä\""),
            ("base64.b64decode(\"w6Q=\".encode()).decode()", "\"ä\""),
            ("base64.urlsafe_b64encode(\"~~>>\")", "\"fn4-Pg==\""),
            ("base64.urlsafe_b64decode(\"fn4-Pg\").decode()", "\"~~>>\""),
            ("base64.b64encode(\"\")", "\"\""),
            ("base64.b64encode(bytes(6291456)).len()", "8388608"),
        ]);
    }

    #[test]
    fn a_text_that_is_no_base64_is_an_error() {
        fails(&[
            ("base64.b64decode(\"a!bc\")", "base64.b64decode: bad symbol `!` at 1"),
            ("base64.urlsafe_b64decode(\"ab/c\")", "base64.urlsafe_b64decode: bad symbol `/` at 2"),
            ("base64.b64decode(\"abcde\")", "base64.b64decode: 5 symbols can't be a whole text"),
            (
                "base64.b64encode(\"x\".ljust(8000000))",
                "base64.b64encode: the result is longer than 8388608 bytes",
            ),
        ]);
    }
}
