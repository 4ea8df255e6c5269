//! `uuid.uuid4()`: random identifiers (RFC 9562, section 5.4). They can be guessed, so they are not for secrets.

use crate::script::runtime::chance::for_identifiers;
use crate::script::runtime::natives::{Fallible, Natives, Receiver};
use crate::system::truncate::beginning;
use rhai::ImmutableString;

#[derive(Debug, Clone)]
pub(crate) struct Uuid;

/// Returns a random identifier, in lower case with hyphens.
pub(crate) fn uuid4() -> String {
    let version = 0x4 << 76;
    let variant = 0x2 << 62;
    let number = for_identifiers(|random| random.u128(..)) & !(0xf << 76) & !(0x3 << 62) | version | variant;
    hyphened(&format!("{number:032x}"))
}

fn hyphened(digits: &str) -> String {
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

/// Returns the 32 hexadecimal digits of `text`, in lower case and without hyphens. `None` if `text` has other characters or
/// another length.
fn digits(text: &str) -> Option<String> {
    let bare = text.replace('-', "").to_ascii_lowercase();
    (bare.len() == 32 && bare.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(bare)
}

/// `uuid.UUID(text)`: hyphens are optional; braces around the digits and `urn:uuid:` before them are allowed.
fn parse(text: &str) -> Fallible<String> {
    let bare = text.replace("urn:", "").replace("uuid:", "");
    let digits = digits(bare.trim_matches(['{', '}'])).ok_or_else(|| {
        let shown = beginning(text, 80);
        format!("uuid.UUID: `{shown}` is no UUID: it has 32 hexadecimal digits")
    })?;
    Ok(hyphened(&digits))
}

/// Returns the digits of an identifier. Identifiers are texts, so a script can read the property of any text: of other texts it
/// is an error.
fn of_identifier(name: &str, text: &str) -> Fallible<String> {
    digits(text).filter(|digits| hyphened(digits).eq_ignore_ascii_case(text)).ok_or_else(|| {
        let shown = beginning(text, 40);
        format!("`.{name}` is a property of UUIDs, and `{shown}` is none").into()
    })
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("uuid", Uuid);
    natives.register_fn("uuid4", |_: Receiver<Uuid>| uuid4());
    natives.register_fn("UUID", |_: Receiver<Uuid>, text: &str| parse(text));
    natives.register_get("hex", |text: &mut ImmutableString| of_identifier("hex", text));
    natives.register_get("urn", |text: &mut ImmutableString| -> Fallible<String> {
        of_identifier("urn", text)?;
        Ok(format!("urn:uuid:{text}"))
    });
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn identifiers_have_pythons_properties_and_stay_text() {
        let id = "12345678-1234-5678-1234-567812345678";
        yields(&[
            (&format!("\"{id}\".hex"), r#""12345678123456781234567812345678""#),
            (r#""ABCDEF78-1234-5678-1234-567812345678".hex"#, r#""abcdef78123456781234567812345678""#),
            (&format!("\"{id}\".urn"), &format!("\"urn:uuid:{id}\"")),
            (r#"uuid.UUID("{12345678123456781234567812345678}")"#, &format!("{id:?}")),
            (
                r#"uuid.UUID("urn:uuid:12345678-1234-5678-1234-567812345678") == uuid.UUID("12345678-1234-5678-1234567812345678")"#,
                "true",
            ),
            ("uuid.uuid4().hex.upper().len()", "32"),
            (
                "let u = uuid.uuid4(); [`${u}`.len(), (\"a\" + u).len(), u.hex.len(), u.len()]",
                "[36, 37, 32, 36]",
            ),
        ]);
        fails(&[
            (r#""abc".hex"#, "`.hex` is a property of UUIDs, and `abc` is none"),
            (
                r#""12345678123456781234567812345678".hex"#,
                "`.hex` is a property of UUIDs, and `12345678123456781234567812345678` is none",
            ),
            (r#"uuid.UUID("12")"#, "uuid.UUID: `12` is no UUID: it has 32 hexadecimal digits"),
        ]);
    }

    #[test]
    fn identifiers_are_version_4_and_differ() {
        let pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
        let script = format!(
            "let ok = true; for i in 0..100 {{ ok = ok && re.search(\"{pattern}\", uuid.uuid4()) != (); }} ok"
        );
        yields(&[(&script, "true"), ("uuid.uuid4() == uuid.uuid4()", "false")]);
    }
}
