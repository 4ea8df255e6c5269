//! Python's `datetime`, `date`, `timedelta` and `timezone` as script values, with microseconds, for the years 1 to 9999.

mod text;

pub(crate) use text::{Precision, Repr, isoformat, offset_text};

use super::natives::ScriptValue;
use crate::message::http_date;
use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime};
use rhai::Dynamic;
use std::cmp::Ordering;

pub(crate) const DAY: i64 = 86_400_000_000;
const MAX_DAYS: i128 = 999_999_999;

/// A date and a time of day: *aware* with a timezone, *naive* without one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct DateTime {
    pub local: NaiveDateTime,
    /// Offset from UTC; `None` for a naive one.
    pub zone: Option<Timezone>,
}

#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Date(pub NaiveDate);

/// A span of time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct TimeDelta(i128);

/// Offset from UTC in microseconds, less than a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Timezone(pub i64);

impl ScriptValue for DateTime {}
impl ScriptValue for Date {}
impl ScriptValue for TimeDelta {}
impl ScriptValue for Timezone {}

pub(crate) const UTC: Timezone = Timezone(0);

fn in_calendar(date: NaiveDate) -> bool {
    (1..=9999).contains(&date.year())
}

impl DateTime {
    /// Creates a datetime from microseconds since 1970 (UTC), in `zone`. Returns `None` outside of the years 1 to 9999.
    pub(crate) fn at(micros: i64, zone: Option<Timezone>) -> Option<Self> {
        let local = micros.checked_add(zone.map_or(0, |zone| zone.0))?;
        let local = chrono::DateTime::from_timestamp_micros(local)?.naive_utc();
        in_calendar(local.date()).then_some(DateTime { local, zone })
    }

    pub(crate) fn midnight(date: NaiveDate) -> Option<Self> {
        in_calendar(date).then_some(DateTime { local: date.and_time(NaiveTime::MIN), zone: None })
    }

    /// Returns microseconds since 1970. A naive datetime is taken as UTC, which is the mock's local time.
    pub(crate) fn micros(&self) -> i64 {
        self.local.and_utc().timestamp_micros() - self.zone.map_or(0, |zone| zone.0)
    }

    pub(crate) fn plus(&self, delta: TimeDelta) -> Option<Self> {
        let micros = i64::try_from(i128::from(self.micros()).checked_add(delta.0)?).ok()?;
        Self::at(micros, self.zone)
    }

    /// Returns `None` where one is naive and the other aware.
    pub(crate) fn minus(&self, other: &Self) -> Option<TimeDelta> {
        let same = self.zone.is_some() == other.zone.is_some();
        same.then(|| TimeDelta(i128::from(self.micros()) - i128::from(other.micros())))
    }
}

impl Date {
    pub(crate) fn plus(&self, delta: TimeDelta) -> Option<Self> {
        let days = chrono::TimeDelta::try_days(i64::try_from(delta.days()).ok()?)?;
        self.0.checked_add_signed(days).filter(|date| in_calendar(*date)).map(Date)
    }
}

impl TimeDelta {
    /// Returns `None` beyond 999,999,999 days, Python's limit.
    pub(crate) fn new(micros: i128) -> Option<Self> {
        let days = micros.div_euclid(i128::from(DAY));
        (-MAX_DAYS..=MAX_DAYS).contains(&days).then_some(TimeDelta(micros))
    }

    pub(crate) fn micros(self) -> i128 {
        self.0
    }

    /// Returns whole days, rounded down as in Python: -1 day for -1 second.
    pub(crate) fn days(self) -> i128 {
        self.0.div_euclid(i128::from(DAY))
    }

    /// Returns the seconds and microseconds beyond the whole days; neither is negative.
    pub(crate) fn rest(self) -> (i64, i64) {
        let rest = i64::try_from(self.0.rem_euclid(i128::from(DAY))).unwrap_or(0);
        (rest / 1_000_000, rest % 1_000_000)
    }
}

/// Compares two datetimes, two dates or two timedeltas. Returns `None` for other values. The inner `Option` is `None` between naive
/// and aware datetimes.
pub(crate) fn compare(left: &Dynamic, right: &Dynamic) -> Option<Option<Ordering>> {
    if let (Some(left), Some(right)) = (left.read_lock::<DateTime>(), right.read_lock::<DateTime>()) {
        return Some(left.minus(&right).map(|delta| delta.0.cmp(&0)));
    }
    if let (Some(left), Some(right)) = (left.read_lock::<Date>(), right.read_lock::<Date>()) {
        return Some(left.partial_cmp(&right));
    }
    if let (Some(left), Some(right)) = (left.read_lock::<TimeDelta>(), right.read_lock::<TimeDelta>()) {
        return Some(left.partial_cmp(&right));
    }
    None
}

/// Returns Python's name of the type of `value`, if it is a type of this module.
pub(crate) fn type_name(value: &Dynamic) -> Option<&'static str> {
    match value {
        _ if value.is::<DateTime>() => Some("datetime"),
        _ if value.is::<Date>() => Some("date"),
        _ if value.is::<TimeDelta>() => Some("timedelta"),
        _ if value.is::<Timezone>() => Some("timezone"),
        _ => None,
    }
}

/// Returns the text that Python's `str` returns, if `value` is of a type of this module.
pub(crate) fn display(value: &Dynamic) -> Option<String> {
    if let Some(moment) = value.read_lock::<DateTime>() {
        return Some(moment.to_string());
    }
    if let Some(date) = value.read_lock::<Date>() {
        return Some(date.to_string());
    }
    if let Some(delta) = value.read_lock::<TimeDelta>() {
        return Some(delta.to_string());
    }
    value.read_lock::<Timezone>().map(|zone| zone.to_string())
}

/// Formats a datetime or date as HTTP date (RFC 9110, section 5.6.7), as Flask does. A naive datetime is taken as UTC.
pub(crate) fn http_date(value: &Dynamic) -> Option<String> {
    let local = match (value.read_lock::<DateTime>(), value.read_lock::<Date>()) {
        (Some(moment), _) => chrono::DateTime::from_timestamp_micros(moment.micros())?.naive_utc(),
        (_, Some(date)) => date.0.and_time(NaiveTime::MIN),
        _ => return None,
    };
    http_date::write(local.and_utc().timestamp())
}
