//! `hashlib.*` and `hmac.*`: digests of text and bytes.

use crate::script::runtime::budget;
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::system::truncate::beginning;
use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use md5::Md5;
use rhai::{Blob, Dynamic};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

/// Bytes of input between two checks of the time; longer than any block.
const PIECE: usize = 16 << 10;

#[derive(Debug, Clone)]
pub(crate) struct Hashlib;

#[derive(Debug, Clone)]
pub(crate) struct HmacHandle;

/// The result of `hashlib.sha256(...)` and `hmac.new(...)`.
#[derive(Debug, Clone)]
pub(crate) struct Digest {
    name: String,
    bytes: Blob,
    block_size: i64,
}

/// A digest algorithm with Python's name.
struct Algorithm {
    name: &'static str,
    block_size: i64,
    digest: fn(&[u8]) -> Fallible<Blob>,
    /// The HMAC of a key of any length and a message (RFC 2104).
    keyed: fn(&[u8], &[u8]) -> Fallible<Blob>,
}

/// Passes `bytes` to `update` in pieces. An error if the call is out of time.
fn feed(bytes: &[u8], mut update: impl FnMut(&[u8])) -> Fallible<()> {
    bytes.chunks(PIECE).try_for_each(|piece| {
        update(piece);
        // A digest of a byte takes ten times as long as a copy.
        budget::work(piece.len() * 10)
    })
}

fn plain_digest<D: hmac::digest::Digest>(bytes: &[u8]) -> Fallible<Blob> {
    let mut digest = D::new();
    feed(bytes, |piece| digest.update(piece))?;
    Ok(digest.finalize().to_vec())
}

/// Returns the HMAC of `message`. A key longer than [`PIECE`] is replaced by its digest here, so that its time is checked too.
fn hmac_digest<D: hmac::digest::Digest, M: Mac + KeyInit>(key: &[u8], message: &[u8]) -> Fallible<Blob> {
    let short;
    let key = if key.len() > PIECE {
        short = plain_digest::<D>(key)?;
        &short
    } else {
        key
    };
    let mut mac = <M as Mac>::new_from_slice(key).map_err(|error| error.to_string())?;
    feed(message, |piece| mac.update(piece))?;
    Ok(mac.finalize().into_bytes().to_vec())
}

const fn kind<D: hmac::digest::Digest, M: Mac + KeyInit>(name: &'static str, block_size: i64) -> Algorithm {
    Algorithm { name, block_size, digest: plain_digest::<D>, keyed: hmac_digest::<D, M> }
}

const ALGORITHMS: [Algorithm; 6] = [
    kind::<Md5, Hmac<Md5>>("md5", 64),
    kind::<Sha1, Hmac<Sha1>>("sha1", 64),
    kind::<Sha224, Hmac<Sha224>>("sha224", 64),
    kind::<Sha256, Hmac<Sha256>>("sha256", 64),
    kind::<Sha384, Hmac<Sha384>>("sha384", 128),
    kind::<Sha512, Hmac<Sha512>>("sha512", 128),
];

/// Finds an algorithm by its name. Case and hyphens don't matter (`SHA-256`). The error names `caller`.
fn algorithm(caller: &str, name: &str) -> Fallible<&'static Algorithm> {
    let plain = beginning(name, 40).to_lowercase().replace('-', "");
    ALGORITHMS.iter().find(|known| known.name == plain).ok_or_else(|| {
        let names = ALGORITHMS.map(|known| format!("`{}`", known.name)).join(", ");
        format!("{caller}: unknown digest `{}`: there are {names}", beginning(name, 40)).into()
    })
}

impl ScriptValue for Digest {}

/// Returns the hexadecimal digits of `bytes`, in lower case.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Calls `use_bytes` with the bytes of a text or a blob.
fn with_bytes<T>(name: &str, value: &Dynamic, use_bytes: impl FnOnce(&[u8]) -> T) -> Fallible<T> {
    if let Ok(text) = value.as_immutable_string_ref() {
        return Ok(use_bytes(text.as_bytes()));
    }
    match value.as_blob_ref() {
        Ok(blob) => Ok(use_bytes(&blob)),
        Err(found) => Err(format!("{name}: needs text or a blob, not `{found}`").into()),
    }
}

/// `hmac.new(key, message, digest)`: key and message are texts or blobs.
fn hmac_of(caller: &str, key: &Dynamic, message: &Dynamic, digest: &str) -> Fallible<Digest> {
    let algorithm = algorithm(caller, digest)?;
    let keyed = |key: &[u8]| with_bytes(caller, message, |message| (algorithm.keyed)(key, message));
    let bytes = with_bytes(caller, key, keyed)???;
    Ok(Digest { name: format!("hmac-{}", algorithm.name), bytes, block_size: algorithm.block_size })
}

fn hash_of(caller: &str, algorithm: &Algorithm, value: &Dynamic) -> Fallible<Digest> {
    let bytes = with_bytes(caller, value, algorithm.digest)??;
    Ok(Digest { name: algorithm.name.to_owned(), bytes, block_size: algorithm.block_size })
}

/// Compares in a time that does not depend on the place of the first difference.
fn compare_digest(left: &[u8], right: &[u8]) -> bool {
    left.len() == right.len() && left.iter().zip(right).fold(0, |seen, (a, b)| seen | (a ^ b)) == 0
}

fn register_hashlib(natives: &mut Natives) {
    natives.register_handle("hashlib", Hashlib);
    for algorithm in &const { ALGORITHMS } {
        let caller = format!("hashlib.{}", algorithm.name);
        natives.register_fn(algorithm.name, move |_: Receiver<Hashlib>, value: Dynamic| {
            hash_of(&caller, algorithm, &value)
        });
        // In Python the function itself is passed to `hmac.new`; here it is its name.
        natives.register_get(algorithm.name, move |_: Receiver<Hashlib>| algorithm.name);
    }
    natives.register_fn("new", |_: Receiver<Hashlib>, name: &str, value: Dynamic| {
        hash_of("hashlib.new", algorithm("hashlib.new", name)?, &value)
    });
    natives.register_type_with_name::<Digest>("digest");
    natives.register_fn("hexdigest", |digest: &mut Digest| hexadecimal(&digest.bytes));
    natives.register_fn("digest", |digest: &mut Digest| digest.bytes.clone());
    natives.register_get("name", |digest: &mut Digest| digest.name.clone());
    natives.register_get("digest_size", |digest: &mut Digest| {
        i64::try_from(digest.bytes.len()).unwrap_or(i64::MAX)
    });
    natives.register_get("block_size", |digest: &mut Digest| digest.block_size);
}

fn register_hmac(natives: &mut Natives) {
    natives.register_handle("hmac", HmacHandle);
    natives.register_fn("new", |_: Receiver<HmacHandle>, key: Dynamic, message: Dynamic, digest: &str| {
        hmac_of("hmac.new", &key, &message, digest)
    });
    natives.register_fn("digest", |_: Receiver<HmacHandle>, key: Dynamic, message: Dynamic, digest: &str| {
        hmac_of("hmac.digest", &key, &message, digest).map(|digest| digest.bytes)
    });
    natives.register_fn(
        "hexdigest",
        |_: Receiver<HmacHandle>, key: Dynamic, message: Dynamic, digest: &str| {
            hmac_of("hmac.hexdigest", &key, &message, digest).map(|digest| hexadecimal(&digest.bytes))
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
    register_hashlib(natives);
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
            ("hmac.new(\"k\", \"m\", \"SHA-512\").name", "\"hmac-sha512\""),
            ("hashlib.new(\"sha1\", \"abc\").digest_size", "20"),
            ("hashlib.sha384(\"\").block_size", "128"),
            ("hmac.compare_digest(\"abc\", \"abc\".encode())", "true"),
            ("hmac.compare_digest(\"abc\", \"abd\")", "false"),
            ("hmac.compare_digest(\"abc\", \"abcd\")", "false"),
        ]);
    }

    /// Each line has a name, a message, and Python 3.11's `hashlib.new(name, message)` and `hmac.new(b"key", message, name)`.
    #[test]
    fn digests_are_those_of_python() {
        for line in include_str!("hash/python.txt").lines() {
            let [name, message, plain, keyed] = line.split(' ').collect::<Vec<_>>()[..] else {
                panic!("{line}")
            };
            let (plain, keyed) = (format!("\"{plain}\""), format!("\"{keyed}\""));
            yields(&[
                (&format!("hashlib.{name}(\"{message}\").hexdigest()"), &plain),
                (&format!("hashlib.new(\"{name}\", \"{message}\".encode()).hexdigest()"), &plain),
                (&format!("hmac.new(\"key\", \"{message}\", \"{name}\").hexdigest()"), &keyed),
                (&format!("hmac.new(\"key\".encode(), \"{message}\", hashlib.{name}).hexdigest()"), &keyed),
            ]);
        }
    }

    #[test]
    fn unknown_digests_and_other_types_are_errors() {
        fails(&[
            (
                "hmac.digest(\"k\", \"m\", \"sha3\")",
                "hmac.digest: unknown digest `sha3`: there are `md5`, `sha1`, `sha224`, `sha256`, `sha384`, `sha512`",
            ),
            ("hashlib.sha256(1)", "hashlib.sha256: needs text or a blob, not `i64`"),
            ("hmac.digest(\"k\", [], \"md5\")", "hmac.digest: needs text or a blob, not `array`"),
        ]);
    }
}
