//! `/app/v1/openapi.json`: the description of this interface, part of the program without its white space. Knows nothing else.

use super::answer::typed;
use crate::response::Answer;

const SOURCE: &[u8] = include_bytes!("../../docs/openapi.json");

/// The document as it is served: two fifths smaller than the one that people read.
pub const DOCUMENT: &[u8] = &compact::<{ compact_length(SOURCE) }>(SOURCE);

/// GET: OpenAPI 3.1.
pub fn get() -> Answer {
    typed(200, "application/json", DOCUMENT.to_vec())
}

/// Bytes of `json` that are not white space between tokens.
const fn compact_length(json: &[u8]) -> usize {
    let (mut length, mut at, mut quoted) = (0, 0, false);
    while at < json.len() {
        quoted = in_text(json, at, quoted);
        if quoted || !json[at].is_ascii_whitespace() {
            length += 1;
        }
        at += 1;
    }
    length
}

const fn compact<const N: usize>(json: &[u8]) -> [u8; N] {
    let (mut out, mut length, mut at, mut quoted) = ([0; N], 0, 0, false);
    while at < json.len() {
        quoted = in_text(json, at, quoted);
        if quoted || !json[at].is_ascii_whitespace() {
            out[length] = json[at];
            length += 1;
        }
        at += 1;
    }
    out
}

/// Whether a text goes on behind the byte `at`: a quote begins or ends one, unless a backslash is before it. The document has no
/// text that ends in a backslash (tested).
const fn in_text(json: &[u8], at: usize, quoted: bool) -> bool {
    let escaped = at > 0 && json[at - 1] == b'\\';
    if json[at] == b'"' && !escaped { !quoted } else { quoted }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn nothing_but_white_space_is_left_out() {
        let document: Value = serde_json::from_slice(DOCUMENT).unwrap();
        assert_eq!(document, serde_json::from_slice::<Value>(SOURCE).unwrap());
        assert!(!DOCUMENT.contains(&b'\n') && DOCUMENT.len() < SOURCE.len() * 2 / 3);
    }
}
