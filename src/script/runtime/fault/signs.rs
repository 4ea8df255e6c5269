//! Hints for operators, colons, commas, brackets and semicolons at which Rhai's parser fails.

use super::habit::{self, hint};
use super::spot::Spot;
use crate::script::runtime::tokens::Shape;

/// Returns the hint for a sign of another language at the error.
pub(super) fn sign(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let here = spot.text(0);
    match here {
        ":" => colon(spot, expected),
        "=" => equals(spot, expected),
        "," => comma(spot, expected),
        "#" => hint(habit::COMMENT),
        "@" if spot.begins_statement(0) && spot.is(1, Shape::Word) => hint(
            "there are no decorators: register in registerRules() by `app.route(\"/foo\", [\"GET\"], foo)`",
        ),
        "++" | "--" if expected.is_empty() => {
            let name = [-1, 1].into_iter().find(|offset| spot.is_name(*offset));
            let name = name.map_or("x", |offset| spot.text(offset));
            Some(format!("write `{name} {}= 1`", &here[..1]))
        }
        "?" => spot.find_ahead(&[":"]).and(hint(habit::CHOICE)),
        "===" => hint(habit::EQUAL),
        "!==" => hint(habit::UNEQUAL),
        ">" if spot.text(-1) == "<" && spot.joined(0) => hint(habit::UNEQUAL),
        ":=" => hint("write `=`; a new variable is declared by `let x = 1`"),
        "->" if spot.opened_by(-1).is_some_and(|open| spot.text(open - 2) == "fn") => hint(habit::NO_TYPES),
        "->" | "=>" if matches!(spot.text(-1), ")" | "|") => hint(habit::CLOSURE),
        "->" | "=>" if spot.is_name(-1) && matches!(spot.text(-2), "=" | "(" | "," | ":" | "return") => {
            hint(habit::CLOSURE).filter(|_| !spot.in_switch())
        }
        "..." if spot.near_bracket(0) == "[" => hint("lists are joined by `+`"),
        "..." | "(" if here == "..." || matches!(spot.text(1), "*" | "**") && spot.joined(1) => {
            let declared = [-2, -3].into_iter().any(|offset| spot.text(offset) == "fn");
            hint(if declared {
                "a function has a fixed number of parameters: take a list"
            } else {
                "lists are not spread into arguments: hand over the list, or `list[0], list[1]`"
            })
        }
        "$" if spot.is(1, Shape::Word) => hint("variables have no `$`"),
        "{" if spot.text(-2) == "fn" && expected.is_empty() => hint(habit::FUNCTION),
        "(" | "[" | "{" if matches!(spot.text(-1), "let" | "const") => hint(habit::ONE_NAME),
        "-" if matches!(spot.text(-2), "let" | "const") && spot.joined(0) && spot.joined(1) => {
            hint("names are made of letters, digits and `_`")
        }
        "::" if spot.text(-1) == "[" && spot.ends_value(-2) => hint(habit::SLICE),
        _ if spot.is(0, Shape::Text) && spot.is(-1, Shape::Text) && expected == ";" => {
            hint("texts are joined by `+`").filter(|_| spot.line_before() == spot.line(0))
        }
        _ => None,
    }
}

/// Returns the hint for the `:` of Python's blocks, slices and types, and of maps without their `#`.
fn colon(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let open = spot.enclosing();
    if spot.opened_by(-1).is_some_and(|open| spot.text(-1) == ")" && spot.text(open - 2) == "fn") {
        return hint(habit::FUNCTION);
    }
    if expected == "{" || expected.is_empty() && spot.text(-1) == ")" || spot.text(-1) == "else" {
        return hint(habit::BLOCK);
    }
    if matches!(spot.text(-2), "let" | "const") {
        return hint(habit::NO_TYPES);
    }
    match (spot.near_bracket(0), expected) {
        ("[", _) if open.is_some_and(|open| spot.ends_value(open - 1)) => hint(habit::SLICE),
        ("[", ",") => hint(habit::MAP),
        ("(", ",") if spot.near_bracket(-2) == "fn" => hint(habit::NO_TYPES),
        ("{", "=>") if spot.in_switch() => hint(habit::SWITCH),
        (_, ";")
            if spot.is_name(-1) && spot.begins_statement(-1) && spot.is_name(1) && spot.text(2) == "=" =>
        {
            hint(habit::NO_TYPES)
        }
        ("{", ";") if open == Some(-2) => hint(habit::MAP),
        _ => None,
    }
}

/// Returns the hint for the `=` of named arguments, of default values and in conditions.
fn equals(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let owner = spot.near_bracket(-1);
    match (spot.near_bracket(0), expected) {
        ("#{", ":") => hint(habit::MAP),
        ("(", ",") if owner == "for" => hint(habit::LOOP),
        ("(", ",") if spot.near_bracket(-2) == "fn" => hint(
            "parameters have no default values: a second `fn` of the name with fewer parameters may stand beside it",
        ),
        ("(", ",") if spot.is_name(-1) && matches!(spot.text(-2), "(" | ",") => {
            Some(named(owner, spot.text(-1)))
        }
        ("(", ")") if matches!(owner, "if" | "while") => hint(habit::EQUAL),
        (_, "") if spot.ends_value(-1) => hint(habit::EQUAL),
        _ => None,
    }
}

/// Returns the hint for the named argument `name` in a call of `function`.
fn named(function: &str, name: &str) -> String {
    match (function, name) {
        (_, "type") => {
            "arguments have no names, and types are text: `request.args.get(\"n\", 1, \"int\")`".to_owned()
        }
        ("route", _) => "arguments have no names: `app.route(\"/foo\", [\"GET\"], foo)`".to_owned(),
        (_, "view_func" | "methods" | "endpoint") => {
            "arguments have no names: `app.add_url_rule(\"/foo\", \"foo\", foo, [\"GET\"])`".to_owned()
        }
        ("jsonify" | "dict" | "update", _) => {
            format!("arguments have no names: write a map, `#{{ {name}: ... }}`")
        }
        _ => format!(
            "arguments have no names: give them in their order; Flask's options stand in a map, `#{{ {name}: ... }}`"
        ),
    }
}

/// Returns the hint for the `,` of Python's tuples.
fn comma(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let begin = spot.statement();
    let first = spot.text(begin);
    match expected {
        ";" if first == "return" => hint(habit::RETURNED),
        ";" if first == "import" => hint(habit::IMPORT),
        ";" if matches!(first, "let" | "const") && begin == -2 => hint(habit::ONE_NAME),
        ";" if matches!(first, "let" | "const") && spot.is_name(1) && spot.text(2) == "=" => {
            hint("each variable has its own `let`: `let a = 1; let b = 2;`")
        }
        ";" if matches!(first, "let" | "const") => hint(habit::LIST),
        ";" if begin == -1 && spot.is_name(-1) && spot.find_ahead(&["="]).is_some() => {
            hint("each variable is set on its own: `let pair = [b, a]; a = pair[0]; b = pair[1];`")
        }
        ";" if status(spot.text(1)) && matches!(spot.text(2), "}" | ",") => hint(habit::RETURNED),
        ")" if spot.find_ahead(&[")"]).is_some_and(|close| matches!(spot.text(close + 1), "=>" | "->")) => {
            hint(habit::CLOSURE)
        }
        ")" => match spot.near_bracket(-1) {
            "return" if status(spot.text(1)) => hint(habit::RETURNED),
            "if" | "while" => None,
            _ => hint(habit::LIST),
        },
        "in" if in_items(spot) => {
            hint("a map is walked by its keys: `for key in map.keys() { let value = map[key]; }`")
        }
        "in" => hint("the index of a loop stands second, in parentheses: `for (x, index) in list { ... }`"),
        _ => None,
    }
}

fn status(text: &str) -> bool {
    text == "status" || text.parse().is_ok_and(|code: u16| (100..=999).contains(&code))
}

/// Whether the loop at the error walks over `.items()`.
fn in_items(spot: &Spot<'_>) -> bool {
    spot.find_ahead(&["{", ":"]).is_some_and(|at| spot.text(at - 3) == "items" && spot.text(at - 4) == ".")
}

/// Returns the hint for brackets that are still open at the end of a statement or of the file, or closed once too often.
pub(super) fn unclosed(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let (here, bracket) = (spot.text(0), spot.near_bracket(0));
    let fits = match here {
        ")" => bracket == "(",
        "]" => matches!(bracket, "[" | "?["),
        "}" => matches!(bracket, "{" | "#{"),
        // A value never begins with these tokens, so brackets other than `{` can't contain them.
        ";" | "let" | "const" | "return" | "throw" | "import" | "export" => matches!(bracket, "" | "{"),
        "fn" if spot.leads(0) => matches!(bracket, "" | "{"),
        // Where Rhai expected a block, the parentheses before it are open.
        "{" if matches!(expected, "," | ")") => bracket != "(",
        _ if spot.at_end() => bracket.is_empty(),
        _ => true,
    };
    if fits {
        return None;
    }
    let Some(open) = spot.enclosing() else {
        return Some(format!("this `{here}` closes nothing: there is one too many"));
    };
    // Rhai may expect another token than the bracket, such as the `{` behind a condition.
    if !matches!(expected, "" | ";" | "," | ")" | "]" | "}") {
        return None;
    }
    Some(format!("the `{bracket}` of line {} is still open here", spot.line(open)?))
}

/// Returns the hint for a statement without its `;`, which Rhai reports at the next statement.
pub(super) fn semicolon(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let begins = match spot.text(0) {
        "else" | "catch" | "in" | "as" => false,
        "#{" | "{" | "|" | "||" | "!" => true,
        _ => spot.is_value(0),
    };
    if expected != ";" || !begins {
        return None;
    }
    let line = spot.line_before()?;
    if spot.leads(0) {
        return Some(match spot.comment_before().is_some_and(|comment| comment.contains(';')) {
            true => {
                format!("a statement ends with `;`: that of line {line} is in a comment, which `//` begins")
            }
            false => format!("a statement ends with `;`: line {line} lacks it"),
        });
    }
    let word = spot.text(0);
    let statement =
        matches!(word, "let" | "const" | "return" | "throw" | "import" | "export" | "while" | "try");
    (statement && spot.ends_value(-1))
        .then(|| format!("a statement ends with `;`: write one before `{word}`"))
}
