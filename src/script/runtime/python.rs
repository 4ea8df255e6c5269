//! Recognizes a provision of the original h1mock, which is Python, and translates its rules to Rhai for the error message.

use regex_lite::Regex;
use rhai::{EvalAltResult, Position};

/// Returns the error for Python source, at its first `def`. The text ends with the rules in Rhai. Returns `None` for other source.
pub(crate) fn diagnose(source: &str) -> Option<Box<EvalAltResult>> {
    let (line, column) = first_definition(source)?;
    let mut text = "this is Python; provisions are Rhai scripts".to_owned();
    let rules = rules(source);
    if rules.is_empty() {
        text += ": define `fn registerRules() { app.get(\"/foo\", foo); }`";
    } else {
        text += &format!(": its rules in Rhai are `fn registerRules() {{ {} }}`", rules.join(" "));
    }
    let at = Position::new(u16::try_from(line).unwrap_or(u16::MAX), u16::try_from(column).unwrap_or(1));
    Some(EvalAltResult::ErrorRuntime(text.into(), at).into())
}

/// Returns line and column of the first `def name(...):`, which is valid only in Python. `def name:` counts too, since provisions
/// of the original may have it.
fn first_definition(source: &str) -> Option<(usize, usize)> {
    let definition = Regex::new(r"^\s*(async\s+)?def\s+\w+\s*(\(.*\))?\s*(->.*)?:\s*(#.*)?$").ok()?;
    let (index, line) = source.lines().enumerate().find(|(_, line)| definition.is_match(line))?;
    let indent = line.chars().take_while(|character| character.is_whitespace()).count();
    Some((index + 1, indent + 1))
}

fn rules(source: &str) -> Vec<String> {
    let Ok(call) = Regex::new(r"(?s)app\.add_url_rule\((.*?)\)\s*(?:\n|$|;|#)") else { return Vec::new() };
    call.captures_iter(source).map(|found| format!("app.add_url_rule({});", arguments(&found[1]))).collect()
}

/// Translates the arguments of a call to Rhai: without keywords, and with double quotes.
fn arguments(python: &str) -> String {
    let mut text: String = python.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in ["rule=", "endpoint=", "view_func=", "methods="] {
        text = text.replace(&name.replace('=', " = "), name).replace(name, "");
    }
    text.replace('\'', "\"")
}
