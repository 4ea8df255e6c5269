//! Replacements for natives of Rhai that make a large result out of a small argument without a check, or loop forever.
//! Otherwise they do what Rhai documents.

use super::{MAX_ITEMS, MAX_TEXT, Text, collect, fits, too_long, too_many};
use crate::script::runtime::natives::{Fallible, Natives};
use rhai::{Array, Blob, Dynamic, ImmutableString};

/// Bytes of a value.
const ITEM: usize = size_of::<Dynamic>();

/// Returns the number of values in `value`, including itself. Copied bytes count as values of the same size.
fn weight(value: &Dynamic) -> usize {
    // A copy of a frozen value copies only the counter.
    if let Ok(list) = value.as_array_ref() {
        return 1 + list.iter().map(weight).sum::<usize>();
    }
    if let Ok(map) = value.as_map_ref() {
        return 1 + map.iter().map(|(key, item)| 1 + key.len() / ITEM + weight(item)).sum::<usize>();
    }
    value.as_blob_ref().map_or(1, |blob| 1 + blob.len() / ITEM)
}

/// Does `list.pad(length, item)`. In Rhai's own native, the product of length and size of the item overflows.
fn pad_list(list: &mut Array, length: i64, item: Dynamic) -> Fallible<()> {
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(list.len());
    if missing == 0 {
        return Ok(());
    }
    if missing.saturating_mul(weight(&item)).saturating_add(list.len()) > MAX_ITEMS {
        return Err(too_many("pad"));
    }
    list.resize(list.len() + missing, item);
    Ok(())
}

/// Does `text.pad(length, padding)`. Rhai's own native loops forever when the padding is empty.
fn pad_text(text: &mut ImmutableString, length: i64, padding: &str) -> Fallible<()> {
    let present = text.chars().count();
    let missing = usize::try_from(length).unwrap_or(0).saturating_sub(present);
    if missing == 0 || padding.is_empty() {
        return Ok(());
    }
    if missing > MAX_TEXT {
        return Err(too_long("pad"));
    }
    let mut out = Text::new();
    out.push("pad", text)?;
    let mut buffer = [0; 4];
    for letter in padding.chars().cycle().take(missing) {
        out.push("pad", letter.encode_utf8(&mut buffer))?;
    }
    *text = out.finish();
    Ok(())
}

/// Returns `length` as a number of bytes; 0 where it is negative.
fn bytes(name: &str, length: i64) -> Fallible<usize> {
    let length = usize::try_from(length).unwrap_or(0);
    if length > MAX_TEXT { Err(too_long(name)) } else { Ok(length) }
}

/// Returns the byte that Rhai makes of a number: its lowest one.
fn low_byte(number: i64) -> u8 {
    number.to_le_bytes()[0]
}

/// Does `blob.pad(length, number)`.
fn pad_blob(blob: &mut Blob, length: i64, number: i64) -> Fallible<()> {
    let length = bytes("pad", length)?;
    if length > blob.len() {
        blob.resize(length, low_byte(number));
    }
    Ok(())
}

/// Does `blob.as_string()`. Each byte that is no UTF-8 becomes three bytes.
fn as_string(blob: &mut Blob) -> Fallible<String> {
    if let Ok(text) = std::str::from_utf8(blob) {
        return Ok(text.to_owned());
    }
    if blob.len() > MAX_TEXT / 3 {
        return Err(too_long("as_string"));
    }
    Ok(String::from_utf8_lossy(blob).into_owned())
}

fn register_blobs(natives: &mut Natives) {
    natives.register_fn("blob", |length: i64| Ok(vec![0_u8; bytes("blob", length)?]) as Fallible<Blob>);
    natives.register_fn("blob", |length: i64, number: i64| -> Fallible<Blob> {
        Ok(vec![low_byte(number); bytes("blob", length)?])
    });
    natives.register_change("pad", pad_blob);
    natives.register_fn("as_string", as_string);
    for name in ["+=", "append"] {
        natives.register_change(name, |text: &mut ImmutableString, blob: Blob| -> Fallible<()> {
            *text += as_string(&mut { blob })?.as_str();
            Ok(())
        });
    }
}

/// Does `list + list`. Rhai's own native copies both.
fn concatenated(list: &mut Array, other: Array) -> Fallible<Array> {
    fits("+", (list.len() + other.len()) * size_of::<Dynamic>())?;
    let mut whole = Array::with_capacity(list.len() + other.len());
    whole.extend_from_slice(list);
    whole.extend(other);
    Ok(whole)
}

fn split_rev(text: &str, separator: &str, pieces: i64) -> Fallible<Array> {
    let pieces = usize::try_from(pieces).unwrap_or(0).max(1);
    collect("split_rev", text.rsplitn(pieces, separator).map(Into::into))
}

fn register_split_rev(natives: &mut Natives) {
    natives.register_fn("split_rev", |text: &str, by: &str| split_rev(text, by, i64::MAX));
    natives.register_fn("split_rev", |text: &str, by: char| split_rev(text, &by.to_string(), i64::MAX));
    natives.register_fn("split_rev", split_rev);
    natives.register_fn("split_rev", |text: &str, by: char, pieces: i64| {
        split_rev(text, &by.to_string(), pieces)
    });
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_change("pad", pad_list);
    natives.register_change("pad", pad_text);
    natives.register_change("pad", |text: &mut ImmutableString, length: i64, padding: char| {
        pad_text(text, length, padding.encode_utf8(&mut [0; 4]))
    });
    register_split_rev(natives);
    register_blobs(natives);
    natives.register_fn("+", concatenated);
    natives.register_fn("to_chars", |text: &str| collect("to_chars", text.chars().map(Into::into)));
    natives.register_fn("to_array", |blob: &mut Blob| {
        collect("to_array", blob.iter().map(|byte| i64::from(*byte).into()))
    });
}
