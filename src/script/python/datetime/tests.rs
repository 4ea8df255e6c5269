//! The tables in `tests/` are results of Python 3.11 in the time zone UTC.

use crate::script::runtime::datetime::{DateTime, Repr, Timezone};
use crate::script::tests::trial::{engine, fails, yields};
use rhai::Scope;

fn rows<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    table.lines().map(|line| line.split('\t').collect::<Vec<_>>().try_into().unwrap())
}

fn text(json: &str) -> String {
    serde_json::from_str(json).unwrap()
}

/// Compares all lines, prints those that differ, and then fails.
#[track_caller]
fn agree(what: &str, pairs: impl Iterator<Item = (String, String, String)>) {
    let (mut count, mut wrong) = (0, Vec::new());
    for (case, ours, python) in pairs {
        count += 1;
        if ours != python {
            wrong.push(format!("{case}: {ours}, in Python {python}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count} {what} differ:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 50, "{count} {what}");
}

#[test]
fn formats_are_those_of_python() {
    let cases = rows(include_str!("tests/strftime.txt")).map(|[parts, offset, format, python]| {
        let zone = if offset.is_empty() { None } else { Some(Timezone(offset.parse().unwrap())) };
        let naive = engine().eval::<DateTime>(&format!("datetime({parts})")).unwrap();
        let made = super::strftime::strftime("strftime", format, naive.local, zone).unwrap();
        (format!("{parts} {offset} {format}"), made, text(python))
    });
    agree("formats", cases);
}

#[test]
fn times_are_read_as_in_python() {
    let cases = rows(include_str!("tests/strptime.txt")).map(|[input, format, python]| {
        let read = super::strptime::strptime(&text(input), &text(format));
        (format!("{input} {format}"), read.map_or("-".to_owned(), |moment| moment.repr()), python.to_owned())
    });
    agree("times", cases);
}

#[test]
fn iso_8601_is_read_as_in_python() {
    let cases = rows(include_str!("tests/iso.txt")).map(|[input, python]| {
        let read = super::fromisoformat(&text(input));
        (input.to_owned(), read.map_or("-".to_owned(), |moment| moment.repr()), python.to_owned())
    });
    agree("times", cases);
    // Python 3.11 accepts these by mistake.
    for odd in ["2026-11-30T05:13:46 +01:00", "2026-11-30T05:13:46+00:60", "2026-11-30T05:13.5"] {
        assert!(super::fromisoformat(odd).is_err(), "{odd}");
    }
}

#[test]
fn arithmetic_and_methods_are_those_of_python() {
    let engine = engine();
    let mut scope = Scope::new();
    let cases = rows(include_str!("tests/operators.txt")).map(|[expression, python]| {
        let made = engine.eval_with_scope::<String>(&mut scope, &format!("repr({expression})"));
        (expression.to_owned(), made.unwrap_or_else(|error| error.to_string()), python.to_owned())
    });
    agree("expressions", cases);
}

#[test]
fn the_current_time_has_all_its_forms() {
    yields(&[
        ("abs(datetime.now().timestamp() - time.time()) < 5.0", "true"),
        (
            "[datetime.now().tzinfo, datetime.utcnow().tzinfo, datetime.now(timezone.utc).tzname()]",
            "[(), (), \"UTC\"]",
        ),
        ("datetime.now() - datetime.utcnow() < timedelta(#{ seconds: 5 })", "true"),
        ("let d = date.today() - datetime.today().date(); d.days <= 0 && d.days >= -1", "true"),
        ("datetime.now(()).tzinfo == ()", "true"),
        ("datetime.datetime.now() > datetime.datetime(2020, 1, 1)", "true"),
        ("datetime.timedelta(#{ days: 1 }) == timedelta(1)", "true"),
        ("datetime.timezone.utc == timezone.utc", "true"),
        ("datetime.date.today() == date.today() || true", "true"),
        ("datetime.date(2026, 1, 2) == date(2026, 1, 2)", "true"),
        ("datetime.timezone(timedelta(0, 60)) == timezone(timedelta(0, 60))", "true"),
        (
            "[type_of(datetime.now()), type_of(timedelta(1)), type_of(date.today()), type_of(timezone.utc)]",
            r#"["datetime", "timedelta", "date", "timezone"]"#,
        ),
        (
            "let now = datetime.now(); let datetime = 1; [now == (), now != (), () == now, now == 1]",
            "[false, true, false, false]",
        ),
        ("`${datetime(2026, 1, 2)} ${timedelta(1)}`", r#""2026-01-02 00:00:00 1 day, 0:00:00""#),
        (
            "let d = datetime(2026, 1, 2); d += timedelta(1); d -= timedelta(2); d.isoformat()",
            r#""2026-01-01T00:00:00""#,
        ),
        (
            "[datetime.isoformat(0), datetime.isoformat(1.25), datetime.isoformat(-1)]",
            r#"["1970-01-01T00:00:00Z", "1970-01-01T00:00:01.250000Z", "1969-12-31T23:59:59Z"]"#,
        ),
        ("datetime(2026, 1, 2).isoformat(#{ timespec: \"hours\", sep: \" \" })", r#""2026-01-02 00""#),
        ("datetime(2026, 1, 2).isoformat(' ')", r#""2026-01-02 00:00:00""#),
        ("[datetime(2026, 1, 2)].contains(datetime(2026, 1, 2))", "true"),
        ("datetime(2026, 1, 2).astimezone().tzname()", r#""UTC""#),
        ("datetime(1970, 1, 1, 1, timezone(timedelta(#{ hours: 1 }))).strftime(\"%s\")", r#""0""#),
        ("time.strftime(\"x\".ljust(4096), 0).len()", "4096"),
    ]);
}

#[test]
fn impossible_times_are_errors_with_their_reason() {
    let mixed = "datetime: one has a timezone and the other has none: give both one, `x.replace(#{ tzinfo: timezone.utc })`";
    fails(&[
        ("datetime.now() < datetime.now(timezone.utc)", mixed),
        ("datetime.now(timezone.utc) - datetime.now()", mixed),
        (
            "sorted([datetime.now(), datetime.now(timezone.utc)])",
            "sorted: datetimes with and without a timezone can't be compared",
        ),
        ("sorted([date.today(), datetime.now()])", "sorted: `datetime` and `date` can't be compared"),
        ("datetime(2026, 2, 29)", "datetime: there is no day 2026-2-29"),
        ("datetime(2026)", "datetime: there is no day 2026-0-0"),
        ("datetime(2026, 1, 1, 24)", "datetime: there is no time 24:0:0.0"),
        // chrono accepts this one, as a leap second.
        ("datetime(2026, 1, 1, 0, 0, 59, 1000000)", "datetime: there is no time 0:0:59.1000000"),
        (
            "datetime(2026, 1, 1, #{ hours: 1 })",
            "datetime: unknown option `hours`: there are `year`, `month`, `day`, `hour`, `minute`, `second`, `microsecond` and `tzinfo`",
        ),
        ("datetime(2026, 1, 1, #{ hour: 1.5 })", "datetime: `hour` is a whole number, not `f64`"),
        ("datetime(2026, 1, 1, \"x\")", "datetime: needs a timezone such as `timezone.utc`, not `string`"),
        ("date(2026, 1, \"x\")", "date: needs whole numbers, not `string`"),
        (
            "date.today().replace(#{ hour: 1 })",
            "replace: unknown option `hour`: there are `year`, `month` and `day`",
        ),
        ("datetime.now().replace(1)", "replace: needs a map such as `#{ day: 1 }`, not `i64`"),
        ("datetime.now(1)", "datetime.now: needs a timezone such as `timezone.utc`, not `i64`"),
        ("timedelta(\"x\")", "timedelta: needs numbers, not `string`"),
        (
            "timedelta(#{ day: 1 })",
            "timedelta: unknown option `day`: there are `days`, `seconds`, `microseconds`, `milliseconds`, `minutes`, `hours` and `weeks`",
        ),
        ("timedelta(1000000000)", "timedelta: the result is beyond 999999999 days"),
        ("timedelta(1e300)", "timedelta: the result is beyond 999999999 days"),
        ("timedelta(999999999) * 1000000000", "timedelta: the result is beyond 999999999 days"),
        ("timedelta(1) / 0", "timedelta: division by zero"),
        ("timedelta(1) / timedelta()", "timedelta: division by zero"),
        ("timedelta(1) % timedelta()", "timedelta: division by zero"),
        ("timedelta(1) / 0.0", "timedelta: division by zero"),
        ("timedelta(1) / 1e-300", "timedelta: the result is beyond 999999999 days"),
        ("timedelta(1) * (1.0 / 0.0)", "timedelta: infinity and NaN have no product or quotient with it"),
        ("timedelta(1e300, -1e300)", "timedelta: the result is beyond 999999999 days"),
        ("sum([timedelta(1)])", "sum: needs numbers, not `timedelta`"),
        ("int(timedelta(1))", "int: needs a number or text, not `timedelta`"),
        ("sorted([timezone.utc, datetime])", "sorted: `DatetimeHandle` and `timezone` can't be compared"),
        ("timezone(timedelta(1))", "timezone: the offset is less than a day"),
        ("datetime(9999, 12, 31) + timedelta(1)", "datetime: the result is outside of the years 1 to 9999"),
        ("date(1, 1, 1) - timedelta(1)", "date: the result is outside of the years 1 to 9999"),
        ("date(1, 1, 1) - timedelta(999999999)", "date: the result is outside of the years 1 to 9999"),
        (
            "datetime.fromtimestamp(1e300)",
            "datetime.fromtimestamp: 1e300 seconds are outside of the calendar",
        ),
        ("datetime.fromtimestamp(\"1\")", "datetime.fromtimestamp: needs a number of seconds, not `string`"),
        (
            "datetime.isoformat(9223372036854775807)",
            "datetime.isoformat: 9.223372036854776e18 seconds are outside of the calendar",
        ),
        (
            "datetime.fromisoformat(\"yesterday\")",
            "datetime.fromisoformat: `yesterday` is no time such as `2026-11-30T05:13:46+01:00`",
        ),
        (
            "date.fromisoformat(\"2026-11-30T05\")",
            "date.fromisoformat: `2026-11-30T05` is no day such as `2026-11-30`",
        ),
        ("datetime.strptime(\"x\", \"%Y\")", "datetime.strptime: `x` does not match the format `%Y`"),
        ("datetime.strptime(\"2026x\", \"%Y\")", "datetime.strptime: `x` remains behind the format"),
        (
            "datetime.strptime(\"2026-02-30\", \"%Y-%m-%d\")",
            "datetime.strptime: `2026-02-30` is no time of the calendar",
        ),
        ("datetime.strptime(\"1\", \"%Q\")", "datetime.strptime: bad directive `%Q` in the format"),
        ("datetime.strptime(\"1\", \"%\")", "datetime.strptime: a `%` stands at the end of the format"),
        (
            "datetime.strptime(\"1 1\", \"%d %d\")",
            "datetime.strptime: a directive stands twice in the format `%d %d`, or it has too many",
        ),
        (
            "datetime.strptime(\"1\" * 2000, \"%d\")",
            "datetime.strptime: the text or the format is longer than 1024 bytes",
        ),
        ("datetime.now().strftime(\"%Q\")", "strftime: bad directive `%Q` in the format `%Q`"),
        ("datetime.now().isoformat(\"--\")", "isoformat: the separator is one character, not `--`"),
        (
            "datetime.now().isoformat(\"T\", \"days\")",
            "isoformat: no timespec `days`: there are `auto`, `hours`, `minutes`, `seconds`, `milliseconds` and `microseconds`",
        ),
        (
            "datetime.now().isoformat(#{ x: 1 })",
            "isoformat: unknown option `x`: there are `sep` and `timespec`",
        ),
        (
            "json.dumps(#{ a: datetime.now() })",
            "json.dumps: at `a`: a datetime has no JSON form: use `.isoformat()`",
        ),
        ("json.dumps(timedelta(1))", "json.dumps: a timedelta has no JSON form: use `.total_seconds()`"),
        ("#{ a: timezone.utc }.to_json()", "to_json: at `a`: a timezone has no JSON form: use `str(...)`"),
    ]);
}

#[test]
fn headers_of_answers_have_dates_of_http() {
    yields(&[
        (
            "#{ a: datetime(2026, 11, 30, 5, 13, 46, 9), b: date(2026, 1, 2) }.to_json()",
            r#""{\"a\":\"Mon, 30 Nov 2026 05:13:46 GMT\",\"b\":\"Fri, 02 Jan 2026 00:00:00 GMT\"}""#,
        ),
        (
            "#{ a: datetime(2026, 11, 30, timezone(timedelta(0, 3600))) }.to_json()",
            r#""{\"a\":\"Sun, 29 Nov 2026 23:00:00 GMT\"}""#,
        ),
    ]);
}
