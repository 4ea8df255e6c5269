//! `docs/h1mock.d.rhai` has the definitions of all names that scripts can use, for the language server of Rhai. They are made of the
//! registered signatures and of the tables of `docs/provisions.md`.
//!
//! `BLESS=1 cargo test --lib definitions` writes the file.

mod parameters;
mod rows;

use crate::script::flask::status::NAMES;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::natives::signatures::{Signature, Signatures};
use crate::script::runtime::natives::{Natives, Use};
use crate::script::{TOPICS, engine};
use parameters::{KEYWORDS, parameters};
use rhai::Engine;
use rows::Row;
use std::any::TypeId;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const HEAD: &str = "\
/// The names that scripts of h1mock can use, for editors: see editors.md. A test writes this file from the registered functions and
/// the tables of provisions.md: `BLESS=1 cargo test --lib definitions`.
///
/// A method has its receiver as the first parameter, `fn get` is a property, `?` stands for any type. Operators and `[...]` are left
/// out. A definition behind `//` has a name that the language server takes for a keyword.
module static;
";

/// Rhai has natives of these names that make texts for them.
const IN_CORE: [&str; 2] = ["debug", "print"];

/// Functions of Rhai's core, which are in no module.
const CORE: &str = "\
/// Makes a function value of a name
///
/// `Fn(\"hello\").call()`
fn Fn(name: String) -> FnPtr;

/// Calls a function value
///
/// `f.call(1, 2)`
fn call(function: FnPtr, ...values: ?) -> ?;

/// Makes a function value that has its first arguments already
///
/// `f.curry(1).call(2)`
fn curry(function: FnPtr, ...values: ?) -> FnPtr;

/// The name of a value's type
///
/// `type_of(1)` → `\"i64\"`
fn type_of(value: ?) -> String;

/// Whether closures share the variable
///
/// `is_shared(x)`
fn is_shared(variable: ?) -> bool;

/// Whether the script has a variable of this name
///
/// `is_def_var(\"x\")`
fn is_def_var(name: String) -> bool;

/// Whether the script has a function of this name and number of parameters
///
/// `is_def_fn(\"hello\", 1)`
fn is_def_fn(name: String, parameters: int) -> bool;

/// Writes a line of the log, level debug
///
/// `debug(x)`
fn debug(value: ?) -> ();
";

/// The types of the variables in the tables that are no handles, by section; an empty section stands for all.
const RECEIVERS: &[(&str, &str, &[&str])] = &[
    ("", "request.accept_mimetypes", &["Accept"]),
    ("Request", "d", &["MultiDict", "Headers", "FileDict"]),
    ("Requests to other servers", "r", &["RequestsResponse"]),
    ("Requests to other servers", "e", &["RequestError"]),
    ("", "r", &["Response"]),
    ("", "r.headers", &["ResponseHeaders"]),
    ("", "tags", &["ETags"]),
    ("", "range", &["RangeHeader"]),
    ("State", "s", &["Scenario"]),
    ("Text", "s", &["String"]),
    ("Text", "by", &["String"]),
    ("Bytes", "b", &["Blob"]),
    ("", "l", &["Array"]),
    ("", "m", &["Map"]),
    ("Dates", "d", &["DateTime", "Date"]),
    ("Dates", "t", &["TimeDelta"]),
    ("Random", "u", &["String"]),
    ("", "os.environ", &["Environ"]),
    ("", "app", &["App", "Blueprint"]),
];

struct World {
    signatures: Signatures,
    /// The variables with the names of their types.
    variables: BTreeMap<String, String>,
    rows: Vec<Row>,
}

impl World {
    fn new() -> World {
        let mut engine = Engine::new();
        let mut natives = Natives::new(&mut engine);
        for register in TOPICS {
            register(&mut natives);
        }
        let signatures = std::mem::take(&mut natives.signatures);
        let variable = |(name, of): (&str, TypeId)| (name.to_owned(), label(&signatures, of));
        let variables = natives.variables().map(variable).collect();
        World { variables, signatures, rows: rows::rows() }
    }

    /// Returns the types of a receiver of the tables.
    fn types(&self, row: &Row) -> Vec<&str> {
        let fits = |(section, name, _): &&(&str, &str, &[&'static str])| {
            *name == row.receiver && (section.is_empty() || *section == row.section)
        };
        match (RECEIVERS.iter().find(fits), self.variables.get(&row.receiver)) {
            (Some((_, _, types)), _) => types.to_vec(),
            (None, Some(of)) => vec![of],
            (None, None) => Vec::new(),
        }
    }

    /// Returns the row for `name` of type `of` (`None` for a function) that has as many arguments, or else the first one.
    fn row(&self, of: Option<&str>, name: &str, count: usize) -> Option<&Row> {
        let fits = |row: &&Row| {
            row.name == name && of.map_or(row.receiver.is_empty(), |of| self.types(row).contains(&of))
        };
        let found: Vec<&Row> = self.rows.iter().filter(fits).collect();
        let counts = |row: &&&Row| row.arguments.as_ref().map_or(0, Vec::len) == count;
        found.iter().find(counts).or(found.first()).copied()
    }

    /// Writes the definition of a signature behind its comment.
    fn definition(&self, signature: &Signature) -> String {
        let types: Vec<String> = signature.types.iter().map(|of| label(&self.signatures, *of)).collect();
        let first = types.first().map(String::as_str);
        let row = match self.row(first, &signature.name, types.len().saturating_sub(1)) {
            Some(row) => Some((row, true)),
            None => self.row(None, &signature.name, types.len()).map(|row| (row, false)),
        };
        let mut text = comment(row.map(|(row, _)| row), &signature.name);
        let arguments = row.and_then(|(row, is_method)| {
            let arguments = row.arguments.as_ref()?.iter().map(String::as_str);
            Some(if is_method {
                std::iter::once("").chain(arguments).collect()
            } else {
                arguments.collect::<Vec<_>>()
            })
        });
        let parameters = parameters(&types, &arguments.unwrap_or_default(), signature.variadic);
        let by = if signature.by == Use::Get { "get " } else { "" };
        let result = label(&self.signatures, signature.result);
        let _ = writeln!(text, "fn {by}{}({parameters}) -> {result};", signature.name);
        match KEYWORDS.contains(&signature.name.as_str()) {
            true => text
                .lines()
                .map(|line| {
                    format!("// {}", line.trim_start_matches(['/', ' '])).trim_end().to_owned() + "\n"
                })
                .collect(),
            false => text,
        }
    }
}

/// Returns the name of a type; `?` for a type without a name, which the test reports.
fn label(signatures: &Signatures, of: TypeId) -> String {
    signatures.name_of(of).unwrap_or("?").to_owned()
}

/// Writes a doc comment: a line, and an example.
fn comment(row: Option<&Row>, name: &str) -> String {
    let mut text = String::new();
    match row {
        Some(row) => {
            let line = if row.text.is_empty() {
                format!("See provisions.md#{}", rows::anchor(row.section))
            } else {
                capital(&row.text)
            };
            let _ = write!(text, "/// {line}\n///\n/// {}\n", row.example);
        }
        None => {
            if let Some(section) = rows::section_with(name) {
                let _ = writeln!(text, "/// See provisions.md#{}", rows::anchor(section));
            }
        }
    }
    text
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

fn is_word(name: &str) -> bool {
    name.starts_with(|letter: char| letter.is_alphabetic())
}

/// Returns the definitions of Rhai's own functions, without those that h1mock has itself.
fn of_rhai(signatures: &Signatures, own: &BTreeSet<String>) -> BTreeSet<String> {
    let natives = engine(Budget::default()).collect_fn_metadata(
        None,
        |function| {
            let is_global = function.namespace.is_empty();
            let types = function.metadata.param_types.to_vec();
            is_global.then(|| (function.metadata.name.to_string(), types))
        },
        true,
    );
    let mut found = BTreeSet::new();
    for (name, types) in natives {
        let (by, name) = match name.strip_prefix("get$") {
            Some(property) => ("get ", property),
            None => ("", name.as_str()),
        };
        let types: Option<Vec<String>> =
            types.iter().map(|of| signatures.name_of(*of).map(str::to_owned)).collect();
        let Some(types) = types.filter(|_| is_word(name) && !name.contains('$')) else { continue };
        if own.contains(&key(by, name, &types)) || IN_CORE.contains(&name) {
            continue;
        }
        let mark = if KEYWORDS.contains(&name) { "// " } else { "" };
        found.insert(format!("{mark}fn {by}{name}({}) -> ?;", parameters(&types, &[], false)));
    }
    found
}

/// Returns a text that differs between signatures that a script can tell apart.
fn key(by: &str, name: &str, types: &[String]) -> String {
    format!("{by}{name}({})", types.join(", "))
}

/// Writes the natives of h1mock, a group for each type of receivers. Adds the key of each signature to `own`.
fn natives(world: &World, own: &mut BTreeSet<String>) -> String {
    let (mut text, mut groups) = (String::new(), BTreeMap::<String, BTreeMap<String, String>>::new());
    for signature in &world.signatures.all {
        let types: Vec<String> = signature.types.iter().map(|of| label(&world.signatures, *of)).collect();
        let by = if signature.by == Use::Get { "get " } else { "" };
        let is_core = !signature.variadic && IN_CORE.contains(&signature.name.as_str());
        if !matches!(signature.by, Use::Call | Use::Get) || !is_word(&signature.name) || is_core {
            continue;
        }
        own.insert(key(by, &signature.name, &types));
        let first = types.first().filter(|first| first.starts_with(char::is_uppercase));
        let order = match signature.variadic {
            true => format!("{} ...", signature.name),
            false => format!("{by}{} {}", signature.name, types.join(", ")),
        };
        let group = groups.entry(first.cloned().unwrap_or_default()).or_default();
        group.entry(order).or_insert_with(|| world.definition(signature));
    }
    for (group, members) in &groups {
        let _ = writeln!(text, "// {}\n", if group.is_empty() { "Functions" } else { group });
        for definition in members.values() {
            let _ = writeln!(text, "{definition}");
        }
    }
    text
}

fn variables(world: &World) -> String {
    let mut text = "// Variables\n\n".to_owned();
    for (name, of) in &world.variables {
        let section = world.rows.iter().find(|row| row.receiver == *name).map(|row| row.section);
        if let Some(section) = section.or_else(|| rows::section_with(name)) {
            let _ = writeln!(text, "/// See provisions.md#{}", rows::anchor(section));
        }
        let _ = writeln!(text, "const {name}: {of};\n");
    }
    text
}

/// Writes the status codes as members of the module, `status::HTTP_200_OK`, and as properties, `status.HTTP_200_OK`.
fn statuses() -> String {
    let mut text = "// Status codes\n\nmodule status {\n".to_owned();
    for (name, code) in NAMES.iter() {
        let _ = writeln!(text, "    /// {code}\n    const {name}: int;");
    }
    let functions: BTreeSet<String> = engine(Budget::default())
        .collect_fn_metadata(
            None,
            |of| (of.namespace == "status").then(|| of.metadata.name.to_string()),
            false,
        )
        .into_iter()
        .collect();
    for name in functions {
        let _ = writeln!(text, "    fn {name}(code: int) -> bool;");
    }
    text += "}\n\n";
    for (name, code) in NAMES.iter() {
        let _ = writeln!(text, "/// {code}\nfn get {name}(status: Status) -> int;");
    }
    text
}

fn definitions() -> String {
    let (world, mut own) = (World::new(), BTreeSet::new());
    let natives = natives(&world, &mut own);
    let mut text = format!(
        "{HEAD}\n{}// Functions of Rhai's core\n\n{CORE}\n{natives}{}",
        variables(&world),
        statuses()
    );
    text += "\n// Rhai's own functions, which https://rhai.rs/book describes\n\n";
    for definition in of_rhai(&world.signatures, &own) {
        text += &definition;
        text.push('\n');
    }
    text
}

#[test]
fn every_type_of_a_native_has_a_name() {
    let World { signatures, .. } = World::new();
    let is_known = |of: &TypeId| signatures.name_of(*of).is_some();
    let unnamed = signatures
        .all
        .iter()
        .filter(|signature| !signature.types.iter().chain([&signature.result]).all(is_known));
    let unnamed: Vec<&str> = unnamed.map(|signature| signature.name.as_str()).collect();
    assert!(unnamed.is_empty(), "register_type_with_name is missing for the types of {unnamed:?}");
}

#[test]
fn the_definitions_for_editors_are_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/h1mock.d.rhai");
    let written = definitions();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(path, &written).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap();
    let differ = kept.lines().zip(written.lines()).find(|(kept, written)| kept != written);
    assert!(
        kept == written,
        "docs/h1mock.d.rhai is stale at {differ:?}: BLESS=1 cargo test --lib definitions"
    );
}
