//! Arithmetic with timedeltas that rounds only once, as in Python. A timedelta has up to 67 bits of microseconds, more than a
//! float holds.

/// Rounds `left / right` to a whole number; halves are rounded to even. Returns `None` for a division by zero.
pub(super) fn nearest(left: i128, right: i128) -> Option<i128> {
    let (quotient, rest) = (left.checked_div_euclid(right)?, left.checked_rem_euclid(right)?);
    // The exact quotient is between `quotient` and `quotient + step`.
    let step = if right > 0 { 1 } else { -1 };
    let twice = rest.unsigned_abs().saturating_mul(2).cmp(&right.unsigned_abs());
    let up = twice.is_gt() || twice.is_eq() && quotient % 2 != 0;
    Some(if up { quotient + step } else { quotient })
}

/// Returns the float nearest to `left / right`.
pub(super) fn ratio(left: i128, right: i128) -> f64 {
    let (dividend, divisor) = (left.unsigned_abs(), right.unsigned_abs());
    if dividend == 0 || divisor == 0 {
        return left as f64 / right as f64;
    }
    let shift = dividend.leading_zeros();
    let shifted = dividend << shift;
    let quotient = shifted / divisor;
    // The last bit is set if any bit was cut off, so that the conversion rounds correctly.
    let rest = u128::from(!shifted.is_multiple_of(divisor));
    let size = (quotient | rest) as f64 / 2_f64.powi(i32::try_from(shift).unwrap_or(0));
    if (left < 0) == (right < 0) { size } else { -size }
}

/// Splits `number` into a whole number and the exponent of a power of two. Returns `None` if `number` isn't finite.
fn parts(number: f64) -> Option<(i128, i32)> {
    if !number.is_finite() {
        return None;
    }
    let bits = number.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7FF).ok()?;
    let fraction = i128::from(bits & 0xF_FFFF_FFFF_FFFF);
    let (digits, exponent) = match exponent {
        0 => (fraction, -1074),
        _ => (fraction | 1 << 52, exponent - 1075),
    };
    let zeros = if digits == 0 { 0 } else { digits.trailing_zeros() };
    let digits = digits >> zeros;
    Some((if number < 0.0 { -digits } else { digits }, exponent + i32::try_from(zeros).ok()?))
}

/// Multiplies `digits` by two to the power of `exponent`. Returns `None` for a power beyond 126 bits.
fn shifted(digits: i128, exponent: i32) -> Option<i128> {
    let power = 1_i128.checked_shl(u32::try_from(exponent).ok()?).filter(|power| *power > 0);
    if digits == 0 { Some(0) } else { digits.checked_mul(power?) }
}

/// The reason why a product or quotient does not exist.
#[derive(Debug, PartialEq)]
pub(super) enum Failure {
    NotFinite,
    ByZero,
    TooLarge,
}

/// Computes `span * by`, rounded once; halves are rounded to even.
pub(super) fn product(span: i128, by: f64) -> Result<i128, Failure> {
    let (digits, exponent) = parts(by).ok_or(Failure::NotFinite)?;
    if exponent >= 0 {
        return shifted(digits, exponent)
            .and_then(|factor| span.checked_mul(factor))
            .ok_or(Failure::TooLarge);
    }
    let digits = span.checked_mul(digits).ok_or(Failure::TooLarge)?;
    // A power too large for 126 bits makes the result far smaller than one half.
    Ok(shifted(1, -exponent).and_then(|power| nearest(digits, power)).unwrap_or(0))
}

/// Computes `span / by`, rounded once; halves are rounded to even.
pub(super) fn quotient(span: i128, by: f64) -> Result<i128, Failure> {
    let (digits, exponent) = parts(by).ok_or(Failure::NotFinite)?;
    if digits == 0 {
        return Err(Failure::ByZero);
    }
    if exponent >= 0 {
        return Ok(shifted(digits, exponent).and_then(|divisor| nearest(span, divisor)).unwrap_or(0));
    }
    shifted(span, -exponent).and_then(|dividend| nearest(dividend, digits)).ok_or(Failure::TooLarge)
}

/// A sum of microseconds, as Python's `timedelta` makes it: whole numbers are added exactly, fractions as floats.
#[derive(Debug, Default)]
pub(super) struct Sum {
    whole: i128,
    rest: f64,
}

impl Sum {
    pub(super) fn add(&mut self, number: i128, unit: i64) {
        self.whole = self.whole.saturating_add(number.saturating_mul(unit.into()));
    }

    pub(super) fn add_float(&mut self, number: f64, unit: i64) {
        // The cast saturates. Saturated numbers are beyond the limit of a timedelta.
        self.add(number.trunc() as i128, unit);
        let rest = number.fract() * unit as f64;
        self.add(rest.trunc() as i128, 1);
        self.rest += rest.fract();
    }

    /// Returns the sum rounded to microseconds; halves are rounded to even.
    pub(super) fn total(&self) -> i128 {
        let odd = f64::from(u8::from(self.whole % 2 != 0));
        // A half is rounded so that the whole sum becomes even, not the rest alone.
        let rounded = (self.rest + odd).round_ties_even() - odd;
        let rest = if self.rest.fract().abs() == 0.5 { rounded } else { self.rest.round() };
        self.whole.saturating_add(rest as i128)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_have_exact_parts() {
        for (number, expected) in [
            (1.0, Some((1, 0))),
            (-0.75, Some((-3, -2))),
            (96.0, Some((3, 5))),
            (0.0, Some((0, -1074))),
            (5e-324, Some((1, -1074))),
            (f64::INFINITY, None),
            (f64::NAN, None),
        ] {
            assert_eq!(parts(number), expected, "{number}");
        }
    }

    #[test]
    fn extreme_factors_are_exact_or_errors() {
        let most = 999_999_999 * 86_400_000_000_i128;
        assert_eq!(product(most, f64::MAX), Err(Failure::TooLarge));
        assert_eq!(product(0, f64::MAX), Err(Failure::TooLarge));
        assert_eq!(product(most, 5e-324), Ok(0));
        assert_eq!(product(-most, -0.5), Ok(most / 2));
        assert_eq!(product(1, f64::NAN), Err(Failure::NotFinite));
        assert_eq!(quotient(most, 5e-324), Err(Failure::TooLarge));
        assert_eq!(quotient(0, 5e-324), Ok(0));
        assert_eq!(quotient(most, f64::MAX), Ok(0));
        assert_eq!(quotient(most, -2_f64.powi(126)), Ok(0));
        assert_eq!(quotient(1, -0.0), Err(Failure::ByZero));
        assert_eq!(quotient(1, f64::INFINITY), Err(Failure::NotFinite));
        assert_eq!(nearest(1, 0), None);
        assert_eq!(ratio(most, -1), -(most as f64));
        assert_eq!(ratio(0, 5), 0.0);
        // Without the bits that are cut off, this would be a half, and rounded down.
        assert_eq!(ratio(16_499, 58_039_441_451_178_181_552), 2.8427220502937967e-16);
    }
}
