//! The ConfigMap mount: its files, and a mark that changes when Kubernetes swaps them. The mount is a folder of links through
//! `..data`, which is itself a link that one rename replaces. A `subPath` mount or a plain folder has no `..data`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::name::Name;
use super::source::Stat;
use super::walk::{COUNT_LIMIT, DEPTH_LIMIT, joined};

/// The state of the mount at one moment. Between two equal marks it was not updated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// The target of `..data`. One rename swaps it, so a swap is never seen half done.
    Linked(PathBuf, Stat),
    /// Without `..data`: each file, sorted. A file may be half written.
    Plain(Vec<(Name, Stat)>),
}

impl Mark {
    /// Reads the state of the mount at `dir`. A missing mount has no files.
    pub(crate) fn read(dir: &Path) -> Mark {
        let link = dir.join("..data");
        match (fs::read_link(&link), link.symlink_metadata()) {
            (Ok(target), Ok(metadata)) => Mark::Linked(target, Stat::from_metadata(&metadata)),
            _ => Mark::Plain(Self::stats(dir)),
        }
    }

    fn stats(dir: &Path) -> Vec<(Name, Stat)> {
        let keys = keys(dir).unwrap_or_default();
        let stat =
            |(name, path): (Name, PathBuf)| Some((name, Stat::from_metadata(&fs::metadata(path).ok()?)));
        keys.into_iter().filter_map(stat).collect()
    }
}

/// Lists the files of the mount at `dir`, sorted, each with the path of the content behind its links. Hidden names and links
/// out of the mount are left out. A missing `dir` has no files.
///
/// # Errors
/// `dir` can't be read.
pub(super) fn keys(dir: &Path) -> io::Result<Vec<(Name, PathBuf)>> {
    let mut found = Vec::new();
    let start = match dir.canonicalize() {
        Ok(start) => start,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        Err(error) => return Err(error),
    };
    let mut folders = vec![(String::new(), vec![start.clone()])];
    let mut visits = 0;
    while let Some((folder, trail)) = folders.pop()
        && visits < COUNT_LIMIT
    {
        visits += 1;
        for (name, target) in folder_keys(&start, &folder, &trail)? {
            match fs::metadata(&target) {
                // A link to a folder above it would give its files endless names.
                Ok(metadata)
                    if metadata.is_dir() && trail.len() <= DEPTH_LIMIT && !trail.contains(&target) =>
                {
                    folders.push((name.as_str().to_owned(), [trail.as_slice(), &[target]].concat()));
                }
                Ok(metadata) if metadata.is_file() && found.len() < COUNT_LIMIT => {
                    found.push((name, target));
                }
                _ => {}
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Lists the folder that `trail` ends with; a sub-folder that can't be read counts as empty.
fn folder_keys(start: &Path, folder: &str, trail: &[PathBuf]) -> io::Result<Vec<(Name, PathBuf)>> {
    let path = trail.last().map_or(start, PathBuf::as_path);
    match fs::read_dir(path) {
        Ok(entries) => Ok(entries.flatten().filter_map(|entry| key(start, folder, &entry)).collect()),
        Err(error) if folder.is_empty() => Err(error),
        Err(_) => Ok(Vec::new()),
    }
}

fn key(start: &Path, folder: &str, entry: &fs::DirEntry) -> Option<(Name, PathBuf)> {
    let name = Name::parse(&joined(folder, entry.file_name().to_str()?)).ok()?;
    let target = entry.path().canonicalize().ok()?;
    target.starts_with(start).then_some((name, target))
}
