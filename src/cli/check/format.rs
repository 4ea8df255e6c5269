//! The forms in which `h1mock check` prints its results: text, one JSON document, or workflow commands of GitHub Actions.

use crate::provisioning::ledger::{Kind, listed};
use crate::provisioning::warnings::more;
use crate::script::runtime::fault::Fault;
use crate::system::escape::{escape_json, escape_lines};
use serde::Serialize;
use std::io::{self, Write};
use std::path::Path;

/// A form of the results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Format {
    #[default]
    Text,
    Json,
    Github,
}

impl Format {
    /// The words of `--format`, in the order of [`Format::ALL`].
    pub(crate) const WORDS: [&'static str; 3] = ["text", "json", "github"];
    pub(crate) const ALL: [Format; 3] = [Format::Text, Format::Json, Format::Github];
}

/// The result of one file.
pub(super) struct Checked<'a> {
    pub path: &'a Path,
    pub result: Result<Loads, Fault>,
    /// The warnings that no file before had.
    pub warnings: Vec<Fault>,
    /// Rules that serve no request.
    pub shadowed: Vec<Fault>,
}

/// A file that loads.
pub(super) enum Loads {
    /// A provision with this number of rules.
    Provision(usize),
    Library,
    /// A file without `registerRules()` which is no library either.
    Useless,
}

impl Loads {
    /// Returns the end of the line of this file.
    fn text(&self) -> String {
        match self {
            Loads::Provision(1) => "1 rule".to_owned(),
            Loads::Provision(count) => format!("{count} rules"),
            Loads::Library => "a library (no registerRules)".to_owned(),
            Loads::Useless => "but it registers nothing".to_owned(),
        }
    }
}

/// Prints the results in one form, and counts them.
#[derive(Default)]
pub(super) struct Printer {
    format: Format,
    files: usize,
    failed: usize,
    warnings: usize,
    /// The rows of the JSON document.
    rows: Vec<Row>,
}

impl Printer {
    pub(super) fn new(format: Format) -> Printer {
        Printer { format, ..Printer::default() }
    }

    /// Prints the result of one file; in JSON, keeps it until [`Printer::end`].
    pub(super) fn add(&mut self, checked: Checked) {
        self.files += 1;
        self.failed += usize::from(checked.result.is_err());
        self.warnings += checked.warnings.len() + checked.shadowed.len();
        match self.format {
            Format::Text => print_text(&checked),
            Format::Json => self.rows.push(Row::from(checked)),
            Format::Github => print_commands(&checked),
        }
    }

    /// Prints the rest. Returns whether the check failed.
    pub(super) fn end(self, strict: bool) -> bool {
        let refused = strict && self.warnings > 0;
        if self.format == Format::Json {
            print(&document(&self.rows));
        } else if self.failed > 0 {
            print_error(&format!("{} of {} files failed", self.failed, self.files));
        } else if refused {
            let s = if self.warnings == 1 { "" } else { "s" };
            print_error(&format!("{} warning{s}, which --strict takes for failures", self.warnings));
        }
        self.failed > 0 || refused
    }
}

fn print_text(checked: &Checked) {
    let (first, rest) = listed(&checked.warnings);
    for warning in first {
        print_error(&format!("warning: {}", warning.as_warning()));
    }
    if let Some(more) = more(rest) {
        print_error(&format!("warning: {more}\n"));
    }
    for shadowed in &checked.shadowed {
        print_error(&format!("warning: {}", shadowed.message));
    }
    match &checked.result {
        Ok(loads) => print(&ok_line(checked.path, loads)),
        Err(error) => print_error(&format!("error: {}", error.report())),
    }
}

fn ok_line(path: &Path, loads: &Loads) -> String {
    format!("{}: ok, {}", path.display(), loads.text())
}

/// One file in the JSON document.
#[derive(Serialize)]
struct Row {
    file: String,
    ok: bool,
    /// `None` for a file that does not load.
    kind: Option<Kind>,
    /// The number of rules of a provision.
    rules: Option<usize>,
    error: Option<Fault>,
    warnings: Vec<Fault>,
}

impl From<Checked<'_>> for Row {
    fn from(checked: Checked) -> Row {
        let Checked { path, result, mut warnings, shadowed } = checked;
        warnings.extend(shadowed);
        let (kind, rules) = match &result {
            Ok(Loads::Provision(rules)) => (Some(Kind::Provision), Some(*rules)),
            Ok(_) => (Some(Kind::Library), None),
            Err(_) => (None, None),
        };
        Row {
            file: path.display().to_string(),
            ok: result.is_ok(),
            kind,
            rules,
            error: result.err(),
            warnings,
        }
    }
}

fn document(rows: &[Row]) -> String {
    let rows = serde_json::to_string(rows).unwrap_or_default();
    escape_json(format!("{{\"files\":{rows}}}"))
}

fn print_commands(checked: &Checked) {
    for warning in checked.warnings.iter().chain(&checked.shadowed) {
        print(&command("warning", warning));
    }
    match &checked.result {
        Ok(loads) => print(&ok_line(checked.path, loads)),
        Err(error) => print(&command("error", error)),
    }
}

/// Returns a workflow command: `::error file=mocks/shop.rhai,line=3,col=7,title=h1mock check::no variable `x``.
///
/// <https://docs.github.com/en/actions/reference/workflow-commands-for-github-actions> describes the commands.
fn command(level: &str, fault: &Fault) -> String {
    let mut command = format!("::{level} file={}", encode(&fault.file, PROPERTY));
    for (name, number) in [("line", fault.line), ("col", fault.column)] {
        command += &number.map_or(String::new(), |number| format!(",{name}={number}"));
    }
    let hint = fault.hint.as_ref().map_or(String::new(), |hint| format!("\nhelp: {hint}"));
    let message = escape_lines(&format!("{}{hint}", fault.message)).into_owned();
    format!("{command},title=h1mock check::{}", encode(&message, MESSAGE))
}

/// The characters that the message of a workflow command encodes.
const MESSAGE: &[char] = &['%', '\r', '\n'];
/// The characters that a property of a workflow command encodes.
const PROPERTY: &[char] = &['%', '\r', '\n', ':', ','];

/// Writes each of `special` as in `%0A`.
fn encode(text: &str, special: &[char]) -> String {
    let mut encoded = String::with_capacity(text.len());
    for letter in text.chars() {
        if special.contains(&letter) {
            encoded += &format!("%{:02X}", u32::from(letter));
        } else {
            encoded.push(letter);
        }
    }
    encoded
}

pub(crate) fn print_error(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

pub(crate) fn print(text: &str) {
    // A reader such as `head` may have closed the pipe.
    let _ = writeln!(io::stdout(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::super::placed;
    use super::*;

    fn fault(file: &str, message: &str, hint: Option<&str>) -> Fault {
        let (line, column) = (Some(3), Some(7));
        Fault { line, column, hint: hint.map(str::to_owned), ..Fault::of_file(file, message) }
    }

    #[test]
    fn a_workflow_command_names_the_file_of_the_fault() {
        for (path, fault, expected) in [
            (
                "shop.rhai",
                fault("shop.rhai", "no `x`", None),
                "file=shop.rhai,line=3,col=7,title=h1mock check::no `x`",
            ),
            (
                "./mocks/shop.rhai",
                fault("data.rhai", "a%b", Some("one\ntwo")),
                "file=mocks/data.rhai,line=3,col=7,title=h1mock check::a%25b%0Ahelp: one%0Atwo",
            ),
            (
                "a:b/100%, no",
                fault("100%, no", "\u{1b}[31m::error::x", None),
                "file=a%3Ab/100%25%2C no,line=3,col=7,title=h1mock check::\\u{1b}[31m::error::x",
            ),
            (
                "mocks/none",
                Fault::of_file("mocks/none", "there is no such file"),
                "file=mocks/none,title=h1mock check::there is no such file",
            ),
        ] {
            assert_eq!(command("error", &placed(Path::new(path), fault)), format!("::error {expected}"));
        }
    }

    #[test]
    fn line_ends_are_encoded() {
        assert_eq!(encode("a\r\nb: c, 5%", MESSAGE), "a%0D%0Ab: c, 5%25");
        assert_eq!(encode("a\r\nb: c, 5%", PROPERTY), "a%0D%0Ab%3A c%2C 5%25");
    }

    #[test]
    fn the_document_has_a_row_for_each_file() {
        let row = |result, warnings| {
            let shadowed = vec![Fault { line: Some(1), ..Fault::of_file("f", "never serves") }];
            Row::from(Checked { path: Path::new("d/f"), result, warnings, shadowed })
        };
        assert_eq!(document(&[]), r#"{"files":[]}"#);
        let rows = [
            row(Ok(Loads::Provision(2)), vec![]),
            row(Ok(Loads::Library), vec![]),
            row(Err(fault("f", "\u{202e}", Some("h"))), vec![]),
        ];
        let warning =
            r#""warnings":[{"file":"f","line":1,"column":null,"message":"never serves","source":null}]}"#;
        let expected = [
            r#"{"files":[{"file":"d/f","ok":true,"kind":"provision","rules":2,"error":null,"#,
            warning,
            r#",{"file":"d/f","ok":true,"kind":"library","rules":null,"error":null,"#,
            warning,
            r#",{"file":"d/f","ok":false,"kind":null,"rules":null,"error":{"file":"f","line":3,"column":7,"message":"\u202e","source":null,"hint":"h"},"#,
            warning,
            "]}",
        ];
        assert_eq!(document(&rows), expected.concat());
    }
}
