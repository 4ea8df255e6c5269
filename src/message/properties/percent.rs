//! Percent-encoding of paths, queries and forms, against a model that decodes byte by byte.

use crate::message::form::urlencoded;
use crate::routing::quoting::{decode_path, encode_path, encode_query, encode_value};

/// Checks that a text comes back from each encoding, and that decoding agrees with the model.
pub fn percent(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    assert_eq!(decode_path(&encode_path(&text)), text);
    assert_eq!(decode_path(&encode_value(&text)), text);
    let query = encode_query(&text);
    assert_eq!(urlencoded(format!("{query}={query}").as_bytes()), [(text.to_string(), text.to_string())]);
    assert_eq!(decode_path(&text), decoded(text.as_bytes(), false));
    let fields: Vec<&[u8]> = data.split(|byte| *byte == b'&').filter(|field| !field.is_empty()).collect();
    let pairs = urlencoded(data);
    assert_eq!(pairs.len(), fields.len());
    for (field, (name, value)) in fields.into_iter().zip(pairs) {
        let mut halves = field.splitn(2, |byte| *byte == b'=');
        for got in [name, value] {
            let half = halves.next().unwrap_or_default();
            assert_eq!(got, decoded(half, true));
        }
    }
}

/// Decodes escapes of two hexadecimal digits, and `+` in a form. Bytes that are no UTF-8 become escapes.
fn decoded(text: &[u8], is_form: bool) -> String {
    let (mut bytes, mut at) = (Vec::new(), 0);
    let digit = |at: usize| (*text.get(at)? as char).to_digit(16);
    while let Some(byte) = text.get(at) {
        match (*byte, digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) if is_form => bytes.push(b' '),
            (byte, ..) => bytes.push(byte),
        }
        at += 1;
    }
    let mut decoded = String::new();
    while let Err(flaw) = str::from_utf8(&bytes) {
        let (good, rest) = bytes.split_at(flaw.valid_up_to());
        decoded += &format!("{}%{:02X}", String::from_utf8_lossy(good), rest[0]);
        bytes = rest[1..].to_vec();
    }
    decoded + &*String::from_utf8_lossy(&bytes)
}

#[test]
fn the_corpus_of_escapes_holds() {
    super::corpus_holds("percent", percent);
}
