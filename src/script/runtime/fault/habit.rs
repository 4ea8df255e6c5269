//! Words of Python and JavaScript that Rhai lacks, with a hint for each.

pub(super) fn hint(hint: &str) -> Option<String> {
    Some(hint.to_owned())
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
pub(super) const SLICE: &str = "a part of a list is `list.extract(1..3)`, of a text `text[1..3]`";
pub(super) const NO_TYPES: &str = "there are no types: `let x = 1`, `fn f(x) { ... }`";
pub(super) const LOOP: &str = "a loop is `for x in list { ... }`, a counted one `for i in 0..3 { ... }`";
pub(super) const MANY_FUNCTIONS: &str = "a file has at most 10,000 functions and closures: put some of them into files for `import`, or rules into a loop";
pub(super) const DEEP: &str = "at most 64 operators, calls, blocks or `else if` may stand in each other: put parts into variables by `let`, \
     blocks into functions, or cases into a `switch`";
pub(super) const ONE_NAME: &str = "each variable has its own `let`: `let pair = f(); let a = pair[0];`";
pub(super) const SWITCH: &str = "a choice of many is `switch x { 1 => \"a\", _ => \"b\" }`";
pub(super) const IMPORT: &str =
    "`import \"file\" as name;` loads another file of the provision directory; Flask's names need no import";
const TYPE_OF: &str = "type_of(x) gives the type's name";
const READ_FILE: &str =
    "read a file of the provision directory by read_text(name), read_json(name) or read_blob(name)";
const EXPORTS: &str = "an importer sees all functions of a file: `import \"file\" as name;`";
pub(super) const PUBLIC: &str = "functions are public: leave the word out";

/// Returns the hint for a word that begins a statement, before a name that can't follow it: `def f`, `raise X`.
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
        "pub" | "public" => PUBLIC,
        "unless" => "write `if !x { ... }`",
        "match" => SWITCH,
        "foreach" => LOOP,
        "int" | "float" | "str" | "string" | "bool" | "auto" => NO_TYPES,
        _ => return None,
    })
}

/// Returns the hint for a word before a value: `not x`, `lambda x`.
pub(super) fn before_value(word: &str) -> Option<&'static str> {
    Some(match word {
        "not" => "write `!`",
        "lambda" => CLOSURE,
        "new" => "there is no `new`: call a function, `make_response(...)`, or write a map, `#{ ... }`",
        "typeof" => TYPE_OF,
        _ => return None,
    })
}

/// Returns the hint for a word between two values, in place of an operator.
pub(super) fn between_values(word: &str, next: &str) -> Option<&'static str> {
    Some(match (word, next) {
        ("and", _) => "write `&&`",
        ("or", _) => "write `||` between booleans; a default for `()` is `x ?? y`",
        ("is", "not") => UNEQUAL,
        ("is", _) => EQUAL,
        ("not", "in") => NOT_IN,
        ("instanceof", _) => TYPE_OF,
        _ => return None,
    })
}

/// Returns the hint for a word that Rhai reserves without using it.
pub(super) fn reserved(word: &str, next: &str) -> Option<&'static str> {
    Some(match word {
        "null" | "nil" => NOTHING,
        "var" => "variables are declared by `let`",
        "async" | "await" => "a call waits for its value: leave `async` and `await` out",
        "yield" => {
            "there are no generators: `stream(|n| ...)` calls a function for piece n until it returns `()`, `stream([a, b])` sends a list"
        }
        "with" if next == "open" => READ_FILE,
        "print" => "a function is called with parentheses: `print(\"x\")`",
        "public" => PUBLIC,
        "module" if next == "." => EXPORTS,
        _ => return None,
    })
}

/// Returns the hint for an unknown variable that is a word of another language.
pub(super) fn name(word: &str) -> Option<&'static str> {
    Some(match word {
        "pass" => "leave `pass` out: a block may be empty, `{ }`",
        "console" => "write `print(x)` or `logging.info(x)`",
        "module" | "exports" => EXPORTS,
        "req" => "write `request`, which every view has: `request.args`, `request.json`",
        "res" => RETURNED,
        "JSON" => "write `json.dumps(x)` and `json.loads(text)`",
        "axios" => FETCH,
        _ => return None,
    })
}

const FETCH: &str = "a request to another server is `requests.get(url)`";

/// Returns the hint for function `name` of another language.
pub(crate) fn function(name: &str) -> Option<&'static str> {
    Some(match name {
        "stream_with_context" => {
            "write `stream(|n| ...)`: its function has `request` and `store` as the view has them"
        }
        "join" => "the separator comes first: `\"-\".join(list)`",
        "open" => READ_FILE,
        "isinstance" => TYPE_OF,
        "dict" => MAP,
        "fetch" => FETCH,
        "setTimeout" => {
            "`time.sleep(1.5)` holds the answer back, `callback(url, #{ after: 1.5 })` sends a request later"
        }
        "HTTPException" => "write `abort(404, \"why\")`",
        "list" | "tuple" => LIST,
        "registerRules" => "define `fn registerRules() { app.get(\"/\", index); }`",
        _ => return None,
    })
}

/// Returns the hint for variable `name` of another language.
pub(crate) fn variable(name: &str) -> Option<&'static str> {
    Some(match name {
        _ if name.contains("::") => {
            "call it in a closure, `|id| file::view(id)`, or let the library register it: `file::register(app)`"
        }
        "null" | "nil" | "undefined" | "none" => NOTHING,
        "self" => "the value that a method is called on is `this`",
        "flask" => "Flask's names need no import: `app`, `request`, `jsonify`, ...",
        _ => return None,
    })
}

/// Splits the signature of a call on `app` or a blueprint: `get (app, string)` is `app.get` and `string`.
pub(super) fn of_app(signature: &str) -> Option<(String, &str)> {
    let (name, types) = signature.split_once(" (")?;
    let (of, given) = types.strip_suffix(')')?.split_once(", ")?;
    ["app", "Blueprint"].contains(&of).then(|| (format!("{of}.{name}"), given))
}

/// Returns the hint for method `name` of other frameworks on `app`.
pub(crate) fn method_of_app(name: &str) -> Option<&'static str> {
    Some(match name {
        "head" | "options" | "trace" => {
            "the methods of a rule stand in a list: `app.route(\"/x\", [\"OPTIONS\"], view)`"
        }
        "all" | "any" | "handle" => "a rule of all methods is `app.route(\"/x\", [\"*\"], view)`",
        "use" => "a function that runs before each view is `app.before_request(check)`",
        "run" | "listen" | "start" => "h1mock serves the rules by itself: leave the call out",
        _ => return None,
    })
}

/// Returns the hint for a call of signature `name (type, type)`, which no function has. Rhai gives name and types as one text.
pub(super) fn signature(signature: &str) -> Option<&'static str> {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let is_on_app = of_app(signature).is_some();
    Some(match name {
        // A closure takes values of any type, and the message has their number.
        _ if name.starts_with("anon$") => return None,
        "min" | "max" if types.contains("Fn") => {
            "`min` and `max` take no function: the first item of `sorted(list, |x| ...)` is the smallest, the last one the largest"
        }
        "where" if types.contains("Fn") => "by a function it is `list.filter(|x| ...)`",
        "any" if types.contains("Fn") => "by a function it is `list.some(|x| ...)`",
        "all" if types.contains("Fn") => "by a function it is `list.all(|x| ...)`",
        "group_by" | "pluck" | "sum" if types.contains("Fn") => {
            "the name of a key, such as `\"price\"`, goes here: by a function, change the items first, as in `sum(list.map(|x| ...))`"
        }
        "add_url_rule" | "delete" | "get" | "patch" | "post" | "put" | "route"
            if is_on_app && !types.contains("Fn") =>
        {
            "a view is a function: `app.get(\"/x\", hello)`, or a closure: `app.get(\"/x\", || \"hello\")`"
        }
        "before_request" if is_on_app && !types.contains("Fn") => {
            "a hook is a function: `app.before_request(check)`, or a closure: `app.before_request(|| ())`"
        }
        "after_request" if is_on_app && !types.contains("Fn") => {
            "a hook is a function: `app.after_request(add)`, or a closure: `app.after_request(|response| response)`"
        }
        "errorhandler" | "register_error_handler" if is_on_app && !types.contains("Fn") => {
            "a function stands behind the code: `app.errorhandler(404, not_found)`, or a closure: `app.errorhandler(404, |e| \"none\")`"
        }
        "cors" if is_on_app => "the options are a map: `app.cors(#{ origins: \"https://a.example\" })`",
        "!" => "`!` is of booleans: write `!bool(x)` for Python's truth, or compare, as in `x == ()`",
        "+" if signature.contains("()") => {
            "one side is `()`, which is nothing: give a default, as in `x ?? 0` or .get(key, default)"
        }
        _ => match function(name) {
            Some(hint) => hint,
            None if signature.contains("(()") || signature.contains(", ()") => {
                "a value is `()`, which is nothing"
            }
            None => return None,
        },
    })
}
