//! `string.digits` and its like: sets of characters, mostly for `random.choices`.

use crate::script::runtime::natives::{Natives, Receiver};

#[derive(Debug, Clone)]
pub(crate) struct StringConstants;

const PUNCTUATION: &str = r##"!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~"##;
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

pub(super) fn register(natives: &mut Natives) {
    natives.set_var("string", StringConstants).register_type_with_name::<StringConstants>("string constants");
    natives.register_get("ascii_lowercase", |_: Receiver<StringConstants>| LOWER);
    natives.register_get("ascii_uppercase", |_: Receiver<StringConstants>| UPPER);
    natives.register_get("ascii_letters", |_: Receiver<StringConstants>| [LOWER, UPPER].concat());
    natives.register_get("digits", |_: Receiver<StringConstants>| "0123456789");
    natives.register_get("hexdigits", |_: Receiver<StringConstants>| "0123456789abcdefABCDEF");
    natives.register_get("punctuation", |_: Receiver<StringConstants>| PUNCTUATION);
}
