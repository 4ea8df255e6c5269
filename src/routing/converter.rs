//! The converters of URL variables: the text that each takes, its value, and the text of a value.

use crate::routing::value::Value;
use std::fmt;

/// A converter with its options, as in `<int(min=1):id>` (Werkzeug 2.0, "Builtin Converters").
#[derive(Debug, Clone, PartialEq)]
pub enum Converter {
    /// Any text without a slash. Lengths are in characters; the least is 1.
    Text { min: usize, max: Option<usize> },
    /// Digits. `fixed_digits` includes the sign, as in Werkzeug; 0 allows any number of digits.
    Int { fixed_digits: usize, min: Option<i64>, max: Option<i64>, signed: bool },
    /// Digits with a point between them.
    Float { min: Option<f64>, max: Option<f64>, signed: bool },
    /// One of these texts, tried in this order.
    Any(Vec<String>),
    /// 8-4-4-4-12 hex digits; the value is in lower case.
    Uuid,
    /// The shortest text that lets the rest of the rule match, not starting with a slash.
    Path,
}

/// Names of all converters.
pub(crate) const NAMES: [&str; 7] = ["any", "default", "float", "int", "path", "string", "uuid"];

impl Converter {
    /// Parses the converter `name` with the text between its parentheses.
    ///
    /// # Errors
    /// The fault of the name or the options, without the rule.
    pub fn parse(name: &str, arguments: &str) -> Result<Converter, String> {
        let options = |allowed: &[&'static str]| Options::parse(name, arguments, allowed);
        match name {
            "string" | "default" => options(&["minlength", "maxlength", "length"])?.text(),
            "int" => options(&["fixed_digits", "min", "max", "signed"])?.int(),
            "float" => options(&["min", "max", "signed"])?.float(),
            "any" => any(arguments),
            "uuid" => options(&[]).map(|_| Converter::Uuid),
            "path" => options(&[]).map(|_| Converter::Path),
            _ => Err(format!("unknown converter `{name}`, there are `{}`", NAMES.join("`, `"))),
        }
    }

    /// Returns Werkzeug's weight. Of two rules that are alike otherwise, the rule with lighter variables is tried first.
    pub fn weight(&self) -> u8 {
        match self {
            Converter::Int { .. } | Converter::Float { .. } => 50,
            Converter::Text { .. } | Converter::Any(_) | Converter::Uuid => 100,
            Converter::Path => 200,
        }
    }

    /// Whether the text can have slashes.
    pub fn spans_segments(&self) -> bool {
        match self {
            Converter::Path => true,
            Converter::Any(items) => items.iter().any(|item| item.contains('/')),
            _ => false,
        }
    }

    /// Returns the widest converter of this kind and weight, which takes each text of this one.
    pub fn widest(&self) -> String {
        match self {
            Converter::Text { .. } | Converter::Uuid => "string".to_owned(),
            Converter::Any(_) if !self.spans_segments() => "string".to_owned(),
            Converter::Int { signed: false, .. } => "int".to_owned(),
            Converter::Float { signed: false, .. } => "float".to_owned(),
            other => other.to_string(),
        }
    }

    /// Calls `fits` with each possible end of the text that starts at byte `from` of `path`, until `fits` accepts one. The order
    /// is that of Werkzeug's regular expressions: longest first, `path` shortest first, `any` as listed.
    pub fn ends(&self, path: &str, from: usize, mut fits: impl FnMut(usize) -> bool) -> bool {
        let rest = &path[from..];
        match self {
            Converter::Text { min, max } => text_ends(rest, *min, max.unwrap_or(usize::MAX), from, fits),
            Converter::Int { signed, .. } => {
                let first = usize::from(*signed && rest.starts_with('-'));
                let digits = digits(&rest[first..]);
                (from + first + 1..=from + first + digits).rev().any(fits)
            }
            Converter::Float { signed, .. } => {
                let first = usize::from(*signed && rest.starts_with('-'));
                let point = first + digits(&rest[first..]);
                if point == first || !rest[point..].starts_with('.') {
                    return false;
                }
                let fraction = digits(&rest[point + 1..]);
                (from + point + 2..=from + point + 1 + fraction).rev().any(fits)
            }
            Converter::Any(items) => items
                .iter()
                .filter(|item| rest.starts_with(item.as_str()))
                .map(|item| from + item.len())
                .any(fits),
            Converter::Uuid => is_uuid(rest) && fits(from + 36),
            Converter::Path => {
                !rest.starts_with('/')
                    && rest.char_indices().map(|(at, character)| from + at + character.len_utf8()).any(fits)
            }
        }
    }

    /// Returns the value of a text that [`Converter::ends`] found; `None` out of the range of the options, or of i64.
    pub fn convert(&self, text: &str) -> Option<Value> {
        match self {
            Converter::Int { fixed_digits, min, max, .. } => {
                let number = text.parse::<i64>().ok()?;
                let sized = *fixed_digits == 0 || text.len() == *fixed_digits;
                (sized && min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max))
                    .then_some(Value::Int(number))
            }
            Converter::Float { min, max, .. } => {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite())?;
                (min.is_none_or(|min| number >= min) && max.is_none_or(|max| number <= max))
                    .then_some(Value::Float(number))
            }
            Converter::Uuid => Some(Value::Text(text.to_ascii_lowercase())),
            Converter::Text { .. } | Converter::Any(_) | Converter::Path => {
                Some(Value::Text(text.to_owned()))
            }
        }
    }

    /// Returns the text of `value` in a URL, not yet percent-encoded; `None` if the converter needs a number and `value` is not
    /// a number. Limits are not checked (Werkzeug builds such URLs too).
    pub fn to_url(&self, value: &Value) -> Option<String> {
        match (self, value) {
            (Converter::Int { fixed_digits, .. }, value) => {
                let number = match value {
                    Value::Int(number) => *number,
                    Value::Float(number) if number.is_finite() => *number as i64,
                    Value::Float(_) => return None,
                    Value::Text(text) => text.parse().ok()?,
                };
                Some(format!("{number:0fixed_digits$}"))
            }
            (Converter::Float { .. }, Value::Int(number)) => Some(format!("{number}.0")),
            (Converter::Float { .. }, Value::Text(text)) => text.parse().ok().and_then(point),
            (Converter::Float { .. }, Value::Float(number)) => point(*number),
            (_, value) => Some(value.to_string()),
        }
    }
}

/// Writes a float as the `float` converter reads it: with a point and without an exponent.
fn point(number: f64) -> Option<String> {
    let text = number.is_finite().then(|| number.to_string())?;
    Some(if text.contains('.') { text } else { text + ".0" })
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn text_ends(rest: &str, min: usize, max: usize, from: usize, mut fits: impl FnMut(usize) -> bool) -> bool {
    let (mut end, mut length) = (0, 0);
    for character in rest.chars().take(max).take_while(|character| *character != '/') {
        end += character.len_utf8();
        length += 1;
    }
    while length >= min {
        if fits(from + end) {
            return true;
        }
        end = rest[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        length -= 1;
    }
    false
}

fn is_uuid(text: &str) -> bool {
    text.len() >= 36
        && text.bytes().take(36).enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn any(arguments: &str) -> Result<Converter, String> {
    let mut items = Vec::new();
    for (name, item) in split(arguments).map_err(|piece| malformed("any", &piece))? {
        if let Some(name) = name {
            return Err(format!("converter `any` has no option `{name}`"));
        }
        // With such an item the slashes around it would be ambiguous.
        if item.is_empty() || item.starts_with('/') || item.ends_with('/') {
            return Err(format!("item `{item}` of converter `any` must not be empty, start or end with `/`"));
        }
        items.push(item);
    }
    if items.is_empty() { Err("converter `any` needs items".to_owned()) } else { Ok(Converter::Any(items)) }
}

fn malformed(converter: &str, piece: &str) -> String {
    format!("malformed option `{piece}` of converter `{converter}`")
}

/// Splits `min=1, "a,b", c` at the commas into names, if given, and values without quotes. The error is the malformed piece.
fn split(arguments: &str) -> Result<Vec<(Option<String>, String)>, String> {
    let (mut pieces, mut start) = (Vec::new(), 0);
    for (at, _) in unquoted(arguments).filter(|(_, character)| *character == ',') {
        pieces.push(&arguments[start..at]);
        start = at + 1;
    }
    // A comma may end the list, as in a Python call.
    if !arguments[start..].trim().is_empty() {
        pieces.push(&arguments[start..]);
    }
    pieces.into_iter().map(|piece| argument(piece.trim()).ok_or_else(|| piece.trim().to_owned())).collect()
}

/// Returns the characters of `text` outside of quotes, each with its place; the quotes are left out.
pub(crate) fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    text.char_indices().filter(move |&(_, character)| {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            _ => return quote.is_none(),
        }
        false
    })
}

fn argument(piece: &str) -> Option<(Option<String>, String)> {
    let (name, value) = match piece.split_once('=') {
        Some((name, value)) if !piece.starts_with(['"', '\'']) => (Some(name.trim()), value.trim()),
        _ => (None, piece),
    };
    let inner = |quote| value.strip_prefix(quote)?.strip_suffix(quote).filter(|inner| !inner.contains(quote));
    let plain =
        |text: &str| !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || "\"'=()".contains(c));
    let value = inner('"').or_else(|| inner('\'')).or_else(|| plain(value).then_some(value))?;
    name.is_none_or(plain).then(|| (name.map(str::to_owned), value.to_owned()))
}

/// The options of one converter, by name.
struct Options<'a> {
    converter: &'a str,
    given: Vec<(&'a str, String)>,
}

impl<'a> Options<'a> {
    fn parse(converter: &'a str, arguments: &str, allowed: &[&'a str]) -> Result<Self, String> {
        let mut given: Vec<(&str, String)> = Vec::new();
        for (at, (name, value)) in
            split(arguments).map_err(|piece| malformed(converter, &piece))?.into_iter().enumerate()
        {
            let known = match &name {
                Some(name) => allowed.iter().find(|option| *option == name),
                None => allowed.get(at),
            };
            let Some(option) = known else {
                let name = name.as_ref().unwrap_or(&value);
                return Err(format!("converter `{converter}` has no option `{name}`"));
            };
            if given.iter().any(|(name, _)| name == option) {
                return Err(format!("option `{option}` of converter `{converter}` is given twice"));
            }
            given.push((option, value));
        }
        Ok(Options { converter, given })
    }

    /// Returns the value of an option. `None` in the rule means that it is not given, as in Python.
    fn get<T>(&self, name: &str, kind: &str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, String> {
        let Some((_, value)) = self.given.iter().find(|(option, value)| *option == name && value != "None")
        else {
            return Ok(None);
        };
        let wrong =
            || format!("option `{name}` of converter `{}` must be {kind}, not `{value}`", self.converter);
        read(value).map(Some).ok_or_else(wrong)
    }

    fn length(&self, name: &str) -> Result<Option<usize>, String> {
        self.get(name, "a number of characters from 1", |value| {
            value.parse().ok().filter(|length| *length > 0)
        })
    }

    fn integer(&self, name: &str) -> Result<Option<i64>, String> {
        self.get(name, "an integer", |value| value.parse().ok())
    }

    fn number(&self, name: &str) -> Result<Option<f64>, String> {
        self.get(name, "a number", |value| value.parse().ok().filter(|number: &f64| number.is_finite()))
    }

    fn signed(&self) -> Result<bool, String> {
        let read = |value: &str| match value {
            "True" | "true" | "1" => Some(true),
            "False" | "false" | "0" => Some(false),
            _ => None,
        };
        Ok(self.get("signed", "True or False", read)?.unwrap_or(false))
    }

    fn text(&self) -> Result<Converter, String> {
        let (min, max) = (self.length("minlength")?.unwrap_or(1), self.length("maxlength")?);
        if let Some(length) = self.length("length")? {
            return Ok(Converter::Text { min: length, max: Some(length) });
        }
        match max {
            Some(max) if max < min => {
                Err(format!("`maxlength` {max} of `{}` is under `minlength` {min}", self.converter))
            }
            _ => Ok(Converter::Text { min, max }),
        }
    }

    fn int(&self) -> Result<Converter, String> {
        // This limit bounds the padding in `to_url`, too.
        let count = |value: &str| value.parse().ok().filter(|digits| *digits <= 1000);
        Ok(Converter::Int {
            fixed_digits: self.get("fixed_digits", "a number of digits up to 1000", count)?.unwrap_or(0),
            min: self.integer("min")?,
            max: self.integer("max")?,
            signed: self.signed()?,
        })
    }

    fn float(&self) -> Result<Converter, String> {
        Ok(Converter::Float { min: self.number("min")?, max: self.number("max")?, signed: self.signed()? })
    }
}

/// Displays the converter as a rule has it, without options that are not given: `int(min=1)`.
impl fmt::Display for Converter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, options) = match self {
            Converter::Uuid => ("uuid", vec![]),
            Converter::Path => ("path", vec![]),
            Converter::Any(items) => ("any", items.iter().map(|item| Some(quoted(item))).collect()),
            Converter::Text { min, max } if Some(*min) == *max => ("string", vec![option("length", *max)]),
            Converter::Text { min, max } => {
                let min = Some(*min).filter(|min| *min > 1);
                ("string", vec![option("minlength", min), option("maxlength", *max)])
            }
            Converter::Int { fixed_digits, min, max, signed } => {
                let digits = Some(*fixed_digits).filter(|digits| *digits > 0);
                let signed = signed.then_some("True");
                let limits = [option("min", *min), option("max", *max), option("signed", signed)];
                ("int", [option("fixed_digits", digits)].into_iter().chain(limits).collect())
            }
            Converter::Float { min, max, signed } => {
                let signed = signed.then_some("True");
                ("float", vec![option("min", *min), option("max", *max), option("signed", signed)])
            }
        };
        let options: Vec<String> = options.into_iter().flatten().collect();
        if options.is_empty() { f.write_str(name) } else { write!(f, "{name}({})", options.join(", ")) }
    }
}

fn option(name: &str, value: Option<impl fmt::Display>) -> Option<String> {
    value.map(|value| format!("{name}={value}"))
}

fn quoted(item: &str) -> String {
    let plain = item.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
    if plain { item.to_owned() } else { format!("\"{item}\"") }
}

#[cfg(test)]
mod tests;
