//! `datetime`, `date`, `timedelta` and `timezone`. Local time is UTC, as in most containers.

mod exact;
pub(crate) mod iso;
mod methods;
mod operators;
pub(crate) mod strftime;
mod strptime;

use super::unknown_option;
use crate::script::runtime::call;
use crate::script::runtime::datetime::{DAY, Date, DateTime, Precision, TimeDelta, Timezone, UTC, isoformat};
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::natives::{Fallible, Natives, Receiver, ScriptValue};
use crate::script::runtime::size_limits::type_name;
use crate::system::truncate::beginning;
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use rhai::Dynamic;
use std::any::TypeId;

/// The handle `datetime`, which is Python's class and Python's module of this name.
#[derive(Debug, Clone)]
pub(crate) struct DatetimeHandle;

#[derive(Debug, Clone)]
pub(crate) struct DateHandle;

#[derive(Debug, Clone)]
pub(crate) struct TimezoneHandle;

impl ScriptValue for DatetimeHandle {}
impl ScriptValue for DateHandle {}
impl ScriptValue for TimezoneHandle {}

/// Returns `value`. `None` is an error: the result of `name` is outside of the calendar.
fn within<T>(name: &str, value: Option<T>) -> Fallible<T> {
    value.ok_or_else(|| format!("{name}: the result is outside of the years 1 to 9999").into())
}

/// Returns the time `seconds` after 1970, rounded to microseconds; halves are rounded to even, as in Python.
pub(crate) fn from_seconds(name: &str, seconds: f64, zone: Option<Timezone>) -> Fallible<DateTime> {
    // The cast saturates. Saturated numbers are outside of the calendar.
    let micros = (seconds.fract() * 1e6).round_ties_even() as i64;
    let whole = (seconds.trunc() as i64).checked_mul(1_000_000);
    let moment = whole.and_then(|whole| DateTime::at(whole.checked_add(micros)?, zone));
    moment
        .filter(|_| seconds.is_finite())
        .ok_or_else(|| format!("{name}: {seconds:?} seconds are outside of the calendar").into())
}

/// Converts an integer or a float to seconds.
fn seconds_of(name: &str, value: &Dynamic) -> Fallible<f64> {
    let number = value.as_float().or_else(|_| value.as_int().map(|seconds| seconds as f64));
    number.map_err(|_| format!("{name}: needs a number of seconds, not `{}`", type_name(value)).into())
}

/// Converts an argument to a timezone; `()` means none.
fn zone_of(name: &str, value: &Dynamic) -> Fallible<Option<Timezone>> {
    if value.is_unit() {
        return Ok(None);
    }
    let zone = value.read_lock::<Timezone>().map(|zone| *zone);
    zone.map(Some).ok_or_else(|| {
        format!("{name}: needs a timezone such as `timezone.utc`, not `{}`", type_name(value)).into()
    })
}

/// The parts of a datetime under construction.
struct Parts {
    /// Year, month, day, hour, minute, second, microsecond.
    numbers: [i64; 7],
    zone: Option<Timezone>,
}

const PARTS: [&str; 7] = ["year", "month", "day", "hour", "minute", "second", "microsecond"];

impl Parts {
    fn of(moment: &DateTime) -> Self {
        let (date, time) = (moment.local.date(), moment.local.time());
        let [month, day] = [date.month(), date.day()].map(i64::from);
        let [hour, minute, second, micro] =
            [time.hour(), time.minute(), time.second(), time.nanosecond() / 1000].map(i64::from);
        Self { numbers: [date.year().into(), month, day, hour, minute, second, micro], zone: moment.zone }
    }

    /// Sets parts from a map of options. Only the first `count` parts are allowed; `tzinfo` only if all parts are.
    fn set(&mut self, name: &str, options: &Dynamic, count: usize) -> Fallible<()> {
        let Some(options) = as_map(options) else { return Ok(()) };
        for (option, value) in options.iter() {
            if option == "tzinfo" && count == PARTS.len() {
                self.zone = zone_of(name, value)?;
                continue;
            }
            let Some(place) = PARTS[..count].iter().position(|part| *part == option) else {
                let zone = if count == PARTS.len() { vec!["tzinfo"] } else { vec![] };
                return Err(unknown_option(name, option, &[&PARTS[..count], &zone].concat()));
            };
            self.numbers[place] = whole(name, PARTS[place], value)?;
        }
        Ok(())
    }

    fn moment(&self, name: &str) -> Fallible<DateTime> {
        let [year, month, day, rest @ ..] = self.numbers;
        let date = i32::try_from(year).ok().filter(|year| (1..=9999).contains(year)).and_then(|year| {
            NaiveDate::from_ymd_opt(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
        });
        let [hour, minute, second, micro] = rest.map(|part| u32::try_from(part).unwrap_or(u32::MAX));
        let time = NaiveTime::from_hms_micro_opt(hour, minute, second, micro).filter(|_| micro < 1_000_000);
        match (date, time) {
            (Some(date), Some(time)) => Ok(DateTime { local: date.and_time(time), zone: self.zone }),
            (None, _) => Err(format!("{name}: there is no day {year}-{month}-{day}").into()),
            _ => {
                Err(format!("{name}: there is no time {}:{}:{}.{}", rest[0], rest[1], rest[2], rest[3])
                    .into())
            }
        }
    }
}

fn whole(name: &str, part: &str, value: &Dynamic) -> Fallible<i64> {
    value.as_int().map_err(|found| format!("{name}: `{part}` is a whole number, not `{found}`").into())
}

/// `datetime(2026, 11, 30, 5, 13)`. The last argument may be a timezone or a map of further parts.
fn datetime(name: &str, values: &[Dynamic], count: usize) -> Fallible<DateTime> {
    let mut parts = Parts { numbers: [0; 7], zone: None };
    let (mut numbers, last) = match values.split_last() {
        Some((last, rest)) if !last.is_int() => (rest.iter(), Some(last)),
        _ => (values.iter(), None),
    };
    for (part, number) in PARTS[..count].iter().zip(parts.numbers.iter_mut()) {
        match numbers.next() {
            Some(value) => *number = whole(name, part, value)?,
            None => break,
        }
    }
    match last {
        Some(last) if as_map(last).is_some() => parts.set(name, last, count)?,
        Some(last) if count == PARTS.len() => parts.zone = zone_of(name, last)?,
        Some(last) => return Err(format!("{name}: needs whole numbers, not `{}`", type_name(last)).into()),
        None => {}
    }
    parts.moment(name)
}

/// The units of `timedelta` in microseconds. The first three are in the order of Python's arguments.
const UNITS: [(&str, i64); 7] = [
    ("days", DAY),
    ("seconds", 1_000_000),
    ("microseconds", 1),
    ("milliseconds", 1000),
    ("minutes", 60_000_000),
    ("hours", 3_600_000_000),
    ("weeks", 7 * DAY),
];

/// More microseconds than a timedelta can have, and far below the numbers at which a cast saturates.
const MAX_FLOAT: f64 = 1e24;

/// `timedelta(days, seconds, ...)`. The last argument may be a map of further units.
fn timedelta(values: &[Dynamic]) -> Fallible<TimeDelta> {
    let name = "timedelta";
    let beyond = || format!("{name}: the result is beyond 999999999 days");
    let mut total = exact::Sum::default();
    let mut add = |unit: i64, value: &Dynamic| -> Fallible<()> {
        match (value.as_int(), value.as_float()) {
            (Ok(number), _) => total.add(number.into(), unit),
            (_, Ok(number)) if number.abs() < MAX_FLOAT => total.add_float(number, unit),
            (_, Ok(number)) if !number.is_nan() => return Err(beyond().into()),
            _ => return Err(format!("{name}: needs numbers, not `{}`", type_name(value)).into()),
        }
        Ok(())
    };
    for ((_, unit), value) in UNITS.iter().zip(values) {
        let Some(options) = as_map(value) else {
            add(*unit, value)?;
            continue;
        };
        for (option, value) in options.iter() {
            let Some((_, unit)) = UNITS.iter().find(|(known, _)| *known == option) else {
                return Err(unknown_option(name, option, &UNITS.map(|(name, _)| name)));
            };
            add(*unit, value)?;
        }
    }
    TimeDelta::new(total.total()).ok_or_else(|| beyond().into())
}

fn timezone(offset: TimeDelta) -> Fallible<Timezone> {
    let micros = i64::try_from(offset.micros()).ok().filter(|micros| micros.abs() < DAY);
    micros.map(Timezone).ok_or_else(|| "timezone: the offset is less than a day".into())
}

/// `datetime.isoformat(seconds)`: the time by RFC 3339 in UTC, with microseconds if it has any.
fn isoformat_of(seconds: f64) -> Fallible<String> {
    let moment = from_seconds("datetime.isoformat", seconds, None)?;
    Ok(isoformat(&moment, "T", Precision::Auto) + "Z")
}

fn fromisoformat(text: &str) -> Fallible<DateTime> {
    iso::datetime(text).ok_or_else(|| {
        format!(
            "datetime.fromisoformat: `{}` is no time such as `2026-11-30T05:13:46+01:00`",
            beginning(text, 80).escape_debug()
        )
        .into()
    })
}

/// Returns the time that scripts see, in `zone`.
fn now(zone: Option<Timezone>) -> Option<DateTime> {
    DateTime::at(i64::try_from(call::now().div_euclid(1_000)).ok()?, zone)
}

fn register_now(natives: &mut Natives) {
    for name in ["now", "today", "utcnow"] {
        natives.register_fn(name, |_: Receiver<DatetimeHandle>| within("datetime.now", now(None)));
    }
    natives.register_fn("now", |_: Receiver<DatetimeHandle>, zone: Dynamic| {
        within("datetime.now", now(zone_of("datetime.now", &zone)?))
    });
    for name in ["fromtimestamp", "utcfromtimestamp"] {
        natives.register_fn(name, move |_: Receiver<DatetimeHandle>, seconds: Dynamic| {
            let name = format!("datetime.{name}");
            from_seconds(&name, seconds_of(&name, &seconds)?, None)
        });
    }
    natives.register_fn("fromtimestamp", |_: Receiver<DatetimeHandle>, seconds: Dynamic, zone: Dynamic| {
        let name = "datetime.fromtimestamp";
        from_seconds(name, seconds_of(name, &seconds)?, zone_of(name, &zone)?)
    });
}

fn register_texts(natives: &mut Natives) {
    natives.register_fn("isoformat", |_: Receiver<DatetimeHandle>, seconds: f64| isoformat_of(seconds));
    natives
        .register_fn("isoformat", |_: Receiver<DatetimeHandle>, seconds: i64| isoformat_of(seconds as f64));
    natives.register_fn("fromisoformat", |_: Receiver<DatetimeHandle>, text: &str| fromisoformat(text));
    natives.register_fn("strptime", |_: Receiver<DatetimeHandle>, text: &str, format: &str| {
        strptime::strptime(text, format).map_err(|why| format!("datetime.strptime: {why}").into())
    });
    natives.register_fn("fromisoformat", |_: Receiver<DateHandle>, text: &str| -> Fallible<Date> {
        let shown = || beginning(text, 80).escape_debug();
        let date = iso::date(text).map(Date);
        date.ok_or_else(|| format!("date.fromisoformat: `{}` is no day such as `2026-11-30`", shown()).into())
    });
}

fn register_constructors(natives: &mut Natives) {
    // Both `datetime(...)` and `datetime.datetime(...)` work, so scripts may follow either of Python's imports.
    for receiver in [None, Some(TypeId::of::<DatetimeHandle>())] {
        natives.register_variadic("datetime", receiver, 1..=8, |_, values| {
            datetime("datetime", &values, PARTS.len()).map(Dynamic::from)
        });
        natives.register_variadic("date", receiver, 1..=3, |_, values| {
            datetime("date", &values, 3).map(|moment| Dynamic::from(Date(moment.local.date())))
        });
        natives.register_variadic("timedelta", receiver, 0..=7, |_, values| {
            timedelta(&values).map(Dynamic::from)
        });
    }
    natives.register_fn("timezone", timezone);
    natives.register_fn("timezone", |_: Receiver<DatetimeHandle>, offset: TimeDelta| timezone(offset));
    natives.register_get("datetime", |_: Receiver<DatetimeHandle>| DatetimeHandle);
    natives.register_get("date", |_: Receiver<DatetimeHandle>| DateHandle);
    natives.register_get("timezone", |_: Receiver<DatetimeHandle>| TimezoneHandle);
    natives.register_fn("today", |_: Receiver<DateHandle>| {
        within("date.today", now(None)).map(|moment| Date(moment.local.date()))
    });
    natives.register_get("utc", |_: Receiver<TimezoneHandle>| UTC);
}

pub(crate) fn register(natives: &mut Natives) {
    natives.register_handle("datetime", DatetimeHandle);
    natives.register_handle("date", DateHandle);
    natives.register_handle("timezone", TimezoneHandle);
    register_now(natives);
    register_texts(natives);
    register_constructors(natives);
    methods::register(natives);
    operators::register(natives);
}

#[cfg(test)]
mod tests;
