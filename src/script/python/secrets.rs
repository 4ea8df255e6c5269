//! `secrets.*` and `os.urandom`: random bytes of the kernel, or of the test's dice. They don't depend on `random.seed`.

use super::base64::URL;
use super::environ::Os;
use super::hash::hexadecimal;
use crate::script::runtime::chance;
use crate::script::runtime::frozen::as_list;
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::script::runtime::size_limits::{MAX_TEXT, too_long, type_name};
use base64::Engine as _;
use rhai::{Blob, Dynamic};
use rustix::rand::{GetRandomFlags, getrandom};

#[derive(Debug, Clone)]
pub(crate) struct Secrets;

/// Python's default number of bytes.
const DEFAULT_BYTES: i64 = 32;

fn fill(name: &str, bytes: &mut [u8]) -> Fallible<()> {
    if chance::fill(bytes) {
        return Ok(());
    }
    let mut filled = 0;
    while filled < bytes.len() {
        match getrandom(&mut bytes[filled..], GetRandomFlags::empty()) {
            Ok(count) => filled += count,
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(format!("{name}: the kernel gives no random bytes: {error}").into()),
        }
    }
    Ok(())
}

fn random_bytes(name: &str, count: i64) -> Fallible<Blob> {
    let count = usize::try_from(count).map_err(|_| format!("{name}: {count} is no number of bytes"))?;
    if count > MAX_TEXT / 2 {
        return Err(too_long(name));
    }
    let mut bytes = vec![0; count];
    fill(name, &mut bytes)?;
    Ok(bytes)
}

/// Returns a random number below `end`; all are equally likely.
fn below(name: &str, end: u64) -> Fallible<u64> {
    // Numbers from the last multiple of `end` on are dropped, since they would make low results likelier.
    let whole = u64::MAX - u64::MAX % end;
    loop {
        let mut bytes = [0; 8];
        fill(name, &mut bytes)?;
        let number = u64::from_le_bytes(bytes);
        if number < whole {
            return Ok(number % end);
        }
    }
}

fn rand_below(end: i64) -> Fallible<i64> {
    let Some(end) = u64::try_from(end).ok().filter(|end| *end > 0) else {
        return Err(format!("secrets.randbelow: the bound is 1 or more, not {end}").into());
    };
    Ok(i64::try_from(below("secrets.randbelow", end)?).unwrap_or_default())
}

/// `secrets.choice(from)`: a random item of a list, or a random character of a text.
fn choice(from: &Dynamic) -> Fallible<Dynamic> {
    let name = "secrets.choice";
    let place = |count: usize| -> Fallible<usize> {
        if count == 0 {
            return Err(format!("{name}: there is nothing to choose from").into());
        }
        Ok(usize::try_from(below(name, count as u64)?).unwrap_or_default())
    };
    if let Some(list) = as_list(from) {
        return Ok(list[place(list.len())?].clone());
    }
    let Ok(text) = from.as_immutable_string_ref() else {
        return Err(format!("{name}: needs a list or text, not {}", type_name(from)).into());
    };
    let letter = text.chars().nth(place(text.chars().count())?);
    Ok(letter.map(String::from).unwrap_or_default().into())
}

/// Registers a function that returns a token of [`DEFAULT_BYTES`], or of the number of bytes that the script passes.
fn register_token<T: ScriptValue>(natives: &mut Natives, name: &'static str, shown: fn(Blob) -> T) {
    let token = move |count| random_bytes(&format!("secrets.{name}"), count).map(shown);
    natives.register_optional(name, DEFAULT_BYTES, move |_: Receiver<Secrets>, count: i64| token(count));
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("secrets", Secrets);
    register_token(natives, "token_hex", |bytes| hexadecimal(&bytes));
    register_token(natives, "token_urlsafe", |bytes| URL.encode(bytes).trim_end_matches('=').to_owned());
    register_token(natives, "token_bytes", |bytes| bytes);
    natives
        .register_fn("randbelow", |_: Receiver<Secrets>, end: i64| rand_below(end))
        .register_fn("choice", |_: Receiver<Secrets>, from: Dynamic| choice(&from))
        .register_fn("urandom", |_: Receiver<Os>, count: i64| random_bytes("os.urandom", count));
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn tokens_have_pythons_lengths() {
        yields(&[
            (
                "[secrets.token_hex().len(), secrets.token_hex(4).len(), secrets.token_hex(0)]",
                r#"[64, 8, ""]"#,
            ),
            ("[secrets.token_urlsafe().len(), secrets.token_urlsafe(16).len()]", "[43, 22]"),
            (
                "[secrets.token_bytes(5).len(), secrets.token_bytes().len(), os.urandom(300).len()]",
                "[5, 32, 300]",
            ),
            ("os.urandom(4194304).len()", "4194304"),
            ("secrets.token_hex(16) == secrets.token_hex(16)", "false"),
            (
                "random.seed(1); let a = secrets.token_hex(16); random.seed(1); a == secrets.token_hex(16)",
                "false",
            ),
            (
                "let seen = #{}; for i in 0..300 { seen[`${secrets.randbelow(3)}`] = 1; } seen.keys()",
                r#"["0", "1", "2"]"#,
            ),
            (r#"[secrets.choice([7]), secrets.choice("ä")]"#, r#"[7, "ä"]"#),
            ("let f = |secrets| secrets + 1; f.call(1)", "2"),
        ]);
        fails(&[
            ("secrets.randbelow(0)", "secrets.randbelow: the bound is 1 or more, not 0"),
            ("secrets.choice([])", "secrets.choice: there is nothing to choose from"),
            ("secrets.choice(1)", "secrets.choice: needs a list or text, not i64"),
            ("secrets.token_hex(-1)", "secrets.token_hex: -1 is no number of bytes"),
            ("os.urandom(4194305)", "os.urandom: the result is longer than 8388608 bytes"),
        ]);
    }
}
