//! `fromisoformat`: parses the forms of ISO 8601 that Python 3.11 accepts.

use crate::script::runtime::datetime::{DAY, DateTime, Timezone};
use chrono::{NaiveDate, NaiveTime, Weekday};

/// The unread rest of a text.
struct Cursor<'t>(&'t str);

impl Cursor<'_> {
    fn take(&mut self, letter: char) -> bool {
        let after = self.0.strip_prefix(letter);
        self.0 = after.unwrap_or(self.0);
        after.is_some()
    }

    /// Reads a number of exactly `count` digits.
    fn digits(&mut self, count: usize) -> Option<u32> {
        let digits = self.0.get(..count).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))?;
        self.0 = &self.0[count..];
        digits.parse().ok()
    }

    /// Whether another number follows. If numbers are `separated`, this reads the `mark` before it.
    fn goes_on(&mut self, separated: bool, mark: char) -> bool {
        if separated { self.take(mark) } else { self.0.starts_with(|letter: char| letter.is_ascii_digit()) }
    }

    /// Reads a date: `2026-11-30`, `20261130`, `2026-W49-1`, `2026W491`, `2026-W49`.
    fn date(&mut self) -> Option<NaiveDate> {
        let year = i32::try_from(self.digits(4)?).ok().filter(|year| *year > 0)?;
        let dashes = self.take('-');
        if self.take('W') {
            let week = self.digits(2)?;
            let day = if self.goes_on(dashes, '-') { self.digits(1)? } else { 1 };
            let day = u8::try_from(day).ok()?.checked_sub(1)?;
            return NaiveDate::from_isoywd_opt(year, week, Weekday::try_from(day).ok()?);
        }
        let month = self.digits(2)?;
        if self.take('-') != dashes {
            return None;
        }
        NaiveDate::from_ymd_opt(year, month, self.digits(2)?)
    }

    /// Reads a time (`05:13:46.123456`, `051346`, `05`) as hours, minutes, seconds and microseconds.
    fn time(&mut self) -> Option<[u32; 4]> {
        let mut parts = [self.digits(2)?, 0, 0, 0];
        let colons = self.0.starts_with(':');
        for place in 1..3 {
            if !self.goes_on(colons, ':') {
                return Some(parts);
            }
            parts[place] = self.digits(2)?;
        }
        if self.take('.') || self.take(',') {
            let end = self.0.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(self.0.len());
            // Digits after the sixth are ignored.
            let digits = self.0[..end].get(..6).unwrap_or(&self.0[..end]);
            parts[3] = format!("{digits:0<6}").parse().ok().filter(|_| end > 0)?;
            self.0 = &self.0[end..];
        }
        Some(parts)
    }
}

fn micros([hour, minute, second, micros]: [u32; 4]) -> i64 {
    let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
    seconds * 1_000_000 + i64::from(micros)
}

/// Parses an offset (`Z`, `+01:00`, `-0130`, `+01:00:30.5`), which is less than a day.
pub(super) fn offset(text: &str) -> Option<Timezone> {
    let mut rest = Cursor(text);
    let sign = match (rest.take('Z'), rest.take('+'), rest.take('-')) {
        (true, ..) => return rest.0.is_empty().then_some(Timezone(0)),
        (_, true, _) => 1,
        (.., true) => -1,
        _ => return None,
    };
    let parts = rest.time()?;
    let offset = micros(parts);
    (rest.0.is_empty() && parts[1] < 60 && parts[2] < 60 && offset < DAY).then_some(Timezone(sign * offset))
}

pub(super) fn date(text: &str) -> Option<NaiveDate> {
    let mut rest = Cursor(text);
    rest.date().filter(|_| rest.0.is_empty())
}

/// Parses a date, any one character, a time and an offset. The offset may be missing, and so may all after the date.
pub(crate) fn datetime(text: &str) -> Option<DateTime> {
    let mut rest = Cursor(text);
    let date = rest.date()?;
    if rest.0.is_empty() {
        return DateTime::midnight(date);
    }
    let mut letters = rest.0.chars();
    letters.next();
    let mut rest = Cursor(letters.as_str());
    let [hour, minute, second, micros] = rest.time()?;
    let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micros).filter(|_| micros < 1_000_000)?;
    let zone = if rest.0.is_empty() { None } else { Some(offset(rest.0)?) };
    Some(DateTime { local: date.and_time(time), zone })
}
