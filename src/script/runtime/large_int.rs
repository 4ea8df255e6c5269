//! Integers beyond 64 bits. Scripts can pass them on and compare them with all their digits, but not calculate with them.

use super::natives::{Fallible, Natives};
use rhai::{Dynamic, ImmutableString};
use std::cmp::Ordering;
use std::fmt;

/// The digits of an integer beyond 64 bits, with a `-` where it is negative.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LargeInt(ImmutableString);

impl LargeInt {
    /// Makes an integer of its digits in JSON, which have no zeros in front.
    pub(crate) fn new(digits: &str) -> Self {
        Self(digits.into())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn is_negative(&self) -> bool {
        self.0.starts_with('-')
    }

    pub(crate) fn to_float(&self) -> f64 {
        self.0.parse().unwrap_or(f64::NAN)
    }

    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let size = |number: &Self| number.0.len();
        let absolute = || size(self).cmp(&size(other)).then_with(|| self.0.as_str().cmp(&other.0));
        match (self.is_negative(), other.is_negative()) {
            (false, false) => absolute(),
            (true, true) => absolute().reverse(),
            (negative, other) => other.cmp(&negative),
        }
    }

    /// Compares with a number of scripts; `None` where `other` is no number.
    pub(crate) fn compare_with(&self, other: &Dynamic) -> Option<Ordering> {
        if let Some(other) = other.read_lock::<LargeInt>() {
            return Some(self.compare(&other));
        }
        if other.is_int() {
            return Some(if self.is_negative() { Ordering::Less } else { Ordering::Greater });
        }
        self.to_float().partial_cmp(&other.as_float().ok()?)
    }
}

impl fmt::Display for LargeInt {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        out.write_str(&self.0)
    }
}

fn no_arithmetic(number: &LargeInt) -> Fallible<()> {
    Err(format!(
        "{number} is beyond 64 bits: such a number can be passed on and compared, not calculated with; {} is the largest that can",
        i64::MAX
    )
    .into())
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_type_with_name::<LargeInt>("large integer");
    for name in ["to_string", "to_debug"] {
        natives.register_fn(name, |number: &mut LargeInt| number.to_string());
    }
    natives.register_fn("+", |before: &str, number: LargeInt| [before, number.as_str()].concat());
    natives.register_fn("+", |number: LargeInt, after: &str| [number.as_str(), after].concat());
    type Holds = fn(Ordering) -> bool;
    let comparisons: [(&str, Holds, bool); 6] = [
        ("==", Ordering::is_eq, false),
        ("!=", Ordering::is_ne, true),
        ("<", Ordering::is_lt, false),
        ("<=", Ordering::is_le, false),
        (">", Ordering::is_gt, false),
        (">=", Ordering::is_ge, false),
    ];
    for (name, holds, otherwise) in comparisons {
        natives.register_fn(name, move |number: LargeInt, other: Dynamic| {
            number.compare_with(&other).map_or(otherwise, holds)
        });
        natives.register_fn(name, move |other: Dynamic, number: LargeInt| {
            number.compare_with(&other).map(Ordering::reverse).map_or(otherwise, holds)
        });
        natives.register_fn(name, move |one: LargeInt, other: LargeInt| holds(one.compare(&other)));
    }
    for name in ["+", "-", "*", "/", "%", "**"] {
        natives.register_fn(name, |number: LargeInt, _: Dynamic| no_arithmetic(&number));
        natives.register_fn(name, |_: Dynamic, number: LargeInt| no_arithmetic(&number));
    }
}

#[cfg(test)]
mod tests {
    use crate::script::tests::trial::{fails, yields};

    #[test]
    fn large_integers_are_compared_and_passed_on_with_all_digits() {
        yields(&[
            (
                "let n = json.loads(\"18446744073709551616\"); [n, `${n}`, \"n=\" + n, type_of(n)]",
                "[18446744073709551616, \"18446744073709551616\", \"n=18446744073709551616\", \"large integer\"]",
            ),
            (
                "let n = json.loads(\"18446744073709551616\"); let m = json.loads(\"18446744073709551617\"); [n == m, n < m, n == n, n > 1, 1 < n, n == 1, n != \"x\"]",
                "[false, true, true, true, true, false, true]",
            ),
            (
                "let n = json.loads(\"-18446744073709551616\"); let m = json.loads(\"18446744073709551616\"); [n < m, m < n, n > m, -1 > n]",
                "[true, false, false, true]",
            ),
            (
                "let n = json.loads(\"-18446744073709551616\"); [n < 0, n < 1.5, max([n, 1, 2.5]), sorted([1, n])]",
                "[true, true, 2.5, [-18446744073709551616, 1]]",
            ),
        ]);
    }

    #[test]
    fn calculating_with_large_integers_is_an_error() {
        let error = "18446744073709551616 is beyond 64 bits: such a number can be passed on and compared, not calculated with; 9223372036854775807 is the largest that can";
        fails(&[
            ("json.loads(\"18446744073709551616\") + 1", error),
            ("2 * json.loads(\"18446744073709551616\")", error),
            ("1.5 - json.loads(\"18446744073709551616\")", error),
        ]);
    }
}
