//! A change of a clock, as a test or the command line asks for it: it makes a new clock out of the present one.

use super::clock::{Clock, Reading, Speed, in_calendar};

/// A change of a clock. The parts apply in this order: `start`, `advance`, `speed`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ClockChange {
    /// The time from which the clock goes on; `None` for the one that it shows.
    pub start: Option<Start>,
    /// Nanoseconds to add.
    pub advance: i128,
    /// `None` for the present speed; the usual one after [`Start::Shift`].
    pub speed: Option<Speed>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nanoseconds since 1970.
    At(i128),
    /// Nanoseconds after the real time.
    Shift(i128),
}

impl ClockChange {
    /// Returns the clock that shows the present reading of `clock` with this change. `real` is the real time.
    ///
    /// `time.monotonic()` goes on where it is. Only `advance` moves it, if that leads forward.
    ///
    /// # Errors
    /// The new time is outside of the years 1 to 9999.
    pub(crate) fn apply(&self, clock: &Clock, real: Reading) -> Result<Clock, String> {
        let present = clock.at(real);
        let (start, speed) = match self.start {
            None => (present.wall, clock.speed()),
            Some(Start::At(wall)) => (wall, clock.speed()),
            Some(Start::Shift(by)) => (real.wall.saturating_add(by), Speed::USUAL),
        };
        let wall = start.saturating_add(self.advance);
        if !in_calendar(wall) {
            return Err("the clock would leave the years 1 to 9999".to_owned());
        }
        let shown = Reading { wall, steady: present.steady.saturating_add(self.advance.max(0)) };
        Ok(Clock::new(real, shown, self.speed.unwrap_or(speed)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns a reading of so many nanoseconds on both sides.
    fn reading(wall: i128, steady: i128) -> Reading {
        Reading { wall, steady }
    }

    fn change(start: Option<Start>, advance: i128, speed: Option<f64>) -> ClockChange {
        ClockChange { start, advance, speed: speed.map(|speed| Speed::new(speed).unwrap()) }
    }

    #[test]
    fn changes_follow_one_another() {
        let mut clock = Clock::default();
        // Real time at the change; the change; what the clock shows then, and its speed.
        let table = [
            (100, change(None, 5, None), reading(105, 15), 1.0),
            (110, change(None, 0, Some(0.0)), reading(115, 25), 0.0),
            (200, change(None, 1, None), reading(116, 26), 0.0),
            (300, change(None, -6, None), reading(110, 26), 0.0),
            (400, change(Some(Start::At(1_000)), 0, None), reading(1_000, 26), 0.0),
            (500, change(None, 0, Some(60.0)), reading(1_000, 26), 60.0),
            (510, change(None, 0, None), reading(1_600, 626), 60.0),
            (510, change(Some(Start::Shift(-7)), 2, None), reading(505, 628), 1.0),
            (520, change(Some(Start::At(9)), 0, Some(0.5)), reading(9, 638), 0.5),
            (530, change(Some(Start::Shift(1)), 0, Some(0.0)), reading(531, 643), 0.0),
        ];
        for (row, (real, change, shown, speed)) in table.into_iter().enumerate() {
            let real = reading(real, real - 90);
            clock = change.apply(&clock, real).unwrap();
            assert_eq!((clock.at(real), clock.speed().factor()), (shown, speed), "row {row}");
        }
    }

    /// A test that advances a running clock a million times in small steps is at the sum of its steps.
    #[test]
    fn advances_lose_no_nanosecond() {
        let mut clock = Clock::default();
        for step in 0..1_000_000 {
            clock = change(None, 1, None).apply(&clock, reading(step, step)).unwrap();
        }
        assert_eq!(clock.at(reading(1_000_000, 1_000_000)), reading(2_000_000, 2_000_000));
    }

    #[test]
    fn changes_out_of_the_calendar_are_refused() {
        let refused = Err("the clock would leave the years 1 to 9999".to_owned());
        for change in [
            change(None, i128::MAX, None),
            change(None, i128::MIN, None),
            change(Some(Start::At(i128::MAX)), i128::MAX, None),
            change(Some(Start::Shift(i128::MIN)), 0, None),
        ] {
            assert_eq!(change.apply(&Clock::default(), reading(0, 0)), refused, "{change:?}");
        }
    }
}
