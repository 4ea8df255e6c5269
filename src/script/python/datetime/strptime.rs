//! `strptime`: parses a time by a format. The format becomes a regular expression, as in Python, so both accept the same texts.

use super::iso::offset;
use crate::script::runtime::datetime::DateTime;
use chrono::{Datelike, Days, Month, NaiveDate, NaiveTime, Weekday};
use regex_lite::{Captures, Regex, RegexBuilder, escape};
use std::str::FromStr;

/// Most bytes of a format, and of a text.
const LONGEST: usize = 1024;
/// Most bytes of a compiled format.
const MAX_PATTERN: usize = 256 << 10;

/// Parses `text` by `format`. The error is the reason.
pub(super) fn strptime(text: &str, format: &str) -> Result<DateTime, String> {
    if text.len().max(format.len()) > LONGEST {
        return Err(format!("the text or the format is longer than {LONGEST} bytes"));
    }
    let pattern = compile(format)?;
    let mismatch =
        || format!("`{}` does not match the format `{}`", text.escape_debug(), format.escape_debug());
    let captures = pattern.captures(text).ok_or_else(mismatch)?;
    let end = captures.get(0).map_or(0, |whole| whole.end());
    if end < text.len() {
        return Err(format!("`{}` remains behind the format", text[end..].escape_debug()));
    }
    Fields(&captures).moment().ok_or_else(|| format!("`{}` is no time of the calendar", text.escape_debug()))
}

fn compile(format: &str) -> Result<Regex, String> {
    let mut pattern = String::from(r"\A");
    append(&mut pattern, format)?;
    RegexBuilder::new(&pattern).case_insensitive(true).size_limit(MAX_PATTERN).build().map_err(|_| {
        format!("a directive stands twice in the format `{}`, or it has too many", format.escape_debug())
    })
}

fn append(pattern: &mut String, format: &str) -> Result<(), String> {
    let mut letters = format.chars().peekable();
    while let Some(letter) = letters.next() {
        if letter.is_whitespace() {
            while letters.next_if(|letter| letter.is_whitespace()).is_some() {}
            *pattern += r"\s+";
        } else if letter == '%' {
            let Some(kind) = letters.next() else {
                return Err("a `%` stands at the end of the format".into());
            };
            directive(pattern, kind)?;
        } else {
            *pattern += &escape(letter.encode_utf8(&mut [0; 4]));
        }
    }
    Ok(())
}

/// Appends the pattern of a directive. In alternatives the longest one comes first, since the first match counts.
fn directive(pattern: &mut String, kind: char) -> Result<(), String> {
    let inner = match kind {
        'Y' | 'G' => r"\d{4}",
        'y' => r"\d\d",
        'm' => "1[0-2]|0?[1-9]",
        'd' => "3[01]|[12][0-9]|[0 ]?[1-9]",
        'H' => "2[0-3]|[01]?[0-9]",
        'I' => "1[0-2]|0?[1-9]",
        'M' => "[0-5]?[0-9]",
        'S' => "6[01]|[0-5]?[0-9]",
        'f' => "[0-9]{1,6}",
        'j' => "36[0-6]|3[0-5][0-9]|[12][0-9][0-9]|0[1-9][0-9]|00[1-9]|[1-9][0-9]|0?[1-9]",
        'w' => "[0-6]",
        'u' => "[1-7]",
        'U' | 'W' => "5[0-3]|[0-4]?[0-9]",
        'V' => "5[0-3]|0[1-9]|[1-4][0-9]|[0-9]",
        'a' => "Mon|Tue|Wed|Thu|Fri|Sat|Sun",
        'A' => "Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday",
        'b' => "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec",
        'B' => "January|February|March|April|May|June|July|August|September|October|November|December",
        'p' => "am|pm",
        'z' => r"[+-]\d\d:?[0-5]\d(?::?[0-5]\d(?:\.\d{1,6})?)?|(?-i:Z)",
        'Z' => "utc|gmt",
        'c' => return append(pattern, "%a %b %d %H:%M:%S %Y"),
        'x' => return append(pattern, "%m/%d/%y"),
        'X' => return append(pattern, "%H:%M:%S"),
        '%' => {
            pattern.push('%');
            return Ok(());
        }
        _ => return Err(format!("bad directive `%{}` in the format", kind.escape_debug())),
    };
    *pattern += &format!("(?P<{kind}>{inner})");
    Ok(())
}

/// The texts that matched the directives.
struct Fields<'c, 't>(&'c Captures<'t>);

impl<'t> Fields<'_, 't> {
    fn text(&self, kind: &str) -> Option<&'t str> {
        self.0.name(kind).map(|found| found.as_str())
    }

    fn number(&self, kind: &str) -> Option<u32> {
        self.text(kind)?.trim_start().parse().ok()
    }

    /// Returns the day or month that matched the directive `short` or `long`.
    fn name<T: FromStr>(&self, short: &str, long: &str) -> Option<T> {
        self.text(short).or(self.text(long))?.parse().ok()
    }

    fn moment(&self) -> Option<DateTime> {
        let fraction = format!("{:0<6}", self.text("f").unwrap_or("0")).parse().ok()?;
        let time = NaiveTime::from_hms_micro_opt(
            self.hour()?,
            self.number("M").unwrap_or(0),
            self.number("S").unwrap_or(0),
            fraction,
        )?;
        let zone = match self.text("z") {
            Some(text) => Some(offset(text)?),
            None => None,
        };
        let date = self.date()?;
        DateTime::midnight(date)?;
        Some(DateTime { local: date.and_time(time), zone })
    }

    fn hour(&self) -> Option<u32> {
        let Some(hour) = self.number("I") else { return Some(self.number("H").unwrap_or(0)) };
        let afternoon = self.text("p").is_some_and(|half| half.eq_ignore_ascii_case("pm"));
        Some(hour % 12 + if afternoon { 12 } else { 0 })
    }

    /// Returns the day of the week; Monday is 0.
    fn weekday(&self) -> Option<u32> {
        let by_number =
            self.number("u").map(|day| day - 1).or_else(|| self.number("w").map(|day| (day + 6) % 7));
        by_number.or_else(|| self.name::<Weekday>("a", "A").map(|day| day.num_days_from_monday()))
    }

    fn year(&self) -> Option<i32> {
        let short = self.number("y").map(|year| if year < 69 { 2000 + year } else { 1900 + year });
        i32::try_from(self.number("Y").or(short)?).ok()
    }

    fn date(&self) -> Option<NaiveDate> {
        let (year, weekday) = (self.year(), self.weekday());
        if self.text("G").is_some() || self.text("V").is_some() {
            // An ISO date needs year, week and weekday, and excludes the day of the year.
            let (year, week) = (i32::try_from(self.number("G")?).ok()?, self.number("V")?);
            let day = Weekday::try_from(u8::try_from(weekday?).ok()?).ok()?;
            return NaiveDate::from_isoywd_opt(year, week, day).filter(|_| self.text("j").is_none());
        }
        let first = NaiveDate::from_ymd_opt(year.unwrap_or(1900), 1, 1)?;
        if let Some(day) = self.number("j") {
            return first.checked_add_days(Days::new(u64::from(day) - 1));
        }
        if let (Some(_), Some(weekday)) = (year, weekday) {
            if let Some(week) = self.number("U") {
                let monday = |day: u32| (day + 1) % 7;
                return in_week(first, week, monday(weekday), first.weekday().num_days_from_sunday());
            }
            if let Some(week) = self.number("W") {
                return in_week(first, week, weekday, first.weekday().num_days_from_monday());
            }
        }
        let named = self.name::<Month>("b", "B").map(|month| month.number_from_month());
        let month = self.number("m").or(named).unwrap_or(1);
        NaiveDate::from_ymd_opt(first.year(), month, self.number("d").unwrap_or(1))
    }
}

/// Returns the date of a weekday in a week of the year. Weeks begin with day 0. Week 0 is before the first whole week.
fn in_week(first: NaiveDate, week: u32, day: u32, first_day: u32) -> Option<NaiveDate> {
    let days = match week {
        0 => i64::from(day) - i64::from(first_day),
        _ => i64::from((7 - first_day) % 7 + 7 * (week - 1) + day),
    };
    first.checked_add_signed(chrono::TimeDelta::try_days(days)?)
}
