//! Checks the documentation: its provisions load, its commands print the output below them, and its expressions have the values
//! after their arrows.

use crate::harness::{Folder, Mock, binary, project, skip_without};
use std::fs;
use std::process::Command;

const DOCUMENTS: [&str; 5] = [
    "docs/provisions.md",
    "docs/from-flask.md",
    "docs/from-mockserver.md",
    "docs/from-mountebank.md",
    "docs/from-wiremock.md",
];

/// A fenced block of a document.
#[derive(Debug, Clone)]
struct Block {
    language: String,
    /// The file that the block shows: the second word after the fence.
    file: Option<String>,
    /// Line of the fence.
    line: usize,
    /// Whether only empty lines are between the previous block and this one.
    follows: bool,
    text: String,
}

impl Block {
    fn is_provision(&self) -> bool {
        self.language == "rhai" && self.text.contains("fn registerRules")
    }
}

fn read(document: &str) -> String {
    fs::read_to_string(project().join(document)).unwrap()
}

fn blocks(text: &str) -> Vec<Block> {
    let (mut blocks, mut open): (Vec<Block>, Option<Block>) = (Vec::new(), None);
    let mut follows = false;
    for (line, content) in (1..).zip(text.lines()) {
        match (content.strip_prefix("```"), open.take()) {
            (Some(_), Some(block)) => {
                blocks.push(block);
                follows = true;
            }
            (Some(fence), None) => {
                let (language, file) = fence.split_once(' ').unwrap_or((fence, ""));
                let file = (!file.is_empty()).then(|| file.to_owned());
                open =
                    Some(Block { language: language.to_owned(), file, line, follows, text: String::new() });
            }
            (None, Some(mut block)) => {
                block.text += content;
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => follows &= content.is_empty(),
        }
    }
    blocks
}

/// Writes the files that a document shows by name.
fn write_files(blocks: &[Block], folder: &Folder, under: &str) {
    for block in blocks {
        if let Some(name) = &block.file {
            folder.write(&format!("{under}{name}"), &block.text);
        }
    }
}

#[test]
fn every_provision_of_the_documents_loads() {
    for document in DOCUMENTS {
        let blocks = blocks(&read(document));
        let provisions: Vec<&Block> = blocks.iter().filter(|block| block.is_provision()).collect();
        assert!(provisions.len() > 1, "{document}");
        for block in provisions {
            let folder = Folder::new();
            write_files(&blocks, &folder, "");
            folder.write("shown", &block.text);
            let output = binary().args(["check", "shown"]).current_dir(&folder.0).output().unwrap();
            let (out, error) =
                (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
            assert!(
                out.starts_with("shown: ok, ") && error.is_empty(),
                "{document}:{}: {out}{error}",
                block.line
            );
        }
    }
}

#[test]
fn every_command_of_the_documents_prints_the_output_shown() {
    if Command::new("curl").arg("--version").output().is_err() {
        return skip_without("curl");
    }
    for document in DOCUMENTS {
        let blocks = blocks(&read(document));
        let mut before: Option<&Block> = None;
        for block in &blocks {
            if block.language == "console" {
                let provision = before.filter(|before| block.follows && before.is_provision());
                let mock = Mock::start_with(&[], |folder| {
                    write_files(&blocks, folder, "provision/");
                    if let Some(provision) = provision {
                        folder.write("provision/initial", &provision.text);
                    }
                });
                let place = format!("{document}:{}", block.line);
                let (printed, shown) = (session(&mock, &block.text), dateless(&block.text));
                let differ =
                    printed.lines().zip(shown.lines()).find(|(printed, shown)| !same(printed, shown));
                assert_eq!(differ, None, "{place}: printed and shown; all of it: {printed}{}", mock.log());
                assert_eq!(printed.lines().count(), shown.lines().count(), "{place}: {printed}");
            }
            before = Some(block);
        }
    }
}

/// Runs each `$ command` of `shown` in the mock's folder. Returns the commands, each with its output.
fn session(mock: &Mock, shown: &str) -> String {
    let programs = std::path::Path::new(env!("CARGO_BIN_EXE_h1mock")).parent().unwrap().to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    let mut text = String::new();
    for command in shown.lines().filter_map(|line| line.strip_prefix("$ ")) {
        let line = command.replace("localhost:8000", &mock.traffic).replace("localhost:8074", &mock.admin);
        let line = line.replacen("curl ", "curl -sS ", 1);
        let output = Command::new("sh")
            .args(["-c", &format!("{line} 2>&1")])
            .env("PATH", &path)
            .current_dir(&mock.folder.0)
            .output()
            .unwrap();
        text += &format!("$ {command}\n{}", String::from_utf8_lossy(&output.stdout).replace('\r', ""));
        if !text.ends_with('\n') {
            text.push('\n');
        }
    }
    dateless(&text.replace(&mock.traffic, "localhost:8000"))
}

/// Whether a line is the one of the document, in which `...` stands for any text.
fn same(printed: &str, shown: &str) -> bool {
    let Some((first, others)) = shown.split_once("...") else { return printed == shown };
    let Some(rest) = printed.strip_prefix(first) else { return false };
    (0..=rest.len()).filter(|at| rest.is_char_boundary(*at)).any(|at| same(&rest[at..], others))
}

#[test]
fn dots_stand_for_any_text() {
    let cases = [
        ("a", "a", true),
        ("a", "b", false),
        ("a b c", "a...c", true),
        ("a b c", "a...", true),
        ("a é c", "...c", true),
        ("a b c", "a...b", false),
    ];
    for (printed, shown, expected) in cases {
        assert_eq!(same(printed, shown), expected, "{printed} {shown}");
    }
}

/// Removes the `Date` headers from a text.
fn dateless(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("Date: ")).map(|line| format!("{line}\n")).collect()
}

/// Finds each `` `expression` → `value` ``, with its line. In tables, `\|` means `|`.
fn values(text: &str) -> Vec<(usize, String, String)> {
    let mut values = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((left, right)) = line.split_once("` → `") else { continue };
        let expression = left.rsplit('`').next().unwrap_or_default();
        let value = right.split('`').next().unwrap_or_default();
        values.push((number, expression.replace("\\|", "|"), value.replace("\\|", "|")));
    }
    values
}

#[test]
fn every_expression_of_the_reference_has_its_value() {
    let values = values(&read("docs/provisions.md"));
    assert!(values.len() > 50, "{}", values.len());
    let mut source = String::from("fn shown(value) { value.to_debug() }\nfn registerRules() {\n");
    for (line, expression, value) in &values {
        source += &format!(
            "app.get(\"/{line}\", || {{ let left = {{ {expression} }}; let right = {{ {value} }}; [shown(left), shown(right)] }});\n"
        );
    }
    let mock = Mock::serving(&(source + "}\n"));
    for (line, expression, _) in &values {
        let reply = mock.get(&format!("/{line}"));
        assert_eq!(reply.status, 200, "line {line}: `{expression}`: {} {}", reply.text(), mock.log());
        assert_eq!(reply.json()[0], reply.json()[1], "line {line}: `{expression}`");
    }
}
