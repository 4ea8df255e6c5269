//! The option `redirect_to` of a rule: `/new/<id>`, with variables of the rule's path.

use crate::routing::pattern::Pattern;
use crate::routing::quoting::encode_value;
use crate::routing::value::Value;

/// Checks that each variable of `target` is one of `pattern`.
///
/// # Errors
/// `target` has an unknown variable or a control character.
pub(crate) fn check(target: &str, pattern: &Pattern) -> Result<(), String> {
    let mut rest = target;
    while let Some((_, name, after)) = placeholder(rest) {
        if !pattern.variables().any(|(known, _)| known == name) {
            return Err(format!("option `redirect_to` has `<{name}>`, which is no variable of the rule"));
        }
        rest = after;
    }
    if target.chars().any(char::is_control) {
        return Err(format!("option `redirect_to` has a control character: `{}`", target.escape_debug()));
    }
    Ok(())
}

/// Returns the URL for `values`, which begin with those of the pattern's variables. A target without a slash at its start, such as
/// `new/<id>`, gives a URL without one: it is relative to the root of the mock.
pub(crate) fn fill(target: &str, pattern: &Pattern, values: &[Value]) -> String {
    let (mut url, mut rest) = (String::new(), target);
    while let Some((before, name, after)) = placeholder(rest) {
        let mut variables = pattern.variables().zip(values);
        let text = variables
            .find(|((known, _), _)| *known == name)
            .and_then(|((_, converter), value)| converter.to_url(value));
        url.push_str(before);
        url.push_str(&encode_value(&text.unwrap_or_default()));
        rest = after;
    }
    url.push_str(rest);
    url
}

/// Finds the first `<name>` or `<converter:name>`. Returns the text before it, its name and the text after it. The rule has the
/// converter.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('<')?;
    let (inside, after) = rest.split_once('>')?;
    Some((before, inside.rsplit(':').next().unwrap_or(inside), after))
}
