//! The folder into which an archive is extracted. Whatever names and links the archive and the folder have, nothing outside
//! is reached: each folder on the way is opened by its own name in the one before it, and links are followed here, not by the
//! kernel.

use super::display;
use crate::system::io_error::describe_io;
use rustix::fs::{self, AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Component, Path};

/// Maximum of links that follow one another, as in the kernel.
const MAX_LINKS: usize = 40;
/// Maximum of temporary names that are tried.
const ATTEMPTS: usize = 1000;

pub(super) struct Root(OwnedFd);

/// A name in a folder below the root.
pub(super) struct Place {
    folder: OwnedFd,
    /// Number of folders between the name and the root.
    pub depth: usize,
    name: OsString,
}

/// The reason why a name can't be used.
pub(super) enum Fault {
    Refused(String),
    System(io::Error),
}

impl From<Errno> for Fault {
    fn from(error: Errno) -> Fault {
        Fault::System(error.into())
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::System(error)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::Refused(reason) => f.write_str(reason),
            Fault::System(error) => f.write_str(&describe_io(error)),
        }
    }
}

impl Root {
    /// Opens `folder`, which may be a link; an empty path is the working folder.
    pub(super) fn open(folder: &Path) -> io::Result<Root> {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        // O_PATH is enough: so a folder that can be searched but not read can be extracted into.
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Root(fs::open(folder, flags, Mode::empty())?))
    }

    /// Returns the place of `name`; `None` for the root itself. Creates missing folders on the way.
    pub(super) fn place(&self, name: &OsStr) -> Result<Option<Place>, Fault> {
        let mut names = names(name)?;
        let Some(last) = names.pop_back() else { return Ok(None) };
        let (folder, depth) = self.walk(names, 0o777)?;
        Ok(Some(Place { folder, depth, name: last }))
    }

    /// Creates the folder `name` with `mode`, and missing folders on the way. Its owner always gets all rights. An existing
    /// folder keeps its mode.
    pub(super) fn make_folder(&self, name: &OsStr, mode: u32) -> Result<(), Fault> {
        // The files in it must be written, too.
        self.walk(names(name)?, mode & 0o777 | 0o700).map(drop)
    }

    /// Walks down `names` from the root; creates missing folders, the last one with `mode`. Returns the last folder and its
    /// depth.
    fn walk(&self, mut names: VecDeque<OsString>, mode: u32) -> Result<(OwnedFd, usize), Fault> {
        let mut folders = vec![self.0.try_clone()?];
        let mut links = 0;
        while let Some(name) = names.pop_front() {
            // Always true: the root is never popped.
            let Some(folder) = folders.last() else { break };
            if name == ".." {
                folders.pop();
                if folders.is_empty() {
                    return Err(Fault::Refused("a link on the way leads out of the folder".to_owned()));
                }
                continue;
            }
            let mode = if names.is_empty() { mode } else { 0o777 };
            match enter(folder, &name, mode) {
                Ok(entered) => folders.push(entered),
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    links += 1;
                    let target = link(folder, &name)?;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    follow(&name, &target, &mut names)?;
                }
                Err(error) => return Err(error.into()),
            }
        }
        let depth = folders.len() - 1;
        folders.pop().map(|folder| (folder, depth)).ok_or_else(|| Errno::NOENT.into())
    }
}

/// Splits the name of an entry into its parts.
fn names(name: &OsStr) -> Result<VecDeque<OsString>, Fault> {
    let mut names = VecDeque::new();
    for component in Path::new(name).components() {
        match component {
            Component::Normal(name) => names.push_back(name.to_owned()),
            Component::CurDir => {}
            Component::ParentDir => return Err(Fault::Refused("its name has `..`".to_owned())),
            Component::RootDir | Component::Prefix(_) => {
                return Err(Fault::Refused("its name is absolute".to_owned()));
            }
        }
    }
    Ok(names)
}

/// Opens the folder `name` in `folder`; creates it if it is missing.
fn enter(folder: &OwnedFd, name: &OsStr, mode: u32) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let open = || fs::openat(folder, name, flags, Mode::empty());
    match open() {
        Err(Errno::NOENT) => match fs::mkdirat(folder, name, Mode::from_raw_mode(mode)) {
            Ok(()) | Err(Errno::EXIST) => open(),
            Err(error) => Err(error),
        },
        opened => opened,
    }
}

/// Returns the target of the link `name`; refuses a file.
fn link(folder: &OwnedFd, name: &OsStr) -> Result<OsString, Fault> {
    match fs::readlinkat(folder, name, Vec::new()) {
        Ok(target) => Ok(OsString::from_vec(target.into_bytes())),
        Err(Errno::INVAL) => Err(Fault::Refused(format!("`{}` is not a directory", display(name)))),
        Err(error) => Err(error.into()),
    }
}

/// Puts the parts of `target`, to which the link `name` leads, in front of `names`.
fn follow(name: &OsStr, target: &OsStr, names: &mut VecDeque<OsString>) -> Result<(), Fault> {
    for component in Path::new(target).components().rev() {
        match component {
            Component::Normal(_) | Component::ParentDir => names.push_front(component.as_os_str().to_owned()),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => {
                let name = display(name);
                return Err(Fault::Refused(format!("`{name}` is a link that leads out of the folder")));
            }
        }
    }
    Ok(())
}

impl Place {
    /// Creates a file beside this place, under a name that the server and its watcher ignore. Returns the place of the file, too.
    pub(super) fn create_beside(&self, mode: u32) -> io::Result<(Place, File)> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (beside, file) =
            self.beside(|folder, name| fs::openat(folder, name, flags, Mode::from_raw_mode(mode)))?;
        Ok((beside, File::from(file)))
    }

    /// Creates a link to `target` beside this place; returns the place of the link.
    pub(super) fn link_beside(&self, target: &OsStr) -> io::Result<Place> {
        Ok(self.beside(|folder, name| fs::symlinkat(target, folder, name))?.0)
    }

    /// Creates another name for the file `other` beside this place; returns the place of that name.
    pub(super) fn name_beside(&self, other: &Place) -> io::Result<Place> {
        let link = |folder: &OwnedFd, name: &OsStr| {
            fs::linkat(&other.folder, &other.name, folder, name, AtFlags::empty())
        };
        Ok(self.beside(link)?.0)
    }

    /// Calls `make` with a free temporary name.
    fn beside<T>(&self, make: impl Fn(&OwnedFd, &OsStr) -> Result<T, Errno>) -> io::Result<(Place, T)> {
        let process = std::process::id();
        for attempt in 0..ATTEMPTS {
            // The server ignores files whose names begin with a dot.
            let name = OsString::from(format!(".h1mock-tar-{process}-{attempt}.tmp"));
            match make(&self.folder, &name) {
                Ok(made) => {
                    let folder = self.folder.try_clone()?;
                    return Ok((Place { folder, depth: self.depth, name }, made));
                }
                Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(Errno::EXIST.into())
    }

    /// Renames this temporary file to `place`, and replaces the previous file. If the rename fails, removes the temporary file.
    pub(super) fn replace(self, place: &Place) -> io::Result<()> {
        let renamed = fs::renameat(&self.folder, &self.name, &place.folder, &place.name);
        renamed.map_err(|error| {
            self.remove();
            error.into()
        })
    }

    /// Removes this temporary file.
    pub(super) fn remove(self) {
        // If this fails as well, the message still names the first error.
        let _ = fs::unlinkat(&self.folder, &self.name, AtFlags::empty());
    }

    /// Returns device, inode, and whether it is a regular file; does not follow a link.
    pub(super) fn identity(&self) -> io::Result<(u64, u64, bool)> {
        let stat = fs::statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW)?;
        let is_file = fs::FileType::from_raw_mode(stat.st_mode) == fs::FileType::RegularFile;
        Ok((stat.st_dev as u64, stat.st_ino as u64, is_file))
    }
}

#[cfg(test)]
mod tests;
