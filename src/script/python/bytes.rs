//! Python's `bytes`, which are Rhai's blobs: conversions to text and hexadecimal digits, searches. Where Python wants bytes,
//! a text is accepted too and means its UTF-8 bytes.

mod codec;

use super::hash::hexadecimal;
use crate::script::runtime::budget::{self, STEP, watched};
use crate::script::runtime::frozen::as_list;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::script::runtime::size_limits::{MAX_TEXT, Text, collect, too_long, too_many, type_name};
use codec::{decode, encode};
use rhai::{Array, Blob, Dynamic, EvalAltResult, ImmutableString};

#[derive(Debug, Clone)]
pub(crate) struct Bytes;

/// `bytes.fromhex(text)`: skips white space between bytes.
fn from_hex(text: &str) -> Fallible<Blob> {
    let mut bytes = Blob::with_capacity(text.len() / 2);
    let mut letters = text.chars().enumerate();
    let digit = |(at, letter): (usize, char)| -> Fallible<u8> {
        let digit = letter.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digit.ok_or_else(|| format!("bytes.fromhex: `{letter}` at {at} is no hexadecimal digit").into())
    };
    while let Some(high) = letters.next() {
        budget::work(STEP)?;
        if !high.1.is_ascii_whitespace() && high.1 != '\u{b}' {
            let low = letters.next().ok_or("bytes.fromhex: a byte has two digits, the last one has one")?;
            bytes.push(digit(high)? << 4 | digit(low)?);
        }
    }
    Ok(bytes)
}

fn hex(bytes: &[u8], separator: &str) -> Fallible<ImmutableString> {
    if bytes.len().saturating_mul(2 + separator.len()) > MAX_TEXT {
        return Err(too_long("hex"));
    }
    if separator.is_empty() {
        return Ok(hexadecimal(bytes).into());
    }
    let mut out = Text::new();
    for (index, byte) in bytes.iter().enumerate() {
        out.push("hex", if index > 0 { separator } else { "" })?;
        out.push("hex", &hexadecimal(&[*byte]))?;
    }
    Ok(out.finish())
}

/// Converts an integer of a script to a byte.
fn byte(name: &str, number: i64) -> Fallible<u8> {
    u8::try_from(number).map_err(|_| format!("{name}: a byte is 0 to 255, not {number}").into())
}

/// `bytes(list)`: a byte for each integer of the list.
fn from_list(list: &Array) -> Fallible<Blob> {
    let number = |item: &Dynamic| {
        let number = item.as_int().map_err(|_| format!("bytes: a byte is 0 to 255, not {}", type_name(item)));
        byte("bytes", number?)
    };
    list.iter().map(number).collect()
}

/// `bytes(count)`: `count` zeros.
fn zeros(count: i64) -> Fallible<Blob> {
    match usize::try_from(count) {
        Ok(count) if count <= MAX_TEXT => Ok(vec![0; count]),
        Ok(_) => Err(too_long("bytes")),
        Err(_) => Err(format!("bytes: {count} is no number of bytes").into()),
    }
}

/// Converts an argument to bytes: a text, bytes, a character, or an integer (one byte).
fn bytes_of(name: &str, part: &Dynamic) -> Fallible<Blob> {
    if let Ok(text) = part.as_immutable_string_ref() {
        return Ok(text.as_bytes().to_vec());
    }
    if let Ok(blob) = part.as_blob_ref() {
        return Ok(blob.clone());
    }
    if let Ok(letter) = part.as_char() {
        return Ok(letter.to_string().into_bytes());
    }
    if let Ok(number) = part.as_int() {
        return Ok(vec![byte(name, number)?]);
    }
    Err(format!("{name}: needs bytes or text, not {}", type_name(part)).into())
}

/// Makes a text with one character for each byte. The standard library searches texts in linear time, but not bytes.
fn letters(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// Converts a text of [`letters`] back to bytes.
fn unletter(letters: &str) -> Blob {
    letters.chars().filter_map(|letter| u8::try_from(u32::from(letter)).ok()).collect()
}

fn contains(bytes: &[u8], part: &Dynamic) -> Fallible<bool> {
    let part = bytes_of("in", part)?;
    if let [byte] = part.as_slice() {
        return Ok(bytes.contains(byte));
    }
    Ok(letters(bytes).contains(&letters(&part)))
}

/// Returns the place at which `search` finds `part`, or -1.
fn place(name: &str, bytes: &[u8], part: &Dynamic, search: fn(&str, &str) -> Option<usize>) -> Fallible<i64> {
    let (all, part) = (letters(bytes), letters(&bytes_of(name, part)?));
    let found = search(&all, &part);
    Ok(found.map_or(-1, |at| i64::try_from(all[..at].chars().count()).unwrap_or(i64::MAX)))
}

fn count(bytes: &[u8], part: &Dynamic) -> Fallible<i64> {
    let part = letters(&bytes_of("count", part)?);
    Ok(i64::try_from(watched(letters(bytes).matches(&part)).count()).unwrap_or(i64::MAX))
}

/// `split(separator, most)`: splits at most `most` times; a negative number means no limit.
fn split(bytes: &[u8], separator: &Dynamic, most: i64) -> Fallible<Array> {
    let separator = letters(&bytes_of("split", separator)?);
    if separator.is_empty() {
        return Err("split: the separator is empty".into());
    }
    let pieces = usize::try_from(most).map_or(usize::MAX, |most| most.saturating_add(1));
    let all = letters(bytes);
    collect("split", all.splitn(pieces, &separator).map(|part| Dynamic::from_blob(unletter(part))))
}

fn replace(bytes: &[u8], old: &Dynamic, new: &Dynamic) -> Fallible<Blob> {
    let (old, new) = (letters(&bytes_of("replace", old)?), bytes_of("replace", new)?);
    let (all, mut out, mut end) = (letters(bytes), Blob::new(), 0);
    for (at, found) in watched(all.match_indices(&old)) {
        out.extend(unletter(&all[end..at]));
        out.extend(&new);
        end = at + found.len();
        if out.len() > MAX_TEXT {
            return Err(too_long("replace"));
        }
    }
    out.extend(unletter(&all[end..]));
    if out.len() > MAX_TEXT { Err(too_long("replace")) } else { Ok(out) }
}

fn join(separator: &[u8], list: &Array) -> Fallible<Blob> {
    let mut out = Blob::new();
    for (index, item) in list.iter().enumerate() {
        if index > 0 {
            out.extend(separator);
        }
        out.extend(bytes_of("join", item)?);
        if out.len() > MAX_TEXT {
            return Err(too_many("join"));
        }
    }
    Ok(out)
}

fn is_blank(byte: &u8) -> bool {
    byte.is_ascii_whitespace() || *byte == 0xb
}

/// Removes the bytes at both ends for which `drop` is true.
fn stripped(bytes: &[u8], drop: impl Fn(&u8) -> bool) -> Blob {
    let start = bytes.iter().position(|byte| !drop(byte)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|byte| !drop(byte)).map_or(start, |last| last + 1);
    bytes[start..end].to_vec()
}

/// `startswith(parts)`: true if the part, or one part of the list, fits.
fn any_part(name: &str, parts: &Dynamic, fits: impl Fn(&[u8]) -> bool) -> Fallible<bool> {
    if let Some(parts) = as_list(parts) {
        for part in parts.iter() {
            let part = bytes_of(name, part)?;
            budget::work(part.len())?;
            if fits(&part) {
                return Ok(true);
            }
        }
        return Ok(false);
    }
    Ok(fits(&bytes_of(name, parts)?))
}

fn register_text(natives: &mut Natives) {
    natives.register_fn("encode", |text: &str| -> Blob { text.as_bytes().to_vec() });
    natives.register_optional("encode", "strict", |text: &str, encoding: &str, errors: &str| {
        encode("encode", text, encoding, errors)
    });
    natives.register_fn("decode", |blob: &mut Blob| decode(blob, "utf-8", "strict"));
    natives.register_optional("decode", "strict", |blob: &mut Blob, encoding: &str, errors: &str| {
        decode(blob, encoding, errors)
    });
    let mixed = || -> Box<EvalAltResult> {
        "`+` has bytes and text: `b + s.encode()` gives bytes, `b.decode() + s` gives text".into()
    };
    natives.register_fn("+", move |_: &mut Blob, _: &str| -> Fallible<()> { Err(mixed()) });
    natives.register_fn("+", move |_: &str, _: Blob| -> Fallible<()> { Err(mixed()) });
}

fn register_makers(natives: &mut Natives) {
    natives.register_handle("bytes", Bytes);
    natives.register_fn("fromhex", |_: Receiver<Bytes>, text: &str| from_hex(text));
    natives.register_fn("bytes", Blob::new);
    natives.register_fn("bytes", |list: Array| from_list(&list));
    natives.register_fn("bytes", zeros);
    natives.register_fn("bytes", |text: &str, encoding: &str| encode("bytes", text, encoding, "strict"));
    natives.register_optional("hex", "", |blob: &mut Blob, separator: &str| hex(blob, separator));
    // Rhai's iterator returns `u8`, but scripts only know `i64`.
    natives.set_iter::<Blob>(|blob| {
        Box::new(blob.into_blob().unwrap_or_default().into_iter().map(|byte| i64::from(byte).into()))
    });
}

fn register_searches(natives: &mut Natives) {
    natives.register_fn("contains", |blob: &mut Blob, part: Dynamic| contains(blob, &part));
    // Rhai's `contains` takes the number modulo 256.
    natives.register_fn("contains", |blob: &mut Blob, number: i64| -> Fallible<bool> {
        Ok(blob.contains(&byte("in", number)?))
    });
    natives.register_fn("startswith", |blob: &mut Blob, parts: Dynamic| {
        any_part("startswith", &parts, |part| blob.starts_with(part))
    });
    natives.register_fn("endswith", |blob: &mut Blob, parts: Dynamic| {
        any_part("endswith", &parts, |part| blob.ends_with(part))
    });
    natives.register_fn("find", |blob: &mut Blob, part: Dynamic| {
        place("find", blob, &part, |all, part| all.find(part))
    });
    natives.register_fn("rfind", |blob: &mut Blob, part: Dynamic| {
        place("rfind", blob, &part, |all, part| all.rfind(part))
    });
    natives.register_fn("count", |blob: &mut Blob, part: Dynamic| count(blob, &part));
}

fn register_parts(natives: &mut Natives) {
    natives.register_fn("split", |blob: &mut Blob| {
        let parts = blob.split(is_blank).filter(|part| !part.is_empty());
        collect("split", parts.map(|part| Dynamic::from_blob(part.to_vec())))
    });
    natives
        .register_optional("split", -1_i64, |blob: &mut Blob, by: Dynamic, most: i64| split(blob, &by, most));
    natives.register_fn("strip", |blob: &mut Blob| stripped(blob, is_blank));
    natives.register_fn("strip", |blob: &mut Blob, set: Dynamic| -> Fallible<Blob> {
        let set = bytes_of("strip", &set)?;
        let mut dropped = [false; 256];
        set.iter().for_each(|byte| dropped[usize::from(*byte)] = true);
        Ok(stripped(blob, |byte| dropped[usize::from(*byte)]))
    });
    natives.register_fn("replace", |blob: &mut Blob, old: Dynamic, new: Dynamic| replace(blob, &old, &new));
    natives.register_fn("join", |blob: &mut Blob, list: Array| join(blob, &list));
    natives.register_fn("lower", |blob: &mut Blob| blob.to_ascii_lowercase());
    natives.register_fn("upper", |blob: &mut Blob| blob.to_ascii_uppercase());
}

pub(crate) fn register(natives: &mut Natives) {
    register_text(natives);
    register_makers(natives);
    register_searches(natives);
    register_parts(natives);
}

#[cfg(test)]
mod tests;
