//! A look at a file: its metadata, without opening it. The watcher compares two looks to detect a change.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::name::Name;
use super::source::Stat;
use super::walk::{Found, walk};

/// A file at one moment. Between two equal looks it was not written, touched or linked to another target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// Metadata of the file, or of the target of a link that leads out of the directory. For a link to another file of the
    /// directory, or to nothing, the metadata of the link: an edit of that file is a change of its own name.
    pub stat: Stat,
    /// For a link: its metadata, and its target as written.
    pub link: Option<(Stat, PathBuf)>,
}

impl Look {
    /// Looks at `name` below `root`. `None` unless it is a regular file, or a link to one or to nothing.
    pub(crate) fn new(root: &Path, name: &Name) -> Option<Look> {
        let path = root.join(name.as_str());
        let own = path.symlink_metadata().ok()?;
        if own.is_file() {
            return Some(Look { stat: Stat::from_metadata(&own), link: None });
        }
        let link = Some((Stat::from_metadata(&own), fs::read_link(&path).ok()?));
        match fs::metadata(&path) {
            Ok(target) if !target.is_file() => None,
            Ok(target) if !watched_elsewhere(root, &path) => {
                Some(Look { stat: Stat::from_metadata(&target), link })
            }
            _ => Some(Look { stat: Stat::from_metadata(&own), link }),
        }
    }

    /// Looks at all files below `root` that are not ignored.
    ///
    /// # Errors
    /// `root` can't be read.
    pub(crate) fn all(root: &Path) -> io::Result<HashMap<Name, Look>> {
        let mut looks = HashMap::new();
        walk(root, |found| {
            if let Found::File(name) = found
                && let Some(look) = Look::new(root, &name)
            {
                looks.insert(name, look);
            }
        })?;
        Ok(looks)
    }

    /// Whether `name` is complete as soon as it exists: a symbolic link has no content, and a hard link is made to a complete
    /// file. Any other new file is still being written.
    pub(crate) fn is_born_complete(root: &Path, name: &Name) -> bool {
        let metadata = root.join(name.as_str()).symlink_metadata();
        metadata.is_ok_and(|own| own.is_symlink() || own.nlink() > 1)
    }

    /// Whether this look differs from `before` as after a touch: in its time, and not in its size. Any other change with only an
    /// event for attributes is a write in progress.
    pub(crate) fn is_touch_of(&self, before: &Look) -> bool {
        let (now, then) = (self.stat, before.stat);
        self.link != before.link || (now.modified_ns != then.modified_ns && now.size == then.size)
    }
}

/// Whether the target of the link at `path` is a file below `root` that the watcher sees under its own name.
fn watched_elsewhere(root: &Path, path: &Path) -> bool {
    let (Ok(root), Ok(target)) = (root.canonicalize(), path.canonicalize()) else { return false };
    target
        .strip_prefix(root)
        .ok()
        .and_then(Path::to_str)
        .and_then(|inside| Name::parse(inside).ok())
        .is_some_and(|name| !Name::is_ignored(name.file_name()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::fixture::{Folder, name};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_touch_changes_the_time_and_not_the_size() {
        let folder = Folder::new();
        let directory = folder.directory();
        directory.write(&name("f"), b"1").unwrap();
        let path = folder.root().join("f");
        let look = || Look::new(&folder.root(), &name("f")).unwrap();
        let set_time = |seconds| {
            let file = fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
        };
        set_time(1000);
        let before = look();
        assert!(!look().is_touch_of(&before));
        set_time(2000);
        assert!(look().is_touch_of(&before));
        fs::write(&path, "22").unwrap();
        set_time(2000);
        assert!(!look().is_touch_of(&before));
    }
}
