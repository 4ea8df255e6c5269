//! Hints for scripts that do not compile: what to write in place of the token at the error. A wrong hint is worse than none.

use super::habit::{self, hint};
use super::signs::{semicolon, sign, unclosed};
use super::spot::Spot;
use crate::script::runtime::tokens::{Shape, open_comment};
use rhai::{LexError, ParseErrorType, Position};

/// A rule returns the hint for the tokens around the error. `expected` is the token that Rhai expected there, or empty.
type Rule = fn(spot: &Spot<'_>, expected: &str) -> Option<String>;

/// The rules in their order: the first hint wins.
const RULES: &[Rule] =
    &[property, prefixed_text, word_here, word_before, word_before_parameters, sign, unclosed, semicolon];

/// Returns the hint for `error` at `place` of `source`.
pub(super) fn find_hint(error: &ParseErrorType, source: &str, place: Position) -> Option<String> {
    match error {
        ParseErrorType::TooManyFunctions => return hint(habit::MANY_FUNCTIONS),
        ParseErrorType::ExprTooDeep => return hint(habit::DEEP),
        _ => {}
    }
    // The missing token is in a comment that should have ended before it.
    if let Some(open) = open_comment(source).filter(|open| place.line().zip(place.position()) > Some(*open)) {
        return Some(format!("the comment that begins in line {} has no end: `*/`", open.0));
    }
    let spot = Spot::find(source, place)?;
    if let ParseErrorType::BadInput(error) = error
        && let Some(found) = text(error, &spot)
    {
        return Some(found);
    }
    if spot.within {
        return None;
    }
    if matches!(error, ParseErrorType::WrongFnDefinition) {
        let open = spot.line(spot.enclosing()?)?;
        return Some(format!(
            "functions stand beside each other: the `{{` of line {open} is still open here"
        ));
    }
    let expected = expected(error)?;
    RULES.iter().find_map(|rule| rule(&spot, expected))
}

/// Returns the hint for `import name`, which compiles, since a variable may hold the name of a file.
pub(super) fn import(source: &str, place: Position) -> Option<String> {
    let spot = Spot::find(source, place)?;
    hint(habit::IMPORT).filter(|_| spot.text(-1) == "import" && spot.is_name(0))
}

/// Returns the token that Rhai expected; empty where Rhai only rejects the one at the error. `None` where the tokens are right,
/// but not their meaning.
fn expected(error: &ParseErrorType) -> Option<&str> {
    match error {
        ParseErrorType::MissingToken(token, _) => Some(token),
        ParseErrorType::UnexpectedEOF
        | ParseErrorType::BadInput(_)
        | ParseErrorType::UnknownOperator(_)
        | ParseErrorType::PropertyExpected
        | ParseErrorType::VariableExpected
        | ParseErrorType::Reserved(_)
        | ParseErrorType::ExprExpected(_)
        | ParseErrorType::FnMissingName
        | ParseErrorType::FnMissingParams(_)
        | ParseErrorType::FnMissingBody(_) => Some(""),
        _ => None,
    }
}

/// Returns the hint for a text that ends wrongly or has wrong characters.
fn text(error: &LexError, spot: &Spot<'_>) -> Option<String> {
    let quote = spot.text(0).chars().next()?;
    match error {
        LexError::MalformedChar(_) => prefixed_text(spot, "").or(hint(habit::QUOTES)),
        LexError::MalformedEscapeSequence(_) if quote == '\'' => hint(habit::QUOTES),
        LexError::MalformedEscapeSequence(_) => hint("a backslash in a text is written twice: \"\\\\d\""),
        LexError::UnterminatedString => match quote {
            '\'' => hint(habit::QUOTES),
            '"' => hint("a text ends in the line where it begins; over several lines it stands in backticks"),
            '`' => hint("the backtick that ends this text is missing"),
            '#' if !spot.text(0).contains('"') => hint(habit::COMMENT),
            _ => None,
        },
        LexError::UnexpectedInput(_) => match quote {
            '“' | '”' | '„' | '‘' | '’' => hint("text takes straight double quotes: \"abc\""),
            '–' | '—' | '−' => hint("a minus is `-`"),
            '\\' => hint("a statement goes on in the next line by itself: leave the backslash out"),
            _ => None,
        },
        _ => None,
    }
}

/// Returns the hint for a text with a letter before it: `f"..."`.
fn prefixed_text(spot: &Spot<'_>, _: &str) -> Option<String> {
    if !spot.is(0, Shape::Text) || !spot.is(-1, Shape::Word) || !spot.joined(0) {
        return None;
    }
    hint(match spot.text(-1) {
        "f" | "F" => "a text with values in it stands in backticks: `n is ${n}`",
        "r" | "R" => "a text without escapes is written #\"\\d+\"#",
        "b" | "B" => "bytes are made of a text: \"abc\".encode()",
        "u" | "U" => "text is Unicode: leave the `u` out",
        _ => return None,
    })
}

/// Returns the hint for a reserved word as the name of a property or as the key of a map.
fn property(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let plain = spot.is(0, Shape::Word) || spot.is(0, Shape::Number);
    if plain && matches!(spot.text(-1), "." | "?.") {
        let key = spot.text(0);
        return Some(match spot.is(0, Shape::Number) {
            true => format!("write `[{key}]` of a list, `[\"{key}\"]` of a map"),
            false => format!("as a key it stands in quotes: `[\"{key}\"]`"),
        });
    }
    if spot.near_bracket(0) != "#{" {
        return None;
    }
    match (spot.text(0), expected) {
        (word, "}") if plain && spot.text(1) == ":" => {
            Some(format!("as a key it stands in quotes: `#{{ \"{word}\": ... }}`"))
        }
        ("..." | "**", "}") => hint("maps are joined by `+`"),
        ("-", ":") if spot.joined(0) && spot.joined(1) => {
            hint("a key that is no name stands in quotes: `#{ \"content-type\": ... }`")
        }
        ("," | "}", ":") if spot.is_name(-1) => {
            let name = spot.text(-1);
            Some(format!("a key has its value behind a colon: `{name}: {name}`"))
        }
        _ => None,
    }
}

/// Returns the hint for a word at the error.
fn word_here(spot: &Spot<'_>, expected: &str) -> Option<String> {
    if !spot.is(0, Shape::Word) {
        return None;
    }
    let (word, next) = (spot.text(0), spot.text(1));
    match (word, expected) {
        ("except", "catch") => hint("write `catch (e) { ... }`"),
        ("finally", "catch") => hint("a `try` has a `catch`, and no `finally`"),
        ("of", "in" | ",") => hint(habit::LOOP),
        ("in", ",") if spot.text(-2) == "(" && spot.text(-3) == "for" => hint(habit::LOOP),
        ("let" | "const" | "var", _) if spot.text(-1) == "(" && spot.text(-2) == "for" => hint(habit::LOOP),
        ("case" | "default", _) if spot.in_switch() => hint(habit::SWITCH),
        ("try", "") if spot.text(-1) == "=" => {
            hint("a `try` is no value: declare the variable before, and set it in both blocks")
        }
        ("fn", _) if spot.text(-1) == "export" => hint(habit::PUBLIC),
        ("fn", "") if !spot.begins_statement(0) => hint(habit::CLOSURE),
        ("else", "") if spot.text(-1) == ";" && spot.text(-2) == "}" => {
            hint("`else` follows the `}` of its `if`, without `;`")
        }
        ("from", ";") if imports(spot) => hint(habit::IMPORT),
        (_, "{") if spot.text(-1) == "catch" => hint("write `catch (e) { ... }`"),
        ("then" | "do", "{") => Some(format!("leave `{word}` out: {}", habit::BLOCK)),
        ("if", _) if !expected.is_empty() && !spot.leads(0) => {
            let choice = spot.find_ahead(&["else", "{"]).is_some_and(|at| spot.text(at) == "else");
            hint(habit::CHOICE).filter(|_| choice)
        }
        ("for", "," | ")" | ";")
            if spot.find_ahead(&["in"]).is_some() && matches!(spot.near_bracket(0), "[" | "(") =>
        {
            hint("lists are made by methods: `list.map(|x| x * 2)`, `list.filter(|x| x > 1)`")
        }
        (_, "") if names(spot) => Some(format!("`{word}` is a word of Rhai: take another name")),
        (_, "") if next == ":" && spot.near_bracket(0) == "#{" => {
            Some(format!("as a key it stands in quotes: `#{{ \"{word}\": ... }}`"))
        }
        (_, "") => {
            let statement = spot.is(1, Shape::Word) || spot.is(1, Shape::Text);
            let needs = matches!(word, "var" | "print" | "public");
            habit::reserved(word, next).filter(|_| statement || !needs).map(str::to_owned)
        }
        _ => {
            // A variable may have this name, too.
            let name = spot.leads(0) && matches!(next, "=" | "." | "(");
            habit::between_values(word, next).filter(|_| !name && spot.ends_value(-1)).map(str::to_owned)
        }
    }
}

/// Whether the word at the error stands where a variable, a parameter or a function has its name.
fn names(spot: &Spot<'_>) -> bool {
    let parameter = || matches!(spot.text(-1), "(" | ",") && spot.near_bracket(-2) == "fn";
    matches!(spot.text(-1), "fn" | "let" | "const") || parameter()
}

/// Whether the statement at the error is JavaScript's `import {a} from` or `import a from`.
fn imports(spot: &Spot<'_>) -> bool {
    let before = if spot.text(-1) == "}" { spot.opened_by(-1) } else { Some(-1) };
    before.is_some_and(|at| spot.text(at - 1) == "import")
}

/// Returns the hint for a word of another language directly before the error.
fn word_before(spot: &Spot<'_>, expected: &str) -> Option<String> {
    let word = spot.text(-1);
    if spot.is_name(-1) || word == "import" {
        let apart = spot.line_before() == spot.line(0) && !spot.joined(0);
        let value = spot.is_value(0);
        let found = habit::at_begin(word)
            .filter(|_| apart && value && (spot.begins_statement(-1) || spot.text(-2) == "export"));
        let value = value || spot.text(0) == ":" && word == "lambda" || spot.text(0) == "{" && word != "not";
        let begins = !spot.ends_value(-2) || spot.leads(-1);
        let found = found.or(habit::before_value(word).filter(|_| value && begins));
        match (found, spot.text(-2)) {
            // `!a in b` would negate `a`.
            (Some(_), _)
                if word == "not" && spot.find_ahead(&["in", "{"]).is_some_and(|at| spot.text(at) == "in") =>
            {
                return hint(habit::NOT_IN);
            }
            (Some(_), "throw") if word == "new" => return hint("a text is thrown: `throw \"why\"`"),
            (Some(found), _) => return hint(found),
            _ => {}
        }
    }
    match (word, spot.text(-2), expected) {
        // Nothing that could be imported follows in this line.
        (_, "import", ";") if spot.is_name(-1) => hint(habit::IMPORT),
        ("except", _, ";" | "{") => hint("write `catch (e) { ... }`"),
        ("finally", "}", _) => hint("there is no `finally`: what follows the `try` stands behind it"),
        ("fn", _, "") if spot.text(0) == "(" => {
            hint("a function has a name, `fn name() { ... }`; a closure is `|x| x + 1`")
        }
        ("else" | "do" | "loop" | "try", _, "{") => hint(habit::BLOCK),
        (_, "(", ")") if spot.text(-3) == "catch" => hint("write `catch (e) { ... }`"),
        _ => None,
    }
}

/// Returns the hint for a word before parentheses that end at the error: `function(a) {`, `elif (x) {`.
fn word_before_parameters(spot: &Spot<'_>, expected: &str) -> Option<String> {
    if spot.text(-1) != ")" {
        return None;
    }
    let owner = spot.opened_by(-1)? - 1;
    let word = spot.text(owner);
    if matches!(word, "if" | "while") && expected == "{" && (spot.is(0, Shape::Word) || spot.text(0) == ":") {
        return hint(habit::BLOCK);
    }
    if spot.text(0) != "{" {
        return None;
    }
    if word == "function" && !spot.begins_statement(owner) {
        return hint("a closure is `|x| { ... }`");
    }
    let known = matches!(word, "function" | "elif" | "elseif" | "elsif" | "foreach" | "unless" | "match");
    habit::at_begin(word).filter(|_| known && spot.begins_statement(owner)).map(str::to_owned)
}
