//! The directories of the server: the provision directory and the mount that fills it, or the files of `h1mock serve FILE...` and a
//! private folder before theirs.

use crate::cli::{CONFIG_DIR, PROVISION_DIR, Settings};
use crate::directory::{ProvisionDir, Served};
use crate::system::io_error::describe_io;
use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

/// Folders in which a private folder may be made. The last one is in memory, and writable in containers with a read-only root.
const PLACES: [&str; 2] = ["/tmp", "/dev/shm"];

/// The opened directories, until the server ends.
pub(super) struct Directories {
    pub provisions: ProvisionDir,
    pub private: Option<PrivateFolder>,
    /// Locked, so that a second server sees that the directory has one. `None` where the file system has no locks.
    pub _lock: Option<File>,
}

/// A folder for posted provisions and stored files, which only this user can read. Dropping it removes it.
pub(super) struct PrivateFolder(PathBuf);

impl Directories {
    /// Opens the directories that `settings` name.
    ///
    /// # Errors
    /// A file can't be served, a given mount is missing, or the provision directory can't be made or read.
    pub(super) fn open(settings: &Settings) -> Result<Directories, String> {
        if let Some(dir) = &settings.config_dir {
            let failed = |cause: &str| {
                format!("failed to open `{}`, the folder of `--config-dir`: {cause}", dir.display())
            };
            match fs::metadata(dir) {
                Ok(metadata) if metadata.is_dir() => {}
                Ok(_) => return Err(failed("it is a file; `h1mock serve FILE` serves one")),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Err(failed("there is no such folder"));
                }
                Err(error) => return Err(failed(&describe_io(&error))),
            }
        }
        if settings.files.is_empty() {
            let root = settings.provision_dir.as_deref().unwrap_or(Path::new(PROVISION_DIR));
            let config = settings.config_dir.as_deref().unwrap_or(Path::new(CONFIG_DIR));
            let provisions = ProvisionDir::open(root, Some(config)).map_err(|error| error.to_string())?;
            let _lock = claim(provisions.root());
            return Ok(Directories { provisions, private: None, _lock });
        }
        let served = Served::new(&settings.files)?;
        let (private, root) = match &settings.provision_dir {
            Some(root) => {
                let made = fs::create_dir_all(root);
                made.map_err(|error| {
                    format!("failed to make `{}`: {}", root.display(), describe_io(&error))
                })?;
                if served.is_in(root) {
                    let folder = root.display();
                    return Err(format!(
                        "failed to serve files of `{folder}`: `--provision-dir` must be another folder"
                    ));
                }
                (None, root.clone())
            }
            None => {
                let folder = PrivateFolder::make();
                (folder.1, folder.0)
            }
        };
        let provisions = ProvisionDir::over(served, &root, settings.config_dir.as_deref());
        let provisions = provisions.map_err(|error| error.to_string())?;
        let _lock = settings.provision_dir.is_some().then(|| claim(provisions.root())).flatten();
        Ok(Directories { provisions, private, _lock })
    }
}

impl PrivateFolder {
    /// Makes a private folder, and returns its path. Where none can be made, the path has no folder, and writes to it fail.
    fn make() -> (PathBuf, Option<PrivateFolder>) {
        let name = format!("h1mock-{}-{:016x}", std::process::id(), fastrand::u64(..));
        let places = std::iter::once(std::env::temp_dir()).chain(PLACES.map(PathBuf::from));
        let mut first = None;
        for place in places {
            let path = place.join(&name);
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return (path.clone(), Some(PrivateFolder(path))),
                Err(error) => _ = first.get_or_insert((path, error)),
            }
        }
        let (path, error) = first.unwrap_or_else(|| (PathBuf::from(name), io::ErrorKind::NotFound.into()));
        log::warn!(
            "failed to make the temporary folder `{}`, so posted provisions can't be stored: {}",
            path.display(),
            describe_io(&error)
        );
        (path, None)
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // Another process may have removed it. A leftover is private, and empty for most.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Locks the folder `root` as long as the file that is returned is open, and warns if another server has locked it. Writes nothing.
fn claim(root: &Path) -> Option<File> {
    let file = File::open(root).ok()?;
    match file.try_lock() {
        Ok(()) => Some(file),
        Err(TryLockError::WouldBlock) => {
            log::warn!(
                "another h1mock uses the provision directory `{}`: both activate what is copied there; `--provision-dir` names another one",
                root.display()
            );
            None
        }
        // A file system without locks.
        Err(TryLockError::Error(_)) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::fixture::Folder;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_private_folder_is_private_and_goes_with_its_server() {
        let (path, folder) = PrivateFolder::make();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        fs::write(path.join("posted"), "x").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn a_mount_that_is_given_must_be_a_folder() {
        let folder = Folder::new();
        fs::write(folder.path("file"), "").unwrap();
        for (name, cause) in
            [("none", "there is no such folder"), ("file", "it is a file; `h1mock serve FILE` serves one")]
        {
            let path = folder.path(name);
            let settings = Settings { config_dir: Some(path.clone()), ..Settings::default() };
            let error = Directories::open(&settings).err().unwrap();
            let expected =
                format!("failed to open `{}`, the folder of `--config-dir`: {cause}", path.display());
            assert_eq!(error, expected);
        }
    }

    #[test]
    fn a_directory_is_claimed_once() {
        let folder = Folder::new();
        fs::create_dir(folder.root()).unwrap();
        let first = claim(&folder.root());
        assert!(first.is_some() && claim(&folder.root()).is_none());
        drop(first);
        assert!(claim(&folder.root()).is_some());
        assert!(claim(&folder.path("none")).is_none());
    }
}
