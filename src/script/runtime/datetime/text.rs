//! Python's `str` and `repr` of datetimes, dates, timedeltas and timezones.

use super::{Date, DateTime, TimeDelta, Timezone, UTC};
use chrono::{Datelike, NaiveTime, Timelike};
use std::fmt::{self, Display, Formatter};

/// Precision of the time of day in `isoformat` (`timespec` in Python).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Precision {
    /// Seconds, with microseconds unless they are 0.
    Auto,
    Hours,
    Minutes,
    Seconds,
    Milliseconds,
    Microseconds,
}

fn time_text(time: NaiveTime, precision: Precision) -> String {
    let pattern = match precision {
        Precision::Hours => "%H",
        Precision::Minutes => "%H:%M",
        Precision::Auto if time.nanosecond() < 1_000 => "%H:%M:%S",
        Precision::Seconds => "%H:%M:%S",
        Precision::Milliseconds => "%H:%M:%S%.3f",
        Precision::Auto | Precision::Microseconds => "%H:%M:%S%.6f",
    };
    time.format(pattern).to_string()
}

/// Formats an offset, for example `+01:00`. Seconds and microseconds follow unless they are 0. `colon` separates the parts.
pub(crate) fn offset_text(zone: Timezone, colon: &str) -> String {
    let sign = if zone.0 < 0 { '-' } else { '+' };
    let (seconds, micros) = (zone.0.abs() / 1_000_000, zone.0.abs() % 1_000_000);
    let mut text = format!("{sign}{:02}{colon}{:02}", seconds / 3600, seconds / 60 % 60);
    if seconds % 60 > 0 || micros > 0 {
        text += &format!("{colon}{:02}", seconds % 60);
    }
    if micros > 0 {
        text += &format!(".{micros:06}");
    }
    text
}

pub(crate) fn isoformat(moment: &DateTime, separator: &str, precision: Precision) -> String {
    let offset = moment.zone.map(|zone| offset_text(zone, ":")).unwrap_or_default();
    format!("{}{separator}{}{offset}", Date(moment.local.date()), time_text(moment.local.time(), precision))
}

impl Display for DateTime {
    fn fmt(&self, out: &mut Formatter) -> fmt::Result {
        out.write_str(&isoformat(self, " ", Precision::Auto))
    }
}

impl Display for Date {
    fn fmt(&self, out: &mut Formatter) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Display for TimeDelta {
    fn fmt(&self, out: &mut Formatter) -> fmt::Result {
        let (days, (seconds, micros)) = (self.days(), self.rest());
        if days != 0 {
            write!(out, "{days} day{}, ", if days.abs() == 1 { "" } else { "s" })?;
        }
        write!(out, "{}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)?;
        if micros > 0 { write!(out, ".{micros:06}") } else { Ok(()) }
    }
}

impl Display for Timezone {
    fn fmt(&self, out: &mut Formatter) -> fmt::Result {
        out.write_str("UTC")?;
        if *self == UTC { Ok(()) } else { out.write_str(&offset_text(*self, ":")) }
    }
}

/// Python's `repr`.
pub(crate) trait Repr {
    fn repr(&self) -> String;
}

impl Repr for DateTime {
    fn repr(&self) -> String {
        let (date, time) = (self.local.date(), self.local.time());
        let mut text = format!(
            "datetime.datetime({}, {}, {}, {}, {}",
            date.year(),
            date.month(),
            date.day(),
            time.hour(),
            time.minute()
        );
        let micros = time.nanosecond() / 1000;
        if time.second() > 0 || micros > 0 {
            text += &format!(", {}", time.second());
        }
        if micros > 0 {
            text += &format!(", {micros}");
        }
        if let Some(zone) = &self.zone {
            text += &format!(", tzinfo={}", zone.repr());
        }
        text + ")"
    }
}

impl Repr for Date {
    fn repr(&self) -> String {
        format!("datetime.date({}, {}, {})", self.0.year(), self.0.month(), self.0.day())
    }
}

impl Repr for TimeDelta {
    fn repr(&self) -> String {
        let (days, (seconds, micros)) = (self.days(), self.rest());
        let parts = [("days", days), ("seconds", seconds.into()), ("microseconds", micros.into())];
        let shown = parts.iter().filter(|(_, number)| *number != 0);
        let shown: Vec<String> = shown.map(|(name, number)| format!("{name}={number}")).collect();
        let inner = if shown.is_empty() { "0".to_owned() } else { shown.join(", ") };
        format!("datetime.timedelta({inner})")
    }
}

impl Repr for Timezone {
    fn repr(&self) -> String {
        match TimeDelta::new(self.0.into()) {
            Some(offset) if *self != UTC => format!("datetime.timezone({})", offset.repr()),
            _ => "datetime.timezone.utc".to_owned(),
        }
    }
}
