//! What to write in place of names that other languages have and scripts don't.

/// In place of function `name`.
pub(crate) fn function(name: &str) -> Option<&'static str> {
    Some(match name {
        "join" => "the separator comes first: `\"-\".join(list)`",
        "open" => {
            "read a file of the provision directory by read_text(name), read_json(name) or read_blob(name)"
        }
        "isinstance" => "type_of(x) gives the type's name",
        "dict" => "a map is written `#{ key: value }`",
        "list" | "tuple" => "a list is written `[a, b]`",
        "registerRules" => "define `fn registerRules() { app.get(\"/\", index); }`",
        _ => return None,
    })
}

/// In place of variable `name`.
pub(crate) fn variable(name: &str) -> Option<&'static str> {
    Some(match name {
        _ if name.contains("::") => {
            "call it in a closure, `|id| file::view(id)`, or let the library register it: `file::register(app)`"
        }
        "null" | "nil" | "undefined" | "none" => "nothing is written `()` or `None`",
        "self" => "the value that a method is called on is `this`",
        "flask" => "Flask's names need no import: `app`, `request`, `jsonify`, ...",
        _ => return None,
    })
}

/// In place of a call that no function takes, by its signature `name (type, type)`: Rhai gives names and types as one text.
pub(super) fn signature(signature: &str) -> Option<&'static str> {
    let (name, types) = signature.split_once(" (").unwrap_or((signature, ""));
    let is_on_app = ["app,", "Blueprint,"].iter().any(|of| types.starts_with(of));
    Some(match name {
        // The message says all: a closure takes values of any type.
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
