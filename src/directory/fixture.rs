//! Folders for tests: each test has its own, which is removed when the test ends.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::{Name, ProvisionDir};

/// A temporary folder for a provision directory (`provision`) and a ConfigMap mount (`config`).
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates an empty folder.
    pub(crate) fn new() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("h1mock-test-{}-{count}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Folder(path.canonicalize().unwrap())
    }

    /// Opens the provision directory `provision`, which `config` fills. Both have no files yet.
    pub(crate) fn directory(&self) -> ProvisionDir {
        ProvisionDir::open(&self.root(), Some(&self.config())).unwrap()
    }

    /// Returns the path of the provision directory.
    pub(crate) fn root(&self) -> PathBuf {
        self.0.join("provision")
    }

    /// Returns the path of the ConfigMap mount, which does not exist yet.
    pub(crate) fn config(&self) -> PathBuf {
        self.0.join("config")
    }

    /// Returns a path beside these two.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Parses a name that is known to be good.
pub(crate) fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

/// Updates the ConfigMap mount at `dir` as the kubelet does: a new hidden folder with all keys, a link through `..data` for each
/// key, and a rename that replaces `..data`.
pub(crate) fn swap_config_map(dir: &Path, version: &str, keys: &[(&str, &str)]) {
    let folder = dir.join(format!("..2024_{version}"));
    fs::create_dir_all(&folder).unwrap();
    for (key, content) in keys {
        fs::write(folder.join(key), content).unwrap();
        let link = dir.join(key);
        if link.symlink_metadata().is_err() {
            std::os::unix::fs::symlink(Path::new("..data").join(key), link).unwrap();
        }
    }
    let old = fs::read_link(dir.join("..data")).ok();
    std::os::unix::fs::symlink(folder.file_name().unwrap(), dir.join("..data_tmp")).unwrap();
    fs::rename(dir.join("..data_tmp"), dir.join("..data")).unwrap();
    for entry in fs::read_dir(dir).unwrap().flatten() {
        let file_name = entry.file_name().to_string_lossy().into_owned();
        if !file_name.starts_with('.') && keys.iter().all(|(key, _)| *key != file_name) {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    if let Some(old) = old {
        fs::remove_dir_all(dir.join(old)).unwrap();
    }
}
