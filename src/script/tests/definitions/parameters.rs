//! Names of parameters in the definitions. The program knows only their types.

use std::collections::BTreeSet;

/// Words that the language server's parser takes for keywords: no function there may have such a name.
pub(super) const KEYWORDS: [&str; 48] = [
    "as",
    "async",
    "await",
    "break",
    "case",
    "catch",
    "const",
    "continue",
    "default",
    "do",
    "else",
    "exit",
    "export",
    "fn",
    "for",
    "go",
    "goto",
    "if",
    "import",
    "in",
    "let",
    "loop",
    "match",
    "module",
    "new",
    "nil",
    "null",
    "package",
    "private",
    "protected",
    "public",
    "return",
    "spawn",
    "static",
    "super",
    "switch",
    "sync",
    "thread",
    "throw",
    "try",
    "until",
    "use",
    "var",
    "void",
    "while",
    "with",
    "yield",
    "this",
];

/// Names the parameters after the arguments of the reference where these are names, or else after their types.
pub(super) fn parameters(types: &[String], arguments: &[&str], variadic: bool) -> String {
    let mut used = BTreeSet::new();
    let mut parameters = Vec::new();
    for (place, of) in types.iter().enumerate() {
        if variadic && of == "?" {
            parameters.push("...values: ?".to_owned());
            break;
        }
        let is_name = |text: &&&str| {
            let is_word = text.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
            !text.is_empty() && is_word && !["true", "false"].contains(*text)
        };
        let own = arguments.get(place).filter(is_name).filter(|_| arguments.len() == types.len());
        let name = own.map_or_else(|| of_type(of), |name| (*name).to_owned());
        let name = if KEYWORDS.contains(&name.as_str()) { format!("{name}_") } else { name };
        let free = (2..).map(|number| format!("{name}{number}"));
        let name =
            std::iter::once(name.clone()).chain(free).find(|name| !used.contains(name)).unwrap_or(name);
        parameters.push(format!("{name}: {of}"));
        used.insert(name);
    }
    parameters.join(", ")
}

/// Returns a name for a parameter of a type.
fn of_type(of: &str) -> String {
    match of {
        "?" | "()" => "value".to_owned(),
        "int" | "float" => "number".to_owned(),
        "bool" => "flag".to_owned(),
        "char" => "character".to_owned(),
        "String" => "text".to_owned(),
        "Array" => "list".to_owned(),
        "Map" => "map".to_owned(),
        "Blob" => "bytes".to_owned(),
        "FnPtr" => "function".to_owned(),
        _ if of.starts_with("Range") => "range".to_owned(),
        _ => {
            let mut name = String::new();
            for letter in of.chars() {
                if letter.is_uppercase() && name.ends_with(|before: char| before.is_lowercase()) {
                    name.push('_');
                }
                name.push(letter.to_ascii_lowercase());
            }
            name
        }
    }
}
