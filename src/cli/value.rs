//! The text of one value -> its type: ports, sizes, durations, switches. An error is the second half of a sentence that the
//! caller starts with the name of the setting.

use super::FailOn;
use super::settings::Token;
use crate::directory::Name;
use crate::http_client::Url;
use crate::message::answer::check_header;
use crate::system::digits::digits;
use crate::system::paint::Color;
use crate::system::spelling::nearest;
use std::ffi::{OsStr, OsString};
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// A parsed value, or the reason why the text is refused.
pub(crate) type Parsed<T> = Result<T, String>;

/// Returns `value` as text, without white space around it.
pub(crate) fn text(value: &OsStr) -> Parsed<&str> {
    value.to_str().map(str::trim).ok_or_else(|| format!("`{}` is not UTF-8", value.to_string_lossy()))
}

/// Parses a text; the empty text means "none".
pub(crate) fn name(value: &OsStr) -> Parsed<Option<String>> {
    Ok(Some(text(value)?).filter(|name| !name.is_empty()).map(str::to_string))
}

/// Parses the name of a provision, by the rules of the provision directory; the empty text means "none".
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

/// Parses the requests of `--for`: `METHOD PATH` or `PATH`, perhaps with `?` and filters.
pub(crate) fn requests(value: &OsStr) -> Parsed<String> {
    let text = text(value)?;
    let path = text.split_once(' ').filter(|(method, _)| !method.starts_with('/'));
    match path.map_or(text, |(_, path)| path.trim_start()).starts_with('/') {
        true => Ok(text.to_string()),
        false => Err(format!("`{text}` has no path that starts with `/` (try `POST /orders`)")),
    }
}

/// A text that is given on the command line, or the place to read it from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Given {
    Text(OsString),
    File(PathBuf),
    /// Standard input.
    Input,
}

/// Parses a text, `@FILE`, or `-` and `@-` for standard input.
pub(crate) fn given(value: &OsStr) -> Parsed<Given> {
    Ok(match value.as_encoded_bytes() {
        b"-" | b"@-" => Given::Input,
        [b'@', name @ ..] => Given::File(path(OsStr::from_bytes(name))?),
        _ => Given::Text(value.to_owned()),
    })
}

/// Parses a header: `Name: value`.
pub(crate) fn field(value: &OsStr) -> Parsed<(String, String)> {
    let text = text(value)?;
    let (name, value) =
        text.split_once(':').ok_or_else(|| format!("`{text}` is no header (try `Accept: text/plain`)"))?;
    let (name, value) = (name.trim(), value.trim());
    check_header(name, value)?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Parses a file name of any bytes; an empty one is refused.
pub(crate) fn path(value: &OsStr) -> Parsed<PathBuf> {
    if value.is_empty() { Err("the path is empty".to_string()) } else { Ok(PathBuf::from(value)) }
}

/// Parses an IP address; brackets around IPv6 are allowed.
pub(crate) fn address(value: &OsStr) -> Parsed<IpAddr> {
    let text = text(value)?;
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    bare.parse().map_err(|_| format!("`{text}` is no IP address (try 0.0.0.0 or ::)"))
}

/// Parses a TCP port; 0 lets the system pick one.
pub(crate) fn port(value: &OsStr) -> Parsed<u16> {
    let text = text(value)?;
    digits(text).ok_or_else(|| format!("`{text}` is no port (0 to 65535)"))
}

/// Parses a whole number within `range`.
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

/// Parses the URL of a server to which requests are forwarded; empty for none.
pub(crate) fn upstream(value: &OsStr) -> Parsed<Option<Url>> {
    let text = text(value)?;
    if text.is_empty() {
        return Ok(None);
    }
    match Url::absolute(text).map_err(|error| error.cause())? {
        url if url.target.contains('?') => {
            Err(format!("`{text}` has a query, which the URL of a server has not"))
        }
        url => Ok(Some(url)),
    }
}

/// Parses a number of bytes, with or without a unit of k, M or G (powers of 1024; `kB` and `KiB` are the same), within
/// `range`.
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

/// Parses the memory of the journal: 0, or enough for an entry of some size.
pub(crate) fn journal_bytes(value: &OsStr) -> Parsed<Option<usize>> {
    match size(value, 0..=usize::MAX)? {
        0 => Ok(Some(0)),
        _ => size(value, 64 << 10..=usize::MAX).map(Some),
    }
}

/// Returns `bytes` as [`size`] parses it, in the largest unit that leaves no fraction.
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
    // No allocation can be larger than `isize::MAX`, and the sum of two such sizes can't overflow.
    digits::<usize>(number)?.checked_mul(1 << shift).filter(|bytes| *bytes <= isize::MAX as usize)
}

/// Parses a time within `range`: `500ms`, `2s`, `1.5m`, `1h`, or plain seconds.
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

/// Returns `time` as [`duration`] parses it, in hours, seconds or milliseconds.
pub(crate) fn in_words(time: Duration) -> String {
    match time.as_millis() {
        0 => "0s".to_string(),
        millis if millis % 3_600_000 == 0 => format!("{}h", millis / 3_600_000),
        millis if millis % 1_000 == 0 => format!("{}s", millis / 1_000),
        millis => format!("{millis}ms"),
    }
}

/// Splits `12.5ms` into `12.5` and `ms`.
fn split_unit(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(end)
}

/// Parses on or off, in any case; the empty text is off.
pub(crate) fn switch(value: &OsStr) -> Parsed<bool> {
    let text = text(value)?;
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "" | "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` is no switch (try 1 or 0)")),
    }
}

/// Parses one of two words; `true` for the second.
pub(crate) fn is_second(value: &OsStr, words: [&str; 2]) -> Parsed<bool> {
    let text = text(value)?;
    let index = words.iter().position(|word| *word == text);
    index
        .map(|index| index == 1)
        .ok_or_else(|| format!("`{text}` is neither `{}` nor `{}`", words[0], words[1]))
}

/// Parses one of `words`. Returns its index.
pub(crate) fn index(value: &OsStr, words: &[&str]) -> Parsed<usize> {
    let text = text(value)?;
    words.iter().position(|word| *word == text).ok_or_else(|| {
        let (last, others) = words.split_last().unwrap_or((&"", &[]));
        let hint = nearest(text, words.iter().copied()).map(|near| format!(": did you mean `{near}`?"));
        format!("`{text}` is none of {} and {last}{}", others.join(", "), hint.unwrap_or_default())
    })
}

/// Parses the word of `--color`.
pub(crate) fn color(value: &OsStr) -> Parsed<Color> {
    let text = text(value)?;
    let color = Color::WORDS.iter().find(|(word, _)| *word == text).map(|(_, color)| *color);
    color.ok_or_else(|| format!("`{text}` is none of `auto`, `always` and `never`"))
}

/// Parses conditions with commas between them; the empty text means "none given".
pub(crate) fn fail_on(value: &OsStr) -> Parsed<Option<FailOn>> {
    name(value)?.as_deref().map(FailOn::parse).transpose()
}

/// Parses a bearer token: visible ASCII, so that a header can carry it. Errors don't repeat the secret.
pub(crate) fn token(value: &OsStr) -> Parsed<Option<Token>> {
    let text = value.to_str().map(str::trim).unwrap_or("\u{fffd}");
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token is not visible ASCII".to_string());
    }
    Ok(Some(text).filter(|text| !text.is_empty()).map(Token::new))
}

/// Parses host names with commas between them, without ports: `mock.example.com,*.tests.example`. Returns them in lower case.
pub(crate) fn hosts(value: &OsStr) -> Parsed<Vec<String>> {
    let text = text(value)?.to_ascii_lowercase();
    let names = text.split(',').map(str::trim).filter(|name| !name.is_empty());
    let wrong = |name: &str| {
        format!("`{name}` is no name of a host (try `mock.example.com`, `*.example.com` or `*`)")
    };
    names.map(|name| if is_host(name) { Ok(name.to_owned()) } else { Err(wrong(name)) }).collect()
}

/// Whether `name` is a host name. `*` stands for labels at the start, or for all names.
fn is_host(name: &str) -> bool {
    let labels = name.strip_prefix("*.").unwrap_or(name);
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    name == "*" || labels.split('.').all(|label| !label.is_empty() && label.bytes().all(legal))
}

pub(crate) mod clock;
#[cfg(test)]
mod tests;
