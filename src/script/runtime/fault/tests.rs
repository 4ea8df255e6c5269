//! Hints for wrong scripts, by the table `tests/wrong-scripts.txt`.

use super::{Fault, habit};
use crate::directory::fixture::Folder;
use crate::script;
use crate::script::runtime::budget::Budget;
use crate::script::runtime::files::Files;
use rhai::Engine;
use std::sync::Arc;

/// Scripts that do not compile: `|` begins a source line, `!` has line, column and beginning of the error, `=` has the hint, and
/// `---` ends a script.
const TABLE: &str = include_str!("tests/wrong-scripts.txt");

/// Each word and sign with a hint, to be put into texts and comments, where they must have none.
const HABITS: &str = "and or not is x in if c else elif def f lambda x: x => === # @a f'a' null = 1, 201 ( [ { ? : ++ return $x";

#[derive(Debug, PartialEq)]
struct Row {
    source: String,
    /// `line:column message`
    error: String,
    hint: Option<String>,
}

fn rows() -> Vec<Row> {
    let of = |mark: char, block: &str| {
        let lines: Vec<String> =
            block.lines().filter_map(|line| line.strip_prefix(mark)).map(str::to_owned).collect();
        lines
    };
    let row = |block: &str| Row {
        source: of('|', block).join("\n"),
        error: of('!', block).concat().trim().to_owned(),
        hint: of('=', block).first().map(|hint| hint.trim().to_owned()),
    };
    TABLE.split("---\n").map(row).collect()
}

/// An engine and a folder of its own to compile scripts.
struct Trial {
    folder: Folder,
    engine: Engine,
}

impl Trial {
    fn new() -> Trial {
        Trial { folder: Folder::new(), engine: script::engine(Budget::default()) }
    }

    fn fault(&self, source: &str) -> Fault {
        let files = Files::new(self.folder.directory().into(), "p", Some(source.into()), Arc::default());
        match files.load_main(&self.engine) {
            Ok(_) => panic!("compiles: {source}"),
            Err(error) => Fault::new(&error, "p", &files),
        }
    }

    fn row(&self, source: &str) -> Row {
        let fault = self.fault(source);
        let place = (fault.line.unwrap_or(0), fault.column.unwrap_or(0));
        Row {
            source: source.to_owned(),
            error: format!("{}:{} {}", place.0, place.1, fault.message),
            hint: fault.hint,
        }
    }
}

#[test]
fn a_wrong_script_has_its_hint_or_none() {
    let trial = Trial::new();
    let rows = rows();
    let hinted = rows.iter().filter(|row| row.hint.is_some()).count();
    assert!(hinted >= 80 && rows.len() - hinted >= 20, "{hinted} of {}", rows.len());
    for row in rows {
        let found = trial.row(&row.source);
        assert!(!row.error.is_empty() && found.error.starts_with(&row.error), "{row:?}: {}", found.error);
        assert_eq!(found.hint, row.hint, "{}", row.source);
    }
}

#[test]
fn no_hint_looks_into_texts_and_comments() {
    let trial = Trial::new();
    let mut tried = 0;
    for row in rows() {
        let before = trial.fault(&row.source);
        for source in variants(&row.source, &before) {
            let after = trial.fault(&source);
            assert_eq!((&after.message, &after.hint), (&before.message, &before.hint), "{source}");
            tried += 1;
        }
    }
    assert!(tried > 900, "{tried}");
}

/// Returns `source` with [`HABITS`] in comments and texts around the error.
fn variants(source: &str, fault: &Fault) -> Vec<String> {
    let Some(line) = fault.line else { return Vec::new() };
    let mut lines: Vec<String> = source.split('\n').map(str::to_owned).collect();
    // A hint that names a line would name another one.
    let end = if fault.hint.as_ref().is_some_and(|hint| hint.contains("line ")) { "" } else { "\n" };
    let mut variants = Vec::new();
    let at = (line - 1).min(lines.len() - 1);
    let own = lines[at].clone();
    let mut with = |text: String| {
        lines[at] = text;
        variants.push(lines.join("\n"));
    };
    with(format!("/* {HABITS}{end} \" {HABITS} ' */ {own}"));
    // A text without its closing quote would take the comment as its part.
    if !fault.message.contains("string is not terminated") {
        with(format!("{own} // {HABITS} \" '"));
        with(format!("{own} /* {HABITS} \" */"));
    }
    if at == 0 {
        with(format!("let t = \"{HABITS}\"; {own}"));
        with(format!("let t = `{HABITS} ${{1}} {HABITS} '\"{end} {HABITS}`; {own}"));
        with(format!("let t = #\"{HABITS} \" '\"#; {own}"));
    }
    variants
}

#[test]
fn a_file_beyond_a_limit_has_a_hint() {
    let trial = Trial::new();
    let functions: String = (0..=10_000).map(|n| format!("fn f{n}() {{ 1 }}\n")).collect();
    let closures: String = (0..=10_000).map(|n| format!("|| {n},")).collect();
    for (source, message, hint) in [
        (functions, "number of functions defined exceeds maximum limit", habit::MANY_FUNCTIONS),
        (
            format!("let l = [{closures}];"),
            "number of functions defined exceeds maximum limit",
            habit::MANY_FUNCTIONS,
        ),
        (
            format!("let x = 1; x{};", " + 1".repeat(200)),
            "expression exceeds maximum complexity",
            habit::DEEP,
        ),
        (
            format!("let x = 1; {} {{ 1 }}", "if x == 1 { 1 } else ".repeat(200)),
            "expression exceeds maximum complexity",
            habit::DEEP,
        ),
    ] {
        let fault = trial.fault(&source);
        assert_eq!((fault.message.as_str(), fault.hint.as_deref()), (message, Some(hint)));
    }
}

#[test]
fn a_hint_names_a_comment_without_an_end_before_the_error() {
    let fault = Trial::new().fault("fn f() { 1\n /* and }\n");
    assert_eq!(fault.hint.as_deref(), Some("the comment that begins in line 2 has no end: `*/`"));
}

#[test]
fn the_mark_of_an_excerpt_stands_under_the_column() {
    for (source, column, mark) in [
        ("let x = y;", 1, "^"),
        ("let x = y;", 9, "        ^"),
        ("\tä = y;", 3, "\t ^"),
        ("\u{1b} y", 3, "       ^"),
    ] {
        let (line, column, source) = (Some(12), Some(column), Some(source.to_owned()));
        let fault = Fault { line, column, source, ..Fault::of_file("p", "no variable `y`") };
        let excerpt = fault.excerpt();
        assert_eq!(excerpt.lines().last(), Some(&*format!("   | {mark}")), "{excerpt}");
    }
}

#[test]
fn a_closure_with_other_arguments_names_their_number() {
    let trial = Trial::new();
    let files = Files::new(trial.folder.directory().into(), "p", None, Arc::default());
    for (arguments, given) in [("", "no argument"), ("1", "1 argument"), ("1, 2", "2 arguments")] {
        let script = format!("let f = |a, b, c| 1; f.call({arguments})");
        let fault = Fault::new(&trial.engine.run(&script).unwrap_err(), "p", &files);
        let message = format!("a closure was called with {given}, and takes another number of them");
        assert_eq!(fault.message, message);
    }
}
