//! `"{} {name:05.2f}".format(...)`: Python's format strings with the types `s d f F e x X o b %`.

use crate::script::runtime::frozen::{as_list, as_map};
use crate::script::runtime::natives::{Fallible, Natives};
use crate::script::runtime::size_limits::{Text, type_name, write_value};
use crate::system::truncate::beginning;
use rhai::{Array, Dynamic, ImmutableString, Map, NativeCallContext};

/// Most digits after the point.
pub(super) const MAX_PRECISION: usize = 100;

/// The values for the fields of a format string.
struct Arguments {
    positional: Array,
    named: Map,
    /// The place of the value for the next `{}`.
    next: usize,
}

impl Arguments {
    /// Tells positional and named values apart. A single list holds the positional values. A single map holds the named values,
    /// and is also the value of `{}`.
    fn new(mut values: Array) -> Self {
        let mut named = Map::new();
        if let [single] = values.as_slice() {
            if let Some(list) = as_list(single) {
                return Self { positional: list.to_vec(), named, next: 0 };
            }
            if let Some(map) = as_map(single) {
                named = map.to_map();
            }
        }
        values.shrink_to_fit();
        Self { positional: values, named, next: 0 }
    }

    /// Returns the value of `{}`, `{0}` or `{name}`.
    fn get(&mut self, field: &str) -> Result<&Dynamic, String> {
        if !field.is_empty() && field.parse::<usize>().is_err() {
            return self
                .named
                .get(field)
                .ok_or_else(|| format!("no value for `{{{}}}`", beginning(field, 80)));
        }
        let place = field.parse().unwrap_or(self.next);
        if field.is_empty() {
            self.next += 1;
        }
        let count = self.positional.len();
        self.positional
            .get(place)
            .ok_or_else(|| format!("`{{{place}}}` needs more than the {count} values given"))
    }
}

/// The format of a field: `[[fill]align][sign][#][0][width][,][.precision][type]`.
#[derive(Debug, Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    plus: bool,
    prefix: bool,
    width: usize,
    comma: bool,
    precision: Option<usize>,
    kind: Option<char>,
}

impl Spec {
    fn parse(text: &str) -> Result<Self, String> {
        let bad = || format!("bad format `{}`", beginning(text, 80));
        let mut spec = Self::default();
        let mut rest = text;
        let mut letters = text.chars();
        let (first, second) = (letters.next(), letters.next());
        if let (Some(fill), Some(align @ ('<' | '>' | '^'))) = (first, second) {
            (spec.fill, spec.align) = (Some(fill), Some(align));
            rest = &rest[fill.len_utf8() + 1..];
        } else if let Some(align @ ('<' | '>' | '^')) = first {
            spec.align = Some(align);
            rest = &rest[1..];
        }
        spec.plus = take(&mut rest, '+');
        spec.prefix = take(&mut rest, '#');
        if take(&mut rest, '0') && spec.fill.is_none() {
            spec.fill = Some('0');
        }
        spec.width = digits(&mut rest).map_or(Ok(0), |digits| digits.parse().map_err(|_| bad()))?;
        spec.comma = take(&mut rest, ',');
        if take(&mut rest, '.') {
            let precision = digits(&mut rest).and_then(|digits| digits.parse().ok()).ok_or_else(bad)?;
            spec.precision = Some(precision);
        }
        spec.kind = rest.chars().next();
        let kind = spec.kind.is_none_or(|kind| "sdfFexXob%".contains(kind));
        if !kind
            || rest.len() > 1
            || spec.precision.is_some_and(|digits| digits > MAX_PRECISION && spec.kind != Some('s'))
        {
            return Err(bad());
        }
        Ok(spec)
    }

    /// Returns the text of a number, without padding.
    fn number(&self, value: &Dynamic) -> Result<String, String> {
        let kind = self.kind.unwrap_or(if value.is_int() && self.precision.is_none() { 'd' } else { 'f' });
        let float = value.as_float().or_else(|_| value.as_int().map(|number| number as f64));
        let text = match (kind, value.as_int(), float) {
            ('d', Ok(number), _) => number.to_string(),
            // Python writes `-0xff`, not the two's complement.
            ('x' | 'X' | 'o' | 'b', Ok(number), _) => {
                let sign = if number < 0 { "-" } else { "" };
                format!("{sign}{}{}", prefix(kind, self.prefix), in_base(kind, number.unsigned_abs()))
            }
            ('f' | 'F', _, Ok(number)) => format!("{number:.*}", self.precision.unwrap_or(6)),
            ('e', _, Ok(number)) => exponential(number, self.precision.unwrap_or(6)),
            ('%', _, Ok(number)) => format!("{:.*}%", self.precision.unwrap_or(6), number * 100.0),
            _ => return Err(format!("`{kind}` does not show a value of type `{}`", type_name(value))),
        };
        let text = if self.comma { with_commas(&text) } else { text };
        Ok(if self.plus && !text.starts_with('-') { format!("+{text}") } else { text })
    }

    /// Appends `value` in this format.
    fn write(&self, context: &NativeCallContext, value: &Dynamic, out: &mut Text) -> Fallible<()> {
        let plain = matches!(self.kind, None | Some('s')) && !(value.is_int() || value.is_float());
        let shown = self.kind.is_none() && self.precision.is_none() && !self.comma && !self.plus;
        if plain || shown || self.kind == Some('s') {
            let mut text = Text::new();
            write_value("format", &mut text, context, value)?;
            let text = text.finish();
            let most = if plain { self.precision.unwrap_or(usize::MAX) } else { usize::MAX };
            let align = if value.is_string() || value.is_char() { '<' } else { '>' };
            return self.pad(beginning(&text, most), align, out);
        }
        let text = self.number(value).map_err(|why| format!("format: {why}"))?;
        self.pad(&text, '>', out)
    }

    /// Appends `text` with padding. Zeros go between the sign and the digits.
    fn pad(&self, text: &str, align: char, out: &mut Text) -> Fallible<()> {
        let missing = self.width.saturating_sub(text.chars().count());
        let fill = self.fill.unwrap_or(' ');
        let mut buffer = [0; 4];
        let fill_text: &str = fill.encode_utf8(&mut buffer);
        let (sign, digits) = match text.strip_prefix(['-', '+']) {
            Some(digits) if fill == '0' && self.align.is_none() => (&text[..1], digits),
            _ => ("", text),
        };
        let left = match self.align.unwrap_or(align) {
            '<' => 0,
            '^' => missing / 2,
            _ => missing,
        };
        out.push("format", sign)?;
        out.repeat("format", fill_text, left)?;
        out.push("format", digits)?;
        out.repeat("format", fill_text, missing - left)
    }
}

/// Removes `letter` from the front of `rest`. Returns true if it was there.
fn take(rest: &mut &str, letter: char) -> bool {
    let after = rest.strip_prefix(letter);
    *rest = after.unwrap_or(rest);
    after.is_some()
}

/// Removes the digits at the front of `rest`.
pub(super) fn digits<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let end = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, after) = rest.split_at(end);
    *rest = after;
    Some(digits).filter(|digits| !digits.is_empty())
}

/// Returns the digits of a number in the base of the type `x`, `X`, `o` or `b`.
pub(super) fn in_base(kind: char, number: u64) -> String {
    match kind {
        'x' => format!("{number:x}"),
        'X' => format!("{number:X}"),
        'o' => format!("{number:o}"),
        _ => format!("{number:b}"),
    }
}

/// Returns `0x`, `0X`, `0o` or `0b` if `wanted`, else nothing.
pub(super) fn prefix(kind: char, wanted: bool) -> String {
    if wanted { format!("0{kind}") } else { String::new() }
}

/// Returns the number in the form `1.500000e+03`: the exponent has a sign and at least two digits.
pub(super) fn exponential(number: f64, precision: usize) -> String {
    let text = format!("{number:.precision$e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let sign = if exponent.starts_with('-') { '-' } else { '+' };
    format!("{digits}e{sign}{:0>2}", exponent.trim_start_matches('-'))
}

/// Puts commas between groups of three digits before the point.
fn with_commas(text: &str) -> String {
    let start = text.find(|letter: char| letter.is_ascii_digit()).unwrap_or(0);
    let end =
        text[start..].find(|letter: char| !letter.is_ascii_digit()).map_or(text.len(), |end| start + end);
    let mut grouped = text[..start].to_string();
    for (index, digit) in text[start..end].chars().enumerate() {
        if index > 0 && (end - start - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped.push_str(&text[end..]);
    grouped
}

fn format(context: &NativeCallContext, template: &str, values: Array) -> Fallible<ImmutableString> {
    let mut arguments = Arguments::new(values);
    let mut out = Text::new();
    let mut rest = template;
    while let Some(place) = rest.find(['{', '}']) {
        out.push("format", &rest[..place])?;
        let brace = &rest[place..=place];
        rest = &rest[place + 1..];
        if let Some(after) = rest.strip_prefix(brace) {
            out.push("format", brace)?;
            rest = after;
            continue;
        }
        let field = if brace == "{" { rest.split_once('}') } else { None };
        let Some((field, after)) = field else {
            return Err(format!("format: a single `{brace}` in the template: write it twice").into());
        };
        rest = after;
        let (name, spec) = field.split_once(':').unwrap_or((field, ""));
        let spec = Spec::parse(spec).map_err(|why| format!("format: {why}"))?;
        let value = arguments.get(name).map_err(|why| format!("format: {why}"))?;
        spec.write(context, value, &mut out)?;
    }
    out.push("format", rest)?;
    Ok(out.finish())
}

/// Registers `format` with up to six values.
pub(super) fn register(natives: &mut Natives) {
    type Context<'a> = NativeCallContext<'a>;
    type Value = Dynamic;
    natives.register_fn("format", |context: Context, text: &str| format(&context, text, vec![]));
    natives.register_fn("format", |context: Context, text: &str, a: Value| format(&context, text, vec![a]));
    natives.register_fn("format", |context: Context, text: &str, a: Value, b: Value| {
        format(&context, text, vec![a, b])
    });
    natives.register_fn("format", |context: Context, text: &str, a: Value, b: Value, c: Value| {
        format(&context, text, vec![a, b, c])
    });
    natives.register_fn("format", |context: Context, text: &str, a: Value, b: Value, c: Value, d: Value| {
        format(&context, text, vec![a, b, c, d])
    });
    natives.register_fn(
        "format",
        |context: Context, text: &str, a: Value, b: Value, c: Value, d: Value, e: Value| {
            format(&context, text, vec![a, b, c, d, e])
        },
    );
    natives.register_fn(
        "format",
        |context: Context, text: &str, a: Value, b: Value, c: Value, d: Value, e: Value, f: Value| {
            format(&context, text, vec![a, b, c, d, e, f])
        },
    );
}
