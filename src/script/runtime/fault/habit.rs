//! Words of Python and JavaScript that Rhai lacks, and what it has instead.

use std::borrow::Cow;

pub(super) type Hint = Cow<'static, str>;

pub(super) fn told(hint: &'static str) -> Option<Hint> {
    Some(hint.into())
}

pub(super) const FUNCTION: &str = "a function is `fn name(a, b) { ... }`";
pub(super) const CLOSURE: &str = "a closure is `|x| x + 1`";
pub(super) const COMMENT: &str = "comments start with `//`";
pub(super) const EQUAL: &str = "compare by `==`";
pub(super) const UNEQUAL: &str = "compare by `!=`";
pub(super) const NOT_IN: &str = "write `!in`: `if x !in list { ... }`";
pub(super) const NOTHING: &str = "nothing is written `()` or `None`";
pub(super) const MAP: &str = "a map is written `#{ key: value }`";
pub(super) const LIST: &str = "a list is written `[a, b]`";
pub(super) const RETURNED: &str = "body, status and headers are returned as a list: `return [body, 201]`";
pub(super) const CHOICE: &str = "a choice is written `if c { x } else { y }`, also as a value";
pub(super) const BLOCK: &str = "a block stands in braces: `if x { ... }`";
pub(super) const QUOTES: &str = "text takes double quotes: \"abc\"; single quotes hold one character";
pub(super) const VALUES_IN_TEXT: &str = "a text with values in it stands in backticks: `n is ${n}`";
pub(super) const COMPREHENSION: &str =
    "lists are made by methods: `list.map(|x| x * 2)`, `list.filter(|x| x > 1)`";
pub(super) const SLICE: &str = "a part of a list is `list.extract(1..3)`, of a text `text[1..3]`";
pub(super) const NO_TYPES: &str = "there are no types: `let x = 1`, `fn f(x) { ... }`";
pub(super) const LOOP: &str = "a loop is `for x in list { ... }`, a counted one `for i in 0..3 { ... }`";
pub(super) const MANY_FUNCTIONS: &str = "a file has at most 10,000 functions and closures: put some of them into files for `import`, or rules into a loop";
pub(super) const DEEP: &str = "at most 64 operators, calls, blocks or `else if` may stand in each other: put parts into variables by `let`, \
     blocks into functions, or cases into a `switch`";
pub(super) const ONE_NAME: &str = "each variable has its own `let`: `let pair = f(); let a = pair[0];`";
pub(super) const SWITCH: &str = "a choice of many is `switch x { 1 => \"a\", _ => \"b\" }`";
pub(super) const UNPACKED: &str =
    "lists are not spread into arguments: hand over the list, or `list[0], list[1]`";
pub(super) const IMPORT: &str =
    "`import \"file\" as name;` loads another file of the provision directory; Flask's names need no import";
pub(super) const DECORATOR: &str =
    "there are no decorators: register in registerRules() by `app.route(\"/foo\", [\"GET\"], foo)`";

/// What `word` means where a name or an operator follows that can't: `def f`, `raise X`. Statements begin with it.
pub(super) fn at_begin(word: &str) -> Option<&'static str> {
    Some(match word {
        "def" | "func" | "fun" | "function" => FUNCTION,
        "class" => "there are no classes: a map holds values, `#{ name: \"a\" }`",
        "elif" | "elseif" | "elsif" => "write `else if`",
        "raise" => "write `throw \"why\"`, or `abort(400, \"why\")` for an answer",
        "del" | "delete" => "write `map.remove(\"key\")` or `list.remove(0)`",
        "global" | "nonlocal" => "what changes from request to request is in `store`: `store.incr(\"n\")`",
        "assert" => "write `if !ok { throw \"why\" }`",
        "from" | "import" => IMPORT,
        "pub" | "public" => "functions are public: leave the word out",
        "unless" => "write `if !x { ... }`",
        "match" => SWITCH,
        "foreach" => LOOP,
        "int" | "float" | "str" | "string" | "bool" | "auto" => NO_TYPES,
        _ => return None,
    })
}

/// What `word` means before a value: `not x`, `lambda x`.
pub(super) fn before_value(word: &str) -> Option<&'static str> {
    Some(match word {
        "not" => "write `!`",
        "lambda" => CLOSURE,
        "new" => "there is no `new`: call a function, `make_response(...)`, or write a map, `#{ ... }`",
        "typeof" => "type_of(x) gives the type's name",
        _ => return None,
    })
}

/// What `word` means between two values, where no operator was found.
pub(super) fn between_values(word: &str, next: &str) -> Option<&'static str> {
    Some(match (word, next) {
        ("and", _) => "write `&&`",
        ("or", _) => "write `||` between booleans; a default for `()` is `x ?? y`",
        ("is", "not") => UNEQUAL,
        ("is", _) => EQUAL,
        ("not", "in") => NOT_IN,
        ("instanceof", _) => "type_of(x) gives the type's name",
        _ => return None,
    })
}

/// Words that Rhai reserves, and makes nothing of.
pub(super) fn reserved(word: &str, next: &str) -> Option<&'static str> {
    Some(match word {
        "null" | "nil" => NOTHING,
        "var" => "variables are declared by `let`",
        "async" | "await" => "a call waits for its value: leave `async` and `await` out",
        "yield" => "there are no generators: return a list",
        "with" if next == "open" => {
            "read a file of the provision directory by read_text(name), read_json(name) or read_blob(name)"
        }
        "print" => "a function is called with parentheses: `print(\"x\")`",
        "public" => "functions are public: leave the word out",
        "module" if next == "." => "an importer sees all functions of a file: `import \"file\" as name;`",
        _ => return None,
    })
}

/// Names that are variables of no script, but words of another language.
pub(super) fn name(word: &str) -> Option<&'static str> {
    Some(match word {
        "pass" => "leave `pass` out: a block may be empty, `{ }`",
        "console" => "write `print(x)` or `logging.info(x)`",
        "module" | "exports" => "an importer sees all functions of a file: `import \"file\" as name;`",
        _ => return None,
    })
}
