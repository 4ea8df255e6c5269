//! The files that a load reads, and the lines that errors show.

use super::*;
use crate::directory::fixture::Folder;

#[test]
fn files_that_are_missing_at_load_are_dependencies() {
    let folder = Folder::new();
    let directory = folder.directory();
    std::fs::write(folder.root().join("there"), "1").unwrap();
    let files = Files::new(directory.into(), "p", Some(Vec::new()), Arc::default());
    assert!(files.read("missing at load", true).is_err());
    assert!(files.read("missing later", false).is_err());
    assert_eq!(files.read("there", false).as_deref(), Ok(&b"1"[..]));
    assert!(files.find_import("library").is_err());
    assert_eq!(files.find_import("p").as_deref(), Ok("p"));
    let names: Vec<String> = files.dependencies().into_iter().collect();
    assert_eq!(names, ["library", "library.rhai", "missing at load", "p", "there"]);
}

#[test]
fn a_line_of_up_to_1000_bytes_is_shown() {
    let folder = Folder::new();
    let text = ["x".repeat(1000), "x".repeat(1001)].join("\n");
    let files = Files::new(folder.directory().into(), "p", None, Arc::default());
    lock(&files.sources).insert("p".to_owned(), Source { text, file: None });
    let lengths = [0, 1, 2, 3].map(|line| files.line("p", line).map(|line| line.len()));
    assert_eq!(lengths, [None, Some(1000), None, Some(0)]);
}
