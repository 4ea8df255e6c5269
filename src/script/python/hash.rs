//! `hashlib.*` and `hmac.*`: digests of text and bytes.

use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::system::truncate::beginning;
use hmac::digest::{InvalidLength, KeyInit};
use hmac::{Hmac, Mac};
use md5::Md5;
use rhai::{Blob, Dynamic};
use sha2::{Digest as _, Sha256, Sha512};

#[derive(Debug, Clone)]
pub(crate) struct Hashlib;

#[derive(Debug, Clone)]
pub(crate) struct HmacHandle;

/// What `hashlib.sha256(...)` gives.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    name: &'static str,
    bytes: Blob,
}

impl ScriptValue for Digest {}

/// Bytes as hexadecimal digits, in lower case.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Runs `use_bytes` on the bytes of a text or a blob.
fn with_bytes<T>(name: &str, value: &Dynamic, use_bytes: impl FnOnce(&[u8]) -> T) -> Fallible<T> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(use_bytes(text.as_bytes()));
    }
    match value.as_blob_ref() {
        Ok(blob) => Ok(use_bytes(&blob)),
        Err(found) => Err(format!("{name}: needs text or a blob, not `{found}`").into()),
    }
}

/// The keyed digest (RFC 2104) of `message`; keys have any length.
fn keyed(name: &str, key: &[u8], message: &[u8], digest: &str) -> Fallible<Blob> {
    fn digest_of<M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Result<Blob, InvalidLength> {
        Ok(<M as Mac>::new_from_slice(key)?.chain_update(message).finalize().into_bytes().to_vec())
    }
    let bytes = match digest {
        "md5" => digest_of::<Hmac<Md5>>(key, message),
        "sha256" => digest_of::<Hmac<Sha256>>(key, message),
        "sha512" => digest_of::<Hmac<Sha512>>(key, message),
        other => {
            let shown = beginning(other, 40);
            return Err(
                format!("{name}: unknown digest `{shown}`: there are `md5`, `sha256` and `sha512`").into()
            );
        }
    };
    bytes.map_err(|error| format!("{name}: {error}").into())
}

/// `hmac.digest(key, message, digest)` on any mix of text and blobs.
fn hmac_of(name: &str, key: &Dynamic, message: &Dynamic, digest: &str) -> Fallible<Blob> {
    with_bytes(name, key, |key| with_bytes(name, message, |message| keyed(name, key, message, digest)))??
}

/// Compares without telling by the time where the difference is.
fn compare_digest(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

fn register_digest(natives: &mut Natives, name: &'static str, digest: fn(&[u8]) -> Blob) {
    natives.register_fn(name, move |_: Receiver<Hashlib>, value: Dynamic| -> Fallible<Digest> {
        let bytes = with_bytes(&format!("hashlib.{name}"), &value, digest)?;
        Ok(Digest { name, bytes })
    });
}

fn register_hmac(natives: &mut Natives) {
    natives.register_handle("hmac", HmacHandle);
    natives.register_fn("digest", |_: Receiver<HmacHandle>, key: Dynamic, message: Dynamic, digest: &str| {
        hmac_of("hmac.digest", &key, &message, digest)
    });
    natives.register_fn(
        "hexdigest",
        |_: Receiver<HmacHandle>, key: Dynamic, message: Dynamic, digest: &str| {
            hmac_of("hmac.hexdigest", &key, &message, digest).map(|bytes| hexadecimal(&bytes))
        },
    );
    natives.register_fn(
        "compare_digest",
        |_: Receiver<HmacHandle>, left: Dynamic, right: Dynamic| -> Fallible<bool> {
            let name = "hmac.compare_digest";
            with_bytes(name, &left, |left| with_bytes(name, &right, |right| compare_digest(left, right)))?
        },
    );
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("hashlib", Hashlib);
    natives.register_type_with_name::<Digest>("digest");
    register_digest(natives, "md5", |bytes| Md5::digest(bytes).to_vec());
    register_digest(natives, "sha256", |bytes| Sha256::digest(bytes).to_vec());
    register_digest(natives, "sha512", |bytes| Sha512::digest(bytes).to_vec());
    natives.register_fn("hexdigest", |digest: &mut Digest| hexadecimal(&digest.bytes));
    natives.register_fn("digest", |digest: &mut Digest| digest.bytes.clone());
    natives.register_get("name", |digest: &mut Digest| digest.name.to_string());
    register_hmac(natives);
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn digests_are_those_of_the_standards() {
        yields(&[
            ("hashlib.md5(\"abc\").hexdigest()", "\"900150983cd24fb0d6963f7d28e17f72\""),
            (
                "hashlib.sha256(\"abc\".encode()).hexdigest()",
                "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"",
            ),
            ("hashlib.sha512(\"\").hexdigest().startswith(\"cf83e1357eefb8bd\")", "true"),
            ("hashlib.sha256(\"\").digest().len()", "32"),
            ("hashlib.sha256(\"\").name", "\"sha256\""),
            // RFC 2202, test case 2; RFC 4231, test case 2.
            (
                "hmac.hexdigest(\"Jefe\", \"what do ya want for nothing?\", \"md5\")",
                "\"750c783e6ab0b503eaa86e310a5db738\"",
            ),
            (
                "hmac.hexdigest(\"Jefe\".encode(), \"what do ya want for nothing?\", \"sha256\")",
                "\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\"",
            ),
            ("hmac.digest(\"k\", \"m\", \"sha512\").len()", "64"),
            ("hmac.compare_digest(\"abc\", \"abc\".encode())", "true"),
            ("hmac.compare_digest(\"abc\", \"abd\")", "false"),
            ("hmac.compare_digest(\"abc\", \"abcd\")", "false"),
        ]);
    }

    #[test]
    fn unknown_digests_and_other_types_are_named() {
        fails(&[
            (
                "hmac.digest(\"k\", \"m\", \"sha1\")",
                "hmac.digest: unknown digest `sha1`: there are `md5`, `sha256` and `sha512`",
            ),
            ("hashlib.sha256(1)", "hashlib.sha256: needs text or a blob, not `i64`"),
            ("hmac.digest(\"k\", [], \"md5\")", "hmac.digest: needs text or a blob, not `array`"),
        ]);
    }
}
