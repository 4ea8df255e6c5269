//! `uuid.uuid4()`: random identifiers (RFC 9562, section 5.4), from a generator that is not for secrets.

use crate::script::runtime::natives::{Natives, Receiver};

#[derive(Debug, Clone)]
pub(crate) struct Uuid;

/// A random identifier, in lower case with hyphens.
pub(crate) fn uuid4() -> String {
    let version = 0x4 << 76;
    let variant = 0x2 << 62;
    let number = fastrand::u128(..) & !(0xf << 76) & !(0x3 << 62) | version | variant;
    let digits = format!("{number:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("uuid", Uuid);
    natives.register_fn("uuid4", |_: Receiver<Uuid>| uuid4());
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::yields;

    #[test]
    fn identifiers_are_version_4_and_differ() {
        let pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$";
        let script = format!(
            "let ok = true; for i in 0..100 {{ ok = ok && re.search(\"{pattern}\", uuid.uuid4()) != (); }} ok"
        );
        yields(&[(&script, "true"), ("uuid.uuid4() == uuid.uuid4()", "false")]);
    }
}
