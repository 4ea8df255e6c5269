//! Equality of two values of scripts.

use super::frozen::{as_list, as_map, is_same};
use super::large_int::LargeInt;
use super::size_limits::is_late;
use rhai::{Blob, Dynamic, ImmutableString};

/// Whether two values of scripts are equal. Two values of the same type of h1mock always count as equal, since
/// they can't change; only large integers are compared.
///
/// After a method was called on the value of a property, Rhai assigns that value to the property again. This function
/// distinguishes it from a new value.
pub(crate) fn same(a: &Dynamic, b: &Dynamic) -> bool {
    same_at_depth(a, b, 0)
}

fn same_at_depth(a: &Dynamic, b: &Dynamic, depth: usize) -> bool {
    fn by<T>(a: &Dynamic, b: &Dynamic, equal: impl Fn(&T, &T) -> bool) -> Option<bool>
    where
        T: Clone + Send + Sync + 'static,
    {
        Some(equal(&*a.read_lock::<T>()?, &*b.read_lock::<T>()?))
    }
    if is_same(a, b) || is_late(depth) {
        return true;
    }
    if let (Some(a), Some(b)) = (as_list(a), as_list(b)) {
        return a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same_at_depth(a, b, depth + 1));
    }
    if let (Some(a), Some(b)) = (as_map(a), as_map(b)) {
        return a.len() == b.len()
            && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same_at_depth(a, b, depth + 1)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::runtime::json::from_json;

    #[test]
    fn values_are_compared_with_all_their_items() {
        let value = |text: &str| -> Dynamic { from_json(text.as_bytes()).unwrap() };
        let all = ["1", "2", "1.5", "true", "null", r#""1""#, "[1]", "[1,2]", r#"{"a":[1]}"#, r#"{"b":[1]}"#];
        for (i, a) in all.iter().enumerate() {
            for (j, b) in all.iter().enumerate() {
                assert_eq!(same(&value(a), &value(b)), i == j, "{a} {b}");
            }
        }
    }
}
