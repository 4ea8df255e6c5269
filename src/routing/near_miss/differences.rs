//! The differences between a rule and a request: their costs and, on demand, a sentence for each.

use super::{Part, cost};
use crate::routing::converter::Converter;
use crate::routing::pattern::Token;
use crate::system::spelling::{allowed, distance};

/// Longest segment whose spelling is compared, in bytes.
const LONGEST_WORD: usize = 64;

#[derive(Default)]
pub(super) struct Differences {
    /// Sum of the differences.
    pub cost: usize,
    /// Whether rule and path have a static part in common, perhaps misspelled.
    pub shared: bool,
    /// A sentence for each difference. `None` for an estimate: thousands of rules are compared, and three are listed.
    pub reasons: Option<Vec<String>>,
}

impl Differences {
    /// Creates an empty list that keeps a sentence for each difference.
    pub(super) fn with_reasons() -> Differences {
        Differences { reasons: Some(Vec::new()), ..Differences::default() }
    }

    pub(super) fn add(&mut self, cost: usize, reason: impl FnOnce() -> String) {
        self.cost += cost;
        if let Some(reasons) = &mut self.reasons {
            reasons.push(reason());
        }
    }

    /// Whether the rule is close enough to be listed.
    pub(super) fn is_close(&self) -> bool {
        self.shared || self.cost <= cost::ALONE
    }

    /// Compares a static part of the rule with the segment in its place.
    pub(super) fn add_word(&mut self, text: &str, asked: &str) {
        if text == asked {
            self.shared = true;
        } else if text.eq_ignore_ascii_case(asked) {
            self.shared = true;
            self.add(cost::CASE, || format!("`{asked}` is `{text}` in other case"));
        } else if let Some(mistakes) = typing_mistakes(text, asked) {
            self.shared = true;
            self.add(cost::SPELLING + mistakes, || format!("`{asked}` is nearly `{text}`"));
        } else {
            self.add(cost::WORD, || format!("`{asked}` is not `{text}`"));
        }
    }

    /// Adds a part with variables that don't take the segment in its place.
    pub(super) fn add_value(&mut self, part: Part, asked: &str) {
        self.add(cost::VALUE, || match part {
            [Token::Variable(variable)] => format!("`{asked}` is no {}", variable.converter),
            part => format!("`{asked}` does not fit `{}`", display(&[part])),
        });
    }

    /// Adds parts of the rule that have no segment, or segments that have no part.
    pub(super) fn add_length(&mut self, missing: &[Part], superfluous: &[&str]) {
        let count = missing.len() + superfluous.len();
        self.add(cost::LENGTH * count, || {
            let segments = if count == 1 { "a segment".to_owned() } else { format!("{count} segments") };
            if missing.is_empty() {
                format!("{segments} too many: `{}`", superfluous.join("/"))
            } else {
                format!("{segments} too few: `{}`", display(missing))
            }
        });
    }

    /// Adds parts around a variable that takes several segments, and the segments that don't fit them.
    pub(super) fn add_stretch(&mut self, parts: &[Part], asked: &[&str]) {
        let words = parts.iter().filter(|part| !spans(part)).count();
        let missing = parts.len().saturating_sub(asked.len());
        self.add(cost::WORD * words + cost::LENGTH * missing + cost::VALUE, || match asked {
            [] => format!("nothing is there for `{}`", display(parts)),
            asked => format!("`{}` does not fit `{}`", asked.join("/"), display(parts)),
        });
    }
}

/// Returns the number of typing mistakes that turn one word into the other; `None` if they are too many, or the words too long.
fn typing_mistakes(text: &str, asked: &str) -> Option<usize> {
    let longer = text.len().max(asked.len());
    let few = allowed(longer);
    if longer > LONGEST_WORD || text.len().abs_diff(asked.len()) > few {
        return None;
    }
    // Words of one table often begin alike, and the distance takes time in proportion to the product of their lengths.
    let start = text.bytes().zip(asked.bytes()).take_while(|(a, b)| a == b).count();
    let start = text.floor_char_boundary(start);
    let mistakes = distance(&text[start..], &asked[start..]);
    (mistakes <= few && mistakes < text.len()).then_some(mistakes)
}

/// Whether a variable of the part takes several segments.
pub(super) fn spans(part: Part) -> bool {
    part.iter().any(|token| matches!(token, Token::Variable(variable) if variable.converter.spans_segments()))
}

/// Whether a part takes a segment. Of several variables in one part, only the text around them is compared.
pub(super) fn fits(part: Part, text: &str) -> bool {
    match part {
        [Token::Variable(variable)] => takes(&variable.converter, text),
        [Token::Text(prefix), rest @ ..] => text
            .strip_prefix(&**prefix)
            .is_some_and(|text| if rest.is_empty() { text.is_empty() } else { fits(rest, text) }),
        [rest @ .., Token::Text(suffix)] => text.strip_suffix(&**suffix).is_some_and(|text| fits(rest, text)),
        _ => !text.is_empty(),
    }
}

fn takes(converter: &Converter, text: &str) -> bool {
    converter.ends(text, 0, |end| end == text.len()) && converter.convert(text).is_some()
}

fn display(parts: &[Part]) -> String {
    let token = |token: &Token| match token {
        Token::Slash(_) => "/".to_owned(),
        Token::Text(text) => text.to_string(),
        Token::Variable(variable) => format!("<{}:{}>", variable.converter, variable.name),
    };
    parts.iter().map(|part| part.iter().map(token).collect::<String>()).collect::<Vec<_>>().join("/")
}
