//! A clock that is frozen, shifted or fast: it computes the time that scripts see from the real time.

use chrono::{DateTime, SecondsFormat, Utc};
use std::fmt;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// Nanoseconds of a second.
pub(crate) const SECOND: i128 = 1_000_000_000;
/// The years 1 to 9999, as Python's `datetime` has them: nanoseconds since 1970.
const FIRST: i128 = -62_135_596_800 * SECOND;
const LAST: i128 = 253_402_300_800 * SECOND - 1;

/// The time at which `time.monotonic()` is 0.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Both times of a clock at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Nanoseconds since 1970 (UTC).
    pub wall: i128,
    /// Nanoseconds since the start of the process. They never go back: Python's `time.monotonic()`.
    pub steady: i128,
}

impl Reading {
    /// Returns the real time.
    pub fn real() -> Reading {
        Reading { wall: real_wall(), steady: real_steady() }
    }
}

/// A clock. By default, it shows the real time. A clone shows the same time as the original.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Clock(Option<Arc<Course>>);

/// A clock's course: the real time at which it was set, the time that it showed then, and how fast it runs.
#[derive(Debug, PartialEq, Eq)]
struct Course {
    real: Reading,
    shown: Reading,
    speed: Speed,
}

impl Clock {
    /// Returns a clock that stands at `wall`, nanoseconds since 1970. It stays within the calendar.
    pub fn frozen(wall: i128) -> Clock {
        let real = Reading::real();
        Clock::new(real, Reading { wall, ..real }, Speed::FROZEN)
    }

    /// Returns a clock that shows `shown` when the real time is `real`, and runs on with `speed`.
    pub fn new(real: Reading, shown: Reading, speed: Speed) -> Clock {
        let shown = Reading { wall: shown.wall.clamp(FIRST, LAST), ..shown };
        Clock(Some(Arc::new(Course { real, shown, speed })))
    }

    /// Returns the time since 1970 that the clock shows now, in nanoseconds.
    pub fn wall(&self) -> i128 {
        self.wall_at(real_wall())
    }

    /// Returns the value of `time.monotonic()` now, in nanoseconds.
    pub fn steady(&self) -> i128 {
        self.steady_at(real_steady())
    }

    /// Returns what the clock shows at a real time.
    pub fn at(&self, real: Reading) -> Reading {
        Reading { wall: self.wall_at(real.wall), steady: self.steady_at(real.steady) }
    }

    /// Returns the real time from `real` until `time.monotonic()` is `steady`; zero if it is past, and `None` if the clock never
    /// gets there by itself.
    pub(crate) fn real_until(&self, steady: i128, real: Reading) -> Option<Duration> {
        let left = steady - self.steady_at(real.steady);
        if left <= 0 {
            return Some(Duration::ZERO);
        }
        let speed = i128::from(self.speed().0);
        let left = left.checked_mul(MILLION.into())?;
        // Rounded up: the clock is there then.
        let real = (speed > 0).then(|| (left + speed - 1) / speed)?;
        u64::try_from(real).ok().map(Duration::from_nanos)
    }

    pub fn speed(&self) -> Speed {
        self.0.as_ref().map_or(Speed::USUAL, |course| course.speed)
    }

    fn wall_at(&self, real: i128) -> i128 {
        let Some(course) = &self.0 else { return real };
        (course.shown.wall + course.speed.of(real - course.real.wall)).clamp(FIRST, LAST)
    }

    fn steady_at(&self, real: i128) -> i128 {
        let Some(course) = &self.0 else { return real };
        course.shown.steady + course.speed.of(real - course.real.steady)
    }
}

/// Whether `wall` is within the years 1 to 9999.
pub(super) fn in_calendar(wall: i128) -> bool {
    (FIRST..=LAST).contains(&wall)
}

/// How fast a clock runs: shown millionths of a second for each real second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Speed(u64);

const MILLION: u32 = 1_000_000;

impl Speed {
    pub const FROZEN: Speed = Speed(0);
    pub const USUAL: Speed = Speed(MILLION as u64);

    /// Returns `factor` as a speed; `None` unless it is 0, or from a millionth to a million.
    pub fn new(factor: f64) -> Option<Speed> {
        let fits = factor == 0.0 || (1e-6..=1e6).contains(&factor);
        fits.then(|| Speed((factor * f64::from(MILLION)).round() as u64))
    }

    /// Returns shown seconds for each real second.
    pub fn factor(self) -> f64 {
        self.0 as f64 / f64::from(MILLION)
    }

    fn of(self, elapsed: i128) -> i128 {
        elapsed * i128::from(self.0) / i128::from(MILLION)
    }
}

fn real_wall() -> i128 {
    let now = Utc::now();
    i128::from(now.timestamp()) * SECOND + i128::from(now.timestamp_subsec_nanos())
}

fn real_steady() -> i128 {
    i128::try_from(START.elapsed().as_nanos()).unwrap_or(i128::MAX)
}

/// Shows nanoseconds since 1970 as RFC 3339 text, with as many digits as there are: `2026-01-01T00:00:00Z`.
pub(crate) struct Rfc3339(pub i128);

impl fmt::Display for Rfc3339 {
    fn fmt(&self, out: &mut fmt::Formatter) -> fmt::Result {
        let wall = self.0.clamp(FIRST, LAST);
        let seconds = i64::try_from(wall.div_euclid(SECOND)).unwrap_or_default();
        let nanoseconds = u32::try_from(wall.rem_euclid(SECOND)).unwrap_or_default();
        let time = DateTime::from_timestamp(seconds, nanoseconds).unwrap_or_default();
        out.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a reading of so many seconds on both sides.
    fn reading(wall: i128, steady: i128) -> Reading {
        Reading { wall: wall * SECOND, steady: steady * SECOND }
    }

    #[test]
    fn a_clock_runs_on_from_the_time_at_which_it_was_set() {
        let (real, shown) = (reading(1_000, 50), reading(5_000, 70));
        for (speed, later, wall, steady) in [
            (0.0, 0, 5_000, 70),
            (0.0, 100, 5_000, 70),
            (1.0, 0, 5_000, 70),
            (1.0, 100, 5_100, 170),
            (60.0, 100, 11_000, 6_070),
            (0.5, 100, 5_050, 120),
            // The system's clock was set back: the shown one goes back as well.
            (1.0, -10, 4_990, 60),
        ] {
            let clock = Clock::new(real, shown, Speed::new(speed).unwrap());
            let at = clock.at(reading(1_000 + later, 50 + later));
            assert_eq!(at, reading(wall, steady), "speed {speed}, {later} s later");
            assert_eq!(clock.speed().factor(), speed);
        }
    }

    #[test]
    fn a_clock_without_a_setting_shows_the_real_time() {
        let clock = Clock::default();
        assert_eq!(clock.at(reading(7, 8)), reading(7, 8));
        assert_eq!(clock.speed(), Speed::USUAL);
        let before = Reading::real();
        let shown = Reading { wall: clock.wall(), steady: clock.steady() };
        let after = Reading::real();
        assert!(before.wall <= shown.wall && shown.wall <= after.wall);
        assert!(before.steady <= shown.steady && shown.steady <= after.steady);
    }

    #[test]
    fn a_clock_of_the_usual_speed_loses_no_nanosecond() {
        let clock = Clock::new(Reading { wall: 3, steady: 0 }, Reading { wall: 12, steady: 0 }, Speed::USUAL);
        let century = 100 * 365 * 86_400 * SECOND + 1;
        assert_eq!(clock.wall_at(century), century + 9);
    }

    #[test]
    fn a_clock_says_when_it_will_be_somewhere() {
        let (real, second) = (reading(100, 10), Duration::from_secs(1));
        let clock = |speed| Clock::new(real, reading(5_000, 70), Speed::new(speed).unwrap());
        for (clock, steady, until) in [
            (Clock::default(), 12, Some(second * 2)),
            (Clock::default(), 10, Some(Duration::ZERO)),
            (clock(1.0), 75, Some(second * 5)),
            (clock(60.0), 190, Some(second * 2)),
            (clock(0.5), 71, Some(second * 2)),
            (clock(0.0), 71, None),
            (clock(0.0), 70, Some(Duration::ZERO)),
            (clock(1e-6), i128::from(u64::MAX), None),
        ] {
            assert_eq!(clock.real_until(steady * SECOND, real), until, "{clock:?} until {steady}");
        }
        let third = clock(3.0).real_until(70 * SECOND + 1, real);
        assert_eq!(third, Some(Duration::from_nanos(1)));
    }

    #[test]
    fn a_clock_stays_within_the_calendar() {
        for (wall, speed, shown) in [
            (i128::MAX / 2, 0.0, "9999-12-31T23:59:59.999999999Z"),
            (-i128::MAX / 2, 0.0, "0001-01-01T00:00:00Z"),
            (253_402_300_799 * SECOND, 1e6, "9999-12-31T23:59:59.999999999Z"),
        ] {
            let clock = Clock::new(reading(0, 0), Reading { wall, steady: 0 }, Speed::new(speed).unwrap());
            assert_eq!(Rfc3339(clock.wall_at(100 * SECOND)).to_string(), shown);
        }
    }

    #[test]
    fn speeds_have_six_digits_and_an_end() {
        for (factor, speed) in [
            (0.0, Some(0.0)),
            (0.000_001, Some(0.000_001)),
            (1.5, Some(1.5)),
            (1e6, Some(1e6)),
            (-1.0, None),
            (1e-7, None),
            (1e6 + 1.0, None),
            (f64::NAN, None),
        ] {
            assert_eq!(Speed::new(factor).map(Speed::factor), speed, "{factor}");
        }
    }

    #[test]
    fn a_frozen_clock_stands_and_so_does_its_monotonic_time() {
        let clock = Clock::frozen(1_767_225_600 * SECOND);
        assert_eq!(Rfc3339(clock.wall()).to_string(), "2026-01-01T00:00:00Z");
        assert_eq!((clock.clone().wall(), clock.steady()), (clock.wall(), clock.steady()));
    }

    #[test]
    fn times_are_shown_with_the_digits_that_they_have() {
        for (wall, shown) in [
            (0, "1970-01-01T00:00:00Z"),
            (1_500_000_000, "1970-01-01T00:00:01.500Z"),
            (1_000, "1970-01-01T00:00:00.000001Z"),
            (-1, "1969-12-31T23:59:59.999999999Z"),
        ] {
            assert_eq!(Rfc3339(wall).to_string(), shown);
        }
    }
}
