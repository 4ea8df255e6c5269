//! Floats in Python's notation.

/// `number` as Python's `repr` shows it: the fewest digits that give the same number, an exponent outside of 1e-4 to 1e16.
/// `1e+16`, `1.0`, `1e-05`, `nan`, `-inf`.
pub(crate) fn python_float(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string().to_lowercase();
    }
    // Rust has the fewest digits too: `-1.25e7`.
    let shortest = format!("{number:e}");
    let (digits, exponent) = shortest.split_once('e').unwrap_or((&shortest, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if !(-4..16).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.unsigned_abs());
    }
    format!("{number:?}")
}

#[cfg(test)]
mod tests {
    use super::python_float;

    /// Each as `repr(float(text))` gives it in Python 3.11.
    #[test]
    fn floats_are_written_as_python_does() {
        for line in include_str!("float/python.txt").lines() {
            let (bits, expected) = line.split_once(' ').unwrap();
            let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
            assert_eq!(python_float(number), expected, "{bits}");
        }
    }
}
