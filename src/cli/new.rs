//! `h1mock new`: writes a starter, a short provision with comments. The starters are in `starters/`.

use super::check::print;
use super::value::Parsed;
use crate::directory::Name;
use crate::system::io_error::describe_io;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The words of `--kind`. The first one is the default.
pub(super) const KINDS: [&str; 6] = ["rest", "crud", "oauth2", "sse", "webhook", "blank"];

/// The starters, in the order of [`KINDS`].
const SOURCES: [&str; 6] = [
    include_str!("starters/rest.rhai"),
    include_str!("starters/crud.rhai"),
    include_str!("../../provisions/oauth2.rhai"),
    include_str!("starters/sse.rhai"),
    include_str!("starters/webhook.rhai"),
    include_str!("starters/blank.rhai"),
];

/// A file to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Starter {
    /// `None`: standard output.
    pub file: Option<PathBuf>,
    pub source: &'static str,
}

impl Starter {
    /// Parses `NAME`, which gets the ending `.rhai`; `-` is standard output. `kind` is the index of a word of [`KINDS`].
    ///
    /// # Errors
    /// The name is none that a provision may have.
    pub(super) fn parse(name: &str, kind: usize) -> Parsed<Starter> {
        let source = SOURCES[kind];
        if name == "-" {
            return Ok(Starter { file: None, source });
        }
        let ending = if name.ends_with(".rhai") { "" } else { ".rhai" };
        let last = name.rsplit('/').next().unwrap_or(name);
        let wrong = match Name::parse(last) {
            Err(error) => Some(error.to_string()),
            Ok(_) => Name::ignored(last).map(|reason| format!("invalid name `{last}`: {reason}")),
        };
        match wrong {
            Some(wrong) => Err(format!("{wrong} (try shop.rhai)")),
            None => Ok(Starter { file: Some(format!("{name}{ending}").into()), source }),
        }
    }

    /// Writes the file, and prints how to serve it and the requests that it answers.
    ///
    /// # Errors
    /// The file exists or can't be written.
    pub(crate) fn write(&self) -> Result<ExitCode, String> {
        let Some(file) = &self.file else {
            print(self.source.trim_end());
            return Ok(ExitCode::SUCCESS);
        };
        self.create(file)
            .map_err(|error| format!("failed to write `{}`: {}", file.display(), cause(&error, file)))?;
        print(&self.next_steps(file));
        Ok(ExitCode::SUCCESS)
    }

    fn create(&self, file: &Path) -> io::Result<()> {
        let written = File::create_new(file)?.write_all(self.source.as_bytes());
        if written.is_err() {
            // Without the rest of the file, the next try would find a file that exists.
            let _ = fs::remove_file(file);
        }
        written
    }

    fn next_steps(&self, file: &Path) -> String {
        let name = quoted(&file.display().to_string());
        let requests: String = requests(self.source).map(|request| format!("\n  {request}")).collect();
        format!(
            "{} is written. Serve it:\n\n  h1mock {name}\n\nThen, in another terminal:\n{requests}",
            file.display()
        )
    }
}

/// Returns the commands in the comment at the head of a starter, which are indented.
fn requests(source: &str) -> impl Iterator<Item = &str> {
    let head = source.lines().take_while(|line| line.starts_with("//"));
    head.filter_map(|line| line.strip_prefix("//   "))
}

fn cause(error: &io::Error, file: &Path) -> String {
    match (error.kind(), file.parent()) {
        (io::ErrorKind::AlreadyExists, _) => {
            "the file exists: choose another name, or remove it first".to_owned()
        }
        (io::ErrorKind::NotFound, Some(folder)) => {
            let name = quoted(&folder.display().to_string());
            format!("there is no folder `{}`: `mkdir -p {name}` makes it", folder.display())
        }
        _ => describe_io(error),
    }
}

/// Returns `text` as one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |letter: char| letter.is_alphanumeric() || "_./-".contains(letter);
    if text.chars().all(is_plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_gets_its_ending() {
        for (name, file) in [
            ("shop", "shop.rhai"),
            ("shop.rhai", "shop.rhai"),
            ("../mocks/shop", "../mocks/shop.rhai"),
            ("/mocks/shop.v2", "/mocks/shop.v2.rhai"),
            ("a shop", "a shop.rhai"),
        ] {
            let expected = Starter { file: Some(file.into()), source: SOURCES[1] };
            assert_eq!(Starter::parse(name, 1), Ok(expected), "{name}");
        }
        assert_eq!(Starter::parse("-", 0), Ok(Starter { file: None, source: SOURCES[0] }));
    }

    #[test]
    fn a_wrong_name_is_refused_with_the_reason() {
        for (name, reason) in [
            ("mocks/", "``: empty"),
            (".rhai", "`.rhai`: hidden"),
            ("mocks/..", "`..`: leaves the provision directory"),
            ("shop~", "`shop~`: backup copy"),
            ("a\nb", "`a\\nb`: contains a control character"),
        ] {
            let expected = format!("invalid name {reason} (try shop.rhai)");
            assert_eq!(Starter::parse(name, 0), Err(expected), "{name}");
        }
    }

    #[test]
    fn each_starter_names_requests() {
        for (kind, source) in KINDS.iter().zip(SOURCES) {
            assert!(requests(source).any(|request| request.contains("curl ")), "{kind}");
            assert!(requests(source).all(|request| request.contains("localhost:8000/")), "{kind}");
        }
    }

    #[test]
    fn paths_are_words_of_a_shell() {
        for (text, word) in [("a/b-c_1.rhai", "a/b-c_1.rhai"), ("a b", "'a b'"), ("it's", r"'it'\''s'")] {
            assert_eq!(quoted(text), word);
        }
    }
}
