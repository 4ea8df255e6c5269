//! The provision directory: reads, writes, removes and lists files by checked names. No link leads out of it.

mod config_map;
mod copies;
mod error;
mod look;
mod name;
mod opened;
mod served;
mod source;
mod walk;

#[cfg(test)]
pub(crate) mod fixture;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use crate::system::lock::lock;
pub(crate) use config_map::Mark;
use copies::Copies;
pub(crate) use error::{Cause, DirectoryError};
pub(crate) use look::Look;
pub(crate) use name::Name;
pub(crate) use opened::Content;
pub(crate) use served::Served;
pub(crate) use source::{Source, Stamp, Stat};
pub(crate) use walk::{DEPTH_LIMIT, Found, joined, walk};

/// The provision directory and the ConfigMap mount that fills it. All threads share it.
#[derive(Debug)]
pub struct ProvisionDir {
    root: PathBuf,
    config_dir: Option<PathBuf>,
    /// The files of `h1mock serve FILE...`.
    served: Option<Served>,
    /// Whether the directory had no files when it was opened.
    was_empty: bool,
    copies: Mutex<Copies>,
    /// Files that this process wrote, with their stamps: the watcher does not report them.
    own: Mutex<HashMap<Name, Stamp>>,
    /// Open files that answers are sending.
    sent: opened::Sent,
    /// The files when the directory was opened. So the watcher also reports changes from before its start.
    opened: Mutex<Option<HashMap<Name, Look>>>,
}

/// A file of the directory in a list.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The name. If the file is skipped, it is for display only: it may be hidden, or altered to be UTF-8.
    pub name: Name,
    /// Size in bytes, for a link that of its target; 0 if it is unknown.
    pub size: u64,
    /// Modification time, for a link that of its target.
    pub modified: Option<SystemTime>,
    /// The target of a link, relative to the directory if the target is in it.
    pub resolved: Option<String>,
    /// The reason why the mock ignores the file, if it does.
    pub skipped: Option<&'static str>,
}

impl ProvisionDir {
    /// Opens the directory `root`, and creates it if it is missing. `config_dir` may be missing. Copies nothing yet.
    ///
    /// # Errors
    /// `root` can't be created or read, or is no directory.
    pub fn open(root: &Path, config_dir: Option<&Path>) -> Result<ProvisionDir, DirectoryError> {
        let failed = |error: io::Error| {
            DirectoryError::new("open the provision directory", root.to_string_lossy(), error)
                .changing("", root)
        };
        fs::create_dir_all(root).map_err(failed)?;
        let absolute = std::path::absolute(root).map_err(failed)?;
        let looks = Look::all(&absolute).map_err(failed)?;
        let config_dir = config_dir.map(std::path::absolute).transpose().map_err(failed)?;
        Ok(ProvisionDir {
            root: absolute,
            config_dir,
            served: None,
            was_empty: looks.is_empty(),
            copies: Mutex::default(),
            own: Mutex::default(),
            sent: opened::Sent::default(),
            opened: Mutex::new(Some(looks)),
        })
    }

    /// Whether the directory had no files when it was opened. If it had, they may be the user's, and h1mock adds none of its own.
    pub(crate) fn was_empty(&self) -> bool {
        self.was_empty
    }

    /// Returns the absolute path of the directory.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the absolute path of the ConfigMap mount.
    pub fn config_dir(&self) -> Option<&Path> {
        self.config_dir.as_deref()
    }

    /// Whether `name` exists and is no folder. A link without a target does not exist.
    pub fn exists(&self, name: &Name) -> bool {
        fs::metadata(self.place(name)).is_ok_and(|metadata| !metadata.is_dir())
    }

    /// Reads a file of at most [`source::SIZE_LIMIT`] bytes, and reads again if the file changed meanwhile. Follows links within the
    /// directory and the ConfigMap mount. Never blocks on a FIFO.
    ///
    /// # Errors
    /// All of [`Cause`].
    pub fn read(&self, name: &Name) -> Result<Source, DirectoryError> {
        let (bytes, stat) = self.settled(name)?;
        let sha256 = source::sha256(&bytes);
        Ok(Source { bytes, stamp: Stamp { stat, sha256 } })
    }

    /// Reads a file as [`ProvisionDir::read`] does, without its stamp.
    pub fn bytes(&self, name: &Name) -> Result<Vec<u8>, DirectoryError> {
        Ok(self.settled(name)?.0)
    }

    fn settled(&self, name: &Name) -> Result<(Vec<u8>, Stat), DirectoryError> {
        self.resolve(name)
            .and_then(|path| source::read_settled(&path))
            .map_err(|cause| DirectoryError::new("read", name.as_str(), cause))
    }

    /// Returns a file of any size for an answer, and its state: its bytes if it is small, else the open file. Follows links as
    /// [`ProvisionDir::read`] does.
    ///
    /// # Errors
    /// All of [`Cause`].
    pub fn content(&self, name: &Name) -> Result<(Content, Stat), DirectoryError> {
        self.resolve(name)
            .and_then(|path| self.sent.content(name, &path))
            .map_err(|cause| DirectoryError::new("read", name.as_str(), cause))
    }

    /// Writes `bytes` to the file `name` by a temporary file and a rename, so that no reader ever sees half of them.
    /// Creates missing folders. Replaces a link and does not follow it. The watcher does not report this write.
    ///
    /// # Errors
    /// `name` is a folder, a folder of it is a file or leads outside, or the system refuses.
    pub fn write(&self, name: &Name, bytes: &[u8]) -> Result<Stamp, DirectoryError> {
        self.replace(name, bytes).map_err(|cause| self.refused("write", name, "to", cause))
    }

    /// Fails where [`ProvisionDir::write`] would refuse the name. Writes nothing.
    ///
    /// # Errors
    /// `name` is a folder, or a folder of it is a file or leads outside.
    pub fn admits(&self, name: &Name) -> Result<(), DirectoryError> {
        let admitted = match self.folder(name, false) {
            Ok(folder) => match folder.join(name.file_name()).symlink_metadata() {
                Ok(metadata) if metadata.is_dir() => Err(Cause::IsDirectory),
                _ => Ok(()),
            },
            Err(Cause::NotFound) => Ok(()),
            Err(cause) => Err(cause),
        };
        admitted.map_err(|cause| self.refused("write", name, "to", cause))
    }

    fn replace(&self, name: &Name, bytes: &[u8]) -> Result<Stamp, Cause> {
        fs::create_dir_all(&self.root)?;
        let folder = self.folder(name, true)?;
        let target = folder.join(name.file_name());
        if target.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
            return Err(Cause::IsDirectory);
        }
        let temporary = Temporary::write(&folder, bytes)?;
        let stat = Stat::from_metadata(&temporary.0.symlink_metadata()?);
        let stamp = Stamp { stat, sha256: source::sha256(bytes) };
        // The stamp is noted before the rename, which the watcher may see at once. The lock lasts until after the rename, so
        // that of two writes of one file the stamp of the last one stays.
        let mut own = lock(&self.own);
        let before = own.insert(name.clone(), stamp.clone());
        let Err(error) = fs::rename(&temporary.0, target) else { return Ok(stamp) };
        match before {
            Some(before) => own.insert(name.clone(), before),
            None => own.remove(name),
        };
        Err(error.into())
    }

    /// Removes a file, or a link but not its target.
    ///
    /// # Errors
    /// The file does not exist, is a folder, or the system refuses.
    pub fn remove(&self, name: &Name) -> Result<(), DirectoryError> {
        self.folder(name, false)
            .and_then(|folder| {
                let path = folder.join(name.file_name());
                self.is_own(name)?;
                if path.symlink_metadata()?.is_dir() {
                    return Err(Cause::IsDirectory);
                }
                Ok(fs::remove_file(path)?)
            })
            .map_err(|cause| self.refused("remove", name, "from", cause))?;
        lock(&self.own).remove(name);
        Ok(())
    }

    fn refused(
        &self,
        verb: &'static str,
        name: &Name,
        preposition: &'static str,
        cause: Cause,
    ) -> DirectoryError {
        DirectoryError::new(verb, name.as_str(), cause).changing(preposition, &self.root)
    }

    /// Lists all files of the directory itself and its sub-folders, sorted by name, including ignored files. The limits are 16 levels
    /// and 10000 files.
    ///
    /// # Errors
    /// The directory can't be read.
    pub fn list(&self) -> Result<Vec<Entry>, DirectoryError> {
        let mut entries = Vec::new();
        walk(&self.root, |found| match found {
            Found::File(name) => entries.push(self.entry(name, None)),
            Found::Skipped(name, _) if name.file_name().starts_with(TEMPORARY) => {}
            Found::Skipped(name, reason) => entries.push(self.entry(name, Some(reason))),
            Found::Folder(_) => {}
        })
        .or_else(|error| match &self.served {
            // No private folder could be made, so nothing is stored.
            Some(_) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            _ => Err(DirectoryError::new("list", self.root.to_string_lossy(), error)),
        })?;
        entries.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(entries)
    }

    fn entry(&self, name: Name, skipped: Option<&'static str>) -> Entry {
        let path = self.place(&name);
        let metadata = fs::metadata(&path).ok();
        let resolved = fs::read_link(&path).ok().map(|target| self.shown_target(&path, &target));
        let skipped = skipped.or_else(|| match (&metadata, self.resolve(&name)) {
            (Some(metadata), Ok(_)) if metadata.is_dir() => Some("link to a folder"),
            (Some(metadata), Ok(_)) if !metadata.is_file() => Some("not a regular file"),
            (_, Ok(_)) => None,
            (_, Err(Cause::LeadsOutside)) => Some("link that leads outside"),
            _ => Some("link without a target"),
        });
        let modified = metadata.as_ref().and_then(|metadata| metadata.modified().ok());
        Entry { name, size: metadata.map_or(0, |metadata| metadata.len()), modified, resolved, skipped }
    }

    fn shown_target(&self, link: &Path, target: &Path) -> String {
        let inside = link.canonicalize().ok().zip(self.root.canonicalize().ok());
        let inside = inside.and_then(|(path, root)| Some(path.strip_prefix(root).ok()?.to_path_buf()));
        inside.as_deref().unwrap_or(target).to_string_lossy().into_owned()
    }

    /// Returns the path of the content of `name`, with all links followed.
    fn resolve(&self, name: &Name) -> Result<PathBuf, Cause> {
        let path = self.place(name).canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotADirectory => Cause::NotFound,
            _ => error.into(),
        })?;
        let mut allowed = [Some(self.root()), self.config_dir(), self.served_folder()].into_iter().flatten();
        let within = |base: &Path| base.canonicalize().is_ok_and(|base| path.starts_with(base));
        if allowed.any(within) { Ok(path) } else { Err(Cause::LeadsOutside) }
    }

    /// Returns the folder of `name`; creates it if it is missing and `make` is set. Follows links within the directory.
    fn folder(&self, name: &Name, make: bool) -> Result<PathBuf, Cause> {
        let root = self.root.canonicalize()?;
        let mut folder = root.clone();
        for component in name.folders() {
            folder.push(component);
            match folder.canonicalize() {
                Ok(path) if !path.starts_with(&root) => return Err(Cause::LeadsOutside),
                Ok(path) if !path.is_dir() => return Err(Cause::NotDirectory),
                Ok(path) => folder = path,
                Err(error) if error.kind() == io::ErrorKind::NotFound && make => create_folder(&folder)?,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(folder)
    }

    /// Whether this process wrote `name` as it is now, and no other process has touched or changed it since.
    pub(crate) fn wrote(&self, name: &Name) -> bool {
        // The lock lasts while the file is read. A write holds it until its file has the name. So the stamp here is never
        // that of a write whose file does not exist yet.
        let own = lock(&self.own);
        own.get(name).is_some_and(|stamp| self.read(name).is_ok_and(|source| source.stamp == *stamp))
    }

    /// Returns the files when the directory was opened. The second call returns `None`.
    pub(crate) fn take_opened(&self) -> Option<HashMap<Name, Look>> {
        lock(&self.opened).take()
    }
}

/// Creates one folder, unless another process was faster. A link without a target stays an error.
fn create_folder(folder: &Path) -> io::Result<()> {
    match fs::create_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        other => other,
    }
}

/// Start of the names of our temporary files.
const TEMPORARY: &str = ".h1mock-";

/// A complete temporary file. Dropping this value removes the file, unless it was renamed.
struct Temporary(PathBuf);

impl Temporary {
    /// Writes `bytes` under a hidden name. It does not contain the name of the file, which may have the greatest length itself.
    fn write(folder: &Path, bytes: &[u8]) -> io::Result<Temporary> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        // Another container on the same volume may have our process id.
        let salt = fastrand::u32(..);
        let path = folder.join(format!("{TEMPORARY}{}-{count}-{salt:08x}", std::process::id()));
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(&path)?;
        let temporary = Temporary(path);
        file.write_all(bytes)?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A renamed file is gone already, and a hidden leftover does no harm.
        let _ = fs::remove_file(&self.0);
    }
}
