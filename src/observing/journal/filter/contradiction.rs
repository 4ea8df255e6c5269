//! Two conditions that no request can fit: `status=200&status=404`, `header=X-A&header!=X-A`.

use super::condition::{Condition, Test};
use super::{EXCERPT, Fit, Part, excerpt};
use crate::message::json::Json;

/// Says why `later` can't hold together with `earlier`. Returns `None` where both may hold.
pub(super) fn contradiction(earlier: &Condition, later: &Condition) -> Option<String> {
    if !is_same_part(&earlier.part, &later.part) || !(excludes(earlier, later) || excludes(later, earlier)) {
        return None;
    }
    let part = excerpt(&earlier.part.to_string());
    let mut why = format!("contradicts another condition: {part} is `{}`", excerpt(&earlier.expected()));
    if let Some((one, two)) = words(earlier).zip(words(later)) {
        why += &format!("; a pattern takes both: `{part}~=^({one}|{two})$`");
    }
    Some(why)
}

/// Whether both name the same part. Names of header fields are compared without case.
fn is_same_part(one: &Part, two: &Part) -> bool {
    match (one, two) {
        (Part::Header(one), Part::Header(two)) => one.eq_ignore_ascii_case(two),
        _ => one == two,
    }
}

/// Whether `other` fails wherever `one` holds.
fn excludes(one: &Condition, other: &Condition) -> bool {
    if let Some((one, other)) = one.states().zip(other.states()) {
        return one.is_disjoint(other);
    }
    if one.negated || !(one.part.is_single() || other.negated) {
        return false;
    }
    if other.negated && (matches!(other.test, Test::Present) || is_same_pattern(&one.test, &other.test)) {
        return true;
    }
    let fails = |fit: Fit| if other.negated { fit == Fit::Yes } else { fit == Fit::No };
    match &one.test {
        Test::Equals(text) => fails(other.text_fits(text)),
        Test::Path(rule) if !rule.pattern().contains('<') => fails(other.text_fits(rule.pattern())),
        Test::Number(range) => match &other.test {
            Test::Number(second) if other.negated => second.has(range.least) && second.has(range.most),
            Test::Number(second) => range.most < second.least || second.most < range.least,
            _ => range.least == range.most && fails(other.text_fits(&range.text())),
        },
        Test::Class(digit) => match &other.test {
            Test::Class(second) => (second == digit) == other.negated,
            _ => false,
        },
        Test::Json { value, text } => {
            let text = text.clone().map(Json::Text);
            let mut values = [value, &text].into_iter().flatten();
            // A pattern is matched against the digits of a number, and 7 equals 7.0.
            let is_exact = |value: &Json| value.as_str().is_some() || !matches!(other.test, Test::Search(_));
            values.all(|value| is_exact(value) && fails(other.value_fits(value)))
        }
        _ => false,
    }
}

/// Whether both are the same pattern, or the same path with variables.
fn is_same_pattern(one: &Test, other: &Test) -> bool {
    match (one, other) {
        (Test::Search(one), Test::Search(other)) => one.pattern() == other.pattern(),
        (Test::Path(one), Test::Path(other)) => one.pattern() == other.pattern(),
        _ => false,
    }
}

/// Returns the expected text as a pattern, for the hint.
fn words(condition: &Condition) -> Option<String> {
    let takes_pattern = condition.part.is_single() && !matches!(condition.part, Part::Json(_));
    let text = match &condition.test {
        Test::Equals(text) => text.clone(),
        Test::Path(rule) if !rule.pattern().contains('<') => rule.pattern().to_owned(),
        Test::Number(range) if range.least == range.most => range.text(),
        _ => return None,
    };
    (!condition.negated && takes_pattern && text.len() <= EXCERPT).then(|| regex_lite::escape(&text))
}
