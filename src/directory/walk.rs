//! A bounded walk through a directory tree. It follows no links and opens no files.

use std::fs;
use std::io;
use std::path::Path;

use super::name::Name;

/// Limit of the levels of sub-folders.
pub(crate) const DEPTH_LIMIT: usize = 16;
/// Limit of files and folders of one walk.
pub(super) const COUNT_LIMIT: usize = 10_000;

/// A file or folder that a walk finds. Names are relative to the start of the walk, with `/`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A folder (`""`: the start of the walk). The walk reports it before it reads it, so that a watch that is set then
    /// misses nothing.
    Folder(String),
    /// A file, a link or another entry that is no folder and not ignored.
    File(Name),
    /// An ignored file or folder, and the reason. The walk does not enter the folder.
    Skipped(Name, &'static str),
}

/// Walks through `start`, breadth first. Leaves out sub-folders that can't be read.
///
/// # Errors
/// `start` can't be read.
pub(crate) fn walk(start: &Path, mut visit: impl FnMut(Found)) -> io::Result<()> {
    let mut folders = std::collections::VecDeque::from([(String::new(), 0)]);
    let mut left = COUNT_LIMIT;
    while let Some((folder, depth)) = folders.pop_front() {
        visit(Found::Folder(folder.clone()));
        let entries = match fs::read_dir(start.join(&folder)) {
            Ok(entries) => entries,
            Err(error) if folder.is_empty() => return Err(error),
            Err(_) => continue,
        };
        for entry in entries.flatten() {
            if left == 0 {
                log::warn!("`{}` holds more than {COUNT_LIMIT} files: the rest is left out", start.display());
                return Ok(());
            }
            left -= 1;
            match classify(&folder, &entry) {
                Found::Folder(name) if depth < DEPTH_LIMIT => folders.push_back((name, depth + 1)),
                Found::Folder(name) => visit(Found::Skipped(Name::unchecked(name), "nested too deep")),
                found => visit(found),
            }
        }
    }
    Ok(())
}

fn classify(folder: &str, entry: &fs::DirEntry) -> Found {
    let file_name = entry.file_name();
    let path = joined(folder, &file_name.to_string_lossy());
    let skipped = |reason| Found::Skipped(Name::unchecked(path.clone()), reason);
    let Some(file_name) = file_name.to_str() else { return skipped("name is not UTF-8") };
    let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
    match (Name::ignored(file_name), Name::parse(&path)) {
        (Some(reason), _) if !is_folder || file_name.starts_with('.') => skipped(reason),
        (_, Err(_)) => skipped("name is too long or has control characters"),
        _ if is_folder => Found::Folder(path),
        (_, Ok(name)) => Found::File(name),
    }
}

/// Returns the name of `file_name` in `folder`, which is `""` for the start of a walk.
pub(crate) fn joined(folder: &str, file_name: &str) -> String {
    if folder.is_empty() { file_name.to_owned() } else { format!("{folder}/{file_name}") }
}
