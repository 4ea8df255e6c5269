//! `/app/v1/openapi.json`: the description of this interface, part of the program in two fifths of its bytes. Knows nothing else.

use super::answer::typed;
use crate::response::Answer;

const SOURCE: &[u8] = include_bytes!("../../docs/openapi.json");

/// Texts that the document has often. In the program each is one byte, its place here: no byte of a JSON document without white
/// space is that small (RFC 8259, 7). They begin with a quote, and a longer one stands before its own beginning.
const OFTEN: [&[u8]; 16] = [
    b"\"$ref\":\"#/components/schemas/",
    b"\"$ref\":\"#/components/responses/",
    b"\"$ref\":\"#/components/parameters/",
    b"\"description\":\"",
    b"\"content\":{\"application/json\":{\"schema\":{",
    b"\"additionalProperties\":false",
    b"\"type\":\"object\",\"properties\":{",
    b"\"type\":\"string\"",
    b"\"type\":\"integer\",\"minimum\":",
    b"\"type\":\"",
    b"\"properties\":{",
    b"\"required\":[\"",
    b"\"in\":\"query\",",
    b"\"responses\":{",
    b"\"summary\":\"",
    b"\"parameters\":[",
];

/// The document without white space.
const COMPACT: &[u8] = &front::<{ COMPACTED.1 }>(&COMPACTED.0);
const COMPACTED: ([u8; SOURCE.len()], usize) = compacted();

/// The same with a byte for each of the texts.
const PACKED: &[u8] = &front::<{ SHORTENED.1 }>(&SHORTENED.0);
const SHORTENED: ([u8; COMPACT.len()], usize) = shortened();

/// GET: OpenAPI 3.1.
pub fn get() -> Answer {
    typed(200, "application/json", document())
}

/// The document as it is served: two fifths smaller than the one that people read.
pub fn document() -> Vec<u8> {
    let mut document = Vec::new();
    for byte in PACKED {
        match OFTEN.get(usize::from(*byte)) {
            Some(text) => document.extend_from_slice(text),
            None => document.push(*byte),
        }
    }
    document
}

/// All that is no white space between tokens, and how much that is.
const fn compacted() -> ([u8; SOURCE.len()], usize) {
    let (mut out, mut length, mut at, mut quoted) = ([0; SOURCE.len()], 0, 0, false);
    while at < SOURCE.len() {
        quoted = in_text(SOURCE, at, quoted);
        if quoted || !SOURCE[at].is_ascii_whitespace() {
            out[length] = SOURCE[at];
            length += 1;
        }
        at += 1;
    }
    (out, length)
}

/// Whether a text goes on behind the byte `at`: a quote begins or ends one, unless a backslash is before it. The document has no
/// text that ends in a backslash (tested).
const fn in_text(json: &[u8], at: usize, quoted: bool) -> bool {
    let escaped = at > 0 && json[at - 1] == b'\\';
    if json[at] == b'"' && !escaped { !quoted } else { quoted }
}

const fn shortened() -> ([u8; COMPACT.len()], usize) {
    let (mut out, mut length, mut at) = ([0; COMPACT.len()], 0, 0);
    while at < COMPACT.len() {
        let place = if COMPACT[at] == b'"' { place(at) } else { OFTEN.len() };
        let known = place < OFTEN.len();
        out[length] = if known { place as u8 } else { COMPACT[at] };
        length += 1;
        at += if known { OFTEN[place].len() } else { 1 };
    }
    (out, length)
}

/// The place of the text that stands at `at`, or one that there is not.
const fn place(at: usize) -> usize {
    let mut place = 0;
    while place < OFTEN.len() {
        let (text, mut same) = (OFTEN[place], 0);
        while same < text.len() && at + same < COMPACT.len() && COMPACT[at + same] == text[same] {
            same += 1;
        }
        if same == text.len() {
            break;
        }
        place += 1;
    }
    place
}

const fn front<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let (mut out, mut at) = ([0; N], 0);
    while at < N {
        out[at] = bytes[at];
        at += 1;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn nothing_but_white_space_is_left_out() {
        let document = document();
        assert_eq!(document, COMPACT);
        let served: Value = serde_json::from_slice(&document).unwrap();
        assert_eq!(served, serde_json::from_slice::<Value>(SOURCE).unwrap());
        assert!(!document.contains(&b'\n') && document.len() < SOURCE.len() * 2 / 3);
    }

    #[test]
    fn the_program_has_each_frequent_text_once() {
        assert!(COMPACT.iter().all(|byte| usize::from(*byte) >= OFTEN.len()));
        for (place, text) in OFTEN.iter().enumerate() {
            let uses = PACKED.iter().filter(|byte| usize::from(**byte) == place).count();
            assert!(uses > 10, "{uses} of {}", String::from_utf8_lossy(text));
        }
        assert!(PACKED.len() < SOURCE.len() * 2 / 5, "{}", PACKED.len());
    }
}
