//! Formats floats in Python's notation.

/// Formats `number` like Python's `repr`: `1.0`, `1e+16`, `1e-05`, `nan`, `-inf`.
///
/// The text has the fewest digits that give the same number, and an exponent below 1e-4 and from 1e16 on.
pub(crate) fn python_float(number: f64) -> String {
    if !number.is_finite() {
        return number.to_string().to_lowercase();
    }
    let (digits, exponent) = shortest(number.abs());
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if (-4..16).contains(&exponent) {
        let unsigned = match usize::try_from(exponent) {
            Ok(whole) if whole + 1 < digits.len() => {
                format!("{}.{}", &digits[..=whole], &digits[whole + 1..])
            }
            Ok(whole) => format!("{digits:0<width$}.0", width = whole + 1),
            Err(_) => format!("0.{}{digits}", "0".repeat(exponent.unsigned_abs() as usize - 1)),
        };
        return format!("{sign}{unsigned}");
    }
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    let exponent_sign = if exponent < 0 { '-' } else { '+' };
    format!("{sign}{first}{point}{rest}e{exponent_sign}{:02}", exponent.unsigned_abs())
}

/// Returns the fewest digits that give the same number, and the exponent of the first digit. Where two candidates are equally near,
/// serde_json and Python take the even one, and Rust's own formatting the larger one.
fn shortest(number: f64) -> (String, i32) {
    let text = serde_json::Value::from(number).to_string();
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    let zeros = all.len() - digits.len();
    let exponent = exponent.parse().unwrap_or(0) + whole.len() as i32 - 1 - zeros as i32;
    match digits.trim_end_matches('0') {
        "" => ("0".to_owned(), 0),
        digits => (digits.to_owned(), exponent),
    }
}

#[cfg(test)]
mod tests {
    use super::python_float;

    /// The expected texts are from `repr` in Python 3.11.
    #[test]
    fn floats_are_written_as_python_does() {
        for line in include_str!("float/python.txt").lines() {
            let (bits, expected) = line.split_once(' ').unwrap();
            let number = f64::from_bits(u64::from_str_radix(bits, 16).unwrap());
            assert_eq!(python_float(number), expected, "{bits}");
        }
    }
}
