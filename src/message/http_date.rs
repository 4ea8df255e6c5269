//! Dates of HTTP (RFC 9110, section 5.6.7), as seconds since 1970.

use chrono::{DateTime, Datelike, NaiveDate};

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Returns a date in the form that is sent: `Sun, 06 Nov 1994 08:49:37 GMT`. `None` outside of the years 1 to 9999, for which that
/// form has no digits.
pub(crate) fn write(seconds: i64) -> Option<String> {
    let date = DateTime::from_timestamp(seconds, 0).filter(|date| (1..=9999).contains(&date.year()))?;
    Some(date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// Parses a date in one of the three forms that servers must read: the one that is sent, that of RFC 850
/// (`Sunday, 06-Nov-94 08:49:37 GMT`) and that of C's `asctime` (`Sun Nov  6 08:49:37 1994`). The weekday may be missing.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let mut parts = text.split([' ', ',', '-', ':']).filter(|part| !part.is_empty()).peekable();
    parts.next_if(|first| first.bytes().all(|byte| byte.is_ascii_alphabetic()) && month(first).is_none());
    let first = parts.next()?;
    let (day, month, year, time) = match month(first) {
        Some(month) => {
            let (day, time) = (parts.next()?, time(&mut parts)?);
            (day, month, parts.next()?, time)
        }
        None => {
            let (month, year) = (month(parts.next()?)?, parts.next()?);
            let time = time(&mut parts)?;
            parts.next_if(|zone| matches!(*zone, "GMT" | "UTC" | "+0000"))?;
            (first, month, year, time)
        }
    };
    let century = match (year.len(), number(year)?) {
        (2, 0..70) => 2000,
        (2, _) => 1900,
        (4, _) => 0,
        _ => return None,
    };
    let date = NaiveDate::from_ymd_opt(i32::try_from(number(year)? + century).ok()?, month, number(day)?)?;
    let [hour, minute, second] = time;
    // A leap second counts as the one before it.
    let moment = date.and_hms_opt(hour, minute, if second == 60 { 59 } else { second })?;
    parts.next().is_none().then(|| moment.and_utc().timestamp())
}

fn time<'t>(parts: &mut impl Iterator<Item = &'t str>) -> Option<[u32; 3]> {
    Some([number(parts.next()?)?, number(parts.next()?)?, number(parts.next()?)?])
}

fn month(name: &str) -> Option<u32> {
    let at = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(name))?;
    u32::try_from(at + 1).ok()
}

fn number(digits: &str) -> Option<u32> {
    let plain = (1..=4).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_three_forms_are_read() {
        let table = [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(784_111_777)),
            ("Sun Nov  6 08:49:37 1994", Some(784_111_777)),
            ("06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Sun, 6 nov 1994 08:49:37 +0000", Some(784_111_777)),
            ("Mon, 01 Jan 2024 00:00:00 UTC", Some(1_704_067_200)),
            ("Saturday, 01-Jan-00 00:00:00 GMT", Some(946_684_800)),
            ("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_799)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37", None),
            ("Sun, 06 Nov 1994 08:49:37 CET", None),
            ("Sun, 06 Nov 1994 08:49:37 GMT x", None),
            ("Sun, 31 Feb 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 1994 24:49:37 GMT", None),
            ("Sun, 06 Now 1994 08:49:37 GMT", None),
            ("Sun, 06 Nov 194 08:49:37 GMT", None),
            ("06/11/1994", None),
            ("1700000000", None),
            ("yesterday", None),
            ("Nov", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(write(784_111_777).as_deref(), Some("Sun, 06 Nov 1994 08:49:37 GMT"));
        assert_eq!([write(253_402_300_800), write(i64::MAX)], [None, None]);
    }

    #[test]
    fn a_date_that_is_sent_is_read_back() {
        for seconds in [0, 1, 951_782_400, 1_700_000_000, 4_102_444_799] {
            assert_eq!(parse(&write(seconds).unwrap()), Some(seconds));
        }
    }
}
