//! What to write instead: habits from Python, JavaScript and Flask that Rhai refuses, told by the error and its source line.

use super::kind::Kind;
use super::missing;
use crate::script::runtime::budget::Limit;

/// A hint for a fault of this kind, at `column` (from 1) of `source`.
pub(super) fn hint(kind: &Kind, source: Option<&str>, column: Option<usize>) -> Option<String> {
    let hint = match kind {
        Kind::Syntax => habit(source?, column)?,
        Kind::NoFunction(signature) => missing::signature(signature)?,
        Kind::NoVariable(name) => missing::variable(name)?,
        Kind::NotIterable => "a map is walked by its keys: `for key in map.keys()`",
        Kind::OverBudget(Limit::Time) => "end the loop, or raise --script-timeout",
        Kind::OverBudget(Limit::Memory) => "build less at once, or raise --script-memory",
        Kind::Other => return None,
    };
    Some(hint.to_owned())
}

/// Text that gives a habit away, and what Rhai wants. In order: the first that is found in the line is told.
const HABITS: &[(&str, &str)] = &[
    ("def ", "a function is `fn name(a, b) { ... }`"),
    ("elif ", "write `else if`"),
    ("lambda ", "a closure is `|x| x + 1`"),
    ("function ", "a function is `fn name(a, b) { ... }`"),
    ("=> {", "a closure is `|x| { ... }`"),
    ("view_func=", "arguments have no names: `app.add_url_rule(\"/foo\", \"foo\", foo, [\"GET\"])`"),
    ("methods=", "arguments have no names: `app.add_url_rule(\"/foo\", \"foo\", foo, [\"GET\"])`"),
    (" and ", "write `&&`"),
    (" or ", "write `||`"),
    (" not ", "write `!`"),
    ("(not ", "write `!`"),
    (" is ", "compare by `==`"),
    (
        "from ",
        "`import \"file\" as name;` loads another file of the provision directory; Flask's names need no import",
    ),
    (
        "import ",
        "`import \"file\" as name;` loads another file of the provision directory; Flask's names need no import",
    ),
    ("var ", "variables are declared by `let`"),
];

fn habit(line: &str, column: Option<usize>) -> Option<&'static str> {
    let code = line.trim_start();
    if code.starts_with('#') && !code.starts_with("#{") {
        return Some("comments start with `//`");
    }
    if code.starts_with('@') {
        return Some(
            "there are no decorators: register in registerRules() by `app.route(\"/foo\", [\"GET\"], foo)`",
        );
    }
    let rest: String = line.chars().skip(column.unwrap_or(1).saturating_sub(1)).collect();
    if rest.starts_with('\'') || line.matches('\'').count() >= 2 {
        return Some("text takes double quotes: \"abc\"; single quotes hold one character");
    }
    if rest.starts_with("null") {
        return Some("nothing is written `()` or `None`");
    }
    if line.contains(" if ") && line.contains(" else ") && !line.contains('{') {
        return Some("a choice is written `if c { x } else { y }`, also as a value");
    }
    let known = HABITS.iter().find(|(habit, _)| line.contains(habit)).map(|(_, instead)| *instead);
    let brace =
        rest.starts_with(':') || rest.starts_with('{') || line.contains("{\"") || line.contains("{ \"");
    known.or(brace.then_some("a map is written `#{ key: value }`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn habits_of_other_languages_are_told() {
        let cases = [
            ("# a comment", 1, "comments start with `//`"),
            (
                "@app.route(\"/\")",
                1,
                "there are no decorators: register in registerRules() by `app.route(\"/foo\", [\"GET\"], foo)`",
            ),
            ("let x = 'abc';", 9, "text takes double quotes: \"abc\"; single quotes hold one character"),
            ("let x = null;", 9, "nothing is written `()` or `None`"),
            ("let x = a if c else b;", 11, "a choice is written `if c { x } else { y }`, also as a value"),
            ("if a and b {", 6, "write `&&`"),
            ("let x = {\"a\": 1};", 9, "a map is written `#{ key: value }`"),
            ("let f = lambda x: x", 9, "a closure is `|x| x + 1`"),
        ];
        for (line, column, hint) in cases {
            assert_eq!(habit(line, Some(column)), Some(hint), "{line}");
        }
        assert_eq!(habit("} else if x {", Some(3)), None);
    }
}
