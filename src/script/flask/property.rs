//! Errors of properties and options that scripts misspell or assign to. Knows no property by name.

use crate::script::runtime::analysis::near;
use crate::script::runtime::frozen::{as_list, as_map, is_same};
use crate::script::runtime::large_int::LargeInt;
use rhai::{Blob, Dynamic, EvalAltResult, ImmutableString};

/// `<owner> has no property` with the nearest of `names`; `owner` as it reads in a sentence.
pub(crate) fn unknown_property<'n>(
    owner: &str,
    name: &str,
    names: impl Iterator<Item = &'n str>,
) -> Box<EvalAltResult> {
    match nearest(name, names) {
        Some(known) => format!("{owner} has no property `{name}`: did you mean `{known}`?").into(),
        None => format!("{owner} has no property `{name}`").into(),
    }
}

/// `<function> has no <what>` with all of `names`, which are few.
pub(crate) fn unknown_option(function: &str, what: &str, name: &str, names: &[&str]) -> Box<EvalAltResult> {
    format!("`{function}` has no {what} `{name}`: it takes {}", names.join(", ")).into()
}

pub(crate) fn read_only(what: &str) -> Box<EvalAltResult> {
    format!("`{what}` is read-only: copy it to a variable to change the copy").into()
}

/// Whether two values of scripts are equal. Values of our own types cannot be changed in place and always are.
///
/// Rhai writes a property back after each method call on it; this tells that from an assignment.
pub(crate) fn same(a: &Dynamic, b: &Dynamic) -> bool {
    fn by<T>(a: &Dynamic, b: &Dynamic, equal: impl Fn(&T, &T) -> bool) -> Option<bool>
    where
        T: Clone + Send + Sync + 'static,
    {
        Some(equal(&*a.read_lock::<T>()?, &*b.read_lock::<T>()?))
    }
    if is_same(a, b) {
        return true;
    }
    if let (Some(a), Some(b)) = (as_list(a), as_list(b)) {
        return a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b));
    }
    if let (Some(a), Some(b)) = (as_map(a), as_map(b)) {
        return a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)));
    }
    if a.type_id() != b.type_id() {
        return false;
    }
    by::<ImmutableString>(a, b, |a, b| a == b)
        .or_else(|| by::<i64>(a, b, |a, b| a == b))
        .or_else(|| by::<bool>(a, b, |a, b| a == b))
        .or_else(|| by::<f64>(a, b, |a, b| a.to_bits() == b.to_bits()))
        .or_else(|| by::<Blob>(a, b, |a, b| a == b))
        .or_else(|| by::<LargeInt>(a, b, |a, b| a == b))
        .unwrap_or(true)
}

/// The one of `names` that was meant, if it is a likely misspelling.
fn nearest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<&str> = names.collect();
    // Names from elsewhere are settled by the caller, who leaves one.
    if let [only] = names[..] {
        return Some(only);
    }
    let meant = near::nearest(name, names.iter().map(|known| known.trim_end_matches("()")))?;
    names.into_iter().find(|known| known.trim_end_matches("()") == meant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_gets_the_nearest_one() {
        let names = ["args", "method", "user_agent", "get_json()"];
        let cases = [
            ("arg", Some("args")),
            ("methods", Some("method")),
            ("useragent", Some("user_agent")),
            ("get_jsn", Some("get_json()")),
            ("colour", None),
            ("", None),
        ];
        for (name, expected) in cases {
            assert_eq!(nearest(name, names.into_iter()), expected, "{name}");
        }
    }

    #[test]
    fn values_are_compared_to_their_depth() {
        let value = |text| -> Dynamic { serde_json::from_str(text).unwrap() };
        let all = ["1", "2", "1.5", "true", "null", r#""1""#, "[1]", "[1,2]", r#"{"a":[1]}"#, r#"{"b":[1]}"#];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(same(&value(a), &value(b)), i == j, "{a} {b}");
            }
        }
    }
}
