//! Properties and methods of datetimes, dates, timedeltas and timezones.

use super::exact::ratio;
use super::strftime::strftime;
use super::{Parts, within, zone_of};
use crate::script::python::{listed, unknown_option};
use crate::script::runtime::datetime::{
    Date, DateTime, Precision, Repr, TimeDelta, Timezone, UTC, isoformat,
};
use crate::script::runtime::frozen::as_map;
use crate::script::runtime::natives::{Fallible, Natives, ScriptValue};
use crate::script::runtime::size_limits::type_name;
use crate::system::truncate::beginning;
use chrono::{Datelike, NaiveDate, NaiveTime, Timelike};
use rhai::{Array, Dynamic, Map};
use std::fmt::Display;

/// `timestamp()`: seconds after 1970, rounded as in Python. Of a naive datetime, seconds and microseconds are added as floats.
fn timestamp(moment: &DateTime) -> f64 {
    let micros = moment.micros();
    if moment.zone.is_some() {
        return ratio(micros.into(), 1_000_000);
    }
    micros.div_euclid(1_000_000) as f64 + micros.rem_euclid(1_000_000) as f64 / 1e6
}

const PRECISIONS: [(&str, Precision); 6] = [
    ("auto", Precision::Auto),
    ("hours", Precision::Hours),
    ("minutes", Precision::Minutes),
    ("seconds", Precision::Seconds),
    ("milliseconds", Precision::Milliseconds),
    ("microseconds", Precision::Microseconds),
];

fn precision(name: &str) -> Fallible<Precision> {
    PRECISIONS.iter().find(|(known, _)| *known == name).map(|(_, precision)| *precision).ok_or_else(|| {
        let (shown, names) = (beginning(name, 80), listed(&PRECISIONS.map(|(name, _)| name)));
        format!("isoformat: no timespec `{shown}`: there are {names}").into()
    })
}

fn iso(moment: &DateTime, separator: &str, timespec: &str) -> Fallible<String> {
    if separator.chars().count() != 1 {
        let shown = beginning(separator, 80);
        return Err(format!("isoformat: the separator is one character, not `{shown}`").into());
    }
    Ok(isoformat(moment, separator, precision(timespec)?))
}

/// `isoformat(#{ sep: " ", timespec: "seconds" })`.
fn iso_with(moment: &DateTime, options: &Map) -> Fallible<String> {
    let (mut separator, mut timespec) = ("T".to_owned(), "auto".to_owned());
    for (name, value) in options {
        let text = value.as_immutable_string_ref().map(|text| text.to_string());
        match (name.as_str(), text) {
            ("sep", Ok(text)) => separator = text,
            ("timespec", Ok(text)) => timespec = text,
            ("sep" | "timespec", Err(found)) => {
                return Err(format!("isoformat: `{name}` is a text, not `{found}`").into());
            }
            _ => return Err(unknown_option("isoformat", name, &["sep", "timespec"])),
        }
    }
    iso(moment, &separator, &timespec)
}

/// `replace(#{ year: 2027 })`: a copy with other parts. The first `count` parts can be replaced.
fn replace(moment: &DateTime, options: &Dynamic, count: usize) -> Fallible<DateTime> {
    if as_map(options).is_none() {
        return Err(
            format!("replace: needs a map such as `#{{ day: 1 }}`, not `{}`", type_name(options)).into()
        );
    }
    let mut parts = Parts::of(moment);
    parts.set("replace", options, count)?;
    parts.moment("replace")
}

fn isocalendar(date: NaiveDate) -> Array {
    let week = date.iso_week();
    let day = date.weekday().number_from_monday();
    vec![i64::from(week.year()).into(), i64::from(week.week()).into(), i64::from(day).into()]
}

/// Registers properties and methods that dates and datetimes share.
fn register_dates<T: ScriptValue>(natives: &mut Natives, date: fn(&T) -> NaiveDate) {
    natives.register_get("year", move |value: &mut T| i64::from(date(value).year()));
    natives.register_get("month", move |value: &mut T| i64::from(date(value).month()));
    natives.register_get("day", move |value: &mut T| i64::from(date(value).day()));
    natives
        .register_fn("weekday", move |value: &mut T| i64::from(date(value).weekday().num_days_from_monday()));
    natives.register_fn("isoweekday", move |value: &mut T| {
        i64::from(date(value).weekday().number_from_monday())
    });
    natives.register_fn("isocalendar", move |value: &mut T| isocalendar(date(value)));
}

fn register_datetime(natives: &mut Natives) {
    natives.register_type_with_name::<DateTime>("datetime");
    register_dates::<DateTime>(natives, |moment| moment.local.date());
    type Part = fn(NaiveTime) -> u32;
    let parts: [(&str, Part); 4] = [
        ("hour", |time| time.hour()),
        ("minute", |time| time.minute()),
        ("second", |time| time.second()),
        ("microsecond", |time| time.nanosecond() / 1000),
    ];
    for (name, part) in parts {
        natives.register_get(name, move |moment: &mut DateTime| i64::from(part(moment.local.time())));
    }
    natives.register_get("tzinfo", |moment: &mut DateTime| optional(moment.zone));
    natives.register_fn("utcoffset", |moment: &mut DateTime| {
        optional(moment.zone.and_then(|zone| TimeDelta::new(zone.0.into())))
    });
    natives.register_fn("tzname", |moment: &mut DateTime| {
        moment.zone.map_or(Dynamic::UNIT, |zone| zone.to_string().into())
    });
    natives.register_fn("timestamp", |moment: &mut DateTime| timestamp(moment));
    natives.register_fn("date", |moment: &mut DateTime| Date(moment.local.date()));
    natives.register_optional("astimezone", Dynamic::UNIT, |moment: &mut DateTime, zone: Dynamic| {
        let zone = zone_of("astimezone", &zone)?.unwrap_or(UTC);
        within("astimezone", DateTime::at(moment.micros(), Some(zone)))
    });
    natives.register_fn("replace", |moment: &mut DateTime, options: Dynamic| replace(moment, &options, 7));
}

fn register_texts(natives: &mut Natives) {
    natives.register_fn("isoformat", |moment: &mut DateTime| isoformat(moment, "T", Precision::Auto));
    natives.register_fn("isoformat", |moment: &mut DateTime, separator: char| {
        iso(moment, separator.encode_utf8(&mut [0; 4]), "auto")
    });
    natives.register_optional(
        "isoformat",
        "auto",
        |moment: &mut DateTime, separator: &str, timespec: &str| iso(moment, separator, timespec),
    );
    natives.register_fn("isoformat", |moment: &mut DateTime, options: Map| iso_with(moment, &options));
    natives.register_fn("isoformat", |date: &mut Date| date.to_string());
    natives.register_fn("strftime", |moment: &mut DateTime, format: &str| {
        strftime("strftime", format, moment.local, moment.zone)
    });
    natives.register_fn("strftime", |date: &mut Date, format: &str| {
        strftime("strftime", format, date.0.and_time(NaiveTime::MIN), None)
    });
    register_shown::<DateTime>(natives);
    register_shown::<Date>(natives);
    register_shown::<TimeDelta>(natives);
    register_shown::<Timezone>(natives);
}

/// Registers the texts of Python's `str` and `repr`.
fn register_shown<T: ScriptValue + Display + Repr>(natives: &mut Natives) {
    natives.register_fn("to_string", |value: &mut T| value.to_string());
    natives.register_fn("to_debug", |value: &mut T| value.repr());
}

fn optional<T: ScriptValue>(value: Option<T>) -> Dynamic {
    value.map_or(Dynamic::UNIT, Dynamic::from)
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_type_with_name::<Date>("date");
    natives.register_type_with_name::<Timezone>("timezone");
    register_dates::<Date>(natives, |date| date.0);
    natives.register_fn("replace", |date: &mut Date, options: Dynamic| -> Fallible<Date> {
        let moment = within("replace", DateTime::midnight(date.0))?;
        Ok(Date(replace(&moment, &options, 3)?.local.date()))
    });
    register_datetime(natives);
    register_texts(natives);
    natives.register_type_with_name::<TimeDelta>("timedelta");
    natives.register_get("days", |delta: &mut TimeDelta| i64::try_from(delta.days()).unwrap_or(i64::MAX));
    natives.register_get("seconds", |delta: &mut TimeDelta| delta.rest().0);
    natives.register_get("microseconds", |delta: &mut TimeDelta| delta.rest().1);
    natives.register_fn("total_seconds", |delta: &mut TimeDelta| ratio(delta.micros(), 1_000_000));
}
