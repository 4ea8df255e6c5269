//! Numbers written in digits.

use std::str::FromStr;

/// Parses decimal digits; `FromStr` alone would also take `+8000`.
pub(crate) fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}
