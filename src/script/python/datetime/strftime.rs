//! `strftime`: writes dates and times by a format, with the directives of Python on Linux.

use crate::script::runtime::datetime::{Timezone, offset_text};
use crate::script::runtime::natives::Fallible;
use chrono::{NaiveDateTime, Timelike};

/// Most bytes of a format. A directive of two characters becomes a text of up to thirty.
const MAX_FORMAT: usize = 4096;

/// Numbers that chrono writes as glibc does, with the flags `-`, `_` and `0`.
const NUMBERS: &str = "deHIkljmMSuwUWVgy";

/// Texts, and formats of several numbers, that chrono writes as glibc does.
const OTHERS: &str = "aAbhBpPxDXTrRnt%";

/// Writes a time by `format`. The error names the function `name`.
pub(crate) fn strftime(
    name: &str,
    format: &str,
    local: NaiveDateTime,
    zone: Option<Timezone>,
) -> Fallible<String> {
    if format.len() > MAX_FORMAT {
        return Err(format!("{name}: the format is longer than {MAX_FORMAT} bytes").into());
    }
    formatted(format, local, zone).map_err(|directive| {
        let (directive, format) = (directive.escape_debug(), format.escape_debug());
        format!("{name}: bad directive `%{directive}` in the format `{format}`").into()
    })
}

/// Writes a time by `format`. The error is the first unknown directive.
fn formatted(format: &str, local: NaiveDateTime, zone: Option<Timezone>) -> Result<String, String> {
    let mut out = String::new();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            out.push(letter);
            continue;
        }
        let mut kind = letters.next();
        // Flags of glibc: `%-d` without zeros, `%_d` with blanks, `%^a` in capitals.
        let flag = kind.filter(|kind| "-_0^".contains(*kind));
        if flag.is_some() {
            kind = letters.next();
        }
        let by_chrono = |fill: &str, kind: char| local.format(&format!("%{fill}{kind}")).to_string();
        let micros = local.nanosecond() / 1000;
        let text = match (kind, flag) {
            (Some('c'), _) => formatted("%a %b %e %T %Y", local, zone)?,
            (Some('F'), _) => formatted("%Y-%m-%d", local, zone)?,
            (Some('f'), Some('-')) => micros.to_string(),
            (Some('f'), Some('_')) => format!("{micros:6}"),
            (Some('f'), _) => format!("{micros:06}"),
            (Some('s'), _) => {
                (local.and_utc().timestamp() - zone.map_or(0, |zone| zone.0 / 1_000_000)).to_string()
            }
            (Some('z'), _) => zone.map(|zone| offset_text(zone, "")).unwrap_or_default(),
            (Some('Z'), _) => zone.map(|zone| zone.to_string()).unwrap_or_default(),
            // chrono fills years up to four digits, glibc does not.
            (Some(kind), _) if "CGY".contains(kind) => by_chrono("-", kind),
            (Some(kind), Some(fill @ ('-' | '_' | '0'))) if NUMBERS.contains(kind) => {
                by_chrono(fill.encode_utf8(&mut [0; 4]), kind)
            }
            (Some(kind), _) if NUMBERS.contains(kind) || OTHERS.contains(kind) => by_chrono("", kind),
            _ => return Err(flag.into_iter().chain(kind).collect()),
        };
        out += &if flag == Some('^') && kind != Some('c') { text.to_uppercase() } else { text };
    }
    Ok(out)
}
