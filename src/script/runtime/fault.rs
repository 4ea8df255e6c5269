//! A failure of a script and its place: from Rhai's chain of errors to provision, line, column, source line and hint. `check`,
//! the admin interface, the log, the ledger and the body of a 500 use the same words.

pub(crate) mod habit;
mod kind;
mod signs;
mod spot;
mod syntax;
mod tail;
#[cfg(test)]
mod tests;

pub(crate) use kind::{Kind, RETURNED_NOTHING};

use super::analysis::calls::arguments;
use super::files::Files;
use super::http_error::HttpError;
use super::request_error::RequestError;
use super::{budget, json, names, size_limits};
use crate::system::escape::escape;
use crate::system::truncate::{beginning, truncate_bytes};
use rhai::{EvalAltResult, Position};
use std::collections::BTreeSet;
use std::fmt;

/// Most bytes of a message. A script can throw a text of any length, or call a function with any number of arguments.
const LONGEST_MESSAGE: usize = 1 << 10;

/// Target of the log records that are reports of a fault. Their line breaks come from h1mock, so the logger keeps them.
pub(crate) const REPORT: &str = "h1mock::report";

/// A fault of a script. Its JSON is what the admin interface shows.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
pub struct Fault {
    /// The provision that runs or was about to load.
    #[serde(skip)]
    pub provision: String,
    /// Whether that is an overlay.
    #[serde(skip)]
    pub in_overlay: bool,
    /// The file with the fault: the provision, or a file that it imports.
    pub file: String,
    /// Line, from 1.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    #[serde(skip)]
    pub kind: Kind,
    /// The cause, in lower case, without a full stop.
    pub message: String,
    pub source: Option<String>,
    /// The text to write instead, where h1mock knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

pub(crate) type LoadError = Fault;

impl Fault {
    /// Returns a fault of `file` without a place.
    pub fn of_file(file: &str, message: impl Into<String>) -> Fault {
        let (provision, file) = (file.to_owned(), file.to_owned());
        Fault { provision, file, message: message.into(), ..Fault::default() }
    }

    /// Returns a fault at place `at` of `file`.
    pub fn from_position(files: &Files, file: &str, at: Position, message: impl Into<String>) -> Fault {
        let line = at.line();
        let source = line.and_then(|line| files.line(file, line));
        let is_other = files.others.iter().any(|other| other == file);
        let provision = if is_other { file.to_owned() } else { files.main.clone() };
        let in_overlay = files.shares_values;
        Fault { provision, in_overlay, line, column: at.position(), source, ..Fault::of_file(file, message) }
    }

    /// Returns the fault at the innermost place of `error`. `file` is the file that h1mock called.
    pub fn new(error: &EvalAltResult, file: &str, files: &Files) -> Fault {
        let (error, file, at) = innermost(error, file);
        let kind = Kind::from(error);
        let text = || files.text(&file);
        let hint = match error {
            EvalAltResult::ErrorParsing(error, _) => {
                text().and_then(|text| syntax::find_hint(error, &text, at))
            }
            EvalAltResult::ErrorMismatchDataType(..) | EvalAltResult::ErrorVariableNotFound(..) => {
                text().and_then(|text| syntax::import(&text, at)).or_else(|| kind.hint())
            }
            _ => kind.hint(),
        };
        let message = truncate_bytes(message(error), LONGEST_MESSAGE);
        Fault { kind, hint, ..Fault::from_position(files, &file, at, message) }
    }

    /// Returns the fault with `line` as its place, if it has none: the error of a function that has ended, or of h1mock itself.
    pub fn or_line(mut self, files: &Files, line: Option<usize>) -> Fault {
        if self.line.is_none() {
            self.source = line.and_then(|line| files.line(&self.file, line));
            self.line = line;
            if self.kind == Kind::ReturnedNothing {
                let hint = files.text(&self.file).zip(line).and_then(|(text, line)| tail::hint(&text, line));
                self.hint = hint.map(str::to_owned);
            }
        }
        self
    }

    /// Returns the fault with the hint of the warning at the same place, if it has no hint itself.
    pub fn or_hint_of(self, warnings: &[Fault]) -> Fault {
        let place = |fault: &Fault| (fault.line, fault.column, fault.file.clone());
        let hint = || warnings.iter().find(|warning| place(warning) == place(&self))?.hint.clone();
        match &self.hint {
            Some(_) => self,
            None => Fault { hint: hint(), ..self },
        }
    }

    /// Returns `line 3, column 7: ` or an empty text, with the file in front where it is not the provision.
    fn place(&self) -> String {
        let place = match (self.line, self.column) {
            (Some(line), Some(column)) => format!("line {line}, column {column}: "),
            (Some(line), None) => format!("line {line}: "),
            _ => String::new(),
        };
        if self.file == self.provision { place } else { format!("imported `{}`: {place}", self.file) }
    }

    /// Returns the source line with a mark under the column, as compilers print it; empty where the fault has no place. Control
    /// characters in the line are escaped, which makes them visible.
    pub fn excerpt(&self) -> String {
        let (Some(line), Some(source)) = (self.line, &self.source) else { return String::new() };
        let gutter = " ".repeat(line.to_string().len());
        let mut text =
            format!("{gutter} --> {}:{line}:{}\n{gutter} |\n", self.file, self.column.unwrap_or(1));
        text += &format!("{line} | {}\n", escape(source));
        // The mark stands under its column for any width of tabs.
        let blank = |character| if character == '\t' { '\t' } else { ' ' };
        if let Some(column) = self.column {
            let before = escape(beginning(source, column.saturating_sub(1)));
            let before: String = before.chars().map(blank).collect();
            text += &format!("{gutter} | {before}^\n");
        }
        text
    }

    /// Returns message, excerpt and hint, on several lines.
    pub fn report(&self) -> String {
        self.report_as(&self.to_string())
    }

    /// Returns the report of a warning about a file that loads.
    pub fn as_warning(&self) -> String {
        self.report_as(&format!("{}: {}{}", self.layer(), self.place(), self.message))
    }

    fn report_as(&self, message: &str) -> String {
        let hint =
            self.hint.as_ref().map(|hint| format!("  = help: {}\n", hint.replace('\n', "\n          ")));
        format!("{}\n{}{}", escape(message), self.excerpt(), hint.unwrap_or_default())
    }

    /// Returns the report for the log: one record, which ends with `note`, the consequence of the fault.
    pub fn noted(&self, note: &str) -> String {
        format!("{}  = note: {note}", self.report())
    }

    /// Returns the line for the log and the body of a 500: ``script error in provision `foo-bar`: line 3, column 7: ...``.
    pub fn at_run_time(&self) -> String {
        format!("script error in {}: {}{}", self.layer(), self.place(), self.message)
    }

    /// Returns the end of the line for the log: ` (help: ...)`, or an empty text.
    pub fn help(&self) -> String {
        self.hint.as_ref().map(|hint| format!(" (help: {hint})")).unwrap_or_default()
    }

    /// Returns the body of a 500: the error, its line and its hint.
    pub fn page(&self) -> String {
        let hint = self.hint.as_ref().map(|hint| format!("  = help: {hint}\n")).unwrap_or_default();
        format!("{}\n{}{hint}", self.at_run_time(), self.excerpt())
    }

    /// Returns `` provision `foo-bar` `` or `` overlay `busy` ``.
    fn layer(&self) -> String {
        format!("{} `{}`", if self.in_overlay { "overlay" } else { "provision" }, self.provision)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "failed to load {}: {}{}", self.layer(), self.place(), self.message)
    }
}

/// Follows calls and imports to the innermost error. Returns it with its file and its place. The innermost known place wins, since
/// natives have no place of their own.
fn innermost<'e>(error: &'e EvalAltResult, file: &str) -> (&'e EvalAltResult, String, Position) {
    let (mut error, mut file, mut at) = (error, file.to_owned(), error.position());
    loop {
        let (inner, source) = match error {
            EvalAltResult::ErrorInFunctionCall(_, source, inner, _) => (inner, source.as_str()),
            EvalAltResult::ErrorInModule(name, inner, _) => (inner, name.as_str()),
            _ => return (error, file, at),
        };
        // A further file of `h1mock serve FILE...`, which no `import` names.
        let is_served = matches!(error, EvalAltResult::ErrorInModule(.., place) if place.is_none());
        error = inner;
        let position = error.position();
        if !position.is_none() || is_served {
            at = position;
            if !source.is_empty() {
                source.clone_into(&mut file);
            }
        }
    }
}

/// Returns the message of `error`, in lower case and without its position.
fn message(error: &EvalAltResult) -> String {
    let text = match error {
        EvalAltResult::ErrorRuntime(thrown, _) => return thrown_text(thrown),
        EvalAltResult::ErrorTerminated(token, _) => return token.to_string(),
        EvalAltResult::ErrorStackOverflow(_) => return budget::too_deep(),
        EvalAltResult::ErrorParsing(kind, _) => match kind.to_string() {
            text if text.is_empty() => "syntax error".to_owned(),
            text => text,
        },
        EvalAltResult::ErrorFunctionNotFound(signature, _) => {
            // Rhai gives the types of arguments only as a text.
            let signature = signature.replace(ANY_STRING, "string");
            if let Some((method, given)) = habit::of_app(&signature) {
                return format!("`{method}` can't be called with ({given})");
            }
            if let Some(types) = signature.strip_prefix("anon$").and_then(|of| of.split_once('(')) {
                return arguments_of_closure(types.1.trim_end_matches(')'));
            }
            return format!("no function `{}`", names::shown(&signature));
        }
        EvalAltResult::ErrorMismatchDataType(wanted, found, _) if wanted == "bool" => {
            let found = found.rsplit("::").next().unwrap_or(found);
            return format!("a condition is true or false, not {found}");
        }
        EvalAltResult::ErrorVariableNotFound(name, _) => return format!("no variable `{name}`"),
        EvalAltResult::ErrorPropertyNotFound(name, _) => return format!("no property `{name}`"),
        EvalAltResult::ErrorDotExpr(text, _) => match Missing::parse(text) {
            Some(Missing { of, property }) => return format!("{of} has no property `{property}`"),
            None => text.clone(),
        },
        EvalAltResult::ErrorIndexingType(types, _) => {
            let types = types.replace(ANY_STRING, "string");
            // With the type of the value, if an item is set: `map [i64] = map`.
            let types = types.split_once("] = ").map_or(types.trim_end_matches(']'), |(types, _)| types);
            let (of, by) = types.split_once(" [").unwrap_or((types, "an index"));
            return format!("{} has no items, and none by {}", shown_type(of), shown_type(by));
        }
        EvalAltResult::ErrorNonPureMethodCallOnConstant(name, _) => {
            return read_only(&format!("`{name}` would change"));
        }
        EvalAltResult::ErrorAssignmentToConstant(name, _) if name.is_empty() => {
            return read_only("this would change");
        }
        EvalAltResult::ErrorAssignmentToConstant(name, _) => {
            return read_only(&format!("assigning to `{}` would change", names::shown(name)));
        }
        other => {
            let (text, place) = (other.to_string(), format!(" ({})", other.position()));
            text.strip_suffix(&place).unwrap_or(&text).to_owned()
        }
    };
    lower_first(&text)
}

/// The name that Rhai gives the type of a text.
const ANY_STRING: &str = "&str | ImmutableString | String";

/// A property that a type does not have. Rhai gives both as one text.
struct Missing<'t> {
    of: String,
    property: &'t str,
}

impl Missing<'_> {
    fn parse(text: &str) -> Option<Missing<'_>> {
        let read = text.strip_prefix("Unknown property '");
        let (property, rest) =
            read.or_else(|| text.strip_prefix("No writable property '"))?.split_once("' - ")?;
        let of = rest.split_once("is not registered for type '")?.1.split_once('\'')?.0;
        Some(Missing { of: shown_type(of), property })
    }
}

/// Returns the name of a type for messages: `` `()` `` or `string`.
fn shown_type(name: &str) -> String {
    match name.rsplit("::").next().unwrap_or(name) {
        "()" => "`()`".to_owned(),
        short => short.to_owned(),
    }
}

/// Returns the message for a closure that was called with values of these `types`. An author does not know Rhai's name of a
/// closure.
fn arguments_of_closure(types: &str) -> String {
    let count = if types.is_empty() { 0 } else { types.split(", ").count() };
    let given = arguments(&BTreeSet::from([count]));
    format!("a closure was called with {given}, and takes another number of them")
}

/// Returns the message for a script that changes a constant, or a copy of a value of `store`, where the change would get lost.
/// `what` begins the sentence: ``assigning to `x` would change``.
fn read_only(what: &str) -> String {
    format!(
        "{what} a read-only value: copy it by `let` to change the copy; what is to last is in `store`: `store[key] = value`"
    )
}

fn thrown_text(thrown: &rhai::Dynamic) -> String {
    if let Some(error) = thrown.read_lock::<HttpError>() {
        return format!("abort({}): {}", error.code, error.text());
    }
    if let Some(error) = thrown.read_lock::<RequestError>() {
        return error.to_string();
    }
    if let Some(text) = thrown.read_lock::<rhai::ImmutableString>() {
        // `Fault::new` truncates the message, and needs one byte more to mark that.
        return beginning(&text, LONGEST_MESSAGE + 1).to_owned();
    }
    // Authors write the values of `throw #{...}` and `throw [...]` like JSON.
    match json::to_json(thrown, LONGEST_MESSAGE) {
        Ok(json) => String::from_utf8_lossy(&json).into_owned(),
        Err(_) => size_limits::text_of(thrown, LONGEST_MESSAGE).into(),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.trim_end_matches('.').chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
