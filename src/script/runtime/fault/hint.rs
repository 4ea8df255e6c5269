//! What to write instead where a script failed while it ran: habits from Python, JavaScript and Flask, told by the error.

use super::habit;
use super::kind::Kind;
use crate::script::runtime::budget::Limit;

/// A hint for a fault of this kind.
pub(super) fn hint(kind: &Kind) -> Option<String> {
    let hint = match kind {
        Kind::NoFunction(signature) => missing_function(signature)?,
        Kind::NoVariable(name) => missing_variable(name).or_else(|| habit::name(name))?,
        Kind::NotIterable => "a map is walked by its keys: `for key in map.keys()`",
        Kind::OverBudget(Limit::Time) => "end the loop, or raise --script-timeout",
        Kind::OverBudget(Limit::Memory) => "build less at once, or raise --script-memory",
        // `syntax` and `tail` have the hints for these, by the source.
        Kind::Syntax | Kind::ReturnedNothing | Kind::Other => return None,
    };
    Some(hint.to_owned())
}

/// Rhai gives the name of the function and the types of its arguments as one text, `name (type, type)`.
fn missing_function(signature: &str) -> Option<&'static str> {
    let name = signature.split(" (").next().unwrap_or(signature);
    Some(match name {
        "join" => "the separator comes first: `\"-\".join(list)`",
        "open" => {
            "read a file of the provision directory by read_text(name), read_json(name) or read_blob(name)"
        }
        "isinstance" => "type_of(x) gives the type's name",
        "dict" => "a map is written `#{ key: value }`",
        "list" | "tuple" => "a list is written `[a, b]`",
        "registerRules" => "define `fn registerRules() { app.get(\"/\", index); }`",
        "+" if signature.contains("()") => {
            "one side is `()`, which is nothing: give a default, as in `x ?? 0` or .get(key, default)"
        }
        _ if signature.contains("(()") || signature.contains(", ()") => "a value is `()`, which is nothing",
        _ => return None,
    })
}

fn missing_variable(name: &str) -> Option<&'static str> {
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
