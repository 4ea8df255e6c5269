//! Tells a provision of the original, which is Python, and shows the Rhai form of its rules. Knows no Python beyond that.

use regex_lite::Regex;
use rhai::{EvalAltResult, Position};

/// Python in place of Rhai: the error says so at the first `def`, and its text ends with the rules in Rhai.
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

/// Line and column of the first line that only Python can have: `def name(...):`, or of the original's `def name:`.
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

/// Python's arguments in Rhai's spelling: no names, double quotes, lists for tuples.
fn arguments(python: &str) -> String {
    let mut text: String = python.split_whitespace().collect::<Vec<_>>().join(" ");
    for name in ["rule=", "endpoint=", "view_func=", "methods="] {
        text = text.replace(&name.replace('=', " = "), name).replace(name, "");
    }
    text.replace('\'', "\"")
}
