//! `ls [-1Aal] [PATH...]`: prints sorted names, one per line.

use super::{Failure, Streams, display, listing, switches};
use std::ffi::{OsStr, OsString};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

pub(super) fn run(args: &[OsString], io: &mut Streams) -> Result<u8, Failure> {
    let (given, mut paths) = switches(args, "1Aal")?;
    if paths.is_empty() {
        paths.push(".".into());
    }
    paths.sort();
    let long = given.contains('l');
    let hidden = given.chars().rfind(|letter| "aA".contains(*letter));
    // With `-l`, an operand that is a link is shown itself, as in other `ls`; else the folder behind it is listed.
    let is_folder = |path: &OsString| match long && !path.as_bytes().ends_with(b"/") {
        true => fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir()),
        false => Path::new(path).is_dir(),
    };
    let (folders, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(is_folder);
    let with_heads = folders.len() + files.len() > 1;
    let mut is_first = files.is_empty();
    let mut code =
        list(files.into_iter().map(|file| (file.clone(), PathBuf::from(file))).collect(), long, io)?;
    for folder in folders {
        if with_heads {
            let gap = if is_first { "" } else { "\n" };
            io.write(format!("{gap}{}:\n", display(&folder)).as_bytes())?;
        }
        is_first = false;
        code |= match entries(Path::new(&folder), hidden) {
            Ok(entries) => list(entries, long, io)?,
            Err(error) => io.complain_of("list", &folder, &error),
        };
    }
    Ok(code)
}

/// Prints a line for each of `files`; returns 1 if one can't be read.
fn list(files: Vec<(OsString, PathBuf)>, long: bool, io: &mut Streams) -> Result<u8, Failure> {
    let (mut rows, mut code) = (Vec::new(), 0);
    for (name, path) in files {
        match fs::symlink_metadata(&path) {
            Ok(metadata) if long => rows.push(cells(&name, &path, &metadata)),
            Ok(_) => rows.push([display(name)].into()),
            Err(error) => code |= io.complain_of("list", path.as_os_str(), &error),
        }
    }
    // Links, owner, group and size are aligned right, each as wide as the widest of its column.
    let width =
        |column: usize| rows.iter().filter_map(|row: &Vec<String>| row.get(column)).map(String::len).max();
    let widths = [1, 2, 3, 4].map(|column| width(column).unwrap_or(0));
    for row in &rows {
        let last = row.len() - 1;
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let width = column.checked_sub(1).and_then(|column| widths.get(column)).unwrap_or(&0);
            line.push_str(&format!("{cell:>width$}{}", if column < last { ' ' } else { '\n' }));
        }
        io.write(line.as_bytes())?;
    }
    Ok(code)
}

/// Returns the names in `folder` with their paths, sorted by bytes.
fn entries(folder: &Path, hidden: Option<char>) -> io::Result<Vec<(OsString, PathBuf)>> {
    let mut names: Vec<OsString> = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name());
    }
    if hidden == Some('a') {
        names.extend([".".into(), "..".into()]);
    }
    names.retain(|name| hidden.is_some() || !name.as_bytes().starts_with(b"."));
    names.sort();
    Ok(names.into_iter().map(|name| (name.clone(), folder.join(name))).collect())
}

fn cells(name: &OsStr, path: &Path, metadata: &Metadata) -> Vec<String> {
    let target = match fs::read_link(path) {
        Ok(target) => format!(" -> {}", display(target)),
        Err(_) => String::new(),
    };
    vec![
        listing::mode(kind(metadata), metadata.mode()),
        metadata.nlink().to_string(),
        metadata.uid().to_string(),
        metadata.gid().to_string(),
        metadata.len().to_string(),
        listing::time(metadata.mtime()),
        format!("{}{target}", display(name)),
    ]
}

fn kind(metadata: &Metadata) -> char {
    let kind = metadata.file_type();
    [
        (kind.is_dir(), 'd'),
        (kind.is_symlink(), 'l'),
        (kind.is_fifo(), 'p'),
        (kind.is_socket(), 's'),
        (kind.is_char_device(), 'c'),
        (kind.is_block_device(), 'b'),
    ]
    .into_iter()
    .find_map(|(is, letter)| is.then_some(letter))
    .unwrap_or('-')
}
