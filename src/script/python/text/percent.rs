//! `"id %s: %05.1f" % [id, x]`: Python's older format strings, which `logging` uses too.

use super::format::{MAX_PRECISION, digits, exponential, in_base, prefix};
use super::repr::{ascii, write_repr};
use crate::script::runtime::frozen::{as_list, as_map, is_map};
use crate::script::runtime::json::python_float;
use crate::script::runtime::large_int::LargeInt;
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{MAX_TEXT, Text, text_of, type_name, write_value};
use crate::system::truncate::beginning;
use rhai::{Dynamic, ImmutableString, NativeCallContext};

/// The reason why there is no text.
pub(crate) enum Failure {
    /// The values don't fit the template. The text says why.
    Mismatch(String),
    /// The result is longer than the limit.
    TooLong,
}

type Step<T> = Result<T, Failure>;

fn mismatch<T>(why: impl Into<String>) -> Step<T> {
    Err(Failure::Mismatch(why.into()))
}

/// Appends `template` with `values` in place of its directives. A single map holds the values of `%(name)s`.
pub(crate) fn write_percent(
    out: &mut Text,
    context: &NativeCallContext,
    template: &str,
    values: &[Dynamic],
) -> Step<()> {
    let mut writer = Writer { out, context, values, next: 0 };
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('%') {
        writer.push(before)?;
        let (directive, after) = writer.directive(after)?;
        writer.convert(&directive)?;
        rest = after;
    }
    writer.push(rest)?;
    let by_name = matches!(values, [map] if is_map(map));
    if writer.next < values.len() && !by_name {
        return mismatch(format!("{} values for {} directives", values.len(), writer.next));
    }
    Ok(())
}

/// A directive: `%[(name)][flags][width][.precision]kind`.
#[derive(Default)]
struct Directive<'t> {
    name: Option<&'t str>,
    left: bool,
    zero: bool,
    plus: bool,
    blank: bool,
    prefix: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

struct Writer<'a, 'b> {
    out: &'a mut Text,
    context: &'a NativeCallContext<'b>,
    values: &'a [Dynamic],
    /// The place of the value for the next directive.
    next: usize,
}

impl<'a> Writer<'a, '_> {
    fn push(&mut self, part: &str) -> Step<()> {
        self.out.push("%", part).map_err(|_| Failure::TooLong)
    }

    /// Returns the value of the next directive.
    fn take(&mut self) -> Step<&'a Dynamic> {
        let Some(value) = self.values.get(self.next) else {
            return mismatch(format!("{} values are too few", self.values.len()));
        };
        self.next += 1;
        Ok(value)
    }

    /// Reads a directive after its `%`. Also returns the rest of the text.
    fn directive<'t>(&mut self, text: &'t str) -> Step<(Directive<'t>, &'t str)> {
        let mut directive = Directive::default();
        let mut rest = text;
        if let Some(after) = rest.strip_prefix('(') {
            let Some((name, after)) = after.split_once(')') else {
                return mismatch("a `%(` without `)`");
            };
            (directive.name, rest) = (Some(name), after);
        }
        while let Some(flag) = rest.chars().next().filter(|flag| "#0- +".contains(*flag)) {
            match flag {
                '#' => directive.prefix = true,
                '0' => directive.zero = true,
                '-' => directive.left = true,
                '+' => directive.plus = true,
                _ => directive.blank = true,
            }
            rest = &rest[1..];
        }
        let width = self.number(&mut rest)?.unwrap_or(0);
        directive.left |= width < 0;
        directive.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            let precision = self.number(&mut rest)?.unwrap_or(0);
            directive.precision = Some(usize::try_from(precision).unwrap_or(0));
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let Some(kind) = rest.chars().next() else {
            return mismatch("a `%` at the end: write `%%` for the sign itself");
        };
        directive.kind = kind;
        Ok((directive, &rest[kind.len_utf8()..]))
    }

    /// Removes a number from the front of `rest`. For a `*` the number is the next value.
    fn number(&mut self, rest: &mut &str) -> Step<Option<i64>> {
        if let Some(after) = rest.strip_prefix('*') {
            *rest = after;
            return match self.take()?.as_int() {
                Ok(number) => Ok(Some(number)),
                Err(found) => mismatch(format!("`*` needs a whole number, not `{found}`")),
            };
        }
        let Some(digits) = digits(rest) else { return Ok(None) };
        match digits.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => mismatch(format!("the width {} is too large", beginning(digits, 40))),
        }
    }

    fn convert(&mut self, directive: &Directive) -> Step<()> {
        if directive.kind == '%' {
            return self.push("%");
        }
        if !"diouxXeEfFgGcrsa".contains(directive.kind) {
            let kind = directive.kind.escape_default();
            return mismatch(format!("unknown directive `%{kind}`: write `%%` for the sign itself"));
        }
        let named;
        let value = match directive.name {
            None => self.take()?,
            Some(name) => {
                let map = match self.values {
                    [map] => as_map(map),
                    _ => None,
                };
                let Some(map) = map else {
                    return mismatch(format!("`%({})` needs a map", beginning(name, 80)));
                };
                let Some(value) = map.get(name) else {
                    return mismatch(format!("no value for `%({})`", beginning(name, 80)));
                };
                named = value.clone();
                &named
            }
        };
        match directive.kind {
            's' | 'r' | 'a' => self.text(directive, value),
            'c' => {
                let letter = letter(value)?;
                self.pad(directive, "", &letter, false)
            }
            _ => {
                let (sign, digits) = directive.number(value)?;
                self.pad(directive, &sign, &digits, directive.zero)
            }
        }
    }

    fn text(&mut self, directive: &Directive, value: &Dynamic) -> Step<()> {
        let mut text = Text::new();
        let written = match value.as_float() {
            _ if directive.kind != 's' => write_repr("%", &mut text, self.context, value),
            Ok(number) => text.push("%", &python_float(number)),
            Err(_) => write_value("%", &mut text, self.context, value),
        };
        written.map_err(|_| Failure::TooLong)?;
        let mut text = text.finish();
        if directive.kind == 'a' && !text.is_ascii() {
            text = ascii(&text).into();
        }
        let shown = directive.precision.map_or(text.as_str(), |most| beginning(&text, most));
        self.pad(directive, "", shown, false)
    }

    /// Appends `sign` and `text`, padded with zeros between them or with blanks on one side.
    fn pad(&mut self, directive: &Directive, sign: &str, text: &str, zeros: bool) -> Step<()> {
        let missing = directive.width.saturating_sub(sign.len() + text.chars().count());
        let (blanks, zeros, after) = match (directive.left, zeros) {
            (true, _) => (0, 0, missing),
            (_, true) => (0, missing, 0),
            _ => (missing, 0, 0),
        };
        self.repeat(" ", blanks)?;
        self.push(sign)?;
        self.repeat("0", zeros)?;
        self.push(text)?;
        self.repeat(" ", after)
    }

    fn repeat(&mut self, part: &str, count: usize) -> Step<()> {
        self.out.repeat("%", part, count).map_err(|_| Failure::TooLong)
    }
}

impl Directive<'_> {
    /// Returns the sign of a number, together with the prefix of its base, and its digits.
    fn number(&self, value: &Dynamic) -> Step<(String, String)> {
        if self.precision.is_some_and(|digits| digits > MAX_PRECISION) {
            return mismatch(format!("more than {MAX_PRECISION} digits behind the point"));
        }
        let text = match self.kind {
            'd' | 'i' | 'u' => whole(value, self.kind)?,
            'o' | 'x' | 'X' => return self.based(value),
            _ => self.float(value)?,
        };
        let (negative, digits) = match text.strip_prefix('-') {
            Some(digits) => (true, digits.to_owned()),
            None => (false, text),
        };
        let digits = if "diu".contains(self.kind) { self.at_least(digits) } else { digits };
        Ok((self.sign(negative).to_owned(), digits))
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.blank) {
            (true, ..) => "-",
            (false, true, _) => "+",
            (false, false, true) => " ",
            _ => "",
        }
    }

    /// Puts zeros in front of the digits up to the precision.
    fn at_least(&self, digits: String) -> String {
        format!("{digits:0>width$}", width = self.precision.unwrap_or(0))
    }

    fn based(&self, value: &Dynamic) -> Step<(String, String)> {
        let number = match (value.as_int(), value.as_bool()) {
            (Ok(number), _) => number,
            (_, Ok(flag)) => i64::from(flag),
            _ => {
                let (kind, found) = (self.kind, type_name(value));
                return mismatch(format!("`%{kind}` needs a whole number, not `{found}`"));
            }
        };
        let prefix = prefix(self.kind, self.prefix);
        let digits = self.at_least(in_base(self.kind, number.unsigned_abs()));
        Ok((format!("{}{prefix}", self.sign(number < 0)), digits))
    }

    fn float(&self, value: &Dynamic) -> Step<String> {
        let number = match (value.as_float(), value.as_int(), value.as_bool(), value.read_lock::<LargeInt>())
        {
            (Ok(number), ..) => number,
            (_, Ok(number), ..) => number as f64,
            (_, _, Ok(flag), _) => f64::from(u8::from(flag)),
            (.., Some(number)) => number.to_float(),
            _ => {
                let (kind, found) = (self.kind, type_name(value));
                return mismatch(format!("`%{kind}` needs a number, not `{found}`"));
            }
        };
        let precision = self.precision.unwrap_or(6);
        let text = match self.kind {
            _ if !number.is_finite() => python_float(number),
            'e' | 'E' => exponential(number, precision),
            'g' | 'G' => general(number, precision.max(1), self.prefix),
            _ => format!("{number:.precision$}"),
        };
        let text = match text.find('e').unwrap_or(text.len()) {
            end if self.prefix && number.is_finite() && !text.contains('.') => {
                [&text[..end], ".", &text[end..]].concat()
            }
            _ => text,
        };
        Ok(if self.kind.is_ascii_uppercase() { text.to_uppercase() } else { text })
    }
}

/// Returns the number with `precision` digits in all. Zeros at the end are dropped unless `zeros` is set. Small and large numbers
/// have an exponent.
fn general(number: f64, precision: usize, zeros: bool) -> String {
    let text = exponential(number, precision - 1);
    let exponent: i32 = text.split_once('e').and_then(|(_, exponent)| exponent.parse().ok()).unwrap_or(0);
    let significant = i32::try_from(precision).unwrap_or(i32::MAX);
    let trimmed = |digits: &str| match digits.contains('.') && !zeros {
        true => digits.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => digits.to_owned(),
    };
    if (-4..significant).contains(&exponent) {
        let behind = usize::try_from(significant - 1 - exponent).unwrap_or(0);
        return trimmed(&format!("{number:.behind$}"));
    }
    match text.split_once('e') {
        Some((digits, exponent)) => format!("{}e{exponent}", trimmed(digits)),
        None => text,
    }
}

/// Returns the digits of a number before the point.
fn whole(value: &Dynamic, kind: char) -> Step<String> {
    if let Some(number) = value.read_lock::<LargeInt>() {
        return Ok(number.to_string());
    }
    match (value.as_int(), value.as_bool(), value.as_float()) {
        (Ok(number), ..) => Ok(number.to_string()),
        (_, Ok(flag), _) => Ok(u8::from(flag).to_string()),
        (.., Ok(number)) if number.is_finite() => {
            let text = format!("{:.0}", number.trunc());
            Ok(if text == "-0" { "0".to_owned() } else { text })
        }
        _ => mismatch(format!("`%{kind}` needs a number, not `{}`", type_name(value))),
    }
}

/// Returns the character of `%c`: a text of one character, or the number of a character.
fn letter(value: &Dynamic) -> Step<String> {
    let by_number = value.as_int().ok().and_then(|code| u32::try_from(code).ok()).and_then(char::from_u32);
    let text = by_number.map_or_else(|| text_of(value, 8), |letter| String::from(letter).into());
    let is_one = (value.is_string() || value.is_char() || by_number.is_some()) && text.chars().count() == 1;
    if is_one { Ok(text.into()) } else { mismatch("`%c` needs one character, or its number") }
}

/// `template % value`. A list holds the values, as a tuple does in Python.
fn percent(context: &NativeCallContext, template: &str, value: &Dynamic) -> Fallible<ImmutableString> {
    let mut out = Text::new();
    let list = as_list(value).map(|list| list.to_vec());
    let values = list.as_deref().unwrap_or(std::slice::from_ref(value));
    write_percent(&mut out, context, template, values).map_err(|failure| match failure {
        Failure::Mismatch(why) => {
            format!("`{}` % ...: {why}", beginning(template, 80).escape_debug())
        }
        Failure::TooLong => format!("%: the result is longer than {MAX_TEXT} bytes"),
    })?;
    Ok(out.finish())
}

pub(super) fn register(natives: &mut Natives) {
    natives.register_fn("%", |context: NativeCallContext, template: &str, value: Dynamic| {
        percent(&context, template, &value)
    });
    // Without this, Rhai would choose the remainder of large integers.
    natives.register_fn("%", |context: NativeCallContext, template: &str, number: LargeInt| {
        percent(&context, template, &Dynamic::from(number))
    });
}

#[cfg(test)]
mod tests;
