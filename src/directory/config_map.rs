//! The ConfigMap mount: which files it holds, and how it is known that Kubernetes has swapped it. The mount is a
//! folder of links through `..data`, which is itself a link and is replaced by one rename; a `subPath` mount or a
//! plain folder has no `..data`. What becomes of the files is the provision directory's matter.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::name::Name;
use super::source::Stat;
use super::walk::{COUNT_LIMIT, DEPTH_LIMIT, joined};

/// What the mount looked like at one moment; it was not updated between two equal marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mark {
    /// `..data`: where it leads to. Swapped by one rename, so never seen half done.
    Linked(PathBuf, Stat),
    /// No `..data`: each file, sorted. Somebody may be at writing one of them.
    Plain(Vec<(Name, Stat)>),
}

impl Mark {
    /// Looks at the mount at `dir`; one that does not exist has no files.
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

/// The files of the mount at `dir`, sorted, each with the path of the content behind its links. Hidden names and whatever
/// leads out of the mount are left out. Errors: `dir` can't be read; one that does not exist has no files.
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
                // A link to a folder it lies in would give its files endless names.
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

/// What lies in the folder that `trail` ends with; a sub-folder that can't be read counts as empty.
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
