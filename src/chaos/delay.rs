//! The delay of an answer: fixed, or drawn from a distribution.

use fastrand::Rng;
use std::f64::consts::TAU;
use std::fmt;
use std::time::Duration;

/// Longest delay of an answer: an hour. Clients have given up by then.
pub(crate) const LONGEST: Duration = Duration::from_secs(3600);
const LONGEST_MS: f64 = 3_600_000.0;
/// Greatest sigma. With a greater one, nearly all delays are zero or an hour.
const MOST_SIGMA: f64 = 10.0;

/// A delay. Times are in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Delay {
    Fixed(f64),
    /// A time between these bounds. All times are equally likely.
    Uniform(f64, f64),
    /// Half of the delays are shorter than `median`, and a few are much longer. Most services behave so.
    Lognormal {
        median: f64,
        /// Standard deviation of the logarithm.
        sigma: f64,
    },
}

impl Delay {
    /// Creates a delay that is always the same.
    ///
    /// # Errors
    /// `ms` is not a time from 0 to an hour. The caller puts the name of a field in front of the error.
    pub fn fixed(ms: f64) -> Result<Delay, String> {
        Ok(Delay::Fixed(time(ms)?))
    }

    /// Creates a delay from `low` to `high`.
    ///
    /// # Errors
    /// A bound is not a time, or `low` is above `high`.
    pub fn uniform(low: f64, high: f64) -> Result<Delay, String> {
        let (low, high) = (time(low)?, time(high)?);
        if low > high {
            return Err(format!("{low} is above {high}"));
        }
        Ok(Delay::Uniform(low, high))
    }

    /// Creates a delay around `median`.
    ///
    /// # Errors
    /// The median is not a time, or sigma is not a number from 0 to 10.
    pub fn lognormal(median: f64, sigma: f64) -> Result<Delay, String> {
        let median = time(median)?;
        if !(0.0..=MOST_SIGMA).contains(&sigma) {
            return Err(format!("{sigma} is no sigma from 0 to {MOST_SIGMA}"));
        }
        Ok(Delay::Lognormal { median, sigma })
    }

    /// Draws the next delay, of an hour at most.
    pub fn draw(self, random: &mut Rng) -> Duration {
        let ms = match self {
            Delay::Fixed(ms) => ms,
            Delay::Uniform(low, high) => low + (high - low) * random.f64(),
            Delay::Lognormal { median, sigma } => median * (sigma * normal(random)).exp(),
        };
        Duration::from_secs_f64(ms.min(LONGEST_MS) / 1000.0)
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Delay::Fixed(ms) => write!(f, "{ms} ms"),
            Delay::Uniform(low, high) => write!(f, "{low} to {high} ms"),
            Delay::Lognormal { median, .. } => write!(f, "around {median} ms"),
        }
    }
}

/// Draws a number of the standard normal distribution (Box and Muller, 1958).
fn normal(random: &mut Rng) -> f64 {
    // Above 0, since the logarithm of 0 is infinite.
    let first = 1.0 - random.f64();
    (-2.0 * first.ln()).sqrt() * (TAU * random.f64()).cos()
}

/// Checks that `ms` is a time.
///
/// # Errors
/// `ms` is negative, not a number, or more than an hour.
pub(super) fn time(ms: f64) -> Result<f64, String> {
    match (0.0..=LONGEST_MS).contains(&ms) {
        true => Ok(ms),
        false => Err(format!("{ms} is no time from 0 to {LONGEST_MS} ms")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Draws many delays. Returns the least, median, mean and greatest in milliseconds.
    fn drawn(delay: Delay) -> [f64; 4] {
        let mut random = Rng::with_seed(5);
        let mut times: Vec<f64> =
            (0..20_000).map(|_| delay.draw(&mut random).as_secs_f64() * 1000.0).collect();
        times.sort_by(f64::total_cmp);
        let mean = times.iter().sum::<f64>() / times.len() as f64;
        [times[0], times[times.len() / 2], mean, times[times.len() - 1]]
    }

    #[test]
    fn distributions_have_the_median_and_mean_that_they_should() {
        // The mean of a lognormal distribution is median * exp(sigma^2 / 2).
        let cases = [
            (Delay::fixed(70.0), [70.0, 70.0, 70.0, 70.0], 0.0001),
            (Delay::uniform(50.0, 150.0), [50.0, 100.0, 100.0, 150.0], 0.02),
            (Delay::uniform(8.0, 8.0), [8.0, 8.0, 8.0, 8.0], 0.0001),
            (Delay::lognormal(100.0, 0.5), [0.0, 100.0, 113.3, 1e9], 0.02),
            (Delay::lognormal(20.0, 1.0), [0.0, 20.0, 32.97, 1e9], 0.04),
            (Delay::lognormal(20.0, 0.0), [20.0, 20.0, 20.0, 20.0], 0.0001),
        ];
        for (delay, [least, median, mean, greatest], share) in cases {
            let delay = delay.unwrap();
            let found = drawn(delay);
            assert!((found[1] / median - 1.0).abs() <= share, "{delay:?}: median {}", found[1]);
            assert!((found[2] / mean - 1.0).abs() <= share, "{delay:?}: mean {}", found[2]);
            assert!(found[0] >= least && found[3] <= greatest, "{delay:?}: {found:?}");
        }
    }

    #[test]
    fn a_lognormal_distribution_has_the_spread_that_it_should() {
        // 84.1 % of the delays are below median * exp(sigma).
        let delay = Delay::lognormal(100.0, 0.5).unwrap();
        let mut random = Rng::with_seed(6);
        let below = (0..20_000).filter(|_| delay.draw(&mut random).as_secs_f64() * 1000.0 < 164.87).count();
        assert!((below as f64 / 20_000.0 - 0.8413).abs() < 0.01, "{below}");
    }

    #[test]
    fn no_delay_is_longer_than_an_hour() {
        assert_eq!(drawn(Delay::lognormal(3_600_000.0, 10.0).unwrap())[3], LONGEST_MS);
    }

    #[test]
    fn an_invalid_delay_is_an_error_that_names_it() {
        let cases = [
            (Delay::fixed(-5.0), "-5 is no time from 0 to 3600000 ms"),
            (Delay::fixed(f64::NAN), "NaN is no time from 0 to 3600000 ms"),
            (Delay::fixed(f64::INFINITY), "inf is no time from 0 to 3600000 ms"),
            (Delay::fixed(3_600_000.5), "3600000.5 is no time from 0 to 3600000 ms"),
            (Delay::uniform(150.0, 50.0), "150 is above 50"),
            (Delay::uniform(-1.0, 50.0), "-1 is no time from 0 to 3600000 ms"),
            (Delay::uniform(1.0, f64::NAN), "NaN is no time from 0 to 3600000 ms"),
            (Delay::lognormal(100.0, -0.5), "-0.5 is no sigma from 0 to 10"),
            (Delay::lognormal(100.0, f64::NAN), "NaN is no sigma from 0 to 10"),
            (Delay::lognormal(-100.0, 0.5), "-100 is no time from 0 to 3600000 ms"),
        ];
        for (delay, error) in cases {
            assert_eq!(delay.unwrap_err(), error);
        }
    }
}
