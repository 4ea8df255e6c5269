//! `strftime`: dates and times by a format, with the directives of Python on Linux.

use crate::script::runtime::datetime::{Timezone, offset_text};
use crate::script::runtime::natives::Fallible;
use chrono::{Datelike, NaiveDateTime, Timelike};

/// Longest format in bytes; a directive of two characters becomes up to thirty.
const MAX_FORMAT: usize = 4096;

pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// What a directive stands for.
enum Field {
    Text(String),
    /// A number, its least width and what fills it up.
    Number(i64, usize, char),
    /// Further directives.
    Format(&'static str),
}

/// The moment in `format`, or an error as `name`.
pub(crate) fn strftime(
    name: &str,
    format: &str,
    local: NaiveDateTime,
    zone: Option<Timezone>,
) -> Fallible<String> {
    if format.len() > MAX_FORMAT {
        return Err(format!("{name}: the format is longer than {MAX_FORMAT} bytes").into());
    }
    let mut out = String::new();
    match write(&mut out, format, local, zone) {
        Ok(()) => Ok(out),
        Err(directive) => Err(format!(
            "{name}: bad directive `%{}` in the format `{}`",
            directive.escape_debug(),
            format.escape_debug()
        )
        .into()),
    }
}

/// Appends the moment; the error is the directive that is none.
fn write(out: &mut String, format: &str, local: NaiveDateTime, zone: Option<Timezone>) -> Result<(), String> {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut kind = letters.next();
        // glibc's: `%-d` without zeros, `%_d` with blanks, `%^a` in capitals.
        let flag = kind.filter(|kind| "-_0^".contains(*kind));
        if flag.is_some() {
            kind = letters.next();
        }
        let bad = || flag.into_iter().chain(kind).collect::<String>();
        match kind.and_then(|kind| field(kind, local, zone)).ok_or_else(bad)? {
            Field::Text(text) if flag == Some('^') => *out += &text.to_uppercase(),
            Field::Text(text) => *out += &text,
            Field::Number(number, width, fill) => match (flag, fill) {
                (Some('-'), _) => *out += &number.to_string(),
                (Some('_'), _) | (None | Some('^'), ' ') => *out += &format!("{number:width$}"),
                _ => *out += &format!("{number:0width$}"),
            },
            Field::Format(format) => write(out, format, local, zone)?,
        }
    }
    Ok(())
}

fn field(kind: char, local: NaiveDateTime, zone: Option<Timezone>) -> Option<Field> {
    let (date, time) = (local.date(), local.time());
    let weekday = date.weekday().num_days_from_monday() as usize;
    let month = date.month0() as usize;
    let number = |number: u32, width| Field::Number(i64::from(number), width, '0');
    let text = |text: &str| Field::Text(text.to_owned());
    let hour12 = if time.hour().is_multiple_of(12) { 12 } else { time.hour() % 12 };
    let half = if time.hour() < 12 { "AM" } else { "PM" };
    Some(match kind {
        'a' => text(&DAYS[weekday][..3]),
        'A' => text(DAYS[weekday]),
        'b' | 'h' => text(&MONTHS[month][..3]),
        'B' => text(MONTHS[month]),
        'd' => number(date.day(), 2),
        'e' => Field::Number(date.day().into(), 2, ' '),
        'f' => number(time.nanosecond() / 1000, 6),
        'H' => number(time.hour(), 2),
        'I' => number(hour12, 2),
        'k' => Field::Number(time.hour().into(), 2, ' '),
        'l' => Field::Number(hour12.into(), 2, ' '),
        'j' => number(date.ordinal(), 3),
        'm' => number(date.month(), 2),
        'M' => number(time.minute(), 2),
        'S' => number(time.second(), 2),
        'p' => text(half),
        'P' => text(&half.to_lowercase()),
        'u' => number(date.weekday().number_from_monday(), 1),
        'w' => number(date.weekday().num_days_from_sunday(), 1),
        'U' => number(week(date.ordinal0(), date.weekday().num_days_from_sunday()), 2),
        'W' => number(week(date.ordinal0(), date.weekday().num_days_from_monday()), 2),
        'V' => number(date.iso_week().week(), 2),
        'G' => Field::Number(date.iso_week().year().into(), 0, '0'),
        'g' => Field::Number(i64::from(date.iso_week().year()).rem_euclid(100), 2, '0'),
        'Y' => Field::Number(date.year().into(), 0, '0'),
        'y' => Field::Number(i64::from(date.year()).rem_euclid(100), 2, '0'),
        'C' => Field::Number(i64::from(date.year()).div_euclid(100), 0, '0'),
        's' => Field::Number(local.and_utc().timestamp() - zone.map_or(0, |zone| zone.0 / 1_000_000), 0, '0'),
        'z' => Field::Text(zone.map(|zone| offset_text(zone, "")).unwrap_or_default()),
        'Z' => Field::Text(zone.map(|zone| zone.to_string()).unwrap_or_default()),
        'c' => Field::Format("%a %b %e %H:%M:%S %Y"),
        'x' | 'D' => Field::Format("%m/%d/%y"),
        'X' | 'T' => Field::Format("%H:%M:%S"),
        'F' => Field::Format("%Y-%m-%d"),
        'r' => Field::Format("%I:%M:%S %p"),
        'R' => Field::Format("%H:%M"),
        'n' => text("\n"),
        't' => text("\t"),
        '%' => text("%"),
        _ => return None,
    })
}

/// The week of a day of the year, where the first one begins with the first day of a week; days before it are in week 0.
fn week(day_of_year: u32, day_of_week: u32) -> u32 {
    (day_of_year + 7 - day_of_week) / 7
}
