//! The text of one value -> its type: ports, sizes, durations, switches. Knows nothing of which setting it is
//! for; an error is the second half of a sentence that the caller starts with the setting's name.

use super::FailOn;
use super::settings::{LogFormat, OnError, Token};
use crate::directory::Name;
use std::ffi::OsStr;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A value, or the reason why the text is none.
pub(crate) type Parsed<T> = Result<T, String>;

/// `value` as text without white space around it.
pub(crate) fn text(value: &OsStr) -> Parsed<&str> {
    value.to_str().map(str::trim).ok_or_else(|| format!("`{}` is not UTF-8", value.to_string_lossy()))
}

/// Text where the empty one means "none".
pub(crate) fn name(value: &OsStr) -> Parsed<Option<String>> {
    Ok(Some(text(value)?).filter(|name| !name.is_empty()).map(str::to_string))
}

/// The name of a provision, by the rules of the provision directory; the empty text means "none".
pub(crate) fn provision(value: &OsStr) -> Parsed<Option<Name>> {
    let Some(text) = name(value)? else { return Ok(None) };
    let name = Name::parse(&text).map_err(|error| format!("{error} (try initial or foo-bar.rhai)"))?;
    match Name::ignored(name.file_name()) {
        _ if !name.is_provision() => {
            Err(format!("`{name}` is no name of a provision, which has no extension or ends in `.rhai`"))
        }
        Some(reason) => Err(format!("`{name}` is no name of a provision: {reason}, which is left alone")),
        None => Ok(Some(name)),
    }
}

/// Requests to wait for: `METHOD PATH` or `PATH`, perhaps with `?` and further filters.
pub(crate) fn requests(value: &OsStr) -> Parsed<String> {
    let text = text(value)?;
    let path = text.split_once(' ').filter(|(method, _)| !method.starts_with('/'));
    match path.map_or(text, |(_, path)| path.trim_start()).starts_with('/') {
        true => Ok(text.to_string()),
        false => Err(format!("`{text}` has no path that starts with `/` (try `POST /orders`)")),
    }
}

/// A file name, of any bytes, but not empty.
pub(crate) fn path(value: &OsStr) -> Parsed<PathBuf> {
    if value.is_empty() { Err("the path is empty".to_string()) } else { Ok(PathBuf::from(value)) }
}

/// An IP address; brackets round IPv6 are allowed.
pub(crate) fn address(value: &OsStr) -> Parsed<IpAddr> {
    let text = text(value)?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| format!("`{text}` is no IP address (try 0.0.0.0 or ::)"))
}

/// A TCP port; 0 is one, it means "any".
pub(crate) fn port(value: &OsStr) -> Parsed<u16> {
    let text = text(value)?;
    digits(text).ok_or_else(|| format!("`{text}` is no port (0 to 65535)"))
}

/// A whole number within `range`.
pub(crate) fn count<T: FromStr + PartialOrd + ToString>(
    value: &OsStr,
    range: RangeInclusive<T>,
) -> Parsed<T> {
    let text = text(value)?;
    let (low, high) = (range.start().to_string(), range.end().to_string());
    digits(text)
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("`{text}` is no number from {low} to {high}"))
}

/// Decimal digits only: `FromStr` alone would also take `+8000`.
fn digits<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

/// Bytes: plain, or with a unit of k, M or G (powers of 1024; `kB` and `KiB` are the same), within `range`.
pub(crate) fn size(value: &OsStr, range: RangeInclusive<usize>) -> Parsed<usize> {
    let text = text(value)?;
    let bytes = bytes(text).ok_or_else(|| format!("`{text}` is no size (try 8M)"))?;
    if bytes < *range.start() {
        return Err(format!("`{text}` is too small (at least {})", in_units(*range.start())));
    }
    if bytes > *range.end() {
        return Err(format!("`{text}` is too large (at most {})", in_units(*range.end())));
    }
    Ok(bytes)
}

/// The memory of the journal: 0, or enough for an entry of some size.
pub(crate) fn journal_bytes(value: &OsStr) -> Parsed<Option<usize>> {
    match size(value, 0..=usize::MAX)? {
        0 => Ok(Some(0)),
        _ => size(value, 64 << 10..=usize::MAX).map(Some),
    }
}

/// `bytes` as [`size`] reads it, in the largest unit that leaves no fraction.
pub(crate) fn in_units(bytes: usize) -> String {
    let units = [(30, "G"), (20, "M"), (10, "k")];
    let whole = units.into_iter().find(|(shift, _)| bytes > 0 && bytes.is_multiple_of(1 << shift));
    whole.map_or_else(|| bytes.to_string(), |(shift, unit)| format!("{}{unit}", bytes >> shift))
}

fn bytes(text: &str) -> Option<usize> {
    let (number, unit) = split_unit(text);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        _ => return None,
    };
    // No allocation can be larger than `isize::MAX`, and sums of two such sizes can't overflow.
    digits::<usize>(number)?.checked_mul(1 << shift).filter(|bytes| *bytes <= isize::MAX as usize)
}

/// A time: `500ms`, `2s`, `1.5m`, `1h`, or plain seconds; within `range`.
pub(crate) fn duration(value: &OsStr, range: RangeInclusive<Duration>) -> Parsed<Duration> {
    let text = text(value)?;
    let time = time(text).ok_or_else(|| format!("`{text}` is no duration (try 500ms, 2s or 1m)"))?;
    if range.contains(&time) {
        return Ok(time);
    }
    Err(format!("`{text}` is out of range ({} to {})", in_words(*range.start()), in_words(*range.end())))
}

fn time(text: &str) -> Option<Duration> {
    let (number, unit) = split_unit(text);
    let seconds = match unit {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}

/// `time` as [`duration`] reads it, in hours, seconds or milliseconds.
pub(crate) fn in_words(time: Duration) -> String {
    match time.as_millis() {
        0 => "0s".to_string(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

/// `12.5ms` -> `12.5`, `ms`.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// On or off, in any case; empty is off.
pub(crate) fn switch(value: &OsStr) -> Parsed<bool> {
    let text = text(value)?;
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is no switch (try 1 or 0)")),
    }
}

/// `keep` or `initial`.
pub(crate) fn on_error(value: &OsStr) -> Parsed<OnError> {
    match text(value)? {
        "keep" => Ok(OnError::Keep),
        "initial" => Ok(OnError::Initial),
        other => Err(format!("`{other}` is neither `keep` nor `initial`")),
    }
}

/// Conditions with commas between them; the empty text means "none given".
pub(crate) fn fail_on(value: &OsStr) -> Parsed<Option<FailOn>> {
    name(value)?.as_deref().map(FailOn::parse).transpose()
}

/// `text` or `json`.
pub(crate) fn log_format(value: &OsStr) -> Parsed<LogFormat> {
    match text(value)? {
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        other => Err(format!("`{other}` is neither `text` nor `json`")),
    }
}

/// A bearer token: visible ASCII, as a header can carry it. Errors don't repeat the secret.
pub(crate) fn token(value: &OsStr) -> Parsed<Option<Token>> {
    let text = value.to_str().map(str::trim).unwrap_or("\u{fffd}");
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token is not visible ASCII".to_string());
    }
    Ok(Some(text).filter(|text| !text.is_empty()).map(Token::new))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn os(text: &str) -> &OsStr {
        OsStr::new(text)
    }

    #[test]
    fn sizes_have_units_of_1024() {
        for (text, bytes) in [
            ("1", 1),
            ("512", 512),
            ("512b", 512),
            ("10k", 10 << 10),
            ("10KB", 10 << 10),
            ("8M", 8 << 20),
            (" 8MiB ", 8 << 20),
            ("1GiB", 1 << 30),
        ] {
            assert_eq!(size(os(text), 1..=usize::MAX), Ok(bytes), "{text}");
        }
        for text in ["", "12x", "M", "-1", "+1", "1.5M", "1 M", "99999999999999999999", "9999999999G", "é"] {
            assert_eq!(size(os(text), 1..=usize::MAX), Err(format!("`{text}` is no size (try 8M)")));
        }
    }

    #[test]
    fn sizes_have_a_range() {
        let range = 1 << 10..=1 << 20;
        for (text, expected) in [
            ("0", Err("`0` is too small (at least 1k)")),
            ("1023", Err("`1023` is too small (at least 1k)")),
            ("1k", Ok(1 << 10)),
            ("1M", Ok(1 << 20)),
            ("1048577", Err("`1048577` is too large (at most 1M)")),
            ("2G", Err("`2G` is too large (at most 1M)")),
        ] {
            assert_eq!(size(os(text), range.clone()), expected.map_err(str::to_string));
        }
    }

    #[test]
    fn sizes_print_as_they_are_read() {
        for (bytes, text) in [
            (0, "0"),
            (1, "1"),
            (1023, "1023"),
            (1 << 10, "1k"),
            (1536, "1536"),
            (64 << 10, "64k"),
            (3 << 30, "3G"),
        ] {
            assert_eq!(in_units(bytes), text);
            assert_eq!(size(os(text), 0..=usize::MAX), Ok(bytes));
        }
    }

    #[test]
    fn durations_have_units_and_fractions() {
        let range = Duration::ZERO..=Duration::from_secs(7200);
        for (text, millis) in [
            ("500ms", 500),
            ("0.5ms", 0),
            ("2s", 2_000),
            ("2", 2_000),
            ("0", 0),
            ("1.5", 1_500),
            (".25s", 250),
            ("1m", 60_000),
            ("1.5m", 90_000),
            ("2h", 7_200_000),
        ] {
            let time = duration(os(text), range.clone()).unwrap();
            assert_eq!(time.as_millis(), millis, "{text}");
        }
        for text in ["", "s", ".", "1.2.3", "-1", "2 s", "1d", "inf", "NaN", "1e3", "2S"] {
            let expected = format!("`{text}` is no duration (try 500ms, 2s or 1m)");
            assert_eq!(duration(os(text), range.clone()), Err(expected));
        }
        let huge = "9".repeat(400);
        assert!(duration(os(&huge), range.clone()).is_err());
        assert_eq!(duration(os("3h"), range), Err("`3h` is out of range (0s to 2h)".to_string()));
    }

    #[test]
    fn durations_print_as_they_are_read() {
        for text in ["0s", "1ms", "1500ms", "2s", "90s", "300s", "1h"] {
            assert_eq!(in_words(time(text).unwrap()), text);
        }
    }

    #[test]
    fn switches_know_eight_words_in_any_case() {
        for text in ["1", "true", "TRUE", "Yes", "on"] {
            assert_eq!(switch(os(text)), Ok(true), "{text}");
        }
        for text in ["", "0", "False", "no", "OFF"] {
            assert_eq!(switch(os(text)), Ok(false), "{text}");
        }
        assert_eq!(switch(os("maybe")), Err("`maybe` is no switch (try 1 or 0)".to_string()));
    }

    #[test]
    fn numbers_and_ports_are_decimal_and_bounded() {
        assert_eq!(port(os("0")), Ok(0));
        assert_eq!(port(os("65535")), Ok(65535));
        for text in ["", "65536", "-1", "+80", "0x50", "tcp://10.0.0.1:8000"] {
            assert_eq!(port(os(text)), Err(format!("`{text}` is no port (0 to 65535)")));
        }
        assert_eq!(count(os("1024"), 1..=1024), Ok(1024));
        for text in ["0", "1025", "many"] {
            assert_eq!(count(os(text), 1..=1024), Err(format!("`{text}` is no number from 1 to 1024")));
        }
    }

    #[test]
    fn addresses_are_literal() {
        assert_eq!(address(os("[::1]")), Ok("::1".parse().unwrap()));
        assert_eq!(address(os("10.0.0.1")), Ok("10.0.0.1".parse().unwrap()));
        let expected = "`localhost` is no IP address (try 0.0.0.0 or ::)";
        assert_eq!(address(os("localhost")), Err(expected.to_string()));
    }

    #[test]
    fn a_token_fits_a_header_and_is_not_repeated() {
        assert_eq!(token(os("abc\n")), Ok(Some(Token::new("abc"))));
        assert_eq!(token(os("")), Ok(None));
        for text in ["two words", "line\r\nX: y", "ünicode"] {
            assert_eq!(token(os(text)), Err("the token is not visible ASCII".to_string()));
        }
    }

    #[test]
    fn requests_have_a_path() {
        for text in ["/", "POST /orders", "GET   /a b?status=2xx", "/a /b", " PUT /x "] {
            assert_eq!(requests(os(text)), Ok(text.trim().to_string()));
        }
        for text in ["", "orders", "POST", "POST orders", "POST?body=/ /x y"] {
            let expected = format!("`{text}` has no path that starts with `/` (try `POST /orders`)");
            assert_eq!(requests(os(text)), if text.contains("/x") { Ok(text.into()) } else { Err(expected) });
        }
    }

    #[test]
    fn provisions_have_names_that_the_directory_takes() {
        for text in ["initial", "initial.rhai", "v2/foo-bar", "v1.d/a", " a b "] {
            assert_eq!(provision(os(text)).unwrap().unwrap().as_str(), text.trim());
        }
        assert_eq!(provision(os(" ")), Ok(None));
        const FORM: &str = "no name of a provision, which has no extension or ends in `.rhai`";
        for (text, error) in [
            ("/app/initial", "invalid name `/app/initial`: absolute (try initial or foo-bar.rhai)"),
            ("a//b", "invalid name `a//b`: empty component (try initial or foo-bar.rhai)"),
            ("a/", "invalid name `a/`: empty component (try initial or foo-bar.rhai)"),
            ("../a", "invalid name `../a`: leaves the provision directory (try initial or foo-bar.rhai)"),
            (".a", "invalid name `.a`: hidden (try initial or foo-bar.rhai)"),
            ("a\nb", "invalid name `a\\nb`: contains a control character (try initial or foo-bar.rhai)"),
            ("data.json", &format!("`data.json` is {FORM}")),
            ("v1.2", &format!("`v1.2` is {FORM}")),
            ("a.tmp", &format!("`a.tmp` is {FORM}")),
            ("a~", "`a~` is no name of a provision: backup copy, which is left alone"),
        ] {
            assert_eq!(provision(os(text)).unwrap_err(), error);
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused_where_text_is_needed() {
        use std::os::unix::ffi::OsStrExt;
        let bytes = OsStr::from_bytes(b"a\xff");
        assert_eq!(name(bytes), Err("`a\u{fffd}` is not UTF-8".to_string()));
        assert_eq!(path(bytes), Ok(PathBuf::from(bytes)));
        assert_eq!(path(os("")), Err("the path is empty".to_string()));
        assert!(token(bytes).is_err());
    }
}
